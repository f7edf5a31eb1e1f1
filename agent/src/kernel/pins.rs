//! The folder on bpffs where maps and links outlive the agent.
//!
//! One agent at a time: the folder is locked for as long as an agent uses it.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use aya::maps::MapInfo;
use rustix::{
    fs::{FlockOperation, flock, statfs},
    mount::{MountFlags, mount},
};

use super::{KernelError, hooks::HOOKS, layout::MAPS};

/// Where pins go unless told otherwise.
pub const DEFAULT_PIN_PATH: &str = "/sys/fs/bpf/landlord";

/// Where bpffs belongs.
const BPFFS: &str = "/sys/fs/bpf";
/// `BPF_FS_MAGIC` of the kernel's `magic.h`.
const BPFFS_MAGIC: u64 = 0xcafe_4a11;
/// Marks the file of a pinned link.
const LINK: &str = "link_";

/// A locked pin folder.
#[derive(Debug)]
pub(super) struct Pins {
    path: PathBuf,
    _lock: File,
}

impl Pins {
    /// Opens and locks the folder; makes it, and mounts bpffs at its usual
    /// place, where missing.
    pub(super) fn open(path: &Path) -> Result<Self, KernelError> {
        let bad = |reason: String| KernelError::Pins { path: path.to_owned(), reason };
        if path.starts_with(BPFFS) && !is_bpffs(Path::new(BPFFS)) {
            mount("bpf", BPFFS, "bpf", MountFlags::empty(), None)
                .map_err(|error| bad(format!("bpffs is not mounted, and mounting it: {error}")))?;
            tracing::info!(path = BPFFS, "mounted bpffs");
        }
        std::fs::create_dir_all(path).map_err(|error| bad(error.to_string()))?;
        if !is_bpffs(path) {
            return Err(bad("not on a bpffs; mount -t bpf bpf /sys/fs/bpf".to_owned()));
        }
        let lock = File::open(path).map_err(|error| bad(error.to_string()))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(KernelError::AlreadyRunning { path: path.to_owned() })
            }
            Err(error) => Err(bad(error.to_string())),
        }
    }

    /// Where a map is pinned.
    pub(super) fn map(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where the link of a stub is pinned.
    pub(super) fn link(&self, stub: &str) -> PathBuf {
        self.path.join(format!("{LINK}{stub}"))
    }

    /// Where a stub itself is pinned.
    pub(super) fn stub(&self, stub: &str) -> PathBuf {
        self.path.join(stub)
    }

    /// True when nothing is pinned yet.
    pub(super) fn is_empty(&self) -> Result<bool, KernelError> {
        Ok(self.files()?.is_empty())
    }

    /// What differs between what is pinned and what this agent would make; `None`
    /// when nothing does.
    pub(super) fn difference(&self, cpus: u32, slots: u32) -> Option<String> {
        let stub = HOOKS.iter().map(|hook| hook.stub).find(|stub| !self.stub(stub).exists());
        if let Some(stub) = stub {
            return Some(format!("the sensor {stub} is not there"));
        }
        MAPS.iter().find_map(|(name, entries)| {
            let expected = entries.count(cpus, slots);
            match MapInfo::from_pin(self.map(name)) {
                Err(error) => Some(format!("map {name} cannot be opened: {error}")),
                Ok(info) => (info.max_entries() != expected).then(|| {
                    format!("map {name} has {} entries, not {expected}", info.max_entries())
                }),
            }
        })
    }

    /// Removes every pin, links before maps, so that nothing counts into a map
    /// that is going away.
    pub(super) fn clear(&self) -> Result<(), KernelError> {
        let mut files = self.files()?;
        files.sort_by_key(|name| !name.starts_with(LINK));
        for name in files {
            let path = self.path.join(name);
            std::fs::remove_file(&path).map_err(|error| KernelError::Pins {
                path: path.clone(),
                reason: error.to_string(),
            })?;
        }
        Ok(())
    }

    fn files(&self) -> Result<Vec<String>, KernelError> {
        let listed = || -> io::Result<Vec<String>> {
            std::fs::read_dir(&self.path)?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect()
        };
        listed().map_err(|error| KernelError::Pins {
            path: self.path.clone(),
            reason: error.to_string(),
        })
    }
}

/// Removes all pins of a stopped agent: the sensors are detached and the
/// counters forgotten. Returns false when there were none.
///
/// # Errors
///
/// When an agent is running on them, or the folder cannot be changed.
pub fn detach(path: &Path) -> Result<bool, KernelError> {
    if !path.exists() {
        return Ok(false);
    }
    let pins = Pins::open(path)?;
    let had_pins = !pins.is_empty()?;
    pins.clear()?;
    std::fs::remove_dir(path)
        .map_err(|error| KernelError::Pins { path: path.to_owned(), reason: error.to_string() })?;
    Ok(had_pins)
}

fn is_bpffs(path: &Path) -> bool {
    statfs(path).is_ok_and(|info| u64::try_from(info.f_type).is_ok_and(|kind| kind == BPFFS_MAGIC))
}
