//! Flags of the commands that hold rules against a file: which alerts, in which form.

use clap::ValueEnum;

use crate::rules::rule::Matching;

/// [`Matching`] as a flag names it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Matches {
    /// The first, in the order of the files
    First,
    /// All of them
    All,
}

impl From<Matches> for Matching {
    fn from(matches: Matches) -> Self {
        match matches {
            Matches::First => Self::First,
            Matches::All => Self::All,
        }
    }
}

/// Form of the alerts.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum AlertForm {
    /// A line of text for each alert
    Text,
    /// An object for each alert, one a line
    Json,
}
