//! The thread that watches: kernel records → detector → alerts.
//!
//! It feeds the detector what it asks for (cgroups, processes, containers, names),
//! tells the kernel what no rule can match, and takes up new rules between two
//! records. It owns the kernel's events; nobody else reads them.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use super::clock::{boot_unix_ns, boottime_ns};
use super::connections::{Connections, Telling};
use super::deliveries::Traced;
use super::feeder::Feeder;
use super::hosts::Hosts;
use super::met::Met;
use super::name_reader::NameReader;
use super::rule_loader::{Ready, RuleLoader};
use super::sink::{Out, Sink};
use super::watch_figures::{WatchFigures, cause, what};
use super::{PROC, PipelineError};
use crate::calls;
use crate::capture::{Preface, Writer};
use crate::config::Detection;
use crate::container::{Lookup, Sources};
use crate::detection::{Detector, Options, RuleSet, RuleSetError};
use crate::event::Node;
use crate::filter::Filter;
use crate::identity::Known;
use crate::kernel::events::{CgroupPaths, Events, Unsent};
use crate::process::{NameLimits, Names, ProcFs};
use crate::rules::diagnostic::Severity;
use crate::rules::load;
use crate::sinks::delivery::{Outbox, Ways};
use crate::sinks::recent::Recent;

/// How long the thread waits for a record at most before it looks around.
const TURN: Duration = Duration::from_millis(200);
/// How often figures are brought up to date.
const FIGURES_EVERY: Duration = Duration::from_secs(1);

/// What the thread can be told.
enum Command {
    /// Read the rules anew.
    Reload,
    /// Read them anew if their files say something else than before.
    Changed,
    /// Tell what is exported as traces.
    Trace(Option<Traced>),
    /// End.
    Stop,
}

/// The running watch.
pub(super) struct Watch {
    commands: Sender<Command>,
    thread: JoinHandle<Result<(), PipelineError>>,
    figures: Arc<Mutex<WatchFigures>>,
    recent: Arc<Recent>,
}

/// A way to tell a watch to read its rules anew, or what else is wanted of it.
#[derive(Clone)]
pub(super) struct Reload(Sender<Command>);

impl Reload {
    /// False when the watch is over.
    pub(super) fn reload(&self) -> bool {
        self.0.send(Command::Reload).is_ok()
    }

    /// The same, when something changed where the files are, which may be another file.
    pub(super) fn changed(&self) -> bool {
        self.0.send(Command::Changed).is_ok()
    }

    /// Has these alerts be exported as traces from now on.
    pub(super) fn trace(&self, traced: Option<Traced>) -> bool {
        self.0.send(Command::Trace(traced)).is_ok()
    }
}

/// What a watch works with.
pub(super) struct Parts {
    pub(super) events: Events,
    pub(super) paths: Arc<CgroupPaths>,
    pub(super) known: Arc<Known>,
    pub(super) detection: Detection,
    /// Where alerts are written; `None`: nowhere.
    pub(super) outbox: Option<Outbox>,
    /// Who beside standard output gets them.
    pub(super) ways: Ways,
    /// Which alerts are exported as traces; `None`: none.
    pub(super) traced: Option<Traced>,
    /// What is told of connections; `None`: nothing.
    pub(super) connections: Option<Telling>,
    /// Where everything is recorded.
    pub(super) record: Option<PathBuf>,
}

impl Watch {
    /// Loads the rules and begins to watch.
    pub(super) fn start(parts: Parts) -> Result<Self, PipelineError> {
        let options = load::Options {
            minimum_priority: parts.detection.minimum_priority,
            matching: parts.detection.matching,
        };
        let files = RuleSet::read(&parts.detection.paths);
        let (ready, reports) = Ready::of_files(files.clone(), &options)?;
        let warnings: usize =
            reports.iter().map(|report| report.with(Severity::Warning).count()).sum();
        if warnings > 0 {
            tracing::info!(
                warnings,
                "`landlord rules validate` tells what looks wrong with the rules"
            );
        }
        let figures = Arc::new(Mutex::new(WatchFigures::default()));
        let recent = Arc::new(Recent::default());
        let (commands, inbox) = channel();
        let loader = RuleLoader::new(parts.detection.paths.clone(), options, files);
        let Ready { rules, filter } = ready;
        let mut watcher = Watcher::new(parts, rules, loader, inbox, &figures, &recent)?;
        watcher.put_in_force(filter);
        let thread = std::thread::Builder::new()
            .name("detector".to_owned())
            .spawn(move || watcher.run())
            .map_err(PipelineError::io("starting the detector"))?;
        Ok(Self { commands, thread, figures, recent })
    }

