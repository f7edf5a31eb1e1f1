//! The socket behind a descriptor, and the address that a call was given.

use aya_ebpf::{
    helpers::generated::bpf_probe_read_user, macros::btf_tracepoint, programs::BtfTracePointContext,
};
use landlord_ebpf::abi::{
    ADDRESS_BYTES_MAX, COMPAT_BIT, NO_ARGUMENT, RESULT, Section, plan_flag, stage,
};

use super::{
    Scratch, argument, jump,
    kernel::{self, Part},
    offsets as event,
    scratch::{self, subject},
    section,
};
use crate::task::{Access as _, Untyped};

const FILE_TYPE: u32 = 0o170_000;
const SOCKET_TYPE: u32 = 0o140_000;
const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
/// Bytes of `sockaddr` before what its family says.
const FAMILY_BYTES: u32 = 2;
/// Longest name of a unix socket, and the zero that the kernel adds.
const NAME_BYTES_MAX: u32 = 109;
/// No address is longer (`struct sockaddr_storage`), and no pointer as small.
const LENGTH_MAX: u64 = 128;

#[btf_tracepoint(function = "sys_exit")]
fn event_socket(ctx: BtfTracePointContext) -> i32 {
    let Some(scratch) = scratch::of_call() else { return 0 };
    // SAFETY: this CPU's scratch.
    unsafe {
        let number = (*scratch).plan.fd;
        let socket = match number {
            NO_ARGUMENT => 0,
            RESULT => find(scratch, (*scratch).head.result as u64),
            _ => find(scratch, argument(scratch, number)),
        };
        let mut family = 0;
        if socket != 0 {
            if facts(scratch, socket) {
                family = (*scratch).socket.family;
                (*scratch).subject = subject::SOCKET;
                section::put(scratch, Section::Socket, &(*scratch).socket);
            } else {
                (*scratch).doubtful = 1;
            }
        }
        (*scratch).key_from = (*scratch).len;
        if (*scratch).plan.address != NO_ARGUMENT {
            address(scratch);
        }
        if family == AF_UNIX && event::has_unix() != 0 {
            unix(scratch, socket);
        }
    }
    jump::<{ stage::JUDGE }>(&ctx)
}

/// `struct sock` of a descriptor; 0 when it is not a socket. Its inode number is
/// noted.
#[inline(always)]
unsafe fn find(scratch: *mut Scratch, descriptor: u64) -> u64 {
    // SAFETY: this CPU's scratch; members inside their parts.
    unsafe {
        let file = kernel::file_of(descriptor);
        if file == 0 {
            return 0;
        }
        let inode: u64 = Untyped::word(file as *const u8, event::file_inode());
        let (from, bytes) = (event::inode_part(), event::inode_part_bytes());
        let Some(part) = Part::copy(scratch, inode, from, bytes) else { return 0 };
        if u32::from(part.member::<u16>(event::inode_mode())) & FILE_TYPE != SOCKET_TYPE {
            return 0;
        }
        (*scratch).socket.ino = part.member(event::inode_ino());
        let socket: u64 = Untyped::word(file as *const u8, event::file_private());
        let (from, bytes) = (event::socket_part(), event::socket_part_bytes());
        let Some(part) = Part::copy(scratch, socket, from, bytes) else { return 0 };
        // A socket's file of a file system, opened as a path, is not one.
        if part.member::<u64>(event::socket_file()) != file {
            return 0;
        }
        part.member(event::socket_sock())
    }
}

/// Reads what there is to know of a `struct sock`.
#[inline(always)]
unsafe fn facts(scratch: *mut Scratch, sock: u64) -> bool {
    // SAFETY: this CPU's scratch; members inside the part.
    unsafe {
        let facts = &raw mut (*scratch).socket;
        let base = sock as *const u8;
        (*facts).kind = Untyped::word(base, event::sock_type());
        (*facts).protocol = Untyped::word(base, event::sock_protocol());
        (*facts).padding = 0;
        (*facts).local = [0; 16];
        (*facts).remote = [0; 16];
        (*facts).local_port = 0;
        (*facts).remote_port = 0;
        let (from, bytes) = (event::sock_part(), event::sock_part_bytes());
        let Some(part) = Part::copy(scratch, sock, from, bytes) else { return false };
        let family: u16 = part.member(event::sock_family());
        (*facts).family = family;
        (*facts).state = u16::from(part.member::<u8>(event::sock_state()));
        if family != AF_INET && family != AF_INET6 {
            return true;
        }
        (*facts).local_port = part.member(event::sock_local_port());
        (*facts).remote_port = part.member::<u16>(event::sock_remote_port()).swap_bytes();
        let local = (&raw mut (*facts).local).cast::<u32>();
        let remote = (&raw mut (*facts).remote).cast::<u32>();
        if family == AF_INET {
            *remote = part.member(event::sock_remote4());
            *local = part.member(event::sock_local4());
            if *local == 0 {
                // Of a connected datagram socket that is bound to no address.
                *local = Untyped::word(base, event::inet_local());
            }
            return true;
        }
        for word in 0..4 {
            *remote.add(word as usize) = part.member(event::sock_remote6() + word * 4);
            *local.add(word as usize) = part.member(event::sock_local6() + word * 4);
        }
        if (*facts).local == [0; 16] {
            let inner: u64 = Untyped::word(base, event::inet_inet6());
            if inner != 0 {
                for word in 0..4 {
                    let offset = event::inet6_local() + word * 4;
                    *local.add(word as usize) = Untyped::word(inner as *const u8, offset);
                }
            }
        }
        true
    }
}

