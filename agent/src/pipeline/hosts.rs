//! Addresses of the hosts that rules name, asked of the resolver again and again in a
//! thread of its own.

use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::sleep;
use std::time::Duration;

/// How often a name is resolved anew.
const AGAIN: Duration = Duration::from_secs(600);

/// What the resolver said of a name.
pub(super) struct Resolved {
    pub(super) name: String,
    pub(super) addresses: Vec<IpAddr>,
}

/// Resolves names until the receiver is gone. Names that cannot be resolved are left as
/// they were.
pub(super) fn resolve(names: Vec<String>) -> Receiver<Resolved> {
    let (answers, outbox) = channel();
    if names.is_empty() {
        return outbox;
    }
    let thread = std::thread::Builder::new().name("hosts".to_owned());
    if let Err(error) = thread.spawn(move || ask(&names, &answers)) {
        tracing::warn!(%error, "hosts that rules name are not resolved");
    }
    outbox
}

fn ask(names: &[String], answers: &Sender<Resolved>) {
    loop {
        for name in names {
            let addresses = match (name.as_str(), 0).to_socket_addrs() {
                Ok(found) => found.map(|address| address.ip()).collect(),
                Err(error) => {
                    tracing::debug!(name, %error, "a host that rules name has no address");
                    continue;
                }
            };
            if answers.send(Resolved { name: name.clone(), addresses }).is_err() {
                return;
            }
        }
        sleep(AGAIN);
    }
}
