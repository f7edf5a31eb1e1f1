//! Facts read from `/proc` while records come in: each order of fork, exec and end
//! against the scan ends with the truth.

use super::{call, cmdline, exec, exit, fork, head, named, proc_facts, table};
use crate::event::Record;
use crate::process::{Applied, ProcessFacts, Table};

/// Starts lie within a tick, as they do in life.
const START: u64 = 20_000_000_123;

#[derive(Clone, Copy)]
#[expect(clippy::large_enum_variant, reason = "a handful, and copied from list to list")]
enum Step<'a> {
    Tells(Record<'a>),
    Scan(u32, &'static str),
}
use Step::{Scan, Tells};

/// 1 init → 10 sh, from a scan.
fn begun() -> Table {
    let mut table = table();
    table.insert(proc_facts(1, 0, 0, "init\0"));
    table.insert(proc_facts(10, START - 5_000_000_000, 1, "sh\0"));
    table
}

fn facts(pid: u32, argv: &str) -> ProcessFacts {
    ProcessFacts { envp: b"A=1\0"[..].into(), ..proc_facts(pid, START, 10, argv) }
}

#[track_caller]
fn check(steps: &[Step<'_>], expected: Option<&str>) -> Table {
    let mut table = begun();
    for step in steps {
        match step {
            Tells(record) => _ = table.apply(record),
            Scan(pid, argv) => _ = table.insert(facts(*pid, argv)),
        }
    }
    assert_eq!(cmdline(&table, 20).as_deref(), expected);
    if let Some(process) = table.find(20) {
        assert_eq!(table.parent(process).map(|parent| parent.facts.pid), Some(10));
        let exact = steps.iter().any(|step| matches!(step, Tells(_)));
        assert_eq!(process.facts.start_ns == START, exact);
    }
    table
}

fn forked() -> Step<'static> {
    let mut record = fork(20, START, 10);
    record.head = named(record.head, "sh");
    Tells(record)
}

fn execed(after: u64, argv: &'static str) -> Step<'static> {
    let name = argv.split('\0').next().unwrap();
    Tells(exec(head(20, START, 10, START + after), name, argv, "/bin/x"))
}

fn called(after: u64, name: &str) -> Step<'static> {
    Tells(call(named(head(20, START, 10, START + after), name)))
}

fn exited() -> Step<'static> {
    Tells(exit(20, START, 10, START + 900))
}

#[test]
fn fork_before_and_after_the_scan() {
    check(&[forked()], Some("sh"));
    check(&[forked(), Scan(20, "sh\0")], Some("sh"));
    check(&[Scan(20, "sh\0"), forked()], Some("sh"));
    // The scan saw a later program; the record of its exec is still to come.
    check(&[forked(), Scan(20, "ls\0-a\0"), execed(5, "ls\0-a\0")], Some("ls -a"));
    check(&[Scan(20, "ls\0-a\0"), forked(), execed(5, "ls\0-a\0")], Some("ls -a"));
    // The maker runs something else by the time of the scan: its fork did not.
    let mut table = table();
    table.insert(facts(20, "sh\0-c\0"));
    table.insert(proc_facts(10, START - 5_000_000_000, 1, "vi\0"));
    let Tells(record) = forked() else { return };
    table.apply(&record);
    assert_eq!(cmdline(&table, 20).unwrap(), "sh -c");
}

#[test]
fn exec_during_the_scan() {
    check(&[execed(5, "ls\0-a\0"), Scan(20, "ls\0-a\0")], Some("ls -a"));
    check(&[Scan(20, "ls\0-a\0"), execed(5, "ls\0-a\0")], Some("ls -a"));
    // The scan was before the exec, and is put in after it.
    check(&[forked(), execed(5, "ls\0-a\0"), Scan(20, "sh\0")], Some("ls -a"));
    // Two of them, the scan between.
    let (first, second) = (execed(5, "env\0"), execed(6, "ls\0-a\0"));
    check(&[first, Scan(20, "env\0"), second], Some("ls -a"));
    check(&[Scan(20, "ls\0-a\0"), first, second], Some("ls -a"));
    check(&[first, second, Scan(20, "env\0")], Some("ls -a"));
}

#[test]
fn end_before_the_facts_are_put_in() {
    check(&[forked(), exited(), Scan(20, "sh\0")], None);
    check(&[exited(), Scan(20, "sh\0")], None);
    check(&[Scan(20, "sh\0"), exited()], None);
    check(&[Scan(20, "sh\0"), exited(), Scan(20, "sh\0")], None);
    check(&[exited(), called(5, "sh"), Scan(20, "sh\0")], None);
    // One that was not known gets its texts even so, for those it started.
    let table = check(&[exited(), Scan(20, "sh\0-c\0")], None);
    let process = table.get(20, START).unwrap();
    assert_eq!((process.exited_ns, process.cmdline()), (Some(START + 900), &b"name -c"[..]));
}

