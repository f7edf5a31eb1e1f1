//! Reads of kernel structures that no typed pointer leads to, and of the running
//! task's files and directories.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel;

use super::{Scratch, offsets as event};
use crate::task::{Access, Pointer, Typed, Untyped};

/// A part of a kernel structure, copied in one go.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    copy: *const u8,
    from: u32,
}

impl Part {
    /// Copies `bytes` from offset `from` of the structure at `base`. The copy is
    /// good until the next one; `None` when it cannot be read.
    ///
    /// # Safety
    ///
    /// `scratch` is this CPU's; `bytes` is at most the size of its `object`.
    #[inline(always)]
    pub(crate) unsafe fn copy(
        scratch: *mut Scratch,
        base: u64,
        from: u32,
        bytes: u32,
    ) -> Option<Self> {
        // SAFETY: promised by the caller; the helper checks the address.
        unsafe {
            let copy = (&raw mut (*scratch).object).cast::<u8>();
            let read = bpf_probe_read_kernel(
                copy.cast(),
                bytes,
                (base + u64::from(from)) as *const core::ffi::c_void,
            );
            (read == 0).then_some(Self { copy, from })
        }
    }

    /// The member at `offset` of the structure.
    ///
    /// # Safety
    ///
    /// It is inside the part.
    #[inline(always)]
    pub(crate) unsafe fn member<T: Copy>(self, offset: u32) -> T {
        // SAFETY: promised by the caller; volatile because the compiler may not
        // join it with a read after the next copy.
        unsafe {
            core::ptr::read_volatile(self.copy.add((offset - self.from) as usize).cast::<T>())
        }
    }
}

/// Where a path ends, or starts from.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// `struct vfsmount`.
    pub(crate) mount: u64,
    /// `struct dentry`; 0: nowhere.
    pub(crate) dentry: u64,
}

/// Does the same with a typed pointer to the running task, or without.
macro_rules! of_current_task {
    ($function:ident($($argument:expr),*)) => {
        if $crate::offsets::has_task_btf() != 0 {
            // SAFETY: the helper returns the current task, typed.
            unsafe {
                let task = aya_ebpf::helpers::bpf_get_current_task_btf();
                $function::<$crate::task::Typed>(task.cast(), $($argument),*)
            }
        } else {
            // SAFETY: the helper returns the current task.
            unsafe {
                let task = aya_ebpf::helpers::bpf_get_current_task();
                $function::<$crate::task::Untyped>(task as *const u8, $($argument),*)
            }
        }
    };
}
pub(crate) use of_current_task;

/// The running task's root directory.
#[inline(always)]
pub(crate) fn root() -> Place {
    of_current_task!(place(event::fs_root()))
}

/// The running task's working directory.
#[inline(always)]
pub(crate) fn working_directory() -> Place {
    of_current_task!(place(event::fs_pwd()))
}

#[inline(always)]
unsafe fn place<A: Access>(task: *const u8, member: u32) -> Place {
    // SAFETY: offsets resolved from BTF for these structures.
    unsafe {
        let fs: *const u8 = A::word::<Pointer>(task, event::task_fs()).0;
        Place {
            mount: A::word(fs, member + event::path_mount()),
            dentry: A::word(fs, member + event::path_dentry()),
        }
    }
}

/// `struct file` of a descriptor of the running task; 0 when there is none.
#[inline(always)]
pub(crate) fn file_of(descriptor: u64) -> u64 {
    let descriptor = descriptor as u32;
    let (files, len) = of_current_task!(table());
    if descriptor >= len {
        return 0;
    }
    // SAFETY: an entry of the table; the helper checks the address.
    unsafe { Untyped::word(files as *const u8, descriptor << 3) }
}

#[inline(always)]
unsafe fn table<A: Access>(task: *const u8) -> (u64, u32) {
    // SAFETY: offsets resolved from BTF for these structures.
    unsafe {
        let files: *const u8 = A::word::<Pointer>(task, event::task_files()).0;
        let table: *const u8 = A::word::<Pointer>(files, event::files_table()).0;
        (A::word(table, event::table_files()), A::word(table, event::table_len()))
    }
}

/// Where the file's path ends.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn place_of_file(scratch: *mut Scratch, file: u64) -> Option<Place> {
    // SAFETY: promised by the caller; members inside the part.
    unsafe {
        let file = Part::copy(scratch, file, event::file_part(), event::file_part_bytes())?;
        Some(Place {
            mount: file.member(event::file_path() + event::path_mount()),
            dentry: file.member(event::file_path() + event::path_dentry()),
        })
    }
}

/// Descriptors of a process that has few files (`NR_OPEN_DEFAULT`).
const OWN_FILES: u64 = 64;

/// `struct file` of a descriptor of the running task, typed; null when it has more
/// files than the smallest table holds, or none of this number.
///
/// # Safety
///
/// `task` is typed.
#[inline(always)]
pub(crate) unsafe fn typed_file(task: *const u8, descriptor: u64) -> *const u8 {
    let descriptor = u64::from(descriptor as u32);
    // SAFETY: offsets resolved from BTF for these structures.
    unsafe {
        let files = Typed::word::<Pointer>(task, event::task_files()).0;
        let table = Typed::word::<Pointer>(files, event::files_table()).0;
        let own = files as u64 + u64::from(event::files_own_table());
        if table as u64 != own || descriptor >= OWN_FILES {
            return core::ptr::null();
        }
        entry(files.add(event::files_own() as usize), descriptor)
    }
}

/// A type is known to the verifier at fixed offsets only: a load for each of them.
macro_rules! entries {
    ($base:ident[$index:ident] $($number:literal)+) => {
        match $index {
            $($number => load::<{ $number * 8 }>($base),)+
            _ => core::ptr::null(),
        }
    };
}

#[inline(always)]
unsafe fn entry(base: *const u8, index: u64) -> *const u8 {
    // SAFETY: an array of that many pointers.
    unsafe {
        entries!(base[index]
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
            32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60
            61 62 63)
    }
}

/// A load that the compiler cannot join with others into one of a variable offset.
#[inline(always)]
unsafe fn load<const OFFSET: i32>(base: *const u8) -> *const u8 {
    let value;
    // SAFETY: a load that the verifier checks.
    unsafe {
        core::arch::asm!(
            "{0} = *(u64 *)({1} + {2})",
            out(reg) value,
            in(reg) base,
            const OFFSET,
            options(readonly, nostack),
        );
    }
    value
}
