//! What is attached where, in one table, and how.

use std::{
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use aya::{
    Btf, Ebpf,
    maps::ProgramArray,
    pin::PinError,
    programs::{
        BtfTracePoint, CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, Program, ProgramError,
        RawTracePoint, links::FdLink,
    },
};

use super::KernelError;

/// A group of figures that this kernel can or cannot give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Time on a CPU.
    Cpu,
    /// Time in the run queue and who ran meanwhile (`CONFIG_SCHED_INFO`).
    CpuWait,
    /// System calls by number.
    Syscalls,
    /// Bytes and packets.
    Network,
    /// Births, deaths and moves.
    Cgroups,
    /// Counters that outlive the agent (bpffs).
    Pins,
    /// Events for rules.
    Events,
    /// Ends of connections, where they are asked for.
    Connections,
}

impl Feature {
    /// Value of the label `feature`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::CpuWait => "cpu_wait",
            Self::Syscalls => "syscalls",
            Self::Network => "network",
            Self::Cgroups => "cgroups",
            Self::Pins => "pins",
            Self::Events => "events",
            Self::Connections => "connections",
        }
    }
}

/// Where a hook sits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// A typed tracepoint.
    Typed(&'static str),
    /// A raw tracepoint.
    Raw(&'static str),
    /// Sockets of all cgroups.
    Sockets(CgroupSkbAttachType),
}

/// A stub, the table it jumps through, and the meter it reaches.
#[derive(Debug)]
pub(super) struct Hook {
    pub(super) stub: &'static str,
    pub(super) table: &'static str,
    pub(super) meter: &'static str,
    pub(super) place: Place,
}

const fn hook(stub: &'static str, table: &'static str, meter: &'static str, place: Place) -> Hook {
    Hook { stub, table, meter, place }
}

/// Births first, so that no cgroup is met before it can be named; the scheduler
/// last, because it is the busiest.
pub(super) const HOOKS: &[Hook] = &[
    hook("hook_mkdir", "JUMP_MKDIR", "meter_mkdir", Place::Raw("cgroup_mkdir")),
    hook("hook_rmdir", "JUMP_RMDIR", "meter_rmdir", Place::Raw("cgroup_rmdir")),
    hook("hook_attach", "JUMP_ATTACH", "meter_attach", Place::Raw("cgroup_attach_task")),
    hook("hook_egress", "JUMP_EGRESS", "meter_egress", Place::Sockets(CgroupSkbAttachType::Egress)),
    hook(
        "hook_ingress",
        "JUMP_INGRESS",
        "meter_ingress",
        Place::Sockets(CgroupSkbAttachType::Ingress),
    ),
    hook("hook_death", "JUMP_DEATH", "meter_death", Place::Typed("sched_process_exit")),
    hook("hook_exit", "JUMP_EXIT", "meter_exit", Place::Typed("sys_exit")),
    hook("hook_switch", "JUMP_SWITCH", "meter_switch", Place::Typed("sched_switch")),
];

impl Hook {
    /// Verifies the meter and makes it the one that the stub reaches. From here
    /// on, and in one step, a stub that is attached already jumps to it.
    pub(super) fn install_meter(&self, ebpf: &mut Ebpf, btf: &Btf) -> Result<(), KernelError> {
        self.load(ebpf, self.meter, btf)?;
        let program = ebpf.program(self.meter).ok_or(KernelError::Incomplete(self.meter))?;
        let fd = program
            .fd()
            .map_err(KernelError::program(self.meter))?
            .try_clone()
            .map_err(|error| KernelError::io("duplicating a program's descriptor", error))?;
        let map = ebpf.map_mut(self.table).ok_or(KernelError::Incomplete(self.table))?;
        let mut table = ProgramArray::try_from(map).map_err(KernelError::map(self.table))?;
        table.set(0, &fd, 0).map_err(KernelError::map(self.table))
    }

    /// Verifies and attaches the stub.
    pub(super) fn attach(
        &self,
        ebpf: &mut Ebpf,
        btf: &Btf,
        root: impl AsFd,
    ) -> Result<FdLink, KernelError> {
        self.load(ebpf, self.stub, btf)?;
        let program = ebpf.program_mut(self.stub).ok_or(KernelError::Incomplete(self.stub))?;
        attach(program, self.place, root).map_err(KernelError::program(self.stub))?.ok_or(
            // Unlinked attachment is what aya falls back to before 5.7.
            KernelError::Incomplete("links: this kernel is older than 5.7"),
        )
    }

    /// The stub that was just attached.
    pub(super) fn stub(&self, ebpf: &Ebpf) -> Result<OwnedFd, KernelError> {
        let program = ebpf.program(self.stub).ok_or(KernelError::Incomplete(self.stub))?;
        let fd = program.fd().map_err(KernelError::program(self.stub))?;
        fd.as_fd()
            .try_clone_to_owned()
            .map_err(|error| KernelError::io("duplicating a program's descriptor", error))
    }

    /// Pins the stub that was just attached.
    pub(super) fn pin_stub(&self, ebpf: &mut Ebpf, path: &Path) -> Result<(), PinError> {
        ebpf.program_mut(self.stub).map_or(Ok(()), |program| program.pin(path))
    }

    fn load(&self, ebpf: &mut Ebpf, name: &'static str, btf: &Btf) -> Result<(), KernelError> {
        let program = ebpf.program_mut(name).ok_or(KernelError::Incomplete(name))?;
        load(program, self.place, btf).map_err(KernelError::program(name))
    }
}

/// Verifies a program for its place.
pub(super) fn load(program: &mut Program, place: Place, btf: &Btf) -> Result<(), ProgramError> {
    match place {
        Place::Typed(tracepoint) => <&mut BtfTracePoint>::try_from(program)?.load(tracepoint, btf),
        Place::Raw(_) => <&mut RawTracePoint>::try_from(program)?.load(),
        Place::Sockets(_) => <&mut CgroupSkb>::try_from(program)?.load(),
    }
}

/// Attaches a program; `None` where the kernel has no links (before 5.7).
pub(super) fn attach(
    program: &mut Program,
    place: Place,
    root: impl AsFd,
) -> Result<Option<FdLink>, ProgramError> {
    match place {
        Place::Typed(_) => {
            let program = <&mut BtfTracePoint>::try_from(program)?;
            let link = program.attach()?;
            Ok(Some(program.take_link(link)?.into()))
        }
        Place::Raw(tracepoint) => {
            let program = <&mut RawTracePoint>::try_from(program)?;
            let link = program.attach(tracepoint)?;
            Ok(Some(program.take_link(link)?.into()))
        }
        Place::Sockets(direction) => {
            let program = <&mut CgroupSkb>::try_from(program)?;
            // A link of this kind shares the root with other programs whatever
            // the mode says; the explicit one is refused for links.
            let link = program.attach(root, direction, CgroupAttachMode::Single)?;
            Ok(program.take_link(link)?.try_into().ok())
        }
    }
}
