//! Records → table: what each kind of record changes.
//!
//! It reads nothing but the record and the table.

use std::sync::Arc;

use super::table::{Applied, Key, Table};
use super::{Process, ProcessFacts};
use crate::event::{Part, Record, RecordKind, TaskFacts};

impl Table {
    /// Takes in what a record tells of its process.
    pub fn apply(&mut self, record: &Record<'_>) -> Applied {
        // Process 0 is the idle loop of each CPU.
        if record.head.tgid == 0 {
            return Applied::Known;
        }
        self.turn += 1;
        if matches!(record.kind, RecordKind::Syscall | RecordKind::IoUring) && self.touch(record) {
            return Applied::Known;
        }
        let applied = match record.kind {
            RecordKind::Fork => self.fork(record),
            RecordKind::Exec => self.exec(record),
            RecordKind::Exit => self.exit(record),
            RecordKind::Syscall | RecordKind::IoUring => self.call(record),
        };
        self.make_room();
        applied
    }

    fn fork(&mut self, record: &Record<'_>) -> Applied {
        let head = &record.head;
        // Who made it is not its parent if it asked for a sibling.
        let maker = u32::try_from(head.args[0]).ok().filter(|maker| *maker != 0);
        let named = |pid| self.began_before(pid, head.start_ns);
        let maker = maker.and_then(named).or_else(|| named(head.parent));
        let maker = maker.filter(|maker| maker.facts.pid != head.tgid);
        let Some(key) = self.key(head.tgid, head.start_ns) else {
            let mut process = first_met(record);
            process.inherit(maker, record);
            process.take_head(record);
            let is_bare = process.is_bare();
            let key = self.enter(process);
            return if is_bare { self.unknown(key) } else { self.parentage(key) };
        };
        let maker = maker.cloned();
        let key = self.adopt(key, head.start_ns);
        self.change(key, |process| {
            // What `/proc` told of a living process is later than its fork.
            if process.is_bare() {
                process.inherit(maker.as_ref(), record);
            }
            process.take_head(record);
        });
        self.parentage(key)
    }

    fn exec(&mut self, record: &Record<'_>) -> Applied {
        let (key, _) = self.meet(record);
        self.change(key, |process| process.exec(record));
        self.parentage(key)
    }

    fn exit(&mut self, record: &Record<'_>) -> Applied {
        // Even one that was not known leaves a trace, so that facts which were read
        // while it lived do not raise it.
        let (key, _) = self.meet(record);
        self.change(key, |process| {
            process.take_head(record);
            process.end(record.head.time_ns);
            // Seldom asked for any more, and cheapest to free while it is at hand.
            process.free_texts();
        });
        Applied::Known
    }

    /// Most calls change nothing; then one look at the table is enough.
    fn touch(&mut self, record: &Record<'_>) -> bool {
        let head = &record.head;
        let Some(process) = self.processes.get_mut((head.tgid, head.start_ns)) else {
            return false;
        };
        if !process.tells_nothing_new(record) {
            return false;
        }
        process.touched = self.turn;
        process.seen_ns = process.seen_ns.max(head.time_ns);
        true
    }

    fn call(&mut self, record: &Record<'_>) -> Applied {
        let (key, is_new) = self.meet(record);
        let before = self.processes.get(key).map(|process| process.facts.parent);
        self.change(key, |process| process.take_head(record));
        if is_new {
            self.unknown(key)
        } else if before != Some(record.head.parent) {
            self.parentage(key)
        } else {
            Applied::Known
        }
    }

    /// The process of a record. If it is new, only what the head tells is known of it.
    fn meet(&mut self, record: &Record<'_>) -> (Key, bool) {
        let head = &record.head;
        if let Some(key) = self.key(head.tgid, head.start_ns) {
            return (self.adopt(key, head.start_ns), false);
        }
        let mut process = first_met(record);
        process.take_head(record);
        (self.enter(process), true)
    }

    fn unknown(&mut self, key: Key) -> Applied {
        // One that ended is not in `/proc`.
        if self.processes.get(key).is_some_and(|process| process.exited_ns.is_some()) {
            return Applied::Known;
        }
        self.unknown_total += 1;
        Applied::Unknown(key.0, key.1)
    }
}

impl Process {
    /// Notes the end; the first one counts.
    pub(super) fn end(&mut self, time_ns: u64) {
        self.exited_ns.get_or_insert(time_ns);
    }

    /// True when a record of a call changes nothing.
    fn tells_nothing_new(&self, record: &Record<'_>) -> bool {
        let (facts, head) = (&self.facts, &record.head);
        let is_main = head.tid == head.tgid;
        let same_of_main = *facts.comm == *record.comm()
            && (facts.uid, facts.gid) == (head.uid, head.gid)
            && (facts.loginuid, facts.cgroup) == (head.loginuid, head.cgroup);
        head.time_ns < self.seen_ns
            || ((!is_main || same_of_main)
                && facts.parent == head.parent
                && record.cwd.is_none_or(|cwd| *facts.cwd == *cwd.bytes)
                && record.task.is_none_or(|task| facts.task == merged(facts.task, task, record)))
    }

