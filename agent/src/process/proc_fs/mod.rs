//! What `/proc` tells of processes: for those that began before the agent, and for those
//! whose records were lost.
//!
//! It reads through one open directory a process, so that what it reads is of one
//! process even if the id is given again meanwhile. Processes that end while they are
//! read are left out and counted. It keeps nothing.

mod image;
mod stat;
mod status;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use landlord_ebpf::abi::{ARGUMENT_BYTES_MAX, PATH_BYTES_MAX};
use rustix::fs::{Mode, OFlags, open, openat, readlinkat};
use rustix::io::Errno;

use super::ProcessFacts;
use crate::event::TaskFacts;

/// Bytes of `stat`, `status` and `cgroup` that are read.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Bytes of a name: those of the kernel without its final zero.
const COMM_BYTES_MAX: usize = 15;

/// The mark that `/proc` puts behind the paths of removed files.
const DELETED: &[u8] = b" (deleted)";

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcStats {
    /// Processes that were told.
    pub read_total: u64,
    /// Those that ended before or while they were read.
    pub vanished_total: u64,
    /// Those that may not be read.
    pub refused_total: u64,
    /// Those whose files are not understood.
    pub malformed_total: u64,
}

/// Id of a cgroup by its path as `/proc/PID/cgroup` has it; `None` if there is none.
type CgroupId = dyn FnMut(&[u8]) -> Option<u64> + Send;

/// A proc file system, that of the initial pid namespace.
pub struct ProcFs {
    root: PathBuf,
    cgroup_id: Box<CgroupId>,
    stats: ProcStats,
}

/// Why a process is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Vanished,
    Refused,
    Malformed,
}

impl ProcFs {
    /// One that is mounted there. The id of a cgroup is the inode of its directory, which
    /// `cgroup_id` finds by the path below the mount.
    pub fn new(
        root: impl Into<PathBuf>,
        cgroup_id: impl FnMut(&[u8]) -> Option<u64> + Send + 'static,
    ) -> Self {
        Self { root: root.into(), cgroup_id: Box::new(cgroup_id), stats: ProcStats::default() }
    }

    /// What was read.
    #[must_use]
    pub const fn stats(&self) -> ProcStats {
        self.stats
    }

    /// Reads a process. Its start is that of its clock tick, and so is its exec, which
    /// `/proc` does not tell.
    pub fn read(&mut self, pid: u32) -> Option<ProcessFacts> {
        let facts = self.facts(pid);
        let count = match facts {
            Ok(_) => &mut self.stats.read_total,
            Err(Failure::Vanished) => &mut self.stats.vanished_total,
            Err(Failure::Refused) => &mut self.stats.refused_total,
            Err(Failure::Malformed) => &mut self.stats.malformed_total,
        };
        *count += 1;
        facts.ok()
    }

