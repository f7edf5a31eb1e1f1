//! Back-ends that fail in every way at once, under hundreds of alerts a second: what is
//! bounded stays so, who is well notices nothing, and the counters tell what became of
//! every alert.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use landlord_tests::agent::watch::Watch;
use landlord_tests::agent::{Agent, Home};
use landlord_tests::backend::{Backend, Behaviour, Validity};
use landlord_tests::truth::exactly;
use landlord_tests::workload::Order;
use serde_json::Value;

use super::PATIENCE;
use crate::stage::{is_too_long, tenant};

/// Alerts: more than a queue of the least size has room for.
const ALERTS: u32 = 6000;
/// Those that a small disk has no room for, or that show what an agent takes without sinks.
const FEW: u32 = 2500;
const RATE: u32 = 400;
/// MiB that each queue may have, the least that can be set.
const QUEUE: u64 = 16;
/// MiB of memory that an agent may have beyond that of one without sinks, for each sink.
const MEMORY_OF_A_SINK: u64 = 8;
/// Files and connections that a sink may have open: up to 16 of its queue, and a
/// connection that ends while the next one begins.
const FILES_OF_A_SINK: usize = 20;
/// Alerts that may wait for a back-end that is well: it may be slower than they come where
/// the machine has other things to do, but waits for no other back-end.
const DELAYED: u64 = ALERTS as u64 / 2;
/// Alerts that are on their way at once.
const BATCH: usize = 64;
/// How the files of the tenant begin; the tenth of them is more urgent.
const PREFIX: &str = "number-";

/// What becomes of a sink's alerts, as the metrics tell.
#[derive(Debug, Default, PartialEq)]
struct Account {
    delivered: u64,
    waiting: u64,
    dropped: BTreeMap<String, u64>,
    other: u64,
    failures: BTreeMap<String, u64>,
    deliveries: u64,
    last: Option<f64>,
}

impl Account {
    fn of(page: &str, sink: &str) -> Self {
        let mut account = Self::default();
        let label = format!("sink=\"{sink}\"");
        for line in page.lines().filter(|line| line.contains(&label)) {
            let (name, rest) = line.split_once('{').unwrap();
            let (labels, value) = rest.rsplit_once("} ").unwrap();
            // Seconds are none.
            let count: u64 = value.parse().unwrap_or_default();
            // Losses that there were not are told, too.
            if count == 0 && value == "0" {
                continue;
            }
            let value: f64 = value.parse().unwrap();
            let word = || labels.rsplit('"').nth(1).unwrap().to_owned();
            match name {
                "landlord_sink_delivered_total" => account.delivered = count,
                "landlord_sink_waiting" => account.waiting = count,
                "landlord_sink_dropped_total" => {
                    account.dropped.insert(word(), count);
                }
                "landlord_sink_refused_total"
                | "landlord_sink_unwritten_total"
                | "landlord_sink_damaged_files_total" => account.other += count,
                "landlord_sink_failures_total" => {
                    account.failures.insert(word(), count);
                }
                "landlord_sink_deliveries_total" => account.deliveries = count,
                "landlord_sink_last_delivery_time_seconds" => account.last = Some(value),
                _ => {}
            }
        }
        account
    }

    fn sum(&self) -> u64 {
        self.delivered + self.waiting + self.dropped.values().sum::<u64>() + self.other
    }

    fn causes(&self) -> Vec<&str> {
        self.failures.keys().map(String::as_str).collect()
    }
}

/// A tenant that makes numbered files, and the agent that sees it.
struct Scene {
    home: Home,
    folder: tempfile::TempDir,
    rules: PathBuf,
}

impl Scene {
    fn new(sinks: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(far_below(folder.path())).unwrap();
        let rules = folder.path().join("rules.yaml");
        let rule = |name: &str, priority: &str, and: &str| {
            format!(
                "- rule: {name}\n  desc: d\n  condition: evt.type = openat and fd.name startswith \
                 {}/{PREFIX} and {and} fd.name endswith 0\n  output: file=%fd.name\n  \
                 priority: {priority}\n  tags: [lab]\n",
                far_below(folder.path()).display()
            )
        };
        let text = rule("Tenth file", "CRITICAL", "") + &rule("Other file", "NOTICE", "not");
        fs::write(&rules, text).unwrap();
        let spool = folder.path().join("spool");
        let configuration = format!(
            "interval: 1s\nspool: {{ path: '{}', size: {QUEUE} }}\n{sinks}\n",
            spool.display()
        );
        Self { home: Home::new(&configuration).unwrap(), folder, rules }
    }

