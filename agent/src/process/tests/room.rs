//! Bounds: how long ended processes stay, and who leaves when there is no room.

use super::{call, cmdline, exec, exit, fork, head, pids, proc_facts, table};
use crate::process::room::GRACE_NS;
use crate::process::{Limits, Table};

#[test]
fn ended_processes_stay_for_a_while_or_as_long_as_one_descends_from_them() {
    let mut table = table();
    table.insert(proc_facts(1, 0, 0, "init\0"));
    for (pid, parent) in [(10, 1), (11, 10), (12, 11), (20, 1), (21, 20)] {
        table.apply(&fork(pid, u64::from(pid), parent));
    }
    for (pid, parent) in [(10, 1), (11, 10), (20, 1), (21, 20)] {
        table.apply(&exit(pid, u64::from(pid), parent, 1000));
    }
    table.sweep(1000 + GRACE_NS);
    assert_eq!((table.stats().processes, table.stats().ended), (6, 4));
    table.sweep(1001 + GRACE_NS);
    assert_eq!((table.stats().processes, table.stats().ended), (4, 2));
    assert_eq!(pids(table.ancestors(table.find(12).unwrap())), [11, 10, 1]);
    // The kernel has given it another parent.
    table.apply(&call(head(12, 12, 1, 2000)));
    table.sweep(1001 + GRACE_NS);
    assert_eq!(table.stats().processes, 2);
}

#[test]
fn many_short_processes_leave_nothing_behind() {
    let mut table = table();
    let (mut time, mut pid) = (0, 100);
    while pid < 10_100 {
        // Each makes the next, eight deep, then they end from the last.
        for depth in 0..8 {
            let parent = if depth == 0 { 1 } else { pid + depth - 1 };
            let (pid, start) = (pid + depth, time + u64::from(depth));
            table.apply(&fork(pid, start, parent));
            table.apply(&exec(head(pid, start, parent, start), "sh", "sh\0-c\0true\0", "/bin/sh"));
        }
        for depth in (0..8).rev() {
            let parent = if depth == 0 { 1 } else { pid + depth - 1 };
            table.apply(&exit(pid + depth, time + u64::from(depth), parent, time + 100));
        }
        (pid, time) = (pid + 8, time + 1_000_000);
    }
    assert_eq!((table.stats().processes, table.stats().evicted_total), (10_000, 0));
    table.sweep(time + GRACE_NS + 1);
    assert_eq!((table.stats().processes, table.stats().bytes), (0, 0));
}

#[test]
fn limits_hold_and_living_parents_stay_longest() {
    let limits = Limits { max_processes: 32, ..Limits::default() };
    let mut table = Table::new(limits);
    table.insert(proc_facts(1, 0, 0, "init\0"));
    table.apply(&fork(2, 2, 1));
    for pid in 3..=32 {
        table.apply(&fork(pid, u64::from(pid), 2));
    }
    table.apply(&exit(9, 9, 2, 40));
    table.apply(&call(head(3, 3, 2, 50)));
    assert_eq!((table.stats().processes, table.stats().evicted_total), (32, 0));
    // One ended: it goes first. Then the longest untouched, which 1, 2 and 3 are not.
    table.apply(&fork(40, 60, 2));
    assert_eq!((table.stats().processes, table.stats().evicted_total), (30, 3));
    for (pid, stays) in [(1, true), (2, true), (3, true), (4, false), (5, false), (6, true)] {
        assert_eq!(table.find(pid).is_some(), stays, "{pid}");
    }
    assert!(table.find(9).is_none() && table.find(40).is_some());
}

#[test]
fn limits_hold_for_rings_lines_and_single_processes() {
    #[track_caller]
    fn check(limits: Limits, parent_of: impl Fn(u32) -> u32, expected: usize) {
        let mut table = Table::new(limits);
        for pid in 1..=1000 {
            table.apply(&call(head(pid, 5, parent_of(pid), 10)));
            let stats = table.stats();
            assert!(stats.processes <= limits.max_processes && stats.bytes <= limits.max_bytes);
        }
        assert_eq!(table.stats().processes, expected);
        assert_eq!(table.stats().evicted_total, 1000 - expected as u64);
    }
    let few = |max_processes| Limits { max_processes, ..Limits::default() };
    check(few(0), |_| 0, 0);
    check(few(1), |_| 0, 1);
    check(few(160), |pid| pid - 1, 160);
    check(few(160), |pid| pid ^ 1, 160);
    check(Limits { max_bytes: 100, ..Limits::default() }, |_| 0, 0);
}

#[test]
fn shared_texts_count_once() {
    let mut table = table();
    let long = format!("sh\0{}\0", "x".repeat(4000));
    table.apply(&exec(head(1, 1, 0, 5), "name", &long, "/bin/sh"));
    let one = table.stats().bytes;
    assert!((12_000..14_000).contains(&one), "{one}");
    for pid in 2..=100 {
        table.apply(&fork(pid, u64::from(pid), 1));
    }
    let all = table.stats().bytes;
    assert!(all < one + 99 * 1000, "{all}");
    // The same program again: still the same texts.
    table.apply(&exec(head(2, 2, 1, 500), "name", &long, "/bin/sh"));
    assert!(table.stats().bytes < all + 10_000);
    table.apply(&exec(head(2, 2, 1, 501), "ls", "ls\0", "/bin/ls"));
    assert!(table.stats().bytes < all + 1000);
    assert_eq!(cmdline(&table, 2).unwrap(), "ls");
    for pid in 1..=100 {
        table.apply(&exit(pid, u64::from(pid), 1, 600));
    }
    table.sweep(601 + GRACE_NS);
    assert_eq!(table.stats().bytes, 0);
}
