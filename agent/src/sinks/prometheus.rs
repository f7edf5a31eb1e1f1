//! The catalogue's metrics in OpenMetrics text.
//!
//! It knows no metric by name: what there is to say stands in
//! [`crate::usage::catalogue`], how to write it in `prometheus-client`, which adds
//! unit and `_total` (or `_info`) to the names itself.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel as _, EncodeLabelSet, EncodeMetric as _, LabelSetEncoder,
    MetricEncoder, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::CounterWithExemplar;
use prometheus_client::registry::{Registry, Unit};

use crate::usage::catalogue::{self, Kind, Metric, Value};
use crate::usage::tenant::NodeUsage;

/// What [`encode`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of one instant.
///
/// # Errors
///
/// None that is known: it writes to memory.
pub fn encode(usage: Arc<NodeUsage>) -> Result<String, fmt::Error> {
    page(Exposition { usage, exemplars: false })
}

/// The same with exemplars, which only OpenMetrics has: of alerts that are exported as
/// traces the id of one.
///
/// # Errors
///
/// As for [`encode`].
pub fn encode_with_exemplars(usage: Arc<NodeUsage>) -> Result<String, fmt::Error> {
    page(Exposition { usage, exemplars: true })
}

fn page(exposition: Exposition) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(exposition));
    let mut page = String::new();
    text::encode(&mut page, &registry)?;
    Ok(page)
}

#[derive(Debug)]
struct Exposition {
    usage: Arc<NodeUsage>,
    exemplars: bool,
}

impl Exposition {
    fn encode_metric(&self, metric: &Metric, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (kind, suffix) = match metric.kind {
            Kind::Counter => (MetricType::Counter, "_total"),
            Kind::Gauge => (MetricType::Gauge, ""),
            Kind::Info => (MetricType::Info, "_info"),
        };
        let unit = unit(metric.unit);
        let mut name = metric.name.strip_suffix(suffix).ok_or(fmt::Error)?;
        if let Some(unit) = &unit {
            name = name
                .strip_suffix(unit.as_str())
                .and_then(|name| name.strip_suffix('_'))
                .ok_or(fmt::Error)?;
        }
        let help = format!("{}.", metric.help);
        let mut family = encoder.encode_descriptor(name, &help, unit.as_ref(), kind)?;
        let mut result = Ok(());
        (metric.samples)(&self.usage, &mut |values, value| {
            if result.is_ok() {
                let value = match value {
                    Value::Traced { count, .. } if !self.exemplars => Value::Integer(count),
                    value => value,
                };
                let labels = Labels { names: metric.labels, values };
                result = encode_sample(&mut family, metric.kind, &labels, value);
            }
        });
        result
    }
}

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        catalogue::metrics().try_for_each(|metric| self.encode_metric(metric, &mut encoder))
    }
}

fn encode_sample(
    family: &mut MetricEncoder<'_>,
    kind: Kind,
    labels: &Labels<'_>,
    value: Value,
) -> fmt::Result {
    if kind == Kind::Info {
        return family.encode_info(labels);
    }
    if labels.names.is_empty() {
        return encode_value(family, kind, value);
    }
    if let (Kind::Counter, Value::Traced { count, trace, time_unix_ns }) = (kind, value) {
        // An exemplar cannot be made but by a counter that counts what it is of.
        let counter = CounterWithExemplar::<[(&str, String); 1]>::default();
        counter.inc_by(count.saturating_sub(1), None, None);
        let time = UNIX_EPOCH + Duration::from_nanos(time_unix_ns);
        counter.inc_by(1, Some([("trace_id", format!("{trace:032x}"))]), Some(time));
        return counter.encode(family.encode_family(labels)?);
    }
    encode_value(&mut family.encode_family(labels)?, kind, value)
}

fn encode_value(sample: &mut MetricEncoder<'_>, kind: Kind, value: Value) -> fmt::Result {
    match (kind, value) {
        (Kind::Counter, Value::Integer(value) | Value::Traced { count: value, .. }) => {
            sample.encode_counter::<NoLabelSet, u64, u64>(&value, None)
        }
        (Kind::Counter, Value::Float(value)) => {
            sample.encode_counter::<NoLabelSet, f64, u64>(&value, None)
        }
        (Kind::Gauge | Kind::Info, Value::Integer(value) | Value::Traced { count: value, .. }) => {
            sample.encode_gauge(&value)
        }
        (Kind::Gauge | Kind::Info, Value::Float(value)) => sample.encode_gauge(&value),
    }
}

fn unit(unit: catalogue::Unit) -> Option<Unit> {
    match unit {
        catalogue::Unit::Seconds => Some(Unit::Seconds),
        catalogue::Unit::Bytes => Some(Unit::Bytes),
        catalogue::Unit::ByteSeconds => Some(Unit::Other("byte_seconds".to_owned())),
        catalogue::Unit::Cores => Some(Unit::Other("cores".to_owned())),
        catalogue::Unit::None => None,
    }
}

/// One sample's labels.
struct Labels<'a> {
    names: &'a [&'a str],
    values: &'a [&'a str],
}

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for label in self.names.iter().copied().zip(self.values.iter().copied()) {
            label.encode(encoder.encode_label())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
