//! The sinks of alerts: what waits on the disk for each, and who carries it. They may
//! become others while the agent runs.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

use super::deliveries::{SinkError, SinkProblem};
use crate::config::{SinkSettings, SpoolPlace, Target};
use crate::sinks::backends::alertmanager::Alertmanager;
use crate::sinks::backends::falco_http::FalcoHttp;
use crate::sinks::backends::file::AlertFile;
use crate::sinks::backends::syslog::Syslog;
use crate::sinks::client::{Access, Client, ClientError};
use crate::sinks::delivery::{Courier, Destination, Pace, Route, Tray, Ways};
use crate::sinks::otlp::logs::AlertLogs;
use crate::sinks::otlp::traces::AlertTraces;
use crate::sinks::otlp::{Export, Node};
use crate::sinks::spool::Spool;

/// A back-end of OpenTelemetry, and of whom it is told.
pub(super) struct Line {
    pub(super) export: Export,
    pub(super) node: Node,
}

/// A sink as it is wanted.
#[derive(Clone, PartialEq)]
pub(super) struct Wanted {
    /// No other sink has it.
    pub(super) name: String,
    pub(super) to: To,
    pub(super) route: Route,
    pub(super) pace: Pace,
}

/// Who gets alerts.
#[derive(Clone)]
pub(super) enum To {
    Backend(Box<(Target, Access)>),
    /// As log records.
    Logs(Arc<Line>),
    /// As traces.
    Traces(Arc<Line>),
}

impl PartialEq for To {
    /// Whether it is reached in the same way.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Backend(target), Self::Backend(other)) => target == other,
            (Self::Logs(line), Self::Logs(other)) | (Self::Traces(line), Self::Traces(other)) => {
                Arc::ptr_eq(line, other)
            }
            _ => false,
        }
    }
}

impl From<&SinkSettings> for Wanted {
    fn from(sink: &SinkSettings) -> Self {
        let SinkSettings { name, target, route, pace, access } = sink.clone();
        Self { name, to: To::Backend(Box::new((target, access))), route, pace }
    }
}

/// See the module.
pub(super) struct AlertSinks {
    place: SpoolPlace,
    /// What alerts say where they come from.
    node: String,
    runtime: Handle,
    ways: Ways,
    running: Mutex<Vec<Running>>,
}

/// One sink.
struct Running {
    wanted: Wanted,
    tray: Arc<Tray>,
    /// `None` only while it is exchanged.
    courier: Option<Courier>,
}

impl AlertSinks {
    /// None yet. To be called where tokio runs.
    pub(super) fn new(place: SpoolPlace, node: &str) -> Self {
        let (ways, running) = (Ways::default(), Mutex::default());
        Self { place, node: node.to_owned(), runtime: Handle::current(), ways, running }
    }

    /// Where alerts go.
    pub(super) fn ways(&self) -> Ways {
        self.ways.clone()
    }

    /// Has the sinks be these. One that says the same as before is
    /// left alone; of another one what waits goes where it says now; of one that is not
    /// there any more what waits stays on the disk. Waits for last attempts, seconds.
    ///
    /// # Errors
    ///
    /// Those that cannot be used; they stay as they were, the others are taken.
    pub(super) fn set(&self, list: &[Wanted]) -> Vec<SinkError> {
        let mut errors = Vec::new();
        let mut running = self.lock();
        let place = |it: &Running| list.iter().position(|sink| sink.name == it.wanted.name);
        let (wanted, unwanted) = running.drain(..).partition(|it| place(it).is_some());
        *running = wanted;
        for sink in list {
            let found = running.iter_mut().find(|it| it.wanted.name == sink.name);
            let outcome = match found {
                Some(found) => self.exchange(found, sink),
                None => self.begin(sink).map(|begun| running.push(begun)),
            };
            let failed = |reason| SinkError { name: sink.name.clone(), reason };
            errors.extend(outcome.map_err(failed).err());
        }
        running.sort_by_key(place);
        self.tell(&running);
        drop(running);
        end(unwanted);
        errors
    }

    /// Lets all make their last attempts.
    pub(super) fn end(&self) {
        end(std::mem::take(&mut *self.lock()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells who hands alerts on.
    fn tell(&self, running: &[Running]) {
        self.ways.set(running.iter().map(|it| (it.wanted.route.clone(), Arc::clone(&it.tray))));
    }

    fn begin(&self, wanted: &Wanted) -> Result<Running, SinkProblem> {
        let destination = self.destination(wanted)?;
        let tray = self.tray(&wanted.name, wanted.pace)?;
        let courier = Some(self.courier(&tray, destination)?);
        Ok(Running { wanted: wanted.clone(), tray, courier })
    }

    /// Lets another courier carry what waits.
    fn exchange(&self, running: &mut Running, wanted: &Wanted) -> Result<(), SinkProblem> {
        if running.wanted == *wanted {
            return Ok(());
        }
        let destination = self.destination(wanted)?;
        running.courier = None;
        running.tray.begin_again(wanted.pace);
        running.courier = Some(self.courier(&running.tray, destination)?);
        running.wanted = wanted.clone();
        tracing::info!(sink = wanted.name, "alerts go where the configuration says now");
        Ok(())
    }

    fn tray(&self, name: &str, pace: Pace) -> Result<Arc<Tray>, SinkProblem> {
        let spool = Spool::open(&self.place.path.join(name), self.place.bytes)?;
        let waiting = spool.figures().entries;
        if waiting > 0 {
            tracing::info!(sink = name, waiting, "alerts of before wait to be delivered");
        }
        Ok(Arc::new(Tray::new(name, spool, pace)))
    }

    fn courier(
        &self,
        tray: &Arc<Tray>,
        destination: Box<dyn Destination>,
    ) -> Result<Courier, SinkProblem> {
        let (tray, runtime) = (Arc::clone(tray), self.runtime.clone());
        Courier::start(tray, destination, runtime).map_err(SinkProblem::Thread)
    }

    fn destination(&self, sink: &Wanted) -> Result<Box<dyn Destination>, ClientError> {
        let _inside = self.runtime.enter();
        let (target, access) = match &sink.to {
            To::Backend(target) => &**target,
            To::Logs(line) => {
                return Ok(Box::new(AlertLogs::new(line.export.clone(), line.node.clone())));
            }
            To::Traces(line) => {
                let (export, node) = (line.export.clone(), line.node.clone());
                return Ok(Box::new(AlertTraces::new(export, node, sink.route.share)));
            }
        };
        let client = || Client::new(access);
        let node = self.node.clone();
        Ok(match target {
            Target::FalcoHttp(uri) => Box::new(FalcoHttp::new(client()?, uri.clone())),
            Target::Alertmanager { uri, resolve } => {
                Box::new(Alertmanager::new(client()?, uri.clone(), node, *resolve))
            }
            Target::Syslog(receiver) => Box::new(Syslog::new(receiver.clone(), node)),
            Target::File { path, most, keep } => {
                Box::new(AlertFile::new(path.clone(), *most, *keep))
            }
        })
    }
}

/// All make their last attempts at the same time.
fn end(sinks: Vec<Running>) {
    for sink in &sinks {
        sink.tray.end();
    }
    for Running { tray, courier, .. } in sinks {
        drop(courier);
        let waiting = tray.figures().spool.entries;
        if waiting > 0 {
            tracing::info!(sink = tray.name(), waiting, "alerts stay on the disk");
        }
    }
}

#[cfg(test)]
#[path = "alert_sinks_tests.rs"]
mod tests;
