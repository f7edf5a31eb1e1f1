//! Names of what is asked of memory, `bpf`, `io_uring` and quotas.

use super::Names;

/// Of `bpf`.
pub(in crate::calls) const BPF: Names = Names(&[
    ("BPF_MAP_CREATE", 0),
    ("BPF_MAP_LOOKUP_ELEM", 1),
    ("BPF_MAP_UPDATE_ELEM", 2),
    ("BPF_MAP_DELETE_ELEM", 3),
    ("BPF_MAP_GET_NEXT_KEY", 4),
    ("BPF_PROG_LOAD", 5),
    ("BPF_OBJ_PIN", 6),
    ("BPF_OBJ_GET", 7),
    ("BPF_PROG_ATTACH", 8),
    ("BPF_PROG_DETACH", 9),
    ("BPF_PROG_TEST_RUN", 10),
    ("BPF_PROG_GET_NEXT_ID", 11),
    ("BPF_MAP_GET_NEXT_ID", 12),
    ("BPF_PROG_GET_FD_BY_ID", 13),
    ("BPF_MAP_GET_FD_BY_ID", 14),
    ("BPF_OBJ_GET_INFO_BY_FD", 15),
    ("BPF_PROG_QUERY", 16),
    ("BPF_RAW_TRACEPOINT_OPEN", 17),
    ("BPF_BTF_LOAD", 18),
    ("BPF_BTF_GET_FD_BY_ID", 19),
    ("BPF_TASK_FD_QUERY", 20),
    ("BPF_MAP_LOOKUP_AND_DELETE_ELEM", 21),
    ("BPF_MAP_FREEZE", 22),
    ("BPF_BTF_GET_NEXT_ID", 23),
    ("BPF_MAP_LOOKUP_BATCH", 24),
    ("BPF_MAP_LOOKUP_AND_DELETE_BATCH", 25),
    ("BPF_MAP_UPDATE_BATCH", 26),
    ("BPF_MAP_DELETE_BATCH", 27),
    ("BPF_LINK_CREATE", 28),
    ("BPF_LINK_UPDATE", 29),
    ("BPF_LINK_GET_FD_BY_ID", 30),
    ("BPF_LINK_GET_NEXT_ID", 31),
    ("BPF_ENABLE_STATS", 32),
    ("BPF_ITER_CREATE", 33),
    ("BPF_LINK_DETACH", 34),
    ("BPF_PROG_BIND_MAP", 35),
    ("BPF_TOKEN_CREATE", 36),
    ("BPF_PROG_STREAM_READ_BY_FD", 37),
]);

/// Of `userfaultfd`. Falco does not know the last.
pub(in crate::calls) const USERFAULT: Names =
    Names(&[("O_NONBLOCK", 0o4000), ("O_CLOEXEC", 0o2_000_000), ("UFFD_USER_MODE_ONLY", 1)]);

/// Protection of memory.
pub(in crate::calls) const PROT: Names = Names(&[
    ("PROT_READ", 1),
    ("PROT_WRITE", 2),
    ("PROT_EXEC", 4),
    ("PROT_SEM", 8),
    ("PROT_GROWSDOWN", 0x0100_0000),
    ("PROT_GROWSUP", 0x0200_0000),
    ("PROT_NONE", 0),
]);

/// Only x86 has it; elsewhere a bit that no flags have.
const MAP_32BIT: u64 = if cfg!(target_arch = "x86_64") { 0x40 } else { 1 << 63 };

/// Of `mmap`.
pub(in crate::calls) const MAP: Names = Names(&[
    ("MAP_SHARED", 0x1),
    ("MAP_PRIVATE", 0x2),
    ("MAP_FIXED", 0x10),
    ("MAP_ANONYMOUS", 0x20),
    ("MAP_32BIT", MAP_32BIT),
    ("MAP_NORESERVE", 0x4000),
    ("MAP_POPULATE", 0x8000),
    ("MAP_NONBLOCK", 0x10000),
    ("MAP_GROWSDOWN", 0x100),
    ("MAP_DENYWRITE", 0x800),
    ("MAP_EXECUTABLE", 0x1000),
    ("MAP_LOCKED", 0x2000),
    ("MAP_STACK", 0x20000),
    ("MAP_HUGETLB", 0x40000),
    ("MAP_FIXED_NOREPLACE", 0x10_0000),
]);