    /// The figures of the last second.
    pub(super) fn figures(&self) -> Arc<Mutex<WatchFigures>> {
        Arc::clone(&self.figures)
    }

    /// The last alerts.
    pub(super) fn recent(&self) -> Arc<Recent> {
        Arc::clone(&self.recent)
    }

    pub(super) fn reload(&self) -> Reload {
        Reload(self.commands.clone())
    }

    /// Handles what is there, writes what was counted, and ends.
    pub(super) fn stop(self) -> Result<(), PipelineError> {
        if self.commands.send(Command::Stop).is_err() {
            tracing::debug!("the detector ended before it was asked to");
        }
        match self.thread.join() {
            Ok(result) => result,
            Err(_) => Err(PipelineError::Panicked("detector")),
        }
    }
}

struct Watcher {
    events: Events,
    feeder: Feeder,
    loader: RuleLoader,
    inbox: Receiver<Command>,
    figures: Arc<Mutex<WatchFigures>>,
    reloads: u64,
    reloads_failed: u64,
    /// By tenant, call and cause.
    drops: BTreeMap<(String, String, &'static str), u64>,
}

impl Watcher {
    fn new(
        parts: Parts,
        rules: RuleSet,
        loader: RuleLoader,
        inbox: Receiver<Command>,
        figures: &Arc<Mutex<WatchFigures>>,
        recent: &Arc<Recent>,
    ) -> Result<Self, PipelineError> {
        let Parts { events, paths, known, detection, outbox, .. } = parts;
        let Parts { ways, traced, connections, record, .. } = parts;
        let traces = traced.map(|traced| traced.share);
        let uname = rustix::system::uname();
        let hostname = std::env::var("FALCO_HOSTNAME")
            .unwrap_or_else(|_| uname.nodename().to_string_lossy().into_owned());
        let started_ns = boottime_ns();
        let node = Node {
            hostname: hostname.as_str().into(),
            boot_unix_ns: boot_unix_ns(),
            agent_started_ns: started_ns,
            zone: TimeZone::system(),
        };
        let recording = record
            .map(|path| -> Result<_, PipelineError> {
                let file = File::create(&path).map_err(|error| PipelineError::Capture {
                    path: path.clone(),
                    reason: error.into(),
                })?;
                let preface = Preface {
                    agent: env!("CARGO_PKG_VERSION").to_owned(),
                    hostname,
                    kernel: uname.release().to_string_lossy().into_owned(),
                    architecture: std::env::consts::ARCH.to_owned(),
                    boot_unix_ns: node.boot_unix_ns,
                    started_ns,
                };
                Writer::new(BufWriter::new(file), &preface)
                    .map_err(|reason| PipelineError::Capture { path, reason })
            })
            .transpose()?;
        let sink = Sink::new(
            Out { outbox, format: detection.format, ways, traces, recent: Arc::clone(recent) },
            Arc::clone(&known),
            node.boot_unix_ns,
        );
        let detector = Detector::new(
            rules,
            Options {
                node,
                zone: TimeZone::system(),
                repeats_ns: u64::try_from(detection.repeats.as_nanos()).unwrap_or(u64::MAX),
                memory_bytes: detection.memory_bytes,
                lineage: traced.map(|traced| traced.deeds),
            },
        );
        let (lookup, answers) = Lookup::start(Sources::default())
            .map_err(PipelineError::io("starting to ask container runtimes"))?;
        let finder = events.cgroups();
        let connections = connections
            .map(|telling| Connections::new(telling, Arc::clone(&known), Arc::clone(&paths)));
        let feeder = Feeder {
            paths,
            known,
            met: Met::default(),
            detector,
            sink,
            connections,
            connections_unreadable: 0,
            proc_fs: ProcFs::new(PROC, move |path| finder.id_of(std::str::from_utf8(path).ok()?)),
            names: Names::new(NameLimits::default()),
            reader: NameReader::start(Path::new(PROC))
                .map_err(PipelineError::io("starting the reader of names"))?,
            lookup,
            answers,
            asked: HashSet::new(),
            answers_refused: 0,
            hosts: Hosts::default(),
            recording,
            failure: None,
        };
        let figures = Arc::clone(figures);
        Ok(Self {
            events,
            feeder,
            loader,
            inbox,
            figures,
            reloads: 0,
            reloads_failed: 0,
            drops: BTreeMap::new(),
        })
    }

