//! The router behind a real socket.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Guard, Readiness, SourceError, UsageSource, router};
use crate::sinks::listener::tests::{Reply, Server};
use crate::sinks::listener::{ClientToken, Clients};
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
    Server::start(router(source, Guard::default())).request(&format!("GET {path} HTTP/1.1"))
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
    let server = Server::start(router(Source::Good, Guard::default()));
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

#[test]
fn a_token_is_wanted_for_figures_and_not_for_health() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "opensesame\n").unwrap();
    let token = ClientToken::new(file).unwrap();
    let clients = Arc::<Clients>::default();
    let guard = Guard { token: Some(token), certificates: false, clients: Arc::clone(&clients) };
    let server = Server::start(router(Source::Good, guard));
    let check = |path: &str, header: &str, expected: u16| {
        let reply = server.request(&format!("GET {path} HTTP/1.1{header}"));
        assert_eq!(reply.status, expected, "{path} {header:?}: {reply:?}");
        let scheme = (expected == 401).then_some("Bearer realm=\"landlord\"");
        assert_eq!(reply.header("www-authenticate"), scheme);
        assert!(expected == 200 || !reply.body.contains("acme"));
    };
    for page in ["/metrics", "/v1/usage"] {
        check(page, "", 401);
        for wrong in
            ["Bearer", "Bearer ", "Bearer opensesam", "Bearer opensesame2", "Basic opensesame"]
        {
            check(page, &format!("\r\nAuthorization: {wrong}"), 401);
        }
        check(page, "\r\nAuthorization: Bearer opensesame", 200);
        check(page, "\r\nauthorization: bearer opensesame", 200);
    }
    check("/v1/alerts", "", 401);
    check("/v1/alerts", "\r\nAuthorization: Bearer opensesame", 503);
    for open in ["/", "/healthz", "/readyz"] {
        check(open, "", 200);
    }
    check("/secret", "", 404);
    let counts: Vec<(String, u16, u64)> = clients
        .usage()
        .requests
        .into_iter()
        .filter(|it| ["/metrics", "/healthz", "other"].contains(&it.page.as_str()))
        .map(|it| (it.page, it.status, it.count))
        .collect();
    let expected =
        [("/healthz", 200, 1), ("/metrics", 200, 2), ("/metrics", 401, 6), ("other", 404, 1)];
    assert_eq!(counts, expected.map(|(page, status, count)| (page.to_owned(), status, count)));
}

#[test]
fn same_figures_are_encoded_once() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static ENCODED: AtomicUsize = AtomicUsize::new(0);
    fn encode(_: Arc<NodeUsage>) -> Result<String, std::fmt::Error> {
        Ok(format!("page {}", ENCODED.fetch_add(1, Ordering::Relaxed)))
    }
    #[derive(Clone)]
    struct Same(Arc<NodeUsage>);
    impl UsageSource for Same {
        async fn usage(&self) -> Result<Arc<NodeUsage>, SourceError> {
            Ok(Arc::clone(&self.0))
        }

        fn readiness(&self) -> Readiness {
            Readiness::Ready
        }
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let made = super::Made::default();
        let same = Same(Arc::default());
        let pages = futures_util::future::join_all(
            (0..20).map(|_| super::page(same.clone(), &made, encode)),
        );
        assert_eq!(pages.await, vec![Ok("page 0".into()); 20]);
        let others = Same(Arc::default());
        assert_eq!(super::page(others, &made, encode).await, Ok("page 1".into()));
    });
}