/// Of `mlockall`.
pub(in crate::calls) const MCL: Names =
    Names(&[("MCL_CURRENT", 1), ("MCL_FUTURE", 2), ("MCL_ONFAULT", 4)]);

/// Of `mlock2`.
pub(in crate::calls) const MLOCK2: Names = Names(&[("MLOCK_ONFAULT", 1)]);

/// Of `splice`.
pub(in crate::calls) const SPLICE: Names = Names(&[
    ("SPLICE_F_MOVE", 1),
    ("SPLICE_F_NONBLOCK", 2),
    ("SPLICE_F_MORE", 4),
    ("SPLICE_F_GIFT", 8),
]);

/// Of `fsconfig`.
pub(in crate::calls) const FSCONFIG: Names = Names(&[
    ("FSCONFIG_SET_FLAG", 0),
    ("FSCONFIG_SET_STRING", 1),
    ("FSCONFIG_SET_BINARY", 2),
    ("FSCONFIG_SET_PATH", 3),
    ("FSCONFIG_SET_PATH_EMPTY", 4),
    ("FSCONFIG_SET_FD", 5),
    ("FSCONFIG_CMD_CREATE", 6),
    ("FSCONFIG_CMD_RECONFIGURE", 7),
    ("FSCONFIG_CMD_CREATE_EXCL", 8),
]);

/// Of `io_uring_setup`.
pub(in crate::calls) const URING_SETUP: Names = Names(&[
    ("IORING_SETUP_IOPOLL", 1),
    ("IORING_SETUP_SQPOLL", 1 << 1),
    ("IORING_SETUP_SQ_AFF", 1 << 2),
    ("IORING_SETUP_CQSIZE", 1 << 3),
    ("IORING_SETUP_CLAMP", 1 << 4),
    ("IORING_SETUP_ATTACH_WQ", 1 << 5),
    ("IORING_SETUP_R_DISABLED", 1 << 6),
    ("IORING_SETUP_SUBMIT_ALL", 1 << 7),
    ("IORING_SETUP_COOP_TASKRUN", 1 << 8),
    ("IORING_SETUP_TASKRUN_FLAG", 1 << 9),
    ("IORING_SETUP_SQE128", 1 << 10),
    ("IORING_SETUP_CQE32", 1 << 11),
    ("IORING_SETUP_SINGLE_ISSUER", 1 << 12),
    ("IORING_SETUP_DEFER_TASKRUN", 1 << 13),
    ("IORING_SETUP_NO_MMAP", 1 << 14),
    ("IORING_SETUP_REGISTERED_FD_ONLY", 1 << 15),
    ("IORING_SETUP_NO_SQARRAY", 1 << 16),
]);

/// Of `io_uring_setup`, which the kernel answers with.
pub(in crate::calls) const URING_FEATURES: Names = Names(&[
    ("IORING_FEAT_SINGLE_MMAP", 1),
    ("IORING_FEAT_NODROP", 1 << 1),
    ("IORING_FEAT_SUBMIT_STABLE", 1 << 2),
    ("IORING_FEAT_RW_CUR_POS", 1 << 3),
    ("IORING_FEAT_CUR_PERSONALITY", 1 << 4),
    ("IORING_FEAT_FAST_POLL", 1 << 5),
    ("IORING_FEAT_POLL_32BITS", 1 << 6),
    ("IORING_FEAT_SQPOLL_NONFIXED", 1 << 7),
    ("IORING_FEAT_EXT_ARG", 1 << 8),
    ("IORING_FEAT_NATIVE_WORKERS", 1 << 9),
    ("IORING_FEAT_RSRC_TAGS", 1 << 10),
    ("IORING_FEAT_CQE_SKIP", 1 << 11),
    ("IORING_FEAT_LINKED_FILE", 1 << 12),
    ("IORING_FEAT_REG_REG_RING", 1 << 13),
]);

