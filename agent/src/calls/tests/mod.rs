//! Records of calls and the texts that are expected of them.

mod file;
mod laws;
mod official;
mod other;
mod process;
mod socket;

use landlord_ebpf::abi::{COMPAT_BIT, Head, RecordKind};

use super::{Call, Context, Descriptor, Which};
use crate::event::{Part, Record};
use crate::rules::event_type::ParamId;
use crate::rules::value::Value;
use crate::syscalls;

/// A head of which nothing is known but the call.
fn head(syscall: u32, args: [u64; 6], result: i64) -> Head {
    Head {
        len: 0,
        kind: 0,
        flags: 0,
        time_ns: 0,
        cgroup: 1,
        tgid: 4711,
        tid: 4712,
        parent: 1,
        syscall,
        start_ns: 0,
        uid: 1000,
        gid: 1000,
        loginuid: u32::MAX,
        cpu: 0,
        cap_effective: 0,
        cap_permitted: 0x1ff_ffff_ffff,
        cap_inheritable: 0,
        result,
        args,
        verdict: [0; 2],
        comm: *b"bash\0\0\0\0\0\0\0\0\0\0\0\0",
    }
}

/// The number of a call, with [`COMPAT_BIT`] of one of the 32-bit table.
fn number(name: &str, compat: bool) -> Option<u32> {
    let (nr, _) = syscalls::calls(compat).iter().find(|(_, one)| *one == name)?;
    Some(if compat { nr | COMPAT_BIT } else { *nr })
}

/// A call that returned. The first arguments are given, the others are 0.
fn called<'a>(name: &str, args: &[u64], result: i64) -> Record<'a> {
    let mut all = [0; 6];
    all[..args.len()].copy_from_slice(args);
    let nr = number(name, false).unwrap();
    Record::empty(head(nr, all, result), RecordKind::Syscall)
}

/// A text from user memory.
const fn given(bytes: &[u8]) -> Option<Part<'_>> {
    Some(Part { bytes, cut: false, user: true, deleted: false })
}

/// Knows a user, a process, a descriptor and the working directory.
struct Known;

impl Context for Known {
    fn user_name(&self, uid: u32) -> Option<&str> {
        (uid == 33).then_some("www-data")
    }

    fn group_name(&self, gid: u32) -> Option<&str> {
        (gid == 33).then_some("www")
    }

    fn process_name(&self, pid: u32) -> Option<&[u8]> {
        (pid == 77).then_some(b"sshd")
    }

    fn descriptor(&self, fd: i32) -> Option<Descriptor<'_>> {
        match fd {
            3 => Some(Descriptor { letter: 'f', protocol: None, name: b"/etc/passwd" }),
            4 => Some(Descriptor {
                letter: '4',
                protocol: Some('t'),
                name: b"1.2.3.4:5->6.7.8.9:10",
            }),
            _ => None,
        }
    }

    fn path(&self, which: Which) -> Option<&[u8]> {
        Some(match which {
            Which::First => b"/work/first",
            Which::Second => b"/work/second",
        })
    }
}

fn call(record: &Record<'_>) -> &'static Call {
    super::of_record(record).unwrap()
}

fn told(record: &Record<'_>, param: &str, context: &dyn Context) -> Option<String> {
    let mut out = b"before ".to_vec();
    let param = ParamId::named(param).unwrap();
    let has = super::text(call(record), record, param, context, &mut out);
    let text = String::from_utf8_lossy(&out).strip_prefix("before ").unwrap().to_owned();
    assert!(has || text.is_empty());
    has.then_some(text)
}

/// Checks the texts of parameters.
#[track_caller]
fn check(record: &Record<'_>, expected: &[(&str, &str)]) {
    for (param, text) in expected {
        assert_eq!(told(record, param, &Known).as_deref(), Some(*text), "{param}");
    }
}

/// Checks that parameters are not told.
#[track_caller]
fn check_untold(record: &Record<'_>, params: &[&str]) {
    for param in params {
        assert_eq!(told(record, param, &Known), None, "{param}");
    }
}

/// Checks all parameters at once.
#[track_caller]
fn check_args(record: &Record<'_>, expected: &str) {
    let mut out = Vec::new();
    super::args(call(record), record, &Known, &mut out);
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

/// Checks the value of a parameter.
#[track_caller]
fn check_raw(record: &Record<'_>, param: &str, expected: Option<Value<'_>>) {
    let param = ParamId::named(param).unwrap();
    assert_eq!(super::raw(call(record), record, param), expected);
}
