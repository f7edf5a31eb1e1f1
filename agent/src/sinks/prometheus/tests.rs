//! Which samples the page has.

mod many;
mod node;
mod page;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{encode, encode_with_exemplars};
use crate::usage::catalogue::metrics;
use crate::usage::tenant::{AlertTrace, NodeUsage, TenantUsage};
use node::node;

#[test]
fn single_pods_are_told_of_where_that_is_asked_for() {
    let samples = |pod_metrics| {
        let mut node = node();
        node.agent.pod_metrics = pod_metrics;
        let page = encode(Arc::new(node)).unwrap();
        page.lines().filter(|line| line.contains("pod=\"web\"")).count()
    };
    assert_eq!((samples(false), samples(true)), (0, 10));
}

#[test]
fn exemplars_are_told_to_who_knows_them() {
    let mut node = node();
    let alerts = &mut node.agent.detection.as_mut().unwrap().alerts;
    alerts[0].count = 3;
    alerts[0].trace = Some(AlertTrace {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        time_unix_ns: 1_700_000_000_250_000_000,
    });
    let node = Arc::new(node);
    let line = |page: String| {
        let mut lines = page.lines().filter(|line| line.starts_with("landlord_alerts_total"));
        lines.next().unwrap().rsplit_once("} 3").unwrap().1.to_owned()
    };
    assert_eq!(line(encode(Arc::clone(&node)).unwrap()), "");
    let exemplar = " # {trace_id=\"0123456789abcdef0123456789abcdef\"} 1.0 1700000000.25";
    assert_eq!(line(encode_with_exemplars(node).unwrap()), exemplar);
}

#[test]
fn names_are_exactly_those_of_the_catalogue() {
    let page = encode(Arc::new(node())).unwrap();
    let shown: BTreeSet<&str> = page
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let listed: BTreeSet<&str> = metrics().map(|metric| metric.name).collect();
    assert_eq!(shown, listed);
}

#[test]
fn absent_levels_have_no_sample() {
    let tenant = TenantUsage { tenant: "a".to_owned(), ..TenantUsage::default() };
    let node = NodeUsage { tenants: vec![tenant], ..NodeUsage::default() };
    let page = encode(Arc::new(node)).unwrap();
    for absent in ["memory_bytes", "memory_peak_bytes", "memory_limit_bytes", "cpu_limit_cores"] {
        assert!(!page.contains(&format!("\nlandlord_tenant_{absent}{{")), "{absent}");
    }
    assert!(page.ends_with("# EOF\n"));
}
