//! Subjects that no rule can match, whoever acts: the agent puts their keys into a
//! table, and their events end here.
//!
//! The key is a hash under two secret seeds. Whoever could make two subjects of one
//! key could hide one behind the other, so a word is never only added or xored in:
//! each is multiplied with what only the seed tells.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use landlord_ebpf::abi::{
    NO_ARGUMENT, PLANS as PLANS_LEN, SECTION_BYTES_MAX, Section, VERDICTS as VERDICTS_LEN,
    head_flag, plan_flag, section_flag, stage, verdict_index,
};

use super::{
    Scratch, argument,
    bound::masked,
    failed, kernel, offsets as event,
    scratch::{self, NAME_BYTES, SECTION_ROOM, SHORT_NAMES, subject},
    section, send,
    short::{self, NAME_WORDS, Name},
    walk, walk_then,
};
use crate::maps::VERDICTS;

/// Marks a key of gathered names, beside the flags of their section.
const BY_NAMES: u32 = 1 << 3;
const _: () = assert!((section_flag::DELETED as u32) < BY_NAMES);
/// Bits that tell of the call: its plan, truths and place.
const ABOUT: u32 = 18;
const _: () = assert!(PLANS_LEN <= 1 << 10 && ABOUT + 10 <= 32);
/// Words of a key at most: a path that is longer has no verdict.
const KEY_WORDS: u32 = 1024;

#[btf_tracepoint(function = "sys_exit")]
fn event_judge(ctx: BtfTracePointContext) -> i32 {
    let Some(scratch) = scratch::of_call() else { return 0 };
    // SAFETY: this CPU's scratch.
    unsafe {
        let flags = (*scratch).plan.flags;
        if flags & plan_flag::VERDICT != 0 && (*scratch).doubtful == 0 {
            if (*scratch).judged == 0
                && let Some(key) = key(scratch)
            {
                if is_unwanted(key) {
                    return 0;
                }
                (*scratch).head.verdict = key;
            }
            if flags & plan_flag::RAW != 0 && is_unwanted_as_given(scratch) {
                return 0;
            }
        }
        if flags & plan_flag::CWD != 0 {
            walk::queue(scratch, Section::Cwd, kernel::working_directory());
        }
        walk_then::<{ stage::FINISH }>(&ctx, scratch)
    }
}

/// Looks for the key of a subject in the table. True when it is there: the event ends,
/// and is counted.
#[inline(always)]
pub(crate) fn is_unwanted([low, high]: [u64; 2]) -> bool {
    // SAFETY: a map value, volatile because the agent writes it.
    unsafe {
        let Some(verdict) = VERDICTS.get_ptr(verdict_index(low)) else { return false };
        if core::ptr::read_volatile(&raw const (*verdict).low) == low
            && core::ptr::read_volatile(&raw const (*verdict).high) == high
        {
            if let Some(counts) = send::counts() {
                (*counts).verdict += 1;
            }
            return true;
        }
        false
    }
}

/// Likewise of a file that was opened together with the path that the call was given,
/// which becomes a section. Only for subjects that may matter by themselves: reading
/// it costs as much as all else.
#[inline(always)]
unsafe fn is_unwanted_as_given(scratch: *mut Scratch) -> bool {
    // SAFETY: this CPU's scratch.
    unsafe {
        let plan = &raw const (*scratch).plan;
        let [low, high] = (*scratch).head.verdict;
        if low == 0 || (*scratch).subject != subject::FILE || (*plan).path == NO_ARGUMENT {
            return false;
        }
        let from = (*scratch).len;
        section::put_user_text(scratch, Section::Raw, argument(scratch, (*plan).path));
        (*scratch).given = 1;
        let mut key = Key { low, high };
        if (*scratch).doubtful != 0 || words(scratch, from, &mut key).is_none() {
            return false;
        }
        let key = key.end();
        (*scratch).raw_verdict = key;
        is_unwanted(key)
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

    /// Both words, when all is in.
    #[inline(always)]
    fn end(mut self) -> [u64; 2] {
        // The last word passes as many multiplications as the others, at least.
        self.mix(0);
        // No verdict has a zero there.
        [self.low | u64::from(self.low == 0), self.high]
    }
}

/// The halves of the word, hidden by those of the state, multiplied.
#[inline(always)]
fn fold(state: u64, word: u64, seed: u64) -> u64 {
    let hidden = state ^ word;
    (hidden & 0xffff_ffff).wrapping_mul(hidden >> 32).wrapping_add(state.rotate_left(32) ^ seed)
}

/// The key of a file's subject, by the names that were gathered of its path if it is
/// `named`; `None` when one of them is elsewhere.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn file_key(scratch: *mut Scratch, named: bool) -> Option<[u64; 2]> {
    // SAFETY: promised by the caller.
    unsafe {
        if !named {
            return Some(of_file(scratch, 0).end());
        }
        let mut key = of_file(scratch, (*scratch).name_flags | BY_NAMES);
        let names = core::ptr::read_volatile(&raw const (*scratch).name_count);
        for index in 0..SHORT_NAMES as u32 {
            if index >= names {
                break;
            }
            name(short::name(scratch, index), &mut key)?;
        }
        Some(key.end())
    }
}

