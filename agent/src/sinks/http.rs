//! The local HTTP API: `/metrics`, `/healthz`, `/readyz`, `/v1/usage` and
//! `/v1/alerts`.
//!
//! It reads only, and asks its [`UsageSource`] anew for each request. It never
//! shows a partial or stale page: what cannot be had is `503` with the reason.
//!
//! However many clients ask, a page is made once from the same figures. Figures and alerts
//! are for those who may have them; whether the agent lives and counts is for everybody, as
//! the kubelet's probes say no token.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, SERVER,
    WWW_AUTHENTICATE,
};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::body::Bytes;
use tokio::sync::{Mutex, Semaphore};

use super::listener::{Certified, ClientToken, Clients};
use super::prometheus;
use super::recent::Recent;
use crate::usage::tenant::NodeUsage;

/// Below the 10 s that Prometheus waits by default, so that it gets the reason.
const COLLECT_WITHIN: Duration = Duration::from_secs(8);

/// How long a client of the alerts waits for the next one.
const ALERTS_WITHIN: Duration = Duration::from_secs(5);

/// Clients of the alerts that wait at a time. Each keeps a connection busy meanwhile.
const WAITING: usize = 16;

/// How long a page is kept for further clients.
const KEPT: Duration = Duration::from_secs(1);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
/// Tells `landlord top` which agent it asks.
const PROGRAM: &str = concat!("landlord/", env!("CARGO_PKG_VERSION"));

const INDEX: &str = "\
landlord, meter of this node's tenants

/metrics    all metrics, OpenMetrics text
/v1/usage   the same as JSON
/v1/alerts  the last alerts as JSON; ?from=NUMBER waits for those from that number on
/healthz    200 while the agent lives
/readyz     200 when it counts, else 503 and why not
";

/// Where the figures come from.
pub trait UsageSource: Clone + Send + Sync + 'static {
    /// The totals now.
    fn usage(&self) -> impl Future<Output = Result<Arc<NodeUsage>, SourceError>> + Send;

    /// Whether [`Self::usage`] can be expected to answer.
    fn readiness(&self) -> Readiness;

    /// The last alerts; `None` when no rules are in force.
    fn alerts(&self) -> Option<Arc<Recent>> {
        None
    }
}

/// Whether the agent counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It does.
    Ready,
    /// Not now, for this reason.
    Unready(String),
}

/// Why there are no figures now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The agent is starting or stopping.
    #[error("not ready: {0}")]
    Unready(String),
    /// The counters could not be read.
    #[error("the counters cannot be read: {0}")]
    Failed(String),
}

/// Who may see figures and alerts, and the counts of those who ask.
#[derive(Debug, Default)]
pub struct Guard {
    /// The token that clients must say.
    pub token: Option<ClientToken>,
    /// Whether a certificate is as good; without a token it is wanted.
    pub certificates: bool,
    /// Where requests are counted.
    pub clients: Arc<Clients>,
}

impl Guard {
    fn lets_in(&self, request: &Request) -> bool {
        if self.token.is_none() && !self.certificates {
            return true;
        }
        let is_certified = || request.extensions().get::<Certified>().is_some();
        let said = || request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let says = |token: &ClientToken| said().is_some_and(|said| token.is_said(said));
        self.certificates && is_certified() || self.token.as_ref().is_some_and(says)
    }
}

/// Paths that metrics tell apart; what is not among them is one more.
const PAGES: [&str; 6] = ["/", "/metrics", "/healthz", "/readyz", "/v1/usage", "/v1/alerts"];
/// Those that everybody may see.
const OPEN: [&str; 3] = ["/", "/healthz", "/readyz"];

/// What the pages are made of.
struct Pages<S> {
    source: S,
    metrics: Made,
    exemplars: Made,
    usage: Made,
    waiting: Semaphore,
}

/// The page that was made last, and of which figures.
type Made = Arc<Mutex<Option<(Arc<NodeUsage>, Bytes)>>>;

/// Everything the API serves.
pub fn router<S: UsageSource>(source: S, guard: Guard) -> Router {
    let pages = Arc::new(Pages {
        source,
        metrics: Made::default(),
        exemplars: Made::default(),
        usage: Made::default(),
        waiting: Semaphore::new(WAITING),
    });
    Router::new()
        .route("/", get(async || text(StatusCode::OK, INDEX)))
        .route("/metrics", get(metrics::<S>))
        .route("/healthz", get(async || text(StatusCode::OK, "ok\n")))
        .route("/readyz", get(readyz::<S>))
        .route("/v1/usage", get(usage::<S>))
        .route("/v1/alerts", get(alerts::<S>))
        .fallback(async || text(StatusCode::NOT_FOUND, "no such page; see /\n"))
        .method_not_allowed_fallback(async || {
            text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n")
        })
        .with_state(pages)
        .layer(from_fn_with_state(Arc::new(guard), watch))
}