    /// Takes what any record tells, unless a later one was there before.
    fn take_head(&mut self, record: &Record<'_>) {
        let head = &record.head;
        if head.time_ns < self.seen_ns {
            return;
        }
        self.seen_ns = head.time_ns;
        self.facts.parent = head.parent;
        if head.tid == head.tgid {
            // Other threads have names, and may have credentials, of their own.
            self.take_comm(record.comm());
            self.facts.uid = head.uid;
            self.facts.gid = head.gid;
            self.facts.loginuid = head.loginuid;
            self.facts.cgroup = head.cgroup;
        }
        if let Some(cwd) = record.cwd {
            self.facts.cwd = shared(&self.facts.cwd, cwd.bytes);
        }
        if let Some(task) = record.task {
            self.facts.task = merged(self.facts.task, task, record);
        }
    }

    fn take_comm(&mut self, comm: &[u8]) {
        if *self.facts.comm != *comm {
            self.facts.comm = comm.into();
            self.lines = Arc::default();
        }
    }

    /// A fork runs what its maker ran.
    fn inherit(&mut self, maker: Option<&Self>, record: &Record<'_>) {
        if let Some(maker) = maker {
            let (facts, from) = (&mut self.facts, &maker.facts);
            facts.comm = Arc::clone(&from.comm);
            facts.argv = Arc::clone(&from.argv);
            facts.envp = Arc::clone(&from.envp);
            facts.exe = Arc::clone(&from.exe);
            facts.exe_deleted = from.exe_deleted;
            facts.file = from.file;
            if facts.cwd.is_empty() {
                facts.cwd = Arc::clone(&from.cwd);
            }
            let on_host = from.task.vpid == from.pid;
            let own = if on_host { facts.pid } else { 0 };
            let mut task = TaskFacts { vpid: own, vtid: own, ..from.task };
            if facts.task != TaskFacts::default() {
                task = TaskFacts { exec_flags: from.task.exec_flags, ..facts.task };
            }
            facts.task = task;
            self.lines = Arc::clone(&maker.lines);
        }
        self.take_program(record, false);
    }

    fn exec(&mut self, record: &Record<'_>) {
        // A recording may begin with facts that are later than its first records.
        let is_news = record.head.time_ns >= self.facts.exec_ns;
        self.take_head(record);
        if !is_news {
            return;
        }
        self.facts.exec_ns = record.head.time_ns;
        self.lines = Arc::default();
        self.take_program(record, true);
        if let Some(task) = record.task {
            self.facts.task.exec_flags = task.exec_flags;
        }
    }

    /// Takes the parts that tell the program. In an exec, what is missing was not to be
    /// had, and that of the program before would be wrong.
    fn take_program(&mut self, record: &Record<'_>, is_exec: bool) {
        let facts = &mut self.facts;
        let set = |text: &mut Arc<[u8]>, part: Option<Part<'_>>| match part {
            Some(part) => *text = shared(text, part.bytes),
            None if is_exec => *text = Arc::default(),
            None => {}
        };
        set(&mut facts.argv, record.argv);
        set(&mut facts.envp, record.envp);
        set(&mut facts.exe, record.exe);
        if is_exec || record.exe.is_some() {
            facts.exe_deleted = record.exe.is_some_and(|exe| exe.deleted);
        }
        if is_exec || record.file.is_some() {
            facts.file = record.file;
        }
        if record.argv.is_some() || record.envp.is_some() {
            self.lines = Arc::default();
        }
    }

    /// Takes what is missing from facts of the same process.
    pub(super) fn fill(&mut self, from: ProcessFacts) {
        let facts = &mut self.facts;
        let is_later = from.exec_ns > facts.exec_ns;
        if is_later && from.exec_ns >= self.seen_ns {
            self.seen_ns = from.exec_ns;
            self.lines = Arc::default();
            *facts = ProcessFacts { start_ns: facts.start_ns, ..from };
            return;
        }
        if facts.argv.is_empty() && facts.exe.is_empty() || is_later {
            if facts.comm.is_empty() || is_later {
                facts.comm = from.comm;
            }
            facts.argv = from.argv;
            facts.envp = from.envp;
            facts.exe = from.exe;
            facts.exe_deleted = from.exe_deleted;
            facts.file = from.file;
            facts.exec_ns = facts.exec_ns.max(from.exec_ns);
            facts.task.exec_flags = from.task.exec_flags;
            self.lines = Arc::default();
        }
        if facts.cwd.is_empty() {
            facts.cwd = from.cwd;
        }
        if (TaskFacts { exec_flags: 0, ..facts.task }) == TaskFacts::default() {
            facts.task = TaskFacts { exec_flags: facts.task.exec_flags, ..from.task };
        }
    }
}

/// A process of which only the record is known that told of it first.
fn first_met(record: &Record<'_>) -> Process {
    let head = &record.head;
    Process::new(ProcessFacts {
        pid: head.tgid,
        start_ns: head.start_ns,
        exec_ns: head.start_ns,
        uid: head.uid,
        gid: head.gid,
        loginuid: head.loginuid,
        cgroup: head.cgroup,
        parent: head.parent,
        ..ProcessFacts::default()
    })
}

/// A text that is the same as before stays where it is, as others may share it.
fn shared(before: &Arc<[u8]>, bytes: &[u8]) -> Arc<[u8]> {
    if **before == *bytes { Arc::clone(before) } else { bytes.into() }
}

/// The task of a process after one of its threads told its own.
fn merged(before: TaskFacts, told: TaskFacts, record: &Record<'_>) -> TaskFacts {
    let is_main = record.head.tid == record.head.tgid;
    // A thread may have entered another mount namespace than its process.
    let mount_namespace = if is_main { told.mount_namespace } else { before.mount_namespace };
    TaskFacts { vtid: told.vpid, mount_namespace, exec_flags: before.exec_flags, ..told }
}
