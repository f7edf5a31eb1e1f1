//! What is worth remembering of events.

use landlord_ebpf::abi::{RecordKind, Section};

use super::draft::Draft;
use super::sockets::{TCP, UDP, address, socket};
use super::{World, look};
use crate::event::Deed;
use crate::event::deed::Object;

fn deed(draft: &Draft) -> Option<Deed> {
    look(&World::default(), draft, |view| {
        let boot_unix_ns = view.around.node.boot_unix_ns;
        view.deed().or_else(|| Deed::of_exec(view.record, draft.name, boot_unix_ns))
    })
}

/// Expects what a deed is about, in short, and how it failed.
#[track_caller]
fn check(draft: &Draft, object: &str, error: Option<&str>) {
    let deed = deed(draft).unwrap();
    let told = match &deed.object {
        Object::File { path, access } => format!("file {path} {}", access.text()),
        Object::Program(path) => format!("program {path}"),
        Object::Connection { local, peer, transport } => {
            let local = local.map(|it| it.to_string()).unwrap_or_default();
            format!("{local}->{peer} {}", transport.as_deref().unwrap_or("-"))
        }
        Object::Local(path) => format!("local {path}"),
    };
    assert_eq!((told.as_str(), deed.error.as_deref()), (object, error), "{}", draft.name);
    assert_eq!((&*deed.event, deed.times), (draft.name, 1));
    assert_eq!(deed.time_unix_ns, 507_000_000_001);
}

#[test]
fn files_that_are_opened() {
    let open = |flags| Draft::call("openat").args(&[0, 0, flags]);
    let file = open(0o101).result(3).kernel(Section::Path, "/etc/passwd");
    check(&file, "file /etc/passwd write,create", None);
    let failed = open(0).result(-13).user(Section::Raw, "/etc/shadow");
    check(&failed, "file /etc/shadow read", Some("EACCES"));
    let long = "/x".repeat(1000);
    let deed = deed(&open(2).result(3).kernel(Section::Path, &long)).unwrap();
    let Object::File { path, access } = deed.object else { panic!() };
    assert_eq!((path.len(), access.text().as_str()), (256, "read,write"));
}

#[test]
fn programs_that_are_begun() {
    let exec = Draft::of(RecordKind::Exec, "execve").kernel(Section::Exe, "/usr/bin/cat");
    check(&exec, "program /usr/bin/cat", None);
}

#[test]
fn connections_and_what_is_sent() {
    let tcp = socket(TCP, 1, ("10.0.0.1", 4711), ("10.0.0.2", 443));
    let connect = Draft::call("connect").args(&[3]).socket(&tcp);
    check(&connect, "10.0.0.1:4711->10.0.0.2:443 tcp", None);
    check(
        &Draft::call("connect").args(&[3]).result(-111).socket(&tcp),
        "10.0.0.1:4711->10.0.0.2:443 tcp",
        Some("ECONNREFUSED"),
    );
    let accepted = socket(TCP, 1, ("fd00::1", 80), ("fd00::2", 5000));
    check(
        &Draft::call("accept4").result(4).socket(&accepted),
        "[fd00::1]:80->[fd00::2]:5000 tcp",
        None,
    );
    let udp = socket(UDP, 7, ("0.0.0.0", 0), ("0.0.0.0", 0));
    let sent = address(Draft::call("sendto").args(&[3]).result(9).socket(&udp), "10.0.0.53", 53);
    check(&sent, "0.0.0.0:0->10.0.0.53:53 udp", None);
}

#[test]
fn nothing_else() {
    let check = |draft: &Draft| assert_eq!(deed(draft), None, "{}", draft.name);
    check(&Draft::call("close").args(&[3]));
    check(&Draft::call("listen").args(&[3]));
    // An end that nobody knows.
    check(&Draft::call("sendto").args(&[3]));
    check(&Draft::of(RecordKind::Exit, "procexit"));
}
