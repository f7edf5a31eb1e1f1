//! A double of a node's kubelet: its summary of statistics over TLS, and what can go
//! wrong with it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use anyhow::Result;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::apiserver::Authority;

/// The node that it says to be of.
pub const NODE: &str = "landlord-e2e-node";

/// The kubelet; dropped, it is gone with its connections.
pub struct Kubelet {
    state: Arc<Mutex<State>>,
    runtime: Option<Runtime>,
    address: SocketAddr,
}

/// What goes wrong with every request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Refused with this code.
    Refused(u16),
    /// Answered with this text.
    Text(String),
    /// No answer ever comes.
    Silent,
    /// The answer begins and never ends.
    Endless,
}

struct State {
    token: String,
    summary: Value,
    fault: Option<Fault>,
    tls: TlsAcceptor,
    /// How many asked, and how many of these said the token.
    asked: usize,
    trusted: usize,
}

impl fmt::Debug for Kubelet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubelet").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Kubelet {
    /// Starts one on a free port of loopback that knows of no pod. Its certificate is
    /// signed by `authority` for its address.
    pub fn start(authority: &Authority) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("kubelet")
            .enable_all()
            .build()?;
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let state = Arc::new(Mutex::new(State {
            token: "Bearer first".to_owned(),
            summary: json!({"node": {"nodeName": NODE}, "pods": []}),
            fault: None,
            tls: authority.sign(NODE, Some(loopback))?,
            asked: 0,
            trusted: 0,
        }));
        let listener = std::net::TcpListener::bind((loopback, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let guard = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        drop(guard);
        runtime.spawn(listen(listener, Arc::clone(&state)));
        Ok(Self { state, runtime: Some(runtime), address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shows another certificate from now on: signed by `authority`, for its node's name
    /// alone, as of a kubelet that signs for itself.
    pub fn show_name_only(&self, authority: &Authority) -> Result<()> {
        locked(&self.state).tls = authority.sign(NODE, None)?;
        Ok(())
    }

    /// Accepts this token from now on, and no other.
    pub fn set_token(&self, token: &str) {
        locked(&self.state).token = format!("Bearer {token}");
    }

    /// Tells of these pods.
    pub fn set_pods(&self, pods: Vec<Value>) {
        locked(&self.state).summary["pods"] = Value::Array(pods);
    }

    /// Lets all requests fail from now on, or none.
    pub fn set_fault(&self, fault: Option<Fault>) {
        locked(&self.state).fault = fault;
    }

    /// How many asked until now, and how many of these said the token.
    #[must_use]
    pub fn asked(&self) -> (usize, usize) {
        let state = locked(&self.state);
        (state.asked, state.trusted)
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A pod of a summary, as kubelets write it, with volumes of claims of its namespace:
/// claim, used and capacity, bytes.
#[must_use]
pub fn pod(
    (namespace, name, uid): (&str, &str, &str),
    ephemeral: u64,
    claims: &[(&str, u64, u64)],
) -> Value {
    const TIME: &str = "2026-11-21T10:15:04Z";
    let claims = claims.iter().map(|(claim, used, capacity)| {
        json!({
            "time": TIME, "availableBytes": capacity.saturating_sub(*used),
            "capacityBytes": capacity, "usedBytes": used, "inodesFree": 1, "inodes": 2,
            "inodesUsed": 1, "name": format!("volume-{claim}"),
            "pvcRef": {"name": claim, "namespace": namespace},
        })
    });
    let local = json!({"time": TIME, "usedBytes": 77, "capacityBytes": 1 << 30, "name": "tmp"});
    json!({
        "podRef": {"name": name, "namespace": namespace, "uid": uid},
        "startTime": TIME,
        "containers": [{"name": "main", "startTime": TIME, "rootfs": {"time": TIME, "usedBytes": 8}}],
        "volume": claims.chain([local]).collect::<Vec<_>>(),
        "ephemeral-storage": {"time": TIME, "usedBytes": ephemeral, "inodesUsed": 3,
            "capacityBytes": 1_u64 << 40, "availableBytes": 1_u64 << 39},
        "process_stats": {"process_count": 0},
    })
}

async fn listen(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let tls = locked(&state).tls.clone();
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = hyper::service::service_fn(|request| answer(&state, request));
            let connection = hyper::server::conn::http1::Builder::new()
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // How it ended is the client's to notice.
            connection.await.unwrap_or(());
        });
    }
}

async fn answer(
    state: &Mutex<State>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, std::convert::Infallible> {
    let (fault, is_granted, summary) = {
        let mut state = locked(state);
        let token = request.headers().get(AUTHORIZATION).and_then(|token| token.to_str().ok());
        let is_granted = token == Some(&state.token);
        state.asked += 1;
        state.trusted += usize::from(is_granted);
        (state.fault.clone(), is_granted, state.summary.to_string())
    };
    if !is_granted {
        return Ok(refused(401));
    }
    if request.uri().path() != "/stats/summary" {
        return Ok(refused(404));
    }
    Ok(match fault {
        None => Response::new(Answer::Whole(Some(summary.into()))),
        Some(Fault::Refused(code)) => refused(code),
        Some(Fault::Text(text)) => Response::new(Answer::Whole(Some(text.into()))),
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::Endless) => Response::new(Answer::Endless),
    })
}

/// In a kubelet's words.
fn refused(code: u16) -> Response<Answer> {
    let text = match code {
        401 => "Unauthorized".to_owned(),
        403 => {
            "Forbidden (user=system:serviceaccount:landlord:landlord, verb=get, resource=nodes, \
                subresource(s)=[stats])"
                .to_owned()
        }
        code => format!("made to fail with {code}\n"),
    };
    let mut response = Response::new(Answer::Whole(Some(text.into())));
    *response.status_mut() =
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

enum Answer {
    Whole(Option<Bytes>),
    /// Blanks, for ever.
    Endless,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        static BLANKS: [u8; 1 << 16] = [b' '; 1 << 16];
        Poll::Ready(match &mut *self {
            Self::Whole(bytes) => bytes.take().map(|bytes| Ok(Frame::data(bytes))),
            Self::Endless => Some(Ok(Frame::data(Bytes::from_static(&BLANKS)))),
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