/// Lets in who may see the page, and counts the answer.
async fn watch(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let page = PAGES.into_iter().find(|page| *page == request.uri().path());
    let is_open = page.is_none_or(|page| OPEN.contains(&page));
    // Another method shows nothing, and is refused for that.
    let shows = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = if is_open || !shows || guard.lets_in(&request) {
        next.run(request).await
    } else {
        let mut response =
            text(StatusCode::UNAUTHORIZED, "the agent wants a token (`Authorization: Bearer …`)\n");
        let scheme = HeaderValue::from_static("Bearer realm=\"landlord\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        response
    };
    guard.clients.answered(page.unwrap_or("other"), response.status().as_u16());
    response
}

async fn metrics<S: UsageSource>(
    State(pages): State<Arc<Pages<S>>>,
    headers: HeaderMap,
) -> Response {
    // Who does not ask for OpenMetrics by name may not know what exemplars are.
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let knows = accepts.into_iter().any(|accept| accept.contains("application/openmetrics-text"));
    let made = if knows {
        page(pages.source.clone(), &pages.exemplars, prometheus::encode_with_exemplars).await
    } else {
        page(pages.source.clone(), &pages.metrics, prometheus::encode).await
    };
    match made {
        Ok(page) => respond(StatusCode::OK, prometheus::CONTENT_TYPE, page),
        Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn usage<S: UsageSource>(State(pages): State<Arc<Pages<S>>>) -> Response {
    let encode = |usage: Arc<NodeUsage>| serde_json::to_string(&*usage);
    match page(pages.source.clone(), &pages.usage, encode).await {
        Ok(page) => respond(StatusCode::OK, JSON, page),
        Err(reason) => refuse(&reason),
    }
}

/// What a client of the alerts may ask.
#[derive(Debug, serde::Deserialize)]
struct AlertQuery {
    from: Option<u64>,
}

async fn alerts<S: UsageSource>(
    State(pages): State<Arc<Pages<S>>>,
    Query(query): Query<AlertQuery>,
) -> Response {
    let Some(recent) = pages.source.alerts() else { return refuse("no rules are in force") };
    let page = match query.from {
        Some(from) => {
            let Ok(_place) = pages.waiting.try_acquire() else {
                return refuse("too many clients wait for alerts");
            };
            recent.wait(Some(from), ALERTS_WITHIN).await
        }
        None => recent.page(None),
    };
    match serde_json::to_string(&page) {
        Ok(page) => respond(StatusCode::OK, JSON, page),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

async fn readyz<S: UsageSource>(State(pages): State<Arc<Pages<S>>>) -> Response {
    match pages.source.readiness() {
        Readiness::Ready => text(StatusCode::OK, "ready\n"),
        Readiness::Unready(reason) => {
            text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n"))
        }
    }
}

/// Asks the source and encodes its answer, each in a task of its own: a panic in
/// either is a reason like any other, encoding holds up no other request, and a
/// client that hangs up does not stop a collection half-way.
async fn page<S: UsageSource, E: fmt::Display + Send + 'static>(
    source: S,
    kept: &Made,
    encode: fn(Arc<NodeUsage>) -> Result<String, E>,
) -> Result<Bytes, String> {
    let collection = tokio::spawn(async move { source.usage().await });
    let usage = tokio::time::timeout(COLLECT_WITHIN, collection)
        .await
        .map_err(|_| format!("no reading within {} s", COLLECT_WITHIN.as_secs()))?
        .map_err(|error| format!("the collection ended early: {error}"))?
        .map_err(|error| error.to_string())?;
    let mut made = kept.lock().await;
    if let Some((of, page)) = &*made
        && Arc::ptr_eq(of, &usage)
    {
        return Ok(page.clone());
    }
    let of = Arc::clone(&usage);
    let page: Bytes = tokio::task::spawn_blocking(move || encode(of))
        .await
        .map_err(|error| format!("the encoding ended early: {error}"))?
        .map_err(|error| format!("the figures cannot be encoded: {error}"))?
        .into();
    *made = Some((Arc::clone(&usage), page.clone()));
    drop(made);
    let kept = Arc::clone(kept);
    tokio::spawn(async move {
        tokio::time::sleep(KEPT).await;
        // Megabytes on a node of many tenants, and younger figures are there by now.
        kept.lock().await.take_if(|(of, _)| Arc::ptr_eq(of, &usage));
    });
    Ok(page)
}

/// Why there is no JSON, in JSON.
fn refuse(reason: &str) -> Response {
    let error = serde_json::json!({ "error": reason }).to_string();
    respond(StatusCode::SERVICE_UNAVAILABLE, JSON, error)
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response {
    respond(status, TEXT, body)
}

fn respond(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let headers = [(SERVER, PROGRAM), (CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")];
    (status, headers, body.into()).into_response()
}

#[cfg(test)]
mod tests;
