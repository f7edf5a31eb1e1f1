//! Calls that change the kernel itself: modules, programs, rings, clocks.

use landlord_ebpf::abi::{NO_ARGUMENT, RESULT as RETURNED};

use super::{P, RES, Row, row};
use crate::calls::names;
use crate::calls::names::Names;
use crate::calls::param::{Form, GIVEN, NEW_FD, Source, What, fd, flags, hex, long, one, uint};
use crate::calls::reading::{path, simple};

const fn half(at: usize, form: Form) -> What {
    What::Number(Source::Half(at), form)
}

/// Of `delete_module`.
const DELETE: Names = Names(&[("O_NONBLOCK", 0o4000), ("O_TRUNC", 0o1000)]);

pub(super) const ROWS: &[Row] = &[
    row(&["bpf"], simple(RETURNED).keys(&[0]), &[(P::FD, NEW_FD), (P::CMD, one(0, names::BPF))]),
    row(
        &["init_module"],
        path(2, NO_ARGUMENT).buffer(0, 1),
        &[RES, (P::IMG, What::Buffer), (P::LENGTH, long(1)), (P::UARGS, GIVEN)],
    ),
    row(
        &["delete_module"],
        path(0, NO_ARGUMENT).keys(&[1]),
        &[RES, (P::NAME, GIVEN), (P::FLAGS, flags(1, DELETE))],
    ),
    row(&["perf_event_open", "fanotify_init", "landlock_create_ruleset"], simple(RETURNED), &[RES]),
    row(&["add_key", "request_key"], path(0, NO_ARGUMENT).and(1, NO_ARGUMENT), &[RES]),
    row(
        &["io_uring_setup"],
        simple(RETURNED).structure(1, 24),
        &[
            RES,
            (P::ENTRIES, uint(0)),
            (P::SQ_ENTRIES, half(0, Form::Uint)),
            (P::CQ_ENTRIES, half(4, Form::Uint)),
            (P::FLAGS, half(8, Form::Flags(names::URING_SETUP))),
            (P::SQ_THREAD_CPU, half(12, Form::Uint)),
            (P::SQ_THREAD_IDLE, half(16, Form::Uint)),
            (P::FEATURES, half(20, Form::Flags(names::URING_FEATURES))),
        ],
    ),
    row(
        &["io_uring_enter"],
        simple(0),
        &[
            RES,
            (P::FD, fd(0)),
            (P::TO_SUBMIT, uint(1)),
            (P::MIN_COMPLETE, uint(2)),
            (P::FLAGS, flags(3, names::URING_ENTER)),
        ],
    ),
    row(
        &["io_uring_register"],
        simple(0),
        &[
            RES,
            (P::FD, fd(0)),
            (P::OPCODE, one(1, names::URING_REGISTER)),
            (P::ARG, hex(2)),
            (P::NR_ARGS, uint(3)),
        ],
    ),
];
