//! The cgroup's own files: where the hierarchies are mounted, which cgroups
//! exist, and the figures that the kernel keeps per cgroup anyway.
//!
//! Reads files only; on a hybrid system the figures of controllers that still
//! live in v1 are taken from the cgroup of the same path there.

use std::{
    collections::HashMap,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::KernelError;
use crate::{identity::CgroupId, usage::reading::FileFigures};

/// Where cgroups are mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchies {
    /// The v2 mount.
    pub unified: PathBuf,
    /// v1 mounts by controller name.
    pub v1: HashMap<String, PathBuf>,
}

impl Hierarchies {
    /// Finds the mounts of this system.
    ///
    /// # Errors
    ///
    /// When no v2 hierarchy is mounted.
    pub fn find() -> Result<Self, KernelError> {
        let mounts = fs::read_to_string("/proc/mounts")
            .map_err(|error| KernelError::io("reading /proc/mounts", error))?;
        Self::parse(&mounts).ok_or(KernelError::NoCgroup2)
    }

    /// Reads a mount table in the form of `/proc/mounts`; `None` without a v2 mount.
    #[must_use]
    pub fn parse(mounts: &str) -> Option<Self> {
        let mut unified = None;
        let mut v1 = HashMap::new();
        for line in mounts.lines() {
            let mut fields = line.split(' ');
            let (Some(_), Some(path), Some(kind), Some(options)) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            // Spaces in a path are written as \040.
            let path = PathBuf::from(path.replace("\\040", " "));
            match kind {
                "cgroup2" if unified.is_none() => unified = Some(path),
                "cgroup" => {
                    for controller in options.split(',') {
                        v1.entry(controller.to_owned()).or_insert_with(|| path.clone());
                    }
                }
                _ => {}
            }
        }
        Some(Self { unified: unified?, v1 })
    }

    /// Every cgroup of the v2 hierarchy with its path below the mount, parents
    /// before their children.
    pub fn walk(&self) -> Vec<(CgroupId, String)> {
        let mut found = Vec::new();
        let mut pending = vec![String::from("/")];
        while let Some(path) = pending.pop() {
            // Cgroups come and go during the walk.
            let Some(id) = self.id(&path) else { continue };
            let Ok(entries) = fs::read_dir(self.directory(&path)) else { continue };
            for entry in entries.flatten() {
                let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let Some(name) = entry.file_name().to_str().filter(|_| is_dir).map(str::to_owned)
                else {
                    continue;
                };
                pending.push(if path == "/" {
                    format!("/{name}")
                } else {
                    format!("{path}/{name}")
                });
            }
            found.push((id, path));
        }
        found
    }

    /// Id of the cgroup at `path`; `None` when there is none.
    #[must_use]
    pub fn id(&self, path: &str) -> Option<CgroupId> {
        fs::metadata(self.directory(path)).ok().map(|meta| CgroupId(meta.ino()))
    }

    /// Reads a live cgroup's figures, and counts the files that were there but
    /// could not be read or understood.
    #[must_use]
    pub fn figures(&self, path: &str) -> (FileFigures, u64) {
        let mut reader =
            Reader { hierarchies: self, path, directory: self.directory(path), bad: 0 };
        let events = reader.either("memory.events.local", None);
        let stat = reader.either("cpu.stat", Some(("cpu", "cpu.stat")));
        let (disk_read, disk_write) = reader.disk();
        let figures = FileFigures {
            memory_current: reader.number("memory.current", ("memory", "memory.usage_in_bytes")),
            memory_peak: reader.number("memory.peak", ("memory", "memory.max_usage_in_bytes")),
            memory_limit: reader
                .number("memory.max", ("memory", "memory.limit_in_bytes"))
                .filter(|limit| *limit < NO_LIMIT_V1),
            oom_kills: events
                .or_else(|| reader.v1("memory", "memory.oom_control"))
                .and_then(|text| keyed(&text, "oom_kill")),
            throttled_ns: stat.and_then(|text| {
                keyed(&text, "throttled_usec")
                    .and_then(|usec| usec.checked_mul(1000))
                    .or_else(|| keyed(&text, "throttled_time"))
            }),
            cpu_limit_millis: reader.cpu_limit(),
            disk_read_bytes: disk_read,
            disk_write_bytes: disk_write,
        };
        (figures, reader.bad)
    }

