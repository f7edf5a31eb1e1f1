//! Versions that rule files ask for.

use std::fmt;
use std::str::FromStr;

/// The version of the rule language that is understood here, as Falco counts its
/// engine's versions.
pub const ENGINE_VERSION: Version = Version { major: 0, minor: 63, patch: 0 };

/// Plugins of Falco whose fields Landlord has itself, with the version that has the
/// same fields.
pub const PLUGINS: &[(&str, Version)] = &[
    ("container", Version { major: 0, minor: 7, patch: 0 }),
    ("k8smeta", Version { major: 0, minor: 4, patch: 0 }),
];

/// A version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// It changes when something no longer works.
    pub major: u64,
    /// It changes when there is more.
    pub minor: u64,
    /// It changes otherwise.
    pub patch: u64,
}

impl Version {
    /// True if what was written for `asked` works with this.
    #[must_use]
    pub fn serves(self, asked: Self) -> bool {
        self.major == asked.major && self >= asked
    }

    /// The version that an engine's single number means.
    #[must_use]
    pub const fn of_engine(number: u32) -> Self {
        Self { major: 0, minor: number as u64, patch: 0 }
    }
}

/// Not a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version has the form 1.2.3")]
pub struct NotAVersion;

impl FromStr for Version {
    type Err = NotAVersion;

    /// Reads `1.2.3`. What follows after `-` or `+` does not count.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let end = text.find(['-', '+']).unwrap_or(text.len());
        let mut numbers = text[..end].split('.').map(|number| {
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            number.parse().ok().filter(|_| digits).ok_or(NotAVersion)
        });
        let mut next = || numbers.next().unwrap_or(Err(NotAVersion));
        let version = Self { major: next()?, minor: next()?, patch: next()? };
        if numbers.next().is_some() { Err(NotAVersion) } else { Ok(version) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions() {
        let check = |text: &str, expected: Option<&str>| {
            let version = text.parse::<Version>().ok();
            assert_eq!(version.map(|it| it.to_string()).as_deref(), expected, "{text}");
        };
        check("0.57.0", Some("0.57.0"));
        check("1.2.3-rc1", Some("1.2.3"));
        check("1.2.3+4.5", Some("1.2.3"));
        check("1.2", None);
        check("1.2.3.4", None);
        check("1.+2.3", None);
        check("a.b.c", None);
        check("", None);
        check("1.2.99999999999999999999", None);
    }

    #[test]
    fn who_serves_whom() {
        let check = |ours: &str, asked: &str, expected: bool| {
            let parse = |text: &str| text.parse::<Version>().unwrap();
            assert_eq!(parse(ours).serves(parse(asked)), expected, "{ours} {asked}");
        };
        check("0.63.0", "0.63.0", true);
        check("0.63.0", "0.2.0", true);
        check("0.63.0", "0.64.0", false);
        check("1.0.0", "0.63.0", false);
    }
}
