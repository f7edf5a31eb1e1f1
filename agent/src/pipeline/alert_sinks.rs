//! The sinks of alerts: what waits on the disk for each, and who carries it. Those of the
//! configuration may become others while the agent runs.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

use super::deliveries::{SinkError, SinkProblem};
use crate::config::{SinkSettings, SpoolPlace, Target};
use crate::sinks::backends::alertmanager::Alertmanager;
use crate::sinks::backends::falco_http::FalcoHttp;
use crate::sinks::backends::file::AlertFile;
use crate::sinks::backends::syslog::Syslog;
use crate::sinks::client::{Client, ClientError};
use crate::sinks::delivery::{Courier, Destination, Pace, Route, Tray, Ways};
use crate::sinks::spool::Spool;

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
    /// As configured; `None`: it stays as long as the agent.
    settings: Option<SinkSettings>,
    route: Route,
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

    /// Adds a sink that stays as long as the agent.
    ///
    /// # Errors
    ///
    /// When its queue or a thread cannot be had.
    pub(super) fn add(
        &self,
        name: &str,
        route: Route,
        pace: Pace,
        destination: Box<dyn Destination>,
    ) -> Result<(), SinkError> {
        let failed = |reason| SinkError { name: name.to_owned(), reason };
        let tray = self.tray(name, pace).map_err(failed)?;
        let courier = Some(self.courier(&tray, destination).map_err(failed)?);
        let mut running = self.lock();
        running.push(Running { settings: None, route, tray, courier });
        self.tell(&running);
        Ok(())
    }

    /// Has the sinks of the configuration be these. One that says the same as before is
    /// left alone; of another one what waits goes where it says now; of one that is not
    /// there any more what waits stays on the disk. Waits for last attempts, seconds.
    ///
    /// # Errors
    ///
    /// Those that cannot be used; they stay as they were, the others are taken.
    pub(super) fn set(&self, list: &[SinkSettings]) -> Vec<SinkError> {
        let mut errors = Vec::new();
        let mut running = self.lock();
        let is_wanted = |it: &Running| {
            let name = it.settings.as_ref().map(|settings| &settings.name);
            name.is_none_or(|name| list.iter().any(|sink| sink.name == *name))
        };
        let (wanted, unwanted) = running.drain(..).partition(is_wanted);
        *running = wanted;
        for settings in list {
            let failed = |reason| SinkError { name: settings.name.clone(), reason };
            let name = |it: &Running| it.settings.as_ref().map(|it| it.name.clone());
            let found = running.iter_mut().find(|it| name(it).as_ref() == Some(&settings.name));
            let outcome = match found {
                Some(found) => self.exchange(found, settings),
                None => self.begin(settings).map(|begun| running.push(begun)),
            };
            errors.extend(outcome.map_err(failed).err());
        }
        // As configured, then those that stay.
        let place = |it: &Running| {
            let settings = it.settings.as_ref();
            settings.and_then(|it| list.iter().position(|sink| sink.name == it.name))
        };
        running.sort_by_key(|it| place(it).unwrap_or(usize::MAX));
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
        self.ways.set(running.iter().map(|it| (it.route.clone(), Arc::clone(&it.tray))));
    }

    fn begin(&self, settings: &SinkSettings) -> Result<Running, SinkProblem> {
        let destination = self.destination(settings)?;
        let tray = self.tray(&settings.name, settings.pace)?;
        let courier = Some(self.courier(&tray, destination)?);
        let (settings, route) = (Some(settings.clone()), settings.route.clone());
        Ok(Running { settings, route, tray, courier })
    }

    /// Lets another courier carry what waits.
    fn exchange(&self, running: &mut Running, settings: &SinkSettings) -> Result<(), SinkProblem> {
        if running.settings.as_ref() == Some(settings) {
            return Ok(());
        }
        let destination = self.destination(settings)?;
        running.courier = None;
        running.tray.begin_again(settings.pace);
        running.courier = Some(self.courier(&running.tray, destination)?);
        running.route = settings.route.clone();
        running.settings = Some(settings.clone());
        tracing::info!(sink = settings.name, "alerts go where the configuration says now");
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

    fn destination(&self, sink: &SinkSettings) -> Result<Box<dyn Destination>, ClientError> {
        let _inside = self.runtime.enter();
        let client = || Client::new(&sink.access);
        let node = self.node.clone();
        Ok(match &sink.target {
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
