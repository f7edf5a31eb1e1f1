//! Reads the files of a container through the root directory of one of its processes.
//!
//! The tenant owns what is there. Links are resolved within its root, only a regular
//! file is opened for reading, so many bytes of it are read, and nothing that a process
//! of its own may serve (FUSE) or that waits for a network is touched, as far as the
//! mounts tell. A mount that comes at the wrong moment may still make the reader wait:
//! no thread that others wait for should read.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, open, openat, openat2};
use rustix::io::Errno;

use super::database::{self, Group, IdRange, Parsed, User};

/// Bytes of a file that are read.
const FILE_BYTES_MAX: u64 = 256 << 10;
/// Bytes of the list of mounts that are read.
const MOUNTS_BYTES_MAX: u64 = 1 << 20;
const PASSWD: [&str; 2] = ["etc", "passwd"];
const GROUP: [&str; 2] = ["etc", "group"];

/// A file as it was when it was read: device, inode, size, and when its content and its
/// inode last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp([u64; 7]);

/// Files to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Id of the container in full; `None` for the host.
    pub container: Option<Box<str>>,
    /// Process whose root directory holds them.
    pub pid: u32,
    pub(super) known: [Option<Stamp>; 2],
}

/// What a file says now, and its stamp; `None` for a file that is not there.
type News<T> = (Option<Stamp>, Vec<T>);

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub(super) container: Option<Box<str>>,
    /// `None`: as before.
    pub(super) users: Option<News<User>>,
    pub(super) groups: Option<News<Group>>,
    pub(super) maps: Option<(Vec<IdRange>, Vec<IdRange>)>,
    /// Something could not be read, or must not be.
    pub(super) failed: bool,
    pub(super) malformed: u64,
    pub(super) cut: u64,
}

impl Answer {
    /// Whose they are: a container's id in full; `None` for the host.
    #[must_use]
    pub fn container(&self) -> Option<&str> {
        self.container.as_deref()
    }
}

impl Request {
    /// Reads what changed. `proc` is where the proc file system is.
    #[must_use]
    pub fn read(self, proc: &Path) -> Answer {
        let directory = proc.join(self.pid.to_string());
        let mut answer = Answer { container: self.container, ..Answer::default() };
        let is_host = answer.container.is_none();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = match open(directory.join("root"), flags, Mode::empty()) {
            // An agent in a container is given the right to look at the first process;
            // one without it runs on the host, where its own root is the host's.
            Err(Errno::ACCESS | Errno::PERM) if is_host => open("/", flags, Mode::empty()),
            root => root,
        };
        let Ok(root) = root else {
            answer.failed = true;
            return answer;
        };
        let place = Place { root, mounts: directory.join("mountinfo"), is_host };
        answer.users = answer.file(&place, PASSWD, self.known[0], database::users);
        answer.groups = answer.file(&place, GROUP, self.known[1], database::groups);
        if !is_host {
            let map = |name| read_up_to(&directory.join(name), FILE_BYTES_MAX);
            match (map("uid_map"), map("gid_map")) {
                (Ok(users), Ok(groups)) => {
                    answer.maps = Some((database::ranges(&users), database::ranges(&groups)));
                }
                _ => answer.failed = true,
            }
        }
        answer
    }
}

impl Answer {
    fn file<T>(
        &mut self,
        place: &Place,
        path: [&str; 2],
        known: Option<Stamp>,
        parse: impl Fn(&[u8]) -> Parsed<T>,
    ) -> Option<News<T>> {
        match place.read(path, known) {
            Ok(Found::Same) => None,
            Ok(Found::None) => known.is_some().then(|| (None, Vec::new())),
            Ok(Found::Text(stamp, text, is_cut)) => {
                let (names, malformed) = parse(&text);
                self.malformed += malformed;
                self.cut += u64::from(is_cut);
                Some((Some(stamp), names))
            }
            Err(_) => {
                self.failed = true;
                None
            }
        }
    }
}

enum Found {
    None,
    Same,
    /// Stamp, text, and whether there is more of it.
    Text(Stamp, Vec<u8>, bool),
}

struct Place {
    root: OwnedFd,
    mounts: PathBuf,
    is_host: bool,
}

