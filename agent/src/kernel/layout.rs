//! Names, sizes and roles of the maps, in one table.

/// Accounts of tasks; fixed in the sensors.
pub(super) const TASK_ACCOUNTS: u32 = 65536;
/// Entries of the syscall totals; fixed in the sensors.
pub(super) const SYSCALL_TOTALS: u32 = 65536;
/// Entries of the wait totals; fixed in the sensors.
pub(super) const WAIT_TOTALS: u32 = 16384;

/// How many entries a map gets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entries {
    /// As the sensors declare it.
    Declared(u32),
    /// One per CPU.
    Cpus,
    /// One per slot.
    Slots,
    /// One per CPU and slot.
    CpusBySlots,
    /// One per CPU and syscall page.
    CpusByPages,
}

impl Entries {
    /// The number on a node of `cpus` CPUs and `slots` slots.
    pub(super) const fn count(self, cpus: u32, slots: u32) -> u32 {
        match self {
            Self::Declared(count) => count,
            Self::Cpus => cpus,
            Self::Slots => slots,
            Self::CpusBySlots => cpus * slots,
            Self::CpusByPages => cpus * landlord_ebpf::abi::PAGES_PER_CPU,
        }
    }
}

/// Every map that outlives the agent.
pub(super) const MAPS: &[(&str, Entries)] = &[
    ("META", Entries::Declared(1)),
    ("CPUS", Entries::Cpus),
    ("RUN", Entries::CpusBySlots),
    ("NET", Entries::CpusBySlots),
    ("PAGES", Entries::CpusByPages),
    ("SLOTS", Entries::Slots),
    ("HINT", Entries::Declared(landlord_ebpf::abi::HINTS)),
    ("TASKS", Entries::Declared(TASK_ACCOUNTS)),
    ("LOST", Entries::Declared(landlord_ebpf::abi::Loss::COUNT)),
    ("SLOT_OF", Entries::Slots),
    ("FREE", Entries::Slots),
    ("SYSCALLS", Entries::Declared(SYSCALL_TOTALS)),
    ("WAITS", Entries::Declared(WAIT_TOTALS)),
    ("JUMP_EXIT", Entries::Declared(1)),
    ("JUMP_SWITCH", Entries::Declared(1)),
    ("JUMP_DEATH", Entries::Declared(1)),
    ("JUMP_MKDIR", Entries::Declared(1)),
    ("JUMP_RMDIR", Entries::Declared(1)),
    ("JUMP_ATTACH", Entries::Declared(1)),
    ("JUMP_EGRESS", Entries::Declared(1)),
    ("JUMP_INGRESS", Entries::Declared(1)),
];
