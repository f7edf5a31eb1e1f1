//! Cases and laws of the difference of two readings.

use std::collections::BTreeMap;

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::{Neighbour, Row, rows};
use crate::usage::tenant::{ByDirection, ByFamily, NodeUsage, TenantUsage};

fn node(read_at_unix_ms: u64, tenants: Vec<TenantUsage>) -> NodeUsage {
    NodeUsage { read_at_unix_ms, tenants, ..NodeUsage::default() }
}

fn tenant(name: &str, cpu_seconds_total: f64) -> TenantUsage {
    TenantUsage { tenant: name.to_owned(), cpu_seconds_total, ..TenantUsage::default() }
}

fn caused(by: &[(&str, f64)]) -> TenantUsage {
    let causes: BTreeMap<_, _> =
        by.iter().map(|&(name, seconds)| (name.to_owned(), seconds)).collect();
    TenantUsage { cpu_wait_caused_seconds_total: causes, ..tenant("acme", 0.0) }
}

#[test]
fn cores_are_seconds_over_the_window() {
    let check = |before: f64, after: f64, window_ms: u64, expected: f64| {
        let (before, after) = (
            node(1000, vec![tenant("acme", before)]),
            node(1000 + window_ms, vec![tenant("acme", after)]),
        );
        let rows = rows(Some(&before), &after);
        assert_eq!(rows[0].rates.as_ref().unwrap().cpu_cores, expected);
    };
    check(10.0, 11.0, 1000, 1.0);
    check(10.0, 11.0, 2000, 0.5);
    check(10.0, 10.0, 500, 0.0);
    // Counters of a tenant that fell did not run backwards.
    check(10.0, 1.0, 1000, 0.0);
}

#[test]
fn a_new_tenant_began_at_zero() {
    let (before, after) = (node(0, vec![]), node(1000, vec![tenant("acme", 0.25)]));
    assert_eq!(rows(Some(&before), &after)[0].rates.as_ref().unwrap().cpu_cores, 0.25);
}

#[test]
fn no_rates_without_a_window() {
    let check = |before: Option<NodeUsage>| {
        let rows = rows(before.as_ref(), &node(1000, vec![tenant("acme", 1.0)]));
        assert_eq!(rows, [Row { usage: tenant("acme", 1.0), rates: None }]);
    };
    check(None);
    check(Some(node(1000, vec![])));
    // The wall clock was set back.
    check(Some(node(2000, vec![])));
    let mut other_epoch = node(0, vec![]);
    other_epoch.agent.epoch_start_time_seconds = 7.0;
    check(Some(other_epoch));
}

#[test]
fn limit_ratio_needs_a_limit() {
    let check = |limit: Option<f64>, expected: Option<f64>| {
        let usage = TenantUsage { cpu_limit_cores: limit, ..tenant("acme", 1.0) };
        let rows = rows(Some(&node(0, vec![])), &node(1000, vec![usage]));
        assert_eq!(rows[0].rates.as_ref().unwrap().cpu_limit_ratio, expected);
    };
    check(None, None);
    check(Some(0.0), None);
    check(Some(4.0), Some(0.25));
}

#[test]
fn both_families_and_all_calls_add_up() {
    let mut usage = tenant("acme", 0.0);
    usage.network_bytes_total = ByDirection {
        transmit: ByFamily { ipv4: 100, ipv6: 20 },
        receive: ByFamily { ipv4: 3, ipv6: 4 },
    };
    usage.syscalls_total = [("read".to_owned(), 40), ("write".to_owned(), 2)].into();
    let rows = rows(Some(&node(0, vec![])), &node(500, vec![usage]));
    let rates = rows[0].rates.as_ref().unwrap();
    assert_eq!(rates.network_transmit_bytes_per_second, 240.0);
    assert_eq!(rates.network_receive_bytes_per_second, 14.0);
    assert_eq!(rates.syscalls_per_second, 84.0);
}

#[test]
fn worst_neighbours() {
    let check = |before: &[(&str, f64)], after: &[(&str, f64)], expected: Option<(&str, f64)>| {
        let (before, after) = (node(0, vec![caused(before)]), node(1000, vec![caused(after)]));
        let rows = rows(Some(&before), &after);
        let expected = expected.map(|(name, share)| Neighbour { tenant: name.to_owned(), share });
        assert_eq!(rows[0].rates.as_ref().unwrap().worst_neighbour, expected);
    };
    check(&[], &[], None);
    check(&[], &[("hog", 3.0), ("web", 1.0)], Some(("hog", 0.75)));
    // What was caused before the window is not held against anyone.
    check(&[("hog", 3.0)], &[("hog", 3.0), ("web", 1.0)], Some(("web", 1.0)));
    // Waiting for oneself is no neighbour's doing, but it is a part of the wait.
    check(&[], &[("acme", 3.0), ("web", 1.0)], Some(("web", 0.25)));
    check(&[], &[("acme", 3.0)], None);
    // Named buckets are neighbours, too.
    check(&[], &[("host", 1.0)], Some(("host", 1.0)));
}

fn usages() -> impl Strategy<Value = TenantUsage> {
    let causes = prop::collection::btree_map("[a-c]", 0.0..1e9_f64, 0..3);
    (0.0..1e12_f64, 0.0..1e12_f64, causes, any::<[u64; 4]>()).prop_map(
        |(cpu, wait, causes, net)| TenantUsage {
            cpu_wait_seconds_total: wait,
            cpu_wait_caused_seconds_total: causes,
            network_bytes_total: ByDirection {
                transmit: ByFamily { ipv4: net[0], ipv6: net[1] },
                receive: ByFamily { ipv4: net[2], ipv6: net[3] },
            },
            ..tenant("a", cpu)
        },
    )
}

proptest! {
    #[test]
    fn rates_are_finite_and_not_negative(before in usages(), after in usages(), ms in 1..u32::MAX) {
        let rows = rows(Some(&node(0, vec![before])), &node(u64::from(ms), vec![after]));
        let rates = rows[0].rates.as_ref().unwrap();
        for rate in [
            rates.cpu_cores,
            rates.cpu_wait_ratio,
            rates.network_receive_bytes_per_second,
            rates.network_transmit_bytes_per_second,
        ] {
            prop_assert!(rate.is_finite() && rate >= 0.0, "{rates:?}");
        }
        if let Some(neighbour) = &rates.worst_neighbour {
            prop_assert!(neighbour.share > 0.0 && neighbour.share <= 1.0, "{neighbour:?}");
            prop_assert!(neighbour.tenant != "a");
        }
    }

    #[test]
    fn a_reading_against_itself_used_nothing(usage in usages()) {
        let rows = rows(Some(&node(0, vec![usage.clone()])), &node(1, vec![usage]));
        let rates = rows[0].rates.as_ref().unwrap();
        prop_assert_eq!(rates.cpu_cores + rates.cpu_wait_ratio + rates.syscalls_per_second, 0.0);
        prop_assert_eq!(&rates.worst_neighbour, &None);
    }
}
