//! The paths that a call was given, and what they start from.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use landlord_ebpf::abi::{NO_ARGUMENT, Section, WORKING_DIRECTORY, stage};

use super::{Scratch, argument, kernel, scratch, section, short, walk_then};

/// `AT_FDCWD`.
const AT_WORKING_DIRECTORY: i32 = -100;

#[btf_tracepoint(function = "sys_exit")]
fn event_paths(ctx: BtfTracePointContext) -> i32 {
    let Some(scratch) = scratch::of_call() else { return 0 };
    // SAFETY: this CPU's scratch.
    unsafe {
        (*scratch).key_from = (*scratch).len;
        // Directories are in no memory that has no directories.
        (*scratch).file.magic = 0;
        let plan = &raw const (*scratch).plan;
        add(scratch, (*plan).path, (*plan).directory, Section::Raw, Section::Base);
        add(scratch, (*plan).path2, (*plan).directory2, Section::Raw2, Section::Base2);
        walk_then::<{ stage::JUDGE }>(&ctx, scratch)
    }
}

/// Adds a path, and queues the directory that it starts from if it is a relative one.
#[inline(always)]
unsafe fn add(scratch: *mut Scratch, path: u8, directory: u8, raw: Section, base: Section) {
    if path == NO_ARGUMENT {
        return;
    }
    // SAFETY: passed on from the caller.
    unsafe {
        let first = section::put_user_text(scratch, raw, argument(scratch, path));
        if directory == NO_ARGUMENT || first == Some(b'/') {
            return;
        }
        let descriptor = if directory == WORKING_DIRECTORY {
            AT_WORKING_DIRECTORY
        } else {
            argument(scratch, directory) as i32
        };
        if descriptor == AT_WORKING_DIRECTORY {
            short::put_working_directory(scratch, base);
            return;
        }
        let file = kernel::file_of(u64::from(descriptor.cast_unsigned()));
        if file != 0
            && let Some(place) = kernel::place_of_file(scratch, file)
        {
            short::put_or_queue(scratch, base, place);
        }
    }
}
