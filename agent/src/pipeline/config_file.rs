//! Follows the configuration file: what it says of tenants and of those who are told counts
//! while the agent runs.
//!
//! New rules may ask for annotations of namespaces that nobody has kept. They count when
//! the API server has told those; until then the rules from before do, as nobody would be
//! given what is another's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::field::Empty;
use tracing::info_span;

use super::deliveries::SinkError;
use super::file_watch::{self, FileWatch};
use crate::config::{Config, Sinks};
use crate::identity::TenantRules;
use crate::identity::kubernetes::watch::Keys;
use crate::telemetry::{self, WORK};

/// How often the file was read again, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Reloads {
    ok: AtomicU64,
    failed: AtomicU64,
}

impl Reloads {
    /// So often it could be used.
    pub(super) fn ok(&self) -> u64 {
        self.ok.load(Ordering::Relaxed)
    }

    /// So often it could not.
    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// The file and the rules of the agent, which follow it until this is dropped.
pub(super) struct ConfigFile {
    reader: Reader,
    _files: Option<FileWatch>,
    taker: JoinHandle<()>,
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        self.taker.abort();
    }
}

impl ConfigFile {
    /// Follows the file of this configuration. New rules are given to `take_rules`, the
    /// next ones when that is done; who is told to `take_sinks`, which says what cannot be
    /// used.
    pub(super) fn follow<F>(
        config: &Config,
        reloads: &Arc<Reloads>,
        annotations: Option<Annotations>,
        take_rules: impl Fn(TenantRules) -> F + Send + Sync + 'static,
        take_sinks: impl Fn(&Sinks) -> Vec<SinkError> + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (rules, news) = watch::channel(config.tenants.clone());
        let reader = Reader::new(config.clone(), Arc::clone(reloads), rules, Arc::new(take_sinks));
        let watching = reader.clone();
        let paths = [config.path().to_owned()];
        let files = file_watch::watch("config-file", &paths, move || {
            watching.read(false);
            true
        });
        let files = files
            .inspect_err(|error| {
                let file = config.path().display();
                tracing::debug!(%file, %error, "changes are not noticed; SIGHUP reads the file");
            })
            .ok();
        Self { reader, _files: files, taker: tokio::spawn(take_up(news, annotations, take_rules)) }
    }

    /// Reads the file, also when it is the same.
    pub(super) fn reload(&self) {
        let reader = self.reader.clone();
        // Reading and compiling may take a while; nobody waits for it.
        drop(tokio::task::spawn_blocking(move || reader.read(true)));
    }
}

/// Reads the file.
#[derive(Clone)]
struct Reader {
    last: Arc<Mutex<Last>>,
    reloads: Arc<Reloads>,
    rules: watch::Sender<TenantRules>,
    sinks: Arc<TakeSinks>,
}

/// Takes sinks; those that cannot be used stay as they were.
type TakeSinks = dyn Fn(&Sinks) -> Vec<SinkError> + Send + Sync;

/// What was read last.
struct Last {
    /// As the agent started.
    config: Config,
    /// Whether it could be used or not.
    text: Option<Vec<u8>>,
}

impl Reader {
    fn new(
        config: Config,
        reloads: Arc<Reloads>,
        rules: watch::Sender<TenantRules>,
        sinks: Arc<TakeSinks>,
    ) -> Self {
        let text = config.text().map(<[u8]>::to_vec);
        Self { last: Arc::new(Mutex::new(Last { config, text })), reloads, rules, sinks }
    }

    /// Reads the file anew; without `always` only if it says something else than before.
    fn read(&self, always: bool) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the file is read again: what changes between is a change afterwards.
        let text = last.config.text_now();
        if !always && text == last.text {
            return;
        }
        last.text = text;
        let reload = info_span!(target: WORK, "config.reload", error = Empty);
        let again = last.config.again();
        telemetry::failed(&reload, again.as_ref().err());
        match again {
            Ok(next) => {
                self.reloads.ok.fetch_add(1, Ordering::Relaxed);
                self.taken(&last.config, next);
            }
            Err(error) => {
                self.reloads.failed.fetch_add(1, Ordering::Relaxed);
                tracing::error!("the configuration stays as it was: {error}");
            }
        }
    }

    fn taken(&self, first: &Config, next: Config) {
        for warning in &next.warnings {
            tracing::warn!("{warning}");
        }
        let keys = first.needs_restart(&next);
        if !keys.is_empty() {
            tracing::warn!(keys = keys.join(", "), "what the file says of these needs a restart");
        }
        for error in (self.sinks)(&next.sinks) {
            tracing::error!("it stays as it was: {error}");
        }
        let is_news = self.rules.send_if_modified(|rules| {
            let is_news = !rules.says_the_same(&next.tenants);
            *rules = next.tenants;
            is_news
        });
        let file = first.path().display();
        tracing::info!(%file, tenant_rules_changed = is_news, "the configuration was read again");
    }
}

/// Asks for annotations of namespaces.
pub(super) struct Annotations {
    wanted: watch::Sender<Keys>,
    /// Those of which all is told.
    told: watch::Receiver<Keys>,
}

impl Annotations {
    pub(super) const fn new(wanted: watch::Sender<Keys>, told: watch::Receiver<Keys>) -> Self {
        Self { wanted, told }
    }

    /// Returns when these are told, beside those that were before.
    async fn add(&mut self, keys: &[Box<str>]) {
        let is_in = |all: &Keys| keys.iter().all(|key| all.contains(key));
        self.wanted.send_if_modified(|wanted| {
            let more: Vec<_> = keys.iter().filter(|key| !wanted.contains(key)).cloned().collect();
            *wanted = wanted.iter().cloned().chain(more.iter().cloned()).collect();
            !more.is_empty()
        });
        if !is_in(&self.told.borrow()) {
            tracing::info!("new rules of tenants wait for annotations of namespaces");
        }
        if self.told.wait_for(is_in).await.is_err() {
            // The agent ends.
            std::future::pending::<()>().await;
        }
    }

    /// Wants no others any more.
    fn keep(&self, keys: &[Box<str>]) {
        self.wanted.send_if_modified(|wanted| {
            let is_other = wanted.iter().any(|key| !keys.contains(key));
            *wanted = keys.into();
            is_other
        });
    }
}

/// Hands rules on as soon as they can be used.
async fn take_up<F: Future<Output = ()>>(
    mut news: watch::Receiver<TenantRules>,
    mut annotations: Option<Annotations>,
    take: impl Fn(TenantRules) -> F,
) {
    let mut is_known = news.changed().await.is_ok();
    while is_known {
        let rules = news.borrow_and_update().clone();
        let keys: Vec<Box<str>> = rules.annotations().map(Box::from).collect();
        if let Some(annotations) = &mut annotations {
            tokio::select! {
                biased;
                () = annotations.add(&keys) => {}
                changed = news.changed() => {
                    is_known = changed.is_ok();
                    continue;
                }
            }
        }
        take(rules).await;
        tracing::info!("new rules of tenants are in force");
        if let Some(annotations) = &annotations {
            annotations.keep(&keys);
        }
        is_known = news.changed().await.is_ok();
    }
}

#[cfg(test)]
#[path = "config_file_tests.rs"]
mod tests;
