//! Alerts as traces, by OTLP: what led to them.

use std::net::TcpListener;
use std::process::Command;

use landlord_tests::collector::{Collector, Span};

use super::{PATIENCE, RULE, RULES, Scene, ways};
use crate::stage::is_too_long;

/// The kind of the span of who connects.
const CLIENT: u64 = 3;
/// Name of the event that an alert is.
const ALERT: &str = "landlord.alert";

#[test]
fn a_connection_arrives_as_a_span_of_a_client() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let Some(collector) = Collector::start().unwrap() else { return };
    let scene = Scene::new(&format!(
        "otlp: {{ endpoint: '{}', metrics: false, logs: false, traces: true, traces_ratio: 1 }}\n",
        collector.http()
    ));
    let mut watch = scene.watch();
    let server = TcpListener::bind("127.0.0.73:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let script = format!("exec 3<> /dev/tcp/127.0.0.73/{port}");
    assert!(Command::new("bash").args(["-c", &script]).status().unwrap().success());
    let alerts = watch.of_rule("Call", 0).unwrap();
    let [alert] = &alerts[..] else { panic!("{alerts:#?}") };
    let id = alert.0["id"].as_str().unwrap();
    let spans = collector.wait_for(PATIENCE, |received| {
        let of_trace: Vec<Span> =
            received.spans.iter().filter(|span| span.trace == id).cloned().collect();
        (!of_trace.is_empty()).then_some(of_trace)
    });
    let spans = spans.unwrap();
    let actor = spans.iter().find(|span| tells_of_alert(span)).unwrap();
    let called = spans.iter().find(|span| span.kind == CLIENT).unwrap();
    assert_eq!((actor.name.as_str(), &called.parent), ("bash", &actor.id));
    assert_eq!(called.attributes["server.address"], "127.0.0.73");
    assert_eq!(called.attributes["server.port"], port);
    assert_eq!(called.attributes["network.transport"], "tcp");
    assert_eq!((called.start_unix_ns, called.end_unix_ns), (actor.end_unix_ns, actor.end_unix_ns));
    // What the process did says so, too; a shell may have asked a name service before.
    let acts = actor.events.iter().filter(|(name, ..)| name == "connect");
    let here = acts.filter(|(.., it)| it["network.peer.address"] == "127.0.0.73");
    let here: Vec<_> = here.collect();
    let [(_, _, attributes)] = &here[..] else { panic!("{:#?}", actor.events) };
    assert_eq!(attributes["network.peer.port"], port);
    watch.stop().unwrap();
}

#[test]
fn the_agents_own_work_arrives_when_it_is_asked_for() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let Some(collector) = Collector::start().unwrap() else { return };
    let sinks = format!(
        "otlp: {{ endpoint: '{}', protocol: grpc, metrics: false, self_traces: true }}\n",
        collector.grpc()
    );
    let scene = Scene::new(&sinks);
    let mut watch = scene.watch();
    scene.alerts(&mut watch, 1);
    // What is read anew: rules, and a configuration that cannot be used.
    std::fs::write(&scene.rules, format!("{RULES}# Another text.\n")).unwrap();
    let wrong = format!("{sinks}max_tenants: none\n");
    scene.home.configure(&scene.configuration(&wrong)).unwrap();
    let named = |name: &'static str| move |span: &&Span| span.name == name;
    let spans = collector.wait_for(PATIENCE, |received| {
        let names = ["sink.deliver", "rules.compile", "rules.reload", "config.reload"];
        let all = names.iter().all(|name| received.spans.iter().any(|span| span.name == *name));
        all.then(|| received.spans.clone())
    });
    let spans = spans.unwrap();
    let delivery = spans.iter().find(named("sink.deliver")).unwrap();
    assert_eq!(delivery.attributes["landlord.sink"], "otlp");
    assert_eq!(delivery.resource["service.name"], "landlord");
    let compile = spans.iter().find(named("rules.compile")).unwrap();
    let reload = spans.iter().find(|span| span.id == compile.parent).unwrap();
    assert_eq!((&reload.name, &reload.trace), (&"rules.reload".to_owned(), &compile.trace));
    assert!(reload.start_unix_ns <= compile.start_unix_ns);
    assert!(reload.end_unix_ns >= compile.end_unix_ns && compile.end_unix_ns > 0);
    // Alerts are none of it.
    assert!(!spans.iter().any(tells_of_alert));
    watch.stop().unwrap();
}

/// The spans of a trace from the process of the alert up to the oldest ancestor; they
/// must be one chain.
fn chain<'a>(spans: &'a [Span], trace: &str) -> Vec<&'a Span> {
    let of_trace: Vec<&Span> = spans.iter().filter(|span| span.trace == trace).collect();
    let actor = of_trace.iter().find(|span| tells_of_alert(span)).unwrap();
    let mut chain = vec![*actor];
    while let Some(parent) = chain.last().map(|span| &span.parent).filter(|it| !it.is_empty()) {
        chain.push(of_trace.iter().find(|span| span.id == *parent).unwrap());
    }
    assert_eq!(chain.len(), of_trace.len(), "{of_trace:#?}");
    chain
}

fn tells_of_alert(span: &Span) -> bool {
    span.events.iter().any(|(name, ..)| name == ALERT)
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
                received.spans.iter().any(|span| span.trace == *id && tells_of_alert(span))
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
            // What no rule wants is told only while the kernel side does not know that yet,
            // and may be much: a loader looks for libraries in many places.
            let [began, .., opened, alerted] = &actor.events[..] else { panic!("{actor:#?}") };
            assert_eq!(began.0, "execve", "{actor:#?}");
            assert_eq!(
                began.2["process.executable.path"],
                actor.attributes["process.executable.path"]
            );
            assert!(began.1 >= actor.start_unix_ns && began.1 <= opened.1);
            assert!(opened.0.starts_with("open"), "{opened:?}");
            assert!(opened.2["file.path"].as_str().unwrap().ends_with("/secret"), "{opened:?}");
            assert_eq!(opened.2["landlord.file.access"], "read");
            assert_eq!(alerted.0, ALERT);
            assert_eq!(alerted.2["security_rule.name"], RULE);
            assert_eq!((opened.1, alerted.1), (actor.end_unix_ns, actor.end_unix_ns));
            assert!(actor.start_unix_ns > 0 && actor.start_unix_ns <= actor.end_unix_ns);
            assert_eq!(actor.resource["service.name"], "landlord");
        }
        watch.stop().unwrap();
    }
}
