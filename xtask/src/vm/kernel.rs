//! The kernels the tests run on: one row each.

use std::path::PathBuf;
use std::str::FromStr;

use crate::workspace;

/// A kernel that Debian builds. The newest version in its repository is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kernel {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// The repositories that have it, in order; a later one is asked if an
    /// earlier one is gone, as those of old releases go to the archive.
    pub(crate) repositories: &'static [&'static str],
}

/// All of them, oldest first.
pub(crate) const KERNELS: [Kernel; 4] = [
    Kernel {
        name: "5.10",
        repositories: &[
            "http://deb.debian.org/debian-security bullseye-security",
            "http://archive.debian.org/debian-security bullseye-security",
            "http://deb.debian.org/debian bullseye",
            "http://archive.debian.org/debian bullseye",
        ],
    },
    Kernel {
        name: "6.1",
        repositories: &[
            "http://deb.debian.org/debian-security bookworm-security",
            "http://deb.debian.org/debian bookworm",
        ],
    },
    Kernel {
        name: "6.12",
        repositories: &[
            "http://deb.debian.org/debian-security trixie-security",
            "http://deb.debian.org/debian trixie",
        ],
    },
    Kernel { name: "newest", repositories: &["http://deb.debian.org/debian trixie-backports"] },
];

/// The one that is tested if none is named.
pub(crate) const DEFAULT: &str = "6.12";

/// Modules that the tests use and that are not built into every kernel, with
/// those that a module needs without saying so before it. What a kernel has
/// neither as a module nor built in is left out if marked optional.
pub(crate) const MODULES: [(&str, Presence); 6] = [
    ("virtio_pci", Presence::Required),
    ("virtio_blk", Presence::Required),
    ("veth", Presence::Required),
    ("crc32c_generic", Presence::Optional),
    ("bridge", Presence::Required),
    ("overlay", Presence::Required),
];

/// Whether every kernel has to have a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
}

impl Kernel {
    /// Where its image, modules and version are kept.
    pub(crate) fn folder(self) -> PathBuf {
        workspace::cache().join("kernels").join(self.name)
    }

    /// The image to boot.
    pub(crate) fn image(self) -> PathBuf {
        self.folder().join("vmlinuz")
    }

    /// Plain modules, named in the order in which they have to be loaded.
    pub(crate) fn modules(self) -> PathBuf {
        self.folder().join("modules")
    }

    /// Tells its exact version; written last, so it is there only if all is.
    pub(crate) fn stamp(self) -> PathBuf {
        self.folder().join("stamp")
    }
}

impl FromStr for Kernel {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        KERNELS.into_iter().find(|kernel| kernel.name == name).ok_or_else(|| {
            format!("known kernels are {}", KERNELS.map(|kernel| kernel.name).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT, KERNELS, Kernel};

    #[test]
    fn kernels_are_found_by_name() {
        for kernel in KERNELS {
            assert_eq!(kernel.name.parse::<Kernel>(), Ok(kernel));
        }
        assert!(DEFAULT.parse::<Kernel>().is_ok());
        let error = "4.19".parse::<Kernel>().unwrap_err();
        assert_eq!(error, "known kernels are 5.10, 6.1, 6.12, newest");
    }
}
