//! The kernel sensors: meters behind hooks that outlive the agent.
//!
//! They count per cgroup, know no tenant, and stream nothing.
#![no_std]
#![no_main]
#![feature(core_intrinsics, asm_experimental_arch)]
#![expect(internal_features, reason = "the only way to an atomic addition on this target")]
#![expect(
    unsafe_code,
    reason = "kernel memory is read and map memory written through raw pointers"
)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "widths are the kernel's; every narrowing here keeps a masked or small value"
)]

mod arch;
mod events;
mod maps;
mod offsets;
mod programs;
mod slots;
mod task;

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 4] = *b"GPL\0";
