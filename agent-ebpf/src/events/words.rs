//! Copies and zeros of whole words.
//!
//! Of anything longer than a few bytes the compiler makes a call of a function that
//! goes byte by byte, which costs more than most of what is done here. Volatile
//! accesses keep it from that.

/// Copies a structure of whole words.
///
/// # Safety
///
/// Both are aligned and valid; the size of `T` is a multiple of 8.
#[inline(always)]
pub(crate) unsafe fn copy<T: Copy>(from: *const T, to: *mut T) {
    const { assert!(size_of::<T>().is_multiple_of(8)) };
    for word in 0..size_of::<T>() / 8 {
        // SAFETY: promised by the caller.
        unsafe {
            let value = *from.cast::<u64>().add(word);
            core::ptr::write_volatile(to.cast::<u64>().add(word), value);
        }
    }
}

/// Fills a structure of whole words with zeros.
///
/// # Safety
///
/// It is aligned and valid, also as zeros; the size of `T` is a multiple of 8.
#[inline(always)]
pub(crate) unsafe fn clear<T: Copy>(to: *mut T) {
    const { assert!(size_of::<T>().is_multiple_of(8)) };
    for word in 0..size_of::<T>() / 8 {
        // SAFETY: promised by the caller.
        unsafe { core::ptr::write_volatile(to.cast::<u64>().add(word), 0) }
    }
}