/// Takes a name in that stands in its entry. The last word has a zero byte at least,
/// and no other has one, so that no two paths are made of the same words.
#[inline(always)]
unsafe fn name(name: *const Name, key: &mut Key) -> Option<()> {
    // SAFETY: a gathered name.
    unsafe {
        let mut rest = masked::<{ NAME_BYTES as u32 - 1 }>((*name).len as u32) as u32;
        if rest >= event::dentry_inline_bytes() {
            return None;
        }
        for index in 0..NAME_WORDS {
            let word = (*name).words[index];
            if rest < 8 {
                key.mix(word & ((1 << (rest * 8)) - 1));
                return Some(());
            }
            key.mix(word);
            rest -= 8;
        }
        None
    }
}

/// The subject's key; `None` when it is too long.
#[inline(always)]
unsafe fn key(scratch: *mut Scratch) -> Option<[u64; 2]> {
    // SAFETY: this CPU's scratch.
    unsafe {
        let mut key = match (*scratch).subject {
            subject::FILE => of_file(scratch, 0),
            _ => begin(scratch, 0),
        };
        if (*scratch).subject == subject::SOCKET {
            socket(scratch, &mut key);
        }
        words(scratch, (*scratch).key_from, &mut key)?;
        Some(key.end())
    }
}

/// What every key begins with: the call, its outcome and its registers, and what there
/// is to say `about` its subject in the bits from [`ABOUT`] on.
#[inline(always)]
unsafe fn begin(scratch: *mut Scratch, about: u64) -> Key {
    // SAFETY: this CPU's scratch.
    unsafe {
        let mut key = Key { low: event::verdict_seed0(), high: event::verdict_seed1() };
        let result = (*scratch).head.result;
        // Errors have 12 bits, and rules are not read anew so often.
        let error = if failed(result) { result.unsigned_abs() } else { 0 };
        key.mix((*scratch).generation << 12 | error);
        let places = (*scratch).head.flags & (head_flag::ON_HOST | head_flag::IN_CONTAINER);
        let call = (*scratch).plan_index | (*scratch).truth << 10 | u32::from(places) << 14;
        key.mix(u64::from(call) | about);
        let picked = (*scratch).plan.key_args;
        if picked != 0 {
            for number in 0..6 {
                if picked >> number & 1 != 0 {
                    key.mix(argument(scratch, number));
                }
            }
        }
        key
    }
}

/// The key of a file's subject but for its path. `names` are the flags of gathered ones.
#[inline(always)]
unsafe fn of_file(scratch: *mut Scratch, names: u32) -> Key {
    // SAFETY: this CPU's scratch.
    unsafe {
        let facts = &raw const (*scratch).file;
        // The upper four bits of a mode are the file's type.
        let kind = (*facts).mode >> 12 | (*facts).layer << 4 | names << 6;
        let about = u64::from(kind) << ABOUT | u64::from((*facts).magic) << 32;
        let mut key = begin(scratch, about);
        key.mix(u64::from((*facts).open_flags) | u64::from((*facts).open_mode) << 32);
        key
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

/// The sections from an offset on, with their heads.
#[inline(always)]
unsafe fn words(scratch: *mut Scratch, from: u32, key: &mut Key) -> Option<()> {
    // SAFETY: this CPU's scratch; the offset is masked.
    unsafe {
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
