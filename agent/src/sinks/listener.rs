//! The socket under the HTTP API, and how long a client may keep it busy.
//!
//! Everyone on the node may connect, tenants included, so a client that sends
//! slowly, reads slowly or only holds connections must not cost memory or keep
//! Prometheus out for long. It never looks into a request; that is the router's, which it
//! only tells whose certificate it has seen.

mod clients;
mod credentials;
mod seats;

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt::set_tcp_user_timeout;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

pub use clients::Clients;
use credentials::Tls;
pub use credentials::{ClientToken, Security};
use seats::{Seat, Seats};

use super::credentials::CredentialError;
use crate::telemetry::ClientFault;

/// What clients may use.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// Connections at a time; further ones wait in the kernel's queue.
    connections: usize,
    /// Without asking anything while another one waits to be let in.
    silent: Duration,
    /// To shake hands, to send a request's head, and between two requests. No usual scrape
    /// interval: a client that comes back just then would meet a closed door.
    head: Duration,
    /// Without taking a byte of an answer.
    stalled: Duration,
    /// In all, for one connection; then it ends with the answer it is at.
    connection: Duration,
    /// To take that last answer, also at shutdown.
    last_answer: Duration,
}

const PATIENCE: Patience = Patience {
    connections: 32,
    silent: Duration::from_secs(1),
    head: Duration::from_secs(12),
    stalled: Duration::from_secs(10),
    connection: Duration::from_secs(300),
    last_answer: Duration::from_secs(5),
};

/// No request to this API needs more.
const MAX_HEAD_BYTES: usize = 16 << 10;
const MAX_HEADERS: usize = 64;
/// After a failed accept, so that a lack of file descriptors is no busy loop.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {}", self.advice())]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

impl BindError {
    fn advice(&self) -> String {
        match self.source.kind() {
            io::ErrorKind::AddrInUse => {
                "another program has this port; stop it, or choose another port with --listen"
                    .to_owned()
            }
            io::ErrorKind::AddrNotAvailable => {
                "this machine has no such address; choose one of its own with --listen".to_owned()
            }
            io::ErrorKind::PermissionDenied => {
                "no permission for this port; choose one above 1023 with --listen".to_owned()
            }
            _ => format!("{}; choose another address with --listen", self.source),
        }
    }
}

/// Takes the address, without answering yet.
///
/// # Errors
///
/// [`BindError`], one sentence that names the address and the way out.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| BindError { address, source })
}

/// Who is let in, and how that is counted.
#[derive(Debug)]
pub struct Door {
    tls: Option<Tls>,
    clients: Arc<Clients>,
}

/// A client showed a certificate that was signed by one of those that are trusted.
#[derive(Clone, Copy, Debug)]
pub struct Certified;

impl Door {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// One that cannot be read or has not what it should have.
    pub fn new(security: &Security, clients: Arc<Clients>) -> Result<Self, CredentialError> {
        Ok(Self { tls: Tls::new(security)?, clients })
    }
}

/// Answers until `shutdown` is done; requests under way are then finished, within
/// five seconds.
pub async fn serve(
    listener: TcpListener,
    door: Door,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    serve_with(PATIENCE, listener, door, router, shutdown).await;
}

async fn serve_with(
    patience: Patience,
    listener: TcpListener,
    door: Door,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let seats = Seats::new(patience.connections, patience.silent);
    // Its drop tells the connections to end.
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection ended by a fault of the agent");
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let place = tokio::select! {
                        () = &mut shutdown => break,
                        place = seats.take() => place,
                    };
                    let visit = Visit {
                        patience,
                        router: router.clone(),
                        seat: Arc::clone(place.seat()),
                        stopped: stopped.clone(),
                    };
                    let tls = door.tls.as_ref().map(Tls::current);
                    let clients = Arc::clone(&door.clients);
                    connections.spawn(async move {
                        clients.comes();
                        let ended = visit.receive(stream, tls).await;
                        if let Err(Ended { fault, error }) = &ended {
                            tracing::debug!(%peer, fault = fault.label(), %error, "connection ended");
                        }
                        clients.goes(ended.err().map(|ended| ended.fault));
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                }
            },
        }
    }
    drop(listener);
    drop(stop);
    while connections.join_next().await.is_some() {}
}

/// Why a connection ended before its client wanted.
struct Ended {
    fault: ClientFault,
    error: Box<dyn Error + Send + Sync>,
}

impl Ended {
    fn new(fault: ClientFault, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { fault, error: error.into() }
    }

    fn of(error: hyper::Error) -> Self {
        let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        let fault = match io.map(io::Error::kind) {
            Some(io::ErrorKind::TimedOut) => ClientFault::Stalled,
            _ if error.is_timeout() => ClientFault::Slow,
            _ if error.is_parse() => ClientFault::Malformed,
            _ => ClientFault::Broken,
        };
        Self::new(fault, error)
    }
}

/// One client's connection.
struct Visit {
    patience: Patience,
    router: Router,
    seat: Arc<Seat>,
    stopped: watch::Receiver<()>,
}

impl Visit {
    /// Answers until the client leaves, or patience or the agent's end ends it.
    async fn receive(self, stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> Result<(), Ended> {
        let broken = |error: io::Error| Ended::new(ClientFault::Broken, error);
        stream.set_nodelay(true).map_err(broken)?;
        let stalled = u32::try_from(self.patience.stalled.as_millis()).unwrap_or(u32::MAX);
        set_tcp_user_timeout(&stream, stalled).map_err(|error| broken(error.into()))?;
        let Some(config) = tls else { return self.converse(stream, false).await };
        let seat = Arc::clone(&self.seat);
        let shaken = tokio::select! {
            shaken = TlsAcceptor::from(config).accept(stream) => shaken,
            () = tokio::time::sleep(self.patience.head) => {
                return Err(Ended::new(ClientFault::Slow, "no handshake in time"));
            }
            () = seat.displaced() => return Err(displaced()),
        };
        let stream = shaken.map_err(|error| Ended::new(ClientFault::Tls, error))?;
        let is_certified = stream.get_ref().1.peer_certificates().is_some();
        self.converse(stream, is_certified).await
    }

    async fn converse(
        mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        is_certified: bool,
    ) -> Result<(), Ended> {
        let (router, seat) = (self.router, Arc::clone(&self.seat));
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            seat.asked();
            if is_certified {
                request.extensions_mut().insert(Certified);
            }
            let (answer, seat) =
                (router.clone().oneshot(request.map(Body::new)), Arc::clone(&seat));
            async move {
                let answer = answer.await;
                seat.answered();
                answer
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.patience.head)
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return match ended {
                // Nobody has to ask again.
                Err(error) if error.is_timeout() && self.seat.has_asked() => Ok(()),
                ended => ended.map_err(Ended::of),
            },
            () = self.seat.displaced() => return Err(displaced()),
            () = tokio::time::sleep(self.patience.connection) => {}
            // An error: the sender is gone, which is the signal.
            _ = self.stopped.changed() => {}
        }
        connection.as_mut().graceful_shutdown();
        match tokio::time::timeout(self.patience.last_answer, connection).await {
            Ok(ended) => ended.map_err(Ended::of),
            Err(late) => Err(Ended::new(ClientFault::Stalled, late)),
        }
    }
}

fn displaced() -> Ended {
    Ended::new(ClientFault::Displaced, "another client wanted the place")
}

#[cfg(test)]
pub(super) mod tests;
#[cfg(test)]
mod tls_tests;
