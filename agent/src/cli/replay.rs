//! `landlord replay`: a recording through rules.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use jiff::tz::TimeZone;

use super::alert_form::{AlertForm, Matches};
use super::duration;
use crate::detection::RuleSet;
use crate::pipeline::replay::{ReplayOptions, replay};
use crate::rules::load::Options;
use crate::rules::rule::Priority;

/// Hold rules against a recording
///
/// Prints the alerts that the rules raise for what `landlord record` has written:
/// with the same rules the same as when it was recorded, as often as it is read. Of a
/// recording that was cut short, the alerts of what is there are printed, then an
/// error.
#[derive(Args, Debug)]
pub(super) struct Replay {
    /// The recording
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Rule files, or folders of them [default: the rules that come with Landlord]
    #[arg(long, value_name = "PATH", num_args = 1..)]
    rules: Vec<PathBuf>,

    /// Which of the rules that match an event raise an alert
    #[arg(long = "match", value_name = "RULES", default_value = "first")]
    matching: Matches,

    /// How long the same alert is counted instead of written
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse)]
    repeats: Duration,

    /// Form of the alerts
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: AlertForm,
}

pub(super) fn run(flags: &Replay, out: &mut impl Write) -> Result<()> {
    let options = Options { minimum_priority: Priority::Debug, matching: flags.matching.into() };
    let (rules, _) = RuleSet::load(&flags.rules, &options)?;
    let replaying = ReplayOptions {
        zone: TimeZone::system(),
        repeats_ns: u64::try_from(flags.repeats.as_nanos()).unwrap_or(u64::MAX),
        memory_bytes: 256 << 20,
    };
    let mut written = Ok(());
    let ended = replay(&flags.file, rules, &replaying, |alert| {
        let mut line = match flags.output {
            AlertForm::Text => alert.text,
            AlertForm::Json => alert.json,
        };
        line.push(b'\n');
        if written.is_ok() {
            written = out.write_all(&line);
        }
    });
    written?;
    ended?;
    Ok(())
}