/// Of `io_uring_enter`.
pub(in crate::calls) const URING_ENTER: Names = Names(&[
    ("IORING_ENTER_GETEVENTS", 1),
    ("IORING_ENTER_SQ_WAKEUP", 2),
    ("IORING_ENTER_SQ_WAIT", 4),
    ("IORING_ENTER_EXT_ARG", 8),
    ("IORING_ENTER_REGISTERED_RING", 16),
]);

/// Of `io_uring_register`.
pub(in crate::calls) const URING_REGISTER: Names = Names(&[
    ("IORING_REGISTER_BUFFERS", 0),
    ("IORING_UNREGISTER_BUFFERS", 1),
    ("IORING_REGISTER_FILES", 2),
    ("IORING_UNREGISTER_FILES", 3),
    ("IORING_REGISTER_EVENTFD", 4),
    ("IORING_UNREGISTER_EVENTFD", 5),
    ("IORING_REGISTER_FILES_UPDATE", 6),
    ("IORING_REGISTER_EVENTFD_ASYNC", 7),
    ("IORING_REGISTER_PROBE", 8),
    ("IORING_REGISTER_PERSONALITY", 9),
    ("IORING_UNREGISTER_PERSONALITY", 10),
    ("IORING_REGISTER_RESTRICTIONS", 11),
    ("IORING_REGISTER_ENABLE_RINGS", 12),
    ("IORING_REGISTER_FILES2", 13),
    ("IORING_REGISTER_FILES_UPDATE2", 14),
    ("IORING_REGISTER_BUFFERS2", 15),
    ("IORING_REGISTER_BUFFERS_UPDATE", 16),
    ("IORING_REGISTER_IOWQ_AFF", 17),
    ("IORING_UNREGISTER_IOWQ_AFF", 18),
    ("IORING_REGISTER_IOWQ_MAX_WORKERS", 19),
    ("IORING_REGISTER_RING_FDS", 20),
    ("IORING_UNREGISTER_RING_FDS", 21),
    ("IORING_REGISTER_PBUF_RING", 22),
    ("IORING_UNREGISTER_PBUF_RING", 23),
    ("IORING_REGISTER_SYNC_CANCEL", 24),
    ("IORING_REGISTER_FILE_ALLOC_RANGE", 25),
]);

/// Of `quotactl`, the command without the type that its lowest byte holds.
pub(in crate::calls) const QUOTA_CMD: Names = Names(&[
    ("Q_SYNC", 0x80_0001),
    ("Q_QUOTAON", 0x80_0002),
    ("Q_QUOTAOFF", 0x80_0003),
    ("Q_GETFMT", 0x80_0004),
    ("Q_GETINFO", 0x80_0005),
    ("Q_SETINFO", 0x80_0006),
    ("Q_GETQUOTA", 0x80_0007),
    ("Q_SETQUOTA", 0x80_0008),
    ("Q_GETNEXTQUOTA", 0x80_0009),
    ("Q_XQUOTAON", 0x5801),
    ("Q_XQUOTAOFF", 0x5802),
    ("Q_XGETQUOTA", 0x5803),
    ("Q_XSETQLIM", 0x5804),
    ("Q_XGETQSTAT", 0x5805),
    ("Q_XQUOTARM", 0x5806),
    ("Q_XQUOTASYNC", 0x5807),
]);

/// Of `quotactl`, whose quota.
pub(in crate::calls) const QUOTA_TYPE: Names =
    Names(&[("USRQUOTA", 0), ("GRPQUOTA", 1), ("PRJQUOTA", 2)]);
