//! Paths → texts, in the order in which they take effect.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{MAX_FILE, SourceFile};

/// Reads files, and of folders the files `*.yaml` and `*.yml` in them in the order
/// of their names. What cannot be read is there, too, with the reason.
#[must_use]
pub fn read(paths: &[PathBuf]) -> Vec<SourceFile> {
    let mut files = Vec::new();
    for path in paths {
        match listed(path) {
            Ok(listed) => files.extend(listed.iter().map(|file| file_at(file))),
            Err(error) => files.push(unreadable(path, &error)),
        }
    }
    files
}

fn listed(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        let extension = file.extension().and_then(OsStr::to_str);
        // A broken link is a file that cannot be read, and has to be told.
        if matches!(extension, Some("yaml" | "yml")) && !file.is_dir() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn file_at(path: &Path) -> SourceFile {
    match content(path) {
        Ok(text) => SourceFile { name: path.to_string_lossy().into(), text },
        Err(error) => unreadable(path, &error),
    }
}

fn content(path: &Path) -> io::Result<Result<String, String>> {
    let mut bytes = Vec::new();
    // One byte more shows that it is too large, however large it is.
    let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count();
        format!("the file is not UTF-8 from byte {at} on, in line {line}")
    }))
}

fn unreadable(path: &Path, error: &io::Error) -> SourceFile {
    SourceFile {
        name: path.to_string_lossy().into(),
        text: Err(format!("the file cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::read;

    #[test]
    fn files_and_folders_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a.yml", "c.txt", "bad.yaml"] {
            let bytes: &[u8] = if name == "bad.yaml" { b"- a\n\xff" } else { b"[]" };
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        fs::create_dir(folder.path().join("d.yaml")).unwrap();
        let paths = [folder.path().join("c.txt"), folder.path().into(), folder.path().join("none")];
        let found: Vec<(String, Result<String, String>)> = read(&paths)
            .into_iter()
            .map(|file| {
                let name = file.name.rsplit('/').next().unwrap_or_default().to_owned();
                (name, file.text)
            })
            .collect();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["c.txt", "a.yml", "b.yaml", "bad.yaml", "none"]);
        assert_eq!(found[1].1.as_deref(), Ok("[]"));
        assert!(found[3].1.as_ref().unwrap_err().contains("byte 4 on, in line 2"));
        assert!(found[4].1.as_ref().unwrap_err().contains("cannot be read"));
    }
}
