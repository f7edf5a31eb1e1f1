//! A wanted call returned: finds its plan, and what is known before anything is
//! read. Most calls that no rule can match end here.

use aya_ebpf::{
    helpers::{
        bpf_get_current_cgroup_id, bpf_get_smp_processor_id, generated::bpf_probe_read_user,
    },
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use landlord_ebpf::abi::{
    COMPAT_BIT, COMPAT_PLANS, GENERATIONS, NO_ARGUMENT, PLANS as PLANS_LEN, Plan, RESULT, Shape,
    head_flag, plan_flag, stage, truth,
};

use super::{Scratch, bound::masked, head, jump, offsets as event, scratch, send, words};
use crate::{
    maps::{CPUS, PLANS, WANTED},
    offsets,
    programs::syscall::current,
    task::{Access as _, Typed},
};

/// `O_CREAT` and `__O_TMPFILE`, the same on all architectures and in both tables.
const CREATES: u64 = 0o100 | 0o20_000_000;
const ACCESS: u64 = 3;
const WRITE_ONLY: u64 = 1;
const READ_WRITE: u64 = 2;
const EXECUTABLE: u64 = 0o111;
/// The truths that are told by the flags of an open.
const OPEN_TRUTHS: u32 = truth::READ | truth::WRITE | truth::CREATE | truth::EXECUTE;

#[btf_tracepoint(function = "sys_exit")]
fn event_begin(ctx: BtfTracePointContext) -> i32 {
    let Some(scratch) = scratch::of_call() else { return 0 };
    // SAFETY: this CPU's scratch; registers as the tracepoint hands them over.
    unsafe {
        let (task, compat) = current();
        let regs: *const u8 = ctx.arg(0);
        let nr: u32 = Typed::word(regs, offsets::regs_number());
        let Some(plan) = find(scratch, nr, compat) else { return 0 };
        let Some(counts) = send::counts() else { return 0 };
        (*counts).wanted += 1;
        (*scratch).head.syscall = if compat { nr | COMPAT_BIT } else { nr };
        (*scratch).head.result = ctx.arg::<u64>(1) as i64;
        arguments(scratch, regs, compat);
        let Some(wanted) = weigh(scratch, plan, task) else {
            (*counts).early += 1;
            return 0;
        };
        (*scratch).truth = wanted;
        find_subject(&ctx, plan, wanted & truth::FAILED != 0)
    }
}

/// Copies the call's plan, and gives where it stands: it is not written while a
/// program runs that found it in force.
#[inline(always)]
unsafe fn find(scratch: *mut Scratch, nr: u32, compat: bool) -> Option<*const Plan> {
    if nr >= COMPAT_PLANS {
        return None;
    }
    let index = if compat { nr + COMPAT_PLANS } else { nr };
    let wanted = WANTED.get_ptr(0)?;
    // SAFETY: map values; volatile because the agent writes them.
    unsafe {
        let generation = core::ptr::read_volatile(&raw const (*wanted).generation);
        let half = (generation as u32 % GENERATIONS) * PLANS_LEN;
        let plan = PLANS.get_ptr(half + index)?;
        Scratch::begin(scratch);
        (*scratch).generation = generation;
        (*scratch).plan_index = index;
        words::copy(plan, &raw mut (*scratch).plan);
        Some(plan)
    }
}

/// The call's arguments go into the head.
#[inline(always)]
unsafe fn arguments(scratch: *mut Scratch, regs: *const u8, compat: bool) {
    // SAFETY: typed registers; this CPU's scratch.
    unsafe {
        let args = &raw mut (*scratch).head.args;
        if compat {
            (*args)[0] = u64::from(Typed::word::<u32>(regs, event::regs_compat0()));
            (*args)[1] = u64::from(Typed::word::<u32>(regs, event::regs_compat1()));
            (*args)[2] = u64::from(Typed::word::<u32>(regs, event::regs_compat2()));
            (*args)[3] = u64::from(Typed::word::<u32>(regs, event::regs_compat3()));
            (*args)[4] = u64::from(Typed::word::<u32>(regs, event::regs_compat4()));
            (*args)[5] = u64::from(Typed::word::<u32>(regs, event::regs_compat5()));
        } else {
            (*args)[0] = Typed::word(regs, event::regs_arg0());
            (*args)[1] = Typed::word(regs, event::regs_arg1());
            (*args)[2] = Typed::word(regs, event::regs_arg2());
            (*args)[3] = Typed::word(regs, event::regs_arg3());
            (*args)[4] = Typed::word(regs, event::regs_arg4());
            (*args)[5] = Typed::word(regs, event::regs_arg5());
        }
    }
}

/// An argument of the call.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn argument(scratch: *mut Scratch, number: u8) -> u64 {
    // SAFETY: the number is masked to one of eight words; behind the arguments is
    // the verdict.
    unsafe {
        let args = (&raw const (*scratch).head.args).cast::<u64>();
        core::ptr::read_volatile(args.add(masked::<7>(u32::from(number))))
    }
}

