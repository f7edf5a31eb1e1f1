//! The tenant at the other end of an act on a process: whoever is sent a signal, traced
//! or read.

use super::places::Places;
use crate::event::Record;
use crate::process::{Process, Table};
use crate::rules::event_type::EventType;

/// The tenant of the process that an event acts on; `None` of other events, and when
/// the process is not known.
pub(super) fn of<'a>(
    record: &Record<'_>,
    event_type: EventType,
    table: &'a Table,
    places: &'a Places,
) -> Option<&'a str> {
    let target = match event_type.name() {
        "kill" | "tkill" | "tgkill" | "process_vm_readv" | "process_vm_writev" => 0,
        "ptrace" => 1,
        _ => return None,
    };
    // Negative ones are groups, 0 is the own one.
    let pid = u32::try_from(record.head.args[target]).ok().filter(|pid| *pid > 0)?;
    let actor = table.get(record.head.tgid, record.head.start_ns)?;
    let target = find(pid, actor, table)?;
    Some(&places.get(target.facts.cgroup).tenant)
}

/// The process that has an id in the pid namespace of another.
fn find<'a>(pid: u32, actor: &Process, table: &'a Table) -> Option<&'a Process> {
    let namespace = actor.facts.task.pid_namespace;
    let outside = actor.facts.task.vpid == actor.facts.pid;
    if outside {
        return table.find(pid);
    }
    let inside = |facts: &crate::process::ProcessFacts| {
        facts.task.pid_namespace == namespace && facts.task.vpid == pid
    };
    let found = table.snapshot().filter(|facts| inside(facts)).last()?;
    table.get(found.pid, found.start_ns)
}