    fn watch(&self) -> Watch<'_> {
        self.home.watch(std::slice::from_ref(&self.rules), &[]).unwrap()
    }

    /// Has the tenant make so many files; `look` is asked for again and again meanwhile.
    fn work(
        &self,
        watch: &mut Watch<'_>,
        (tenant, count): (&str, u32),
        mut look: impl FnMut(&Agent<'_>),
    ) {
        let (cgroup, tenant) = self::tenant(tenant);
        let prefix = far_below(self.folder.path()).join(PREFIX).into_os_string();
        let order = Order::new([
            "numbered".into(),
            prefix,
            "--count".into(),
            count.to_string().into(),
            "--rate".into(),
            RATE.to_string().into(),
        ]);
        let mut running = order.inside(&cgroup).start().unwrap();
        running.go().unwrap();
        let deadline = Instant::now() + PATIENCE * 4;
        while !running.has_ended().unwrap() {
            assert!(Instant::now() < deadline, "the tenant does not come to an end");
            look(watch.agent());
            std::thread::sleep(Duration::from_millis(100));
        }
        // Each queue is written before an alert is shown, which may take its time.
        while let Err(error) = watch.settle() {
            assert!(Instant::now() < deadline, "{error:#}");
        }
        look(watch.agent());
        // Whatever becomes of alerts, the bill is right.
        let usage = watch.agent().usage().unwrap();
        let counted = usage.count(&tenant, "syscalls_total/unlinkat").unwrap();
        exactly("unlinkat", counted, count.into()).unwrap();
    }

    fn queue(&self, sink: &str) -> PathBuf {
        self.folder.path().join("spool").join(sink)
    }
}

/// A folder whose path is long, and cannot be told in fewer bytes.
fn far_below(folder: &Path) -> PathBuf {
    let mut state = 1_u64;
    let mut letter = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
    };
    let mut name = || (0..200).map(&mut letter).collect::<String>();
    [name(), name(), name(), name(), name()].iter().fold(folder.to_owned(), |at, it| at.join(it))
}

/// Bytes of the files of a folder; of one that goes meanwhile none.
fn bytes_of_files(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
}

#[expect(clippy::print_stdout, reason = "what was measured is shown with the test")]
fn show(figures: &str) {
    println!("{figures}");
}

fn open_files(agent: &Agent<'_>) -> usize {
    fs::read_dir(format!("/proc/{}/fd", agent.pid())).unwrap().count()
}

/// Numbers of the alerts that a back-end has taken, once all that waited has arrived.
fn numbers(backend: &Backend) -> BTreeSet<u32> {
    let of = |body| {
        let alert: Value = serde_json::from_slice(body).unwrap();
        let file = alert["output_fields"]["fd.name"].as_str().unwrap();
        file.rsplit('-').next().unwrap().parse().unwrap()
    };
    backend.taken().iter().map(|body| of(body)).collect()
}

