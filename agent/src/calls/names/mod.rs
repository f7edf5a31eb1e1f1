//! Names of numbers: flags, commands, requests.
//!
//! The tables beside this file are data: Linux's numbers, in the order in which Falco
//! writes the names.

mod device;
mod file;
mod network;
mod process;
mod signal;

pub(super) use device::{
    BPF, FSCONFIG, MAP, MCL, MLOCK2, PROT, QUOTA_CMD, QUOTA_TYPE, SPLICE, URING_ENTER,
    URING_FEATURES, URING_REGISTER, URING_SETUP, USERFAULT,
};
pub(super) use file::{
    ACCESS, AT, CLOEXEC, CREAT, DUP, FCNTL, LOCK, MEMFD, MODULE, MOUNT, RENAME, RESOLVE, UMOUNT,
    UNLINKAT, WHENCE, mode, open_flags,
};
pub(super) use network::{DOMAIN, LEVEL, OPTION, SHUT, TYPE};
pub(super) use process::{CLONE, EXEC, PIDFD, PRCTL, PTRACE, RLIMIT, SEMCTL, SEMGET};
pub(super) use signal::signal;

/// Numbers with names, in the order in which flags are written.
#[derive(Clone, Copy)]
pub(super) struct Names(pub(super) &'static [(&'static str, u64)]);

impl Names {
    /// The name of a number.
    pub(super) fn one(self, value: u64) -> Option<&'static str> {
        self.0.iter().find(|(_, number)| *number == value).map(|(name, _)| *name)
    }

    /// Writes the names of flags, with `|` between them. Bits without a name are left
    /// out; a name for 0 stands alone.
    pub(super) fn flags(self, value: u64, out: &mut Vec<u8>) {
        if let Some(name) = self.one(value) {
            out.extend_from_slice(name.as_bytes());
            return;
        }
        let (mut rest, mut list) = (value, List::new(out));
        for &(name, bits) in self.0 {
            if bits != 0 && rest & bits == bits {
                rest &= !bits;
                list.add(name);
            }
        }
    }
}

/// Writes names with `|` between them.
struct List<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> List<'a> {
    const fn new(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start }
    }

    fn add(&mut self, name: &str) {
        if self.out.len() > self.start {
            self.out.push(b'|');
        }
        self.out.extend_from_slice(name.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    const COLOURS: Names =
        Names(&[("NONE", 0), ("BROWN", 3), ("RED", 1), ("GREEN", 2), ("BLUE", 4)]);

    #[test]
    fn flags_are_written_in_the_order_of_the_table() {
        let check = |value: u64, expected: &str| {
            let mut out = b"a=".to_vec();
            COLOURS.flags(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("a={expected}"));
        };
        check(0, "NONE");
        check(1, "RED");
        check(3, "BROWN");
        check(6, "GREEN|BLUE");
        check(7, "BROWN|BLUE");
        check(8, "");
        check(12, "BLUE");
    }

    #[test]
    fn one_name_needs_the_whole_number() {
        assert_eq!(COLOURS.one(4), Some("BLUE"));
        assert_eq!(COLOURS.one(5), None);
    }
}
