//! The one list of metrics: name, type, unit, labels, meaning and where the
//! samples come from.
//!
//! The Prometheus exposition and `docs/metrics.md` are made from it, so they
//! cannot differ. It never encodes anything itself. Metrics named
//! `landlord_tenant_X` have the key `X` in the JSON of [`TenantUsage`](super::tenant::TenantUsage).

use super::tenant::NodeUsage;

mod agent;
mod api;
mod each_pod;
mod events;
mod identity;
mod page;
mod pods;
mod sinks;
mod storage;
mod tenant;

pub use page::markdown;

/// How a metric's value behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Grows only; the name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Always 1, says something by its labels; the name ends in `_info`.
    Info,
}

/// Base unit of a metric; its name is the end of the metric's name (before
/// `_total`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Bytes that were kept for a second.
    ByteSeconds,
    /// CPU cores, or parts of one.
    Cores,
    /// A number of things.
    None,
}

/// One sample's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Shown without a fraction.
    Integer(u64),
    /// Shown as it is.
    Float(f64),
    /// A count, and an example of what it counts.
    Traced {
        /// The count.
        count: u64,
        /// Id of a trace that was counted.
        trace: u128,
        /// When that was, nanoseconds since 1970.
        time_unix_ns: u64,
    },
}

/// Takes one sample: label values in the order of [`Metric::labels`], and value.
pub type Emit<'a> = dyn FnMut(&[&str], Value) + 'a;

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Full name, as it appears in the exposition.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// Unit.
    pub unit: Unit,
    /// Label names.
    pub labels: &'static [&'static str],
    /// One line for people, without a full stop at the end.
    pub help: &'static str,
    /// Gives every sample of it, in a fixed order.
    pub samples: fn(&NodeUsage, &mut Emit<'_>),
}

impl Kind {
    /// Its name in the exposition.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Info => "info",
        }
    }
}

impl Unit {
    /// Its name at the end of metric names; `None` for a plain number.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Seconds => Some("seconds"),
            Self::Bytes => Some("bytes"),
            Self::ByteSeconds => Some("byte_seconds"),
            Self::Cores => Some("cores"),
            Self::None => None,
        }
    }
}

/// Every metric, in the order of the exposition.
pub fn metrics() -> impl Iterator<Item = &'static Metric> {
    let rooms = [
        tenant::METRICS,
        storage::METRICS,
        pods::METRICS,
        each_pod::METRICS,
        agent::METRICS,
        api::METRICS,
        events::METRICS,
        sinks::METRICS,
        identity::METRICS,
    ];
    rooms.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::{Kind, markdown, metrics};
    use crate::usage::tenant::TenantUsage;

    #[test]
    fn tenant_metrics_are_the_keys_of_the_json() {
        let json = serde_json::to_value(TenantUsage::default()).unwrap();
        let keys: BTreeSet<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let metrics: BTreeSet<&str> = metrics()
            .filter_map(|metric| metric.name.strip_prefix("landlord_tenant_"))
            .chain(["tenant"])
            .collect();
        assert_eq!(metrics, keys);
    }

    #[test]
    fn names_end_in_unit_and_kind() {
        for metric in metrics() {
            let suffix = match metric.kind {
                Kind::Counter => "_total",
                Kind::Gauge => "",
                Kind::Info => "_info",
            };
            let base = metric.name.strip_suffix(suffix).expect(metric.name);
            assert!(
                metric.unit.name().is_none_or(|unit| base.ends_with(&format!("_{unit}"))),
                "{} lacks its unit",
                metric.name
            );
            assert!(metric.kind != Kind::Gauge || !base.ends_with("_total"), "{base}");
        }
        let names: BTreeSet<&str> = metrics().map(|metric| metric.name).collect();
        assert_eq!(names.len(), metrics().count(), "a metric twice");
    }

    #[test]
    fn help_is_one_line_that_needs_no_escape() {
        for metric in metrics() {
            assert!(!metric.help.contains(['\n', '\\', '"', '|']), "{}", metric.name);
            assert!(!metric.help.ends_with('.'), "{}: the exposition adds none", metric.name);
        }
    }

    #[test]
    fn the_page_in_docs_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
        let expected = markdown();
        if fs::read_to_string(path).ok().as_deref() != Some(&expected) {
            fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")).unwrap();
            fs::write(path, expected).unwrap();
            panic!("docs/metrics.md was out of date and has been rewritten: commit it");
        }
    }
}
