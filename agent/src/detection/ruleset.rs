//! A rule set ready to be held against events.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::rules::compile::{EventTypes, Program, event_types};
use crate::rules::diagnostic::{FileReport, text};
use crate::rules::event::{Argument, FieldRef};
use crate::rules::event_type::EventType;
use crate::rules::field::FieldId;
use crate::rules::load::{self, Options, SourceFile};
use crate::rules::output::{AppendOutput, ExtraField, Output};
use crate::rules::rule::{Matching, Rule};
use crate::rules::typed::Condition;

use super::own::own_rules;

/// Rules in force.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    outputs: Vec<Output>,
    wanted: EventTypes,
    /// What each rule's event types are; none of a rule that is not in force.
    types: Vec<EventTypes>,
    program: Program,
    /// Each rule by itself, to find out what it costs; `None` of one not in force.
    alone: Vec<Option<Program>>,
    matching: Matching,
    /// Every field that a condition or an output asks for.
    fields: BTreeSet<FieldId>,
}

/// Why rules cannot be put in force: what is wrong with each file, with its place.
#[derive(Debug, thiserror::Error)]
#[error("the rules have errors:\n{}", told(.reports))]
pub struct RuleSetError {
    /// Of each file.
    pub reports: Vec<FileReport>,
}

fn told(reports: &[FileReport]) -> String {
    reports.iter().filter(|report| report.failed()).map(|report| text(report, false)).collect()
}

impl RuleSet {
    /// Reads rule files, or the rules that come with Landlord when none are named.
    /// The reports also tell warnings.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or has an error; the reports tell all of them.
    pub fn load(
        paths: &[PathBuf],
        options: &Options,
    ) -> Result<(Self, Vec<FileReport>), RuleSetError> {
        Self::of_files(Self::read(paths), options)
    }

    /// Reads rule files, or the rules that come with Landlord when none are named.
    #[must_use]
    pub fn read(paths: &[PathBuf]) -> Vec<SourceFile> {
        if paths.is_empty() { own_rules() } else { load::read(paths) }
    }

    /// As [`load`](Self::load), of files that were read.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn of_files(
        files: Vec<SourceFile>,
        options: &Options,
    ) -> Result<(Self, Vec<FileReport>), RuleSetError> {
        let loaded = load::load(files, options);
        if loaded.failed() {
            return Err(RuleSetError { reports: loaded.reports });
        }
        Ok((Self::new(loaded.rules, options), loaded.reports))
    }

    /// Compiles rules; those that are disabled or too little urgent are not in force.
    #[must_use]
    pub fn new(rules: Vec<Rule>, options: &Options) -> Self {
        let is_in_force = |rule: &Rule| rule.enabled && rule.priority <= options.minimum_priority;
        let conditions: Vec<(usize, &Condition)> = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| is_in_force(rule))
            .map(|(at, rule)| (at, &rule.condition))
            .collect();
        let program = Program::new(&conditions, options.matching);
        let mut alone: Vec<Option<Program>> = rules.iter().map(|_| None).collect();
        for (at, condition) in &conditions {
            alone[*at] = Some(Program::new(&[(0, condition)], Matching::First));
        }
        let types = rules.iter().map(|rule| {
            if is_in_force(rule) { event_types(&rule.condition) } else { EventTypes::NONE }
        });
        let types: Vec<EventTypes> = types.collect();
        let wanted = types.iter().fold(EventTypes::NONE, |all, one| all.union(one));
        let mut fields = BTreeSet::new();
        for rule in rules.iter().filter(|rule| is_in_force(rule)) {
            rule.condition.visit_fields(&mut |field| {
                fields.insert(field.id);
            });
            fields.extend(rule.output.fields().map(|(_, field)| field.id));
        }
        // One tenant key on every event.
        let tenant = FieldRef { id: FieldId::TenantName, argument: Argument::None };
        let addition = AppendOutput {
            extra_fields: vec![("tenant.name".to_owned(), ExtraField::Raw(tenant))],
            ..AppendOutput::default()
        };
        let additions = [addition];
        let outputs = rules.iter().map(|rule| Output::new(rule, &additions)).collect();
        Self { rules, outputs, wanted, types, program, alone, matching: options.matching, fields }
    }

    /// All rules, also those that are not in force; the program names them by number.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How the alerts of a rule are written.
    #[must_use]
    pub fn output(&self, rule: usize) -> Option<&Output> {
        self.outputs.get(rule)
    }

    /// What evaluates them.
    #[must_use]
    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// What evaluates a rule in force by itself.
    #[must_use]
    pub fn alone(&self, rule: usize) -> Option<&Program> {
        self.alone.get(rule)?.as_ref()
    }

    /// Which of those that match fire.
    #[must_use]
    pub const fn matching(&self) -> Matching {
        self.matching
    }

    /// Conditions of the rules in force, with their numbers.
    pub fn conditions(&self) -> impl Iterator<Item = (usize, &Condition)> {
        let in_force = self.rules.iter().enumerate().filter(|(at, _)| self.is_in_force(*at));
        in_force.map(|(at, rule)| (at, &rule.condition))
    }

    /// Whether a rule can fire at all.
    #[must_use]
    pub fn is_in_force(&self, rule: usize) -> bool {
        self.types.get(rule).is_some_and(|types| !types.is_empty())
    }

    /// Whether a rule in force is held against events of a type.
    #[must_use]
    pub fn is_held_against(&self, rule: usize, event_type: EventType) -> bool {
        self.types.get(rule).is_some_and(|types| types.contains(event_type))
    }

    /// Whether any is.
    #[must_use]
    pub fn has(&self, event_type: EventType) -> bool {
        self.wanted.contains(event_type)
    }

    /// Numbers of the rules that are held against events of a type.
    pub fn rules_of(&self, event_type: EventType) -> impl Iterator<Item = usize> {
        let all = self.types.iter().enumerate();
        all.filter(move |(_, types)| types.contains(event_type)).map(|(at, _)| at)
    }

    /// Fields that conditions and outputs ask for.
    #[must_use]
    pub const fn fields(&self) -> &BTreeSet<FieldId> {
        &self.fields
    }

    /// Names of hosts whose addresses have to be found.
    #[must_use]
    pub fn host_names(&self) -> Vec<String> {
        self.program.host_names().map(str::to_owned).collect()
    }

    /// Sets the addresses of a host that rules name.
    pub fn set_addresses(&mut self, host: &str, addresses: &[IpAddr]) {
        self.program.set_addresses(host, addresses.iter().copied());
    }
}
