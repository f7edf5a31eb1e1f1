//! Numbers for people: at most three digits that matter, a bounded width, and a
//! dash for what is not known. Scripts read JSON instead.

/// What stands for a figure that is not known.
pub(crate) const UNKNOWN: &str = "-";

const BYTE_UNITS: [&str; 7] = [" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"];
const COUNT_UNITS: [&str; 5] = ["", "k", "M", "G", "T"];

/// Bytes in binary units (1 KiB is 1024 B), at most 8 characters: `1.2 MiB`.
pub(crate) fn bytes(value: f64) -> String {
    scaled(value, 1024.0, &BYTE_UNITS)
}

/// A count or a rate of countable things, at most 5 characters: `12.3k`.
pub(crate) fn count(value: f64) -> String {
    scaled(value, 1000.0, &COUNT_UNITS)
}

/// CPU cores, and seconds per second: `0.31`, `12.40`, `128.0`.
pub(crate) fn cores(value: f64) -> String {
    // Decided on the rounded value, so that 99.999 is not written 100.00.
    if value < 99.995 { format!("{value:.2}") } else { format!("{value:.1}") }
}

/// A share of one, at most 4 characters below a thousand percent: `83%`.
pub(crate) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.005 {
        return "<1%".to_owned();
    }
    format!("{:.0}%", share * 100.0)
}

/// A time span in seconds, coarser the longer it is: `0.4s`, `12s`, `3m20s`.
pub(crate) fn span(seconds: f64) -> String {
    let minutes = (seconds / 60.0).floor();
    if seconds < 9.95 {
        format!("{seconds:.1}s")
    } else if seconds < 59.5 {
        format!("{seconds:.0}s")
    } else if minutes < 60.0 {
        format!("{minutes:.0}m{:.0}s", (seconds - minutes * 60.0).floor())
    } else {
        format!("{:.0}h{:.0}m", (minutes / 60.0).floor(), minutes % 60.0)
    }
}

/// A figure that may be unknown.
pub(crate) fn or_dash<T>(value: Option<T>, format: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), format)
}

/// A name from outside, safe to print: control characters, which could drive the
/// terminal, are replaced.
pub(crate) fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Scales until fewer than 1000 are left before the unit, whatever the base, so
/// that 1023 KiB does not need a fourth digit.
fn scaled(value: f64, base: f64, units: &[&str]) -> String {
    let (mut value, mut unit) = (value.max(0.0), 0);
    while value >= 999.5 && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    let whole = unit == 0 && (value.fract() == 0.0 || value >= 9.95);
    let decimals = usize::from(!whole && value < 99.95);
    format!("{value:.decimals$}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{bytes, cores, count, percent, printable, span};

    #[test]
    fn sizes() {
        let check = |value: f64, expected: &str| assert_eq!(bytes(value), expected, "{value}");
        check(0.0, "0 B");
        check(0.4, "0.4 B");
        check(12.3, "12 B");
        check(999.0, "999 B");
        check(999.6, "1.0 KiB");
        check(1023.0, "1.0 KiB");
        check(1024.0 * 1.25, "1.2 KiB");
        check(1024.0 * 12.34, "12.3 KiB");
        check(1024.0 * 123.4, "123 KiB");
        check(1024.0 * 1000.0, "1.0 MiB");
        check(1024.0 * 1024.0 * 1.2, "1.2 MiB");
        check(18_446_744_073_709_551_615.0, "16.0 EiB");
    }

    #[test]
    fn counts() {
        let check = |value: f64, expected: &str| assert_eq!(count(value), expected, "{value}");
        check(0.0, "0");
        check(0.25, "0.2");
        check(7.0, "7");
        check(42.4, "42");
        check(1234.0, "1.2k");
        check(999_499.0, "999k");
        check(999_500.0, "1.0M");
        check(-0.1, "0");
    }

    #[test]
    fn core_counts() {
        let check = |value: f64, expected: &str| assert_eq!(cores(value), expected, "{value}");
        check(0.0, "0.00");
        check(0.314, "0.31");
        check(12.4, "12.40");
        check(99.999, "100.0");
        check(128.0, "128.0");
    }

    #[test]
    fn shares() {
        let check = |share: f64, expected: &str| assert_eq!(percent(share), expected, "{share}");
        check(0.0, "0%");
        check(0.004, "<1%");
        check(0.834, "83%");
        check(1.0, "100%");
    }

    #[test]
    fn spans() {
        let check = |seconds: f64, expected: &str| assert_eq!(span(seconds), expected, "{seconds}");
        check(0.04, "0.0s");
        check(9.96, "10s");
        check(59.4, "59s");
        check(59.9, "0m59s");
        check(200.0, "3m20s");
        check(7_260.0, "2h1m");
    }

    #[test]
    fn names_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\u{fffd}[31mb\u{fffd}");
    }

    proptest! {
        /// Columns have fixed widths; no figure may break them.
        #[test]
        fn widths_are_bounded(value in 0.0..1e18_f64) {
            prop_assert!(bytes(value).len() <= 8, "{}", bytes(value));
            let value = value / 1e4;
            prop_assert!(count(value).len() <= 5, "{}", count(value));
        }
    }
}
