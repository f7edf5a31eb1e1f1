//! The kubelet of this node, asked from time to time what pods keep on disks.
//!
//! Its certificate is looked at before it is told the token. Many kubelets have one that
//! no authority of the cluster signed; the setting `kubelet.authority` says
//! who did. It is good for the address that is asked or for the node's name: kubelets
//! that sign for themselves know nothing of their address.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{Request, StatusCode};
use kube::Client;
use kube::client::Body;
use kube::runtime::utils::Backoff as _;
use kube::runtime::watcher::DefaultBackoff;
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::client::Access;
use super::{summary, trouble};
use crate::identity::cluster::change::Trouble;
use crate::identity::cluster::{Change, Health, PodStorage, Source};

/// What is asked for; the right for it is `get` of `nodes/stats`.
const PATH: &str = "/stats/summary";
/// The longest answer, bytes: some tens of times that of a full node.
const MAX_BYTES: usize = 16 << 20;
/// The longest reason of a refusal that is read, bytes, and that is told, characters.
const MAX_REASON_BYTES: usize = 64 << 10;
const MAX_REASON: usize = 300;
/// How long a whole answer may take after its beginning: the kubelet measures first.
const WHOLE: Duration = Duration::from_secs(30);
/// How long at least between two questions to a kubelet that refused one.
const REFUSED: Duration = Duration::from_secs(10);

/// Which kubelet, and how it is known to be the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubelet {
    /// Where it listens.
    pub address: SocketAddr,
    /// Name of its node.
    pub node: Box<str>,
    /// File with the certificates that its own is signed by; `None`: the API server's.
    pub authority: Option<PathBuf>,
    /// Whether any certificate will do: then the token is told to whoever listens there.
    pub insecure: bool,
}

/// Asks it.
pub struct KubeletReader {
    /// Checks the certificate for the address, and for the node's name.
    clients: [Client; 2],
    /// Which of them had success last.
    preferred: usize,
    /// What was told last, unless all is well.
    trouble: Option<Trouble>,
    backoff: DefaultBackoff,
}

/// Nobody listens any more.
struct Closed;

impl KubeletReader {
    /// Of a kubelet that accepts who may ask the API server.
    #[must_use]
    pub fn new(access: &Access, kubelet: &Kubelet) -> Self {
        let by_name = Some(&*kubelet.node).filter(|name| !name.is_empty());
        Self {
            clients: [None, by_name].map(|name| access.to_kubelet(kubelet, name).client()),
            preferred: 0,
            trouble: None,
            backoff: DefaultBackoff::default(),
        }
    }

    /// Asks every `interval` until nobody takes the news any more; after a failure sooner,
    /// then more and more seldom.
    pub async fn run(mut self, interval: Duration, news: mpsc::Sender<Change>) {
        let mut is_first = true;
        loop {
            let told = match self.ask().await {
                Ok(pods) => self.told(pods, std::mem::take(&mut is_first), &news).await,
                Err(trouble) => self.interrupted(trouble, &news).await,
            };
            let Ok(pause) = told else { return };
            tokio::time::sleep(pause.unwrap_or(interval)).await;
        }
    }

    /// Asks once.
    ///
    /// # Errors
    ///
    /// Why nothing was told.
    pub async fn ask(&mut self) -> Result<Vec<PodStorage>, Trouble> {
        let first = self.ask_by(self.preferred).await;
        let Err(Trouble::Untrusted(_)) = first else { return first };
        let other = 1 - self.preferred;
        let second = self.ask_by(other).await;
        if matches!(second, Err(Trouble::Untrusted(_))) {
            return first;
        }
        self.preferred = other;
        second
    }

