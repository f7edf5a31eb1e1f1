//! The columns of `top`: title, key, width, importance, text and order, in one
//! list that the live table, `--once` and `--sort` share.

use std::cmp::Ordering;

use clap::ValueEnum;

use super::rates::{Rates, Row};
use crate::cli::figures::{bytes, cores, count, or_dash, percent, printable};

/// A column, by the name that `--sort` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Column {
    /// Name of the tenant
    Tenant,
    /// CPU cores in use
    Cpu,
    /// CPU in use as a part of the tenant's limit
    Limit,
    /// CPU over the last samples
    #[value(skip)]
    History,
    /// Seconds per second that threads waited for a CPU
    Wait,
    /// Part of the waiting that the worst neighbour caused
    Neighbour,
    /// Seconds per second held back by the CPU limit
    Throttled,
    /// Memory in use
    Memory,
    /// Memory limit
    MemoryLimit,
    /// Bytes per second received
    In,
    /// Bytes per second sent
    Out,
    /// System calls per second
    Syscalls,
    /// Bytes per second read from disks
    Read,
    /// Bytes per second written to disks
    Write,
    /// Live cgroups
    Cgroups,
    /// Processes killed for want of memory
    OomKills,
}

/// What makes a column, apart from its cells.
pub(crate) struct Look {
    /// Head of the column.
    pub(crate) title: &'static str,
    /// Key that sorts by it in the live table.
    pub(crate) key: Option<char>,
    /// False for words, which stand on the left.
    pub(crate) numeric: bool,
}

const fn look(title: &'static str, key: Option<char>, numeric: bool) -> Look {
    Look { title, key, numeric }
}

/// What the live table does with its width, wish by wish: a column comes in with
/// the first width that it is given here and grows with the next ones.
const WISHES: [(Column, u16); 20] = [
    (Column::Tenant, 16),
    (Column::Cpu, 5),
    (Column::Wait, 5),
    (Column::Neighbour, 16),
    (Column::Memory, 8),
    (Column::In, 8),
    (Column::Out, 8),
    (Column::Syscalls, 7),
    (Column::Limit, 5),
    (Column::History, 12),
    (Column::Read, 8),
    (Column::Write, 8),
    (Column::Tenant, 24),
    (Column::Neighbour, 20),
    (Column::History, 30),
    (Column::MemoryLimit, 8),
    (Column::Throttled, 6),
    (Column::History, 60),
    (Column::Tenant, 44),
    (Column::Neighbour, 32),
];

/// From this width on, columns stand two cells apart.
const ROOMY: u16 = 120;

impl Column {
    /// Columns of `--once -o table`.
    pub(crate) const TABLE: [Self; 11] = [
        Self::Tenant,
        Self::Cpu,
        Self::Limit,
        Self::Wait,
        Self::Neighbour,
        Self::Memory,
        Self::In,
        Self::Out,
        Self::Syscalls,
        Self::Read,
        Self::Write,
    ];

    /// Columns of `--once -o wide`.
    pub(crate) const WIDE: [Self; 15] = [
        Self::Tenant,
        Self::Cgroups,
        Self::Cpu,
        Self::Limit,
        Self::Throttled,
        Self::Wait,
        Self::Neighbour,
        Self::Memory,
        Self::MemoryLimit,
        Self::OomKills,
        Self::In,
        Self::Out,
        Self::Syscalls,
        Self::Read,
        Self::Write,
    ];

    /// Title, key and width.
    pub(crate) const fn look(self) -> Look {
        match self {
            Self::Tenant => look("TENANT", Some('t'), false),
            Self::Cpu => look("CPU", Some('c'), true),
            Self::Limit => look("LIM%", Some('l'), true),
            Self::History => look("CPU HISTORY", None, false),
            Self::Wait => look("WAIT", Some('w'), true),
            Self::Neighbour => look("NEIGHBOUR", Some('n'), false),
            Self::Throttled => look("THROT", Some('h'), true),
            Self::Memory => look("MEMORY", Some('m'), true),
            Self::MemoryLimit => look("MEM LIM", None, true),
            Self::In => look("IN/s", Some('i'), true),
            Self::Out => look("OUT/s", Some('o'), true),
            Self::Syscalls => look("CALLS/s", Some('s'), true),
            Self::Read => look("READ/s", Some('d'), true),
            Self::Write => look("WRITE/s", Some('b'), true),
            Self::Cgroups => look("CGROUPS", None, true),
            Self::OomKills => look("OOM", None, true),
        }
    }

