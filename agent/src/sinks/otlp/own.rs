//! The agent's own work as traces: what it reads anew, lists, reconciles and delivers.
//!
//! These are the spans of `tracing` whose target is [`WORK`]; nothing that is done for
//! each event or alert is one. They wait for nobody: what does not fit or is not taken
//! is counted and gone. Where nobody wants them none is made.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes as Given, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::Export;
use super::attributes::{Attributes, flag, number, text};
use super::resource::{Node, scope};
use super::traces::FLAGS;
use crate::identity::HOST;
use crate::telemetry::WORK;

/// Spans that wait to be exported at most.
const QUEUE: usize = 1024;
/// Spans of a request at most.
const BATCH: usize = 512;
/// For how long spans are collected before they are sent.
const EVERY: Duration = Duration::from_secs(5);
/// The field that says why something failed.
const ERROR: &str = "error";

/// What became of the spans since the agent started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Requests that arrived.
    pub delivered: u64,
    /// Requests that did not.
    pub failed: u64,
    /// Spans that are lost.
    pub lost: u64,
    /// The time that requests took together, seconds.
    pub seconds: f64,
}

/// Spans that are over, once somebody [wants](Self::start) them.
#[derive(Debug)]
pub struct Work {
    spans: Receiver<Span>,
    lost: Arc<AtomicU64>,
    is_wanted: Arc<AtomicBool>,
}

/// Where spans go.
#[derive(Clone, Debug)]
pub struct To {
    /// The back-end.
    pub export: Export,
    /// Of whom they are.
    pub node: Node,
    /// How long a request may take.
    pub timeout: Duration,
}

/// Exports spans; dropped, it ends.
#[derive(Debug)]
pub struct Outlet {
    to: watch::Sender<Option<To>>,
    is_wanted: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// Takes spans from `tracing`.
pub struct OwnSpans {
    random: RandomState,
    next: AtomicU64,
    spans: Sender<Span>,
    lost: Arc<AtomicU64>,
}

impl fmt::Debug for OwnSpans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnSpans").field("lost", &self.lost).finish_non_exhaustive()
    }
}

/// A layer that takes the spans of the agent's work, and what it took.
#[must_use]
pub fn layer<S>() -> (impl Layer<S> + Send + Sync + 'static, Work)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let (spans, work) = OwnSpans::new(QUEUE);
    let is_wanted = Arc::clone(&work.is_wanted);
    let is_work = |it: &Metadata<'_>| it.target() == WORK && *it.level() <= LevelFilter::INFO;
    let of_callsite = move |it: &'static Metadata<'static>| {
        if is_work(it) { Interest::sometimes() } else { Interest::never() }
    };
    let filter = dynamic_filter_fn(move |it, _| is_work(it) && is_wanted.load(Ordering::Relaxed))
        .with_callsite_filter(of_callsite)
        .with_max_level_hint(LevelFilter::INFO);
    (spans.with_filter(filter), work)
}

impl Work {
    /// Begins to take spans; they go nowhere until it is [said](Outlet::set) where to. To be
    /// called where tokio runs. `figures`: where it is told what became of them.
    #[must_use]
    pub fn start(self, figures: Arc<Mutex<Figures>>) -> Outlet {
        let (to, goes) = watch::channel(None);
        let is_wanted = Arc::clone(&self.is_wanted);
        Outlet { to, is_wanted, task: tokio::spawn(export(self, goes, figures)) }
    }
}

