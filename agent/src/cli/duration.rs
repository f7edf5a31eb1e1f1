//! Times on the command line, written as in the configuration.

use std::time::Duration;

use crate::config::duration;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(60);

/// Parses any time: `0s`, `10s`, `5m`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    duration::parse(text)
        .ok_or_else(|| "expected a time with its unit, such as 10s or 5m".to_owned())
}

/// Parses the time between two samples, 100 ms to 60 s: `500ms`, `1s`, `1m`.
pub(super) fn sampling(text: &str) -> Result<Duration, String> {
    duration::parse(text)
        .filter(|time| (SHORTEST..=LONGEST).contains(time))
        .ok_or_else(|| "expected a time from 100ms to 60s with its unit, such as 500ms".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::sampling;

    #[test]
    fn times() {
        let check = |text: &str, millis: Option<u64>| {
            assert_eq!(sampling(text).ok(), millis.map(Duration::from_millis), "{text}");
        };
        check("100ms", Some(100));
        check("1s", Some(1000));
        check("1m", Some(60_000));
        check("99ms", None);
        check("61s", None);
        check("1", None);
    }
}