    /// The column that a key sorts by.
    pub(crate) fn of_key(key: char) -> Option<Self> {
        Self::value_variants().iter().copied().find(|column| column.look().key == Some(key))
    }

    /// Text of the cell. The history is drawn, not written: its cell is empty.
    pub(crate) fn text(self, row: &Row) -> String {
        let usage = &row.usage;
        let rate = |format: fn(f64) -> String, pick: fn(&Rates) -> f64| {
            or_dash(row.rates.as_ref().map(pick), format)
        };
        match self {
            Self::Tenant => printable(&usage.tenant),
            Self::Cpu => rate(cores, |rates| rates.cpu_cores),
            Self::Limit => or_dash(limit_ratio(row), percent),
            Self::History => String::new(),
            Self::Wait => rate(cores, |rates| rates.cpu_wait_ratio),
            Self::Neighbour => or_dash(neighbour(row), |(name, share)| format!("{name} {share}")),
            Self::Throttled => rate(cores, |rates| rates.cpu_throttled_ratio),
            Self::Memory => or_dash(usage.memory_bytes, |value| bytes(value as f64)),
            Self::MemoryLimit => or_dash(usage.memory_limit_bytes, |value| bytes(value as f64)),
            Self::In => rate(bytes, |rates| rates.network_receive_bytes_per_second),
            Self::Out => rate(bytes, |rates| rates.network_transmit_bytes_per_second),
            Self::Syscalls => rate(count, |rates| rates.syscalls_per_second),
            Self::Read => rate(bytes, |rates| rates.disk_read_bytes_per_second),
            Self::Write => rate(bytes, |rates| rates.disk_write_bytes_per_second),
            Self::Cgroups => usage.cgroups.to_string(),
            Self::OomKills => usage.oom_kills_total.to_string(),
        }
    }

    /// What the column sorts by; `None` sorts as less than every figure.
    fn value(self, row: &Row) -> Option<f64> {
        let usage = &row.usage;
        let rate = |pick: fn(&Rates) -> f64| row.rates.as_ref().map(pick);
        match self {
            Self::Tenant => None,
            Self::Cpu | Self::History => rate(|rates| rates.cpu_cores),
            Self::Limit => limit_ratio(row),
            Self::Wait => rate(|rates| rates.cpu_wait_ratio),
            Self::Neighbour => {
                row.rates.as_ref()?.worst_neighbour.as_ref().map(|neighbour| neighbour.share)
            }
            Self::Throttled => rate(|rates| rates.cpu_throttled_ratio),
            Self::Memory => usage.memory_bytes.map(|value| value as f64),
            Self::MemoryLimit => usage.memory_limit_bytes.map(|value| value as f64),
            Self::In => rate(|rates| rates.network_receive_bytes_per_second),
            Self::Out => rate(|rates| rates.network_transmit_bytes_per_second),
            Self::Syscalls => rate(|rates| rates.syscalls_per_second),
            Self::Read => rate(|rates| rates.disk_read_bytes_per_second),
            Self::Write => rate(|rates| rates.disk_write_bytes_per_second),
            Self::Cgroups => Some(usage.cgroups as f64),
            Self::OomKills => Some(usage.oom_kills_total as f64),
        }
    }

    fn compare(self, one: &Row, other: &Row) -> Ordering {
        let value = |row: &Row| self.value(row).unwrap_or(f64::NEG_INFINITY);
        value(other).total_cmp(&value(one)).then_with(|| one.usage.tenant.cmp(&other.usage.tenant))
    }
}

/// Sorts names from A to Z and figures from the highest down, or the other way
/// round when `reverse`.
pub(crate) fn sort(rows: &mut [Row], by: Column, reverse: bool) {
    rows.sort_by(|one, other| {
        let order = by.compare(one, other);
        if reverse { order.reverse() } else { order }
    });
}

/// Name and share of the worst neighbour, as they are shown.
pub(crate) fn neighbour(row: &Row) -> Option<(String, String)> {
    let neighbour = row.rates.as_ref()?.worst_neighbour.as_ref()?;
    Some((printable(&neighbour.tenant), percent(neighbour.share)))
}

