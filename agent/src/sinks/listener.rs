//! The socket under the HTTP API, and how long a client may keep it busy.
//!
//! Everyone on the node may connect, tenants included, so a client that sends
//! slowly, reads slowly or only holds connections must not cost memory or keep
//! Prometheus out for long. It never looks into a request; that is the router's.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt::set_tcp_user_timeout;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// What clients may use.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// Connections at a time; further ones wait in the kernel's queue.
    connections: usize,
    /// To send a request's head, and between two requests. No usual scrape
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

/// Answers until `shutdown` is done; requests under way are then finished, within
/// five seconds.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    serve_with(PATIENCE, listener, router, shutdown).await;
}

async fn serve_with(
    patience: Patience,
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(patience.connections));
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
            accepted = accept(&listener, &places) => match accepted {
                Ok((stream, peer, place)) => {
                    let router = router.clone();
                    let stopped = stopped.clone();
                    connections.spawn(async move {
                        if let Err(error) = converse(patience, stream, router, stopped).await {
                            tracing::debug!(%peer, %error, "connection ended");
                        }
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

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

/// Answers one client until it leaves, or patience or `stopped` ends it.
async fn converse(
    patience: Patience,
    stream: TcpStream,
    router: Router,
    mut stopped: watch::Receiver<()>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    set_tcp_user_timeout(&stream, u32::try_from(patience.stalled.as_millis())?)?;
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = tokio::time::sleep(patience.connection) => {}
        // An error: the sender is gone, which is the signal.
        _ = stopped.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::time::timeout(patience.last_answer, connection).await??;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
