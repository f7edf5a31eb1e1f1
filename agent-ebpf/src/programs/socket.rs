//! Bytes and packets of every socket, by the cgroup that made the socket.
//!
//! Attached once, at the root of the hierarchy. Sees what passes a socket's
//! filter: packets of dead connections that the kernel answers by itself belong
//! to nobody's socket and are not counted.

use aya_ebpf::{helpers::bpf_skb_cgroup_id, macros::cgroup_skb, programs::SkBuffContext};
use landlord_ebpf::abi::{NetUsage, Traffic};

use crate::{
    maps::NET,
    slots::{add, slot_cell, slot_of},
};

/// Let the packet pass.
const PASS: i32 = 1;
/// `ETH_P_IP` in network byte order.
const IPV4: u32 = 0x0800_u16.to_be() as u32;
/// `ETH_P_IPV6` in network byte order.
const IPV6: u32 = 0x86dd_u16.to_be() as u32;

#[cgroup_skb(egress)]
fn meter_egress(ctx: SkBuffContext) -> i32 {
    if let Some(usage) = usage_of(&ctx) {
        // SAFETY: a map value.
        unsafe {
            match ctx.skb.protocol() {
                IPV4 => count(&raw mut (*usage).transmit_ipv4, &ctx),
                IPV6 => count(&raw mut (*usage).transmit_ipv6, &ctx),
                _ => {}
            }
        }
    }
    PASS
}

#[cgroup_skb(ingress)]
fn meter_ingress(ctx: SkBuffContext) -> i32 {
    if let Some(usage) = usage_of(&ctx) {
        // SAFETY: a map value.
        unsafe {
            match ctx.skb.protocol() {
                IPV4 => count(&raw mut (*usage).receive_ipv4, &ctx),
                IPV6 => count(&raw mut (*usage).receive_ipv6, &ctx),
                _ => {}
            }
        }
    }
    PASS
}

#[inline(always)]
fn usage_of(ctx: &SkBuffContext) -> Option<*mut NetUsage> {
    // SAFETY: the context's own socket buffer.
    let cgroup = unsafe { bpf_skb_cgroup_id(ctx.skb.skb) };
    NET.get_ptr_mut(slot_cell(slot_of(cgroup)))
}

/// Atomic, because a packet sent by a task can be interrupted by one that the
/// same cgroup receives or acknowledges on the same CPU.
#[inline(always)]
unsafe fn count(traffic: *mut Traffic, ctx: &SkBuffContext) {
    // SAFETY: the caller passes a map value.
    unsafe {
        add(&raw mut (*traffic).bytes, u64::from(ctx.len()));
        add(&raw mut (*traffic).packets, 1);
    }
}
