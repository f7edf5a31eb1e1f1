//! Runtimes for tests: unix sockets that answer as they are told.

use std::{
    collections::HashMap,
    convert::Infallible,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread::JoinHandle,
};

use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::{
    HeaderMap, Request, Response,
    body::{Bytes, Incoming},
    header::HeaderValue,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tokio::{net::UnixListener, sync::oneshot};

use crate::container::cri::StatusRequest;

/// What is said at a socket.
#[derive(Clone)]
pub(super) enum Script {
    /// HTTP: bodies by path; other paths are not found.
    Http(HashMap<String, (u16, Vec<u8>)>),
    /// gRPC: messages, or a status, by method and id; others have the status 5.
    Grpc(HashMap<(String, String), Result<Vec<u8>, u32>>),
    /// These bytes, whatever is asked.
    Bytes(Vec<u8>),
    /// Nothing: connections stay open.
    Silence,
}

/// A socket that answers until it is dropped.
pub(super) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    asked: Arc<AtomicUsize>,
}

impl Server {
    pub(super) fn start(path: &Path, script: Script) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = {
            let _inside = runtime.enter();
            UnixListener::bind(path).expect("a socket")
        };
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, script, counter) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { stop: Some(stop), thread: Some(thread), asked }
    }

    /// Questions so far.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server");
        }
    }
}

async fn serve(listener: UnixListener, script: Script, asked: Arc<AtomicUsize>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let (script, asked) = (script.clone(), Arc::clone(&asked));
        tokio::spawn(async move {
            let answer = |request: Request<Incoming>| {
                asked.fetch_add(1, Relaxed);
                let script = script.clone();
                async move { Ok::<_, Infallible>(say(&script, request).await) }
            };
            // A client may leave when it pleases.
            let ended = match &script {
                Script::Http(_) => http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service_fn(answer))
                    .await
                    .is_ok(),
                Script::Grpc(_) => http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service_fn(answer))
                    .await
                    .is_ok(),
                Script::Bytes(bytes) => {
                    stream.writable().await.expect("an open stream");
                    stream.try_write(bytes).is_ok()
                }
                Script::Silence => std::future::pending().await,
            };
            tracing::trace!(ended, "a connection ended");
        });
    }
}

async fn say(script: &Script, request: Request<Incoming>) -> Response<BoxBody<Bytes, Infallible>> {
    let path = request.uri().path().to_owned();
    match script {
        Script::Http(bodies) => {
            let (status, body) = bodies.get(&path).cloned().unwrap_or((404, b"{}".to_vec()));
            let mut response = Response::new(Full::from(body).boxed());
            *response.status_mut() = status.try_into().expect("a status");
            response
        }
        Script::Grpc(messages) => {
            let body = request.into_body().collect().await.expect("a question").to_bytes();
            let question = StatusRequest::decode(&body[5..]).expect("a question");
            let told = messages.get(&(path, question.id)).cloned().unwrap_or(Err(5));
            let status = |code: u32| {
                HeaderMap::from_iter([(
                    "grpc-status".parse().expect("a name"),
                    HeaderValue::from(code),
                )])
            };
            match told {
                Ok(message) => {
                    let length = u32::try_from(message.len()).expect("a length").to_be_bytes();
                    let bytes = [&[0], &length[..], &message].concat();
                    let end = async move { Some(Ok(status(0))) };
                    Response::new(Full::from(bytes).with_trailers(end).boxed())
                }
                Err(code) => {
                    let mut response = Response::new(Full::default().boxed());
                    response.headers_mut().extend(status(code));
                    response
                }
            }
        }
        Script::Bytes(_) | Script::Silence => Response::new(Full::default().boxed()),
    }
}
