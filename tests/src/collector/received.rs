//! What arrived at a Collector, without the nesting of OTLP.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Attributes by their names; whole numbers are numbers, not texts as in OTLP's JSON.
pub type Attributes = BTreeMap<String, Value>;

/// What arrived, in that order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Received {
    /// Data points of metrics.
    pub samples: Vec<Sample>,
    /// Log records.
    pub logs: Vec<Log>,
    /// Spans.
    pub spans: Vec<Span>,
}

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A cumulative sum that only grows.
    Counter,
    /// Another sum: a difference, or one that shrinks, too.
    OtherSum,
    /// The value of a moment.
    Gauge,
    /// Anything else.
    Other,
}

/// One data point.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Name of the metric.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Its unit in UCUM.
    pub unit: String,
    /// How it behaves.
    pub kind: Kind,
    /// What tells the point from others of the metric.
    pub attributes: Attributes,
    /// Of whom.
    pub resource: Attributes,
    /// Its value; not a number for what has none.
    pub value: f64,
    /// Since when it counts, nanoseconds since 1970; 0 where that is not told.
    pub start_unix_ns: u64,
    /// When it was, nanoseconds since 1970.
    pub time_unix_ns: u64,
}

/// One log record.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// Name of the event.
    pub event: String,
    /// Severity, 1 to 24.
    pub severity: u64,
    /// The same in a word.
    pub severity_text: String,
    /// What it says.
    pub body: Value,
    /// When it was, nanoseconds since 1970.
    pub time_unix_ns: u64,
    /// Its attributes.
    pub attributes: Attributes,
    /// Of whom.
    pub resource: Attributes,
}

/// One span.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its name.
    pub name: String,
    /// Its trace.
    pub trace: String,
    /// Its id.
    pub id: String,
    /// That of its parent; empty without one.
    pub parent: String,
    /// Its kind: 1 (internal) to 5 (consumer).
    pub kind: u64,
    /// From when, nanoseconds since 1970.
    pub start_unix_ns: u64,
    /// Until when.
    pub end_unix_ns: u64,
    /// Its attributes.
    pub attributes: Attributes,
    /// What happened in it: name, time, attributes.
    pub events: Vec<(String, u64, Attributes)>,
    /// Of whom.
    pub resource: Attributes,
}

impl Received {
    /// Reads lines of JSON; the last may not be whole yet.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut received = Self::default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            let request: Value =
                serde_json::from_str(line).with_context(|| format!("not OTLP: {line}"))?;
            received.add(&request);
        }
        Ok(received)
    }

    fn add(&mut self, request: &Value) {
        for (group, resource) in groups(request, "resourceMetrics") {
            for metric in inner(group, "scopeMetrics", "metrics") {
                self.samples.extend(samples(metric, &resource));
            }
        }
        for (group, resource) in groups(request, "resourceLogs") {
            for record in inner(group, "scopeLogs", "logRecords") {
                self.logs.push(log(record, &resource));
            }
        }
        for (group, resource) in groups(request, "resourceSpans") {
            self.spans.extend(inner(group, "scopeSpans", "spans").map(|it| span(it, &resource)));
        }
    }

    /// The last value of the data point with this name and these attributes, among others.
    #[must_use]
    pub fn last(&self, name: &str, attributes: &[(&str, &str)]) -> Option<f64> {
        let has = |sample: &Sample| {
            let known = |(key, value): &(&str, &str)| {
                sample.attributes.get(*key).is_some_and(|found| found == value)
            };
            sample.name == name && attributes.iter().all(known)
        };
        self.samples.iter().rev().find(|sample| has(sample)).map(|sample| sample.value)
    }
}

fn elements<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn groups<'a>(request: &'a Value, key: &str) -> impl Iterator<Item = (&'a Value, Attributes)> {
    elements(request, key).map(|group| (group, attributes(&group["resource"])))
}

fn inner<'a>(group: &'a Value, scopes: &str, key: &'a str) -> impl Iterator<Item = &'a Value> {
    elements(group, scopes).flat_map(move |scope| elements(scope, key))
}

fn samples(metric: &Value, resource: &Attributes) -> Vec<Sample> {
    let is_counter = |sum: &Value| sum["isMonotonic"] == true && sum["aggregationTemporality"] == 2;
    let (kind, data) = match (&metric["sum"], &metric["gauge"]) {
        (sum @ Value::Object(_), _) if is_counter(sum) => (Kind::Counter, sum),
        (sum @ Value::Object(_), _) => (Kind::OtherSum, sum),
        (_, gauge @ Value::Object(_)) => (Kind::Gauge, gauge),
        _ => (
            Kind::Other,
            ["histogram", "exponentialHistogram", "summary"]
                .iter()
                .map(|key| &metric[*key])
                .find(|data| data.is_object())
                .unwrap_or(&Value::Null),
        ),
    };
    elements(data, "dataPoints")
        .map(|point| Sample {
            name: text(&metric["name"]),
            description: text(&metric["description"]),
            unit: text(&metric["unit"]),
            kind,
            attributes: attributes(point),
            resource: resource.clone(),
            value: match (point["asDouble"].as_f64(), &point["asInt"]) {
                (Some(value), _) => value,
                (None, Value::String(value)) => value.parse().unwrap_or(f64::NAN),
                (None, value) => value.as_f64().unwrap_or(f64::NAN),
            },
            start_unix_ns: whole(&point["startTimeUnixNano"]),
            time_unix_ns: whole(&point["timeUnixNano"]),
        })
        .collect()
}

