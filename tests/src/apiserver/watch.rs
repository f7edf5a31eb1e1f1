//! Watches: changes as they happen, bookmarks, and lists as watches.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::connection::{Shared, State};
use super::request::Seen;
use super::response::{self, Answer, Piece};
use super::store::{Kind, Object};

/// How long a watch lasts if its client does not say.
const DEFAULT: Duration = Duration::from_secs(1800);

/// A watch that runs.
struct Watch {
    shared: Arc<Shared>,
    request: Seen,
    node: Option<String>,
    kind: String,
    group_version: String,
    /// All up to here was told.
    version: u64,
    pieces: mpsc::Sender<Piece>,
}

/// Nobody listens any more.
struct Closed;

/// Answers with what happens from now on, or after the version that is asked for.
pub(super) fn start(
    shared: &Arc<Shared>,
    state: &State,
    kind: &Kind,
    request: Seen,
) -> Response<Answer> {
    let node = match (request.node(), request.unwanted_labels()) {
        (Ok(node), Ok(_)) => node.map(str::to_owned),
        (Err(message), _) | (_, Err(message)) => return response::failure(400, &message, None),
    };
    let streams = request.is_set("sendInitialEvents");
    if streams && !state.watch_list {
        let message = "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch \
                       unless the WatchList feature gate is enabled";
        return response::failure(422, message, None);
    }
    if streams && request.query.get("resourceVersionMatch").is_none_or(|how| how != "NotOlderThan")
    {
        let message = "resourceVersionMatch: Required value: sendInitialEvents wants NotOlderThan";
        return response::failure(422, message, None);
    }
    let asked = request.number("resourceVersion").filter(|version| *version > 0);
    let lists = streams || asked.is_none();
    let version = asked.filter(|_| !lists).unwrap_or(state.store.version);
    let (pieces, receiver) = mpsc::channel(64);
    if !state.store.remembers(version) {
        let told = response::status(410, &format!("too old resource version: {version}"), None);
        let event = json!({ "type": "ERROR", "object": told });
        return response::json(StatusCode::OK, format!("{event}\n"));
    }
    let initial: Vec<Arc<Object>> =
        if lists { kind.objects.values().cloned().collect() } else { Vec::new() };
    let watch = Watch {
        shared: Arc::clone(shared),
        node,
        kind: kind.kind.clone(),
        group_version: kind.group_version.clone(),
        version,
        pieces,
        request,
    };
    tokio::spawn(async move {
        // It ends when its client does.
        watch.run(initial, streams).await.unwrap_or(());
    });
    let mut answer = response::json(StatusCode::OK, Bytes::new());
    *answer.body_mut() = Answer::Pieces(receiver);
    answer
}

impl Watch {
    async fn run(mut self, initial: Vec<Arc<Object>>, streams: bool) -> Result<(), Closed> {
        let lasts = self.request.number("timeoutSeconds").map_or(DEFAULT, Duration::from_secs);
        let end = Instant::now() + lasts;
        let mut changes = self.shared.changes();
        for object in initial {
            self.tell("ADDED", &object).await?;
        }
        if streams {
            self.bookmark(true).await?;
        }
        loop {
            // Cleared before looking, so that what comes meanwhile is seen next time.
            changes.borrow_and_update();
            let (events, pause) = {
                let state = self.shared.lock();
                let frozen = state.frozen;
                let events = if frozen {
                    Vec::new()
                } else {
                    state.store.since(self.version, &self.request.resource)
                };
                (events, if frozen { DEFAULT } else { state.bookmarks })
            };
            for event in events {
                self.tell(event.what, &event.object).await?;
                self.version = event.version;
            }
            tokio::select! {
                changed = changes.changed() => changed.map_err(|_| Closed)?,
                () = tokio::time::sleep(pause) => {
                    if self.request.is_set("allowWatchBookmarks") {
                        self.bookmark(false).await?;
                    }
                }
                () = tokio::time::sleep_until(end) => return Ok(()),
                () = self.pieces.closed() => return Err(Closed),
            }
        }
    }

    async fn tell(&self, what: &str, object: &Object) -> Result<(), Closed> {
        let unwanted = self.request.unwanted_labels().unwrap_or_default();
        if (self.node.is_some() && self.node != object.node) || !object.lacks(&unwanted) {
            return Ok(());
        }
        let head = format!(r#"{{"type":"{what}","object":"#);
        let body = object.body(self.request.metadata_only);
        self.send([head.as_bytes(), body, b"}\n"].concat()).await
    }

    async fn bookmark(&mut self, ends_list: bool) -> Result<(), Closed> {
        let mut metadata = json!({ "resourceVersion": self.version.to_string() });
        if ends_list {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        let object =
            json!({ "kind": self.kind, "apiVersion": self.group_version, "metadata": metadata });
        let event = json!({ "type": "BOOKMARK", "object": object });
        self.send(format!("{event}\n").into_bytes()).await
    }

    async fn send(&self, line: Vec<u8>) -> Result<(), Closed> {
        self.pieces.send(Ok(line.into())).await.map_err(|_| Closed)
    }
}
