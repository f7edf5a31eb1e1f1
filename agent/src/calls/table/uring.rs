//! Requests of `io_uring`: the call that each stands for.
//!
//! A request is told when it is handed over, so its result is not known. Registers it
//! has none; where a call's first argument would be, the record has the request's
//! descriptor.

use landlord_ebpf::abi::Plan;

use super::{Call, P, Param};
use crate::calls::param::{Form, GIVEN, PATH, PATH2, What, fact};
use crate::calls::reading::{Reading, SIMPLE, simple};
use crate::event::Record;
use crate::rules::event_type::EventType;

/// The descriptor of the request: that of the directory where paths are given.
fn descriptor(record: &Record<'_>) -> Option<u64> {
    record.head.args.first().copied().filter(|descriptor| *descriptor != u64::MAX)
}

const REQUEST_FD: What = fact(descriptor, Form::Fd);
const FD: Param = (P::FD, REQUEST_FD);
const DIRFD: Param = (P::DIRFD, REQUEST_FD);
const TUPLE: Param = (P::TUPLE, What::Tuple);
const ADDR: Param = (P::ADDR, What::Address);

/// Not about a descriptor.
const NONE: &[Param] = &[];
const ON_FD: &[Param] = &[FD];
const NAME: &[Param] = &[DIRFD, (P::NAME, PATH)];
const MOVED: &[Param] = &[(P::OLDDIRFD, REQUEST_FD), (P::OLDPATH, PATH), (P::NEWPATH, PATH2)];
const LINKED: &[Param] = &[(P::OLDDIR, REQUEST_FD), (P::OLDPATH, PATH), (P::NEWPATH, PATH2)];
const MESSAGE: &[Param] = &[FD, TUPLE];

/// Opcode, the call's name, and what is told of it. Sorted.
const REQUESTS: &[(usize, &str, &[Param])] = &[
    (1, "readv", ON_FD),
    (2, "writev", ON_FD),
    (3, "fsync", NONE),
    (4, "read", ON_FD),
    (5, "write", ON_FD),
    (8, "sync_file_range", NONE),
    (9, "sendmsg", MESSAGE),
    (10, "recvmsg", MESSAGE),
    (13, "accept4", &[TUPLE]),
    (16, "connect", &[FD, TUPLE, ADDR]),
    (17, "fallocate", NONE),
    (18, "openat", NAME),
    (19, "close", ON_FD),
    (21, "statx", NONE),
    (22, "read", ON_FD),
    (23, "write", ON_FD),
    (24, "fadvise64", NONE),
    (25, "madvise", NONE),
    (26, "sendto", MESSAGE),
    (27, "recvfrom", MESSAGE),
    (28, "openat2", NAME),
    (29, "epoll_ctl", NONE),
    (30, "splice", NONE),
    (33, "tee", NONE),
    (34, "shutdown", ON_FD),
    (35, "renameat2", MOVED),
    (36, "unlinkat", NAME),
    (37, "mkdirat", &[DIRFD, (P::PATH, PATH)]),
    (38, "symlinkat", &[(P::TARGET, GIVEN), (P::LINKPATH, PATH2)]),
    (39, "linkat", LINKED),
    (41, "fsetxattr", NONE),
    (42, "setxattr", NONE),
    (43, "fgetxattr", NONE),
    (44, "getxattr", NONE),
    (45, "socket", NONE),
    (47, "sendto", MESSAGE),
    (48, "sendmsg", MESSAGE),
    (49, "read", ON_FD),
    (50, "waitid", NONE),
    (51, "futex_wait", NONE),
    (52, "futex_wake", NONE),
    (53, "futex_waitv", NONE),
    (55, "ftruncate", NONE),
    (56, "bind", &[FD, ADDR]),
    (57, "listen", ON_FD),
    (58, "recvfrom", MESSAGE),
    (59, "epoll_wait", NONE),
    (60, "readv", ON_FD),
    (61, "writev", ON_FD),
    (62, "pipe2", NONE),
];

/// By opcode.
pub(super) fn requests() -> Box<[Option<Call>]> {
    let count = REQUESTS.last().map_or(0, |last| last.0 + 1);
    let call = |opcode: usize| {
        let at = REQUESTS.binary_search_by_key(&opcode, |row| row.0).ok()?;
        let (_, name, params) = REQUESTS[at];
        let event_type = EventType::named(name)?;
        Some(Call { event_type, plan: plan(params), params, short_ids: false })
    };
    (0..count).map(call).collect()
}

/// Nothing is read, but the descriptor stands where a plan may name it.
fn plan(params: &[Param]) -> Plan {
    let has_fd = params.iter().any(|(param, _)| *param == P::FD);
    let Reading(plan) = if has_fd { simple(0) } else { SIMPLE };
    plan
}

#[cfg(test)]
mod tests {
    use super::{REQUESTS, requests};

    #[test]
    fn every_request_is_a_call() {
        assert!(REQUESTS.is_sorted_by(|a, b| a.0 < b.0));
        let calls = requests();
        for (opcode, name, params) in REQUESTS {
            let call = calls[*opcode].as_ref().unwrap();
            assert!(call.event_type.name() == *name, "{name}");
            for (param, _) in *params {
                assert!(call.event_type.params().contains(param), "{name}.{}", param.name());
            }
        }
    }
}