impl Place {
    fn read(&self, path: [&str; 2], known: Option<Stamp>) -> io::Result<Found> {
        let file = match self.open(path) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Found::None),
            Err(error) => return Err(error.into()),
        };
        let facts = fstat(&file)?;
        if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let size = u64::try_from(facts.st_size).unwrap_or(0);
        let stamp = Stamp([
            facts.st_dev,
            facts.st_ino,
            size,
            facts.st_mtime.cast_unsigned(),
            facts.st_mtime_nsec,
            facts.st_ctime.cast_unsigned(),
            facts.st_ctime_nsec,
        ]);
        if known == Some(stamp) {
            return Ok(Found::Same);
        }
        // The very file that was looked at, whatever has its name by now.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let mut text = read_up_to(Path::new(&path), FILE_BYTES_MAX)?;
        let is_cut = size > FILE_BYTES_MAX;
        if is_cut {
            let whole = text.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
            text.truncate(whole);
        }
        Ok(Found::Text(stamp, text, is_cut))
    }

    /// Finds a file without opening it for reading, which with a device or a pipe might
    /// do something.
    fn open(&self, path: [&str; 2]) -> Result<OwnedFd, Errno> {
        // The host's own mounts are trusted, even one of a network.
        if !self.is_host && !self.is_local(|mount| mount == "/") {
            return Err(Errno::PERM);
        }
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let find = |resolve| openat2(&self.root, path.join("/"), flags, Mode::empty(), resolve);
        let found = find(if self.is_host { within } else { within | ResolveFlags::NO_XDEV });
        match found {
            // It is behind another mount, such as a file that the runtime put there.
            Err(Errno::XDEV) if self.is_local(|_| true) => find(within),
            // The call is not there or a filter refuses it: then without following links.
            Err(Errno::NOSYS | Errno::PERM) if self.is_host || self.is_local(|_| true) => {
                let flags = flags | OFlags::NOFOLLOW;
                let directory =
                    openat(&self.root, path[0], flags | OFlags::DIRECTORY, Mode::empty())?;
                openat(&directory, path[1], flags, Mode::empty())
            }
            found => found,
        }
    }

    /// True when the kernel alone answers for the mounts at those places.
    fn is_local(&self, which: impl Fn(&str) -> bool) -> bool {
        let Ok(mounts) = read_up_to(&self.mounts, MOUNTS_BYTES_MAX) else { return false };
        let is_whole = (mounts.len() as u64) < MOUNTS_BYTES_MAX;
        let mounts = String::from_utf8_lossy(&mounts);
        let mut lines = mounts.lines();
        is_whole
            && lines.all(|line| {
                let Some((place, kind)) = place_and_kind(line) else { return false };
                !which(place) || !waits(kind)
            })
    }
}

/// Where a line of `mountinfo` mounts, and what kind of file system.
fn place_and_kind(line: &str) -> Option<(&str, &str)> {
    let (mount, source) = line.split_once(" - ")?;
    Some((mount.split(' ').nth(4)?, source.split(' ').next()?))
}

/// True for file systems that wait for a process or for a network.
fn waits(kind: &str) -> bool {
    const KINDS: [&str; 9] =
        ["9p", "afs", "autofs", "ceph", "cifs", "coda", "lustre", "nfs", "smb3"];
    kind.starts_with("fuse") || kind.starts_with("nfs") || KINDS.contains(&kind)
}

