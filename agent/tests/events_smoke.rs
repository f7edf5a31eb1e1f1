//! Records of events on the running kernel, from a plan to a decoded record.
//!
//! With `--nocapture` it prints what it reads.

#![expect(clippy::unwrap_used, reason = "a test that panics keeps its trace")]
#![expect(clippy::print_stdout, reason = "what is read is told to whoever develops a sensor")]

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt as _,
    process::Command,
    time::{Duration, Instant},
};

use landlord::{
    decode,
    event::Record,
    kernel::{EventOptions, Events, Options, Sensors},
};
use landlord_ebpf::abi::{
    DropCause, Plan, RESULT, RecordKind, Shape, WORKING_DIRECTORY, plan_flag,
};

#[cfg(target_arch = "x86_64")]
const OPENAT: u32 = 257;
#[cfg(target_arch = "x86_64")]
const OPEN: u32 = 2;
#[cfg(target_arch = "aarch64")]
const OPENAT: u32 = 56;

fn started() -> Option<(Sensors, Events)> {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED: sensors need root");
        return None;
    }
    let options = Options { pins: None, max_cgroups: 64, events: Some(EventOptions::default()) };
    let before = Instant::now();
    let mut sensors = Sensors::start(&options).unwrap();
    println!("started in {:?}", before.elapsed());
    let events = sensors.take_events();
    let refused = sensors.events_refused().map(ToString::to_string);
    Some((sensors, events.unwrap_or_else(|| panic!("{refused:?}"))))
}

