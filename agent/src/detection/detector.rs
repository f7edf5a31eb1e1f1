//! One input after the other → alerts.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Instant;

use jiff::tz::TimeZone;

use super::alert::Alert;
use super::input::Input;
use super::peer;
use super::places::Places;
use super::repeats::{Likeness, Repeated, Repeats, Verdict};
use super::ruleset::RuleSet;
use super::statistics::{RuleStatistics, Statistics};
use super::waiting::{Released, Waiting};
use crate::calls;
use crate::decode;
use crate::event::{Node, Record, RecordKind, Surroundings, View};
use crate::filter;
use crate::filter::{Filter, Subjects};
use crate::identity::cgroup_path::Runtime;
use crate::process::{Applied, Limits, NameLimits, Names, Process, Table};
use crate::rules::evaluate::{Scratch, evaluate};
use crate::rules::event::Event as _;
use crate::rules::event_type::EventType;
use crate::rules::field::Needs;
use crate::rules::output::{self, Buffers, Settings};
use crate::rules::transform;

/// One in so many events is held against each of its rules alone, to tell what each
/// costs.
pub(super) const SAMPLE: u64 = 4096;
/// How often the processes that ended are let go of, by the time of the inputs.
const SWEEP_NS: u64 = 1_000_000_000;

/// How a detector works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the host, and its clock.
    pub node: Node,
    /// Zone of the times in texts.
    pub zone: TimeZone,
    /// For how long equal alerts are counted instead of written, nanoseconds.
    pub repeats_ns: u64,
    /// Bytes that it may keep of processes and waiting events.
    pub memory_bytes: usize,
}

/// What a record needs that nobody has told yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// The cgroup of that id.
    pub cgroup: Option<u64>,
    /// The process of that id and start.
    pub process: Option<(u32, u64)>,
    /// The process that acted.
    pub pid: u32,
}

/// See the module.
pub struct Detector {
    rules: RuleSet,
    scratch: Scratch,
    alone_scratch: Scratch,
    buffers: Buffers,
    text: transform::Scratch,
    matched: Vec<usize>,
    table: Table,
    names: Names,
    places: Places,
    waiting: Waiting,
    repeats: Repeats<Alert>,
    node: Node,
    settings: Settings,
    filter: Option<Filter>,
    subjects: Subjects,
    /// Counts the filters.
    generation: u64,
    verdicts: Vec<[u64; 2]>,
    orphans: Vec<u32>,
    filter_scratch: Scratch,
    /// Rules ask for what only a runtime can tell.
    asks_runtime: bool,
    number: u64,
    previous_ns: u64,
    now_ns: u64,
    swept_ns: u64,
    /// By type of event: those that came, and those that were held against the rules.
    events_of: Box<[u64]>,
    judged_of: Box<[u64]>,
    /// By rule.
    matches_of: Box<[u64]>,
    nanos_of: Box<[u64]>,
    counts: Statistics,
}

impl Detector {
    /// Begins without processes.
    #[must_use]
    pub fn new(rules: RuleSet, options: Options) -> Self {
        let Options { node, zone, repeats_ns, memory_bytes } = options;
        let settings =
            Settings { hostname: node.hostname.clone().into(), zone, ..Settings::default() };
        let mut detector = Self {
            scratch: Scratch::default(),
            alone_scratch: Scratch::default(),
            buffers: Buffers::default(),
            text: transform::Scratch::default(),
            matched: Vec::new(),
            table: Table::new(Limits { max_bytes: memory_bytes / 4 * 3, ..Limits::default() }),
            names: Names::new(NameLimits::default()),
            places: Places::new(),
            waiting: Waiting::new(memory_bytes / 4),
            repeats: Repeats::new(repeats_ns),
            node,
            settings,
            filter: None,
            subjects: Subjects::new(),
            generation: 0,
            verdicts: Vec::new(),
            orphans: Vec::new(),
            filter_scratch: Scratch::default(),
            asks_runtime: false,
            number: 0,
            previous_ns: 0,
            now_ns: 0,
            swept_ns: 0,
            events_of: vec![0; EventType::COUNT].into(),
            judged_of: vec![0; EventType::COUNT].into(),
            matches_of: Box::default(),
            nanos_of: Box::default(),
            counts: Statistics::default(),
            rules,
        };
        detector.fit_rules();
        detector
    }

