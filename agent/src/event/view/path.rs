//! Paths put together and made plain, by their text alone.

/// True for a path that starts at the root and has no part that could be left out.
pub(super) fn is_plain(path: &[u8]) -> bool {
    path == b"/"
        || path.strip_prefix(b"/").is_some_and(|rest| {
            rest.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b".."))
        })
}

/// Appends a path, from the root on, that starts at a directory unless it starts at
/// the root itself: without `.`, `..` and slashes that change nothing. Links are not
/// followed.
pub(super) fn join(directory: &[u8], path: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let directory = if path.starts_with(b"/") { b"".as_slice() } else { directory };
    for part in [directory, path].into_iter().flat_map(|half| half.split(|byte| *byte == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => {
                let slash = out[start..].iter().rposition(|byte| *byte == b'/');
                out.truncate(start + slash.unwrap_or_default());
            }
            part => {
                out.push(b'/');
                out.extend_from_slice(part);
            }
        }
    }
    if out.len() == start {
        out.push(b'/');
    }
}

/// Directory and name in it.
pub(super) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().rposition(|byte| *byte == b'/')?;
    let directory = if slash == 0 { &path[..1] } else { &path[..slash] };
    Some((directory, &path[slash + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_plain, join, split};

    fn joined(directory: &[u8], path: &[u8]) -> Vec<u8> {
        let mut out = b"before".to_vec();
        join(directory, path, &mut out);
        out.split_off(b"before".len())
    }

    #[test]
    fn joins() {
        let check = |directory: &str, path: &str, expected: &str| {
            let got = joined(directory.as_bytes(), path.as_bytes());
            assert_eq!(String::from_utf8_lossy(&got), expected, "{directory} {path}");
        };
        check("/etc", "shadow", "/etc/shadow");
        check("/etc", "/shadow", "/shadow");
        check("/etc/", "./a//b/", "/etc/a/b");
        check("/etc/ssh", "../shadow", "/etc/shadow");
        check("/etc", "../../../..", "/");
        check("/", "a", "/a");
        check("/a/b", "", "/a/b");
        check("", "", "/");
        check("/tmp", "..a/.b", "/tmp/..a/.b");
    }

    #[test]
    fn splits() {
        assert_eq!(split(b"/etc/shadow"), Some((b"/etc".as_slice(), b"shadow".as_slice())));
        assert_eq!(split(b"/vmlinuz"), Some((b"/".as_slice(), b"vmlinuz".as_slice())));
        assert_eq!(split(b"memfd:a"), None);
    }

    proptest! {
        #[test]
        fn what_is_joined_is_plain_and_stays(a in "[a./]{0,12}", b in "[a./]{0,12}") {
            let once = joined(a.as_bytes(), b.as_bytes());
            prop_assert!(is_plain(&once));
            prop_assert_eq!(joined(b"/x", &once), once);
        }

        #[test]
        fn what_is_plain_stays(path in "/[a./]{0,12}") {
            prop_assert_eq!(is_plain(path.as_bytes()), joined(b"", path.as_bytes()) == path.as_bytes());
        }
    }
}
