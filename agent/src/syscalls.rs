//! Names of system calls by number.
//!
//! The tables below this module are data, one line a call: the `__NR_` numbers
//! of the kernel's exported headers of Linux 6.17 for each architecture, and the
//! calls that came later: `uprobe` (6.18), `listns` (6.19) and
//! `rseq_slice_yield` (7.0). Numbers are never given twice, so a table serves
//! older kernels too, and a newer call has the name `unknown_NNN` until its line
//! is added.
//!
//! It never makes up a name for each number: names are label values, and a
//! program may call any number it likes.

use std::borrow::Cow;

use crate::usage::reading::SyscallNumber;

mod aarch64;
mod arm32;
mod ia32;
mod x86_64;

/// Numbers below this have a name of their own, `unknown_NNN` if need be.
const KNOWN_NUMBERS: usize = 512;

/// Name of every other number.
const UNKNOWN: &str = "unknown";

/// The system calls of one kernel: its own table and that of 32-bit programs.
struct Architecture {
    native: [&'static str; KNOWN_NUMBERS],
    compat: [&'static str; KNOWN_NUMBERS],
    /// Keeps the labels of the two tables apart: `ia32_open` is not `open`.
    compat_prefix: &'static str,
}

/// x86_64 with `int 0x80` and ia32 programs. Calls of the x32 ABI have numbers
/// above the tables.
static X86_64: Architecture = Architecture {
    native: by_number(x86_64::CALLS),
    compat: by_number(ia32::CALLS),
    compat_prefix: "ia32_",
};

/// aarch64 with aarch32 programs.
static AARCH64: Architecture = Architecture {
    native: by_number(aarch64::CALLS),
    compat: by_number(arm32::CALLS),
    compat_prefix: "arm32_",
};

/// The kernel this agent was built for.
static HOST: &Architecture = if cfg!(target_arch = "aarch64") { &AARCH64 } else { &X86_64 };

/// The call's name as the kernel's headers have it.
///
/// Calls through the 32-bit table are prefixed `ia32_` (x86_64) or `arm32_`
/// (aarch64). A number below 512 that the table lacks is
/// `unknown_NNN`, any other `unknown`: 1026 names at most.
#[must_use]
pub fn name(call: SyscallNumber) -> Cow<'static, str> {
    HOST.name(call)
}

/// The running kernel's calls, or those of its 32-bit table: number and name as the
/// kernel's headers have it, ascending.
#[must_use]
pub fn calls(compat: bool) -> &'static [(u32, &'static str)] {
    match (cfg!(target_arch = "aarch64"), compat) {
        (false, false) => x86_64::CALLS,
        (false, true) => ia32::CALLS,
        (true, false) => aarch64::CALLS,
        (true, true) => arm32::CALLS,
    }
}

/// Those of all architectures.
#[cfg(test)]
pub(crate) fn tables() -> [&'static [(u32, &'static str)]; 4] {
    [x86_64::CALLS, ia32::CALLS, aarch64::CALLS, arm32::CALLS]
}

impl Architecture {
    fn name(&self, call: SyscallNumber) -> Cow<'static, str> {
        let table = if call.compat { &self.compat } else { &self.native };
        let known = usize::try_from(call.nr).ok().and_then(|nr| table.get(nr)).copied();
        match (known, call.compat) {
            (None, false) => Cow::Borrowed(UNKNOWN),
            (None, true) => Cow::Owned(format!("{}{UNKNOWN}", self.compat_prefix)),
            (Some(""), false) => Cow::Owned(format!("{UNKNOWN}_{}", call.nr)),
            (Some(""), true) => Cow::Owned(format!("{}{UNKNOWN}_{}", self.compat_prefix, call.nr)),
            (Some(name), false) => Cow::Borrowed(name),
            (Some(name), true) => Cow::Owned(format!("{}{name}", self.compat_prefix)),
        }
    }
}

/// Spreads a table over its numbers; a gap is the empty string. A number that
/// does not fit stops the build.
const fn by_number(calls: &[(u32, &'static str)]) -> [&'static str; KNOWN_NUMBERS] {
    let mut table = [""; KNOWN_NUMBERS];
    let mut index = 0;
    while index < calls.len() {
        let (number, name) = calls[index];
        table[number as usize] = name;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{AARCH64, Architecture, X86_64, aarch64, arm32, ia32, x86_64};
    use crate::usage::reading::SyscallNumber;

    #[test]
    fn names_follow_the_table_of_the_call() {
        #[track_caller]
        fn check(architecture: &Architecture, nr: u32, compat: bool, expected: &str) {
            assert_eq!(architecture.name(SyscallNumber { nr, compat }), expected);
        }
        check(&X86_64, 0, false, "read");
        check(&X86_64, 39, false, "getpid");
        check(&X86_64, 257, false, "openat");
        check(&X86_64, 336, false, "uprobe");
        check(&X86_64, 435, false, "clone3");
        check(&X86_64, 0, true, "ia32_restart_syscall");
        check(&X86_64, 20, true, "ia32_getpid");
        check(&X86_64, 102, true, "ia32_socketcall");
        check(&AARCH64, 63, false, "read");
        check(&AARCH64, 172, false, "getpid");
        check(&AARCH64, 435, false, "clone3");
        check(&AARCH64, 3, true, "arm32_read");
        check(&AARCH64, 341, true, "arm32_sync_file_range2");
    }

    #[test]
    fn unknown_numbers_have_a_bounded_set_of_names() {
        #[track_caller]
        fn check(nr: u32, compat: bool, expected: &str) {
            assert_eq!(X86_64.name(SyscallNumber { nr, compat }), expected);
        }
        check(337, false, "unknown_337");
        check(511, false, "unknown_511");
        check(511, true, "ia32_unknown_511");
        check(512, false, "unknown");
        check(512, true, "ia32_unknown");
        check(0x4000_0000 | 39, false, "unknown");
        check(u32::MAX, false, "unknown");
    }

    #[test]
    fn tables_are_ascending_and_name_each_call_once() {
        for (table, calls) in [
            ("x86_64", x86_64::CALLS),
            ("ia32", ia32::CALLS),
            ("aarch64", aarch64::CALLS),
            ("arm32", arm32::CALLS),
        ] {
            assert!(calls.is_sorted_by(|a, b| a.0 < b.0), "{table}: numbers out of order");
            let names: BTreeSet<&str> = calls.iter().map(|&(_, name)| name).collect();
            assert_eq!(names.len(), calls.len(), "{table}: a name twice");
            assert!(
                names.iter().all(|name| !name.is_empty()
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')),
                "{table}: a name that is none"
            );
        }
    }

    #[test]
    fn rules_can_name_every_call() {
        use crate::rules::event_type::{EventType, Origin};
        for &(_, name) in super::tables().into_iter().flatten() {
            let found = EventType::named(name).map(EventType::origin);
            assert_eq!(found, Some(Origin::Syscall), "{name}");
        }
    }

    #[test]
    fn no_label_stands_for_two_calls() {
        for architecture in [&X86_64, &AARCH64] {
            let mut names = BTreeSet::new();
            for compat in [false, true] {
                for nr in 0..512 {
                    assert!(names.insert(architecture.name(SyscallNumber { nr, compat })));
                }
            }
        }
    }
}
