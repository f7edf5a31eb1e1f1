//! Which calls are wanted, written where the sensors read it.
//!
//! There are two generations of plans: the one in force, and the one that is being
//! written. Switching over is one store, so that no call is handled by a half of each.

use std::{
    mem::offset_of,
    sync::atomic::{Ordering, fence},
    thread,
    time::{Duration, Instant},
};

use landlord_ebpf::abi::{GENERATIONS, PLANS, Plan, Wanted};

use crate::kernel::shared::Shared;

const GENERATION: usize = offset_of!(Wanted, generation) / 8;
const BITS: usize = offset_of!(Wanted, bits) / 8;
const BIT_WORDS: usize = (PLANS / 64) as usize;
const PLAN_WORDS: usize = size_of::<Plan>() / 8;

/// A program that began under a generation has ended when this has passed, so that
/// the generation can be written anew.
const GRACE: Duration = Duration::from_millis(50);

/// The maps that say what is wanted.
pub(super) struct Plans {
    pub(super) wanted: Shared,
    pub(super) plans: Shared,
    /// When the generation that is not in force ended.
    pub(super) switched: Option<Instant>,
}

impl Plans {
    /// Puts `plans` in force in place of all others; waits a moment when the last
    /// ones are very young.
    pub(super) fn set(&mut self, plans: &[(u32, Plan)]) {
        if let Some(rest) = self.switched.and_then(|at| GRACE.checked_sub(at.elapsed())) {
            thread::sleep(rest);
        }
        let generation = self.wanted.word(0, GENERATION).wrapping_add(1);
        let mut all = vec![Plan::UNWANTED; PLANS as usize];
        for (index, plan) in plans {
            match all.get_mut(*index as usize) {
                Some(place) => *place = *plan,
                None => tracing::error!(index, "no such plan"),
            }
        }
        let first = first_plan(generation);
        for (record, plan) in (first..).zip(&all) {
            for (word, value) in words(plan).into_iter().enumerate() {
                self.plans.set_word(record, word, value);
            }
        }
        let at = first_bits(generation);
        for (word, bits) in wanted_bits(&all).into_iter().enumerate() {
            self.wanted.set_word(0, at + word, bits);
        }
        self.wanted.publish(0, GENERATION, generation);
        self.switched = Some(Instant::now());
    }

    /// From now on nothing is wanted.
    pub(super) fn clear(&self) {
        for word in BITS..BITS + GENERATIONS as usize * BIT_WORDS {
            self.wanted.set_word(0, word, 0);
        }
    }

    /// Records per second that a cgroup may send (0: any number), and how many more at once.
    pub(super) fn set_rate(&self, rate: u64, burst: u64) {
        self.wanted.set_word(0, offset_of!(Wanted, burst) / 8, burst);
        self.wanted.set_word(0, offset_of!(Wanted, rate) / 8, rate);
    }

    /// Requests to `io_uring` that are told, a bit for each opcode.
    pub(super) fn set_requests(&self, opcodes: u128) {
        let at = offset_of!(Wanted, requests) / 8;
        for (word, bits) in opcodes.to_le_bytes().chunks_exact(8).enumerate() {
            let bits = bits.try_into().map_or(0, u64::from_le_bytes);
            self.wanted.set_word(0, at + word, bits);
        }
    }

    /// Bytes waiting in a ring from which on the reader is woken.
    pub(super) fn set_wake_bytes(&self, bytes: u64) {
        self.wanted.set_word(0, offset_of!(Wanted, wake_bytes) / 8, bytes);
    }

    /// Whether the next record is to wake the reader.
    pub(super) fn set_sleeping(&self, sleeping: bool) {
        self.wanted.set_word(0, SLEEPING, u64::from(sleeping));
        // The rings are looked at after this is visible.
        fence(Ordering::SeqCst);
    }

    /// False when a sensor has woken the reader.
    pub(super) fn sleeping(&self) -> bool {
        self.wanted.word(0, SLEEPING) != 0
    }
}

const SLEEPING: usize = offset_of!(Wanted, sleeping) / 8;

/// Where the plans of a generation begin.
fn first_plan(generation: u64) -> u32 {
    if generation.is_multiple_of(u64::from(GENERATIONS)) { 0 } else { PLANS }
}

/// Where the bits of a generation begin, in words.
fn first_bits(generation: u64) -> usize {
    BITS + if generation.is_multiple_of(u64::from(GENERATIONS)) { 0 } else { BIT_WORDS }
}

/// A bit for each plan that wants something.
fn wanted_bits(plans: &[Plan]) -> [u64; BIT_WORDS] {
    let mut bits = [0; BIT_WORDS];
    for (word, plans) in bits.iter_mut().zip(plans.chunks(64)) {
        for (bit, plan) in plans.iter().enumerate() {
            *word |= u64::from(plan.early != 0) << bit;
        }
    }
    bits
}

fn words(plan: &Plan) -> [u64; PLAN_WORDS] {
    // SAFETY: both are plain words of the same size, asserted by the transmutation;
    // a plan has no padding of the compiler's.
    unsafe { std::mem::transmute::<Plan, [u64; PLAN_WORDS]>(*plan) }
}

#[cfg(test)]
mod tests {
    use landlord_ebpf::abi::{PLANS, Plan};

    use super::{BIT_WORDS, BITS, first_bits, first_plan, wanted_bits, words};

    #[test]
    fn generations_alternate() {
        let check = |generation, plan, bits| {
            let found = (first_plan(generation), first_bits(generation));
            assert_eq!(found, (plan, bits), "{generation}");
        };
        check(0, 0, BITS);
        check(1, PLANS, BITS + BIT_WORDS);
        check(2, 0, BITS);
        check(u64::MAX, PLANS, BITS + BIT_WORDS);
    }

    #[test]
    fn only_plans_that_want_something_have_a_bit() {
        let check = |indices: &[usize], expected: &[(usize, u64)]| {
            let mut plans = vec![Plan::UNWANTED; PLANS as usize];
            for index in indices {
                plans[*index].early = 1 << 63;
            }
            let mut bits = [0; BIT_WORDS];
            for (word, value) in expected {
                bits[*word] = *value;
            }
            assert_eq!(wanted_bits(&plans), bits, "{indices:?}");
        };
        check(&[], &[]);
        check(&[0, 63, 64], &[(0, 1 | 1 << 63), (1, 1)]);
        check(&[257, 1023], &[(4, 2), (15, 1 << 63)]);
    }

    #[test]
    fn a_plan_in_words() {
        let plan = Plan { early: 7, shape: 1, key_args: 2, ..Plan::UNWANTED };
        let found = words(&plan);
        assert_eq!(found[0], 7);
        assert_eq!(found[1].to_ne_bytes()[..2], [1, 0xff]);
        assert_eq!(found[3].to_ne_bytes()[0], 2);
    }
}
