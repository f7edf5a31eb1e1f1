//! The log of a process: what goes to standard error, and in which form.

use std::io;

use anyhow::{Result, anyhow};
use clap::Args;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

use super::style::ColorChoice;
use crate::config::{LogFormat, LogLevel, LogSettings};
use crate::sinks::otlp::own::{self, Work};
use crate::telemetry::WORK;

/// Flags about the log. `landlord run` takes them for its configuration, under
/// the same names.
#[derive(Args, Clone, Debug)]
pub(super) struct Logging {
    /// Least severe messages that are logged: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL", value_parser = LEVELS)]
    #[arg(hide_possible_values = true, help_heading = super::GLOBAL)]
    log_level: Option<String>,

    /// Form of the log on standard error: text or json
    #[arg(long, global = true, value_name = "FORMAT", value_parser = FORMATS)]
    #[arg(hide_possible_values = true, help_heading = super::GLOBAL)]
    log_format: Option<String>,
}

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
const FORMATS: [&str; 2] = ["text", "json"];

impl Logging {
    /// The log of a command that answers a question: warnings only, unless the
    /// flags ask for more.
    pub(super) fn quiet(&self) -> LogSettings {
        LogSettings {
            level: match self.log_level.as_deref() {
                Some("error") => LogLevel::Error,
                Some("info") => LogLevel::Info,
                Some("debug") => LogLevel::Debug,
                Some("trace") => LogLevel::Trace,
                _ => LogLevel::Warn,
            },
            format: match self.log_format.as_deref() {
                Some("json") => LogFormat::Json,
                _ => LogFormat::Text,
            },
        }
    }
}

/// Starts the log of this process, on standard error. `may_tell_work`: whether the spans of
/// the agent's work may come to be wanted, too.
pub(super) fn start(
    settings: LogSettings,
    color: ColorChoice,
    may_tell_work: bool,
) -> Result<Option<Work>> {
    let level = match settings.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let log = fmt::layer().with_writer(io::stderr).with_ansi(color.applies_to(&io::stderr()));
    let log = match settings.format {
        LogFormat::Text => log.with_target(false).boxed(),
        LogFormat::Json => log.json().flatten_event(true).boxed(),
    };
    // What the agent does is for traces; in the log it would stand before every message.
    let told = Targets::new().with_default(level).with_target(WORK, LevelFilter::OFF);
    let (spans, work) = may_tell_work.then(own::layer::<Registry>).unzip();
    tracing_subscriber::registry()
        .with(spans)
        .with(log.with_filter(told))
        .try_init()
        .map_err(|error| anyhow!("cannot start the log: {error}"))?;
    Ok(work)
}
