//! Events for rules: what a wanted system call was about, and what becomes of
//! processes, made into records for the agent.
//!
//! A wanted call goes through a chain of programs, each of which jumps on to the
//! next. The order is that of cost: what settles that nobody wants the event
//! comes before what only the record needs.
//!
//! begin → file | paths | socket → walk → judge → finish

mod begin;
pub(crate) mod bound;
mod connection;
mod exec;
mod file;
mod finish;
pub(crate) mod head;
pub(crate) mod ids;
mod judge;
pub(crate) mod kernel;
pub(crate) mod offsets;
mod paths;
mod process;
pub(crate) mod scratch;
pub(crate) mod section;
pub(crate) mod send;
mod share;
mod short;
mod socket;
mod uring;
pub(crate) mod walk;
pub(crate) mod words;

use core::{arch::asm, ffi::c_void};

use aya_ebpf::{EbpfContext as _, programs::BtfTracePointContext};
use landlord_ebpf::abi::stage;

use crate::maps::JUMP_EVENT;

pub(crate) use begin::{argument, failed};
pub(crate) use scratch::Scratch;

/// Hands on to another program of the chain. Comes back only when the agent that
/// owned the chain is gone; the event then ends here.
///
/// Written so that the compiler cannot join two jumps into one of a variable
/// index: one of a constant index is a direct branch in the kernel.
#[inline(always)]
pub(crate) fn jump<const STAGE: u32>(ctx: &BtfTracePointContext) -> i32 {
    jump_through::<STAGE>(ctx, core::ptr::from_ref(&JUMP_EVENT).cast())
}

/// Likewise through another table.
#[inline(always)]
pub(crate) fn jump_through<const STAGE: u32>(
    ctx: &BtfTracePointContext,
    table: *const c_void,
) -> i32 {
    // SAFETY: the helper `bpf_tail_call`; nothing in this frame needs to be dropped.
    unsafe {
        asm!(
            "r3 = {stage}",
            "call 12",
            stage = const STAGE,
            inout("r1") ctx.as_ptr() => _,
            inout("r2") table => _,
            out("r3") _,
            out("r4") _,
            out("r5") _,
            lateout("r0") _,
        );
    }
    0
}

/// Hands on to walk what is queued, and then to one of two stages; straight to that
/// stage when nothing is.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
unsafe fn walk_then<const STAGE: u32>(ctx: &BtfTracePointContext, scratch: *mut Scratch) -> i32 {
    // SAFETY: promised by the caller.
    unsafe {
        if (*scratch).queued != (*scratch).walked {
            (*scratch).after = STAGE;
            return jump::<{ stage::WALK }>(ctx);
        }
    }
    jump::<STAGE>(ctx)
}
