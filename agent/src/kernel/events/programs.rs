//! The programs that make records: which there are, where they go, in what order.

use std::os::fd::AsFd;

use aya::{Btf, Ebpf, maps::ProgramArray, programs::links::FdLink};
use landlord_ebpf::abi::stage;

use crate::kernel::{
    KernelError,
    hooks::{self, Place},
};

/// The table of the programs that handle a wanted call.
pub(super) const CALLS: &str = "JUMP_EVENT";
/// The table of the programs that handle a change of program.
pub(super) const EXECS: &str = "JUMP_EXEC";

/// A program that others jump to.
struct Stage {
    name: &'static str,
    table: &'static str,
    index: u32,
    place: Place,
}

const fn call(name: &'static str, index: u32) -> Stage {
    Stage { name, table: CALLS, index, place: Place::Typed("sys_exit") }
}

const fn exec(name: &'static str, index: u32) -> Stage {
    Stage { name, table: EXECS, index, place: Place::Typed("sched_process_exec") }
}

/// The last first: nobody jumps to a program whose successors are missing.
const STAGES: &[Stage] = &[
    call("event_finish", stage::FINISH),
    call("event_judge", stage::JUDGE),
    call("event_socket", stage::SOCKET),
    call("event_paths", stage::PATHS),
    call("event_walk", stage::WALK),
    call("event_any_file", stage::ANY_FILE),
    call("event_file", stage::FILE),
    call("event_begin", stage::BEGIN),
    exec("exec_finish", 1),
    exec("exec_walk", 0),
];

/// What is attached.
const ATTACHED: &[(&str, Place)] = &[
    ("event_exit", Place::Typed("sched_process_exit")),
    ("event_exec", Place::Typed("sched_process_exec")),
    ("event_fork", Place::Typed("sched_process_fork")),
];

/// What submissions to `io_uring` go through, and where that is: the present name of
/// the tracepoint, and the one before 6.3. A kernel may have neither.
const URING: &str = "event_uring";
const SUBMISSIONS: [&str; 2] = ["io_uring_submit_req", "io_uring_submit_sqe"];

/// What tells of connections.
const CONNECTIONS: (&str, Place) = ("event_connection", Place::Typed("inet_sock_set_state"));

/// Verifies all programs, fills the tables, and attaches what stands by itself.
/// Without a wanted call nothing of the rest runs.
pub(super) fn start(
    ebpf: &mut Ebpf,
    btf: &Btf,
    root: impl AsFd,
) -> Result<Vec<FdLink>, KernelError> {
    for stage in STAGES {
        stage.install(ebpf, btf)?;
    }
    let mut links = Vec::with_capacity(ATTACHED.len());
    for (name, place) in ATTACHED {
        links.push(attach(ebpf, btf, &root, name, *place)?);
    }
    links.extend(submissions(ebpf, btf, &root)?);
    Ok(links)
}

/// Begins to tell of connections: of those that are established from now on.
pub(super) fn start_connections(
    ebpf: &mut Ebpf,
    btf: &Btf,
    root: impl AsFd,
) -> Result<FdLink, KernelError> {
    let (name, place) = CONNECTIONS;
    attach(ebpf, btf, root, name, place)
}

/// Verifies a program and attaches it.
fn attach(
    ebpf: &mut Ebpf,
    btf: &Btf,
    root: impl AsFd,
    name: &'static str,
    place: Place,
) -> Result<FdLink, KernelError> {
    let program = ebpf.program_mut(name).ok_or(KernelError::Incomplete(name))?;
    hooks::load(program, place, btf).map_err(KernelError::program(name))?;
    let link = hooks::attach(program, place, root).map_err(KernelError::program(name))?;
    link.ok_or(KernelError::Incomplete("links: this kernel is older than 5.7"))
}

/// Attaches to submissions to `io_uring`, if this kernel tells them.
fn submissions(ebpf: &mut Ebpf, btf: &Btf, root: impl AsFd) -> Result<Option<FdLink>, KernelError> {
    let program = ebpf.program_mut(URING).ok_or(KernelError::Incomplete(URING))?;
    hooks::load(program, Place::Raw(SUBMISSIONS[0]), btf).map_err(KernelError::program(URING))?;
    for name in SUBMISSIONS {
        if let Ok(link) = hooks::attach(program, Place::Raw(name), &root) {
            return Ok(link);
        }
    }
    tracing::info!("this kernel does not tell what is submitted to io_uring");
    Ok(None)
}

impl Stage {
    fn install(&self, ebpf: &mut Ebpf, btf: &Btf) -> Result<(), KernelError> {
        let Self { name, table, index, place } = *self;
        let program = ebpf.program_mut(name).ok_or(KernelError::Incomplete(name))?;
        hooks::load(program, place, btf).map_err(KernelError::program(name))?;
        let fd = program.fd().map_err(KernelError::program(name))?.try_clone();
        let fd =
            fd.map_err(|error| KernelError::io("duplicating a program's descriptor", error))?;
        let map = ebpf.map_mut(table).ok_or(KernelError::Incomplete(table))?;
        let mut table_of = ProgramArray::try_from(map).map_err(KernelError::map(table))?;
        table_of.set(index, &fd, 0).map_err(KernelError::map(table))
    }
}
