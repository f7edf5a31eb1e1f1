//! The log of a process: what goes to standard error, and in which form.

use std::io;

use anyhow::{Result, anyhow};
use clap::Args;
use tracing::level_filters::LevelFilter;

use super::style::ColorChoice;
use crate::config::{LogFormat, LogLevel, LogSettings};

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

/// Starts the log of this process, on standard error.
pub(super) fn start(settings: LogSettings, color: ColorChoice) -> Result<()> {
    let level = match settings.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_ansi(color.applies_to(&io::stderr()));
    match settings.format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow!("cannot start the log: {error}"))
}
