//! `/proc/PID/status`.

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) tgid: u32,
    /// Effective.
    pub(super) uid: u32,
    /// Effective.
    pub(super) gid: u32,
    pub(super) file_uid: u32,
    pub(super) file_gid: u32,
    pub(super) groups: Vec<u32>,
    pub(super) cap_effective: u64,
    /// Ids in its own pid namespace.
    pub(super) vpid: u32,
    pub(super) vpgid: u32,
    pub(super) vsid: u32,
}

/// Kernels without pid namespaces tell no ids of them; then they are those of the host.
pub(super) fn parse(text: &[u8], pid: u32) -> Option<Status> {
    let text = String::from_utf8_lossy(text);
    let mut status = Status { vpid: pid, ..Status::default() };
    let (mut has_uid, mut has_gid) = (false, false);
    for line in text.lines() {
        let Some((name, values)) = line.split_once(':') else { continue };
        let mut numbers = values.split_ascii_whitespace().map(str::parse::<u32>);
        match name {
            "Tgid" => status.tgid = numbers.next()?.ok()?,
            // Real, effective, saved, of the file system.
            "Uid" => {
                status.uid = numbers.nth(1)?.ok()?;
                status.file_uid = numbers.nth(1)?.ok()?;
                has_uid = true;
            }
            "Gid" => {
                status.gid = numbers.nth(1)?.ok()?;
                status.file_gid = numbers.nth(1)?.ok()?;
                has_gid = true;
            }
            "Groups" => status.groups = numbers.flatten().collect(),
            // From the namespace of this file system down to its own.
            "NStgid" => status.vpid = numbers.next_back()?.ok()?,
            "NSpgid" => status.vpgid = numbers.next_back()?.ok()?,
            "NSsid" => status.vsid = numbers.next_back()?.ok()?,
            "CapEff" => status.cap_effective = u64::from_str_radix(values.trim_ascii(), 16).ok()?,
            _ => {}
        }
    }
    (has_uid && has_gid && status.tgid != 0).then_some(status)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, proptest};

    use super::{Status, parse};

    #[test]
    fn ids_are_the_effective_ones_and_those_of_its_own_namespace() {
        let text = "Name:\ta: b\nTgid:\t70\nPid:\t70\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n\
                    Groups:\t10 20 \nNStgid:\t70\t7\t1\nNSpid:\t70\t7\t1\nNSpgid:\t69\t6\t0\n\
                    NSsid:\t60\t5\t0\nCapEff:\t000001ffffffffff\nodd line\n";
        let expected = Status {
            tgid: 70,
            uid: 2,
            gid: 6,
            file_uid: 4,
            file_gid: 8,
            groups: vec![10, 20],
            cap_effective: 0x1ff_ffff_ffff,
            vpid: 1,
            vpgid: 0,
            vsid: 0,
        };
        assert_eq!(parse(text.as_bytes(), 70), Some(expected));
    }

    #[test]
    fn what_is_no_status_is_refused() {
        #[track_caller]
        fn check(text: &str, is_good: bool) {
            assert_eq!(parse(text.as_bytes(), 70).is_some(), is_good);
        }
        check("", false);
        check("Tgid:\t70\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n", true);
        check("Tgid:\t70\nUid:\t1\t2\t3\t4\n", false);
        check("Tgid:\t70\nUid:\t1\nGid:\t5\t6\t7\t8\n", false);
        check("Tgid:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n", false);
        check("Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n", false);
        check("Tgid:\t70\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nCapEff:\tzz\n", false);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read(bytes in "[0-9a-z):\\t\\n -]{0,200}") {
            let bytes = format!("7 (x) S Tgid:{bytes}").into_bytes();
            assert!(parse(&bytes, 7).is_none_or(|status| status.tgid != 0));
        }
    }
}
