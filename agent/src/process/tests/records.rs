//! What each kind of record changes.

use super::{call, cmdline, exec, exit, fork, head, named, part, pids, proc_facts, session, table};
use crate::event::{FileFacts, RecordKind};
use crate::process::{Applied, Table};

/// 1 init → 10 sh → 11, made at those times.
fn family() -> Table {
    let mut table = table();
    table.insert(proc_facts(1, 0, 0, "init\0"));
    table.apply(&fork(10, 10, 1));
    table.apply(&exec(head(10, 10, 1, 15), "sh", "sh\0-l\0", "/bin/sh"));
    table.apply(&fork(11, 20, 10));
    table
}

#[test]
fn fork_runs_what_its_maker_ran() {
    let table = family();
    let (parent, child) = (table.find(10).unwrap(), table.find(11).unwrap());
    assert_eq!(child.facts.argv, parent.facts.argv);
    assert!(std::sync::Arc::ptr_eq(&child.facts.argv, &parent.facts.argv));
    assert_eq!((&*child.facts.exe, &*child.facts.cwd), (&b"/bin/sh"[..], &b"/work"[..]));
    // The name is that of the thread that made it.
    assert_eq!(child.cmdline(), b"name -l");
    assert_eq!((child.facts.start_ns, child.facts.exec_ns), (20, 20));
    assert_eq!(pids(table.ancestors(child)), [10, 1]);
}

#[test]
fn sibling_runs_what_its_maker_ran() {
    let mut table = family();
    let mut sibling = fork(12, 30, 1);
    sibling.head.args[0] = 10;
    table.apply(&sibling);
    let process = table.find(12).unwrap();
    assert_eq!((&*process.facts.exe, process.facts.parent), (&b"/bin/sh"[..], 1));
}

#[test]
fn exec_replaces_the_program_and_keeps_the_rest() {
    let mut table = family();
    let mut record = exec(head(11, 20, 10, 25), "ls", "ls\0-a\0", "/bin/ls");
    let task = crate::event::TaskFacts { exec_flags: 1, ..session(10, 11) };
    (record.cwd, record.task) = (None, Some(task));
    record.file = Some(FileFacts { ino: 9, ..FileFacts::default() });
    assert_eq!(table.apply(&record), Applied::Known);
    let process = table.find(11).unwrap();
    assert_eq!(process.cmdline(), b"ls -a");
    assert_eq!((&*process.facts.exe, &*process.facts.cwd), (&b"/bin/ls"[..], &b"/work"[..]));
    assert_eq!((process.facts.exec_ns, process.facts.task), (25, task));
    assert_eq!(process.facts.file.map(|file| file.ino), Some(9));

    // What the next one lacks is not that of the program before.
    let mut record = exec(head(11, 20, 10, 26), "x", "", "");
    (record.argv, record.exe) = (None, None);
    table.apply(&record);
    let process = table.find(11).unwrap();
    assert_eq!((&*process.facts.argv, &*process.facts.exe), (&b""[..], &b""[..]));
    assert_eq!((process.cmdline(), process.facts.file), (&b"x"[..], None));
}

#[test]
fn removed_program_is_marked() {
    let mut table = family();
    let mut record = exec(head(11, 20, 10, 25), "x", "x\0", "/tmp/x");
    record.exe = Some(crate::event::Part { deleted: true, ..part(b"/tmp/x") });
    table.apply(&record);
    assert!(table.find(11).unwrap().facts.exe_deleted);
    table.apply(&exec(head(11, 20, 10, 26), "y", "y\0", "/tmp/y"));
    assert!(!table.find(11).unwrap().facts.exe_deleted);
}

#[test]
fn calls_change_directory_session_name_parent_and_user() {
    let mut table = family();
    let mut record = call(named(head(11, 20, 1, 30), "worker"));
    record.cwd = Some(part(b"/tmp"));
    record.task = Some(session(11, 11));
    record.head.uid = 0;
    record.head.cgroup = 8;
    assert_eq!(table.apply(&record), Applied::Known);
    let facts = &table.find(11).unwrap().facts;
    assert_eq!((&*facts.comm, &*facts.cwd), (&b"worker"[..], &b"/tmp"[..]));
    assert_eq!((facts.parent, facts.uid, facts.cgroup, facts.task.sid), (1, 0, 8, 11));
    assert_eq!(cmdline(&table, 11).unwrap(), "worker -l");

    // What an earlier one tells is no news.
    table.apply(&call(named(head(11, 20, 10, 29), "early")));
    let facts = &table.find(11).unwrap().facts;
    assert_eq!((&*facts.comm, facts.parent), (&b"worker"[..], 1));
}