#[test]
fn calls_before_the_facts_are_put_in() {
    let table = check(&[called(5, "thread"), Scan(20, "sh\0-c\0")], Some("thread -c"));
    let process = table.find(20).unwrap();
    assert_eq!(
        (&*process.facts.cwd, process.env_value(b"A")),
        (&b"/from/proc"[..], Some(&b"1"[..]))
    );
    check(&[called(5, "sh"), execed(6, "ls\0"), Scan(20, "sh\0-c\0")], Some("ls"));
    check(&[called(5, "sh"), Scan(20, "ls\0"), execed(6, "ls\0")], Some("ls"));
}

#[test]
fn id_given_again_during_the_scan() {
    // Read before the first one ended, put in after the second began.
    let mut table = begun();
    let later = START + 7_000_000_000;
    table.apply(&fork(20, later, 10));
    assert_eq!(table.insert(facts(20, "old\0")), Applied::Known);
    assert!(table.get(20, START).is_none());
    assert_eq!(table.find(20).unwrap().facts.start_ns, later);
    // The end of the first one was lost.
    let mut table = begun();
    table.insert(facts(20, "old\0"));
    table.insert(proc_facts(20, later, 10, "new\0"));
    assert!(table.get(20, START).unwrap().exited_ns.is_some());
    assert_eq!(cmdline(&table, 20).unwrap(), "new");
    // `/proc` does not have it any more.
    table.end(20, later, later + 5);
    assert_eq!(cmdline(&table, 20), None);
}

#[test]
fn facts_of_a_recording_win_if_they_are_later() {
    let mut table = begun();
    let saved = |after, argv| {
        let exec_ns = START + after;
        ProcessFacts { start_ns: START, exec_ns, ..facts(20, argv) }
    };
    table.insert(saved(50, "late\0"));
    let Tells(early) = execed(40, "early\0") else { return };
    table.apply(&early);
    assert_eq!(cmdline(&table, 20).unwrap(), "late");
    table.insert(saved(60, "later\0"));
    assert_eq!(cmdline(&table, 20).unwrap(), "later");
    table.insert(saved(45, "early\0"));
    assert_eq!(cmdline(&table, 20).unwrap(), "later");
}

/// A scan reads the state after some of the records and is put in after some others:
/// wherever that is, all records together end with what is true.
#[test]
fn any_interleaving_ends_with_the_truth() {
    let records = [forked(), execed(5, "env\0"), execed(6, "ls\0-a\0"), exited()];
    for (count, truth) in [(3, Some("ls -a")), (4, None)] {
        for read in ["sh\0", "env\0", "ls\0-a\0"] {
            for put in 0..=count {
                let mut steps = records[..count].to_vec();
                steps.insert(put, Scan(20, read));
                check(&steps, truth);
            }
        }
    }
}

#[test]
fn scan_sets_right_what_lost_records_left_wrong() {
    let mut table = begun();
    let init = || proc_facts(1, 0, 0, "init\0");
    for step in [forked(), execed(5, "ls\0-a\0")] {
        let Tells(record) = step else { return };
        table.apply(&record);
    }
    let before = table.get(20, START).unwrap().facts.clone();
    // It is as it was told, and the end of 10 was lost.
    table.reconcile(
        [init(), ProcessFacts { exe: before.exe.clone(), ..facts(20, "ls\0-a\0") }],
        START + 10,
    );
    assert_eq!(table.get(20, START).unwrap().facts, before);
    assert_eq!(table.find(10).unwrap().exited_ns, Some(START + 10));
    // An exec was lost; one before the scan is told late.
    table.reconcile([init(), facts(20, "vi\0")], START + 20);
    assert_eq!(cmdline(&table, 20).unwrap(), "vi");
    assert_eq!(table.get(20, START).unwrap().facts.start_ns, START);
    let Tells(late) = execed(15, "late\0") else { return };
    table.apply(&late);
    assert_eq!(cmdline(&table, 20).unwrap(), "vi");
    // What was told since it began wins over the scan.
    let Tells(newer) = execed(40, "newer\0") else { return };
    table.apply(&newer);
    table.reconcile([init(), facts(20, "vi\0")], START + 30);
    assert_eq!(cmdline(&table, 20).unwrap(), "newer");
    table.reconcile([init()], START + 40);
    assert_eq!(table.find(20).unwrap().exited_ns, None);
    table.reconcile([init()], START + 41);
    assert_eq!(table.find(20).unwrap().exited_ns, Some(START + 41));
    assert_eq!(table.find(1).unwrap().exited_ns, None);
}
