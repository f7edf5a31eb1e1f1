//! Runs a suite, and tells which rules it leaves untested.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Case, Expected, ExpectedAlert, Suite};
use crate::rules::compile::Program;
use crate::rules::diagnostic::Place;
use crate::rules::evaluate::{Scratch, evaluate};
use crate::rules::json_event::JsonEvent;
use crate::rules::output::{Alert, Buffers, Output, Settings};
use crate::rules::print;
use crate::rules::rule::Matching;
use crate::rules::rule::Rule;
use crate::rules::similar::similar;
use crate::rules::typed::Condition;

/// What came of a suite.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that did not, in the order of the files.
    pub failures: Vec<Failure>,
    /// Rules that lack a test, in load order.
    pub gaps: Vec<Gap>,
}

/// A test that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Where the test stands.
    pub place: Place,
    /// The rule under test, or the name of the test.
    pub subject: String,
    /// What is tried; empty if the file does not say.
    pub title: String,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// More about it: a line each. Those of a comparison begin with `-` for what was
    /// expected and did not come, `+` for what came unexpectedly, or a blank.
    pub details: Vec<String>,
}

/// A rule that lacks tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its name.
    pub rule: Arc<str>,
    /// No test shows that it fires.
    pub firing: bool,
    /// No test shows that it stays silent.
    pub silent: bool,
}

/// Runs the tests of a suite over rules, which are in load order.
///
/// Rules that are not in force are tested too, but never stand before others.
#[must_use]
pub fn run(suite: &Suite, rules: &[Rule]) -> Outcome {
    let conditions: Vec<(usize, &Condition)> =
        rules.iter().enumerate().map(|(at, rule)| (at, &rule.condition)).collect();
    let program = compiled(&conditions, Matching::All, suite);
    let mut runner = Runner {
        suite,
        rules,
        by_name: rules.iter().enumerate().map(|(at, rule)| (&*rule.name, at)).collect(),
        scratch: Scratch::new(&program),
        program,
        settings: Settings { json_include_message_property: true, ..Settings::default() },
        buffers: Buffers::default(),
    };
    let mut outcome = Outcome::default();
    let mut fired = HashSet::new();
    let mut silent = HashSet::new();
    for case in &suite.cases {
        let (subject, result) = match &case.expected {
            Expected::Fires { alert, behind } => {
                fired.insert(&*alert.rule);
                (alert.rule.to_string(), runner.fires(case, alert, behind.as_deref()))
            }
            Expected::Silent { rule } => {
                silent.insert(&**rule);
                (rule.to_string(), runner.silent(case, rule))
            }
            Expected::Alerts { alerts, all } => {
                (case.title.clone(), runner.alerts(case, alerts, *all))
            }
        };
        match result {
            Ok(()) => outcome.passed += 1,
            Err(Wrong { message, details }) => {
                let whole = matches!(case.expected, Expected::Alerts { .. });
                let title = if whole { String::new() } else { case.title.clone() };
                let place = case.place.clone();
                outcome.failures.push(Failure { place, subject, title, message, details });
            }
        }
    }
    outcome.gaps = rules
        .iter()
        .map(|rule| Gap {
            rule: Arc::clone(&rule.name),
            firing: !fired.contains(&*rule.name),
            silent: !silent.contains(&*rule.name),
        })
        .filter(|gap| gap.firing || gap.silent)
        .collect();
    outcome
}

/// Why a test failed.
struct Wrong {
    message: String,
    details: Vec<String>,
}

impl Wrong {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), details: Vec::new() }
    }
}

/// A program that knows the addresses of the suite's hosts.
fn compiled(conditions: &[(usize, &Condition)], matching: Matching, suite: &Suite) -> Program {
    let mut program = Program::new(conditions, matching);
    for (host, addresses) in &suite.hosts {
        program.set_addresses(host, addresses.iter().copied());
    }
    program
}

struct Runner<'a> {
    suite: &'a Suite,
    rules: &'a [Rule],
    by_name: HashMap<&'a str, usize>,
    program: Program,
    scratch: Scratch,
    settings: Settings,
    buffers: Buffers,
}

/// What an alert says.
struct Said {
    message: String,
    fields: BTreeMap<String, Json>,
}

