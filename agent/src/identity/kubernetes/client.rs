//! A client that keeps asking whatever becomes of its credentials.
//!
//! The token of a pod is read again every minute, as its file is replaced before it
//! expires. Where the answer is still 401, all is read from the files anew before the
//! next request: a kubeconfig may have been written again, too. Watches do not notice,
//! and go on from where they were.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::RETRY_AFTER;
use hyper::http::uri::InvalidUri;
use hyper::{Request, Response, StatusCode};
use kube::client::{Body, ConfigExt as _};
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use thiserror::Error;
use tokio::sync::Notify;
use tower::util::BoxCloneService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _};

use super::connect::{self, Liveness};
use super::kubelet::Kubelet;

/// Where the API server and the credentials are found.
#[derive(Clone, Debug)]
pub struct Access {
    kubeconfig: Option<PathBuf>,
    /// How long the beginning of an answer may take, connecting included.
    answer: Duration,
    liveness: Liveness,
    /// Who is asked instead of the API server, and the name its certificate is for.
    kubelet: Option<(Kubelet, Option<Box<str>>)>,
}

/// What is missing for a request.
#[derive(Debug, Error)]
pub enum AccessError {
    /// Not in a pod, or without its service account.
    #[error("no service account of a pod is here: {0}")]
    NotInCluster(#[from] InClusterError),
    /// The kubeconfig cannot be used.
    #[error("kubeconfig {path}: {source}")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<KubeconfigError>,
    },
    /// The credentials or certificates cannot be used.
    #[error("the credentials cannot be used: {0}")]
    Credentials(#[source] Box<kube::Error>),
    /// Not an address that can be asked.
    #[error("{0} cannot be asked: {1}")]
    Address(SocketAddr, #[source] InvalidUri),
    /// The name that its certificate is to be for is none.
    #[error("no certificate can be for the name {0:?}")]
    Name(Box<str>),
    /// Nothing was answered.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Silent(Duration),
}

impl Access {
    /// By a kubeconfig, or without one by the service account of the pod that this is.
    /// `answer`: how long the beginning of an answer may take.
    #[must_use]
    pub fn new(kubeconfig: Option<&Path>, answer: Duration) -> Self {
        let kubeconfig = kubeconfig.map(Path::to_owned);
        Self { kubeconfig, answer, liveness: Liveness::default(), kubelet: None }
    }

    /// The same, but a server that vanished is noticed after another time.
    #[must_use]
    pub fn noticing(self, liveness: Liveness) -> Self {
        Self { liveness, ..self }
    }

    /// The same credentials, for a kubelet. Its certificate is to be for `name`; without
    /// one, for its address.
    pub(super) fn to_kubelet(&self, kubelet: &Kubelet, name: Option<&str>) -> Self {
        let kubelet = Some((kubelet.clone(), name.map(Into::into)));
        Self { kubelet, ..self.clone() }
    }

    /// Whether this process is in a pod that may ask the API server.
    #[must_use]
    pub fn is_in_cluster() -> bool {
        std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
    }

    /// A client of its own connections. It never fails: what is missing is told by the
    /// requests, and looked for again by the next ones.
    #[must_use]
    pub fn client(&self) -> Client {
        self.observed_client(Arc::default())
    }

    /// The same; what answers say beside their bodies goes to `signs`.
    pub(super) fn observed_client(&self, signs: Arc<Signs>) -> Client {
        let door = Door { access: self.clone(), open: Arc::default(), signs };
        Client::new(door, "default")
    }

    async fn config(&self) -> Result<Config, AccessError> {
        let mut config = self.server_config().await?;
        if let Some((kubelet, name)) = &self.kubelet {
            config.cluster_url = format!("https://{}", kubelet.address)
                .parse()
                .map_err(|error| AccessError::Address(kubelet.address, error))?;
            config.proxy_url = None;
            config.tls_server_name = name.as_deref().map(str::to_owned);
            config.accept_invalid_certs = kubelet.insecure;
            if kubelet.authority.is_some() {
                config.root_cert = None;
                config.root_cert_file.clone_from(&kubelet.authority);
            }
        }
        Ok(config)
    }

    async fn server_config(&self) -> Result<Config, AccessError> {
        let Some(path) = &self.kubeconfig else {
            return Ok(Config::incluster()?);
        };
        let wrong =
            |source| AccessError::Kubeconfig { path: path.clone(), source: Box::new(source) };
        let kubeconfig = Kubeconfig::read_from(path).map_err(wrong)?;
        let options = KubeConfigOptions::default();
        Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(wrong)
    }

    async fn open(&self) -> Result<Inner, AccessError> {
        let config = self.config().await?;
        let unusable = |error| AccessError::Credentials(Box::new(error));
        let client = connect::client(&config, self.answer, self.liveness)?;
        let service = ServiceBuilder::new()
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer().map_err(unusable)?)
            .layer(config.extra_headers_layer().map_err(unusable)?)
            .map_err(BoxError::from)
            .service(client);
        Ok(service.boxed_clone())
    }
}

/// What answers say beside their bodies.
#[derive(Debug, Default)]
pub(super) struct Signs {
    /// Notified of each answer that grants what was asked.
    pub(super) granted: Notify,
    /// Seconds, of the last answer that had a `Retry-After`; 0 when taken.
    retry_after: AtomicU64,
}

impl Signs {
    /// How long the last answer wished that nothing were asked.
    pub(super) fn take_retry_after(&self) -> Duration {
        Duration::from_secs(self.retry_after.swap(0, Ordering::Relaxed))
    }

    fn see(&self, response: &Response<Incoming>) {
        if response.status().is_success() {
            self.granted.notify_one();
        }
        let wished = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        if let Some(seconds) = wished.and_then(|text| text.parse().ok()) {
            self.retry_after.store(seconds, Ordering::Relaxed);
        }
    }
}

/// What takes requests once the credentials have been read.
type Inner = BoxCloneService<Request<Body>, Response<Incoming>, BoxError>;

/// Takes requests, and opens the way to the server when there is none.
struct Door {
    access: Access,
    open: Arc<Mutex<Option<Inner>>>,
    signs: Arc<Signs>,
}

impl Service<Request<Body>> for Door {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let access = self.access.clone();
        let open = Arc::clone(&self.open);
        let signs = Arc::clone(&self.signs);
        Box::pin(async move {
            let answer = access.answer;
            let asked = ask(&access, &open, request);
            let response = tokio::time::timeout(answer, asked)
                .await
                .map_err(|_| AccessError::Silent(answer))??;
            if response.status() == StatusCode::UNAUTHORIZED {
                *open.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            signs.see(&response);
            Ok(response)
        })
    }
}

async fn ask(
    access: &Access,
    open: &Mutex<Option<Inner>>,
    request: Request<Body>,
) -> Result<Response<Incoming>, BoxError> {
    let known = open.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let inner = match known {
        Some(inner) => inner,
        None => {
            let inner = access.open().await?;
            *open.lock().unwrap_or_else(PoisonError::into_inner) = Some(inner.clone());
            inner
        }
    };
    inner.oneshot(request).await
}
