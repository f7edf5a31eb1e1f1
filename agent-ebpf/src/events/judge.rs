//! Subjects that no rule can match, whoever acts: the agent puts their keys into a
//! table, and their events end here.
//!
//! The key is a hash under two secret seeds. Whoever could make two subjects of one
//! key could hide one behind the other, so a word is never only added or xored in:
//! each is multiplied with what only the seed tells.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use landlord_ebpf::abi::{
    SECTION_BYTES_MAX, Section, VERDICTS as VERDICTS_LEN, head_flag, plan_flag, stage,
    verdict_index,
};

use super::{
    Scratch, argument,
    bound::masked,
    failed, kernel, offsets as event,
    scratch::{self, SECTION_ROOM, subject},
    send, walk, walk_then,
};
use crate::maps::VERDICTS;

const FILE_TYPE: u32 = 0o170_000;
/// Words of a key at most: a path that is longer has no verdict.
const KEY_WORDS: u32 = 1024;

#[btf_tracepoint(function = "sys_exit")]
fn event_judge(ctx: BtfTracePointContext) -> i32 {
    let Some(scratch) = scratch::of_call() else { return 0 };
    // SAFETY: this CPU's scratch.
    unsafe {
        let flags = (*scratch).plan.flags;
        if flags & plan_flag::VERDICT != 0 && (*scratch).doubtful == 0 && unwanted(scratch) {
            if let Some(counts) = send::counts() {
                (*counts).verdict += 1;
            }
            return 0;
        }
        if flags & plan_flag::CWD != 0 {
            walk::queue(scratch, Section::Cwd, kernel::working_directory());
        }
        walk_then::<{ stage::FINISH }>(&ctx, scratch)
    }
}

/// True when the table has the subject's key.
#[inline(always)]
unsafe fn unwanted(scratch: *mut Scratch) -> bool {
    // SAFETY: this CPU's scratch; a map value, volatile because the agent writes it.
    unsafe {
        let Some([low, high]) = key(scratch) else { return false };
        (*scratch).head.verdict = [low, high];
        let Some(verdict) = VERDICTS.get_ptr(verdict_index(low)) else { return false };
        core::ptr::read_volatile(&raw const (*verdict).low) == low
            && core::ptr::read_volatile(&raw const (*verdict).high) == high
    }
}

/// Two hashes under two seeds.
#[derive(Clone, Copy)]
struct Key {
    low: u64,
    high: u64,
}

impl Key {
    /// Takes a word in.
    #[inline(always)]
    fn mix(&mut self, word: u64) {
        self.low = fold(self.low, word, event::verdict_seed0());
        self.high = fold(self.high, word, event::verdict_seed1());
    }
}

/// The halves of the word, hidden by those of the state, multiplied.
#[inline(always)]
fn fold(state: u64, word: u64, seed: u64) -> u64 {
    let hidden = state ^ word;
    (hidden & 0xffff_ffff).wrapping_mul(hidden >> 32).wrapping_add(state.rotate_left(32) ^ seed)
}

/// The subject's key; `None` when it is too long.
#[inline(always)]
unsafe fn key(scratch: *mut Scratch) -> Option<[u64; 2]> {
    // SAFETY: this CPU's scratch.
    unsafe {
        let mut key = Key { low: event::verdict_seed0(), high: event::verdict_seed1() };
        let places = head_flag::ON_HOST | head_flag::IN_CONTAINER;
        key.mix((*scratch).generation);
        key.mix(
            u64::from((*scratch).plan_index)
                | u64::from((*scratch).truth) << 16
                | u64::from((*scratch).head.flags & places) << 32,
        );
        let result = (*scratch).head.result;
        key.mix(if failed(result) { result as u64 } else { 0 });
        let picked = (*scratch).plan.key_args;
        if picked != 0 {
            for number in 0..6 {
                if picked >> number & 1 != 0 {
                    key.mix(argument(scratch, number));
                }
            }
        }
        match (*scratch).subject {
            subject::FILE => file(scratch, &mut key),
            subject::SOCKET => socket(scratch, &mut key),
            _ => {}
        }
        sections(scratch, &mut key)?;
        // The last words pass as many multiplications as the first ones.
        key.mix(0);
        key.mix(0);
        // No verdict has a zero there.
        Some([key.low | u64::from(key.low == 0), key.high])
    }
}

#[inline(always)]
unsafe fn file(scratch: *mut Scratch, key: &mut Key) {
    // SAFETY: this CPU's scratch.
    unsafe {
        let facts = &raw const (*scratch).file;
        key.mix(u64::from((*facts).mode & FILE_TYPE) | u64::from((*facts).magic) << 32);
        key.mix(u64::from((*facts).open_flags) | u64::from((*facts).open_mode) << 32);
        key.mix(u64::from((*facts).layer));
    }
}

#[inline(always)]
unsafe fn socket(scratch: *mut Scratch, key: &mut Key) {
    // SAFETY: this CPU's scratch; addresses are two aligned words each.
    unsafe {
        let facts = &raw const (*scratch).socket;
        key.mix(
            u64::from((*facts).family)
                | u64::from((*facts).kind) << 16
                | u64::from((*facts).protocol) << 32
                | u64::from((*facts).state) << 48,
        );
        let server = (*scratch).plan.flags & plan_flag::SERVER != 0;
        key.mix(u64::from(if server { (*facts).local_port } else { (*facts).remote_port }));
        for address in [&raw const (*facts).local, &raw const (*facts).remote] {
            let words = address.cast::<u64>();
            key.mix(*words);
            key.mix(*words.add(1));
        }
    }
}

/// The sections that belong to the subject, with their heads.
#[inline(always)]
unsafe fn sections(scratch: *mut Scratch, key: &mut Key) -> Option<()> {
    // SAFETY: this CPU's scratch; the offset is masked.
    unsafe {
        let from = (*scratch).key_from;
        let to = (*scratch).len;
        if to - from > KEY_WORDS * 8 || to > SECTION_BYTES_MAX as u32 {
            return None;
        }
        let base = (&raw const (*scratch).sections).cast::<u8>();
        let mut at = from;
        for _ in 0..KEY_WORDS {
            if at >= to {
                break;
            }
            key.mix(*base.add(masked::<{ SECTION_ROOM - 8 }>(at)).cast::<u64>());
            at += 8;
        }
        Some(())
    }
}

const _: () = assert!(VERDICTS_LEN.is_power_of_two());