    /// Reads all processes, one with each step, in the order of their ids.
    ///
    /// # Errors
    ///
    /// When the list of processes cannot be read.
    pub fn scan(&mut self) -> io::Result<impl Iterator<Item = ProcessFacts>> {
        let mut pids: Vec<u32> = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            pids.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
        }
        pids.sort_unstable();
        Ok(pids.into_iter().filter_map(|pid| self.read(pid)))
    }

    fn facts(&mut self, pid: u32) -> Result<ProcessFacts, Failure> {
        let directory = Directory::open(&self.root.join(pid.to_string()))?;
        let stat =
            stat::parse(&directory.text("stat", TEXT_BYTES_MAX)?).ok_or(Failure::Malformed)?;
        if stat.has_ended {
            return Err(Failure::Vanished);
        }
        let status = directory.text("status", TEXT_BYTES_MAX)?;
        let status = status::parse(&status, pid).ok_or(Failure::Malformed)?;
        // A thread has a directory, too, which the list does not show.
        if status.tgid != pid {
            return Err(Failure::Malformed);
        }
        let mut comm = directory.text("comm", TEXT_BYTES_MAX)?;
        comm.pop_if(|last| *last == b'\n');
        comm.truncate(COMM_BYTES_MAX);
        let mut argv = directory.text("cmdline", ARGUMENT_BYTES_MAX)?;
        image::trim_title(&mut argv);
        let optional = |name, max| directory.text(name, max).or_else(Failure::unless_vanished);
        let mut envp = optional("environ", ARGUMENT_BYTES_MAX)?;
        image::trim_title(&mut envp);
        let loginuid = optional("loginuid", 16)?;
        let loginuid = String::from_utf8_lossy(&loginuid).trim_ascii().parse().unwrap_or(u32::MAX);

        let root = directory.link("root")?.unwrap_or_default();
        let cwd = directory.link("cwd")?.unwrap_or_default();
        let cwd = image::below(cwd.strip_suffix(DELETED).unwrap_or(&cwd), &root);
        let image = image::read(&directory, &root, &status)?;
        let task = TaskFacts {
            sid: stat.session,
            pgid: stat.group,
            vpid: status.vpid,
            vtid: status.vpid,
            vsid: status.vsid,
            vpgid: status.vpgid,
            tty: stat.tty,
            pid_namespace: directory.namespace("ns/pid")?,
            mount_namespace: directory.namespace("ns/mnt")?,
            exec_flags: image.exec_flags,
        };
        let cgroup = optional("cgroup", TEXT_BYTES_MAX)?;
        let cgroup = cgroup_path(&cgroup).and_then(|path| (self.cgroup_id)(path)).unwrap_or(0);
        Ok(ProcessFacts {
            pid,
            start_ns: stat.start_ns,
            parent: stat.parent,
            exec_ns: stat.start_ns,
            comm: comm.into(),
            argv: argv.into(),
            envp: envp.into(),
            exe: image.path,
            exe_deleted: image.is_deleted,
            cwd: Arc::from(cwd),
            uid: status.uid,
            gid: status.gid,
            loginuid,
            cgroup,
            file: image.file,
            task,
        })
    }
}

/// The directory of one process.
struct Directory(OwnedFd);

impl Directory {
    fn open(path: &Path) -> Result<Self, Failure> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(open(path, flags, Mode::empty())?))
    }

    fn text(&self, name: &str, max: usize) -> Result<Vec<u8>, Failure> {
        let file = openat(&self.0, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut text = Vec::new();
        File::from(file).take(max as u64).read_to_end(&mut text)?;
        Ok(text)
    }

    /// Inode of a namespace; 0 when not known.
    fn namespace(&self, name: &str) -> Result<u32, Failure> {
        Ok(self.link(name)?.and_then(|link| namespace_inode(&link)).unwrap_or(0))
    }

    /// Where a link leads. Threads of the kernel have links that lead nowhere.
    fn link(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let link = readlinkat(&self.0, name, Vec::with_capacity(PATH_BYTES_MAX));
        match link.map_err(Failure::from) {
            Ok(link) => Ok(Some(link.into_bytes())),
            // The process lives if its directory still answers.
            Err(_) => self.text("comm", 1).map(|_| None),
        }
    }
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOENT | Errno::SRCH => Self::Vanished,
            Errno::ACCESS | Errno::PERM => Self::Refused,
            _ => Self::Malformed,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Errno::from_io_error(&error).map_or(Self::Malformed, Self::from)
    }
}

impl Failure {
    /// What may be read by its owner only is not known; the process itself is.
    fn unless_vanished<T: Default>(self) -> Result<T, Self> {
        if self == Self::Refused { Ok(T::default()) } else { Err(self) }
    }
}

/// The line of the v2 hierarchy.
fn cgroup_path(text: &[u8]) -> Option<&[u8]> {
    text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"0::"))
}

/// `pid:[4026531836]`
fn namespace_inode(link: &[u8]) -> Option<u32> {
    let (_, inode) = std::str::from_utf8(link).ok()?.split_once(":[")?;
    inode.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests;
