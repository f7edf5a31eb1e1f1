//! The agent's side: the same alerts straight to a back-end, then by its queue.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use landlord::sinks::backends::alertmanager::Alertmanager;
use landlord::sinks::backends::falco_http::FalcoHttp;
use landlord::sinks::backends::file::AlertFile;
use landlord::sinks::backends::syslog::{Receiver, Syslog};
use landlord::sinks::client::{Access, Client};
use landlord::sinks::delivery::{
    Courier, Delivery, Destination, Message, Outbox, Outcome, Output, Pace, Route, Tray,
};
use landlord::sinks::otlp::logs::AlertLogs;
use landlord::sinks::otlp::{Export, Node, Protocol};
use landlord::sinks::spool::Spool;
use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;

use super::Figures;
use super::alert::alert;

/// The queue of each has room for all.
const DISK: u64 = 1 << 30;
/// Alerts that are handed over and not on the disk yet at most: fewer than an outbox
/// has room for.
const AHEAD: u64 = 2048;
const PAUSE: Duration = Duration::from_micros(200);
const PATIENCE: Duration = Duration::from_secs(120);

/// Kinds of sinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    FalcoHttp,
    Alertmanager,
    SyslogUdp,
    SyslogTcp,
    File,
    OtlpGrpc,
    OtlpHttp,
    /// Whose back-end does not answer: only the way to the disk.
    Away,
}

impl Kind {
    pub(crate) fn name(self) -> String {
        clap::ValueEnum::to_possible_value(&self).unwrap().get_name().to_owned()
    }

    fn destination(self, address: &str, folder: &Path) -> Box<dyn Destination> {
        let client = || Client::new(&Access::default()).unwrap();
        let http = |path: &str| format!("http://{address}{path}").parse().unwrap();
        let node = || "node-0001".to_owned();
        let otlp = |protocol| {
            let export =
                Export::new(&format!("http://{address}"), protocol, &Access::default()).unwrap();
            Box::new(AlertLogs::new(export, Node { host: node(), ..Node::default() }))
        };
        match self {
            Self::FalcoHttp => Box::new(FalcoHttp::new(client(), http("/"))),
            Self::Alertmanager => {
                let resolve = Duration::from_secs(600);
                Box::new(Alertmanager::new(client(), http("/api/v2/alerts"), node(), resolve))
            }
            Self::SyslogUdp => Box::new(Syslog::new(Receiver::Udp(address.to_owned()), node())),
            Self::SyslogTcp => Box::new(Syslog::new(Receiver::Tcp(address.to_owned()), node())),
            Self::File => Box::new(AlertFile::new(folder.join("alerts.json"), u64::MAX, 1)),
            Self::OtlpGrpc => otlp(Protocol::Grpc),
            Self::OtlpHttp => otlp(Protocol::Http),
            Self::Away => Box::new(Silence),
        }
    }
}

/// Never answers.
struct Silence;

impl Destination for Silence {
    fn deliver<'a>(&'a mut self, _: &'a [Message]) -> Delivery<'a> {
        Box::pin(std::future::pending())
    }
}

/// Standard output that only counts its lines.
struct Lines(Arc<AtomicU64>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Delivers so many alerts in both ways on CPU 0.
pub(crate) fn carry(kind: Kind, address: &str, alerts: u32) -> Figures {
    let mut first = CpuSet::new();
    first.set(0);
    sched_setaffinity(None, &first).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _inside = runtime.enter();
    // The first delivery connects, which is not what is measured.
    let straight = match kind {
        Kind::Away => f64::NAN,
        _ => straight(&runtime, kind.destination(address, folder.path()), alerts),
    };
    let begun = resident_mebibytes();
    let destination = kind.destination(address, folder.path());
    let queued = queued(&runtime, kind, destination, &folder.path().join("spool"), alerts);
    let straight_per_second = if straight.is_nan() { queued.per_second } else { straight };
    Figures {
        straight_per_second,
        ratio: queued.per_second / straight_per_second,
        memory_mebibytes: queued.memory_mebibytes - begun,
        ..queued
    }
}

/// Alerts a second without a queue.
fn straight(runtime: &Runtime, mut destination: Box<dyn Destination>, alerts: u32) -> f64 {
    let began = Instant::now();
    let mut next = 0;
    let most = u32::try_from(destination.batch()).unwrap();
    while next < alerts {
        let batch: Vec<Message> = (next..alerts.min(next + most)).map(alert).collect();
        match runtime.block_on(destination.deliver(&batch)) {
            Outcome::Delivered => {}
            Outcome::Partly { done, refused: 0 } if done == batch.len() => {}
            outcome => panic!("{outcome:?}"),
        }
        next += most;
    }
    f64::from(alerts) / began.elapsed().as_secs_f64()
}

/// The same by outbox, queue and courier.
fn queued(
    runtime: &Runtime,
    kind: Kind,
    destination: Box<dyn Destination>,
    folder: &Path,
    alerts: u32,
) -> Figures {
    let spool = Spool::open(folder, DISK).unwrap();
    let tray = Arc::new(Tray::new(&kind.name(), spool, Pace::default()));
    let courier = Courier::start(Arc::clone(&tray), destination, runtime.handle().clone()).unwrap();
    let shown = Arc::new(AtomicU64::new(0));
    let ways = [(Route::default(), Arc::clone(&tray))].into_iter().collect();
    let outbox = Outbox::start(Lines(Arc::clone(&shown)), ways).unwrap();
    let (began, cpu) = (Instant::now(), cpu());
    let mut peak = Peak::default();
    for number in 0..alerts {
        while u64::from(number) - shown.load(Ordering::Relaxed) >= AHEAD {
            peak.look(&tray);
            std::thread::sleep(PAUSE);
        }
        outbox.put(Output { message: Some(alert(number)), line: Some(Vec::new()) });
    }
    wait_for(&tray, &mut peak, || shown.load(Ordering::Relaxed) >= u64::from(alerts));
    let taken_per_second = f64::from(alerts) / began.elapsed().as_secs_f64();
    if kind != Kind::Away {
        wait_for(&tray, &mut peak, || tray.figures().delivered >= u64::from(alerts));
    }
    let seconds = began.elapsed().as_secs_f64();
    let cpu_us = (self::cpu() - cpu) * 1e6 / f64::from(alerts);
    assert_eq!(outbox.lost(), 0);
    let figures = tray.figures();
    assert_eq!((figures.unwritten, figures.spool.dropped.iter().sum::<u64>()), (0, 0));
    drop((outbox, courier));
    Figures {
        straight_per_second: 0.0,
        ratio: 0.0,
        per_second: f64::from(alerts) / seconds,
        taken_per_second,
        cpu_us,
        disk_mebibytes: peak.disk,
        memory_mebibytes: peak.resident,
    }
}

fn wait_for(tray: &Tray, peak: &mut Peak, is_there: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_there() {
        assert!(Instant::now() < deadline, "{:?}", tray.figures());
        peak.look(tray);
        std::thread::sleep(PAUSE * 10);
    }
}

/// The most there was, MiB.
#[derive(Debug, Default)]
struct Peak {
    disk: f64,
    resident: f64,
}

impl Peak {
    fn look(&mut self, tray: &Tray) {
        self.disk = self.disk.max(tray.figures().disk as f64 / f64::from(1 << 20));
        self.resident = self.resident.max(resident_mebibytes());
    }
}

/// Memory of this process, MiB.
fn resident_mebibytes() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size() as f64 / f64::from(1 << 20)
}

/// Processor time of this process, seconds.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
