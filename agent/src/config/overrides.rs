//! The flags that stand for configuration keys, made of the table of keys.
//!
//! They carry text as it was given; what it must be is declared once, in the table.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::config::keys::{KEYS, Key, Kind};

/// Heading of the flags in the help of a command.
const HEADING: &str = "Configuration (see docs/configuration.md)";

/// Flags of a command that takes a configuration; each wins over the environment
/// and the file. Flatten it into the command's arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides(Vec<(&'static str, String)>);

impl Overrides {
    /// The same with a key set. A name that is no key sets nothing.
    #[must_use]
    pub fn with(mut self, key: &'static str, text: impl Into<String>) -> Self {
        self.0.retain(|(known, _)| *known != key);
        self.0.push((key, text.into()));
        self
    }

    /// The flags that were given, with their keys.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static Key, &str)> {
        self.0.iter().filter_map(|(name, text)| {
            Some((KEYS.iter().find(|key| key.name == *name && key.is_scalar())?, text.as_str()))
        })
    }
}

fn scalars() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| key.is_scalar())
}

impl Args for Overrides {
    fn augment_args(command: Command) -> Command {
        command.next_help_heading(HEADING).args(scalars().map(|key| {
            Arg::new(id(key)).long(key.flag()).value_name(value_name(&key.kind)).help(help(key))
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Overrides {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut overrides = Self::default();
        overrides.update_from_arg_matches(matches)?;
        Ok(overrides)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for key in scalars() {
            if let Some(text) = matches.get_one::<String>(&id(key)) {
                *self = std::mem::take(self).with(key.name, text);
            }
        }
        Ok(())
    }
}

/// What other arguments call the flag. Flags of the whole program with the same id, such
/// as `log_format`, give way to it.
fn id(key: &Key) -> String {
    key.name.replace('.', "_")
}

/// The first sentence of what a key does.
fn help(key: &Key) -> String {
    let text = key.about.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = text.find(". ").unwrap_or(text.len());
    text[..end].trim_end_matches('.').to_owned()
}

fn value_name(kind: &Kind) -> String {
    let name = match kind {
        Kind::Address => "ADDRESS:PORT",
        Kind::OptionalHost => "IP[:PORT]",
        Kind::Duration(..) => "TIME",
        Kind::Count(..) | Kind::Ratio => "NUMBER",
        Kind::AbsolutePath | Kind::OptionalPath => "PATH",
        Kind::Flag | Kind::Choice(_) if kind.words().len() <= 3 => return kind.words().join("|"),
        Kind::Choice(_) => "WORD",
        _ => "TEXT",
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::{Overrides, help, scalars, value_name};

    #[test]
    fn every_flag_reaches_its_key() {
        let arguments = scalars().map(|key| format!("--{}={}", key.flag(), key.name));
        let command = Overrides::augment_args(clap::Command::new("landlord"));
        let matches =
            command.get_matches_from(["landlord".to_owned()].into_iter().chain(arguments));
        let overrides = Overrides::from_arg_matches(&matches).unwrap();
        let given: Vec<_> = overrides.given().map(|(key, text)| (key.name, text)).collect();
        assert_eq!(given, scalars().map(|key| (key.name, key.name)).collect::<Vec<_>>());
    }

    #[test]
    fn help_is_short() {
        for key in scalars() {
            let text = help(key);
            assert!((10..=200).contains(&text.len()), "{}: {text}", key.name);
            assert!(value_name(&key.kind).len() <= 20, "{}", key.name);
        }
    }

    #[test]
    fn the_last_one_counts() {
        let overrides = Overrides::default().with("interval", "1s").with("interval", "2s");
        let given: Vec<_> = overrides.given().map(|(key, text)| (key.name, text)).collect();
        assert_eq!(given, [("interval", "2s")]);
        assert_eq!(Overrides::default().with("nothing", "1").given().count(), 0);
    }
}