fn limit_ratio(row: &Row) -> Option<f64> {
    row.rates.as_ref()?.cpu_limit_ratio
}

/// Columns that fit a terminal of this width, in reading order, with the widths
/// they get, and the space between them.
pub(crate) fn fit(width: u16) -> (Vec<(Column, u16)>, u16) {
    let gap = if width < ROOMY { 1 } else { 2 };
    let mut left = width;
    let mut chosen: Vec<(Column, u16)> = Vec::new();
    for (column, wish) in WISHES {
        if let Some((_, width)) = chosen.iter_mut().find(|(known, _)| *known == column) {
            let more = wish.saturating_sub(*width).min(left);
            *width += more;
            left -= more;
            continue;
        }
        let needed = wish + if chosen.is_empty() { 0 } else { gap };
        // Tenant and CPU stay, however narrow it is; nothing overtakes a column
        // that matters more.
        if needed > left && chosen.len() >= 2 {
            left = 0;
        } else {
            left = left.saturating_sub(needed);
            chosen.push((column, wish));
        }
    }
    // Reading order is the order of declaration.
    chosen.sort_by_key(|&(column, _)| column as usize);
    (chosen, gap)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{Column, ROOMY, Row, WISHES, fit, sort};
    use crate::usage::tenant::TenantUsage;
    use clap::ValueEnum as _;

    #[test]
    fn columns_by_width() {
        let check = |width: u16, expected: &str| {
            let (columns, _) = fit(width);
            let titles: Vec<_> = columns
                .iter()
                .map(|(column, width)| format!("{} {width}", column.look().title))
                .collect();
            assert_eq!(titles.join(", "), expected, "{width}");
        };
        check(10, "TENANT 16, CPU 5");
        check(40, "TENANT 16, CPU 5, WAIT 5");
        check(80, "TENANT 16, CPU 5, WAIT 5, NEIGHBOUR 16, MEMORY 8, IN/s 8, OUT/s 8, CALLS/s 7");
        check(
            160,
            "TENANT 24, CPU 5, LIM% 5, CPU HISTORY 30, WAIT 5, NEIGHBOUR 20, MEMORY 8, \
             IN/s 8, OUT/s 8, CALLS/s 7, READ/s 8, WRITE/s 8",
        );
    }

    #[test]
    fn keys_are_unique_and_free() {
        let keys: Vec<char> =
            Column::value_variants().iter().filter_map(|column| column.look().key).collect();
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{key} sorts by two columns");
            assert!(!['q', 'r', 'p'].contains(key), "{key} has another meaning");
        }
    }

    #[test]
    fn names_up_figures_down() {
        let check = |by: Column, reverse: bool, expected: &[&str]| {
            let row = |name: &str, memory: Option<u64>| Row {
                usage: TenantUsage {
                    tenant: name.to_owned(),
                    memory_bytes: memory,
                    ..TenantUsage::default()
                },
                rates: None,
            };
            let mut rows =
                [row("b", Some(1)), row("d", None), row("a", Some(1)), row("c", Some(9))];
            sort(&mut rows, by, reverse);
            let names: Vec<_> = rows.iter().map(|row| row.usage.tenant.as_str()).collect();
            assert_eq!(names, expected);
        };
        check(Column::Tenant, false, &["a", "b", "c", "d"]);
        check(Column::Tenant, true, &["d", "c", "b", "a"]);
        check(Column::Memory, false, &["c", "a", "b", "d"]);
        check(Column::Memory, true, &["d", "b", "a", "c"]);
    }

    proptest! {
        #[test]
        fn widths_add_up(width in 22..400_u16) {
            let (columns, gap) = fit(width);
            let total: u16 = columns.iter().map(|(_, width)| width + gap).sum::<u16>() - gap;
            prop_assert!(total <= width, "{total} > {width}");
        }

        #[test]
        fn wider_terminals_lose_no_column(width in 0..400_u16) {
            // The step to more space between columns costs some, once.
            if width + 1 != ROOMY {
                prop_assert!(fit(width + 1).0.len() >= fit(width).0.len());
            }
        }
    }

    #[test]
    fn very_wide_terminals_grant_every_wish() {
        let (columns, _) = fit(1000);
        for (column, wish) in WISHES {
            assert!(columns.iter().any(|&(known, width)| known == column && width >= wish));
        }
    }
}