#[test]
fn threads_do_not_speak_for_the_name_and_user_of_their_process() {
    let mut table = family();
    let mut record = call(named(head(11, 20, 10, 30), "helper"));
    record.head.tid = 12;
    record.head.uid = 0;
    record.cwd = Some(part(b"/tmp"));
    let thread = crate::event::TaskFacts { vtid: 12, mount_namespace: 5, ..session(10, 11) };
    record.task = Some(thread);
    table.apply(&record);
    let facts = &table.find(11).unwrap().facts;
    assert_eq!((&*facts.comm, facts.uid, &*facts.cwd), (&b"name"[..], 1000, &b"/tmp"[..]));
    assert_eq!((facts.task.vtid, facts.task.mount_namespace, facts.task.sid), (11, 0, 10));

    // Nor of one that was not known: its name is its main thread's.
    let mut record = call(named(head(50, 20, 10, 30), "helper"));
    record.head.tid = 51;
    assert_eq!(table.apply(&record), Applied::Unknown(50, 20));
    assert_eq!(&*table.find(50).unwrap().facts.comm, b"");
    table.insert(proc_facts(50, 20, 10, "java\0-jar\0"));
    assert_eq!(cmdline(&table, 50).unwrap(), "java -jar");
}

#[test]
fn unknown_processes_and_parents_are_asked_for_once() {
    let mut table = table();
    assert_eq!(table.apply(&call(head(5, 50, 4, 60))), Applied::Unknown(5, 50));
    assert_eq!(table.apply(&call(head(5, 50, 4, 61))), Applied::Known);
    assert_eq!(table.insert(proc_facts(5, 50, 4, "sh\0-c\0")), Applied::Orphan(4));
    assert_eq!(table.insert(proc_facts(4, 40, 1, "sshd\0")), Applied::Orphan(1));
    assert_eq!(table.insert(proc_facts(1, 0, 0, "init\0")), Applied::Known);
    let process = table.find(5).unwrap();
    assert_eq!(pids(table.ancestors(process)), [4, 1]);
    assert_eq!(process.cmdline(), b"name -c");
    // A fork of a process that is not known.
    assert_eq!(table.apply(&fork(8, 90, 7)), Applied::Unknown(8, 90));
    // An exec tells all but the parent.
    assert_eq!(table.apply(&exec(head(9, 90, 7, 95), "ls", "ls\0", "/bin/ls")), Applied::Orphan(7));
    // A new parent.
    assert_eq!(table.apply(&call(head(9, 90, 6, 96))), Applied::Orphan(6));
    assert_eq!(table.apply(&call(head(9, 90, 1, 97))), Applied::Known);
    assert_eq!(table.stats().unknown_total, 2);
}

#[test]
fn ids_that_are_given_again_are_told_apart() {
    let mut table = family();
    table.apply(&fork(11, 500, 1));
    assert_eq!(table.get(11, 20).unwrap().exited_ns, Some(500));
    assert_eq!(table.find(11).unwrap().facts.start_ns, 500);
    // A late record of the one before does not bring it back.
    assert_eq!(table.apply(&call(named(head(11, 20, 10, 400), "late"))), Applied::Known);
    assert_eq!(table.get(11, 20).unwrap().exited_ns, Some(500));
    assert_eq!(table.apply(&call(head(11, 19, 10, 400))), Applied::Known);
    assert_eq!(table.get(11, 19).unwrap().exited_ns, Some(20));
    assert_eq!(table.find(11).unwrap().facts.start_ns, 500);
    // A child of the first is no child of the second.
    table.apply(&fork(12, 400, 11));
    assert_eq!(table.parent(table.find(12).unwrap()).unwrap().facts.start_ns, 20);
    table.apply(&fork(13, 600, 11));
    assert_eq!(table.parent(table.find(13).unwrap()).unwrap().facts.start_ns, 500);
}

