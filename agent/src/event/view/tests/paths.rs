//! Paths of calls without a descriptor.

use landlord_ebpf::abi::Section;

use super::check;
use super::draft::Draft;

#[test]
fn one_path() {
    let unlink = |result, raw: &str| {
        let draft = Draft::call("unlink").result(result).user(Section::Raw, raw);
        draft.kernel(Section::Base, "/srv")
    };
    check(
        &unlink(0, "a/../b"),
        &[
            ("fs.path.name", "/srv/b"),
            ("fs.path.nameraw", "a/../b"),
            ("fs.path.source", "-"),
            ("evt.abspath", "/srv/b"),
            ("fd.name", "-"),
            ("fd.num", "-"),
            ("fd.type", "-"),
            ("evt.unverified", "true"),
        ],
    );
    // Only what was done.
    check(&unlink(-13, "/b"), &[("fs.path.name", "-"), ("fs.path.nameraw", "-")]);
    check(&unlink(-13, "/b"), &[("evt.abspath", "/b")]);
    let bare = Draft::call("mkdir").user(Section::Raw, "d");
    check(&bare, &[("fs.path.name", "/work/d")]);
    check(&Draft::call("mkdir"), &[("fs.path.name", "-"), ("evt.abspath", "-")]);
}

#[test]
fn two_paths() {
    let pair = |name| {
        Draft::call(name)
            .user(Section::Raw, "a")
            .kernel(Section::Base, "/one")
            .user(Section::Raw2, "/two//b")
    };
    check(
        &pair("rename"),
        &[
            ("fs.path.source", "/one/a"),
            ("fs.path.target", "/two/b"),
            ("fs.path.sourceraw", "a"),
            ("fs.path.targetraw", "/two//b"),
            ("fs.path.name", "-"),
            ("evt.abspath", "/one/a"),
            ("evt.abspath.src", "/one/a"),
            ("evt.abspath.dst", "/two/b"),
        ],
    );
    // The source of a link is its name.
    check(
        &pair("link"),
        &[
            ("fs.path.source", "/two/b"),
            ("fs.path.target", "/one/a"),
            ("fs.path.sourceraw", "/two//b"),
            ("evt.abspath", "/one/a"),
            ("evt.abspath.dst", "/two/b"),
        ],
    );
    let symlink =
        |target| Draft::call("symlink").user(Section::Raw, target).user(Section::Raw2, "/two/b");
    check(
        &symlink("../etc/shadow"),
        &[
            ("fs.path.source", "/two/b"),
            ("fs.path.target", "/etc/shadow"),
            ("fs.path.targetraw", "../etc/shadow"),
            ("evt.abspath", "/two/b"),
        ],
    );
    check(&symlink("/etc"), &[("fs.path.target", "/etc")]);
    let mount = Draft::call("mount").user(Section::Raw, "m").user(Section::Raw2, "proc");
    let expected = [("fs.path.source", "-"), ("fs.path.sourceraw", "proc")];
    check(&mount, &expected);
    check(&mount, &[("fs.path.target", "/work/m"), ("fs.path.targetraw", "m")]);
}
