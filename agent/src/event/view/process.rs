//! Who did it: `proc.…`.

use landlord_ebpf::abi::{FileFacts, Layer, TaskFacts, exec_flag};

use super::{View, filled};
use crate::container::Probe;
use crate::process::Process;
use crate::rules::event::{Argument, FieldRef};
use crate::rules::field::FieldId;
use crate::rules::value::Value;

pub(super) fn value<'v>(view: &'v View<'_>, field: &FieldRef, nth: usize) -> Option<Value<'v>> {
    match field.id {
        FieldId::ProcAargs => view.named_ancestor(field, nth).and_then(args),
        FieldId::ProcAcmdline => view.named_ancestor(field, nth).and_then(cmdline),
        FieldId::ProcAenv => view.ancestor_environment(field, nth),
        FieldId::ProcAexe => view.named_ancestor(field, nth).and_then(exe),
        FieldId::ProcAexepath => view.named_ancestor(field, nth).and_then(exepath),
        FieldId::ProcAname => view.named_ancestor(field, nth).and_then(name),
        FieldId::ProcApid => {
            let ancestor = view.named_ancestor(field, nth)?;
            Some(Value::Int(ancestor.facts.pid.into()))
        }
        FieldId::ProcPcmdline => view.parent().and_then(cmdline),
        FieldId::ProcPexe => view.parent().and_then(exe),
        FieldId::ProcPexepath => view.parent().and_then(exepath),
        FieldId::ProcPname => view.parent().and_then(name),
        FieldId::ProcPgidExe | FieldId::ProcVpgidExe => view.group_leader().and_then(exe),
        FieldId::ProcPgidExepath | FieldId::ProcVpgidExepath => {
            view.group_leader().and_then(exepath)
        }
        FieldId::ProcPgidName | FieldId::ProcVpgidName => view.group_leader().and_then(name),
        FieldId::ProcSidExe => view.session_leader().and_then(exe),
        FieldId::ProcSidExepath => view.session_leader().and_then(exepath),
        FieldId::ProcSname => view.session_leader().and_then(name),
        FieldId::ProcLoginshellid => {
            let shells = view.line().filter(|process| process.facts.comm.ends_with(b"sh"));
            shells.last().map(|shell| Value::Int(shell.facts.pid.into()))
        }
        id => texts(view, field).or_else(|| numbers(view, id)).or_else(|| program(view, id)),
    }
}

/// Texts of the process itself.
fn texts<'v>(view: &'v View<'_>, field: &FieldRef) -> Option<Value<'v>> {
    if field.id == FieldId::ProcName {
        return filled(view.name());
    }
    let process = view.around.process?;
    match (field.id, &field.argument) {
        (FieldId::ProcExe, _) => exe(process),
        (FieldId::ProcExepath, _) => exepath(process),
        (FieldId::ProcCmdline, _) => cmdline(process),
        (FieldId::ProcExeline, _) => known(process, process.exeline()),
        (FieldId::ProcArgs, Argument::Index(index)) => {
            process.arg(usize::try_from(*index).ok()?).map(Value::Text)
        }
        (FieldId::ProcArgs, _) => args(process),
        (FieldId::ProcEnv, Argument::Key(key)) => {
            process.env_value(key.as_bytes()).map(Value::Text)
        }
        (FieldId::ProcEnv, _) => filled(process.env()),
        (FieldId::ProcCwd, _) if !process.facts.cwd.is_empty() => {
            let compose = |out: &mut Vec<u8>| {
                out.extend_from_slice(&process.facts.cwd);
                if !out.ends_with(b"/") {
                    out.push(b'/');
                }
                true
            };
            view.texts.get(field.id, 0, compose).map(Value::Text)
        }
        _ => None,
    }
}

