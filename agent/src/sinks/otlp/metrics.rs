//! The catalogue's metrics as OpenTelemetry has them.
//!
//! Each is an observable instrument that tells, at each export, what the node's usage is
//! then: a tenant that is gone is not told any more, and nothing is added up here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    MetricExporter, RetryPolicy, WithExportConfig as _, WithHttpConfig as _, WithTonicConfig as _,
};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{
    Instrument, PeriodicReader, SdkMeterProvider, Stream, Temporality,
};
use tokio::runtime::Handle;
use tracing::field::Empty;
use tracing::info_span;

use super::Export;
use super::resource::Node;
use crate::sinks::client::Client;
use crate::telemetry::{self, WORK};
use crate::usage::catalogue::{Kind, Metric, Unit, Value, metrics};
use crate::usage::tenant::NodeUsage;

/// Attribute sets that an instrument may have; those beyond would be added up without
/// their attributes. Tenants and the fixed sets of their labels are bounded elsewhere.
const SETS: usize = 1_000_000;
/// How old the usage may be that the instruments of one export tell.
const FRESH: Duration = Duration::from_secs(1);

/// Where the usage comes from; it may wait for it.
pub type Source = dyn Fn() -> Option<Arc<NodeUsage>> + Send + Sync;

/// Where metrics go, and how often.
#[derive(Clone, Debug)]
pub struct Way {
    /// The back-end.
    pub export: Export,
    /// Of whom they are.
    pub node: Node,
    /// The time between two exports.
    pub every: Duration,
    /// How long one may take.
    pub timeout: Duration,
}

/// Why metrics are not exported.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be exported: {0}")]
pub struct MetricsError(String);

/// Exports metrics; dropped, it ends after a last export.
#[derive(Debug)]
pub struct Metrics {
    provider: SdkMeterProvider,
}

impl Metrics {
    /// Begins to export, first when the time between two exports is over. `runtime` does
    /// what is waited for; `figures`: where it is told what became of exports.
    ///
    /// # Errors
    ///
    /// When the exporter cannot be made.
    pub fn start(
        way: &Way,
        runtime: &Handle,
        source: Arc<Source>,
        figures: Arc<Mutex<Figures>>,
    ) -> Result<Self, MetricsError> {
        let Way { export, node, every, timeout } = way;
        let why = Why::default();
        let exporter = exporter(export, *timeout, runtime, Arc::clone(&why))?;
        let exporter = Counted { exporter, figures, why };
        let reader = PeriodicReader::builder(exporter).with_interval(*every).build();
        let provider = SdkMeterProvider::builder()
            .with_reader(reader)
            .with_resource(node.of_metrics())
            .with_view(|_: &Instrument| Stream::builder().with_cardinality_limit(SETS).build().ok())
            .build();
        let meter = provider.meter("landlord");
        let usage = Arc::new(Latest { source, last: Mutex::new(None) });
        for metric in metrics() {
            instrument(&meter, metric, &usage);
        }
        Ok(Self { provider })
    }
}

/// What became of the exports since the agent started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Exports that arrived.
    pub delivered: u64,
    /// Exports that did not; the next one tells all again.
    pub failed: u64,
    /// The time that they took together, seconds.
    pub seconds: f64,
    /// When one arrived last, seconds since 1970.
    pub last_unix_s: Option<f64>,
    last_failed: bool,
}

/// Why the last request came to nothing: the exporter itself knows no more than that.
type Why = Arc<Mutex<Option<String>>>;

/// An exporter whose failures are told.
struct Counted {
    exporter: MetricExporter,
    figures: Arc<Mutex<Figures>>,
    why: Why,
}

impl PushMetricExporter for Counted {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let began = Instant::now();
        let work = info_span!(target: WORK, "metrics.export", error = Empty);
        let result = self.exporter.export(metrics).await;
        telemetry::failed(&work, result.as_ref().err());
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        figures.seconds += began.elapsed().as_secs_f64();
        let was_failing = std::mem::replace(&mut figures.last_failed, result.is_err());
        match &result {
            Ok(()) => {
                figures.delivered += 1;
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                figures.last_unix_s = now.ok().map(|it| it.as_secs_f64());
                if was_failing {
                    tracing::info!("metrics are taken again");
                }
            }
            Err(error) => {
                figures.failed += 1;
                if !was_failing {
                    let why = self.why.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let why = why.unwrap_or_default();
                    tracing::warn!(%error, why, "metrics are not taken; the next export tells all");
                }
            }
        }
        result
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last metrics were not exported");
        }
    }
}

