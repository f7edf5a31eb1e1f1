//! Addresses of the hosts that rules name, asked of the resolver again and again in a
//! thread of its own.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How often a name is resolved anew.
const AGAIN: Duration = Duration::from_secs(600);

/// What the resolver said of a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) name: String,
    pub(super) addresses: Vec<IpAddr>,
}

type Resolver = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send;

/// Resolves names for as long as it lives. Its thread ends with it, or with the name
/// that it is at.
#[derive(Default)]
pub(super) struct Hosts {
    /// The names that rules name, with what is known of them.
    known: BTreeMap<String, Vec<IpAddr>>,
    asking: Option<Asking>,
}

struct Asking {
    answers: Receiver<Resolved>,
    /// Dropped to end the thread.
    _stop: Sender<()>,
}

impl Hosts {
    /// Resolves these names from now on and no others. Returns what is known of them
    /// already: new rules know no address. Those that cannot be resolved are left as
    /// they were.
    pub(super) fn set(&mut self, names: Vec<String>) -> Vec<Resolved> {
        self.set_asking(names, AGAIN, || {
            Box::new(|name| Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect()))
        })
    }

    /// The next answer, if there is one.
    pub(super) fn answer(&mut self) -> Option<Resolved> {
        let answer = self.asking.as_ref()?.answers.try_recv().ok()?;
        self.known.insert(answer.name.clone(), answer.addresses.clone());
        Some(answer)
    }

    fn set_asking(
        &mut self,
        names: Vec<String>,
        again: Duration,
        resolver: impl FnOnce() -> Box<Resolver>,
    ) -> Vec<Resolved> {
        let before = std::mem::take(&mut self.known);
        let old = |name: &String| before.get(name).cloned().unwrap_or_default();
        self.known = names.into_iter().map(|name| (name.clone(), old(&name))).collect();
        if !self.known.keys().eq(before.keys()) {
            self.asking = if self.known.is_empty() { None } else { self.ask(again, resolver()) };
        }
        let known = self.known.iter().filter(|(_, addresses)| !addresses.is_empty());
        let resolved = |(name, addresses): (&String, &Vec<IpAddr>)| Resolved {
            name: name.clone(),
            addresses: addresses.clone(),
        };
        known.map(resolved).collect()
    }

    fn ask(&self, again: Duration, resolver: Box<Resolver>) -> Option<Asking> {
        let names: Vec<String> = self.known.keys().cloned().collect();
        let (outbox, answers) = channel();
        let (stop, stopped) = channel::<()>();
        let ask = move || {
            while round(&names, &*resolver, &outbox)
                && stopped.recv_timeout(again) == Err(RecvTimeoutError::Timeout)
            {}
        };
        match std::thread::Builder::new().name("hosts".to_owned()).spawn(ask) {
            Ok(_) => Some(Asking { answers, _stop: stop }),
            Err(error) => {
                tracing::warn!(%error, "hosts that rules name are not resolved");
                None
            }
        }
    }
}

/// Asks for each name once; false when nobody wants to know any more.
fn round(names: &[String], resolver: &Resolver, answers: &Sender<Resolved>) -> bool {
    names.iter().all(|name| match resolver(name) {
        Ok(addresses) => answers.send(Resolved { name: name.clone(), addresses }).is_ok(),
        Err(error) => {
            tracing::debug!(name, %error, "a host that rules name has no address");
            true
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::IpAddr;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
    use std::time::{Duration, Instant};

    use super::{Hosts, Resolved};

    /// Longer than a test may take.
    const LONG: Duration = Duration::from_secs(60);
    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    /// Resolves all names but `gone`. The thread holds the sender for as long as it runs.
    fn set(hosts: &mut Hosts, names: &[&str], again: Duration, runs: Sender<()>) -> Vec<Resolved> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        hosts.set_asking(names, again, || {
            Box::new(move |name| {
                let _held = &runs;
                if name == "gone" { Err(io::Error::other("no host")) } else { Ok(vec![ADDRESS]) }
            })
        })
    }

    fn resolved(name: &str) -> Resolved {
        Resolved { name: name.to_owned(), addresses: vec![ADDRESS] }
    }

    fn next(hosts: &mut Hosts) -> Resolved {
        let began = Instant::now();
        loop {
            match hosts.answer() {
                Some(answer) => return answer,
                None if began.elapsed() > LONG => panic!("no answer"),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn ended(runs: &Receiver<()>) -> bool {
        runs.recv_timeout(LONG) == Err(RecvTimeoutError::Disconnected)
    }

    #[test]
    fn names_are_resolved_again_and_again() {
        let mut hosts = Hosts::default();
        set(&mut hosts, &["a", "gone", "b"], Duration::from_millis(1), channel().0);
        for name in ["a", "b", "a", "b"] {
            assert_eq!(next(&mut hosts), resolved(name));
        }
    }

    #[test]
    fn other_names_end_the_thread_and_the_same_do_not() {
        let mut hosts = Hosts::default();
        let (runs, first) = channel();
        assert_eq!(set(&mut hosts, &["a"], LONG, runs), []);
        next(&mut hosts);
        let (runs, second) = channel();
        assert_eq!(set(&mut hosts, &["a"], LONG, runs), [resolved("a")]);
        assert!(ended(&second), "a second thread for the same names");
        assert_eq!(first.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty));
        let (runs, third) = channel();
        assert_eq!(set(&mut hosts, &["b", "a"], LONG, runs), [resolved("a")]);
        assert!(ended(&first));
        assert_eq!([next(&mut hosts), next(&mut hosts)], ["a", "b"].map(resolved));
        drop(hosts);
        assert!(ended(&third));
    }

    #[test]
    fn without_names_nothing_runs() {
        let (runs, ended_of) = channel();
        assert_eq!(set(&mut Hosts::default(), &[], LONG, runs), []);
        assert!(ended(&ended_of));
    }
}
