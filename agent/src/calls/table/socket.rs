//! Calls of sockets.

use landlord_ebpf::abi::RESULT as RETURNED;

use super::{P, Param, RES, Row, row};
use crate::calls::names;
use crate::calls::param::{Form, NEW_FD, Source, What, fd, flags, int, one, uint};
use crate::calls::reading::{SIMPLE, server, socket};

const FD: Param = (P::FD, fd(0));
const DATA: Param = (P::DATA, What::Buffer);
const SIZE: Param = (P::SIZE, uint(2));
const TUPLE: Param = (P::TUPLE, What::Tuple);
const ADDR: Param = (P::ADDR, What::Address);
const OPTION: [Param; 2] = [
    (P::LEVEL, one(1, names::LEVEL)),
    (P::OPTNAME, What::Number(Source::Arg(2), Form::SocketOption)),
];
/// The option's value, of which only the first 32 bits are told.
const VAL: Param = (P::VAL, half(0, Form::Int));

const fn half(at: usize, form: Form) -> What {
    What::Number(Source::Half(at), form)
}

pub(super) const ROWS: &[Row] = &[
    row(
        &["socket"],
        socket(RETURNED).keys(&[0, 1, 2]),
        &[
            (P::FD, NEW_FD),
            (P::DOMAIN, one(0, names::DOMAIN)),
            (P::TYPE, flags(1, names::TYPE)),
            (P::PROTO, uint(2)),
        ],
    ),
    row(
        &["socketpair"],
        SIMPLE.structure(3, 8),
        &[
            RES,
            (P::FD1, half(0, Form::Fd)),
            (P::FD2, half(4, Form::Fd)),
            (P::DOMAIN, one(0, names::DOMAIN)),
            (P::TYPE, flags(1, names::TYPE)),
            (P::PROTO, uint(2)),
        ],
    ),
    row(&["connect"], socket(0).address(1, 2), &[RES, TUPLE, FD, ADDR]),
    row(&["accept"], server(RETURNED).address(1, 2), &[(P::FD, NEW_FD), TUPLE]),
    row(
        &["accept4"],
        server(RETURNED).address(1, 2).keys(&[3]),
        &[(P::FD, NEW_FD), TUPLE, (P::FLAGS, flags(3, names::TYPE))],
    ),
    row(&["bind"], server(0).address(1, 2), &[RES, ADDR, FD]),
    row(&["listen"], server(0).keys(&[1]), &[RES, FD, (P::BACKLOG, int(1))]),
    row(&["send"], socket(0).buffer(1, 2), &[RES, DATA, FD, SIZE, TUPLE]),
    row(&["sendto"], socket(0).buffer(1, 2).address(4, 5), &[RES, DATA, FD, SIZE, TUPLE]),
    row(&["sendmsg", "sendmmsg"], socket(0).message(1), &[RES, FD, TUPLE]),
    row(&["recv"], socket(0).buffer(1, RETURNED), &[RES, DATA, FD, SIZE, TUPLE]),
    row(&["recvfrom"], socket(0).buffer(1, RETURNED).address(4, 5), &[RES, DATA, TUPLE, FD, SIZE]),
    row(&["recvmsg", "recvmmsg", "recvmmsg_time64"], socket(0).message(1), &[RES, FD, TUPLE]),
    row(&["shutdown"], socket(0).keys(&[1]), &[RES, FD, (P::HOW, one(1, names::SHUT))]),
    row(
        &["setsockopt"],
        socket(0).structure(3, 4).keys(&[1, 2]),
        &[RES, FD, OPTION[0], OPTION[1], VAL, (P::OPTLEN, uint(4))],
    ),
    row(
        &["getsockopt"],
        socket(0).structure(3, 4).keys(&[1, 2]),
        &[RES, FD, OPTION[0], OPTION[1], VAL],
    ),
    row(&["getsockname", "getpeername"], socket(0), &[]),
];
