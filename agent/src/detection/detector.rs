//! One input after the other → alerts.

mod figures;
mod judge;

use jiff::tz::TimeZone;

use super::alert::Alert;
use super::deeds::Deeds;
use super::input::Input;
use super::places::Places;
use super::repeats::{Repeated, Repeats};
use super::ruleset::RuleSet;
use super::statistics::Statistics;
use super::waiting::{Released, Waiting};
use crate::calls;
use crate::decode;
use crate::event::{Deed, Node, Record, RecordKind};
use crate::filter;
use crate::filter::{Filter, Subjects};
use crate::identity::cgroup_path::Runtime;
use crate::process::{Applied, Limits, NameLimits, Names, Process, Table};
use crate::rules::evaluate::Scratch;
use crate::rules::event_type::EventType;
use crate::rules::field::Needs;
use crate::rules::output::{Buffers, Settings};
use crate::rules::transform;

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
    /// Whether alerts tell of the ancestors of their process, and how many of the last
    /// deeds of each they tell.
    pub lineage: Option<usize>,
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
    wants_lineage: bool,
    deeds: Deeds,
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
        let Options { node, zone, repeats_ns, memory_bytes, lineage } = options;
        let settings =
            Settings { hostname: node.hostname.clone().into(), zone, ..Settings::default() };
        let mut detector = Self {
            scratch: Scratch::default(),
            alone_scratch: Scratch::default(),
            buffers: Buffers::default(),
            text: transform::Scratch::default(),
            matched: Vec::new(),
            wants_lineage: lineage.is_some(),
            deeds: Deeds::new(lineage.unwrap_or(0)),
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

    /// As for [`Options::lineage`], from now on.
    pub fn set_lineage(&mut self, lineage: Option<usize>) {
        self.wants_lineage = lineage.is_some();
        self.deeds.keep(lineage.unwrap_or(0));
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

    /// Whether it remembers where a cgroup is.
    #[must_use]
    pub fn knows(&self, cgroup: u64) -> bool {
        self.places.knows(cgroup)
    }

    /// Whether an answer about a container is still to come.
    #[must_use]
    pub fn awaits(&self, container: &str) -> bool {
        self.places.is_pending(container)
    }

    /// Whether a cgroup of the container is remembered.
    #[must_use]
    pub fn has_container(&self, container: &str) -> bool {
        self.places.has_container(container)
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
            Input::Cgroup(cgroup) => {
                self.places.learn(cgroup);
                if !cgroup.is_pending {
                    self.told(cgroup.id, alerts);
                }
            }
            Input::Container(answer) => {
                self.places.answer(answer);
                if answer.is_final && !self.places.is_of_pending_pod(&answer.id) {
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
        self.counts.paths_torn += u64::from(record.is_path_torn);
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
        // Programs are told whether rules ask for them or not.
        if self.deeds.are_kept()
            && let Some(deed) = Deed::of_exec(record, event_type.name(), self.node.boot_unix_ns)
        {
            self.deeds.note((record.head.tgid, record.head.start_ns), deed);
        }
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
        if let Some(awaited) = self.places.awaited(record.head.cgroup, self.asks_runtime) {
            let head = &record.head;
            let actor = self.table.get(head.tgid, head.start_ns).map(|it| &it.facts);
            if self.waiting.hold(awaited, head.time_ns, self.number, actor, bytes) {
                return;
            }
            self.counts.not_held += 1;
        }
        self.judge(record, event_type, self.number, None, alerts);
    }

    /// Lets the events go on that waited for what is now known of a cgroup.
    fn told(&mut self, cgroup: u64, alerts: &mut dyn FnMut(Alert)) {
        let place = self.places.get(cgroup);
        let container = place.container_id.as_deref();
        let container = container.filter(|it| {
            !(self.asks_runtime && self.places.is_pending(it) || self.places.is_of_pending_pod(it))
        });
        let mut released: Vec<Released> = Vec::new();
        for awaited in [container, place.pod_uid.as_deref()].into_iter().flatten() {
            released.append(&mut self.waiting.answered(awaited));
        }
        for released in released {
            self.held(released, alerts);
        }
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
