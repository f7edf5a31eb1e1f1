//! Feeds the detector what it asks for beside records: cgroups, processes, containers,
//! names, addresses. Writes what it feeds into the recording, if there is one.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tracing::field::Empty;
use tracing::info_span;

use super::PROC;
use super::clock::{boottime_ns, monotonic_ns};
use super::connections::Connections;
use super::hosts::{Hosts, Resolved};
use super::met::{Met, whose};
use super::name_reader::NameReader;
use super::sink::Sink;
use crate::capture::{CaptureError, Writer};
use crate::container::{Answer, ContainerFacts, Lookup};
use crate::decode::{self, DecodeError};
use crate::detection::{Container, Detector, Input};
use crate::event::Connection;
use crate::identity::{CgroupId, Known};
use crate::kernel::events::{CgroupPaths, Place};
use crate::process::{Names, NamesAnswer, ProcFs};
use crate::telemetry::{self, WORK};

/// All but the rings, so that it can be fed while they are read.
pub(super) struct Feeder {
    pub(super) paths: Arc<CgroupPaths>,
    pub(super) known: Arc<Known>,
    pub(super) detector: Detector,
    pub(super) proc_fs: ProcFs,
    /// What was read of names, and when to read again; the detector has its own.
    pub(super) names: Names,
    pub(super) reader: NameReader,
    pub(super) lookup: Lookup,
    pub(super) answers: Receiver<Answer>,
    /// Cgroups that the detector was told of.
    pub(super) met: Met,
    /// Answers about containers that were not kept for want of room.
    pub(super) answers_refused: u64,
    /// Containers that were asked for and whose last answer is still to come.
    pub(super) asked: HashSet<Box<str>>,
    pub(super) sink: Sink,
    /// Takes ends of connections, where they are told.
    pub(super) connections: Option<Connections>,
    /// Ends of connections that could not be read.
    pub(super) connections_unreadable: u64,
    /// Addresses of the hosts that rules name.
    pub(super) hosts: Hosts,
    pub(super) recording: Option<Writer<BufWriter<File>>>,
    pub(super) failure: Option<CaptureError>,
}

impl Feeder {
    /// Tells of the processes that run already. Records that come meanwhile are newer
    /// and win.
    pub(super) fn begin(&mut self) {
        if let Some(request) = self.names.due(None, 1, boottime_ns()) {
            let answer = request.read(Path::new(PROC));
            self.named(answer);
        }
        match self.proc_fs.scan().map(Iterator::collect::<Vec<_>>) {
            Ok(found) => {
                for facts in found {
                    self.feed(&Input::Process(Box::new(facts)));
                }
            }
            Err(error) => tracing::error!(%error, "the processes that run already are not known"),
        }
    }

    /// Hands names on, if they changed.
    fn named(&mut self, answer: NamesAnswer) {
        let container = answer.container().map(Box::<str>::from);
        if self.names.take(answer) {
            let found = self.names.snapshot().find(|names| names.container == container).cloned();
            if let Some(names) = found {
                self.feed(&Input::Names(Box::new(names)));
            }
        }
    }

    fn feed(&mut self, input: &Input<'_>) {
        if let Some(recording) = &mut self.recording
            && let Err(error) = recording.write(input)
        {
            tracing::error!(%error, "the recording ends here");
            self.failure = Some(error);
            self.recording = None;
        }
        let sink = &mut self.sink;
        self.detector.apply(input, &mut |alert| sink.alert(alert));
    }

    pub(super) fn record(&mut self, bytes: &[u8]) {
        if let Some(connection) = decode::connection(bytes) {
            return self.connection(connection);
        }
        let unknown = self.detector.unknown(bytes);
        if let Some(cgroup) = unknown.cgroup {
            self.learn(cgroup, unknown.pid);
        }
        if let Some((pid, start_ns)) = unknown.process {
            let facts = self.proc_fs.read(pid);
            if let Some(facts) = facts.filter(|it| it.start_ns.abs_diff(start_ns) < 20_000_000) {
                self.feed(&Input::Process(Box::new(facts)));
            }
        }
        self.feed(&Input::Record(bytes));
    }

    fn connection(&mut self, connection: Result<Connection, DecodeError>) {
        match (connection, &mut self.connections) {
            (Ok(connection), Some(connections)) => connections.take(connection),
            (Ok(_), None) => {}
            (Err(error), _) => {
                self.connections_unreadable += 1;
                tracing::debug!(%error, "the end of a connection");
            }
        }
    }

