//! A double of the Kubernetes API server that speaks its protocol over TLS, as far as
//! clients that list, watch, patch statuses and hold leases can tell.
//!
//! It is told from the test what exists ([`ApiServer::put`], [`ApiServer::remove`]) and
//! what goes wrong ([`ApiServer::fail`], [`ApiServer::hang_up`], [`ApiServer::close`]…),
//! and tells what it was asked ([`ApiServer::requests`]). It needs no privileges.

mod connection;
mod fault;
mod list;
mod request;
mod response;
mod store;
mod tls;
mod watch;
mod write;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio::runtime::Runtime;

pub use fault::{Fault, FaultId};
pub use request::{Seen, Verb};
pub use tls::Authority;

use connection::Shared;

/// The server; dropped, it is gone with its connections and files.
#[derive(Debug)]
pub struct ApiServer {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl ApiServer {
    /// Starts one on a free port of loopback, with two threads of its own.
    pub fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("apiserver")
            .enable_all()
            .build()?;
        let folder = tempfile::tempdir()?;
        let certificates = tls::Certificates::new()?;
        std::fs::write(folder.path().join("ca.crt"), certificates.authority.pem())?;
        let shared = Arc::new(Shared::new(certificates)?);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let address = shared.listen(&runtime, address)?;
        let server = Self { shared, runtime: Some(runtime), address, folder };
        server.set_token("first");
        server.write_kubeconfig("first")?;
        Ok(server)
    }

    /// A kubeconfig with the CA and the token of the beginning.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// The CA.
    #[must_use]
    pub fn signer(&self) -> &Authority {
        self.shared.authority()
    }

    /// The CA's certificate, PEM.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Writes the kubeconfig again, with another token.
    pub fn write_kubeconfig(&self, token: &str) -> Result<()> {
        let authority = std::fs::read(self.authority())?;
        tls::write_kubeconfig(&self.kubeconfig(), self.address, &authority, token)
    }

    /// Accepts this token from now on, and no other. Watches that run go on.
    pub fn set_token(&self, token: &str) {
        self.shared.lock().token = format!("Bearer {token}");
    }

    /// Serves one more kind of objects, such as `landlord.dev/v1alpha1`, `tenants`, `Tenant`.
    pub fn serve_kind(&self, group_version: &str, plural: &str, kind: &str) {
        self.shared.lock().store.serve_kind(group_version, plural, kind);
    }

    /// Adds an object or puts it in the place of what has its name; its kind is found by
    /// its `kind`. Returns its resource version.
    pub fn put(&self, object: Value) -> Result<u64> {
        self.shared.change(|store| store.put(object))
    }

    /// Removes an object. `false`: there was none.
    pub fn remove(&self, plural: &str, namespace: &str, name: &str) -> bool {
        self.shared.change(|store| store.remove(plural, namespace, name)).is_some()
    }

    /// An object as it is now.
    #[must_use]
    pub fn get(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        self.shared.lock().store.get(plural, namespace, name)
    }

    /// Forgets what has changed until now: who asks for changes since then gets 410.
    pub fn forget_history(&self) {
        self.shared.lock().store.forget_history();
    }

    /// Whether lists can be had as watches (`WatchList`); they can in the beginning.
    pub fn set_watch_list(&self, on: bool) {
        self.shared.lock().watch_list = on;
    }

    /// How often watches get bookmarks; every second in the beginning.
    pub fn set_bookmarks(&self, every: Duration) {
        self.shared.lock().bookmarks = every;
    }

    /// Makes requests fail from now on.
    pub fn fail(&self, fault: Fault) -> FaultId {
        self.shared.lock().faults.add(fault)
    }

    /// Ends a fault.
    pub fn mend(&self, fault: FaultId) {
        self.shared.lock().faults.remove(fault);
    }

    /// Lets watches that run say nothing more, while their connections stay (`true`), or
    /// go on.
    pub fn freeze(&self, frozen: bool) {
        self.shared.freeze(frozen);
    }

    /// Lets the server hang (`true`) as a stopped process does, or go on: connections stay
    /// and are taken, and nothing is read or said.
    pub fn hang(&self, hangs: bool) {
        self.shared.hang(hangs);
    }

    /// Whether HTTP/2 is offered to new connections beside HTTP/1.1; it is in the
    /// beginning.
    pub fn set_http2(&self, offered: bool) {
        self.shared.lock().http2 = offered;
    }

    /// Breaks all connections.
    pub fn hang_up(&self) {
        self.shared.hang_up();
    }

    /// Breaks all connections and takes no more, until [`Self::open`].
    pub fn close(&self) {
        self.shared.close();
    }

    /// Listens again, on the same port.
    pub fn open(&self) -> Result<()> {
        let runtime = self.runtime.as_ref().context("the server has ended")?;
        self.shared.listen(runtime, self.address).map(drop)
    }

    /// What it was asked since the beginning, or since this was last called.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        std::mem::take(&mut self.shared.lock().seen)
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