    fn directory(&self, path: &str) -> PathBuf {
        self.unified.join(path.trim_start_matches('/'))
    }
}

/// What cgroup v1 writes for "no limit": the highest page-aligned value.
const NO_LIMIT_V1: u64 = 0x7fff_ffff_ffff_0000;

/// Reads the files of one cgroup.
struct Reader<'a> {
    hierarchies: &'a Hierarchies,
    path: &'a str,
    directory: PathBuf,
    bad: u64,
}

impl Reader<'_> {
    fn read(&mut self, path: &Path) -> Option<String> {
        match fs::read_to_string(path) {
            Ok(text) => Some(text),
            // Absent: another hierarchy has the controller. ENODEV: the cgroup
            // was removed while it was read.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    || error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error())
                    || error.raw_os_error()
                        == Some(rustix::io::Errno::OPNOTSUPP.raw_os_error()) =>
            {
                None
            }
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "unreadable cgroup file");
                self.bad += 1;
                None
            }
        }
    }

    fn v1(&mut self, controller: &str, file: &str) -> Option<String> {
        // The root of a v1 controller speaks for the whole machine.
        if self.path == "/" {
            return None;
        }
        let mount = self.hierarchies.v1.get(controller)?;
        let path = mount.join(self.path.trim_start_matches('/')).join(file);
        self.read(&path)
    }

    fn either(&mut self, file: &str, v1: Option<(&str, &str)>) -> Option<String> {
        let path = self.directory.join(file);
        let text = self.read(&path);
        match (text, v1) {
            // cpu.stat exists without the cpu controller, but has no throttling then.
            (Some(text), Some(("cpu", file))) if !text.contains("throttled") => {
                self.v1("cpu", file).or(Some(text))
            }
            (Some(text), _) => Some(text),
            (None, Some((controller, file))) => self.v1(controller, file),
            (None, None) => None,
        }
    }

    /// A file that holds one number, or `max` for none.
    fn number(&mut self, file: &str, v1: (&str, &str)) -> Option<u64> {
        let text = self.either(file, Some(v1))?;
        match text.trim() {
            "max" => None,
            text => {
                let number = text.parse().ok();
                self.bad += u64::from(number.is_none());
                number
            }
        }
    }

    /// `cpu.max` (or the v1 quota and period) in thousandths of a CPU.
    fn cpu_limit(&mut self) -> Option<u64> {
        let path = self.directory.join("cpu.max");
        let (quota, period) = match self.read(&path) {
            Some(text) => {
                let (quota, period) = text.trim().split_once(' ')?;
                (quota.parse::<u64>().ok()?, period.parse::<u64>().ok()?)
            }
            None => {
                let quota = self.v1("cpu", "cpu.cfs_quota_us")?.trim().parse::<u64>().ok()?;
                let period = self.v1("cpu", "cpu.cfs_period_us")?.trim().parse::<u64>().ok()?;
                (quota, period)
            }
        };
        quota.checked_mul(1000)?.checked_div(period)
    }

    /// Bytes read and written, summed over devices.
    fn disk(&mut self) -> (Option<u64>, Option<u64>) {
        let path = self.directory.join("io.stat");
        if let Some(text) = self.read(&path) {
            return (Some(summed(&text, "rbytes=")), Some(summed(&text, "wbytes=")));
        }
        match self.v1("blkio", "blkio.throttle.io_service_bytes") {
            Some(text) => (Some(by_operation(&text, "Read")), Some(by_operation(&text, "Write"))),
            None => (None, None),
        }
    }
}

/// Value of `key` in a file of `key value` lines.
fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// Sum of all `prefix<number>` words.
fn summed(text: &str, prefix: &str) -> u64 {
    text.split_whitespace()
        .filter_map(|word| word.strip_prefix(prefix)?.parse::<u64>().ok())
        .fold(0, u64::saturating_add)
}