fn read_up_to(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file: File = fs::File::open(path)?;
    file.take(max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use tempfile::TempDir;

    use super::super::{NameStats, Names};

    const LOCAL: &str = "1 0 0:1 / / rw - overlay overlay rw\n2 1 0:2 / /proc rw - proc proc rw\n";

    /// A proc file system with process 7, whose root is `root` beside it.
    fn place(mounts: &str) -> TempDir {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        fs::create_dir_all(path("root/etc")).unwrap();
        fs::create_dir(path("7")).unwrap();
        symlink(path("root"), path("7/root")).unwrap();
        fs::write(path("7/mountinfo"), mounts).unwrap();
        fs::write(path("7/uid_map"), "0 0 4294967295\n").unwrap();
        fs::write(path("7/gid_map"), "0 0 4294967295\n").unwrap();
        fs::write(path("outside"), "thief:x:5:5::/:\n").unwrap();
        place
    }

    fn ask(names: &mut Names, place: &Path, container: Option<&str>) -> bool {
        let mut now = 0;
        let request = loop {
            now += 1_000_000_000;
            if let Some(request) = names.due(container, 7, now) {
                break request;
            }
        };
        names.take(request.read(place))
    }

    /// What user 5 is called after one look, and how many looks failed.
    #[track_caller]
    fn check(mounts: &str, make: impl Fn(&Path), expected: (Option<&str>, u64)) {
        let place = place(mounts);
        make(&place.path().join("root/etc"));
        let mut names = Names::default();
        ask(&mut names, place.path(), Some("a"));
        assert_eq!((names.user_name(Some("a"), 5), names.stats().failed_total), expected);
    }

    #[test]
    fn files_are_found_within_the_root_and_nowhere_else() {
        let user = "app:x:5:5::/:\n";
        check(LOCAL, |_| (), (None, 0));
        check(LOCAL, |etc| fs::write(etc.join("passwd"), user).unwrap(), (Some("app"), 0));
        let linked = |etc: &Path, target: &str| {
            fs::write(etc.join("real"), user).unwrap();
            symlink(target, etc.join("passwd")).unwrap();
        };
        check(LOCAL, |etc| linked(etc, "real"), (Some("app"), 0));
        check(LOCAL, |etc| linked(etc, "/etc/real"), (Some("app"), 0));
        check(LOCAL, |etc| linked(etc, "../../../../etc/real"), (Some("app"), 0));
        check(LOCAL, |etc| linked(etc, "../../outside"), (None, 0));
        check(LOCAL, |etc| linked(etc, etc.join("../../outside").to_str().unwrap()), (None, 0));
        check(LOCAL, |etc| linked(etc, "passwd"), (None, 1));
        check(LOCAL, |etc| linked(etc, "/proc/self/root/etc/passwd"), (None, 0));
        check(LOCAL, |etc| fs::create_dir(etc.join("passwd")).unwrap(), (None, 1));
        let pipe = |etc: &Path| {
            mknodat(CWD, etc.join("passwd"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        };
        check(LOCAL, pipe, (None, 1));
    }

    #[test]
    fn nothing_that_waits_is_touched() {
        let user = |etc: &Path| fs::write(etc.join("passwd"), "app:x:5:5::/:\n").unwrap();
        check("1 0 0:1 / / rw - fuse.x x rw\n", user, (None, 1));
        check("1 0 0:1 / / rw shared:1 master:2 - nfs4 host:/ rw\n", user, (None, 1));
        check("1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / / rw - fuse x rw\n", user, (None, 1));
        // Elsewhere it matters only if the file is behind another mount.
        check("1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / /x rw - fuse x rw\n", user, (Some("app"), 0));
        check("nonsense\n", user, (None, 1));
    }

    #[test]
    fn changed_files_are_read_again_and_others_are_not() {
        let place = place(LOCAL);
        let passwd = place.path().join("root/etc/passwd");
        let mut names = Names::default();
        fs::write(&passwd, "app:x:5:5::/:\n").unwrap();
        assert!(ask(&mut names, place.path(), Some("a")));
        assert!(!ask(&mut names, place.path(), Some("a")));
        assert_eq!(names.user_name(Some("a"), 5), Some("app"));
        // As `useradd` does it: another file takes the name.
        fs::write(passwd.with_extension("new"), "new:x:5:5::/:\n").unwrap();
        fs::rename(passwd.with_extension("new"), &passwd).unwrap();
        assert!(ask(&mut names, place.path(), Some("a")));
        assert_eq!(names.user_name(Some("a"), 5), Some("new"));
        fs::write(place.path().join("7/uid_map"), "0 100 10\n").unwrap();
        assert!(ask(&mut names, place.path(), Some("a")));
        assert_eq!(names.user_name(Some("a"), 105), Some("new"));
        fs::remove_file(&passwd).unwrap();
        assert!(ask(&mut names, place.path(), Some("a")));
        assert!(!ask(&mut names, place.path(), Some("a")));
        assert_eq!(names.user_name(Some("a"), 105), None);
        // A process that is gone changes nothing.
        fs::write(&passwd, "app:x:5:5::/:\n").unwrap();
        assert!(ask(&mut names, place.path(), Some("a")));
        fs::remove_dir_all(place.path().join("7")).unwrap();
        assert!(!ask(&mut names, place.path(), Some("a")));
        assert_eq!(names.user_name(Some("a"), 105), Some("app"));
        assert_eq!(names.stats().failed_total, 1);
    }

    #[test]
    fn long_files_are_cut_at_a_line() {
        let place = place(LOCAL);
        let lines: String = (0..40_000).map(|uid| format!("u{uid}:x:{uid}:1::/:\n")).collect();
        fs::write(place.path().join("root/etc/passwd"), lines).unwrap();
        let mut names = Names::default();
        ask(&mut names, place.path(), Some("a"));
        assert_eq!(names.user_name(Some("a"), 5), Some("u5"));
        assert_eq!(names.user_name(Some("a"), 39_999), None);
        let NameStats { malformed_total, cut_total, .. } = names.stats();
        assert_eq!((malformed_total, cut_total), (0, 1));
    }

    #[test]
    fn host_has_its_own_names() {
        let mut names = Names::default();
        let request = names.due(None, 7, 0).unwrap();
        names.take(request.read(Path::new("/proc")));
        let passwd = fs::read_to_string("/etc/passwd").unwrap();
        let mut lines = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let user = lines.find(|fields| fields[2] != "0").unwrap();
        assert_eq!(names.user_name(None, user[2].parse().unwrap()), Some(user[0]));
        assert_eq!(names.user_name(None, 0), Some("root"));
    }
}
