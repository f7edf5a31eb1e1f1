//! Bounds that the verifier can see.
//!
//! The compiler knows more than old verifiers do: it drops a mask that changes
//! nothing, or compares one copy of a value and uses another. What is bounded
//! here is opaque to it.

use core::arch::asm;

/// The low bits of `value` that `MASK` has.
#[inline(always)]
pub(crate) fn masked<const MASK: u32>(value: u32) -> usize {
    let mut value = u64::from(value);
    // SAFETY: an operation on a register.
    unsafe {
        asm!("{0} &= {1}", inout(reg) value, const MASK, options(nomem, nostack, pure));
    }
    value as usize
}

/// `value`, or `LIMIT` when it is more.
#[inline(always)]
pub(crate) fn at_most<const LIMIT: u32>(value: u32) -> u32 {
    let mut value = u64::from(value);
    // SAFETY: compares and sets a register.
    unsafe {
        asm!(
            "if {0} < {1} goto +1",
            "{0} = {1}",
            inout(reg) value,
            const LIMIT,
            options(nomem, nostack, pure),
        );
    }
    value as u32
}
