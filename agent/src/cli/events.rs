//! `landlord events`: the alerts of the running agent.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::connect;
use super::figures::printable;

/// Show what the rules find
///
/// Prints the last alerts of the running agent, and with -f those to come. Filters are
/// joined: an alert is shown if it passes all of them.
#[derive(Args, Debug)]
pub(super) struct Events {
    /// Go on with alerts as they come, until interrupted
    #[arg(short, long)]
    follow: bool,

    /// Only of this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,

    /// Only of processes of this name
    #[arg(long, value_name = "NAME")]
    process: Option<String>,

    /// Only of this system call or other event, such as openat
    #[arg(long, visible_alias = "event", value_name = "NAME")]
    syscall: Option<String>,

    /// Only of rules with this in their name, in any case
    #[arg(long, value_name = "TEXT")]
    rule: Option<String>,

    /// Form of the output
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,

    /// Agent to ask [default: where the configuration says]
    #[arg(long, value_name = "ADDRESS:PORT")]
    server: Option<String>,

    /// Configuration file [default: /etc/landlord/landlord.yaml if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each alert, in columns
    Table,
    /// An object for each alert, one a line
    Json,
}

pub(super) fn run(flags: &Events, out: &mut impl Write) -> Result<()> {
    let agent = connect::agent(flags.server.as_deref(), flags.config.as_deref())?;
    if flags.output == Format::Table {
        writeln!(
            out,
            "{:<15} {:<9} {:<20} {:<16} {:<12} RULE: WHAT HAPPENED",
            "TIME", "PRIORITY", "TENANT", "PROCESS", "EVENT"
        )?;
    }
    let zone = TimeZone::system();
    let mut from = None;
    loop {
        let page = agent.alerts(from)?;
        if page.missed > 0 {
            writeln!(
                io::stderr(),
                "warning: {} alerts came too fast and are not shown",
                page.missed
            )?;
        }
        for alert in page.alerts.iter().filter(|alert| flags.shows(alert)) {
            match flags.output {
                Format::Table => writeln!(out, "{}", line(alert, &zone))?,
                Format::Json => writeln!(out, "{alert}")?,
            }
        }
        out.flush()?;
        if !flags.follow {
            return Ok(());
        }
        from = Some(page.next);
    }
}

impl Events {
    fn shows(&self, alert: &Value) -> bool {
        let is = |key: &str, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| alert[key].as_str() == Some(wanted))
        };
        let rule = alert["rule"].as_str().unwrap_or_default().to_lowercase();
        is("tenant", &self.tenant)
            && is("process", &self.process)
            && is("event", &self.syscall)
            && self.rule.as_ref().is_none_or(|part| rule.contains(&part.to_lowercase()))
    }
}

/// An alert in columns.
fn line(alert: &Value, zone: &TimeZone) -> String {
    let text = |key: &str| printable(alert[key].as_str().unwrap_or("-"));
    let time = alert["time_unix_ns"]
        .as_u64()
        .and_then(|ns| Timestamp::from_nanosecond(ns.into()).ok())
        .map_or_else(
            || "-".to_owned(),
            |time| time.to_zoned(zone.clone()).strftime("%H:%M:%S%.6f").to_string(),
        );
    format!(
        "{time:<15} {:<9} {:<20} {:<16} {:<12} {}: {}",
        short(text("priority")),
        text("tenant"),
        text("process"),
        text("event"),
        text("rule"),
        text("message")
    )
}

/// `Informational` is too wide for its column.
fn short(priority: String) -> String {
    if priority == "Informational" { "Info".to_owned() } else { priority }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use serde_json::{Value, json};

    use super::{Events, Format, line};

    fn alert() -> Value {
        json!({
            "time_unix_ns": 3_661_000_000_005_u64, "rule": "Read secrets", "priority": "Informational",
            "tenant": "acme", "event": "openat", "process": "cat", "pid": 7,
            "message": "cat read /etc/shadow\u{1b}[2J", "repeats": 0,
        })
    }

    #[test]
    fn columns() {
        insta::assert_snapshot!(
            line(&alert(), &TimeZone::UTC),
            @r#"01:01:01.000000 Info      acme                 cat              openat       Read secrets: cat read /etc/shadow�[2J"#
        );
    }

    #[test]
    fn filters_are_joined() {
        let check = |tenant: Option<&str>, rule: Option<&str>, expected: bool| {
            let flags = Events {
                follow: false,
                tenant: tenant.map(str::to_owned),
                process: None,
                syscall: Some("openat".to_owned()),
                rule: rule.map(str::to_owned),
                output: Format::Table,
                server: None,
                config: None,
            };
            assert_eq!(flags.shows(&alert()), expected, "{tenant:?} {rule:?}");
        };
        check(None, None, true);
        check(Some("acme"), Some("SECRETS"), true);
        check(Some("other"), Some("secrets"), false);
        check(Some("acme"), Some("shell"), false);
    }
}
