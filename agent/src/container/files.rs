//! Reads what runtimes leave in files, as a container's id names them.
//!
//! Paths are followed below the host's root as if it were the agent's own, so a
//! link in a file system that is mounted at `/host` leads where it does on the host.
//! It never waits and never writes.

use std::{
    ffi::CStr,
    fs::File,
    io::Read as _,
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2},
    io::Errno,
};
use serde_json::Value;

use super::{
    ContainerFacts, Sources, docker,
    document::Doc,
    monitor, oci, runc,
    sources::{StateFile, StateFormat},
};

/// A configuration is some 20 KiB; what is larger than this is none.
pub(super) const MAX_FILE: u64 = 4 << 20;
/// Directories tried for one `*`.
const MAX_WIDTH: usize = 64;

/// What files told, and what was wrong with them.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) facts: Option<ContainerFacts>,
    /// Files that are there and not (yet) understood.
    pub(super) malformed: u32,
    /// Files that are too long.
    pub(super) oversized: u32,
}

/// The host's files.
#[derive(Debug)]
pub(super) struct Files {
    root: OwnedFd,
    sources: Sources,
}

impl Files {
    pub(super) fn open(sources: Sources) -> std::io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(rustix::fs::CWD, &sources.root, flags, Mode::empty())?;
        Ok(Self { root, sources })
    }

    pub(super) const fn sources(&self) -> &Sources {
        &self.sources
    }

    /// All that files tell of a container. A process of it helps to find a bundle
    /// in a place that is not configured.
    pub(super) fn gather(&self, id: &str, pid: Option<u32>) -> Gathered {
        let mut gathered = Gathered::default();
        for state in &self.sources.states {
            for path in self.expand(&state.pattern, id) {
                self.take(&mut gathered, id, state, &path);
            }
        }
        if gathered.facts.is_none()
            && let Some(bundle) = pid.and_then(|pid| monitor::bundle(&self.sources.proc, id, pid))
        {
            self.take_bundle(&mut gathered, id, &bundle, "");
        }
        gathered
    }

    /// The socket at a path, opened as a place only, so that it can be connected to
    /// through `/proc/self/fd`.
    pub(super) fn socket(&self, path: &str) -> Option<OwnedFd> {
        let socket = self.resolve(Path::new(path), OFlags::PATH).ok()?;
        let kind = FileType::from_raw_mode(fstat(&socket).ok()?.st_mode);
        (kind == FileType::Socket).then_some(socket)
    }

    fn take(&self, gathered: &mut Gathered, id: &str, state: &StateFile, path: &str) {
        let Some(value) = self.json(gathered, path) else { return };
        let document = Doc::new(&value);
        let facts = match state.format {
            StateFormat::Spec => Some(self.spec_facts(id, document, state.runtime)),
            StateFormat::Storage => docker::storage_facts(id, document),
            StateFormat::Docker => {
                let beside = path.replace("config.v2.json", "hostconfig.json");
                let host = self.json(gathered, &beside).unwrap_or_default();
                docker::facts(document, Doc::new(&host), state.runtime)
            }
            StateFormat::Runc | StateFormat::Crun => {
                let told = runc::State::read(document);
                // The configuration first: the state knows the times.
                if let Some(bundle) = &told.bundle {
                    self.take_bundle(gathered, id, bundle, state.runtime);
                }
                Some(told.facts(id, state.runtime))
            }
        };
        // What the file is about, it says itself; another id would be a mix-up.
        match facts.filter(|facts| facts.id == id) {
            Some(facts) => add(&mut gathered.facts, facts),
            // A list without the container is as it should be.
            None if state.format == StateFormat::Storage => {}
            None => gathered.malformed += 1,
        }
    }

    fn take_bundle(&self, gathered: &mut Gathered, id: &str, bundle: &str, runtime: &str) {
        let path = format!("{bundle}/config.json");
        if let Some(value) = self.json(gathered, &path) {
            let mut facts = self.spec_facts(id, Doc::new(&value), runtime);
            if let Some(relative) = Doc::new(&value).at(&["root", "path"]).str()
                && !relative.starts_with('/')
            {
                facts.root = Some(format!("{}/{relative}", bundle.trim_end_matches('/')));
            }
            add(&mut gathered.facts, facts);
        }
    }

    fn spec_facts(&self, id: &str, spec: Doc<'_>, runtime: &str) -> ContainerFacts {
        let mut facts = oci::facts(id, spec, runtime);
        let is_host = |kind: &str, file: &str| {
            let joined = oci::joined_namespace(spec, kind)?;
            monitor::is_host_namespace(&self.sources, joined, file)
        };
        facts.host_pid = facts.host_pid.or_else(|| is_host("pid", "pid"));
        facts.host_network = facts.host_network.or_else(|| is_host("network", "net"));
        facts.host_ipc = facts.host_ipc.or_else(|| is_host("ipc", "ipc"));
        facts
    }

    fn json(&self, gathered: &mut Gathered, path: &str) -> Option<Value> {
        let bytes = match self.read(path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return None,
            Err(Errno::FBIG) => {
                gathered.oversized += 1;
                return None;
            }
            Err(error) => {
                tracing::debug!(path, %error, "a state file cannot be read");
                gathered.malformed += 1;
                return None;
            }
        };
        match serde_json::from_slice(&bytes) {
            Ok(value) => Some(value),
            Err(error) => {
                tracing::debug!(path, %error, "a state file is not understood");
                gathered.malformed += 1;
                None
            }
        }
    }

    /// Content of a regular file; `None` when there is none.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Errno> {
        // A pipe in the place of a file must not hold the thread.
        let opened = self.resolve(Path::new(path), OFlags::RDONLY | OFlags::NONBLOCK);
        let file = match opened {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error),
        };
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(Errno::INVAL);
        }
        let mut bytes = Vec::new();
        File::from(file)
            .take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        if bytes.len() as u64 > MAX_FILE { Err(Errno::FBIG) } else { Ok(Some(bytes)) }
    }

    fn resolve(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::CLOEXEC;
        // In the root, also for `..` and for links that begin at `/`.
        openat2(self.root.as_fd(), path, flags, Mode::empty(), ResolveFlags::IN_ROOT)
    }

    /// The paths that a pattern stands for.
    fn expand(&self, pattern: &str, id: &str) -> Vec<String> {
        let path = pattern.replace("{id}", id);
        let Some((parent, rest)) = path.split_once("/*/") else { return vec![path] };
        self.directories(parent).iter().map(|name| format!("{parent}/{name}/{rest}")).collect()
    }

    /// Names of the directories in a directory, in order.
    fn directories(&self, path: &str) -> Vec<String> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let Ok(fd) = self.resolve(Path::new(path), flags) else { return Vec::new() };
        let Ok(entries) = rustix::fs::Dir::new(fd) else { return Vec::new() };
        let name = |name: &CStr| name.to_str().ok().map(str::to_owned);
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| matches!(entry.file_type(), FileType::Directory | FileType::Unknown))
            .filter_map(|entry| name(entry.file_name()))
            .filter(|name| !name.starts_with('.'))
            .take(MAX_WIDTH)
            .collect();
        names.sort_unstable();
        names
    }
}

fn add(known: &mut Option<ContainerFacts>, facts: ContainerFacts) {
    match known {
        Some(known) => known.upgrade(facts),
        None => *known = Some(facts),
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
pub(super) mod tests;
