//! Connections: TLS, who may ask, what goes wrong, who answers.

use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::server::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::fault::{self, Faults};
use super::request::{Seen, Verb};
use super::response::{self, Answer, Reply};
use super::store::Store;
use super::tls::{Authority, Certificates, HTTP2};
use super::{list, watch as watches, write};

/// What requests and the test share.
pub(super) struct Shared {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
    hung: watch::Sender<bool>,
    certificates: Certificates,
    listener: Mutex<Option<AbortHandle>>,
    connections: Mutex<Vec<AbortHandle>>,
}

pub(super) struct State {
    pub(super) store: Store,
    pub(super) token: String,
    pub(super) faults: Faults,
    pub(super) seen: Vec<Seen>,
    pub(super) watch_list: bool,
    pub(super) bookmarks: Duration,
    pub(super) frozen: bool,
    pub(super) http2: bool,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(certificates: Certificates) -> Result<Self> {
        let state = State {
            store: Store::new(),
            token: String::new(),
            faults: Faults::default(),
            seen: Vec::new(),
            watch_list: true,
            bookmarks: Duration::from_secs(1),
            frozen: false,
            http2: true,
        };
        Ok(Self {
            state: Mutex::new(state),
            changes: watch::Sender::new(0),
            hung: watch::Sender::new(false),
            certificates,
            listener: Mutex::default(),
            connections: Mutex::default(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    pub(super) fn authority(&self) -> &Authority {
        &self.certificates.authority
    }

    /// Changes objects and wakes the watches.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state.store);
        let version = state.store.version;
        drop(state);
        self.changes.send_replace(version);
        result
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn freeze(&self, frozen: bool) {
        self.lock().frozen = frozen;
        self.changes.send_modify(|_| ());
    }

    pub(super) fn hang(&self, hangs: bool) {
        self.hung.send_replace(hangs);
    }

    pub(super) fn hang_up(&self) {
        for connection in locked(&self.connections).drain(..) {
            connection.abort();
        }
    }

    pub(super) fn close(&self) {
        if let Some(listener) = locked(&self.listener).take() {
            listener.abort();
        }
        self.hang_up();
    }

    /// Takes connections until it is closed.
    pub(super) fn listen(
        self: &Arc<Self>,
        runtime: &Runtime,
        address: SocketAddr,
    ) -> Result<SocketAddr> {
        let listener = bind(address)?;
        listener.set_nonblocking(true)?;
        let _guard = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let shared = Arc::clone(self);
        let task = runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = Arc::clone(&shared).serve_unless_hung(stream);
                let task = tokio::spawn(connection).abort_handle();
                let mut connections = locked(&shared.connections);
                connections.retain(|connection| !connection.is_finished());
                connections.push(task);
            }
        });
        *locked(&self.listener) = Some(task.abort_handle());
        Ok(address)
    }

    async fn serve(self: Arc<Self>, stream: tokio::net::TcpStream) {
        let acceptor = self.certificates.acceptor(self.lock().http2);
        let Ok(stream) = acceptor.accept(stream).await else {
            return;
        };
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        let stream = TokioIo::new(stream);
        let service = hyper::service::service_fn(move |request| Arc::clone(&self).answer(request));
        let ended = if is_http2 {
            http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await
        } else {
            http1::Builder::new().serve_connection(stream, service).await
        };
        // How it ended is the client's to notice.
        ended.unwrap_or(());
    }

    /// The same, but while the server is to hang nothing is read or written: what comes
    /// is taken by the kernel alone, as if the process were stopped.
    async fn serve_unless_hung(self: Arc<Self>, stream: tokio::net::TcpStream) {
        let mut hung = self.hung.subscribe();
        let mut serving = pin!(self.serve(stream));
        loop {
            tokio::select! {
                biased;
                () = becomes(&mut hung, true) => {}
                () = &mut serving => return,
            }
            becomes(&mut hung, false).await;
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let Some(seen) = Seen::parse(&head.method, &head.uri, &head.headers) else {
            return Ok(not_found());
        };
        let fault = {
            let mut state = self.lock();
            state.seen.push(seen.clone());
            let token = head.headers.get(AUTHORIZATION).and_then(|token| token.to_str().ok());
            if token != Some(&state.token) {
                return Ok(response::failure(401, "Unauthorized", None));
            }
            state.faults.take(&seen)
        };
        let answer = || self.granted(seen.clone(), &head.headers, &body);
        match fault {
            None => Ok(answer()),
            Some(fault::Kind::Late(by)) => {
                tokio::time::sleep(by).await;
                Ok(answer())
            }
            Some(fault) => broken(fault, &seen, answer).await,
        }
    }

    fn granted(
        self: &Arc<Self>,
        seen: Seen,
        headers: &hyper::HeaderMap,
        body: &Bytes,
    ) -> Response<Answer> {
        let mut state = self.lock();
        let Some(kind) = state.store.kind(&seen.group_version, &seen.resource) else {
            return not_found();
        };
        match seen.verb {
            Verb::List => list::list(&state.store, kind, &seen),
            Verb::Watch => watches::start(self, &state, kind, seen),
            _ => {
                let answer = write::answer(&mut state.store, &seen, headers, body);
                let version = state.store.version;
                drop(state);
                self.changes.send_replace(version);
                answer
            }
        }
    }
}

/// Answers as the fault wants it.
async fn broken(
    fault: fault::Kind,
    seen: &Seen,
    whole: impl FnOnce() -> Response<Answer>,
) -> Reply {
    let hang_up = || std::io::Error::other("the connection is to break");
    let message = |code| match code {
        403 => {
            let (verb, resource) = (seen.verb_name(), &seen.resource);
            format!(
                "{resource} is forbidden: User \"system:serviceaccount:landlord:landlord\" cannot \
                 {verb} resource \"{resource}\" in API group \"\" at the cluster scope"
            )
        }
        code => format!("made to fail with {code}"),
    };
    let (sender, receiver) = mpsc::channel(4);
    let pieces = || {
        let mut answer = response::json(hyper::StatusCode::OK, Bytes::new());
        *answer.body_mut() = Answer::Pieces(receiver);
        answer
    };
    match fault {
        fault::Kind::Status { code, retry_after } => {
            Ok(response::failure(code, &message(code), retry_after))
        }
        fault::Kind::Text { code, retry_after } => {
            Ok(response::text(code, &message(code), retry_after))
        }
        fault::Kind::ErrorEvent { code } => {
            let object = response::status(code, &message(code), None);
            let event = serde_json::json!({ "type": "ERROR", "object": object });
            Ok(response::json(hyper::StatusCode::OK, format!("{event}\n")))
        }
        fault::Kind::HangUp => Err(hang_up()),
        fault::Kind::Cut if seen.verb == Verb::Watch => {
            sender.send(Err(hang_up())).await.unwrap_or(());
            Ok(pieces())
        }
        fault::Kind::Cut => {
            let whole = whole().into_body().collect().await;
            let whole = whole.map(|body| body.to_bytes()).unwrap_or_default();
            sender.send(Ok(whole.slice(..whole.len() / 2))).await.unwrap_or(());
            sender.send(Err(hang_up())).await.unwrap_or(());
            Ok(pieces())
        }
        fault::Kind::Silence => std::future::pending().await,
        fault::Kind::Stall => {
            let answer = pieces();
            // The sender lives as long as the connection, and says nothing.
            tokio::spawn(async move { sender.closed().await });
            Ok(answer)
        }
        fault::Kind::Late(_) => Ok(whole()),
    }
}

fn not_found() -> Response<Answer> {
    response::failure(404, "the server could not find the requested resource", None)
}

/// Returns when it is as wanted.
async fn becomes(state: &mut watch::Receiver<bool>, wanted: bool) {
    if state.wait_for(|state| *state == wanted).await.is_err() {
        // Nobody changes it any more.
        std::future::pending::<()>().await;
    }
}

/// The port of a listener that was just ended may still be held for a moment.
fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    for _ in 0..100 {
        if let Ok(listener) = std::net::TcpListener::bind(address) {
            return Ok(listener);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    std::net::TcpListener::bind(address)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