    /// Tells the kernel which calls the rules want, and what of them.
    fn put_in_force(&mut self, filter: Filter) {
        let detector = &mut self.feeder.detector;
        let rules = detector.rules();
        let plans = filter.plans().to_vec();
        let wanted = filter.wanted().iter().flat_map(calls::requests);
        let filter_requests =
            wanted.filter(|opcode| *opcode < 128).fold(0, |all, opcode| all | 1 << opcode);
        let names = rules.host_names();
        let count = rules.conditions().count();
        detector.set_filter(Some(filter));
        self.events.set_requests(filter_requests);
        self.events.set_plans(&plans);
        self.feeder.resolve(names);
        tracing::info!(rules = count, calls = plans.len(), "rules are in force");
    }

    fn run(mut self) -> Result<(), PipelineError> {
        self.feeder.begin();
        let mut figures_at = Instant::now();
        let verdicts = self.events.verdicts();
        loop {
            let feeder = &mut self.feeder;
            self.events.read(TURN, &mut |bytes| {
                feeder.record(bytes);
                // At once: until then each event of the subject is sent, and read here.
                for key in feeder.detector.take_verdicts() {
                    verdicts.set(key);
                }
            })?;
            feeder.turn();
            if figures_at.elapsed() >= FIGURES_EVERY {
                figures_at = Instant::now();
                self.tell_figures();
            }
            match self.inbox.try_recv() {
                Ok(Command::Reload) => self.loader.ask(true),
                Ok(Command::Changed) => self.loader.ask(false),
                Ok(Command::Trace(traced)) => {
                    self.feeder.sink.set_traces(traced.map(|traced| traced.share));
                    self.feeder.detector.set_lineage(traced.map(|traced| traced.deeds));
                }
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {}
            }
            if let Some(ready) = self.loader.done() {
                self.take_up(ready);
            }
        }
        self.stop()
    }

    fn stop(mut self) -> Result<(), PipelineError> {
        self.events.set_plans(&[]);
        let feeder = &mut self.feeder;
        // What was sent before that is still to be read.
        while self.events.read(Duration::ZERO, &mut |bytes| feeder.record(bytes))? != 0 {}
        feeder.turn();
        feeder.finish();
        self.tell_figures();
        match self.feeder.end_recording() {
            Some(reason) => {
                Err(PipelineError::Capture { path: PathBuf::from("the recording"), reason })
            }
            None => Ok(()),
        }
    }

    fn take_up(&mut self, ready: Result<Box<Ready>, RuleSetError>) {
        match ready {
            Ok(ready) => {
                let Ready { rules, filter } = *ready;
                self.reloads += 1;
                self.feeder.detector.set_rules(rules);
                self.put_in_force(filter);
            }
            Err(error) => {
                self.reloads_failed += 1;
                tracing::error!(%error, "the rules stay as they were");
            }
        }
    }

    fn tell_figures(&mut self) {
        let feeder = &mut self.feeder;
        match self.events.drops() {
            Ok(drops) => {
                if drops.iter().any(|drop| drop.of.is_of_processes()) {
                    feeder.reconcile();
                }
                for Unsent { cgroup, of, cause: why, count } in drops {
                    let drop = (feeder.tenant_of(cgroup), what(of).into_owned(), cause(why));
                    *self.drops.entry(drop).or_default() += count;
                }
            }
            Err(error) => tracing::warn!(%error, "the counters of drops cannot be read"),
        }
        let drops = self.drops.iter();
        let drops = drops
            .map(|((tenant, what, cause), count)| (tenant.clone(), what.clone(), *cause, *count));
        let drops = drops.collect();
        let figures = WatchFigures {
            statistics: feeder.detector.statistics(),
            counts: self.events.counts(),
            drops,
            rings_damaged: self.events.damaged(),
            hurried: self.events.hurried(),
            lookups: feeder.lookup.counts(),
            answers_refused: feeder.answers_refused,
            names: feeder.names.stats(),
            proc_fs: feeder.proc_fs.stats(),
            connections: feeder.connections.as_ref().map(Connections::counts),
            connections_unreadable: feeder.connections_unreadable,
            alerts: Arc::clone(feeder.sink.counts()),
            alerts_lost: feeder.sink.lost(),
            peers: feeder.sink.peers().clone(),
            reloads_failed: self.reloads_failed,
            reloads: self.reloads,
        };
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner) = figures;
    }
}