    /// The rules in force.
    #[must_use]
    pub const fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Puts other rules in force, between two events.
    pub fn set_rules(&mut self, rules: RuleSet) {
        self.rules = rules;
        self.events_of.fill(0);
        self.judged_of.fill(0);
        self.fit_rules();
    }

    fn fit_rules(&mut self) {
        let count = self.rules.rules().len();
        self.scratch = Scratch::new(self.rules.program());
        self.matches_of = vec![0; count].into();
        self.nanos_of = vec![0; count].into();
        self.asks_runtime =
            self.rules.fields().iter().any(|field| field.spec().needs == Needs::ContainerRuntime);
    }

    /// What a record needs that no input told yet. To be asked before
    /// [`apply`](Self::apply).
    #[must_use]
    pub fn unknown(&self, bytes: &[u8]) -> Unknown {
        let Ok(head) = decode::head(bytes) else { return Unknown::default() };
        let Ok(kind) = decode::kind(&head) else { return Unknown::default() };
        let is_told = matches!(kind, RecordKind::Fork | RecordKind::Exec | RecordKind::Exit)
            || self.table.get(head.tgid, head.start_ns).is_some();
        Unknown {
            cgroup: (!self.places.knows(head.cgroup)).then_some(head.cgroup),
            process: (!is_told).then_some((head.tgid, head.start_ns)),
            pid: head.tgid,
        }
    }

    /// The container of a cgroup, and who made it, as far as the path tells.
    #[must_use]
    pub fn container_of(&self, cgroup: u64) -> Option<(&str, Option<Runtime>)> {
        let place = self.places.get(cgroup);
        place.container_id.as_deref().map(|id| (id, place.runtime))
    }

    /// Whether an answer about a container is still to come.
    #[must_use]
    pub fn awaits(&self, container: &str) -> bool {
        self.places.is_pending(container)
    }

    /// Containers that were forgotten since the last call, as no cgroup of theirs is
    /// remembered any more.
    pub fn take_left(&mut self) -> Vec<Box<str>> {
        self.places.take_left()
    }

    /// What finds out which events the kernel need not tell of again.
    pub fn set_filter(&mut self, filter: Option<Filter>) {
        self.generation += 1;
        self.subjects.renew(self.generation);
        self.filter = filter;
        self.verdicts.clear();
    }

