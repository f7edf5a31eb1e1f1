//! What is attached: stubs that jump to the meter in their table.
//!
//! They stay attached and pinned when the agent ends, and keep jumping to the
//! last meter; the next agent puts its own meter into the table. The jump has a
//! constant index, which the kernel turns into a direct branch.

use aya_ebpf::{
    macros::{btf_tracepoint, cgroup_skb, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext, SkBuffContext},
};

use crate::maps::{
    JUMP_ATTACH, JUMP_DEATH, JUMP_EGRESS, JUMP_EXIT, JUMP_INGRESS, JUMP_MKDIR, JUMP_RMDIR,
    JUMP_SWITCH,
};

/// Declares stubs: attribute, name, context type, table, and what is returned
/// should the table be empty.
macro_rules! stubs {
    ($($(#[$attr:meta])+ $name:ident($context:ty) => $table:ident, $empty:expr;)+) => { $(
        $(#[$attr])+
        fn $name(ctx: $context) -> i32 {
            // SAFETY: nothing in this frame needs to be dropped.
            unsafe { $table.tail_call(&ctx, 0) };
            $empty
        }
    )+ };
}

stubs! {
    #[btf_tracepoint(function = "sys_exit")]
    hook_exit(BtfTracePointContext) => JUMP_EXIT, 0;
    #[btf_tracepoint(function = "sched_switch")]
    hook_switch(BtfTracePointContext) => JUMP_SWITCH, 0;
    #[btf_tracepoint(function = "sched_process_exit")]
    hook_death(BtfTracePointContext) => JUMP_DEATH, 0;
    #[raw_tracepoint(tracepoint = "cgroup_mkdir")]
    hook_mkdir(RawTracePointContext) => JUMP_MKDIR, 0;
    #[raw_tracepoint(tracepoint = "cgroup_rmdir")]
    hook_rmdir(RawTracePointContext) => JUMP_RMDIR, 0;
    #[raw_tracepoint(tracepoint = "cgroup_attach_task")]
    hook_attach(RawTracePointContext) => JUMP_ATTACH, 0;
    #[cgroup_skb(egress)]
    hook_egress(SkBuffContext) => JUMP_EGRESS, 1;
    #[cgroup_skb(ingress)]
    hook_ingress(SkBuffContext) => JUMP_INGRESS, 1;
}
