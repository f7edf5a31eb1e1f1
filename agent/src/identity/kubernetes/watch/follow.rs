//! One source, followed: listed, watched, and after an interruption begun anew.

use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use kube::runtime::utils::Backoff as _;
use kube::runtime::watcher::{self, DefaultBackoff, Event};
use kube::{Api, Resource};
use tokio::sync::mpsc;
use tracing::field::Empty;
use tracing::{Span, info, info_span, warn};

use super::{Keys, Patience, Plan, Wanted, Watched};
use crate::identity::cluster::change::Trouble;
use crate::identity::cluster::{Change, Health, Update};
use crate::identity::kubernetes::client::{Access, Signs};
use crate::identity::kubernetes::trouble;
use crate::telemetry::{self, WORK};

/// A source that is watched.
pub(super) struct Watch<K, T> {
    plan: Plan<K, T>,
    signs: Arc<Signs>,
    patience: Patience,
    news: mpsc::Sender<Change>,
    /// What was told last, unless all is well.
    trouble: Option<Trouble>,
    backoff: DefaultBackoff,
}

/// Nobody listens any more.
struct Closed;

/// How a watch came to its end.
enum End {
    /// Begin with a list.
    Anew,
    /// The same, and as this server cannot list by a watch, by pages.
    Paged,
}

impl<K, T> Plan<K, T> {
    /// Which annotations are kept now.
    fn kept(&mut self) -> Keys {
        let annotations = self.annotations.as_mut();
        annotations.map_or_else(|| [].into(), |it| Arc::clone(&it.borrow_and_update()))
    }