    /// Keys of subjects that no rule can match, found since the last call.
    pub fn take_verdicts(&mut self) -> std::vec::Drain<'_, [u64; 2]> {
        self.verdicts.drain(..)
    }

    /// Parents that are not in the table, met since the last call.
    pub fn take_orphans(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.orphans)
    }

    /// Takes the next step.
    pub fn apply(&mut self, input: &Input<'_>, alerts: &mut dyn FnMut(Alert)) {
        match input {
            Input::Record(bytes) => self.record(bytes, alerts),
            Input::Process(facts) => {
                self.table.insert(facts.as_ref().clone());
            }
            Input::Processes(begun_ns, facts) => {
                self.table.reconcile(facts.iter().cloned(), *begun_ns);
            }
            Input::Cgroup(cgroup) => self.places.learn(cgroup),
            Input::Container(answer) => {
                self.places.answer(answer);
                if answer.is_final {
                    for released in self.waiting.answered(&answer.id) {
                        self.held(released, alerts);
                    }
                }
            }
            Input::Host { name, addresses } => self.rules.set_addresses(name, addresses),
            Input::Names(names) => self.names.insert(names.as_ref().clone()),
            Input::Time(now_ns) => self.advance(*now_ns, alerts),
        }
    }

    /// Writes what was counted and not said, and lets go what waits.
    pub fn finish(&mut self, alerts: &mut dyn FnMut(Alert)) {
        self.advance(u64::MAX, alerts);
    }

    fn advance(&mut self, now_ns: u64, alerts: &mut dyn FnMut(Alert)) {
        self.now_ns = self.now_ns.max(now_ns);
        while let Some(released) = self.waiting.expired(self.now_ns) {
            self.counts.unanswered += 1;
            self.held(released, alerts);
        }
        let written = &mut self.counts.alerts;
        self.repeats.ended(self.now_ns, |Repeated { last, count }| {
            *written += 1;
            alerts(last.repeated(count));
        });
        // It is a walk over all processes.
        if self.now_ns.saturating_sub(self.swept_ns) >= SWEEP_NS {
            self.swept_ns = self.now_ns;
            self.table.sweep(self.now_ns);
        }
    }

    fn record(&mut self, bytes: &[u8], alerts: &mut dyn FnMut(Alert)) {
        self.counts.records += 1;
        let record = match decode::record(bytes) {
            Ok(record) => record,
            Err(error) => {
                self.counts.undecodable += 1;
                tracing::debug!(%error, "a record cannot be read");
                return;
            }
        };
        // Records of several CPUs come nearly in order.
        if record.head.time_ns > self.now_ns + 100_000_000 {
            self.advance(record.head.time_ns, alerts);
        }
        // Who ends is still there while the rules look at it.
        if record.kind == RecordKind::Exit {
            self.event(&record, bytes, alerts);
            self.change(&record);
        } else {
            self.change(&record);
            self.event(&record, bytes, alerts);
        }
    }

    fn change(&mut self, record: &Record<'_>) {
        match self.table.apply(record) {
            Applied::Known | Applied::Unknown(..) => {}
            Applied::Orphan(parent) => self.orphans.push(parent),
        }
    }

    /// Numbers an event and lets it wait for its container, or not.
    fn event(&mut self, record: &Record<'_>, bytes: &[u8], alerts: &mut dyn FnMut(Alert)) {
        let Some(event_type) = type_of(record) else { return };
        self.number += 1;
        self.events_of[event_type.index()] += 1;
        if !self.rules.has(event_type) {
            self.previous_ns = record.head.time_ns;
            return;
        }
        if self.filter.is_some() {
            let keys = [record.head.verdict, record.raw_verdict];
            if let Some(key) = keys.into_iter().find(|key| self.subjects.are_never(*key)) {
                // Sent before the kernel side was told, or another one took its place there.
                self.verdicts.push(key);
                self.previous_ns = record.head.time_ns;
                return;
            }
        }
        if self.asks_runtime {
            let container = self.places.get(record.head.cgroup).container_id.as_deref();
            if let Some(container) = container.filter(|it| self.places.is_pending(it)) {
                let head = &record.head;
                let actor = self.table.get(head.tgid, head.start_ns).map(|it| &it.facts);
                if self.waiting.hold(container, head.time_ns, self.number, actor, bytes) {
                    return;
                }
                self.counts.not_held += 1;
            }
        }
        self.judge(record, event_type, self.number, None, alerts);
    }

    /// An event whose waiting is over.
    fn held(&mut self, released: Released, alerts: &mut dyn FnMut(Alert)) {
        let Released { number, actor, record } = released;
        let Ok(record) = decode::record(&record) else { return };
        if let Some(event_type) = type_of(&record) {
            let actor = actor.map(|facts| Process::new(*facts));
            self.judge(&record, event_type, number, actor.as_ref(), alerts);
        }
    }

    fn judge(
        &mut self,
        record: &Record<'_>,
        event_type: EventType,
        number: u64,
        actor: Option<&Process>,
        alerts: &mut dyn FnMut(Alert),
    ) {
        self.counts.events += 1;
        self.judged_of[event_type.index()] += 1;
        let head = &record.head;
        let place = self.places.get(head.cgroup);
        let around = Surroundings {
            process: actor.or_else(|| self.table.get(head.tgid, head.start_ns)),
            processes: &self.table,
            place,
            names: &self.names,
            node: &self.node,
            number,
            previous_ns: if self.previous_ns == 0 { head.time_ns } else { self.previous_ns },
            peer: peer::of(record, event_type, &self.table, &self.places),
        };
        let view = View::new(record, calls::of_record(record), event_type, around);
        let matched = &mut self.matched;
        matched.clear();
        evaluate(self.rules.program(), &view, &mut self.scratch, |rule| matched.push(rule));
        if matched.is_empty()
            && head.verdict[0] != 0
            && let Some(filter) = &self.filter
        {
            let scratch = &mut self.filter_scratch;
            let never = || filter.never(record, &view, scratch);
            let mut spared = self.subjects.consider(head.verdict, never);
            if spared.is_none() {
                let never = || filter.never_as_given(record, &view, scratch);
                spared = self.subjects.consider(record.raw_verdict, never);
            }
            self.verdicts.extend(spared);
        }
        if self.counts.events.is_multiple_of(SAMPLE) {
            for rule in self.rules.rules_of(event_type) {
                let Some(program) = self.rules.alone(rule) else { continue };
                let began = Instant::now();
                evaluate(program, &view, &mut self.alone_scratch, |_| {});
                let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
                self.nanos_of[rule] =
                    self.nanos_of[rule].saturating_add(took.saturating_mul(SAMPLE));
            }
        }
        for rule in matched.iter().copied() {
            self.matches_of[rule] += 1;
            let (Some(about), Some(written)) =
                (self.rules.rules().get(rule), self.rules.output(rule))
            else {
                continue;
            };
            let mut message = Vec::new();
            written.message().write(&view, &self.settings.zone, &mut self.text, &mut message);
            let likeness = likeness(&about.name, &place.tenant, &message);
            let verdict = self.repeats.note(likeness, head.time_ns);
            let mut alert = Alert {
                time_unix_ns: head.time_ns.saturating_add(self.node.boot_unix_ns),
                rule: about.name.clone(),
                priority: about.priority,
                tenant: place.tenant.clone(),
                container: place.container_id.clone(),
                event: view.event_type().name(),
                process: String::from_utf8_lossy(record.comm()).into_owned(),
                pid: head.tgid,
                message: String::from_utf8_lossy(&message).into_owned(),
                repeats: 0,
                text: Vec::new(),
                json: Vec::new(),
            };
            let line = output::Alert {
                rule: about,
                output: written,
                event: &view,
                settings: &self.settings,
            };
            line.write_text(&mut self.buffers, &mut alert.text);
            line.write_json(&mut self.buffers, &mut alert.json);
            match verdict {
                Verdict::Write => {
                    self.counts.alerts += 1;
                    alerts(alert);
                }
                Verdict::Keep => {
                    self.counts.repeats += 1;
                    self.repeats.keep(likeness, alert);
                }
            }
        }
        self.previous_ns = head.time_ns;
    }

    /// What was done so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let table = self.table.stats();
        let rules = self.rules.rules().iter().enumerate();
        let rules = rules.filter(|(at, _)| self.rules.is_in_force(*at)).map(|(at, rule)| {
            let types = EventType::all().filter(|one| self.rules.is_held_against(at, *one));
            let types: Vec<usize> = types.map(EventType::index).collect();
            let sum = |of: &[u64]| types.iter().map(|one| of[*one]).sum();
            RuleStatistics {
                rule: rule.name.to_string(),
                kernel_passes: sum(&self.events_of),
                evaluations: sum(&self.judged_of),
                matches: self.matches_of[at],
                seconds: self.nanos_of[at] as f64 / 1e9,
            }
        });
        Statistics {
            processes: table.processes as u64,
            process_bytes: table.bytes as u64,
            processes_evicted: table.evicted_total,
            rules: rules.collect(),
            ..self.counts.clone()
        }
    }
}

/// The type of event that a record is; `None` of those that only change state.
fn type_of(record: &Record<'_>) -> Option<EventType> {
    // A fork is an event when the call returns that made it.
    if record.kind == RecordKind::Fork {
        return None;
    }
    let call = calls::of_record(record)?;
    (!filter::returns_in_child(call.event_type, record)).then_some(call.event_type)
}

/// Alerts that say the same are alike. The hash has fixed keys: a recording gives the
/// same groups.
fn likeness(rule: &str, tenant: &str, message: &[u8]) -> Likeness {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        (seed, rule, tenant, message).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    Likeness(half(1) << 64 | half(2))
}
