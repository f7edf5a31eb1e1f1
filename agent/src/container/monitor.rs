//! Finds a bundle through the process that watches over a container.
//!
//! containerd's shim works in the bundle's directory and conmon is told it, wherever
//! the runtime was configured to keep its state. Only processes of root in the host's
//! own mount namespace are believed: a container can start a process that looks the
//! same.

use std::{
    fs,
    os::{linux::fs::MetadataExt as _, unix::ffi::OsStrExt as _},
    path::Path,
};

use super::Sources;

/// Ancestors looked at, from a process of the container upwards.
const MAX_ANCESTORS: usize = 32;

/// Directory of the bundle of the container that the process is in, as a path on the
/// host.
pub(super) fn bundle(proc: &Path, id: &str, pid: u32) -> Option<String> {
    let host = identity(&proc.join("1/ns/mnt"))?;
    let mut pid = pid;
    for _ in 0..MAX_ANCESTORS {
        pid = parent(proc, pid).filter(|parent| *parent > 1)?;
        let process = proc.join(pid.to_string());
        if fs::metadata(&process).ok()?.st_uid() != 0
            || identity(&process.join("ns/mnt")) != Some(host)
        {
            continue;
        }
        let command = fs::read(process.join("cmdline")).ok()?;
        let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
        if words.contains(&id.as_bytes()) {
            return bundle_of(&process, &words);
        }
    }
    None
}

/// conmon's `-b` or `--bundle`, or else the working directory.
fn bundle_of(process: &Path, words: &[&[u8]]) -> Option<String> {
    let told = words
        .windows(2)
        .find(|pair| matches!(pair[0], b"-b" | b"--bundle" | b"-bundle"))
        .and_then(|pair| std::str::from_utf8(pair[1]).ok());
    let found = match told {
        Some(path) => path.to_owned(),
        None => fs::read_link(process.join("cwd")).ok()?.to_str()?.to_owned(),
    };
    (found.starts_with('/') && found != "/").then_some(found)
}

/// The fourth word of `stat`; the second, a name in brackets, may hold anything.
fn parent(proc: &Path, pid: u32) -> Option<u32> {
    let stat = fs::read(proc.join(pid.to_string()).join("stat")).ok()?;
    let after_name = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(after_name + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Whether the namespace at a path, as an OCI configuration names it, is the one
/// that the host's first process is in; `None` when it is gone.
pub(super) fn is_host_namespace(sources: &Sources, path: &str, file: &str) -> Option<bool> {
    // `/proc/PID/ns/net` is a process of the host's pid namespace.
    let joined = match path.strip_prefix("/proc/") {
        Some(rest) => sources.proc.join(rest),
        None => sources.root.join(path.trim_start_matches('/')),
    };
    let host = identity(&sources.proc.join("1/ns").join(file))?;
    Some(identity(&joined)? == host)
}

/// What tells one namespace from another.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let is_sane = !path.as_os_str().as_bytes().windows(3).any(|part| part == b"/..");
    let metadata = is_sane.then(|| fs::metadata(path).ok())??;
    Some((metadata.st_dev(), metadata.st_ino()))
}
