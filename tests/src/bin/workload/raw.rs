//! What no library offers safely: a system call by the 32-bit gate, and calls whose
//! descriptors could break memory.

use rustix::mm::UserfaultfdFlags;

/// Number of `getppid` in the 32-bit x86 table.
#[cfg(target_arch = "x86_64")]
const GETPPID: u64 = 64;

/// Calls `getppid` through the 32-bit table; `None` on machines without one.
///
/// A kernel that was built or started without 32-bit calls kills the process
/// for it (SIGSEGV).
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the 32-bit gate is reached by an instruction only")]
pub(crate) fn getppid_of_32_bit() -> Option<u64> {
    let result;
    // SAFETY: the gate takes the number in eax and returns the result there;
    // getppid has no arguments, touches no memory, and r8 to r11, which kernels
    // may clear on the way, are declared lost.
    unsafe {
        core::arch::asm!(
            "int 0x80",
            inlateout("rax") GETPPID => result,
            lateout("r8") _, lateout("r9") _, lateout("r10") _, lateout("r11") _,
            options(nostack),
        );
    }
    Some(result)
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn getppid_of_32_bit() -> Option<u64> {
    None
}

/// Asks for a BPF command without giving it anything to work on, so that it fails.
#[expect(unsafe_code, reason = "no library offers a command that must fail")]
pub(crate) fn bpf_without_attributes(command: u32) {
    // SAFETY: the size of the attributes is 0, so the kernel reads nothing from the
    // null pointer and finds nothing that it could do.
    unsafe { nix::libc::syscall(nix::libc::SYS_bpf, command, std::ptr::null::<u8>(), 0_u32) };
}

/// Makes a descriptor for page faults, and closes it.
#[expect(unsafe_code, reason = "what is done with the descriptor may break memory")]
pub(crate) fn userfaultfd(flags: UserfaultfdFlags) {
    // SAFETY: no memory is registered with the descriptor.
    unsafe { rustix::mm::userfaultfd(flags) }.ok();
}