/// Reads for a while, prints, and counts the records that are looked for.
fn read(events: &mut Events, time: Duration, wanted: impl Fn(&Record<'_>) -> bool) -> usize {
    let started = Instant::now();
    let mut found = 0;
    while started.elapsed() < time {
        events
            .read(Duration::from_millis(100), &mut |bytes| match decode::record(bytes) {
                Ok(record) => {
                    print(&record);
                    found += usize::from(wanted(&record));
                }
                Err(error) => panic!("{error}: {bytes:?}"),
            })
            .unwrap();
    }
    println!("{:?}\n{:?}", events.counts(), events.drops().unwrap());
    found
}

fn print(record: &Record<'_>) {
    let head = &record.head;
    println!(
        "{:?} {} tgid={} tid={} parent={} nr={} result={} cgroup={} uid={} flags={} verdict={:x?} comm={}",
        record.kind,
        head.time_ns,
        head.tgid,
        head.tid,
        head.parent,
        head.syscall,
        head.result,
        head.cgroup,
        head.uid,
        head.flags,
        head.verdict,
        String::from_utf8_lossy(record.comm()),
    );
    let parts = [
        ("path", record.path),
        ("raw", record.raw),
        ("base", record.base),
        ("raw2", record.raw2),
        ("base2", record.base2),
        ("address", record.address),
        ("unix", record.unix_path),
        ("peer", record.unix_peer_path),
        ("argv", record.argv),
        ("exe", record.exe),
        ("cwd", record.cwd),
        ("buffer", record.buffer),
    ];
    for (name, part) in parts {
        if let Some(part) = part {
            println!("    {name}: {} cut={}", part.bytes.escape_ascii(), part.cut);
        }
    }
    if let Some(file) = record.file {
        println!("    {file:?}");
    }
    if let Some(socket) = record.socket {
        println!("    {socket:?}");
    }
    if let Some(task) = record.task {
        println!("    {task:?}");
    }
}

/// Of every call that opens a file by its name: C libraries differ in which they use.
fn plans_of_open() -> Vec<(u32, Plan)> {
    let mut plans = vec![(OPENAT, plan_of_openat())];
    #[cfg(target_arch = "x86_64")]
    {
        let open = Plan {
            path: 0,
            directory: WORKING_DIRECTORY,
            open_flags: 1,
            open_mode: 2,
            ..plan_of_openat()
        };
        plans.push((OPEN, open));
    }
    plans
}

fn plan_of_openat() -> Plan {
    Plan {
        early: u64::MAX,
        shape: Shape::File as u8,
        fd: RESULT,
        path: 1,
        directory: 0,
        open_flags: 2,
        open_mode: 3,
        flags: plan_flag::FLAGS_IN_REGISTER | plan_flag::VERDICT | plan_flag::TASK,
        ..Plan::UNWANTED
    }
}

#[test]
fn an_open_becomes_a_record() {
    let Some((_sensors, mut events)) = started() else { return };
    events.set_plans(&plans_of_open());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a file to be opened");
    let file = File::create(&path).unwrap();
    let ino = file.metadata().unwrap().ino();
    drop(file);
    fs::read(&path).unwrap();
    let me = std::process::id();
    let found = read(&mut events, Duration::from_millis(300), |record| {
        record.kind == RecordKind::Syscall
            && record.head.tgid == me
            && record.file.is_some_and(|file| file.ino == ino)
            && record.path.is_some_and(|found| found.bytes == path.as_os_str().as_encoded_bytes())
    });
    assert_eq!(found, 2);
    // Nothing more once nothing is wanted.
    events.set_plans(&[]);
    read(&mut events, Duration::from_millis(50), |_| false);
    fs::read(&path).unwrap();
    let found =
        read(&mut events, Duration::from_millis(100), |record| record.kind == RecordKind::Syscall);
    assert_eq!(found, 0);
}

#[test]
fn a_verdict_spares_us_a_subject() {
    let Some((_sensors, mut events)) = started() else { return };
    events.set_plans(&plans_of_open());
    let folder = tempfile::tempdir().unwrap();
    let paths = ["boring", "interesting"].map(|name| folder.path().join(name));
    for path in &paths {
        fs::write(path, "").unwrap();
    }
    let me = std::process::id();
    read(&mut events, Duration::from_millis(50), |_| false);
    let look = |events: &mut Events| {
        for path in &paths {
            fs::read(path).unwrap();
        }
        let verdicts = events.verdicts();
        read(events, Duration::from_millis(100), |record| {
            let mine = record.kind == RecordKind::Syscall && record.head.tgid == me;
            let is = |path: &std::path::PathBuf| {
                record.path.is_some_and(|it| it.bytes == path.as_os_str().as_encoded_bytes())
            };
            if mine && is(&paths[0]) {
                verdicts.set(record.head.verdict);
            }
            mine && paths.iter().any(is)
        })
    };
    assert_eq!(look(&mut events), 2);
    assert_eq!(look(&mut events), 1);
    assert!(events.counts().verdict >= 1);
    // Other plans, other verdicts.
    events.set_plans(&plans_of_open());
    assert_eq!(look(&mut events), 2);
}

#[test]
fn more_than_its_allowance_is_dropped_and_counted() {
    let Some((_sensors, mut events)) = started() else { return };
    events.set_plans(&plans_of_open());
    events.set_rate(10, 20);
    let file = tempfile::NamedTempFile::new().unwrap();
    for _ in 0..500 {
        fs::read(file.path()).unwrap();
    }
    let mut sent = 0;
    while events.read(Duration::from_millis(20), &mut |_| sent += 1).unwrap() != 0 {}
    let counts = events.counts();
    assert!(counts.sent <= 60, "{counts:?}");
    let drops = events.drops().unwrap();
    println!("{sent} {counts:?} {drops:?}");
    let limited: u64 = drops
        .iter()
        .filter(|drop| drop.cause == DropCause::RateLimited)
        .map(|drop| drop.count)
        .sum();
    assert!(limited >= 440, "{drops:?}");
    assert_eq!(events.drops().unwrap().iter().map(|drop| drop.count).sum::<u64>(), 0);
}

/// Memory of the maps that this process has descriptors of, as the kernel counts it.
fn memory_of_maps() -> u64 {
    let mut maps = std::collections::BTreeMap::new();
    for entry in fs::read_dir("/proc/self/fdinfo").unwrap().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let number = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|value| value.trim().parse::<u64>().ok())
        };
        if let (Some(id), Some(_)) = (number("map_id:"), number("map_type:")) {
            let bytes = number("memlock:").unwrap_or(0);
            maps.insert(id, bytes);
        }
    }
    maps.values().sum()
}