/// Its ids, times and counts.
fn numbers(view: &View<'_>, field: FieldId) -> Option<Value<'static>> {
    let head = &view.record.head;
    let uint = |value: u64| Some(Value::Uint(value));
    let id = |id: u32| (id != 0).then_some(Value::Int(id.into()));
    let flag = |value: bool| Some(Value::Bool(value));
    let since = |from: u64| Some(Value::Uint(head.time_ns.saturating_sub(from)));
    let parent = || view.parent().map(|parent| &parent.facts);
    match field {
        FieldId::ProcPid => Some(Value::Int(head.tgid.into())),
        FieldId::ProcPpid => id(parent().map_or(head.parent, |parent| parent.pid)),
        FieldId::ProcPvpid => id(parent()?.task.vpid),
        FieldId::ProcDuration => since(head.start_ns),
        FieldId::ProcPidTs => uint(view.unix_ns(head.start_ns)),
        FieldId::ProcPpidDuration => since(parent()?.start_ns),
        FieldId::ProcPpidTs => uint(view.unix_ns(parent()?.start_ns)),
        FieldId::ProcPidnsInitStartTs => view.namespace_start().map(Value::Uint),
        // As Falco has them: the session by the process' own numbers.
        FieldId::ProcSid => id(view.task()?.vsid),
        FieldId::ProcPgid => id(view.task()?.pgid),
        FieldId::ProcVpgid => id(view.task()?.vpgid),
        FieldId::ProcVpid => id(view.task()?.vpid),
        FieldId::ProcTty => uint(view.task()?.tty.into()),
        FieldId::ProcIsSidLeader => flag(view.task()?.vsid == view.task()?.vpid),
        FieldId::ProcIsVpgidLeader => flag(view.task()?.vpgid == view.task()?.vpid),
        FieldId::ProcIsPgidLeader => flag(view.task()?.pgid == head.tgid),
        FieldId::ProcCmdnargs => count(view.process_with_arguments()?.arguments().map(|_| 1)),
        FieldId::ProcCmdlenargs => {
            count(view.process_with_arguments()?.arguments().map(<[u8]>::len))
        }
        FieldId::ProcIsContainerHealthcheck => view.is_probe(Probe::Healthcheck).map(Value::Bool),
        FieldId::ProcIsContainerLivenessProbe => view.is_probe(Probe::Liveness).map(Value::Bool),
        FieldId::ProcIsContainerReadinessProbe => view.is_probe(Probe::Readiness).map(Value::Bool),
        // Threads, descriptors and memory are not counted.
        _ => None,
    }
}

/// The file of its program.
fn program(view: &View<'_>, field: FieldId) -> Option<Value<'static>> {
    let facts = &view.around.process?.facts;
    let file: FileFacts = facts.file?;
    let flag = |value: bool| Some(Value::Bool(value));
    let time = |value: u64| (value != 0).then_some(Value::Uint(value));
    let span = |from: u64, to: u64| to.checked_sub(from).filter(|_| from != 0).and_then(time);
    match field {
        FieldId::ProcExeIno => i64::try_from(file.ino).ok().filter(|ino| *ino != 0).map(Value::Int),
        FieldId::ProcExeInoCtime => time(file.ctime_ns),
        FieldId::ProcExeInoMtime => time(file.mtime_ns),
        FieldId::ProcExeInoCtimeDurationProcStart => {
            span(file.ctime_ns, view.unix_ns(view.record.head.start_ns))
        }
        FieldId::ProcExeInoCtimeDurationPidnsStart => span(view.namespace_start()?, file.ctime_ns),
        FieldId::ProcIsExeLowerLayer => flag(file.layer == Layer::Lower as u32),
        FieldId::ProcIsExeUpperLayer => flag(file.layer == Layer::Upper as u32),
        FieldId::ProcIsExeFromMemfd => flag(facts.task.exec_flags & exec_flag::MEMFD != 0),
        FieldId::ProcIsExeWritable => flag(facts.task.exec_flags & exec_flag::WRITABLE != 0),
        _ => None,
    }
}

impl<'a> View<'a> {
    /// Name of the process; that of the thread when the process is not known.
    pub(super) fn name(&self) -> &[u8] {
        self.around.process.map_or_else(|| self.record.comm(), |process| &process.facts.comm)
    }

    /// What does not change with every event: of this record, or as of the last exec.
    fn task(&self) -> Option<&TaskFacts> {
        let last = self.around.process.map(|process| &process.facts.task);
        self.record.task.as_ref().or(last)
    }

    fn session_leader(&self) -> Option<&'a Process> {
        self.around.processes.session_leader(self.around.process?)
    }

    fn group_leader(&self) -> Option<&'a Process> {
        self.around.processes.group_leader(self.around.process?)
    }

    /// When the first process of the pid namespace was made, nanoseconds since 1970.
    pub(super) fn namespace_start(&self) -> Option<u64> {
        let namespace = self.task().map(|task| task.pid_namespace).filter(|inode| *inode != 0)?;
        let init = self.around.processes.init_of(namespace)?;
        Some(self.unix_ns(init.facts.start_ns))
    }

    fn process_with_arguments(&self) -> Option<&'a Process> {
        self.around.process.filter(|process| !process.facts.argv.is_empty())
    }

    /// The ancestor that a field names, or the nth after the process itself.
    fn named_ancestor(&self, field: &FieldRef, nth: usize) -> Option<&'a Process> {
        match field.argument {
            Argument::Index(index) => self.ancestor(usize::try_from(index).ok()?),
            _ => self.ancestor(nth.checked_add(1)?),
        }
    }

    /// `proc.aenv`: of all ancestors, of one, or the nearest value of a variable.
    fn ancestor_environment(&self, field: &FieldRef, nth: usize) -> Option<Value<'_>> {
        let Argument::Key(key) = &field.argument else {
            return self.named_ancestor(field, nth).and_then(|it| filled(it.env()));
        };
        match key.parse() {
            Ok(number) => self.ancestor(number).and_then(|it| filled(it.env())),
            Err(_) => {
                let values = self.ancestors().iter().map(|it| it.env_value(key.as_bytes()));
                values.flatten().find(|value| !value.is_empty()).map(Value::Text)
            }
        }
    }

    /// True when the process, or one that it comes from in its container, was started
    /// with the command of that probe.
    fn is_probe(&self, probe: Probe) -> Option<bool> {
        let place = self.around.place;
        if place.container_id.is_none() {
            return Some(false);
        }
        let facts = place.facts.as_ref()?;
        let cgroup = self.record.head.cgroup;
        let mut commands = facts.probes.iter().filter(|(kind, _)| *kind == probe);
        Some(commands.any(|(_, command)| {
            let mut inside = self.line().take_while(|process| process.facts.cgroup == cgroup);
            inside.any(|process| process.exeline() == command.as_bytes())
        }))
    }
}

fn name(process: &Process) -> Option<Value<'_>> {
    filled(&process.facts.comm)
}

fn exe(process: &Process) -> Option<Value<'_>> {
    filled(process.exe())
}

fn exepath(process: &Process) -> Option<Value<'_>> {
    filled(&process.facts.exe)
}

fn args(process: &Process) -> Option<Value<'_>> {
    known(process, process.args())
}

fn cmdline(process: &Process) -> Option<Value<'_>> {
    filled(process.cmdline())
}

/// A text of the arguments, which may be empty where they are known.
fn known<'p>(process: &'p Process, text: &'p [u8]) -> Option<Value<'p>> {
    (!process.facts.argv.is_empty()).then_some(Value::Text(text))
}

fn count(counts: impl Iterator<Item = usize>) -> Option<Value<'static>> {
    u64::try_from(counts.sum::<usize>()).ok().map(Value::Uint)
}
