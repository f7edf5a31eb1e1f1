//! What Falco's official rules ask of parameters, call by call.

use crate::calls::{numbers, of};
use crate::rules::event_type::{EventType, ParamId};
use crate::syscalls;

/// Types and a parameter that the rules ask of them, in conditions and outputs.
const ASKED: &[(&str, &[&str])] = &[
    ("flags", &["open", "openat", "openat2", "execve", "unshare", "userfaultfd"]),
    ("path", &["mkdir", "mkdirat", "unlink", "rmdir", "chdir", "open_by_handle_at"]),
    ("name", &["open", "openat", "openat2", "creat", "unlinkat"]),
    ("oldpath", &["rename", "renameat", "renameat2", "link", "linkat"]),
    ("newpath", &["rename", "renameat", "renameat2", "link", "linkat"]),
    ("uid", &["setuid"]),
    ("mode", &["chmod", "fchmod", "fchmodat"]),
    ("filename", &["chmod", "fchmodat"]),
    ("fd", &["fchmod", "open", "openat", "socket"]),
    ("request", &["ptrace"]),
    ("target", &["symlink", "symlinkat"]),
    ("linkpath", &["symlink", "symlinkat"]),
    ("cmd", &["bpf"]),
    ("domain", &["socket"]),
    ("nstype", &["setns"]),
    ("dev", &["mount"]),
    ("dir", &["mount"]),
    ("type", &["mount"]),
];

#[test]
fn every_parameter_of_the_official_rules_is_told() {
    for (param, types) in ASKED {
        let param = ParamId::named(param).unwrap();
        for name in *types {
            let event_type = EventType::named(name).unwrap();
            assert!(event_type.params().contains(&param), "{name} {}", param.name());
            let calls: Vec<u32> = numbers(event_type).collect();
            assert!(!calls.is_empty() || cfg!(target_arch = "aarch64"), "{name}");
            for call in calls {
                assert!(of(call).unwrap().what(param).is_some(), "{name} {}", param.name());
            }
        }
    }
}

#[test]
fn types_have_the_numbers_of_both_tables() {
    let check = |name: &str, expected: &[(&str, bool)]| {
        let event_type = EventType::named(name).unwrap();
        let mut expected: Vec<u32> =
            expected.iter().filter_map(|&(name, compat)| super::number(name, compat)).collect();
        expected.sort_unstable();
        assert_eq!(numbers(event_type).collect::<Vec<_>>(), expected, "{name}");
    };
    check("openat", &[("openat", false), ("openat", true)]);
    check("pread", &[("pread64", false), ("pread64", true)]);
    check("setuid", &[("setuid", false), ("setuid", true), ("setuid32", true)]);
    check("chown", &[("chown", false), ("chown", true), ("chown32", true)]);
    check("mmap2", &[("mmap2", true)]);
    check("umount", &[("umount", true)]);
    check("socketcall", &[("socketcall", true)]);
    check("procexit", &[]);
    check("chown32", &[]);
}

#[test]
fn every_call_of_both_tables_is_an_event() {
    for compat in [false, true] {
        for (_, name) in syscalls::calls(compat) {
            let nr = super::number(name, compat).unwrap();
            let call = of(nr).unwrap_or_else(|| panic!("{name}"));
            assert!(numbers(call.event_type).any(|one| one == nr), "{name}");
        }
    }
    for nr in [511, 512, 4000, 0x4000_0000, u32::MAX, u32::MAX >> 1] {
        assert!(of(nr).is_none(), "{nr}");
    }
}
