//! Times with their unit: `5s`, `1500ms`.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// Units, largest first, in milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads a whole number with one of the units `h`, `m`, `s`, `ms`.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor).map(Duration::from_millis)
}

/// Writes a time in seconds, or in milliseconds where it is not whole seconds.
pub(crate) fn text(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{}s", time.as_secs()),
        _ => format!("{}ms", time.as_millis()),
    }
}

/// A time in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time(pub(super) Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimeVisitor;

        impl Visitor<'_> for TimeVisitor {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time with its unit, such as 5s")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
                parse(text).map(Time).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(TimeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, text};

    #[track_caller]
    fn check(written: &str, expected: Option<&str>) {
        assert_eq!(parse(written).map(text).as_deref(), expected, "{written:?}");
    }

    #[test]
    fn times_have_units() {
        check("5s", Some("5s"));
        check("1500ms", Some("1500ms"));
        check("2000ms", Some("2s"));
        check("1m", Some("60s"));
        check("1h", Some("3600s"));
        check("5 s", Some("5s"));
        check("0s", Some("0s"));
        for wrong in
            ["", "5", "s", "-5s", "1.5s", "5 seconds", "5S", "1m30s", "99999999999999999999s"]
        {
            check(wrong, None);
        }
        check("18446744073709551615h", None);
    }
}