/// Whether a call returned an error: other negative numbers are addresses and the like.
#[inline(always)]
pub(crate) const fn failed(result: i64) -> bool {
    result < 0 && result >= -4095
}

/// The truths of this call; `None` when no rule can match one that has them.
#[inline(always)]
unsafe fn weigh(scratch: *mut Scratch, plan: *const Plan, task: u64) -> Option<u32> {
    // SAFETY: this CPU's scratch.
    unsafe {
        let mut found = 0;
        // The bits of numbers that agree with what is found.
        let mut early = (*plan).early;
        if failed((*scratch).head.result) {
            found |= truth::FAILED;
        }
        if (*plan).flags & plan_flag::CREAT != 0 {
            found |= created(argument(scratch, (*plan).open_mode)) | truth::WRITE;
        } else if (*plan).open_flags != NO_ARGUMENT {
            let word = argument(scratch, (*plan).open_flags);
            if (*plan).flags & plan_flag::FLAGS_IN_REGISTER != 0 {
                found |= opened(word, argument(scratch, (*plan).open_mode));
            } else {
                let mut how = [0_u64; 2];
                bpf_probe_read_user(how.as_mut_ptr().cast(), 16, word as *const _);
                found |= opened(how[0], how[1]);
                // The process may have changed it meanwhile.
                early = any_open(early);
            }
        }
        if (early >> found | early >> (found | truth::CONTAINER)) & 1 == 0 {
            return None;
        }
        let slot = slot(task);
        let place = head::place_flag(slot);
        if place & head_flag::ON_HOST == 0 {
            found |= truth::CONTAINER;
        }
        if early >> found & 1 == 0 {
            return None;
        }
        (*scratch).slot = slot;
        (*scratch).head.flags = place;
        Some(found)
    }
}

/// The truths of an open with these flags.
#[inline(always)]
fn opened(flags: u64, mode: u64) -> u32 {
    let mut found = match flags & ACCESS {
        0 => truth::READ,
        WRITE_ONLY => truth::WRITE,
        READ_WRITE => truth::READ | truth::WRITE,
        _ => 0,
    };
    if flags & CREATES != 0 {
        found |= created(mode);
    }
    found
}

#[inline(always)]
fn created(mode: u64) -> u32 {
    if mode & EXECUTABLE != 0 { truth::CREATE | truth::EXECUTE } else { truth::CREATE }
}

/// Sets each bit whose number differs from that of a set one only in what the flags
/// of an open tell.
#[inline(always)]
const fn any_open(early: u64) -> u64 {
    const LOWEST: u64 = 0x0000_0003_0000_0003;
    let mut bits = early;
    bits |= bits >> 16;
    bits |= bits >> 8;
    bits |= bits >> 4;
    bits |= bits >> 2;
    bits &= LOWEST;
    bits |= bits << 2;
    bits |= bits << 4;
    bits |= bits << 8;
    bits | bits << 16
}
const _: () = assert!(OPEN_TRUTHS == 0b1_1110);

/// The slot of the running task's cgroup.
#[inline(always)]
unsafe fn slot(task: u64) -> u32 {
    // SAFETY: the helpers have no preconditions; this CPU's state, volatile because
    // a move of a task on another CPU resets it.
    unsafe {
        if let Some(state) = CPUS.get_ptr(bpf_get_smp_processor_id())
            && (*state).task == task
            && core::ptr::read_volatile(&raw const (*state).stale) == 0
        {
            return (*state).slot;
        }
        head::slot_of(bpf_get_current_cgroup_id())
    }
}

/// On to where the subject is found.
#[inline(always)]
unsafe fn find_subject(ctx: &BtfTracePointContext, plan: *const Plan, failed: bool) -> i32 {
    // SAFETY: a map value.
    let (shape, fd, path) = unsafe { ((*plan).shape, (*plan).fd, (*plan).path) };
    let named = path != NO_ARGUMENT;
    // What was not opened has only its name.
    let absent = failed && fd == RESULT;
    if shape == Shape::File as u8 && !absent {
        jump::<{ stage::FILE }>(ctx)
    } else if shape == Shape::Paths as u8 || shape == Shape::File as u8 && named {
        jump::<{ stage::PATHS }>(ctx)
    } else if shape == Shape::Socket as u8 {
        jump::<{ stage::SOCKET }>(ctx)
    } else {
        jump::<{ stage::JUDGE }>(ctx)
    }
}
