//! The local HTTP API: `/metrics`, `/healthz`, `/readyz`, `/v1/usage` and
//! `/v1/alerts`.
//!
//! It reads only, and asks its [`UsageSource`] anew for each request. It never
//! shows a partial or stale page: what cannot be had is `503` with the reason.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, SERVER};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::prometheus;
use super::recent::Recent;
use crate::usage::tenant::NodeUsage;

/// Below the 10 s that Prometheus waits by default, so that it gets the reason.
const COLLECT_WITHIN: Duration = Duration::from_secs(8);

/// How long a client of the alerts waits for the next one.
const ALERTS_WITHIN: Duration = Duration::from_secs(5);

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

/// Everything the API serves.
pub fn router<S: UsageSource>(source: S) -> Router {
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
        .with_state(source)
}

async fn metrics<S: UsageSource>(State(source): State<S>) -> Response {
    match page(source, prometheus::encode).await {
        Ok(page) => respond(StatusCode::OK, prometheus::CONTENT_TYPE, page),
        Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn usage<S: UsageSource>(State(source): State<S>) -> Response {
    match page(source, |usage| serde_json::to_string(&*usage)).await {
        Ok(page) => respond(StatusCode::OK, JSON, page),
        Err(reason) => {
            let error = serde_json::json!({ "error": reason }).to_string();
            respond(StatusCode::SERVICE_UNAVAILABLE, JSON, error)
        }
    }
}

/// What a client of the alerts may ask.
#[derive(Debug, serde::Deserialize)]
struct AlertQuery {
    from: Option<u64>,
}

async fn alerts<S: UsageSource>(
    State(source): State<S>,
    Query(query): Query<AlertQuery>,
) -> Response {
    let Some(recent) = source.alerts() else {
        let error = serde_json::json!({ "error": "no rules are in force" }).to_string();
        return respond(StatusCode::SERVICE_UNAVAILABLE, JSON, error);
    };
    let page = match query.from {
        Some(from) => recent.wait(Some(from), ALERTS_WITHIN).await,
        None => recent.page(None),
    };
    match serde_json::to_string(&page) {
        Ok(page) => respond(StatusCode::OK, JSON, page),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

async fn readyz<S: UsageSource>(State(source): State<S>) -> Response {
    match source.readiness() {
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
    encode: fn(Arc<NodeUsage>) -> Result<String, E>,
) -> Result<String, String> {
    let collection = tokio::spawn(async move { source.usage().await });
    let usage = tokio::time::timeout(COLLECT_WITHIN, collection)
        .await
        .map_err(|_| format!("no reading within {} s", COLLECT_WITHIN.as_secs()))?
        .map_err(|error| format!("the collection ended early: {error}"))?
        .map_err(|error| error.to_string())?;
    tokio::task::spawn_blocking(move || encode(usage))
        .await
        .map_err(|error| format!("the encoding ended early: {error}"))?
        .map_err(|error| format!("the figures cannot be encoded: {error}"))
}

fn text(status: StatusCode, body: impl Into<String>) -> Response {
    respond(status, TEXT, body.into())
}

fn respond(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let headers = [(SERVER, PROGRAM), (CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

#[cfg(test)]
mod tests;