fn log(record: &Value, resource: &Attributes) -> Log {
    Log {
        event: text(&record["eventName"]),
        severity: whole(&record["severityNumber"]),
        severity_text: text(&record["severityText"]),
        body: plain(&record["body"]),
        time_unix_ns: whole(&record["timeUnixNano"]),
        attributes: attributes(record),
        resource: resource.clone(),
    }
}

fn span(span: &Value, resource: &Attributes) -> Span {
    let events = elements(span, "events")
        .map(|event| (text(&event["name"]), whole(&event["timeUnixNano"]), attributes(event)));
    Span {
        name: text(&span["name"]),
        trace: text(&span["traceId"]),
        id: text(&span["spanId"]),
        parent: text(&span["parentSpanId"]),
        kind: whole(&span["kind"]),
        start_unix_ns: whole(&span["startTimeUnixNano"]),
        end_unix_ns: whole(&span["endTimeUnixNano"]),
        attributes: attributes(span),
        events: events.collect(),
        resource: resource.clone(),
    }
}

fn attributes(of: &Value) -> Attributes {
    elements(of, "attributes").map(|pair| (text(&pair["key"]), plain(&pair["value"]))).collect()
}

/// A value without the word for its type.
fn plain(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|it| it.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "intValue" => match value.as_str().map(str::parse::<i64>) {
            Some(Ok(number)) => number.into(),
            _ => value.clone(),
        },
        "arrayValue" => elements(value, "values").map(plain).collect(),
        "kvlistValue" => elements(value, "values")
            .map(|pair| (text(&pair["key"]), plain(&pair["value"])))
            .collect(),
        _ => value.clone(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A whole number, which OTLP writes as a text where it has 64 bits.
fn whole(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.parse().unwrap_or_default(),
        value => value.as_u64().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kind, Received};

    #[test]
    fn nesting_is_undone_and_numbers_are_numbers() {
        let request = json!({"resourceMetrics": [{
            "resource": {"attributes": [{"key": "host", "value": {"stringValue": "a"}}]},
            "scopeMetrics": [{"metrics": [
                {"name": "m", "unit": "s", "sum": {"isMonotonic": true, "aggregationTemporality": 2,
                    "dataPoints": [
                        {"asDouble": 1.5, "startTimeUnixNano": "5", "timeUnixNano": "7",
                         "attributes": [{"key": "tenant", "value": {"stringValue": "x"}}]},
                        {"asInt": "3"},
                    ]}},
                {"name": "d", "sum": {"dataPoints": [{"asInt": "1"}]}},
                {"name": "g", "gauge": {"dataPoints": [{"asInt": "-1"}]}},
            ]}],
        }]});
        let logs = json!({"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": [
            {"eventName": "e", "severityNumber": 9, "body": {"stringValue": "b"},
             "attributes": [
                {"key": "n", "value": {"intValue": "-5"}},
                {"key": "l", "value": {"arrayValue": {"values": [{"boolValue": true}]}}},
                {"key": "none", "value": {}},
             ]},
        ]}]}]});
        let received = Received::parse(&format!("{request}\n{logs}\n{{\"half")).unwrap();
        let kinds: Vec<(Kind, f64)> =
            received.samples.iter().map(|it| (it.kind, it.value)).collect();
        let expected = [
            (Kind::Counter, 1.5),
            (Kind::Counter, 3.0),
            (Kind::OtherSum, 1.0),
            (Kind::Gauge, -1.0),
        ];
        assert_eq!(kinds, expected);
        assert_eq!(received.samples[0].resource["host"], "a");
        let times = |it: &super::Sample| (it.start_unix_ns, it.time_unix_ns);
        assert_eq!((times(&received.samples[0]), times(&received.samples[1])), ((5, 7), (0, 0)));
        assert_eq!(received.last("m", &[("tenant", "x")]), Some(1.5));
        assert_eq!(received.last("m", &[]), Some(3.0));
        assert_eq!(received.last("m", &[("tenant", "y")]), None);
        let log = &received.logs[0];
        assert_eq!((log.event.as_str(), log.severity, &log.body), ("e", 9, &json!("b")));
        let attributes = json!({"n": -5, "l": [true], "none": null});
        assert_eq!(serde_json::to_value(&log.attributes).unwrap(), attributes);
        assert!(Received::parse("{]\n").is_err());
    }
}