impl Runner<'_> {
    fn fires(
        &mut self,
        case: &Case,
        expected: &ExpectedAlert,
        behind: Option<&str>,
    ) -> Result<(), Wrong> {
        let rule = self.named(&expected.rule)?;
        if let Some(behind) = behind {
            self.named(behind)?;
        }
        for event in &case.events {
            let matched = self.matched(event);
            if !matched.contains(&rule) {
                return Err(Wrong {
                    message: "the rule should fire, and does not".to_owned(),
                    details: self.obstacles(rule, event),
                });
            }
            let first = matched.iter().copied().find(|&rule| self.rules[rule].enabled);
            let before = first.filter(|&first| first != rule && self.rules[rule].enabled);
            let before = before.map(|before| &*self.rules[before].name);
            match (before, behind) {
                (None, None) => {}
                (Some(before), Some(behind)) if before == behind => {}
                (Some(before), _) => {
                    return Err(Wrong {
                        message: format!("rule `{before}` matches, too, and comes first"),
                        details: vec![format!("if that is meant, say `behind: {before}`")],
                    });
                }
                (None, Some(behind)) => {
                    return Err(Wrong::new(format!("rule `{behind}` does not come first")));
                }
            }
            let details = self.differences(expected, rule, event);
            if !details.is_empty() {
                let message = "the rule fires, but says something else".to_owned();
                return Err(Wrong { message, details });
            }
        }
        Ok(())
    }

    fn silent(&mut self, case: &Case, rule: &str) -> Result<(), Wrong> {
        let rule = self.named(rule)?;
        if case.events.iter().any(|event| self.matched(event).contains(&rule)) {
            return Err(Wrong::new("the rule should be silent, and fires"));
        }
        Ok(())
    }

    fn alerts(&mut self, case: &Case, expected: &[ExpectedAlert], all: bool) -> Result<(), Wrong> {
        for alert in expected {
            self.named(&alert.rule)?;
        }
        let mut got = Vec::new();
        for event in &case.events {
            let matched = self.matched(event).into_iter().filter(|&rule| self.rules[rule].enabled);
            let most = if all { usize::MAX } else { 1 };
            got.extend(matched.take(most).map(|rule| (rule, event)));
        }
        let names: Vec<&str> = got.iter().map(|&(rule, _)| &*self.rules[rule].name).collect();
        let wanted: Vec<&str> = expected.iter().map(|alert| &*alert.rule).collect();
        if names != wanted {
            let message = "the alerts are others than expected".to_owned();
            return Err(Wrong { message, details: diff(&wanted, &names) });
        }
        for (alert, (rule, event)) in expected.iter().zip(got) {
            let details = self.differences(alert, rule, event);
            if !details.is_empty() {
                let message = format!("rule `{}` says something else", alert.rule);
                return Err(Wrong { message, details });
            }
        }
        Ok(())
    }

    /// The rule of a name.
    fn named(&self, name: &str) -> Result<usize, Wrong> {
        self.by_name.get(name).copied().ok_or_else(|| {
            let near = similar(name, self.by_name.keys().copied());
            let details = near.map(|near| format!("did you mean `{near}`?")).into_iter().collect();
            Wrong { message: format!("there is no rule `{name}`"), details }
        })
    }

    /// Every rule that an event matches, in load order.
    fn matched(&mut self, event: &JsonEvent) -> Vec<usize> {
        let mut matched = Vec::new();
        evaluate(&self.program, event, &mut self.scratch, |rule| matched.push(rule));
        matched
    }

    /// Which parts of a condition do not hold.
    fn obstacles(&self, rule: usize, event: &JsonEvent) -> Vec<String> {
        let mut parts = Vec::new();
        conjuncts(&self.rules[rule].condition, &mut parts);
        let fails = |part: &Condition| {
            let program = compiled(&[(0, part)], Matching::First, self.suite);
            !evaluate(&program, event, &mut Scratch::default(), |_| {})
        };
        let failing = parts.into_iter().filter(|part| fails(part));
        failing.map(|part| format!("does not hold: {}", shortened(print::typed(part)))).collect()
    }

    /// How what a rule says differs from what is expected; nothing if it does not.
    fn differences(
        &mut self,
        expected: &ExpectedAlert,
        rule: usize,
        event: &JsonEvent,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        if expected.output.is_none() && expected.fields.is_empty() {
            return lines;
        }
        let said = self.said(rule, event);
        if let Some(output) = expected.output.as_ref().filter(|output| **output != said.message) {
            lines.extend([format!("- {output}"), format!("+ {}", said.message)]);
        }
        for (name, value) in &expected.fields {
            match said.fields.get(name) {
                Some(got) if got == value => {}
                Some(got) => {
                    lines.extend([format!("- {name}: {value}"), format!("+ {name}: {got}")]);
                }
                None => lines.push(format!("- {name}: {value} (not in the output)")),
            }
        }
        lines
    }

    /// What a rule says of an event.
    fn said(&mut self, rule: usize, event: &JsonEvent) -> Said {
        let rule = &self.rules[rule];
        let output = Output::new(rule, &[]);
        let alert = Alert { rule, output: &output, event, settings: &self.settings };
        let mut line = Vec::new();
        alert.write_json(&mut self.buffers, &mut line);
        // What was just written is an object with both keys.
        let mut alert: Json = serde_json::from_slice(&line).unwrap_or_default();
        let message = alert["message"].as_str().unwrap_or_default().to_owned();
        let fields = match alert["output_fields"].take() {
            Json::Object(fields) => fields.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        Said { message, fields }
    }
}

/// The parts of a condition that all have to hold.
fn conjuncts<'c>(condition: &'c Condition, parts: &mut Vec<&'c Condition>) {
    // A stack instead of recursion: conditions may be nested deeply.
    let mut stack = vec![condition];
    while let Some(condition) = stack.pop() {
        match condition {
            Condition::And(all) => stack.extend(all.iter().rev()),
            Condition::Or(_) | Condition::Not(_) | Condition::Check(_) => parts.push(condition),
        }
    }
}

/// A condition may be longer than anybody wants to read.
fn shortened(text: String) -> String {
    const MOST: usize = 300;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}

/// A comparison of two lists, line by line.
fn diff(wanted: &[&str], got: &[&str]) -> Vec<String> {
    // longest[i][j]: what wanted[i..] and got[j..] have in common at most.
    let mut longest = vec![vec![0_usize; got.len() + 1]; wanted.len() + 1];
    for i in (0..wanted.len()).rev() {
        for j in (0..got.len()).rev() {
            longest[i][j] = if wanted[i] == got[j] {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < wanted.len() || j < got.len() {
        if i < wanted.len() && j < got.len() && wanted[i] == got[j] {
            lines.push(format!("  {}", wanted[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == got.len() || (i < wanted.len() && longest[i + 1][j] >= longest[i][j + 1]) {
            lines.push(format!("- {}", wanted[i]));
            i += 1;
        } else {
            lines.push(format!("+ {}", got[j]));
            j += 1;
        }
    }
    lines
}