impl Outlet {
    /// Has spans go there from now on; `None`: nobody wants them.
    pub fn set(&self, to: Option<To>) {
        self.is_wanted.store(to.is_some(), Ordering::Relaxed);
        self.to.send_replace(to);
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl OwnSpans {
    fn new(queue: usize) -> (Self, Work) {
        let (spans, taken) = channel(queue);
        let (lost, is_wanted) = (Arc::<AtomicU64>::default(), Arc::default());
        let work = Work { spans: taken, lost: Arc::clone(&lost), is_wanted };
        (Self { random: RandomState::new(), next: AtomicU64::new(0), spans, lost }, work)
    }

    fn id(&self) -> u64 {
        self.random.hash_one(self.next.fetch_add(1, Ordering::Relaxed)).max(1)
    }
}

/// A span that is not over.
struct Open(Span, Facts);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for OwnSpans {
    fn on_new_span(&self, given: &Given<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let above = span.parent().and_then(|parent| {
            let above = parent.extensions();
            above.get::<Open>().map(|Open(span, _)| (span.trace_id.clone(), span.span_id.clone()))
        });
        let (trace_id, parent_span_id) = above.unwrap_or_else(|| {
            let trace = u128::from(self.id()) << 64 | u128::from(self.id());
            (trace.to_be_bytes().to_vec(), Vec::new())
        });
        let mut facts = Facts::default();
        given.record(&mut facts);
        let open = Span {
            trace_id,
            span_id: self.id().to_be_bytes().to_vec(),
            parent_span_id,
            flags: FLAGS,
            name: span.name().to_owned(),
            kind: SpanKind::Internal.into(),
            start_time_unix_nano: unix_ns(),
            ..Span::default()
        };
        span.extensions_mut().insert(Open(open, facts));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(Open(_, facts)) = span.extensions_mut().get_mut::<Open>() {
            values.record(facts);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(Open(mut span, facts)) = span.extensions_mut().remove::<Open>() else { return };
        span.end_time_unix_nano = unix_ns().max(span.start_time_unix_nano);
        (span.attributes, span.dropped_attributes_count) = facts.attributes.done();
        span.status = facts.error.map(|message| Status { message, code: StatusCode::Error.into() });
        if self.spans.try_send(span).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What is said of a span.
#[derive(Default)]
struct Facts {
    attributes: Attributes,
    error: Option<String>,
}

impl Visit for Facts {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == ERROR {
            self.error = Some(value.to_owned());
        } else {
            self.attributes.add(format!("landlord.{}", field.name()), text(value));
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.attributes.add(format!("landlord.{}", field.name()), number(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.attributes.add(format!("landlord.{}", field.name()), flag(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

async fn export(mut work: Work, goes: watch::Receiver<Option<To>>, figures: Arc<Mutex<Figures>>) {
    let mut batch = Vec::new();
    while work.spans.recv_many(&mut batch, BATCH).await > 0 {
        tokio::time::sleep(EVERY).await;
        while batch.len() < BATCH
            && let Ok(span) = work.spans.try_recv()
        {
            batch.push(span);
        }
        let spans = batch.len() as u64;
        let began = Instant::now();
        let to = goes.borrow().clone();
        let Some(To { export, node, timeout }) = to else {
            // Nobody wanted them any more before they were sent.
            batch.clear();
            continue;
        };
        let sent = export.traces(request(std::mem::take(&mut batch), &node), HOST);
        let sent = tokio::time::timeout(timeout, sent).await;
        let mut figures = figures.lock().unwrap_or_else(PoisonError::into_inner);
        figures.seconds += began.elapsed().as_secs_f64();
        figures.lost += work.lost.swap(0, Ordering::Relaxed);
        match sent {
            Ok(Ok(refused)) => {
                figures.delivered += 1;
                figures.lost += refused as u64;
            }
            failure => {
                figures.failed += 1;
                figures.lost += spans;
                tracing::debug!(?failure, "spans of the agent's own work are not taken");
            }
        }
    }
}

fn request(spans: Vec<Span>, node: &Node) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { scope: Some(scope()), spans, ..ScopeSpans::default() }];
    let resource = Some(node.of_itself());
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use opentelemetry_proto::tonic::trace::v1::Span;
    use tracing::field::Empty;
    use tracing::info_span;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::super::traces::FLAGS;
    use super::{OwnSpans, WORK, Work, layer};

    fn taken(work: &mut Work) -> Vec<Span> {
        std::iter::from_fn(|| work.spans.try_recv().ok()).collect()
    }

    #[test]
    fn spans_of_the_work_are_told_when_they_are_over() {
        let (layer, mut work) = layer();
        let is_wanted = Arc::clone(&work.is_wanted);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let reload = || drop(info_span!(target: WORK, "config.reload"));
            reload();
            is_wanted.store(true, Ordering::Relaxed);
            assert!(taken(&mut work).is_empty());
            let outer = info_span!(target: WORK, "rules.reload", files = 3_u64, error = Empty);
            outer.in_scope(|| {
                info_span!("another target").in_scope(|| {
                    drop(info_span!(target: WORK, "rules.compile", rule = "x", is_new = true));
                });
            });
            assert_eq!(taken(&mut work).len(), 1);
            crate::telemetry::failed(&outer, Some(&"no such file"));
            drop(info_span!(target: WORK, "rules.reload"));
            is_wanted.store(false, Ordering::Relaxed);
            reload();
            is_wanted.store(true, Ordering::Relaxed);
            let inner = info_span!(target: WORK, parent: &outer, "rules.read");
            drop((inner, outer));
        });
        let [alone, inner, outer] = &taken(&mut work)[..] else { panic!() };
        assert_eq!(
            [&*alone.name, &*inner.name, &*outer.name],
            ["rules.reload", "rules.read", "rules.reload"]
        );
        assert_eq!((&inner.trace_id, &inner.parent_span_id), (&outer.trace_id, &outer.span_id));
        assert_ne!(alone.trace_id, outer.trace_id);
        assert!(alone.parent_span_id.is_empty() && outer.parent_span_id.is_empty());
        assert_eq!((outer.trace_id.len(), outer.span_id.len(), outer.flags), (16, 8, FLAGS));
        assert!(outer.start_time_unix_nano <= inner.start_time_unix_nano);
        assert!(inner.end_time_unix_nano <= outer.end_time_unix_nano);
        assert_eq!(outer.status.as_ref().unwrap().message, "no such file");
        assert_eq!((alone.status.as_ref(), outer.attributes.len()), (None, 1));
        assert_eq!(outer.attributes[0].key, "landlord.files");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let (layer, mut work) = OwnSpans::new(2);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            for _ in 0..5 {
                drop(info_span!(target: WORK, "config.reload"));
            }
        });
        assert_eq!(taken(&mut work).len(), 2);
        assert_eq!(work.lost.load(std::sync::atomic::Ordering::Relaxed), 3);
    }
}
