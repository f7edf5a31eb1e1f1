//! Who receives: reads everything, says at once that it was taken, and counts no more
//! than it must.

use std::convert::Infallible;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustix::thread::{CpuSet, sched_setaffinity};

use super::carrier::Kind;

/// An answer of gRPC that says nothing: not compressed, of no bytes.
const NOTHING: [u8; 5] = [0; 5];
/// Where the answer of gRPC says that all is well.
const STATUS: &str = "grpc-status";

/// What listens. Its threads end with the process.
#[derive(Debug)]
pub(crate) struct Receiver {
    address: String,
    /// Requests, datagrams, or bytes of a stream.
    seen: Arc<AtomicU64>,
    kind: Kind,
}

impl Receiver {
    /// Listens on a free port of loopback.
    pub(crate) fn start(kind: Kind) -> Self {
        let seen = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&seen);
        let address = match kind {
            Kind::File | Kind::Away => String::from("nowhere"),
            Kind::SyslogUdp => {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                let address = socket.local_addr().unwrap();
                spawn(move || take_datagrams(&socket, &count));
                address.to_string()
            }
            _ => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                let address = listener.local_addr().unwrap();
                spawn(move || match kind {
                    Kind::SyslogTcp => take_streams(&listener, &count),
                    _ => serve(listener, kind == Kind::OtlpGrpc, &count),
                });
                address.to_string()
            }
        };
        Self { address, seen, kind }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Makes sure that so many alerts arrived, where that can be told.
    pub(crate) fn expect(&self, alerts: u64) {
        let seen = self.seen.load(Ordering::Relaxed);
        match self.kind {
            Kind::FalcoHttp => assert_eq!(seen, alerts),
            // A datagram may be lost, and others say many alerts at once.
            Kind::File | Kind::Away => {}
            _ => assert!(seen > 0, "{}: nothing arrived", self.kind.name()),
        }
    }
}

/// Runs on any CPU but the first, which is the carrier's, where there is another one.
fn spawn(act: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        let mut others = CpuSet::new();
        (1..thread::available_parallelism().unwrap().get()).for_each(|cpu| others.set(cpu));
        if others.count() > 0 {
            sched_setaffinity(None, &others).unwrap();
        }
        act();
    });
}

fn take_datagrams(socket: &UdpSocket, seen: &AtomicU64) {
    let mut bytes = [0; 4096];
    while socket.recv(&mut bytes).is_ok() {
        seen.fetch_add(1, Ordering::Relaxed);
    }
}

fn take_streams(listener: &TcpListener, seen: &AtomicU64) {
    let mut bytes = vec![0; 1 << 16];
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        while let Ok(read @ 1..) = stream.read(&mut bytes) {
            seen.fetch_add(read as u64, Ordering::Relaxed);
        }
    }
}

fn serve(listener: TcpListener, is_grpc: bool, seen: &Arc<AtomicU64>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    listener.set_nonblocking(true).unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let seen = Arc::clone(seen);
            tokio::spawn(async move {
                let service =
                    service_fn(move |request| answer(request, is_grpc, Arc::clone(&seen)));
                let stream = TokioIo::new(stream);
                // How it ends is the client's to notice.
                if is_grpc {
                    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    server.serve_connection(stream, service).await.ok();
                } else {
                    let server = hyper::server::conn::http1::Builder::new();
                    server.serve_connection(stream, service).await.ok();
                }
            });
        }
    });
}

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

async fn answer(
    request: Request<Incoming>,
    is_grpc: bool,
    seen: Arc<AtomicU64>,
) -> Result<Response<Body>, hyper::Error> {
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    seen.fetch_add(1, Ordering::Relaxed);
    if !is_grpc {
        return Ok(Response::new(Full::default().boxed_unsync()));
    }
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from_static(&NOTHING))
        .with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(body.boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    Ok(response)
}
