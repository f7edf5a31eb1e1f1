//! The state file: written whole or not at all.
//!
//! It is never synced to disk. The kernel maps that its content belongs to do not
//! outlive a reboot either, and against a crash of the agent alone the page cache
//! is as safe as the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// More than any state: 4095 slots with every system call and every culprit.
const MAX_BYTES: u64 = 256 << 20;

/// A state file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("state file {}: {action}: {source}", path.display())]
pub struct StateFileError {
    path: PathBuf,
    action: &'static str,
    source: io::Error,
}

/// Replaces the file at `path` with `bytes`, readable by its owner only. Readers
/// see the old content or the new one. Missing folders are made.
///
/// # Errors
///
/// [`StateFileError`]; the old content is then still there.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), StateFileError> {
    let fail = |action| move |source| StateFileError { path: path.to_owned(), action, source };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(fail("check its path")(io::ErrorKind::InvalidFilename.into()));
    };
    fs::create_dir_all(folder).map_err(fail("make its folder"))?;
    // In the same folder, since a rename does not cross file systems; under one
    // fixed name, so that crashes leave one file at most.
    let mut draft_name = name.to_owned();
    draft_name.push(".new");
    let draft = path.with_file_name(draft_name);
    match fs::remove_file(&draft) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(fail("remove an unfinished one")(error)),
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(fail("write"))?;
    fs::rename(&draft, path).map_err(fail("put in place"))
}

/// The file's content; `None` when there is no such file.
///
/// # Errors
///
/// [`StateFileError`] when it exists but cannot be read, or is larger than any
/// state can be.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, StateFileError> {
    let fail = |source| StateFileError { path: path.to_owned(), action: "read", source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    let mut bytes = Vec::new();
    let length = file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
    if u64::try_from(length).is_ok_and(|length| length <= MAX_BYTES) {
        Ok(Some(bytes))
    } else {
        Err(fail(io::ErrorKind::FileTooLarge.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::{read, write};

    #[test]
    fn replaces_the_content_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/state");
        assert_eq!(read(&path).unwrap(), None);
        for content in [b"first".as_slice(), b"second", b""] {
            write(&path, content).unwrap();
            assert_eq!(read(&path).unwrap().unwrap(), content);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn an_unfinished_draft_or_a_link_in_its_place_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "mine").unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder.path().join("state.new")).unwrap();
        write(&path, b"state").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"state");
        assert_eq!(fs::read(&elsewhere).unwrap(), b"mine");
    }

    #[test]
    fn errors_name_the_file_and_the_step() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        fs::write(&blocked, "").unwrap();
        let path = blocked.join("state");
        let message = write(&path, b"").unwrap_err().to_string();
        assert!(message.contains("file/state: make its folder: "), "{message}");
        let message = read(folder.path()).unwrap_err().to_string();
        assert!(message.contains(": read: "), "{message}");
    }
}
