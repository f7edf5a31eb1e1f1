//! Everything else: descriptors, memory, the kernel, requests of `io_uring`.

use landlord_ebpf::abi::RecordKind;

use super::{called, check, check_args, check_raw, check_untold, given, head};
use crate::event::Record;
use crate::rules::event_type::EventType;
use crate::rules::value::Value;

#[test]
fn descriptors() {
    check_args(
        &called("dup3", &[3, 1, 0o2_000_000], 1),
        "res=1 oldfd=3(<f>/etc/passwd) newfd=1 flags=524288(O_CLOEXEC) ",
    );
    check_args(&called("close", &[9], -9), "res=-9(EBADF) fd=9 ");
    check(&called("fcntl", &[3, 1030], 4), &[("cmd", "F_DUPFD_CLOEXEC")]);
    check(&called("lseek", &[3, u64::MAX, 2], 0), &[("whence", "SEEK_END")]);
    let mut record = called("pipe2", &[0, 0o4000], 0);
    record.structure = given(&[3, 0, 0, 0, 4, 0, 0, 0]);
    if cfg!(target_endian = "little") {
        check(&record, &[("fd1", "<f>/etc/passwd"), ("flags", "O_NONBLOCK")]);
    }
    let mut record = called("read", &[3, 0, 100], 4);
    record.buffer = given(b"root");
    check_args(&record, "res=4 data=root fd=3(<f>/etc/passwd) size=100 ");
}

#[test]
fn memory() {
    check(
        &called("mmap", &[0x7f00_0000_0000, 4096, 5, 0x22, u64::MAX, 0], 0x7f00_0000_0000),
        &[
            ("addr", "7F0000000000"),
            ("length", "4096"),
            ("prot", "PROT_READ|PROT_EXEC"),
            ("flags", "MAP_PRIVATE|MAP_ANONYMOUS"),
            ("fd", "EPERM"),
        ],
    );
    check(&called("mprotect", &[0, 1, 0], 0), &[("prot", "PROT_NONE")]);
    check(&called("memfd_create", &[0, 3], 3), &[("flags", "MFD_CLOEXEC|MFD_ALLOW_SEALING")]);
}

#[test]
fn the_kernel() {
    check(&called("bpf", &[5, 0, 120], 9), &[("cmd", "BPF_PROG_LOAD"), ("fd", "9")]);
    check_raw(&called("bpf", &[5, 0, 120], 9), "cmd", Some(Value::Int(5)));
    check(
        &called("userfaultfd", &[0o2_000_001], 6),
        &[("flags", "O_CLOEXEC|UFFD_USER_MODE_ONLY"), ("res", "6")],
    );
    let mut record = called("init_module", &[0, 9000, 0], 0);
    record.raw = given(b"a=1");
    record.buffer = given(b"\x7fELF");
    check(&record, &[("uargs", "a=1"), ("img", ".ELF"), ("length", "9000")]);
    let mut record = called("delete_module", &[0, 0o4000], 0);
    record.raw = given(b"dm_mod");
    check(&record, &[("name", "dm_mod"), ("flags", "O_NONBLOCK")]);
    check(
        &called("io_uring_register", &[3, 1], 0),
        &[("opcode", "IORING_UNREGISTER_BUFFERS"), ("fd", "<f>/etc/passwd")],
    );
    let record = called("quotactl", &[0x8000_0201, 0, 33], 0);
    check(&record, &[("cmd", "Q_QUOTAON"), ("type", "GRPQUOTA"), ("id", "33")]);
    check(&called("getpid", &[], 7), &[("res", "7")]);
}

#[test]
fn requests_tell_what_the_record_carries() {
    let mut record = Record::empty(head(18, [3; 6], 0), RecordKind::IoUring);
    record.raw = given(b"a");
    assert_eq!(super::call(&record).event_type.name(), "openat");
    assert_eq!(super::call(&record).subject(&record), None);
    check(&record, &[("name", "/work/first"), ("dirfd", "<f>/etc/passwd")]);
    check_untold(&record, &["fd", "flags", "res"]);
    let mut record = Record::empty(head(16, [4, 0, 0, 0, 0, 0], 0), RecordKind::IoUring);
    assert_eq!(super::call(&record).subject(&record), Some(4));
    check(&record, &[("fd", "<4t>1.2.3.4:5->6.7.8.9:10")]);
    record.head.args[0] = u64::MAX;
    check_untold(&record, &["fd"]);
    let connect = EventType::named("connect").unwrap();
    assert_eq!(crate::calls::requests(connect).collect::<Vec<_>>(), [16]);
    let unknown = Record::empty(head(0, [0; 6], 0), RecordKind::IoUring);
    assert!(crate::calls::of_record(&unknown).is_none());
    let unknown = Record::empty(head(u32::MAX, [0; 6], 0), RecordKind::IoUring);
    assert!(crate::calls::of_record(&unknown).is_none());
}
