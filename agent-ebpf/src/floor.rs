//! Empty programs on the hooks of the sensors: what the hooks alone cost.
//!
//! Each program returns at once; none reads its context or a map. A sensor on
//! the same hook can only cost more, so these are the floor that the benchmark
//! compares Landlord with.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "program entry points need named sections and symbols")]

use aya_ebpf::macros::{btf_tracepoint, cgroup_skb, raw_tracepoint};
use aya_ebpf::programs::{BtfTracePointContext, RawTracePointContext, SkBuffContext};

/// What a `cgroup_skb` program returns to let a packet pass.
const PASS: i32 = 1;

// A program must not be named like its section: bpf-linker then sees the
// symbol twice. The names are the hook's with `floor_` before it.

#[btf_tracepoint(function = "sys_exit")]
fn floor_sys_exit(_: BtfTracePointContext) -> i32 {
    0
}

#[btf_tracepoint(function = "sched_switch")]
fn floor_sched_switch(_: BtfTracePointContext) -> i32 {
    0
}

#[btf_tracepoint(function = "sched_wakeup")]
fn floor_sched_wakeup(_: BtfTracePointContext) -> i32 {
    0
}

#[btf_tracepoint(function = "sched_wakeup_new")]
fn floor_sched_wakeup_new(_: BtfTracePointContext) -> i32 {
    0
}

#[btf_tracepoint(function = "sched_process_exit")]
fn floor_sched_process_exit(_: BtfTracePointContext) -> i32 {
    0
}

#[raw_tracepoint(tracepoint = "cgroup_mkdir")]
fn floor_cgroup_mkdir(_: RawTracePointContext) -> i32 {
    0
}

#[raw_tracepoint(tracepoint = "cgroup_rmdir")]
fn floor_cgroup_rmdir(_: RawTracePointContext) -> i32 {
    0
}

#[raw_tracepoint(tracepoint = "cgroup_attach_task")]
fn floor_cgroup_attach_task(_: RawTracePointContext) -> i32 {
    0
}

#[cgroup_skb(ingress)]
fn floor_ingress(_: SkBuffContext) -> i32 {
    PASS
}

#[cgroup_skb(egress)]
fn floor_egress(_: SkBuffContext) -> i32 {
    PASS
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 4] = *b"GPL\0";
