//! Alerts as traces, by OTLP: what led to them.

use landlord_tests::collector::{Collector, Span};

use super::{PATIENCE, RULE, Scene, ways};
use crate::stage::is_too_long;

/// The spans of a trace from the process of the alert up to the oldest ancestor; they
/// must be one chain.
fn chain<'a>(spans: &'a [Span], trace: &str) -> Vec<&'a Span> {
    let of_trace: Vec<&Span> = spans.iter().filter(|span| span.trace == trace).collect();
    let actor = of_trace.iter().find(|span| !span.events.is_empty()).unwrap();
    let mut chain = vec![*actor];
    while let Some(parent) = chain.last().map(|span| &span.parent).filter(|it| !it.is_empty()) {
        chain.push(of_trace.iter().find(|span| span.id == *parent).unwrap());
    }
    assert_eq!(chain.len(), of_trace.len(), "{of_trace:#?}");
    chain
}

#[test]
fn an_alert_arrives_as_a_trace_of_its_ancestors() {
    const ALERTS: usize = 3;
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let Some(collector) = Collector::start().unwrap() else { return };
    for (endpoint, protocol) in ways(&collector) {
        let scene = Scene::new(&format!(
            "otlp: {{ endpoint: '{endpoint}', protocol: {protocol}, metrics: false, traces: true }}\n"
        ));
        let mut watch = scene.watch();
        let alerts = scene.alerts(&mut watch, ALERTS);
        let ids: Vec<&str> = alerts.iter().map(|alert| alert.0["id"].as_str().unwrap()).collect();
        let received = collector.wait_for(PATIENCE, |received| {
            let all = ids.iter().all(|id| {
                received.spans.iter().any(|span| span.trace == *id && !span.events.is_empty())
                    && received.logs.iter().any(|log| log.attributes["landlord.alert.id"] == *id)
            });
            all.then(|| received.clone())
        });
        let received = received.unwrap();
        for (alert, id) in alerts.iter().zip(&ids) {
            let chain = chain(&received.spans, id);
            let (actor, parent) = (chain[0], chain[1]);
            assert_eq!(actor.name, "cat");
            assert_eq!(actor.attributes["process.command_line"], *alert.field("proc.cmdline"));
            assert_eq!(parent.attributes["process.pid"], *alert.field("proc.ppid"));
            // This test is an ancestor, and what began it began before it.
            let me = std::process::id();
            assert!(chain.iter().any(|span| span.attributes["process.pid"] == me), "{chain:#?}");
            assert!(chain.is_sorted_by(|one, next| one.start_unix_ns >= next.start_unix_ns));
            let (name, time_unix_ns, attributes) = &actor.events[0];
            assert_eq!(
                (name.as_str(), &attributes["security_rule.name"]),
                ("landlord.alert", &RULE.into())
            );
            assert_eq!(*time_unix_ns, actor.end_unix_ns);
            assert!(actor.start_unix_ns > 0 && actor.start_unix_ns <= actor.end_unix_ns);
            assert_eq!(actor.resource["service.name"], "landlord");
        }
        watch.stop().unwrap();
    }
}
