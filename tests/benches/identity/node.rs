//! The agent's side: watches, and what is kept of their news, on one thread.

use std::net::IpAddr;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use landlord::identity::cluster::addresses::{Figures, Limits};
use landlord::identity::cluster::{AddressChange, Addresses, Change, Health, Source, Update};
use landlord::identity::kubernetes::watch::Patience;
use landlord::identity::kubernetes::{Access, Wanted, Watches};
use rustix::thread::{Pid, gettid};
use tokio::sync::oneshot;

/// Addresses that are looked up at the end.
const SAMPLES: usize = 1000;

/// What came to be known, and when.
pub(crate) enum Event {
    /// All that there was.
    Synced(Synced),
    /// A pod of this node.
    Pod(String, Instant),
    /// A pod that has an address.
    Address(String, Instant),
}

/// What it took to know all there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Synced {
    pub(crate) after: Duration,
    pub(crate) cpu: Duration,
    /// What the addresses keep.
    pub(crate) kept_bytes: i64,
}

/// Processor time of the thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    wall: Duration,
}

impl Usage {
    pub(crate) fn since(self, before: Self) -> Self {
        Self { cpu: self.cpu - before.cpu, wall: self.wall - before.wall }
    }

    /// Of one CPU.
    pub(crate) fn percent(self) -> f64 {
        self.cpu.as_secs_f64() / self.wall.as_secs_f64() * 100.0
    }
}

/// What there is at the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) figures: Figures,
    /// How long it takes to find whose an address is.
    pub(crate) lookup_ns: f64,
    /// The most that the thread ever had allocated.
    pub(crate) peak_bytes: u64,
}

/// The thread.
pub(crate) struct Node {
    thread: std::thread::JoinHandle<End>,
    id: Pid,
    stop: oneshot::Sender<()>,
    begin: Instant,
}

impl Node {
    pub(crate) fn start(kubeconfig: &Path, node: &str, events: Sender<Event>) -> Self {
        let access = Access::new(Some(kubeconfig), Duration::from_secs(30));
        let wanted = Wanted {
            node: node.into(),
            addresses: true,
            quotas: true,
            annotations: [].into(),
            pod_labels: [].into(),
            patience: Patience::default(),
        };
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            tell.send(gettid()).unwrap();
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut known = Known::default();
            let used = allocation_counter::measure(|| {
                runtime.block_on(watch(&access, &wanted, &events, stopped, &mut known));
            });
            let lookup_ns = known.lookup_ns();
            End { figures: known.addresses.figures(), lookup_ns, peak_bytes: used.bytes_max }
        });
        Self { thread, id: told.recv().unwrap(), stop, begin: Instant::now() }
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage { cpu: cpu(self.id), wall: self.begin.elapsed() }
    }

    pub(crate) fn usage_over(&self, time: Duration) -> Usage {
        let before = self.usage();
        std::thread::sleep(time);
        self.usage().since(before)
    }

    pub(crate) fn stop(self) -> End {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap()
    }
}

/// What a thread of this process has used, by its first line in `/proc`, nanoseconds.
fn cpu(thread: Pid) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

async fn watch(
    access: &Access,
    wanted: &Wanted,
    events: &Sender<Event>,
    mut stopped: oneshot::Receiver<()>,
    known: &mut Known,
) {
    let begin = Instant::now();
    let (sender, mut news) = tokio::sync::mpsc::channel(1024);
    let watches = Watches::start(access, wanted, &sender);
    loop {
        tokio::select! {
            change = news.recv() => known.take(change.unwrap(), begin, events),
            _ = &mut stopped => break,
        }
    }
    watches.stop().await;
}

struct Known {
    addresses: Addresses,
    /// Some of what was told.
    samples: Vec<IpAddr>,
    waiting: Vec<Source>,
    kept_bytes: i64,
}

impl Default for Known {
    fn default() -> Self {
        let waiting = Source::ALL
            .into_iter()
            .filter(|source| ![Source::Tenants, Source::Kubelet].contains(source));
        Self {
            addresses: Addresses::new(Limits::default()),
            samples: Vec::with_capacity(SAMPLES),
            waiting: waiting.collect(),
            kept_bytes: 0,
        }
    }
}

impl Known {
    fn take(&mut self, change: Change, begin: Instant, events: &Sender<Event>) {
        match change {
            Change::Health(source, Health::Synced) => {
                self.waiting.retain(|waiting| *waiting != source);
                if self.waiting.is_empty() {
                    events.send(Event::Synced(self.synced(begin))).unwrap();
                    // Nothing is waited for any more.
                    self.waiting.push(Source::Tenants);
                }
            }
            Change::Health(source, health) => panic!("{source:?}: {health:?}"),
            Change::Pods(Update::Put(pod)) => {
                events.send(Event::Pod(pod.name.into(), Instant::now())).unwrap();
            }
            Change::Addresses(change) => self.addresses(&change, events),
            _ => {}
        }
    }

    fn addresses(&mut self, change: &AddressChange, events: &Sender<Event>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now_ns = u64::try_from(now.as_nanos()).unwrap();
        let named = match change {
            AddressChange::Pods(Update::Put(pod)) => {
                pod.ips.first().map(|address| (*address, pod.name.to_string()))
            }
            _ => None,
        };
        let used = allocation_counter::measure(|| self.addresses.apply(change, now_ns));
        self.kept_bytes += used.bytes_current;
        if let Some((address, name)) = named {
            if self.samples.len() < SAMPLES {
                self.samples.push(address);
            }
            assert!(self.addresses.owner(address, now_ns).is_some(), "{name}");
            events.send(Event::Address(name, Instant::now())).unwrap();
        }
    }

    fn lookup_ns(&self) -> f64 {
        let (now_ns, rounds, begin) = (u64::MAX / 2, 1000, Instant::now());
        for _ in 0..rounds {
            for address in &self.samples {
                std::hint::black_box(self.addresses.owner(*address, now_ns));
            }
        }
        begin.elapsed().as_secs_f64() * 1e9 / (rounds * self.samples.len()) as f64
    }

    fn synced(&self, begin: Instant) -> Synced {
        Synced { after: begin.elapsed(), cpu: cpu(gettid()), kept_bytes: self.kept_bytes }
    }
}
