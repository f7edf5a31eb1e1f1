//! What is held until its owner is told becomes the owner's, and nobody else's.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::{collection, prop_assert_eq, proptest};

use super::{Accounts, Limits, pending};
use crate::identity::CgroupId;
use crate::telemetry::LossCause;
use crate::usage::reading::{CgroupReading, NetworkReading, Reading, Slot, WaitReading};
use crate::usage::tenant::{AgentUsage, NodeUsage};

const S: u64 = 1_000_000_000;

fn reading(cpu_s: &[u64], waits: &[(u32, u32, u64)]) -> Reading {
    let cgroup = |(slot, &cpu_s): (usize, &u64)| CgroupReading {
        slot: Slot(u32::try_from(slot).unwrap()),
        id: CgroupId(slot as u64 + 1000),
        path: Some(format!("/{slot}")),
        born_ns: 1,
        alive: true,
        cpu_ns: cpu_s * S,
        wait_ns: 0,
        network: NetworkReading::default(),
        syscalls: Vec::new(),
        files: None,
    };
    let wait = |&(victim, culprit, wait_ns): &(u32, u32, u64)| WaitReading {
        victim: Slot(victim),
        culprit: Some(Slot(culprit)),
        wait_ns,
    };
    Reading {
        cgroups: cpu_s.iter().enumerate().map(cgroup).collect(),
        waits: waits.iter().map(wait).collect(),
        ..Reading::default()
    }
}

fn usage(accounts: &Accounts) -> NodeUsage {
    accounts.node_usage(0, AgentUsage::default())
}

/// Tenant → CPU seconds and the waits it was caused.
fn figures(accounts: &Accounts) -> BTreeMap<String, (f64, BTreeMap<String, f64>)> {
    let tenants = usage(accounts).tenants.into_iter();
    tenants
        .map(|it| (it.tenant, (it.cpu_seconds_total, it.cpu_wait_caused_seconds_total)))
        .collect()
}

#[test]
fn what_was_held_is_in_no_tenants_figures_until_the_owner_is_told() {
    let mut accounts = Accounts::new(Limits::default());
    let mut owner = |cgroup: &CgroupReading| match cgroup.slot.0 {
        0 => Accounts::pending_label("uid"),
        _ => Arc::from("b"),
    };
    accounts.observe(&reading(&[3, 1], &[(1, 0, 2 * S)]), &mut owner);
    assert_eq!(figures(&accounts), [("b".to_owned(), (1.0, BTreeMap::new()))].into());
    let held = usage(&accounts).pending;
    assert_eq!((held.owners, held.cpu_seconds), (1, 3.0));
    assert_eq!(accounts.pending().collect::<Vec<_>>(), ["uid"]);

    let saved = accounts.to_bytes(7).unwrap();
    let mut accounts = Accounts::from_bytes(&saved, 7, Limits::default()).unwrap();
    assert!(accounts.settle("uid", &Arc::from("a")));
    let expected = [
        ("a".to_owned(), (3.0, BTreeMap::new())),
        ("b".to_owned(), (1.0, [("a".to_owned(), 2.0)].into())),
    ];
    assert_eq!(figures(&accounts), expected.into());
    assert_eq!(usage(&accounts).pending.owners, 0);
    assert!(!accounts.settle("uid", &Arc::from("c")));
}

#[test]
fn too_many_of_them_are_counted_and_unknown() {
    let mut accounts = Accounts::new(Limits::default());
    let cpu_s = vec![1; pending::MAX + 2];
    for _ in 0..2 {
        accounts.observe(&reading(&cpu_s, &[]), &mut |cgroup| {
            Accounts::pending_label(&cgroup.slot.0.to_string())
        });
    }
    assert_eq!(figures(&accounts), [("unknown".to_owned(), (2.0, BTreeMap::new()))].into());
    assert_eq!(usage(&accounts).pending.owners, pending::MAX as u64);
    assert_eq!(usage(&accounts).agent.lost_total[LossCause::PendingFull.label()], 2);
    assert_eq!(usage(&accounts).agent.lost_total[LossCause::TenantsFolded.label()], 0);
}

proptest! {
    /// Late identity gives the same bill as identity from the first instant.
    #[test]
    fn late_is_as_good_as_early(
        steps in collection::vec((collection::vec(0_u64..5, 3), 0_u32..3, 0_u32..3), 1..12),
        told in collection::vec(0_usize..12, 3),
    ) {
        let names = ["a", "b", "c"];
        let (mut early, mut late) =
            (Accounts::new(Limits::default()), Accounts::new(Limits::default()));
        let mut cpu_s = vec![0; 3];
        let mut waits: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        for (step, (more, victim, culprit)) in steps.iter().enumerate() {
            for (sum, more) in cpu_s.iter_mut().zip(more) {
                *sum += more;
            }
            *waits.entry((*victim, *culprit)).or_default() += S;
            let waits: Vec<_> = waits.iter().map(|(&(a, b), &ns)| (a, b, ns)).collect();
            let reading = reading(&cpu_s, &waits);
            early.observe(&reading, &mut |cgroup| names[cgroup.slot.0 as usize].into());
            for (slot, &when) in told.iter().enumerate() {
                if when == step {
                    late.settle(&slot.to_string(), &Arc::from(names[slot]));
                }
            }
            late.observe(&reading, &mut |cgroup| {
                let slot = cgroup.slot.0 as usize;
                if told[slot] <= step {
                    names[slot].into()
                } else {
                    Accounts::pending_label(&slot.to_string())
                }
            });
        }
        for (slot, name) in names.iter().enumerate() {
            late.settle(&slot.to_string(), &Arc::from(*name));
        }
        prop_assert_eq!(figures(&early), figures(&late));
    }
}