    async fn ask_by(&self, client: usize) -> Result<Vec<PodStorage>, Trouble> {
        let request = Request::get(PATH)
            .body(Body::empty())
            .map_err(|error| Trouble::Other(error.to_string()))?;
        let answer = self.clients[client].send(request).await.map_err(|error| refusal(&error))?;
        let (head, body) = answer.into_parts();
        let most = if head.status.is_success() { MAX_BYTES } else { MAX_REASON_BYTES };
        let whole = tokio::time::timeout(WHOLE, Limited::new(body, most).collect());
        let whole = whole.await.map_err(|_| {
            Trouble::Unreachable(format!("the answer stopped for {} s", WHOLE.as_secs()))
        })?;
        match (head.status, whole) {
            (StatusCode::OK, Ok(body)) => summary::read(&body.to_bytes())
                .map_err(|error| Trouble::Other(format!("not a summary of a kubelet: {error}"))),
            (StatusCode::OK, Err(error)) if error.is::<LengthLimitError>() => {
                Err(Trouble::Other(format!("the answer exceeds {} MiB", MAX_BYTES >> 20)))
            }
            (StatusCode::OK, Err(error)) => Err(Trouble::Unreachable(error.to_string())),
            (status, body) => {
                let reason = body.map(|body| body.to_bytes()).unwrap_or_default();
                Err(trouble::of_code(status.as_u16(), &reason_of(&reason)))
            }
        }
    }

    async fn told(
        &mut self,
        pods: Vec<PodStorage>,
        is_first: bool,
        news: &mpsc::Sender<Change>,
    ) -> Result<Option<Duration>, Closed> {
        send(news, Change::Storage(pods)).await?;
        self.backoff.reset();
        let was_interrupted = self.trouble.take().is_some();
        if was_interrupted {
            info!("the kubelet answers again");
        }
        if was_interrupted || is_first {
            send(news, Change::Health(Source::Kubelet, Health::Synced)).await?;
        }
        Ok(None)
    }

    async fn interrupted(
        &mut self,
        trouble: Trouble,
        news: &mpsc::Sender<Change>,
    ) -> Result<Option<Duration>, Closed> {
        let least = match trouble {
            Trouble::Unreachable(_) | Trouble::Overloaded(_) | Trouble::Other(_) => Duration::ZERO,
            _ => REFUSED,
        };
        let pause = self.backoff.next().unwrap_or_default().max(least);
        if self.trouble.as_ref() != Some(&trouble) {
            let reason = trouble.label();
            if self.trouble.as_ref().map(Trouble::label) != Some(reason) {
                warn!(
                    source = Source::Kubelet.label(),
                    reason,
                    "the kubelet does not tell what pods keep on disks: {}{}",
                    trouble.text(),
                    advice(&trouble)
                );
            }
            self.trouble = Some(trouble.clone());
            send(news, Change::Health(Source::Kubelet, Health::Interrupted(trouble))).await?;
        }
        Ok(Some(pause))
    }
}

/// What mends it, where that is known, to follow what is wrong.
fn advice(trouble: &Trouble) -> String {
    remedy(trouble).map_or_else(String::new, |remedy| format!("; {remedy}"))
}

/// What mends it, where that is known.
#[must_use]
pub const fn remedy(trouble: &Trouble) -> Option<&'static str> {
    match trouble {
        Trouble::Untrusted(_) => Some(
            "have kubelets' certificates signed by the cluster (`serverTLSBootstrap: true`), or \
             name who signs them in `kubelet.authority`; see docs/kubernetes.md",
        ),
        Trouble::Forbidden(_) => Some("give the agent's account the right to get nodes/stats"),
        Trouble::Unreachable(_) => {
            Some("`kubelet.address` must be this node's address as the agent reaches it")
        }
        Trouble::Unauthenticated(_) => Some(
            "the agent needs a token that the kubelet accepts (`authentication.webhook.enabled: \
             true` in the kubelet's configuration)",
        ),
        Trouble::Missing(_) | Trouble::Overloaded(_) | Trouble::Other(_) => None,
    }
}

async fn send(news: &mpsc::Sender<Change>, change: Change) -> Result<(), Closed> {
    news.send(change).await.map_err(|_| Closed)
}

/// What is wrong with a request that was not answered.
fn refusal(error: &kube::Error) -> Trouble {
    trouble::of_request(error).unwrap_or_else(|| Trouble::Other(error.to_string()))
}

/// The text of a refusal on one line.
fn reason_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect()
}
