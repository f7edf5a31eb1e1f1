//! Rows about the kernel itself: version, types, compiler, hardening.

use std::fmt;
use std::io::{self, Read as _};

use super::{Check, Machine};

/// A kernel release down to what decides features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelVersion {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// The release as the kernel writes it, such as `6.1.0-18-amd64`.
    pub release: String,
}

/// The oldest kernel the sensors are tested on.
pub const MINIMUM_KERNEL: (u32, u32) = (5, 10);

impl KernelVersion {
    /// Parses a release; `None` when it does not start with two numbers.
    #[must_use]
    pub fn parse(release: &str) -> Option<Self> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        Some(Self { major, minor, release: release.to_owned() })
    }

    /// True when this kernel is at least (major, minor).
    #[must_use]
    pub fn at_least(&self, version: (u32, u32)) -> bool {
        (self.major, self.minor) >= version
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.release)
    }
}

pub(super) fn kernel_version(machine: &Machine) -> Option<KernelVersion> {
    KernelVersion::parse(&machine.read("/proc/sys/kernel/osrelease").ok()?)
}

pub(super) fn kernel(version: Option<&KernelVersion>) -> Check {
    let row = Check::new("kernel", "every sensor");
    let (major, minor) = MINIMUM_KERNEL;
    match version {
        None => row
            .missing("unknown", "/proc/sys/kernel/osrelease cannot be read")
            .remedy("mount /proc: `mount -t proc proc /proc`"),
        Some(version) if version.at_least(MINIMUM_KERNEL) => row.ok(version.to_string()),
        Some(version) => row
            .missing(version.to_string(), format!("the sensors need {major}.{minor} or newer"))
            .remedy("boot a newer one: Debian 11, Ubuntu 22.04 and RHEL 9 have it"),
    }
}

pub(super) fn architecture(name: &str) -> Check {
    let row = Check::new("architecture", "every sensor");
    match name {
        "x86_64" | "aarch64" => row.ok(name),
        other => row
            .missing(other, "sensors exist for x86_64 and aarch64 only")
            .remedy("run the agent on an x86_64 or aarch64 node"),
    }
}

/// First two bytes of a BTF blob, in the machine's own byte order.
const BTF_MAGIC: u16 = 0xeb9f;
const BTF_PATH: &str = "/sys/kernel/btf/vmlinux";

pub(super) fn btf(machine: &Machine) -> Check {
    let row = Check::new("kernel types (BTF)", "finding fields of kernel structures");
    match first_two_bytes(machine) {
        Ok(bytes) if u16::from_ne_bytes(bytes) == BTF_MAGIC => row.ok(BTF_PATH),
        Err(error) if error.kind() == io::ErrorKind::NotFound => row
            .missing(
                format!("no {BTF_PATH}"),
                "this kernel was built without CONFIG_DEBUG_INFO_BTF",
            )
            .remedy("boot a kernel that has it, such as Debian's or Ubuntu's"),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => not_btf(row),
        Ok(_) => not_btf(row),
        Err(error) => row
            .missing(format!("{BTF_PATH}: {error}"), "it has to be readable")
            .remedy("run as root; in a container, mount /sys/kernel/btf into it"),
    }
}

fn not_btf(row: Check) -> Check {
    row.missing(format!("{BTF_PATH} is not BTF"), "it does not begin with the bytes of BTF")
        .remedy("mount the kernel's own sysfs: `mount -t sysfs sysfs /sys`")
}

fn first_two_bytes(machine: &Machine) -> io::Result<[u8; 2]> {
    let mut bytes = [0; 2];
    std::fs::File::open(machine.at(BTF_PATH))?.read_exact(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn jit(machine: &Machine) -> Check {
    let row = Check::new("BPF compiler (JIT)", "a low cost per system call");
    match machine.read("/proc/sys/net/core/bpf_jit_enable").as_deref() {
        Ok("0") => row
            .degraded("off", "programs are interpreted and cost several times as much")
            .remedy("switch it on: `sysctl net.core.bpf_jit_enable=1`"),
        Ok(_) => row.ok("on"),
        Err(_) => row.info("unknown: no /proc/sys/net/core/bpf_jit_enable"),
    }
}

pub(super) fn lockdown(machine: &Machine) -> Check {
    let row = Check::new("lockdown", "reading kernel memory from sensors");
    // "none [integrity] confidentiality": the mode in force is in brackets. No
    // file means no lockdown, or a securityfs that is not mounted: then the trial
    // load of the sensors tells.
    let text = machine.read("/sys/kernel/security/lockdown").unwrap_or_default();
    let mode = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    match mode.map(|(mode, _)| mode) {
        Some("confidentiality") => row
            .degraded("confidentiality", "the kernel may refuse sensors that read its memory")
            .remedy("boot with lockdown=integrity"),
        Some(mode) => row.ok(mode),
        None => row.ok("none seen"),
    }
}

pub(super) fn lsm(machine: &Machine) -> Check {
    let row = Check::new("BPF LSM", "denying acts in later versions; nothing yet");
    match machine.read("/sys/kernel/security/lsm") {
        Ok(list) if list.split(',').any(|name| name == "bpf") => row.info("active"),
        Ok(_) => row.info("not active"),
        Err(_) => row.info("unknown: no /sys/kernel/security/lsm"),
    }
}

#[cfg(test)]
mod tests {
    use super::KernelVersion;

    #[test]
    fn releases() {
        let check = |release: &str, expected: Option<(u32, u32)>| {
            let version = KernelVersion::parse(release).map(|found| (found.major, found.minor));
            assert_eq!(version, expected, "{release}");
        };
        check("5.10.0-28-amd64", Some((5, 10)));
        check("6.18.44-fc-v669", Some((6, 18)));
        check("7.0-rc1", Some((7, 0)));
        check("4.19", Some((4, 19)));
        check("6", None);
        check("linux-6.1", None);
        check("", None);
    }

    #[test]
    fn ten_is_newer_than_nine() {
        let check = |release: &str, expected: bool| {
            let version = KernelVersion::parse(release).unwrap();
            assert_eq!(version.at_least((5, 10)), expected, "{release}");
        };
        check("5.9.16", false);
        check("5.10.0", true);
        check("4.20.0", false);
        check("6.0.0", true);
    }
}
