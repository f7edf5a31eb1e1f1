//! The mount table, `/proc/mounts`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::Machine;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub target: PathBuf,
    /// Type of the file system, such as `cgroup2` or `bpf`.
    pub kind: String,
    /// Options in the order of the table, such as `rw` or, for cgroup v1, the
    /// controllers.
    pub options: Vec<String>,
}

/// All file systems that this process sees mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mounts(Vec<Mount>);

impl Mounts {
    /// Reads the machine's table; `None` when `/proc` is not readable.
    pub(super) fn of(machine: &Machine) -> Option<Self> {
        machine.read("/proc/self/mounts").ok().map(|text| Self::parse(&text))
    }

    /// Parses the text of `/proc/mounts`. Lines that are not mounts are left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(parse_line).collect())
    }

    /// The cgroup v2 hierarchy: the first one mounted.
    #[must_use]
    pub fn cgroup2(&self) -> Option<&Path> {
        self.of_kind("cgroup2").next().map(|mount| mount.target.as_path())
    }

    /// True when any cgroup v1 hierarchy with a controller is mounted.
    #[must_use]
    pub fn has_cgroup1(&self) -> bool {
        // systemd's own tree `name=systemd` has no controller: `none` for figures.
        self.of_kind("cgroup")
            .any(|mount| !mount.options.iter().any(|option| option.starts_with("name=")))
    }

    /// True when this controller is mounted as cgroup v1.
    #[must_use]
    pub fn controller_is_v1(&self, controller: &str) -> bool {
        self.of_kind("cgroup").any(|mount| mount.options.iter().any(|option| option == controller))
    }

    /// The bpf file system that holds this path.
    #[must_use]
    pub fn bpffs_above(&self, path: &Path) -> Option<&Path> {
        self.of_kind("bpf").map(|mount| mount.target.as_path()).find(|&at| path.starts_with(at))
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Mount> {
        self.0.iter().filter(move |mount| mount.kind == kind)
    }
}

fn parse_line(line: &str) -> Option<Mount> {
    let mut fields = line.split(' ').skip(1);
    let target = PathBuf::from(OsString::from_vec(unescape(fields.next()?)));
    let kind = fields.next()?.to_owned();
    let options = fields.next()?.split(',').map(str::to_owned).collect();
    Some(Mount { target, kind, options })
}

/// The kernel writes white space and backslashes in paths as `\` and three octal
/// digits.
fn unescape(field: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail
            .get(..3)
            .filter(|_| first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Mounts;

    #[test]
    fn escaped_targets() {
        let check = |field: &str, expected: &str| {
            let mounts = Mounts::parse(&format!("none {field} cgroup2 rw 0 0"));
            assert_eq!(mounts.cgroup2(), Some(Path::new(expected)), "{field}");
        };
        check("/sys/fs/cgroup", "/sys/fs/cgroup");
        check(r"/a\040b", "/a b");
        check(r"/a\134b", r"/a\b");
        check(r"/a\04", r"/a\04");
        check(r"/a\999", r"/a\999");
    }

    #[test]
    fn lines_that_are_not_mounts() {
        assert_eq!(Mounts::parse("\n\ncgroup2\ncgroup2 /x\n"), Mounts::default());
    }

    #[test]
    fn systemds_named_tree_is_not_a_v1_controller() {
        let check = |text: &str, expected: bool| {
            assert_eq!(Mounts::parse(text).has_cgroup1(), expected, "{text}");
        };
        check("cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0", false);
        check("cgroup /sys/fs/cgroup/cpu cgroup rw,cpu,cpuacct 0 0", true);
    }

    #[test]
    fn bpffs_holds_what_lies_below_it() {
        let check = |path: &str, expected: Option<&str>| {
            let mounts = Mounts::parse("bpf /sys/fs/bpf bpf rw 0 0");
            assert_eq!(mounts.bpffs_above(Path::new(path)), expected.map(Path::new), "{path}");
        };
        check("/sys/fs/bpf/landlord", Some("/sys/fs/bpf"));
        check("/sys/fs/bpf", Some("/sys/fs/bpf"));
        check("/sys/fs/bpf2/landlord", None);
        check("/run/landlord", None);
    }
}
