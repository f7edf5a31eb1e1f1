//! `landlord rules eval`: what rules say about events in a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use jiff::tz::TimeZone;

use super::{RuleFiles, load_or_tell};
use crate::cli::alert_form::{AlertForm, Matches};
use crate::cli::figures::printable;
use crate::rules::compile::Program;
use crate::rules::evaluate::{Scratch, evaluate};
use crate::rules::json_event::JsonEvent;
use crate::rules::output::{Alert, Buffers, Output, Settings};
use crate::rules::rule::{Matching, Rule};
use crate::rules::typed::Condition;

/// Try rules on events in a file
///
/// Reads one JSON object a line, with the names of fields as keys, and prints the
/// alerts as the agent would. Lines that are no events are told, and the exit code is
/// then 1; the others are evaluated all the same.
#[derive(Args, Debug)]
pub(super) struct Eval {
    /// File of events; `-` is standard input
    #[arg(long, value_name = "FILE")]
    events: PathBuf,

    /// Rule files, or folders of them [default: /etc/landlord/rules if it exists]
    #[arg(long, value_name = "PATH", num_args = 1..)]
    rules: Vec<PathBuf>,

    /// Which of the rules that match an event raise an alert
    #[arg(long = "match", value_name = "RULES", default_value = "first")]
    matching: Matches,

    /// Address of a host that rules name, such as example.org=192.0.2.1; none is
    /// looked up
    #[arg(long, value_name = "NAME=ADDRESS", value_parser = host)]
    host: Vec<(String, IpAddr)>,

    /// Form of the alerts
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: AlertForm,
}

fn host(text: &str) -> Result<(String, IpAddr), String> {
    let (name, address) = text.split_once('=').ok_or("a `=` is missing after the name")?;
    let address = address.parse().map_err(|_| format!("`{address}` is not an IP address"))?;
    Ok((name.to_owned(), address))
}

pub(super) fn run(flags: &Eval, out: &mut impl Write) -> Result<ExitCode> {
    let files = RuleFiles { files: flags.rules.clone() }.read()?;
    let Some(loaded) = load_or_tell(files)? else { return Ok(ExitCode::FAILURE) };
    let mut evaluation = Evaluation::new(&loaded.rules, flags.matching.into(), &flags.host);
    evaluation.json = matches!(flags.output, AlertForm::Json);
    evaluation.settings.zone = TimeZone::system();
    let bad = if flags.events == Path::new("-") {
        evaluation.run(io::stdin().lock(), out, &mut io::stderr())
    } else {
        let name = flags.events.display();
        let file = File::open(&flags.events).with_context(|| format!("cannot read {name}"))?;
        evaluation.run(BufReader::new(file), out, &mut io::stderr())
    }?;
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Rules ready to be held against events.
struct Evaluation<'a> {
    rules: &'a [Rule],
    outputs: Vec<Output>,
    program: Program,
    settings: Settings,
    json: bool,
}

impl<'a> Evaluation<'a> {
    fn new(rules: &'a [Rule], matching: Matching, hosts: &[(String, IpAddr)]) -> Self {
        let enabled = rules.iter().enumerate().filter(|(_, rule)| rule.enabled);
        let conditions: Vec<(usize, &Condition)> =
            enabled.map(|(at, rule)| (at, &rule.condition)).collect();
        let mut program = Program::new(&conditions, matching);
        for (name, _) in hosts {
            let of_name = hosts.iter().filter(|(other, _)| other == name);
            program.set_addresses(name, of_name.map(|&(_, address)| address));
        }
        let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let outputs = rules.iter().map(|rule| Output::new(rule, &[])).collect();
        let settings = Settings { hostname, ..Settings::default() };
        Self { rules, outputs, program, settings, json: false }
    }

