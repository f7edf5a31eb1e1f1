//! `/proc/PID/stat`.

/// Ticks of a second: fixed by the kernel's interface, whatever its own clock does.
const TICKS_PER_SECOND: u64 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) parent: u32,
    pub(super) group: u32,
    pub(super) session: u32,
    pub(super) tty: u32,
    /// Begin of the tick of the start.
    pub(super) start_ns: u64,
    /// All threads ended; only its parent has not been told yet.
    pub(super) has_ended: bool,
}

/// The name in field 2 may hold blanks and brackets, so counting begins behind the last
/// one.
pub(super) fn parse(text: &[u8]) -> Option<Stat> {
    let behind = text.iter().rposition(|byte| *byte == b')')? + 1;
    let fields = std::str::from_utf8(text.get(behind..)?).ok()?;
    // Field 3 is the first.
    let fields: Vec<_> = fields.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<i64>().ok();
    // Ids of another pid namespace are 0; there may be a -1.
    let id = |field| number(field).map(|id| u32::try_from(id).unwrap_or(0));
    let threads = number(20)?;
    let ticks = u64::try_from(number(22)?).ok()?;
    Some(Stat {
        parent: id(4)?,
        group: id(5)?,
        session: id(6)?,
        tty: number(7)?.cast_unsigned().try_into().unwrap_or(0),
        start_ns: ticks.checked_mul(1_000_000_000 / TICKS_PER_SECOND)?,
        // A main thread that ended before the others looks the same but for their number.
        has_ended: matches!(*fields.first()?, "Z" | "X" | "x") && threads <= 1,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, proptest};

    use super::{Stat, parse};

    #[test]
    fn fields_are_found_behind_any_name() {
        #[track_caller]
        fn check(name: &str, state: &str, threads: u32, has_ended: bool) {
            let text = format!(
                "42 ({name}) {state} 1 41 40 34816 41 4194304 1 2 3 4 5 6 7 8 20 0 {threads} 0 777 9 9\n"
            );
            let (start_ns, tty) = (7_770_000_000, 34816);
            let expected = Stat { parent: 1, group: 41, session: 40, tty, start_ns, has_ended };
            assert_eq!(parse(text.as_bytes()), Some(expected));
        }
        check("landlord", "S", 1, false);
        check("a) R 5 5 (b", "R", 9, false);
        check(")))", "Z", 1, true);
        check("x", "Z", 0, true);
        check("x", "Z", 2, false);
        check("x\ny", "X", 0, true);
    }

    #[test]
    fn what_is_no_stat_is_refused() {
        #[track_caller]
        fn check(text: &str) {
            assert_eq!(parse(text.as_bytes()), None);
        }
        check("");
        check("42 (x");
        check("42 (x)");
        check("42 (x) S 1 2 3");
        check("42 (x) S 1 41 40 0 41 4194304 1 2 3 4 5 6 7 8 20 0 1 0 -5 9 9");
        check("42 (x) S 1 41 40 0 41 4194304 1 2 3 4 5 6 7 8 20 0 1 0 999999999999999999 9");
        check("42 (x) S a 41 40 0 41 4194304 1 2 3 4 5 6 7 8 20 0 1 0 5 9 9");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read(bytes in "[0-9a-z):\\t\\n -]{0,200}") {
            let bytes = format!("7 (x) S Tgid:{bytes}").into_bytes();
            assert!(parse(&bytes).is_none_or(|stat| stat.start_ns.is_multiple_of(10_000_000)));
        }
    }
}
