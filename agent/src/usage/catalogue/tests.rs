//! Laws of the list: names, texts, and the page.

use std::collections::BTreeSet;
use std::fs;

use super::{Kind, METRICS, markdown};
use crate::usage::tenant::TenantUsage;

#[test]
fn tenant_metrics_are_the_keys_of_the_json() {
    let json = serde_json::to_value(TenantUsage::default()).unwrap();
    let keys: BTreeSet<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let metrics: BTreeSet<&str> = METRICS
        .iter()
        .filter_map(|metric| metric.name.strip_prefix("landlord_tenant_"))
        .chain(["tenant"])
        .collect();
    assert_eq!(metrics, keys);
}

#[test]
fn names_end_in_unit_and_kind() {
    for metric in METRICS {
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
    let names: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), METRICS.len(), "a metric twice");
}

#[test]
fn help_is_one_line_that_needs_no_escape() {
    for metric in METRICS {
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
