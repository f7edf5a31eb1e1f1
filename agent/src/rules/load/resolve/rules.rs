//! Rules: conditions with their exceptions, and outputs.

use std::sync::Arc;

use super::Resolver;
use super::condition::{Parsed, weight};
use super::macros::{Macros, Outcome, names};
use crate::rules::diagnostic::{Code, Problem, ProblemKind};
use crate::rules::load::collect::{Entry, RuleInfo};
use crate::rules::load::composed::Composed;
use crate::rules::load::findings::Named;
use crate::rules::load::source::Spot;
use crate::rules::load::{Options, analysis};
use crate::rules::output::Template;
use crate::rules::rule::Rule;
use crate::rules::typed::Condition;

impl Resolver<'_> {
    /// The rules that are good, in order.
    pub(super) fn rules(
        &mut self,
        macros: &mut Macros,
        options: &Options,
    ) -> Vec<analysis::Judged> {
        let collection = self.collection;
        let mut rules = Vec::with_capacity(collection.rules.entries().len());
        for entry in collection.rules.entries() {
            let info = &entry.value;
            if !info.known_source() {
                self.only_use(&info.condition);
                continue;
            }
            let output = self.output(entry);
            let condition = self.rule_condition(entry, macros);
            let (Some(output), Some((condition, condition_text))) = (output, condition) else {
                continue;
            };
            let rule = Rule {
                name: Arc::clone(&entry.named.name),
                description: info.description.clone(),
                condition,
                condition_text,
                output,
                output_text: info.output.text(),
                priority: info.priority,
                source: Arc::clone(&info.source),
                tags: info.tags.iter().map(|tag| tag.to_string()).collect(),
                enabled: info.enabled && info.priority <= options.minimum_priority,
                warn_evttypes: info.warn_evttypes,
                capture: info.capture,
                capture_duration_ms: info.capture_duration_ms,
                place: self.findings.place(entry.named.spot),
            };
            rules.push(analysis::Judged { rule, named: entry.named.clone() });
        }
        self.drafts(macros);
        rules
    }

    /// Checks the texts of rules that have errors otherwise, so that all are told.
    fn drafts(&mut self, macros: &mut Macros) {
        let collection = self.collection;
        for entry in &collection.drafts {
            if entry.value.output.spot().is_some() {
                self.output(entry);
            }
            if entry.value.condition.spot().is_some() {
                self.rule_condition(entry, macros);
            }
        }
    }

    /// Notes what the condition of a rule uses that is skipped.
    fn only_use(&mut self, condition: &Composed) {
        let spot = Spot { file: 0, start: 0, end: 0 };
        let Ok(parsed) = self.try_parse(condition, spot) else {
            self.unread = true;
            return;
        };
        let mut named = Vec::new();
        names(&parsed.expression, &mut named);
        let positions = named.iter().filter_map(|name| self.collection.macros.position(&name.text));
        self.used.extend(positions);
    }

    fn output(&mut self, entry: &Entry<RuleInfo>) -> Option<Template> {
        let text = &entry.value.output;
        let spot = text.spot().unwrap_or(entry.named.spot);
        let around = [entry.named.clone(), Named { kind: "rule output", name: "".into(), spot }];
        let written = text.text();
        let problems = match Template::parse(&written) {
            Ok(template) => {
                self.deprecated(text, &written, &around, spot);
                return Some(template);
            }
            Err(problems) => problems,
        };
        let locator = text.locator(&self.findings);
        let locate = |problem: &Problem| locator.locate(&problem.span).unwrap_or(spot);
        let problems = problems.into_iter().map(|problem| (locate(&problem), problem)).collect();
        self.tell(problems, Code::CompileOutput, entry, &around);
        None
    }

    /// Warns of fields of an output that are there for old rules only.
    fn deprecated(&mut self, text: &Composed, written: &str, around: &[Named], otherwise: Spot) {
        const OLD: [(&str, &str); 2] = [
            ("%container.info", "write `%container.id` and `%container.name`"),
            ("%evt.dir", "remove it; it is always `<`"),
        ];
        for (field, help) in OLD {
            let Some(at) = written.find(field) else { continue };
            let spot = text.locator(&self.findings).locate(&(at..at + field.len()));
            let message = format!("`{field}` is deprecated");
            let spot = spot.unwrap_or(otherwise);
            self.findings.add(Code::DeprecatedItem, spot, around, message, Some(help));
        }
    }

    fn rule_condition(
        &mut self,
        entry: &Entry<RuleInfo>,
        macros: &mut Macros,
    ) -> Option<(Condition, String)> {
        let info = &entry.value;
        let spot = info.condition.spot().unwrap_or(entry.named.spot);
        let around = [entry.named.clone(), Named { kind: "rule condition", name: "".into(), spot }];
        self.exception_fields(entry, macros);
        let Some(text) = info.exceptions.condition(&info.condition, &mut self.findings) else {
            // What is wrong with the condition itself is to be told all the same.
            self.parse(&info.condition, &around, spot);
            return None;
        };
        let parsed = self.parse(&text, &around, spot)?;
        match self.bind(&text, &parsed, usize::MAX, macros, &around, spot) {
            Outcome::Good(bound) => {
                self.warn(&text, &parsed, &bound, &around, spot);
                self.weight += weight(&bound.condition);
                Some((bound.condition, text.text()))
            }
            Outcome::Bad { problems, broken } => {
                let skips = info.skip_if_unknown_filter
                    && broken.iter().all(|&at| macros.only_unknown(at))
                    && problems.iter().all(|(_, it)| it.kind == ProblemKind::UnknownName);
                if skips && problems.is_empty() && !broken.is_empty() {
                    let message =
                        "a macro of the condition names what is not known; the rule is skipped";
                    let help = Some("the warning about the macro tells what it is");
                    self.findings.add(Code::UnknownFilter, spot, &around, message, help);
                }
                if skips {
                    macros.forgive(&broken);
                } else {
                    macros.tell(&broken, self);
                }
                self.tell(problems, Code::CompileCondition, entry, &around);
                None
            }
        }
    }

    /// Tells problems: as warnings if they are such that the rule wants to be skipped
    /// for them.
    fn tell(
        &mut self,
        problems: Vec<(Spot, Problem)>,
        code: Code,
        entry: &Entry<RuleInfo>,
        around: &[Named],
    ) {
        let skips = entry.value.skip_if_unknown_filter
            && problems.iter().all(|(_, problem)| problem.kind == ProblemKind::UnknownName);
        for (spot, Problem { message, help, .. }) in problems {
            if skips {
                let message = format!("{message}; the rule is skipped");
                self.findings.add(Code::UnknownFilter, spot, around, message, help);
            } else {
                self.findings.add(code, spot, around, message, help);
            }
        }
    }

    /// Checks the fields of exceptions that have no values, and so are in no condition.
    fn exception_fields(&mut self, entry: &Entry<RuleInfo>, macros: &Macros) {
        for exception in entry.value.exceptions.iter().filter(|it| !it.has_values()) {
            for field in exception.fields() {
                let plain = |c: char| c.is_ascii_alphanumeric() || "._[]-".contains(c);
                if !field.value.chars().all(plain) {
                    continue;
                }
                let mut text = Composed::of(field.clone());
                text.glue(" exists", field.spot);
                let bad = match self.try_parse(&text, field.spot) {
                    Err(problems) => problems,
                    Ok(parsed) => {
                        self.field_problems(&text, &parsed, macros, exception.around(), field.spot)
                    }
                };
                self.tell(bad, Code::Validate, entry, exception.around());
            }
        }
    }

    fn field_problems(
        &mut self,
        text: &Composed,
        parsed: &Parsed,
        macros: &Macros,
        around: &[Named],
        spot: Spot,
    ) -> Vec<(Spot, Problem)> {
        match self.bind(text, parsed, usize::MAX, macros, around, spot) {
            Outcome::Good(_) => Vec::new(),
            Outcome::Bad { problems, .. } => problems,
        }
    }
}
