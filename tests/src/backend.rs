//! A back-end that does what real ones cannot be asked to do: it takes requests by
//! HTTP/1.1 and keeps them, and is slow, silent, overloaded or broken when told to.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::RETRY_AFTER;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use crate::apiserver::Authority;

/// Name of the file with the certificate of who signs.
const AUTHORITY: &str = "ca.crt";

/// What it does with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Takes them.
    Take,
    /// Takes them, and says so only after this time.
    Slow(Duration),
    /// Reads them and never answers.
    Hang,
    /// Refuses them by a status of HTTP.
    Refuse {
        /// Such as 429.
        status: u16,
        /// Seconds after which it wants to be asked again.
        retry_after: Option<u64>,
    },
    /// Says that it will say nothing more as soon as there is a connection, but keeps
    /// reading it.
    HalfClosed,
}

/// Whether its certificate may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// It may.
    Valid,
    /// It might have been until 2020.
    Expired,
}

/// A request that it has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Path and query.
    pub path: String,
    /// Headers by their names in lower case; of several the last.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: Bytes,
    /// Whether it was, or is to be, answered with success.
    pub is_taken: bool,
}

/// The back-end; dropped, it is gone with its connections.
#[derive(Debug)]
pub struct Backend {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    address: SocketAddr,
    folder: tempfile::TempDir,
    is_secure: bool,
}

struct Shared {
    state: Mutex<State>,
    acceptor: Option<TlsAcceptor>,
}

struct State {
    behaviour: Behaviour,
    seen: Vec<Seen>,
    connections: Vec<AbortHandle>,
}

impl Backend {
    /// Starts one on a free port of loopback, which takes everything, without TLS.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub fn start() -> Result<Self> {
        Self::new(None)
    }

    /// The same with TLS, by a certificate of `127.0.0.1` that [`authority`](Self::authority)
    /// has signed.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub fn start_tls(validity: Validity) -> Result<Self> {
        Self::new(Some(validity))
    }

    fn new(validity: Option<Validity>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let acceptor = match validity {
            Some(validity) => Some(acceptor(validity, &folder.path().join(AUTHORITY))?),
            None => None,
        };
        let state = State { behaviour: Behaviour::Take, seen: Vec::new(), connections: Vec::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state), acceptor });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("backend")
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        runtime.spawn(Arc::clone(&shared).listen(listener));
        let is_secure = validity.is_some();
        Ok(Self { shared, runtime: Some(runtime), address, folder, is_secure })
    }

    /// Its address, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The file with the certificate of who signed its own, if it has one.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join(AUTHORITY)
    }

    /// Behaves so from now on, and breaks all connections that are open.
    pub fn behave(&self, behaviour: Behaviour) {
        let mut state = self.shared.lock();
        state.behaviour = behaviour;
        for connection in state.connections.drain(..) {
            connection.abort();
        }
    }

    /// What it has read since the beginning.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.lock().seen.clone()
    }

    /// The bodies that it has taken.
    #[must_use]
    pub fn taken(&self) -> Vec<Bytes> {
        let state = self.shared.lock();
        state.seen.iter().filter(|it| it.is_taken).map(|it| it.body.clone()).collect()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn listen(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let mut state = self.lock();
            state.connections.retain(|connection| !connection.is_finished());
            let connection = tokio::spawn(Arc::clone(&self).secure(stream));
            state.connections.push(connection.abort_handle());
        }
    }

    async fn secure(self: Arc<Self>, stream: TcpStream) {
        match &self.acceptor {
            None => Arc::clone(&self).serve(stream).await,
            Some(acceptor) => {
                if let Ok(stream) = acceptor.accept(stream).await {
                    Arc::clone(&self).serve(stream).await;
                }
            }
        }
    }

    async fn serve(self: Arc<Self>, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let behaviour = self.lock().behaviour;
        if behaviour == Behaviour::HalfClosed {
            if stream.shutdown().await.is_ok() {
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await.unwrap_or(0);
            }
            return;
        }
        let service = service_fn(|request| Arc::clone(&self).answer(request));
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        // How it ended is the client's to notice.
        connection.await.unwrap_or(());
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let behaviour = {
            let mut state = self.lock();
            let behaviour = state.behaviour;
            state.seen.push(Seen {
                path: head.uri.to_string(),
                headers: head.headers.iter().map(header).collect(),
                body,
                is_taken: matches!(behaviour, Behaviour::Take | Behaviour::Slow(_)),
            });
            behaviour
        };
        let mut response = Response::new(Full::default());
        match behaviour {
            Behaviour::Take => {}
            Behaviour::Slow(time) => tokio::time::sleep(time).await,
            Behaviour::Hang | Behaviour::HalfClosed => std::future::pending().await,
            Behaviour::Refuse { status, retry_after } => {
                *response.status_mut() = status.try_into().unwrap_or_default();
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(RETRY_AFTER, seconds.into());
                }
            }
        }
        Ok(response)
    }
}

/// What serves TLS as `127.0.0.1`; the certificate of who signed for that goes to a file.
fn acceptor(validity: Validity, file: &Path) -> Result<TlsAcceptor> {
    let authority = Authority::new("back-ends")?;
    std::fs::write(file, authority.pem())?;
    let loopback = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    match validity {
        Validity::Valid => authority.sign("backend", loopback),
        Validity::Expired => authority.sign_expired("backend", loopback),
    }
}