    /// Finds out where a cgroup is.
    fn learn(&mut self, id: u64, pid: u32) {
        let path = self.paths.path(CgroupId(id));
        let cgroup = self.known.ask(monotonic_ns(), |known| self.met.meet(id, path, known));
        self.feed(&Input::Cgroup(cgroup));
        let container = self.detector.container_of(id);
        match container.map(|(container, runtime)| (Box::<str>::from(container), runtime)) {
            Some((container, runtime)) => {
                self.place(id, Place::Container);
                if let Some(request) = self.names.due(Some(&container), pid, boottime_ns()) {
                    self.reader.read(request);
                }
                if self.detector.awaits(&container) && self.asked.insert(container.clone()) {
                    let asked = self.lookup.request(&container, runtime, Some(pid));
                    if !asked {
                        self.answer(&container, None, true);
                    }
                }
            }
            None => self.place(id, Place::Host),
        }
    }

    /// Tells the kernel side where a cgroup is; one without a slot stays unknown there.
    fn place(&self, id: u64, place: Place) {
        if !self.paths.set_place(CgroupId(id), place) {
            tracing::debug!(cgroup = id, "a cgroup without a slot");
        }
    }

    /// Tells of cgroups that are another's than was told, or of whom more is known.
    fn look_again(&mut self) {
        let detector = &self.detector;
        let changed = self.known.ask(monotonic_ns(), |known| {
            self.met.look_again(known, |cgroup| detector.knows(cgroup))
        });
        for cgroup in changed {
            self.feed(&Input::Cgroup(cgroup));
        }
    }

    fn answer(&mut self, id: &str, facts: Option<&Arc<ContainerFacts>>, is_final: bool) {
        if is_final {
            self.asked.remove(id);
        }
        // Nobody would have one forgotten whose cgroups are forgotten already.
        if let Some(facts) = facts.filter(|_| self.detector.has_container(id))
            && !self.known.tell_container(Arc::clone(facts))
        {
            self.answers_refused += 1;
        }
        let facts = facts.map(|facts| facts.as_ref().clone());
        let answer = Container { id: id.to_owned(), facts, is_final };
        self.feed(&Input::Container(Box::new(answer)));
    }

    /// What is to be done whether or not records came.
    pub(super) fn turn(&mut self) {
        while let Ok(answer) = self.answers.try_recv() {
            self.answer(&answer.id, answer.facts.as_ref(), answer.is_final);
        }
        self.look_again();
        while let Some(answer) = self.reader.answer() {
            self.named(answer);
        }
        for container in self.detector.take_left() {
            self.asked.remove(&container);
            self.known.forget_container(&container);
            // Nobody has to be told: what is remembered there is bounded, too.
            self.lookup.forget(&container);
        }
        for parent in self.detector.take_orphans() {
            if let Some(facts) = self.proc_fs.read(parent) {
                self.feed(&Input::Process(Box::new(facts)));
            }
        }
        while let Some(host) = self.hosts.answer() {
            self.host(host);
        }
        self.feed(&Input::Time(boottime_ns()));
        self.sink.turn();
        if let Some(connections) = &mut self.connections {
            connections.turn();
        }
    }

    /// Finds out the addresses of the hosts that new rules name.
    pub(super) fn resolve(&mut self, names: Vec<String>) {
        for host in self.hosts.set(names) {
            self.host(host);
        }
    }

    fn host(&mut self, Resolved { name, addresses }: Resolved) {
        self.feed(&Input::Host { name, addresses });
    }

    /// Looks at all processes anew, after the kernel side lost what became of some.
    pub(super) fn reconcile(&mut self) {
        let work = info_span!(target: WORK, "processes.reconcile", found = Empty, error = Empty);
        let begun_ns = boottime_ns();
        let found = self.proc_fs.scan().map(Iterator::collect::<Vec<_>>);
        telemetry::failed(&work, found.as_ref().err());
        match found {
            Ok(found) => {
                work.record("found", found.len() as u64);
                self.feed(&Input::Processes(begun_ns, found));
            }
            Err(error) => tracing::error!(%error, "processes cannot be read anew"),
        }
    }

    pub(super) fn finish(&mut self) {
        let sink = &mut self.sink;
        self.detector.finish(&mut |alert| sink.alert(alert));
        sink.finish();
        if let Some(connections) = &mut self.connections {
            connections.finish();
        }
    }

    pub(super) fn end_recording(&mut self) -> Option<CaptureError> {
        let failure = self.failure.take();
        let ended = self.recording.take().map(Writer::finish);
        failure.or_else(|| ended.and_then(Result::err))
    }

    pub(super) fn tenant_of(&mut self, cgroup: CgroupId) -> String {
        let path = self.paths.path(cgroup);
        self.tenant(path.as_deref())
    }

    fn tenant(&self, path: Option<&str>) -> String {
        let owner = self.known.ask(monotonic_ns(), |known| whose(0, path, false, known));
        owner.tenant
    }
}
