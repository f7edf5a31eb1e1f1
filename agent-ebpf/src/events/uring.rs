//! Requests handed to `io_uring`: what a process does through it makes no system
//! call that could be told.

use aya_ebpf::{
    helpers::bpf_get_current_cgroup_id, macros::raw_tracepoint, programs::RawTracePointContext,
};
use landlord_ebpf::abi::{DROPPED_KIND, DropCause, Head, REQUESTS, RecordKind};

use super::{
    bound::masked,
    finish::allowed,
    head,
    kernel::of_current_task,
    offsets as event, send,
    share::{Of, Standing},
};
use crate::{
    maps::{CALLS_RING, WANTED},
    slots::add,
    task::{Access, Task, Untyped},
};

/// What a request is.
#[derive(Clone, Copy)]
struct Request {
    opcode: u32,
    descriptor: u64,
    mark: u64,
    flags: u64,
}

/// `io_uring_submit_req(req)`, or what came before it.
#[raw_tracepoint(tracepoint = "io_uring_submit_req")]
fn event_uring(ctx: RawTracePointContext) -> i32 {
    let Some(counts) = send::counts() else { return 0 };
    // SAFETY: a map value.
    unsafe { add(&raw mut (*counts).uring, 1) };
    let opcode = match event::uring_layout() {
        1 => opcode(ctx.arg(0)),
        2 => opcode(ctx.arg(1)),
        3 => ctx.arg::<u64>(1) as u8,
        _ => return 0,
    };
    let opcode = u32::from(opcode);
    if !wanted(opcode) {
        return 0;
    }
    let unknown = u64::MAX;
    let request = match event::uring_layout() {
        1 => request(opcode, ctx.arg(0)),
        2 => request(opcode, ctx.arg(1)),
        _ => Request { opcode, descriptor: unknown, mark: ctx.arg(2), flags: 0 },
    };
    // SAFETY: the helper has no preconditions.
    let cgroup = unsafe { bpf_get_current_cgroup_id() };
    let what = RecordKind::IoUring as u32 | DROPPED_KIND;
    let slot = head::slot_of(cgroup);
    // SAFETY: any slot.
    if !unsafe { allowed(slot) } {
        send::lost(cgroup, what, DropCause::RateLimited);
        return 0;
    }
    let standing = Standing::of(&CALLS_RING);
    let bytes = size_of::<Head>() as u64;
    let mut entry = None;
    if standing.has_room(Of::Calls, slot, bytes) {
        entry = CALLS_RING.reserve_untyped::<Head>(0);
    }
    let Some(mut entry) = entry else {
        send::lost(cgroup, what, DropCause::RingFull);
        return 0;
    };
    let head = entry.as_mut_ptr();
    of_current_task!(fill(head, cgroup));
    // SAFETY: the record is the ring's until it is submitted, and every byte of it
    // is written; the counts are a map value.
    unsafe {
        (*head).len = size_of::<Head>() as u32;
        (*head).flags = head::place_flag(slot);
        (*head).syscall = request.opcode;
        (*head).result = 0;
        (*head).args = [request.descriptor, request.mark, request.flags, 0, 0, 0];
        (*head).verdict = [0; 2];
        entry.submit(send::wake(&standing));
        standing.charge(Of::Calls, slot, bytes);
        add(&raw mut (*counts).sent, 1);
    }
    0
}

/// True when requests of this kind are to be told.
#[inline(always)]
fn wanted(opcode: u32) -> bool {
    let Some(wanted) = WANTED.get_ptr(0) else { return false };
    // SAFETY: a map value, its index masked; volatile because the agent writes it.
    unsafe {
        let words = (&raw const (*wanted).requests).cast::<u64>();
        let word = words.add(masked::<{ REQUESTS / u64::BITS - 1 }>(opcode / u64::BITS));
        core::ptr::read_volatile(word) >> (opcode % u64::BITS) & 1 != 0
    }
}

#[inline(always)]
fn opcode(request: *const u8) -> u8 {
    if event::has_request() == 0 {
        return u8::MAX;
    }
    // SAFETY: offset resolved from BTF for an `io_kiocb`.
    unsafe { Untyped::word(request, event::request_opcode()) }
}

#[inline(always)]
fn request(opcode: u32, request: *const u8) -> Request {
    // SAFETY: offsets resolved from BTF for an `io_kiocb`.
    unsafe {
        let descriptor = match event::has_request_fd() {
            0 => u64::MAX,
            _ => u64::from(Untyped::word::<u32>(request, event::request_fd())),
        };
        Request {
            opcode,
            descriptor,
            mark: Untyped::word(request, event::request_mark()),
            flags: u64::from(Untyped::word::<u32>(request, event::request_flags())),
        }
    }
}

#[inline(always)]
unsafe fn fill<A: Access>(task: *const u8, head: *mut Head, cgroup: u64) {
    // SAFETY: the running task; memory of a record.
    unsafe { head::fill::<A>(head, RecordKind::IoUring, Task(task), cgroup) }
}
