//! TCP connections: when each began, and at its end what went through it.
//!
//! Attached only where that is wanted. It runs at every change of a socket's state, most
//! of them in an interrupt: the running task is anybody, and whose a connection is says
//! the socket. Changes of other protocols pass here as well.

use aya_ebpf::{
    helpers::generated::{bpf_ktime_get_boot_ns, bpf_skc_to_tcp_sock},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use landlord_ebpf::abi::{
    Begun, CONNECTION, Connection, DROPPED_KIND, DropCause, ROOT_CGROUP, connection_side as side,
};

use super::{
    head, offsets as event, send,
    share::{Of, Standing},
};
use crate::{
    maps::{BEGUN, CALLS_RING},
    slots::add,
    task::{Access, Cgroup, Typed, Untyped},
};

/// States of `include/net/tcp_states.h`.
const ESTABLISHED: u64 = 1;
const SYN_SENT: u64 = 2;
const SYN_RECEIVED: u64 = 3;
const CLOSED: u64 = 7;
const LISTENS: u64 = 10;
const NEW_SYN_RECEIVED: u64 = 12;

const TCP: u16 = 6;
const AF_INET6: u16 = 10;
/// Bit of `sk_flags`, set when the other end's FIN was taken (`SOCK_DONE`).
const FIN_TAKEN: u64 = 1 << 1;
/// Low bits of what a socket says of its cgroup that make it something else, before 5.15.
const NO_CGROUP: u64 = 3;

/// `inet_sock_set_state(sk, oldstate, newstate)`: fires before the state is another.
#[btf_tracepoint(function = "inet_sock_set_state")]
fn event_connection(ctx: BtfTracePointContext) -> i32 {
    let sock: *const u8 = ctx.arg(0);
    let (before, now): (u64, u64) = (ctx.arg(1), ctx.arg(2));
    match now as u32 as u64 {
        ESTABLISHED => begun(sock, before as u32 as u64),
        CLOSED => ended(sock, before as u32 as u64),
        _ => {}
    }
    0
}

#[inline(always)]
fn begun(sock: *const u8, before: u64) {
    let side = match before {
        SYN_SENT => side::CLIENT,
        SYN_RECEIVED => side::SERVER,
        _ => return,
    };
    // SAFETY: a typed `sock`; offset resolved from BTF.
    if unsafe { Typed::word::<u16>(sock, event::sock_protocol()) } != TCP {
        return;
    }
    // SAFETY: the helper has no preconditions.
    let begun = Begun { start_ns: unsafe { bpf_ktime_get_boot_ns() }, side: u64::from(side) };
    // What may be left of an earlier socket at this address goes.
    match BEGUN.insert(sock as u64, begun, 0) {
        // One that finds no room is told to have begun unseen when it ends.
        Ok(()) | Err(_) => {}
    }
}

#[inline(always)]
fn ended(sock: *const u8, before: u64) {
    if matches!(before, SYN_SENT | SYN_RECEIVED | CLOSED | LISTENS | NEW_SYN_RECEIVED) {
        return;
    }
    // SAFETY: a typed `sock`; gives nothing for other protocols.
    let tcp = unsafe { bpf_skc_to_tcp_sock(sock.cast_mut().cast()) }.cast::<u8>().cast_const();
    if tcp.is_null() {
        return;
    }
    let key = sock as u64;
    let begun = match BEGUN.get_ptr(key) {
        // SAFETY: a map value, and nobody else's: a socket ends once.
        Some(begun) => unsafe { *begun },
        None => Begun { start_ns: 0, side: u64::from(side::UNKNOWN) },
    };
    if begun.start_ns != 0 && BEGUN.remove(key).is_err() {
        return;
    }
    // SAFETY: typed pointers to the same socket.
    unsafe { tell(sock, tcp, begun) }
}

/// Sends what is known of a connection that ends, or counts why it does not.
///
/// # Safety
///
/// Both are typed pointers to the same socket.
#[inline(always)]
unsafe fn tell(sock: *const u8, tcp: *const u8, begun: Begun) {
    // SAFETY: promised by the caller.
    let cgroup = unsafe { cgroup_of(sock) };
    let slot = head::slot_of(cgroup);
    let standing = Standing::of(&CALLS_RING);
    let bytes = size_of::<Connection>() as u64;
    let mut entry = None;
    if standing.has_room(Of::Calls, slot, bytes) {
        entry = CALLS_RING.reserve_untyped::<Connection>(0);
    }
    let Some(mut entry) = entry else {
        send::lost(cgroup, u32::from(CONNECTION) | DROPPED_KIND, DropCause::RingFull);
        return;
    };
    let told = entry.as_mut_ptr();
    // SAFETY: the record is the ring's until it is submitted, and every byte of it is
    // written; offsets resolved from BTF; the counts are a map value.
    unsafe {
        (*told).len = size_of::<Connection>() as u32;
        (*told).kind = CONNECTION;
        (*told).flags = 0;
        (*told).time_ns = bpf_ktime_get_boot_ns();
        (*told).cgroup = cgroup;
        (*told).start_ns = begun.start_ns;
        (*told).side = begun.side as u16;
        (*told).error = Typed::word(sock, event::sock_error());
        (*told).padding = 0;
        counted(sock, tcp, begun.side as u16, told);
        ends(sock, tcp, told);
        entry.submit(send::wake(&standing));
        standing.charge(Of::Calls, slot, bytes);
        if let Some(counts) = send::counts() {
            add(&raw mut (*counts).connections, 1);
        }
    }
}

/// Bytes of both directions, and the sequence numbers that both began with.
#[inline(always)]
unsafe fn counted(sock: *const u8, tcp: *const u8, side: u16, told: *mut Connection) {
    // SAFETY: as for the caller.
    unsafe {
        let sent: u64 = Typed::word(tcp, event::tcp_bytes_sent());
        let again: u64 = Typed::word(tcp, event::tcp_bytes_retransmitted());
        (*told).sent = sent.wrapping_sub(again);
        // All that moved the expected number on: the other end's FIN did so by one.
        let received: u64 = Typed::word(tcp, event::tcp_bytes_received());
        let flags: u64 = Typed::word(sock, event::sock_flags());
        let fin = u64::from(flags & FIN_TAKEN != 0);
        (*told).received = received.wrapping_sub(fin);
        // Both move on together with what is counted, from the first number on. The own SYN
        // is counted by who connected; who accepted begins behind it, and behind the other's.
        let own: u32 = Typed::word(tcp, event::tcp_unacknowledged());
        let acknowledged: u64 = Typed::word(tcp, event::tcp_bytes_acknowledged());
        let syn = u32::from(side == side::SERVER);
        (*told).local_isn = own.wrapping_sub(acknowledged as u32).wrapping_sub(syn);
        let expected: u32 = Typed::word(tcp, event::tcp_expected());
        (*told).remote_isn = expected.wrapping_sub(received as u32).wrapping_sub(1);
    }
}

/// Addresses and ports.
#[inline(always)]
unsafe fn ends(sock: *const u8, tcp: *const u8, told: *mut Connection) {
    // SAFETY: as for the caller.
    unsafe {
        let family: u16 = Typed::word(sock, event::sock_family());
        (*told).family = family;
        // The socket may have given its port back by now, but for this copy.
        (*told).local_port = Typed::word::<u16>(tcp, event::inet_port()).swap_bytes();
        (*told).remote_port = Typed::word::<u16>(sock, event::sock_remote_port()).swap_bytes();
        let local = (&raw mut (*told).local).cast::<u64>();
        let remote = (&raw mut (*told).remote).cast::<u64>();
        if family == AF_INET6 {
            *local = Untyped::word(sock, event::sock_local6());
            *local.add(1) = Untyped::word(sock, event::sock_local6() + 8);
            *remote = Untyped::word(sock, event::sock_remote6());
            *remote.add(1) = Untyped::word(sock, event::sock_remote6() + 8);
        } else {
            *local = u64::from(Typed::word::<u32>(sock, event::sock_local4()));
            *local.add(1) = 0;
            *remote = u64::from(Typed::word::<u32>(sock, event::sock_remote4()));
            *remote.add(1) = 0;
        }
    }
}

/// Id of the cgroup that a socket is charged to.
#[inline(always)]
unsafe fn cgroup_of(sock: *const u8) -> u64 {
    // SAFETY: offset resolved from BTF; before 5.15 it is no pointer that has a type.
    unsafe {
        let cgroup: u64 = Untyped::word(sock, event::sock_cgroup());
        if cgroup == 0 || cgroup & NO_CGROUP != 0 {
            return ROOT_CGROUP;
        }
        Cgroup(cgroup as *const u8).id::<Untyped>()
    }
}
