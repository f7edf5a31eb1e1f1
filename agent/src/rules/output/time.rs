//! Times as alerts write them.

use std::io::Write as _;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use crate::rules::field::FieldId;

/// A form of the event's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `HH:MM:SS.nnnnnnnnn`, local.
    Time,
    /// `HH:MM:SS`, local.
    TimeSeconds,
    /// `YYYY-MM-DDTHH:MM:SS.nnnnnnnnn+0000`.
    Iso8601,
    /// `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ`.
    Zulu,
    /// `YYYY-MM-DD HH:MM:SS.nnnnnnnnn`, local.
    DateTime,
    /// `YYYY-MM-DD HH:MM:SS`, local.
    DateTimeSeconds,
}

impl Form {
    /// The form that a field stands for.
    pub(crate) const fn of(field: FieldId) -> Option<Self> {
        match field {
            FieldId::EvtTime | FieldId::EvtOutputtime => Some(Self::Time),
            FieldId::EvtTimeS => Some(Self::TimeSeconds),
            FieldId::EvtTimeIso8601 => Some(Self::Iso8601),
            FieldId::EvtDatetime => Some(Self::DateTime),
            FieldId::EvtDatetimeS => Some(Self::DateTimeSeconds),
            _ => None,
        }
    }

    /// Appends a time given in nanoseconds since 1970; local forms in that zone.
    pub(crate) fn write(self, unix_ns: u64, zone: &TimeZone, out: &mut Vec<u8>) {
        let utc = Timestamp::from_nanosecond(i128::from(unix_ns)).unwrap_or(Timestamp::MAX);
        let offset = match self {
            Self::Iso8601 | Self::Zulu => Offset::UTC,
            Self::Time | Self::TimeSeconds | Self::DateTime | Self::DateTimeSeconds => {
                zone.to_offset(utc)
            }
        };
        let at = offset.to_datetime(utc);
        match self {
            Self::Time => clock(at, true, out),
            Self::TimeSeconds => clock(at, false, out),
            Self::DateTime | Self::DateTimeSeconds => {
                date(at, b' ', out);
                clock(at, self == Self::DateTime, out);
            }
            Self::Iso8601 | Self::Zulu => {
                date(at, b'T', out);
                clock(at, true, out);
                out.extend_from_slice(if self == Self::Zulu { b"Z" } else { b"+0000" });
            }
        }
    }
}

fn date(at: DateTime, separator: u8, out: &mut Vec<u8>) {
    written(&write!(out, "{:04}-{:02}-{:02}", at.year(), at.month(), at.day()));
    out.push(separator);
}

fn clock(at: DateTime, nanoseconds: bool, out: &mut Vec<u8>) {
    written(&write!(out, "{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()));
    if nanoseconds {
        written(&write!(out, ".{:09}", at.subsec_nanosecond()));
    }
}

/// Writing to memory does not fail.
pub(super) fn written(result: &std::io::Result<()>) {
    debug_assert!(result.is_ok());
}

#[cfg(test)]
mod tests {
    use jiff::tz::{Offset, TimeZone};

    use super::Form;

    #[test]
    fn forms() {
        let check = |form: Form, hours: i8, expected: &str| {
            let mut out = Vec::new();
            let zone = TimeZone::fixed(Offset::constant(hours));
            form.write(1_470_327_477_081_781_397, &zone, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        };
        check(Form::Time, 0, "16:17:57.081781397");
        check(Form::Time, 2, "18:17:57.081781397");
        check(Form::TimeSeconds, 8, "00:17:57");
        check(Form::Iso8601, 8, "2016-08-04T16:17:57.081781397+0000");
        check(Form::Zulu, 8, "2016-08-04T16:17:57.081781397Z");
        check(Form::DateTime, 8, "2016-08-05 00:17:57.081781397");
        check(Form::DateTimeSeconds, 0, "2016-08-04 16:17:57");
    }

    #[test]
    fn no_time_is_too_large() {
        let mut out = Vec::new();
        Form::Zulu.write(u64::MAX, &TimeZone::UTC, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "2554-07-21T23:34:33.709551615Z");
    }
}
