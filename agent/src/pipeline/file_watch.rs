//! Notices that files change.
//!
//! Folders are watched, not files: editors replace files, and a ConfigMap swaps a
//! symbolic link beside them. It reads nothing; whoever is told reads everything anew.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

/// Files that are written one after another are one change.
const QUIET: Duration = Duration::from_millis(200);

/// Ends with its value.
pub(super) struct FileWatch {
    _watcher: RecommendedWatcher,
}

/// Calls `changed` after each change below these paths, from a thread of its own with this
/// name, until it returns false.
pub(super) fn watch(
    name: &str,
    paths: &[PathBuf],
    changed: impl Fn() -> bool + Send + 'static,
) -> Result<FileWatch, notify::Error> {
    let (events, inbox) = channel();
    let mut watcher = notify::recommended_watcher(move |event| tell(event, &events))?;
    for path in paths {
        let folder = if path.is_dir() { path.as_path() } else { folder_of(path) };
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || settle(&inbox, &changed))
        .map_err(notify::Error::io)?;
    Ok(FileWatch { _watcher: watcher })
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn tell(event: Result<notify::Event, notify::Error>, events: &Sender<()>) {
    match event {
        // Being read is no change.
        Ok(event) if event.kind.is_access() => {}
        // The thread is gone when the agent stops.
        Ok(_) => drop(events.send(())),
        Err(error) => tracing::warn!(%error, "files may change unnoticed; SIGHUP reads them"),
    }
}

/// Waits until nothing changes any more, then tells.
fn settle(inbox: &Receiver<()>, changed: &dyn Fn() -> bool) {
    while inbox.recv().is_ok() {
        loop {
            match inbox.recv_timeout(QUIET) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        if !changed() {
            return;
        }
    }
}