#[test]
fn the_memory_of_maps_is_known() {
    let Some((sensors, _events)) = started() else { return };
    let (told, counted) = (sensors.map_memory_bytes(), memory_of_maps());
    let difference = told.abs_diff(counted) as f64 / counted as f64;
    assert!(counted == 0 || difference < 0.05, "{told} {counted}");
}

#[test]
fn a_sleeping_reader_is_woken_by_the_next_record() {
    let Some((_sensors, mut events)) = started() else { return };
    events.set_plans(&plans_of_open());
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_owned();
    let name = path.as_os_str().as_encoded_bytes();
    let (begin, begun) = std::sync::mpsc::channel();
    let opener = {
        let path = path.clone();
        std::thread::spawn(move || {
            // Long enough for the reader to fall asleep, of various lengths to meet it
            // while it does.
            for round in 0..40 {
                std::thread::sleep(Duration::from_millis(25 + round));
                begin.send(Instant::now()).unwrap();
                fs::read(&path).unwrap();
            }
        })
    };
    let mut slowest = Duration::ZERO;
    for _ in 0..40 {
        let mut seen = false;
        while !seen {
            events
                .read(Duration::from_secs(2), &mut |bytes| {
                    let path = decode::record(bytes).ok().and_then(|record| record.path);
                    seen |= path.is_some_and(|path| path.bytes == name);
                })
                .unwrap();
        }
        slowest = slowest.max(begun.recv().unwrap().elapsed());
    }
    opener.join().unwrap();
    println!("slowest: {slowest:?}");
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
}

#[test]
fn a_process_is_told_from_beginning_to_end() {
    let Some((_sensors, mut events)) = started() else { return };
    let mut child = Command::new("/bin/sleep").arg("0.01").spawn().unwrap();
    let id = child.id();
    child.wait().unwrap();
    let mut kinds = Vec::new();
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(300) {
        events
            .read(Duration::from_millis(100), &mut |bytes| {
                let record = decode::record(bytes).unwrap();
                print(&record);
                if record.head.tgid == id {
                    kinds.push(record.kind);
                }
            })
            .unwrap();
    }
    println!("{:?}\n{:?}", events.counts(), events.drops().unwrap());
    assert_eq!(kinds, [RecordKind::Fork, RecordKind::Exec, RecordKind::Exit]);
}

#[test]
fn no_call_is_told_before_its_process_or_after_its_end() {
    let Some((_sensors, mut events)) = started() else { return };
    events.set_plans(&plans_of_open());
    let spawners: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(|| {
                for _ in 0..50 {
                    let done = Command::new("/bin/cat").arg("/proc/self/stat").output().unwrap();
                    assert!(done.status.success());
                }
            })
        })
        .collect();
    let me = std::process::id();
    // Of each child: whether it lives, and the calls of it that were told.
    let mut children = std::collections::HashMap::new();
    let mut wrong = Vec::new();
    let mut read = |events: &mut Events| {
        events
            .read(Duration::from_millis(100), &mut |bytes| {
                let record = decode::record(bytes).unwrap();
                let id = (record.head.tgid, record.head.start_ns);
                match (record.kind, children.get_mut(&id)) {
                    (RecordKind::Fork, _) if record.head.parent == me => {
                        children.insert(id, (true, 0));
                    }
                    (RecordKind::Exit, Some(child)) => child.0 = false,
                    (RecordKind::Syscall, Some((true, calls))) => *calls += 1,
                    (RecordKind::Syscall, Some((false, _))) => wrong.push(id),
                    (RecordKind::Syscall, None) if record.head.parent == me => wrong.push(id),
                    _ => {}
                }
            })
            .unwrap()
    };
    while spawners.iter().any(|spawner| !spawner.is_finished()) {
        read(&mut events);
    }
    while read(&mut events) != 0 {}
    for spawner in spawners {
        spawner.join().unwrap();
    }
    println!("{:?} {:?}", events.counts(), events.drops().unwrap());
    assert_eq!(wrong, []);
    assert_eq!(children.len(), 200);
    assert!(children.values().all(|(alive, calls)| !alive && *calls >= 2), "{children:?}");
    assert_eq!(events.damaged(), 0);
}
