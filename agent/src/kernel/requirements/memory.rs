//! Rows that tell how much kernel memory the maps take.

use super::{Check, Machine};
use crate::kernel::{EventOptions, memory::map_bytes};

/// A node that the map memory is promised for: 128 CPUs and 250 pods, whose
/// containers, pods and system services fit the default number of slots.
const LARGE_NODE_CPUS: u32 = 128;
const LARGE_NODE_CGROUPS: u32 = 2048;

const NEEDED_FOR: &str = "planning: kernel memory of all maps";

pub(super) fn here(machine: &Machine, max_cgroups: u32, events: Option<&EventOptions>) -> Check {
    let row = Check::new("map memory", NEEDED_FOR);
    let possible = machine.read("/sys/devices/system/cpu/possible").ok();
    match possible.as_deref().and_then(cpus) {
        None => row.info("unknown: no /sys/devices/system/cpu/possible"),
        Some(cpus) => row.info(figure(cpus, max_cgroups, events)),
    }
}

pub(super) fn large_node() -> Check {
    Check::new("map memory, 250 pods", NEEDED_FOR).info(figure(
        LARGE_NODE_CPUS,
        LARGE_NODE_CGROUPS,
        None,
    ))
}

fn figure(cpus: u32, max_cgroups: u32, events: Option<&EventOptions>) -> String {
    let mib = map_bytes(cpus, max_cgroups, events) as f64 / f64::from(1 << 20);
    let events = if events.is_some() { ", with rules" } else { "" };
    format!("{mib:.1} MiB for {cpus} CPUs and {max_cgroups} cgroups{events}")
}

/// Room that per-CPU maps make: one more than the highest number in a list of the
/// kernel such as `0-3,8-11`.
fn cpus(possible: &str) -> Option<u32> {
    let numbers = possible.split([',', '-']).map(|number| number.trim().parse::<u32>());
    numbers.collect::<Result<Vec<_>, _>>().ok()?.into_iter().max()?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::{cpus, large_node};

    #[test]
    fn the_large_node_is_named() {
        let found = large_node().found;
        assert!(found.ends_with(" MiB for 128 CPUs and 2048 cgroups"), "{found}");
    }

    #[test]
    fn possible_cpus() {
        let check = |list: &str, expected: Option<u32>| assert_eq!(cpus(list), expected, "{list}");
        check("0", Some(1));
        check("0-127", Some(128));
        check("0-3,8-11", Some(12));
        check("", None);
        check("all", None);
        check("0-4294967295", None);
    }
}
