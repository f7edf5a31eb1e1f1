//! Rows about what this process may do.

use super::{Check, KernelVersion, Machine};

/// Linux capabilities that decide something here, by their bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Capability {
    DacOverride = 1,
    DacReadSearch = 2,
    NetAdmin = 12,
    SysPtrace = 19,
    SysAdmin = 21,
    SysResource = 24,
    Syslog = 34,
    Perfmon = 38,
    Bpf = 39,
}

impl Capability {
    const fn name(self) -> &'static str {
        match self {
            Self::DacOverride => "CAP_DAC_OVERRIDE",
            Self::DacReadSearch => "CAP_DAC_READ_SEARCH",
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::SysPtrace => "CAP_SYS_PTRACE",
            Self::SysAdmin => "CAP_SYS_ADMIN",
            Self::SysResource => "CAP_SYS_RESOURCE",
            Self::Syslog => "CAP_SYSLOG",
            Self::Perfmon => "CAP_PERFMON",
            Self::Bpf => "CAP_BPF",
        }
    }
}

/// What `/proc/self` says this process holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    /// Effective user id; `None` when `/proc/self/status` is not readable.
    uid: Option<u32>,
    /// Effective capabilities, one bit each.
    effective: u64,
    /// True when the process lives in a user namespace, whose capabilities do
    /// not reach the kernel's sensors.
    confined: bool,
}

impl Held {
    fn parse(status: &str, uid_map: Option<&str>) -> Self {
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        // Real, effective, saved and file system uid, in this order.
        let uid = field("Uid").and_then(|ids| ids.split_whitespace().nth(1)?.parse().ok());
        let effective = field("CapEff").and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        let initial = ["0", "0", "4294967295"];
        let confined = uid_map.is_some_and(|map| !map.split_whitespace().eq(initial));
        Self { uid, effective: effective.unwrap_or(0), confined }
    }

    fn has(&self, capability: Capability) -> bool {
        !self.confined && self.effective >> (capability as u32) & 1 == 1
    }

    /// True when the agent may mount a file system.
    pub(super) fn may_mount(&self) -> bool {
        self.has(Capability::SysAdmin)
    }

    /// True when the sensors cannot be loaded with what is held.
    pub(super) fn lacks_any(&self) -> bool {
        !self.lacking().is_empty()
    }

    fn lacking(&self) -> Vec<Capability> {
        let admin = self.has(Capability::SysAdmin);
        // CAP_SYS_ADMIN stands in for the two that were split off it, but not
        // for CAP_NET_ADMIN, which attaching to the root cgroup asks for by name.
        [(Capability::Bpf, admin), (Capability::Perfmon, admin), (Capability::NetAdmin, false)]
            .into_iter()
            .filter(|&(capability, stand_in)| !stand_in && !self.has(capability))
            .map(|(capability, _)| capability)
            .collect()
    }
}

pub(super) fn held(machine: &Machine) -> Held {
    let status = machine.read("/proc/self/status").unwrap_or_default();
    Held::parse(&status, machine.read("/proc/self/uid_map").ok().as_deref())
}

pub(super) fn capabilities(held: &Held) -> Check {
    let row = Check::new("privileges", "loading and attaching sensors");
    let who = held.uid.map_or_else(|| "unknown user".to_owned(), |uid| format!("uid {uid}"));
    if held.confined {
        return row
            .missing(
                format!("{who} of a user namespace"),
                "root of a user namespace has no power over the kernel",
            )
            .remedy("run as root of the machine, not in a rootless container");
    }
    let lacking = held.lacking();
    if lacking.is_empty() {
        return row.ok(match held.uid {
            Some(0) => "root".to_owned(),
            _ => format!("{who} with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN"),
        });
    }
    let names: Vec<&str> = lacking.iter().map(|capability| capability.name()).collect();
    let reason = format!("without {}", and(&names));
    if held.uid == Some(0) {
        let short: Vec<&str> = names.iter().map(|name| name.trim_start_matches("CAP_")).collect();
        row.missing("root, confined", reason)
            .remedy(format!("give the container the capabilities {}", and(&short)))
    } else {
        row.missing(who, reason).remedy("run as root, for example with sudo")
    }
}

/// Rows about what only rules need, each there if it is lacking. Who lacks what the
/// sensors need is told that alone.
pub(super) fn for_rules(held: &Held) -> Vec<Check> {
    if held.lacks_any() {
        return Vec::new();
    }
    let reads_all = held.has(Capability::DacOverride);
    let rows = [
        (
            Capability::SysPtrace,
            false,
            Check::new("other processes", "paths of processes that began before the agent"),
            "the kernel does not show their programs and folders",
        ),
        (
            Capability::DacReadSearch,
            reads_all,
            Check::new("other users' files", "environments, and names of users in containers"),
            "files that only another user may read stay closed",
        ),
        (
            Capability::Syslog,
            false,
            Check::new("kernel symbols", "reading a path again that a rename has torn"),
            "the kernel does not show where its lock of renames is",
        ),
    ];
    let lacking = rows.into_iter().filter(|(needed, stood_in, ..)| !stood_in && !held.has(*needed));
    lacking
        .map(|(needed, _, row, reason)| {
            let name = needed.name();
            row.degraded(format!("without {name}"), reason).remedy(format!("give the agent {name}"))
        })
        .collect()
}

/// Kernels before 5.11 charge maps to `RLIMIT_MEMLOCK`, which the agent raises if
/// it may. Later ones charge the cgroup: no row.
pub(super) fn locked_memory(
    machine: &Machine,
    held: &Held,
    kernel: Option<&KernelVersion>,
) -> Option<Check> {
    if kernel.is_none_or(|version| version.at_least((5, 11))) {
        return None;
    }
    let row = Check::new("locked memory", "maps, on kernels before 5.11");
    let limits = machine.read("/proc/self/limits").unwrap_or_default();
    let limit = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max locked memory")?.split_whitespace().next())
        .unwrap_or("unknown");
    Some(if limit == "unlimited" {
        row.ok("unlimited")
    } else if held.has(Capability::SysResource) {
        row.ok(format!("limit of {limit} bytes; the agent raises it"))
    } else {
        row.missing(
            format!("limit of {limit} bytes"),
            "too little for the maps, and raising it takes CAP_SYS_RESOURCE",
        )
        .remedy("give the agent CAP_SYS_RESOURCE")
    })
}

fn and(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::Held;

    #[test]
    fn what_is_lacking() {
        let check = |effective: &str, uid_map: &str, expected: &[&str]| {
            let status = format!("Name:\tx\nUid:\t1000\t1000\t1000\t1000\nCapEff:\t{effective}\n");
            let held = Held::parse(&status, Some(uid_map));
            let lacking: Vec<&str> = held.lacking().iter().map(|lacks| lacks.name()).collect();
            assert_eq!(lacking, expected, "{effective} {uid_map}");
        };
        let all = ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"];
        let initial = "         0          0 4294967295";
        check("000001ffffffffff", initial, &[]);
        check("0000000000000000", initial, &all);
        // BPF, PERFMON and NET_ADMIN alone are enough.
        check("000000c000001000", initial, &[]);
        // SYS_ADMIN stands in for two of them.
        check("0000000000200000", initial, &["CAP_NET_ADMIN"]);
        check("0000000000201000", initial, &[]);
        check("0000008000001000", initial, &["CAP_PERFMON"]);
        // All capabilities, but of a user namespace.
        check("000001ffffffffff", "         0       1000          1", &all);
    }

    #[test]
    fn unreadable_status_holds_nothing() {
        assert_eq!(Held::parse("", None), Held::default());
    }
}