    /// Returns when others are to be kept than [`Self::kept`] said.
    async fn keeps_others(&mut self) {
        if let Some(annotations) = &mut self.annotations
            && annotations.changed().await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

impl<K, T> Watch<K, T> {
    /// A watch that is still to run, and what it asks.
    pub(super) fn new(
        access: &Access,
        wanted: &Wanted,
        news: &mpsc::Sender<Change>,
        plan: Plan<K, T>,
    ) -> (Self, Api<K>) {
        let signs = Arc::<Signs>::default();
        let api = (plan.api)(access.observed_client(Arc::clone(&signs)));
        let watch = Self {
            plan,
            signs,
            patience: wanted.patience,
            news: news.clone(),
            trouble: None,
            backoff: DefaultBackoff::default(),
        };
        (watch, api)
    }
}

impl<K, T> Watch<K, T>
where
    K: Resource<DynamicType = ()> + Watched,
    T: Send + 'static,
{
    /// Tells until nobody listens any more.
    pub(super) async fn run(mut self, api: Api<K>) {
        if let Some(preface) = self.plan.preface.take()
            && self.send(preface).await.is_err()
        {
            return;
        }
        let mut config = self.plan.config.clone();
        loop {
            match self.follow(api.clone(), config.clone()).await {
                Ok(End::Anew) => {}
                Ok(End::Paged) => {
                    config = watcher::Config {
                        initial_list_strategy: watcher::InitialListStrategy::ListWatch,
                        ..config
                    }
                }
                Err(Closed) => return,
            }
        }
    }

    /// The work of listing all that exists.
    fn list_begins(&self) -> Span {
        let source = self.plan.source.label();
        info_span!(target: WORK, "kubernetes.list", source, objects = Empty, error = Empty)
    }

    /// Lists and watches until that cannot go on.
    async fn follow(&mut self, api: Api<K>, config: watcher::Config) -> Result<End, Closed> {
        let streams = config.initial_list_strategy == watcher::InitialListStrategy::StreamingList;
        let keys = self.plan.kept();
        let mut stream = pin!(watcher::watcher(api, config));
        // All that exists, while it is being listed.
        let mut all = Some(Vec::new());
        let mut list = Span::none();
        loop {
            let listing = all.is_some();
            let event = tokio::select! {
                biased;
                () = self.signs.granted.notified(), if !listing => {
                    self.backoff.reset();
                    self.recovered().await?;
                    continue;
                }
                () = self.plan.keeps_others() => return Ok(End::Anew),
                event = stream.next() => event,
                () = tokio::time::sleep(self.patience.piece), if listing => {
                    let silent = format!("the list stopped for {} s", self.patience.piece.as_secs_f32());
                    self.interrupted(Trouble::Unreachable(silent)).await?;
                    // Perhaps it will never say that this was all.
                    return Ok(if streams { End::Paged } else { End::Anew });
                }
            };
            match event {
                None => return Ok(End::Anew),
                Some(Ok(Event::Init)) => {
                    all = Some(Vec::new());
                    list = self.list_begins();
                }
                Some(Ok(Event::InitApply(object))) => {
                    if let (Some(all), Some(object)) =
                        (&mut all, (self.plan.convert)(object, &keys))
                    {
                        all.push(object);
                    }
                }
                Some(Ok(Event::InitDone)) => {
                    let all = all.take().unwrap_or_default();
                    list.record("objects", all.len() as u64);
                    list = Span::none();
                    self.tell(Update::All(all)).await?;
                    if self.plan.annotations.is_some() {
                        self.send(Change::Annotations(Arc::clone(&keys))).await?;
                    }
                    self.backoff.reset();
                    self.synced().await?;
                }
                Some(Ok(Event::Apply(object))) => self.changed(object, &keys, Update::Put).await?,
                Some(Ok(Event::Delete(object))) => {
                    self.changed(object, &keys, Update::Gone).await?;
                }
                Some(Err(error)) => {
                    telemetry::failed(&list, Some(&error));
                    if streams && listing && trouble::refuses_streams(&error) {
                        return Ok(End::Paged);
                    }
                    self.wait(&error).await?;
                    if trouble::is_gone(&error) {
                        return Ok(End::Anew);
                    }
                }
            }
        }
    }

    async fn changed(
        &mut self,
        object: K,
        keys: &Keys,
        update: fn(T) -> Update<T>,
    ) -> Result<(), Closed> {
        match (self.plan.convert)(object, keys) {
            Some(object) => self.tell(update(object)).await,
            None => Ok(()),
        }
    }

    /// Waits before the next attempt, and tells why if that is worth telling: that a
    /// connection broke is not before the next one fails, too.
    async fn wait(&mut self, error: &watcher::Error) -> Result<(), Closed> {
        let Some(trouble) = trouble::of(error) else {
            return Ok(());
        };
        let wished = self.signs.take_retry_after();
        let pause = trouble::pause(&trouble, wished, &self.patience)
            .max(self.backoff.next().unwrap_or_default());
        if !matches!(error, watcher::Error::WatchFailed(_)) {
            self.interrupted(trouble).await?;
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn interrupted(&mut self, trouble: Trouble) -> Result<(), Closed> {
        if self.trouble.as_ref() == Some(&trouble) {
            return Ok(());
        }
        let reason = trouble.label();
        if self.trouble.as_ref().map(Trouble::label) != Some(reason) {
            let (source, text) = (self.plan.source.label(), trouble.text());
            warn!(source, reason, "the API server does not answer as wanted: {text}");
        }
        self.trouble = Some(trouble.clone());
        self.send(Change::Health(self.plan.source, Health::Interrupted(trouble))).await
    }

    async fn recovered(&mut self) -> Result<(), Closed> {
        if self.trouble.is_some() { self.synced().await } else { Ok(()) }
    }

    async fn synced(&mut self) -> Result<(), Closed> {
        if self.trouble.take().is_some() {
            info!(source = self.plan.source.label(), "the API server answers again");
        }
        self.send(Change::Health(self.plan.source, Health::Synced)).await
    }

    async fn tell(&self, update: Update<T>) -> Result<(), Closed> {
        self.send((self.plan.tell)(update)).await
    }

    async fn send(&self, change: Change) -> Result<(), Closed> {
        self.news.send(change).await.map_err(|_| Closed)
    }
}