fn exporter(
    export: &Export,
    timeout: Duration,
    runtime: &Handle,
    why: Why,
) -> Result<MetricExporter, MetricsError> {
    let failed = |error: opentelemetry_otlp::ExporterBuildError| MetricsError(error.to_string());
    // Cumulative figures need no second try; the next export has them all.
    let builder = MetricExporter::builder().with_temporality(Temporality::Cumulative);
    match export.channel() {
        Some(channel) => {
            let client = Arc::clone(export.client());
            let _inside = runtime.enter();
            builder
                .with_tonic()
                .with_channel(channel.clone())
                .with_interceptor(move |mut request: tonic::Request<()>| {
                    client.sign(request.metadata_mut());
                    Ok(request)
                })
                .with_retry_policy(RetryPolicy::disabled())
                .with_timeout(timeout)
                .build()
                .map_err(failed)
        }
        None => {
            let client = Arc::clone(export.client());
            let wire = Wire { client, runtime: runtime.clone(), why };
            builder
                .with_http()
                .with_http_client(wire)
                .with_endpoint(export.uri("/v1/metrics").to_string())
                .with_retry_policy(RetryPolicy::disabled())
                .with_timeout(timeout)
                .build()
                .map_err(failed)
        }
    }
}

/// The agent's client, for an exporter that waits on a thread without tokio.
#[derive(Debug)]
struct Wire {
    client: Arc<Client>,
    runtime: Handle,
    why: Why,
}

impl HttpClient for Wire {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let client = Arc::clone(&self.client);
        let sent = self
            .runtime
            .spawn(async move { client.send(request.map(http_body_util::Full::new)).await });
        let why = Arc::clone(&self.why);
        Box::pin(async move {
            let sent = sent.await?;
            let failure = sent.as_ref().err().map(ToString::to_string);
            *why.lock().unwrap_or_else(PoisonError::into_inner) = failure;
            let answer = sent?;
            let mut response = Response::new(answer.body);
            *response.status_mut() = answer.status;
            Ok(response)
        })
    }
}

/// The usage that one export tells.
struct Latest {
    source: Arc<Source>,
    last: Mutex<Option<(Instant, Arc<NodeUsage>)>>,
}

impl Latest {
    fn usage(&self) -> Option<Arc<NodeUsage>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, usage)) = &*last
            && at.elapsed() < FRESH
        {
            return Some(Arc::clone(usage));
        }
        let usage = (self.source)()?;
        *last = Some((Instant::now(), Arc::clone(&usage)));
        Some(usage)
    }
}

fn instrument(meter: &Meter, metric: &'static Metric, usage: &Arc<Latest>) {
    let usage = Arc::clone(usage);
    let observe = move |tell: &mut dyn FnMut(f64, &[KeyValue])| {
        let Some(usage) = usage.usage() else { return };
        (metric.samples)(&usage, &mut |labels, value| {
            let pairs = metric.labels.iter().zip(labels);
            let attributes: Vec<KeyValue> =
                pairs.map(|(name, value)| KeyValue::new(*name, (*value).to_owned())).collect();
            let value = match value {
                // Exact to 2^53, which no count of this node comes to.
                Value::Integer(value) | Value::Traced { count: value, .. } => value as f64,
                Value::Float(value) => value,
            };
            tell(value, &attributes);
        });
    };
    let (name, unit) = (name(metric), unit(metric.unit));
    match metric.kind {
        Kind::Counter => {
            meter
                .f64_observable_counter(name)
                .with_unit(unit)
                .with_description(metric.help)
                .with_callback(move |observer| {
                    observe(&mut |value, attributes| observer.observe(value, attributes));
                })
                .build();
        }
        Kind::Gauge | Kind::Info => {
            meter
                .f64_observable_gauge(name)
                .with_unit(unit)
                .with_description(metric.help)
                .with_callback(move |observer| {
                    observe(&mut |value, attributes| observer.observe(value, attributes));
                })
                .build();
        }
    }
}

/// The name in OpenTelemetry's form, from which Prometheus makes that of the catalogue.
fn name(metric: &Metric) -> String {
    let name = metric.name.strip_suffix("_total").unwrap_or(metric.name);
    let name = match metric.unit.name().filter(|_| !unit(metric.unit).is_empty()) {
        Some(unit) => name.strip_suffix(unit).unwrap_or(name).trim_end_matches('_'),
        None => name,
    };
    name.replace('_', ".")
}

/// The unit in UCUM. Prometheus knows no word for cores and keeps what is written; that
/// of what is kept over time stays in the name, which would be that of the amount else.
const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "s",
        Unit::Bytes => "By",
        Unit::Cores => "cores",
        Unit::ByteSeconds | Unit::None => "",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{metrics, name, unit};
    use crate::usage::catalogue::Kind;

    /// As the translation of the Collector and of Prometheus words it.
    fn translated(name: &str, unit: &str, kind: Kind) -> String {
        let unit = match unit {
            "s" => "_seconds".to_owned(),
            "By" => "_bytes".to_owned(),
            "" => String::new(),
            other => format!("_{other}"),
        };
        let total = if kind == Kind::Counter { "_total" } else { "" };
        format!("{}{unit}{total}", name.replace('.', "_"))
    }

    #[test]
    fn prometheus_makes_the_names_of_the_catalogue() {
        let mut names = BTreeSet::new();
        for metric in metrics() {
            assert_eq!(translated(&name(metric), unit(metric.unit), metric.kind), metric.name);
            assert!(names.insert(name(metric)), "{}", metric.name);
        }
    }
}
