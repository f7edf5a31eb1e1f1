//! The attached stubs as descriptors: of this agent's own, or through the pins of
//! the agent before it.

use std::{
    ffi::CString,
    fs, io,
    os::{
        fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
};

use aya::{
    Btf, Ebpf,
    programs::links::{FdLink, PinnedLink},
};

use super::{KernelError, hooks::Hook, pins::Pins};

/// `BPF_OBJ_GET` of the kernel's `bpf.h`.
const OBJECT_GET: libc::c_long = 7;

/// A stub in its place.
pub(super) struct Attached {
    /// Keeps it there, unless it is pinned.
    _link: FdLink,
    /// The program itself, which counts what passed it.
    pub(super) stub: OwnedFd,
}

impl Attached {
    /// Attaches the stub of a hook, or takes over the one that an earlier agent has
    /// pinned.
    pub(super) fn new(
        hook: &Hook,
        ebpf: &mut Ebpf,
        btf: &Btf,
        root: impl AsFd,
        pins: Option<&Pins>,
    ) -> Result<Self, KernelError> {
        let Some(pins) = pins else {
            let link = hook.attach(ebpf, btf, root)?;
            return Ok(Self { _link: link, stub: hook.stub(ebpf)? });
        };
        let (link_pin, stub_pin) = (pins.link(hook.stub), pins.stub(hook.stub));
        let failed = |path: &Path, error: &dyn std::fmt::Display| KernelError::Pins {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        if let Ok(link) = PinnedLink::from_pin(&link_pin) {
            let stub = open(&stub_pin).map_err(|error| failed(&stub_pin, &error))?;
            return Ok(Self { _link: link.into(), stub });
        }
        let link = hook.attach(ebpf, btf, root)?;
        let stub = hook.stub(ebpf)?;
        // The program first: a link is never without it, whenever the agent ends.
        match fs::remove_file(&stub_pin) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&stub_pin, &error));
            }
            _ => hook.pin_stub(ebpf, &stub_pin).map_err(|error| failed(&stub_pin, &error))?,
        }
        let link = link.pin(&link_pin).map_err(|error| failed(&link_pin, &error))?;
        Ok(Self { _link: link.into(), stub })
    }
}

/// Events that passed a stub because it was already running on that CPU; counted
/// by the kernel from 5.12 on.
pub(super) fn misses(stub: &OwnedFd) -> u64 {
    let path = format!("/proc/self/fdinfo/{}", stub.as_raw_fd());
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("recursion_misses:")?.trim().parse().ok())
        .unwrap_or(0)
}

/// Opens a pinned program. By its number it could be had without a pin, but that
/// takes `CAP_SYS_ADMIN`; and aya looks up the types of what it opens, which does, too.
fn open(pin: &Path) -> io::Result<OwnedFd> {
    /// The kernel's `union bpf_attr`, as far as it is about pins.
    #[repr(C)]
    struct Attributes {
        path: u64,
        fd: u32,
        flags: u32,
    }
    let path = CString::new(pin.as_os_str().as_bytes())?;
    let attributes = Attributes { path: path.as_ptr().addr() as u64, fd: 0, flags: 0 };
    // SAFETY: the attributes and the path that they point to live through the call,
    // and the kernel reads no more of them than the size that it is told.
    let fd = unsafe {
        libc::syscall(libc::SYS_bpf, OBJECT_GET, &raw const attributes, size_of::<Attributes>())
    };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0).ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use std::{io::ErrorKind, path::Path};

    use super::open;

    #[test]
    fn what_is_no_pin_is_not_opened() {
        let check = |path: &str| open(Path::new(path)).unwrap_err().kind();
        // Without privileges the kernel may refuse before it looks.
        let refused = |kind| matches!(kind, ErrorKind::PermissionDenied);
        let kind = check("/nowhere/at/all");
        assert!(refused(kind) || kind == ErrorKind::NotFound, "{kind:?}");
        assert_eq!(check("/with\0zero"), ErrorKind::InvalidInput);
    }
}