/// Sum of the v1 lines `major:minor Operation bytes`.
fn by_operation(text: &str, operation: &str) -> u64 {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (_device, found) = (words.next()?, words.next()?);
            if found == operation { words.next()?.parse::<u64>().ok() } else { None }
        })
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{FileFigures, Hierarchies, by_operation, keyed, summed};

    #[test]
    fn mounts_of_a_unified_system() {
        let found = Hierarchies::parse("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n");
        assert_eq!(found.map(|found| found.unified), Some("/sys/fs/cgroup".into()));
    }

    #[test]
    fn mounts_of_a_hybrid_system() {
        let found = Hierarchies::parse(
            "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n\
             cgroup2 /sys/fs/cgroup/with\\040space cgroup2 rw 0 0\n",
        )
        .expect("a v2 mount");
        assert_eq!(found.unified, std::path::Path::new("/sys/fs/cgroup/with space"));
        assert_eq!(found.v1["memory"], std::path::Path::new("/sys/fs/cgroup/memory"));
    }

    #[test]
    fn mounts_without_v2() {
        assert_eq!(Hierarchies::parse("cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n"), None);
        assert_eq!(Hierarchies::parse("broken line\n\n"), None);
    }

    #[test]
    fn lines_of_files() {
        assert_eq!(keyed("oom 1\noom_kill 7\n", "oom_kill"), Some(7));
        assert_eq!(keyed("oom_kill_x 7\n", "oom_kill"), None);
        assert_eq!(summed("8:0 rbytes=10 wbytes=3\n8:16 rbytes=5 wbytes=0\n", "rbytes="), 15);
        assert_eq!(by_operation("8:0 Read 10\n8:0 Write 4\n8:16 Read 1\nTotal 15\n", "Read"), 11);
    }

    /// The files of one cgroup, and the figures they give.
    fn check(files: &[(&str, &str)], expected: FileFigures) {
        let root = tempfile::tempdir().expect("a folder");
        let place = |name: &str| root.path().join(name);
        for (name, text) in files {
            let path = place(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        std::fs::create_dir_all(place("v2/a")).expect("a folder");
        let v1: HashMap<_, _> = ["memory", "cpu", "blkio"]
            .map(|name| (name.to_owned(), place(name)))
            .into_iter()
            .collect();
        let hierarchies = Hierarchies { unified: place("v2"), v1 };
        assert_eq!(hierarchies.figures("/a"), (expected, 0));
    }

    #[test]
    fn figures_of_v2() {
        check(
            &[
                ("v2/a/memory.current", "4096\n"),
                ("v2/a/memory.peak", "8192\n"),
                ("v2/a/memory.max", "max\n"),
                ("v2/a/memory.events.local", "oom 1\noom_kill 2\n"),
                ("v2/a/cpu.stat", "usage_usec 5\nnr_throttled 1\nthrottled_usec 3\n"),
                ("v2/a/cpu.max", "50000 100000\n"),
                ("v2/a/io.stat", "8:0 rbytes=1 wbytes=2 rios=1 wios=1\n"),
            ],
            FileFigures {
                memory_current: Some(4096),
                memory_peak: Some(8192),
                memory_limit: None,
                oom_kills: Some(2),
                throttled_ns: Some(3000),
                cpu_limit_millis: Some(500),
                disk_read_bytes: Some(1),
                disk_write_bytes: Some(2),
            },
        );
    }

    #[test]
    fn figures_of_a_hybrid_system() {
        check(
            &[
                ("v2/a/cpu.stat", "usage_usec 5\n"),
                ("memory/a/memory.usage_in_bytes", "4096\n"),
                ("memory/a/memory.max_usage_in_bytes", "8192\n"),
                ("memory/a/memory.limit_in_bytes", "9223372036854771712\n"),
                ("memory/a/memory.oom_control", "under_oom 0\noom_kill 2\n"),
                ("cpu/a/cpu.stat", "nr_throttled 1\nthrottled_time 3000\n"),
                ("cpu/a/cpu.cfs_quota_us", "150000\n"),
                ("cpu/a/cpu.cfs_period_us", "100000\n"),
                ("blkio/a/blkio.throttle.io_service_bytes", "8:0 Read 1\n8:0 Write 2\nTotal 3\n"),
            ],
            FileFigures {
                memory_current: Some(4096),
                memory_peak: Some(8192),
                memory_limit: None,
                oom_kills: Some(2),
                throttled_ns: Some(3000),
                cpu_limit_millis: Some(1500),
                disk_read_bytes: Some(1),
                disk_write_bytes: Some(2),
            },
        );
    }

    #[test]
    fn figures_of_a_cgroup_without_controllers() {
        check(&[("v2/a/cpu.stat", "usage_usec 5\n")], FileFigures::default());
    }
}