#[test]
fn ancestors_stop_where_they_are_not_known_and_in_rings() {
    #[track_caller]
    fn check(parents: &[(u32, u32)], pid: u32, expected: &[u32]) {
        let mut table = table();
        for &(pid, parent) in parents {
            table.apply(&call(head(pid, 5, parent, 10)));
        }
        assert_eq!(pids(table.ancestors(table.find(pid).unwrap())), expected);
        let nth = |nth| table.ancestor(table.find(pid).unwrap(), nth).map(|it| it.facts.pid);
        assert_eq!(nth(0), Some(pid));
        assert_eq!(nth(1), expected.first().copied());
        assert_eq!(nth(expected.len() + 1), None);
    }
    check(&[(5, 4)], 5, &[]);
    check(&[(1, 0)], 1, &[]);
    check(&[(5, 5)], 5, &[]);
    check(&[(5, 4), (4, 5)], 5, &[4]);
    check(&[(5, 4), (4, 1), (1, 0)], 5, &[4, 1]);
    let ring: Vec<_> = [4, 3].iter().copied().cycle().take(64).collect();
    check(&[(5, 4), (4, 3), (3, 4)], 5, &ring);
    let line: Vec<_> = (1..=100).map(|pid| (pid, pid - 1)).collect();
    check(&line, 100, &(36..100).rev().collect::<Vec<_>>());
}

#[test]
fn leaders_are_found_by_id_or_else_among_the_ancestors() {
    let mut table = family();
    let with_session = |table: &mut Table, pid, start, parent, sid| {
        let mut record = call(head(pid, start, parent, 1000));
        record.task = Some(session(sid, pid));
        table.apply(&record);
    };
    let leader = |table: &Table, pid| {
        let process = table.find(pid).unwrap();
        let leaders = [table.session_leader(process), table.group_leader(process)];
        leaders.map(|leader| leader.map(|it| it.facts.pid))
    };
    assert_eq!(leader(&table, 11), [None; 2]);
    with_session(&mut table, 10, 10, 1, 10);
    with_session(&mut table, 11, 20, 10, 10);
    assert_eq!(leader(&table, 10), [Some(10); 2]);
    assert_eq!(leader(&table, 11), [Some(10); 2]);
    // Its leader is gone; 10 is the highest ancestor of the session.
    with_session(&mut table, 10, 10, 1, 9);
    with_session(&mut table, 11, 20, 10, 9);
    assert_eq!(leader(&table, 11), [Some(10); 2]);
    // Who leads has another session by now.
    with_session(&mut table, 11, 20, 10, 10);
    assert_eq!(leader(&table, 11), [Some(11); 2]);
}

#[test]
fn first_process_of_a_namespace_is_found() {
    let mut table = family();
    let mut record = fork(100, 700, 10);
    record.task = Some(crate::event::TaskFacts { pid_namespace: 77, ..session(1, 1) });
    table.apply(&record);
    assert_eq!(table.init_of(77).unwrap().facts.pid, 100);
    assert!(table.init_of(78).is_none());
    table.apply(&exit(100, 700, 10, 800));
    assert_eq!(table.init_of(77).unwrap().exited_ns, Some(800));
    table.sweep(800 + super::super::room::GRACE_NS + 1);
    assert!(table.init_of(77).is_none());
}

#[test]
fn records_of_the_idle_loop_are_left_alone() {
    let mut table = table();
    for kind in [RecordKind::Fork, RecordKind::Exec, RecordKind::Exit, RecordKind::IoUring] {
        let record = crate::event::Record::empty(head(0, 0, 0, 1), kind);
        assert_eq!(table.apply(&record), Applied::Known);
    }
    assert_eq!(table.stats().processes, 0);
}

#[test]
fn snapshot_is_in_order_of_starts_and_makes_the_same_table() {
    let table = family();
    let facts: Vec<_> = table.snapshot().cloned().collect();
    assert_eq!(facts.iter().map(|facts| facts.pid).collect::<Vec<_>>(), [1, 10, 11]);
    let mut again = super::table();
    for facts in facts.iter().rev().cloned() {
        again.insert(facts);
    }
    assert!(again.snapshot().eq(&facts));
    assert_eq!(cmdline(&again, 10).unwrap(), "sh -l");
}