    /// Evaluates each line, and tells how many were no events.
    fn run(
        &self,
        mut lines: impl BufRead,
        out: &mut impl Write,
        err: &mut impl Write,
    ) -> Result<usize> {
        let mut scratch = Scratch::new(&self.program);
        let mut buffers = Buffers::default();
        let mut line = Vec::new();
        let mut alerts = Vec::new();
        let mut number = 0_usize;
        let mut bad = 0;
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line).context("cannot read the events")? == 0 {
                break;
            }
            number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let event = match event(&line) {
                Ok(event) => event,
                Err(why) => {
                    bad += 1;
                    writeln!(err, "error: line {number}: {}", printable(&why))?;
                    continue;
                }
            };
            alerts.clear();
            evaluate(&self.program, &event, &mut scratch, |rule| {
                let (rule, output) = (&self.rules[rule], &self.outputs[rule]);
                let alert = Alert { rule, output, event: &event, settings: &self.settings };
                if self.json {
                    alert.write_json(&mut buffers, &mut alerts);
                } else {
                    alert.write_text(&mut buffers, &mut alerts);
                }
                alerts.push(b'\n');
            });
            out.write_all(&alerts)?;
        }
        out.flush()?;
        if bad > 0 {
            let lines = if bad == 1 { "line is" } else { "lines are" };
            writeln!(err, "error: {bad} {lines} not evaluated")?;
        }
        Ok(bad)
    }
}

fn event(line: &[u8]) -> Result<JsonEvent, String> {
    let text = std::str::from_utf8(line).map_err(|error| format!("not UTF-8: {error}"))?;
    JsonEvent::from_line(text.trim()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Evaluation, host};
    use crate::rules::load::{Options, SourceFile, load};
    use crate::rules::rule::Matching;

    const RULES: &str = "\
- rule: Shell
  desc: d
  condition: evt.type = execve and proc.name = sh
  output: A shell of %user.name
  priority: NOTICE
- rule: Start
  desc: d
  condition: evt.type = execve
  output: Started %proc.name
  priority: DEBUG
- rule: Off
  desc: d
  condition: evt.type = execve
  output: o
  priority: DEBUG
  enabled: false
";

    fn evaluated(events: &[u8], matching: Matching, json: bool) -> (String, String, usize) {
        let loaded = load(vec![SourceFile::new("r.yaml", RULES)], &Options::default());
        let mut evaluation = Evaluation::new(&loaded.rules, matching, &[]);
        evaluation.json = json;
        evaluation.settings.hostname = "node-1".to_owned();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let bad = evaluation.run(events, &mut out, &mut err).unwrap();
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), bad)
    }

    const SHELL: &[u8] =
        br#"{"evt.type":"execve","evt.time":3661000000005,"proc.name":"sh","user.name":"ann"}"#;

    #[test]
    fn the_first_rule_or_all() {
        let (out, err, bad) = evaluated(SHELL, Matching::First, false);
        assert_eq!(out, "01:01:01.000000005: Notice A shell of ann\n");
        assert_eq!((err.as_str(), bad), ("", 0));
        let (out, ..) = evaluated(SHELL, Matching::All, false);
        assert_eq!(
            out,
            "01:01:01.000000005: Notice A shell of ann\n01:01:01.000000005: Debug Started sh\n"
        );
    }

    #[test]
    fn alerts_as_objects() {
        let (out, ..) = evaluated(SHELL, Matching::First, true);
        insta::assert_snapshot!(out, @r#"{"hostname":"node-1","output":"01:01:01.000000005: Notice A shell of ann","output_fields":{"evt.time":3661000000005,"user.name":"ann"},"priority":"Notice","rule":"Shell","source":"syscall","tags":[],"time":"1970-01-01T01:01:01.000000005Z"}"#);
    }

    #[test]
    fn bad_lines_are_told_and_passed_over() {
        let events = b"{\n\n{\"evt.type\":\"close\"}\n\xff\n{\"evt.type\":\"execve\",\"x\":1}\n";
        let events = [events.as_slice(), SHELL].concat();
        let (out, err, bad) = evaluated(&events, Matching::First, false);
        assert!(out.contains("A shell of ann"), "{out}");
        assert_eq!(bad, 3);
        let lines: Vec<&str> = err.lines().collect();
        assert!(lines[0].starts_with("error: line 1: not JSON"), "{err}");
        assert!(lines[1].starts_with("error: line 4: not UTF-8"), "{err}");
        assert!(lines[2].starts_with("error: line 5: key `x`"), "{err}");
        assert_eq!(lines[3], "error: 3 lines are not evaluated");
    }

    #[test]
    fn hosts() {
        assert_eq!(host("a.b=::1"), Ok(("a.b".to_owned(), "::1".parse().unwrap())));
        assert!(host("a.b").is_err());
        assert_eq!(host("a=b").unwrap_err(), "`b` is not an IP address");
    }
}
