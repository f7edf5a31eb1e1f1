//! The program of a process: its path, and its file as the inode tells it.

use std::sync::Arc;

use landlord_ebpf::abi::exec_flag;
use rustix::fs::{AtFlags, Statx, StatxFlags, StatxTimestamp, statx};

use super::status::Status;
use super::{DELETED, Directory, Failure};
use crate::event::FileFacts;

/// How `/proc` calls a file that is in memory only.
const MEMFD: &[u8] = b"/memfd:";
/// `CAP_DAC_OVERRIDE` and `CAP_FOWNER`: may write any file, or let itself do so.
const ANY_FILE: u64 = 1 << 1 | 1 << 3;
const GROUP_WRITE: u16 = 0o020;
const OTHERS_WRITE: u16 = 0o002;

#[derive(Debug, Default)]
pub(super) struct Image {
    pub(super) path: Arc<[u8]>,
    pub(super) is_deleted: bool,
    pub(super) file: Option<FileFacts>,
    pub(super) exec_flags: u32,
}

pub(super) fn read(directory: &Directory, root: &[u8], status: &Status) -> Result<Image, Failure> {
    let Some(link) = directory.link("exe")? else { return Ok(Image::default()) };
    let path = link.strip_suffix(DELETED);
    let (path, is_deleted) = (path.unwrap_or(&link), path.is_some());
    let is_memfd = is_deleted && path.starts_with(MEMFD);
    // It lies in no directory, so below no root either.
    let path = if is_memfd { path } else { below(path, root) };
    let mut image = Image { path: path.into(), is_deleted, ..Image::default() };
    if is_memfd {
        image.exec_flags |= exec_flag::MEMFD;
    }
    // The link leads to the file itself, whatever has its path by now. What the kernel
    // has of it is enough: a tenant's own file system need not answer.
    let flags = AtFlags::STATX_DONT_SYNC;
    let Ok(facts) = statx(&directory.0, "exe", flags, StatxFlags::BASIC_STATS) else {
        return Ok(image);
    };
    if may_write(status, &facts) {
        image.exec_flags |= exec_flag::WRITABLE;
    }
    image.file = Some(file(&facts));
    Ok(image)
}

/// The kind of file system, and on an overlay the layer, are not known.
fn file(facts: &Statx) -> FileFacts {
    let time = |time: StatxTimestamp| {
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        seconds.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec.into())
    };
    FileFacts {
        ino: facts.stx_ino,
        ctime_ns: time(facts.stx_ctime),
        mtime_ns: time(facts.stx_mtime),
        dev: facts.stx_dev_major << 20 | facts.stx_dev_minor & 0xf_ffff,
        mode: facts.stx_mode.into(),
        nlink: facts.stx_nlink,
        uid: facts.stx_uid,
        ..FileFacts::default()
    }
}

/// Whether the process may write a file by its mode, or may allow itself to; access
/// control lists are not looked at.
fn may_write(status: &Status, facts: &Statx) -> bool {
    let in_group = || status.file_gid == facts.stx_gid || status.groups.contains(&facts.stx_gid);
    status.file_uid == facts.stx_uid
        || status.cap_effective & ANY_FILE != 0
        || facts.stx_mode & OTHERS_WRITE != 0
        || (facts.stx_mode & GROUP_WRITE != 0 && in_group())
}

/// A path as a process sees it whose root directory is `root`. What is not known stays so.
pub(super) fn below<'a>(path: &'a [u8], root: &[u8]) -> &'a [u8] {
    if path.is_empty() {
        return path;
    }
    match path.strip_prefix(root.strip_suffix(b"/").unwrap_or(root)) {
        Some([]) => b"/",
        Some(below) if below.starts_with(b"/") => below,
        _ => path,
    }
}

/// A process that made itself a title left zeros where its arguments were. One empty last
/// argument may be meant.
pub(super) fn trim_title(texts: &mut Vec<u8>) {
    if texts.ends_with(&[0; 3]) {
        let end = texts.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 2);
        texts.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::{below, trim_title};

    #[test]
    fn paths_are_those_of_the_process() {
        #[track_caller]
        fn check(path: &str, root: &str, expected: &str) {
            assert_eq!(below(path.as_bytes(), root.as_bytes()), expected.as_bytes());
        }
        check("/bin/sh", "/", "/bin/sh");
        check("/bin/sh", "", "/bin/sh");
        check("/", "/", "/");
        check("", "", "");
        check("", "/jail", "");
        check("/jail/bin/sh", "/jail", "/bin/sh");
        check("/jail", "/jail", "/");
        check("/jailer/sh", "/jail", "/jailer/sh");
        check("/bin/sh", "/jail", "/bin/sh");
        check("(unreachable)/x", "/jail", "(unreachable)/x");
    }

    #[test]
    fn titles_end_where_their_text_does() {
        #[track_caller]
        fn check(texts: &str, expected: &str) {
            let mut bytes = texts.as_bytes().to_vec();
            trim_title(&mut bytes);
            assert_eq!(bytes, expected.as_bytes());
        }
        check("", "");
        check("sh\0-c\0", "sh\0-c\0");
        check("sh\0\0", "sh\0\0");
        check("nginx: worker\0\0\0\0", "nginx: worker\0");
        check("\0\0\0\0", "");
        check("no end", "no end");
    }
}