/// Adds the paths of both ends of a unix socket.
#[inline(always)]
unsafe fn unix(scratch: *mut Scratch, sock: u64) {
    // SAFETY: this CPU's scratch; the helper checks the addresses.
    unsafe {
        name(scratch, Section::UnixPath, sock);
        let peer: u64 = Untyped::word(sock as *const u8, event::unix_peer());
        if peer != 0 {
            name(scratch, Section::UnixPeerPath, peer);
        }
    }
}

#[inline(always)]
unsafe fn name(scratch: *mut Scratch, kind: Section, sock: u64) {
    // SAFETY: as above.
    unsafe {
        let address: u64 = Untyped::word(sock as *const u8, event::unix_address());
        if address == 0 {
            return;
        }
        let base = address as *const u8;
        let len: u32 = Untyped::word(base, event::unix_address_len());
        if len <= FAMILY_BYTES || len > FAMILY_BYTES + NAME_BYTES_MAX {
            return;
        }
        let mut len = len - FAMILY_BYTES;
        let from = event::unix_address_name() + FAMILY_BYTES;
        // A path ends with a zero; an abstract name begins with one and has no end.
        if Untyped::word::<u8>(base, from) != 0 {
            len -= 1;
        }
        section::put_kernel(scratch, kind as u32, 0, base.add(from as usize), len);
    }
}

/// Adds the address that the call was given, or gave. It belongs to the verdict's
/// key, but for the other end's port where that is any port of a client's.
#[inline(always)]
unsafe fn address(scratch: *mut Scratch) {
    // SAFETY: this CPU's scratch; the helper checks the address.
    unsafe {
        let (from, len) = given(scratch);
        if from == 0 {
            return;
        }
        section::put_user::<{ ADDRESS_BYTES_MAX as u32 }>(scratch, Section::Address, from, len);
        let server = (*scratch).plan.flags & plan_flag::SERVER != 0;
        if !server || (*scratch).head.result < 0 || (*scratch).subject != subject::SOCKET {
            return;
        }
        // The kernel's facts tell the same, but for a datagram's sender.
        let facts = &raw mut (*scratch).socket;
        if (*facts).remote_port == 0 {
            let words = section::words(scratch, (*scratch).key_from);
            let to = (&raw mut (*facts).remote).cast::<u32>();
            if (*facts).family == AF_INET {
                *to = core::ptr::read_volatile(words.add(1));
            } else if (*facts).family == AF_INET6 {
                for word in 0..4 {
                    *to.add(word) = core::ptr::read_volatile(words.add(2 + word));
                }
            }
        }
        (*scratch).key_from = (*scratch).len;
    }
}

/// Where an address is in the process's memory, and its length.
#[inline(always)]
unsafe fn given(scratch: *mut Scratch) -> (u64, u64) {
    // SAFETY: this CPU's scratch; the helper checks the addresses.
    unsafe {
        let plan = &raw const (*scratch).plan;
        let from = argument(scratch, (*plan).address);
        if (*plan).flags & plan_flag::MESSAGE == 0 {
            let mut len = match (*plan).address_len {
                NO_ARGUMENT => ADDRESS_BYTES_MAX as u64,
                number => argument(scratch, number),
            };
            if len > LENGTH_MAX {
                let mut told = 0_u32;
                bpf_probe_read_user((&raw mut told).cast(), 4, len as *const _);
                len = u64::from(told);
            }
            return (from, len);
        }
        // `struct msghdr` begins with the address and its length.
        let mut message = [0_u64; 2];
        if (*scratch).head.syscall & COMPAT_BIT != 0 {
            bpf_probe_read_user(message.as_mut_ptr().cast(), 8, from as *const _);
            (message[0] & 0xffff_ffff, message[0] >> 32)
        } else {
            bpf_probe_read_user(message.as_mut_ptr().cast(), 16, from as *const _);
            (message[0], message[1] & 0xffff_ffff)
        }
    }
}
