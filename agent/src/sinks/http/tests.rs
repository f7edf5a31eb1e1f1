//! The router behind a real socket.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Readiness, SourceError, UsageSource, router};
use crate::sinks::listener::tests::{Reply, Server};
use crate::usage::tenant::{AgentUsage, NodeUsage, TenantUsage};

/// A source that answers as told.
#[derive(Clone, Copy)]
enum Source {
    Good,
    Starting,
    Broken,
    Panicking,
}

impl UsageSource for Source {
    async fn usage(&self) -> Result<Arc<NodeUsage>, SourceError> {
        match self {
            Self::Good => Ok(Arc::new(NodeUsage {
                read_at_unix_ms: 1,
                agent: AgentUsage {
                    lost_total: BTreeMap::from([("slots_exhausted".to_owned(), 7)]),
                    ..AgentUsage::default()
                },
                tenants: vec![TenantUsage { tenant: "acme".to_owned(), ..TenantUsage::default() }],
                ..NodeUsage::default()
            })),
            Self::Starting => Err(SourceError::Unready("sensors are loading".to_owned())),
            Self::Broken => Err(SourceError::Failed("map is gone".to_owned())),
            Self::Panicking => panic!("as told"),
        }
    }

    fn readiness(&self) -> Readiness {
        match self {
            Self::Good | Self::Broken | Self::Panicking => Readiness::Ready,
            Self::Starting => Readiness::Unready("sensors are loading".to_owned()),
        }
    }
}

fn get(source: Source, path: &str) -> Reply {
    Server::start(router(source)).request(&format!("GET {path} HTTP/1.1"))
}

#[test]
fn pages() {
    #[track_caller]
    fn check(path: &str, status: u16, content_type: &str, part: &str) {
        let reply = get(Source::Good, path);
        assert_eq!(reply.status, status, "{reply:?}");
        assert_eq!(reply.header("content-type"), Some(content_type));
        assert!(reply.body.contains(part), "{}", reply.body);
    }
    let text = "text/plain; charset=utf-8";
    check("/", 200, text, "/metrics");
    check("/healthz", 200, text, "ok");
    check("/readyz", 200, text, "ready");
    check("/nothing", 404, text, "no such page; see /");
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    check("/metrics", 200, openmetrics, "\nlandlord_lost_total{cause=\"slots_exhausted\"} 7\n");
    check("/v1/usage", 200, "application/json", "\"tenant\":\"acme\"");
}

#[test]
fn json_is_the_node_usage() {
    let reply = get(Source::Good, "/v1/usage");
    let usage: NodeUsage = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(usage.tenants[0].tenant, "acme");
    assert_eq!(usage.agent.lost_total["slots_exhausted"], 7);
}

#[test]
fn what_cannot_be_had_is_503_with_the_reason() {
    #[track_caller]
    fn check(source: Source, path: &str, expected: &str) {
        let reply = get(source, path);
        assert_eq!((reply.status, reply.body.as_str()), (503, expected));
    }
    check(Source::Starting, "/metrics", "not ready: sensors are loading\n");
    check(Source::Starting, "/readyz", "not ready: sensors are loading\n");
    check(Source::Starting, "/v1/usage", r#"{"error":"not ready: sensors are loading"}"#);
    check(Source::Broken, "/metrics", "the counters cannot be read: map is gone\n");
    check(Source::Broken, "/v1/usage", r#"{"error":"the counters cannot be read: map is gone"}"#);
    assert_eq!(get(Source::Starting, "/healthz").status, 200);
    assert_eq!(get(Source::Broken, "/readyz").status, 200);
    let reply = get(Source::Panicking, "/metrics");
    assert_eq!(reply.status, 503);
    assert!(reply.body.starts_with("the collection ended early: "), "{}", reply.body);
}

#[test]
fn head_has_the_length_and_no_body_and_other_methods_are_refused() {
    let server = Server::start(router(Source::Good));
    let head = server.request("HEAD /metrics HTTP/1.1");
    let get = server.request("GET /metrics HTTP/1.1");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()));
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let reply = server.request(&format!("{method} /metrics HTTP/1.1"));
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.header("allow"), Some("GET,HEAD"));
    }
}