fn wait_for(what: &str, agent: &Agent<'_>, is_there: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + PATIENCE * 3;
    loop {
        let page = agent.metrics().unwrap();
        if is_there(&page) {
            return;
        }
        let of_sinks: Vec<&str> =
            page.lines().filter(|line| line.starts_with("landlord_sink")).collect();
        assert!(Instant::now() < deadline, "{what}: {of_sinks:#?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn whatever_back_ends_do_memory_and_disk_are_bounded_and_all_is_counted() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let start = || Backend::start().unwrap();
    let (good, slow, silent, closed) = (start(), start(), start(), start());
    let (throttled, refused) = (start(), start());
    let expired = Backend::start_tls(Validity::Expired).unwrap();
    slow.behave(Behaviour::Slow(Duration::from_millis(100)));
    silent.behave(Behaviour::Hang);
    closed.behave(Behaviour::HalfClosed);
    throttled.behave(Behaviour::Refuse { status: 429, retry_after: Some(1) });
    refused.behave(Behaviour::Refuse { status: 503, retry_after: None });
    let all = [
        ("good", &good, ""),
        ("slow", &slow, ""),
        ("silent", &silent, "timeout"),
        ("closed", &closed, "broken"),
        ("throttled", &throttled, "throttled"),
        ("refused", &refused, "refused"),
        ("expired", &expired, "tls"),
    ];
    let sink = |(name, backend, _): (&str, &Backend, &str)| {
        let ca = if name == "expired" {
            format!(", ca_file: '{}'", backend.authority().display())
        } else {
            String::new()
        };
        let to = backend.url();
        format!("{{ name: {name}, kind: falco_http, to: '{to}', tags: [lab], timeout: 2s{ca} }}")
    };
    let scene = Scene::new(&format!("sinks: [ {} ]", all.map(sink).join(", ")));

    // What the same work takes where nobody gets alerts.
    let lonely = Scene::new("");
    let mut watch = lonely.watch();
    let (mut memory_without, mut files_without) = (0, 0);
    lonely.work(&mut watch, ("unheard", FEW), |agent| {
        memory_without = memory_without.max(agent.resident_bytes().unwrap());
        files_without = files_without.max(open_files(agent));
    });
    watch.stop().unwrap();

    let mut watch = scene.watch();
    let (mut memory, mut delayed, mut files) = (0, 0, 0);
    let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    scene.work(&mut watch, ("heard", ALERTS), |agent| {
        memory = memory.max(agent.resident_bytes().unwrap());
        files = files.max(open_files(agent));
        for (name, ..) in all {
            let bytes = bytes_of_files(&scene.queue(name));
            assert!(bytes <= QUEUE << 20, "the queue of {name} has {bytes} bytes");
        }
        delayed = delayed.max(Account::of(&agent.metrics().unwrap(), "good").waiting);
    });
    let most = memory_without + (all.len() as u64) * (MEMORY_OF_A_SINK << 20);
    show(&format!(
        "memory {memory_without} without, {memory} with; files {files_without} without, {files} \
         with; {delayed} waited for who is well"
    ));
    assert!(files <= files_without + all.len() * FILES_OF_A_SINK, "{files}, not {files_without}");
    assert!(memory <= most, "{memory} bytes of memory, {memory_without} without sinks");
    assert!(delayed <= DELAYED, "{delayed} alerts waited for who is well");
    wait_for("who is well", watch.agent(), |page| {
        let well = Account::of(page, "good").delivered == u64::from(ALERTS);
        well && all.iter().all(|(name, _, cause)| {
            cause.is_empty()
                || Account::of(page, name).failures.get(*cause).is_some_and(|it| *it > 1)
        })
    });
    assert_eq!(numbers(&good).len(), ALERTS as usize);

    let page = watch.agent().metrics().unwrap();
    for (name, _, cause) in all {
        let account = Account::of(&page, name);
        show(&format!("{name}: {account:?}"));
        assert_eq!(account.sum(), u64::from(ALERTS), "{name}: {account:?}");
        assert_eq!(account.other, 0, "{name}: {account:?}");
        assert_eq!(account.last.is_some(), cause.is_empty(), "{name}: {account:?}");
        assert!(account.last.is_none_or(|last| last >= began), "{name}: {account:?}");
        let failures: u64 = account.failures.values().sum();
        if cause.is_empty() {
            assert_eq!(failures, 0, "{name}: {account:?}");
        } else {
            assert_eq!(account.causes(), [cause], "{name}: {account:?}");
            assert_eq!((account.delivered, failures), (0, account.deliveries), "{name}");
            // There was room for all that is urgent, but not for all.
            assert_eq!(account.dropped.keys().collect::<Vec<_>>(), ["notice"], "{name}");
        }
    }

    // What is mended gets all that is urgent, and the newest of the rest.
    for backend in [&slow, &silent, &closed, &throttled, &refused] {
        backend.behave(Behaviour::Take);
    }
    let mended = &all[1..6];
    wait_for("what waits", watch.agent(), |page| {
        mended.iter().all(|(name, ..)| Account::of(page, name).waiting == 0)
    });
    let page = watch.agent().metrics().unwrap();
    for (name, backend, cause) in mended {
        let account = Account::of(&page, name);
        let arrived = numbers(backend);
        assert_eq!(account.sum(), u64::from(ALERTS), "{name}: {account:?}");
        assert!(arrived.len() as u64 >= account.delivered, "{name}: {account:?}");
        let missing: Vec<u32> = (0..ALERTS).filter(|number| !arrived.contains(number)).collect();
        let dropped = account.dropped["notice"];
        // Of who is slow an answer may have been lost, and the alert have gone then.
        let least = if cause.is_empty() { dropped - BATCH as u64 } else { dropped };
        assert!((least..=dropped).contains(&(missing.len() as u64)), "{name}: {account:?}");
        assert!(missing.iter().all(|number| number % 10 != 0), "{name} misses what is urgent");
        if !cause.is_empty() {
            // But for what was on its way when others had to go.
            let last = *missing.last().unwrap();
            let kept = (0..last).filter(|number| number % 10 != 0 && arrived.contains(number));
            assert!(kept.count() <= BATCH, "{name} misses {last} and has older ones");
        }
    }
    watch.stop().unwrap();
}

/// A file system of its own, of few bytes; dropped, it is gone.
struct Tiny(PathBuf);

impl Tiny {
    fn mount(folder: &Path, size: &str) -> Self {
        fs::create_dir_all(folder).unwrap();
        let tiny = Self(folder.to_owned());
        tiny.run(Command::new("mount").args([
            "-t",
            "tmpfs",
            "-o",
            &format!("size={size}"),
            "tmpfs",
        ]));
        tiny
    }

    fn grow(&self, size: &str) {
        self.run(Command::new("mount").args(["-o", &format!("remount,size={size}")]));
    }

    fn run(&self, command: &mut Command) {
        assert!(command.arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        // A test that failed may still have files open there.
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

#[test]
fn a_full_disk_is_told_of_and_holds_up_nobody_else() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let (good, full) = (Backend::start().unwrap(), Backend::start().unwrap());
    full.behave(Behaviour::Hang);
    let sink = |name: &str, backend: &Backend| {
        format!(
            "{{ name: {name}, kind: falco_http, to: '{}', tags: [lab], timeout: 1s }}",
            backend.url()
        )
    };
    let scene = Scene::new(&format!("sinks: [ {}, {} ]", sink("good", &good), sink("full", &full)));
    let tiny = Tiny::mount(&scene.queue("full"), "1500k");
    let mut watch = scene.watch();
    scene.work(&mut watch, ("unwritten", FEW), |_| ());
    wait_for("the sink whose disk is not full", watch.agent(), |page| {
        Account::of(page, "good").delivered == u64::from(FEW)
    });
    let account = Account::of(&watch.agent().metrics().unwrap(), "full");
    assert_eq!(account.sum(), u64::from(FEW), "{account:?}");
    assert!(account.other > 0 && account.waiting > 0, "{account:?}");

    // An agent that finds a full disk starts all the same, and has what is on it.
    drop(watch);
    let mut watch = scene.watch();
    let found = Account::of(&watch.agent().metrics().unwrap(), "full");
    assert!(found.waiting >= account.waiting, "{found:?} of {account:?}");

    // With room again the queue goes on, without a restart.
    tiny.grow("64m");
    full.behave(Behaviour::Take);
    wait_for("what waited on the full disk", watch.agent(), |page| {
        let account = Account::of(page, "full");
        account.waiting == 0 && account.delivered > 0
    });
    let before = Account::of(&watch.agent().metrics().unwrap(), "full");
    scene.work(&mut watch, ("written", FEW), |_| ());
    wait_for("what came after the full disk", watch.agent(), |page| {
        Account::of(page, "full").delivered == before.delivered + u64::from(FEW)
    });
    watch.stop().unwrap();
}
