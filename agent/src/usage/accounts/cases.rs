//! Accounts, case by case.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Accounts, Limits};
use crate::identity::CgroupId;
use crate::telemetry::LossCause;
use crate::usage::reading::{
    CgroupReading, FileFigures, NetworkReading, Reading, Slot, SyscallNumber, Traffic, WaitReading,
};
use crate::usage::tenant::{AgentUsage, NodeUsage, TenantUsage};

/// A live cgroup without use; its path names its tenant, see [`owner`].
fn cgroup(slot: u32, path: &str) -> CgroupReading {
    CgroupReading {
        slot: Slot(slot),
        id: CgroupId(u64::from(slot) + 1000),
        path: Some(path.to_owned()),
        born_ns: 1,
        alive: true,
        cpu_ns: 0,
        wait_ns: 0,
        network: NetworkReading::default(),
        syscalls: Vec::new(),
        files: None,
    }
}

fn with_cpu(slot: u32, path: &str, cpu_ns: u64) -> CgroupReading {
    CgroupReading { cpu_ns, ..cgroup(slot, path) }
}

fn with_files(slot: u32, path: &str, files: FileFigures) -> CgroupReading {
    CgroupReading { files: Some(files), ..cgroup(slot, path) }
}

/// Who owns a cgroup here: what follows the last `@` of its path, else `host`.
fn owner(cgroup: &CgroupReading) -> Arc<str> {
    let path = cgroup.path.as_deref().unwrap_or("@unknown");
    path.rsplit_once('@').map_or("host", |(_, tenant)| tenant).split('/').next().unwrap().into()
}

fn observe(accounts: &mut Accounts, cgroups: &[CgroupReading]) {
    let reading = Reading { cgroups: cgroups.to_vec(), ..Reading::default() };
    accounts.observe(&reading, &mut owner);
}

fn usage(accounts: &Accounts) -> NodeUsage {
    accounts.node_usage(0, AgentUsage::default())
}

fn tenant(accounts: &Accounts, name: &str) -> TenantUsage {
    usage(accounts).tenants.into_iter().find(|tenant| tenant.tenant == name).expect(name)
}

fn lost(accounts: &Accounts, cause: LossCause) -> u64 {
    usage(accounts).agent.lost_total[cause.label()]
}

/// CPU seconds by tenant.
fn cpu(accounts: &Accounts) -> Vec<(String, f64)> {
    let tenants = usage(accounts).tenants;
    tenants.into_iter().map(|tenant| (tenant.tenant, tenant.cpu_seconds_total)).collect()
}

#[track_caller]
fn check_cpu(accounts: &Accounts, expected: &[(&str, f64)]) {
    let expected: Vec<_> = expected.iter().map(|&(name, cpu)| (name.to_owned(), cpu)).collect();
    assert_eq!(cpu(accounts), expected);
}

const S: u64 = 1_000_000_000;

#[test]
fn readings_may_be_repeated_or_missed() {
    let mut accounts = Accounts::new(Limits::default());
    for cpu_s in [1, 1, 1, 5] {
        observe(&mut accounts, &[with_cpu(0, "/@a", cpu_s * S)]);
    }
    check_cpu(&accounts, &[("a", 5.0)]);
}

#[test]
fn growth_goes_to_the_owner_of_the_moment() {
    let mut accounts = Accounts::new(Limits::default());
    for (path, cpu_s) in [("/x@unknown", 2), ("/x@a", 5), ("/x@b", 6)] {
        observe(&mut accounts, &[with_cpu(0, path, cpu_s * S)]);
    }
    check_cpu(&accounts, &[("a", 3.0), ("b", 1.0), ("unknown", 2.0)]);
}

#[test]
fn a_slot_in_a_new_life_starts_from_zero() {
    let first = with_cpu(0, "/@a", 5 * S);
    let reborn = CgroupReading { born_ns: 2, ..with_cpu(0, "/@a", 7 * S) };
    let renamed = CgroupReading { id: CgroupId(5), ..with_cpu(0, "/@a", 6 * S) };
    for (second, expected) in [(reborn, 12.0), (renamed, 11.0)] {
        let mut accounts = Accounts::new(Limits::default());
        observe(&mut accounts, std::slice::from_ref(&first));
        observe(&mut accounts, &[second]);
        check_cpu(&accounts, &[("a", expected)]);
        assert_eq!(lost(&accounts, LossCause::CounterRegressed), 0);
    }
}

#[test]
fn a_released_slot_keeps_its_sums() {
    let mut accounts = Accounts::new(Limits::default());
    observe(&mut accounts, &[with_cpu(0, "/@a", 5 * S)]);
    accounts.release(Slot(0));
    observe(&mut accounts, &[]);
    check_cpu(&accounts, &[("a", 5.0)]);
    assert_eq!(tenant(&accounts, "a").cgroups, 0);
}

#[test]
fn a_counter_that_falls_counts_zero_and_is_reported() {
    let mut accounts = Accounts::new(Limits::default());
    for cpu_s in [5, 3, 4] {
        observe(&mut accounts, &[with_cpu(0, "/@a", cpu_s * S)]);
    }
    check_cpu(&accounts, &[("a", 6.0)]);
    assert_eq!(lost(&accounts, LossCause::CounterRegressed), 1);
}

#[test]
fn every_counter_of_the_kernel_arrives() {
    let traffic = |bytes| Traffic { bytes, packets: bytes / 10 };
    let mut accounts = Accounts::new(Limits::default());
    observe(
        &mut accounts,
        &[CgroupReading {
            cpu_ns: 1_500_000_000,
            wait_ns: 250_000_000,
            network: NetworkReading {
                transmit_ipv4: traffic(10),
                transmit_ipv6: traffic(20),
                receive_ipv4: traffic(30),
                receive_ipv6: traffic(40),
            },
            syscalls: vec![
                (SyscallNumber { nr: 511, compat: false }, 7),
                (SyscallNumber { nr: 9999, compat: false }, 1),
                (SyscallNumber { nr: 12345, compat: false }, 2),
            ],
            ..cgroup(0, "/@a")
        }],
    );
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&tenant(&accounts, "a")).unwrap(),
        @r#"
    {
      "tenant": "a",
      "cgroups": 1,
      "cpu_seconds_total": 1.5,
      "cpu_wait_seconds_total": 0.25,
      "cpu_wait_caused_seconds_total": {},
      "cpu_throttled_seconds_total": 0.0,
      "cpu_limit_cores": null,
      "syscalls_total": {
        "unknown": 3,
        "unknown_511": 7
      },
      "network_bytes_total": {
        "transmit": {
          "ipv4": 10,
          "ipv6": 20
        },
        "receive": {
          "ipv4": 30,
          "ipv6": 40
        }
      },
      "network_packets_total": {
        "transmit": {
          "ipv4": 1,
          "ipv6": 2
        },
        "receive": {
          "ipv4": 3,
          "ipv6": 4
        }
      },
      "memory_bytes": null,
      "memory_peak_bytes": null,
      "memory_limit_bytes": null,
      "oom_kills_total": 0,
      "disk_bytes_total": {
        "read": 0,
        "write": 0
      },
      "ephemeral_storage_bytes": null,
      "ephemeral_storage_byte_seconds_total": 0.0,
      "volume_bytes": null,
      "volume_byte_seconds_total": 0.0,
      "volume_capacity_bytes": null,
      "volume_capacity_byte_seconds_total": 0.0
    }
    "#
    );
}

#[test]
fn waits_know_victim_and_culprit() {
    let mut accounts = Accounts::new(Limits::default());
    let wait = |victim, culprit: Option<u32>, seconds| WaitReading {
        victim: Slot(victim),
        culprit: culprit.map(Slot),
        wait_ns: seconds * S,
    };
    let cgroups = vec![cgroup(0, "/@a"), cgroup(1, "/@b"), cgroup(2, "/x@b")];
    let mut read = |waits: Vec<WaitReading>| {
        let reading = Reading { cgroups: cgroups.clone(), waits, ..Reading::default() };
        accounts.observe(&reading, &mut owner);
        tenant(&accounts, "a").cpu_wait_caused_seconds_total
    };
    let caused = |pairs: &[(&str, f64)]| -> BTreeMap<String, f64> {
        pairs.iter().map(|&(name, seconds)| (name.to_owned(), seconds)).collect()
    };
    assert_eq!(
        read(vec![wait(0, Some(0), 1), wait(0, Some(1), 2), wait(0, Some(2), 3), wait(0, None, 4)]),
        caused(&[("a", 1.0), ("b", 5.0), ("unknown", 4.0)])
    );
    // Slots 7 and 8 were taken after the cgroups had been read: later in full.
    assert_eq!(
        read(vec![wait(0, Some(1), 3), wait(0, Some(7), 9), wait(8, Some(0), 9)]),
        caused(&[("a", 1.0), ("b", 6.0), ("unknown", 4.0)])
    );
    // Without a reading of slot 1 in between, its next life waits from zero.
    accounts.release(Slot(1));
    let reading = Reading {
        cgroups: vec![cgroup(0, "/@a"), CgroupReading { born_ns: 9, ..cgroup(1, "/@c") }],
        waits: vec![wait(0, Some(1), 1)],
        ..Reading::default()
    };
    accounts.observe(&reading, &mut owner);
    assert_eq!(
        tenant(&accounts, "a").cpu_wait_caused_seconds_total,
        caused(&[("a", 1.0), ("b", 6.0), ("c", 1.0), ("unknown", 4.0)])
    );
}

#[test]
fn further_culprits_share_other() {
    let mut accounts = Accounts::new(Limits { max_tenants: 1000, max_wait_causes: 2 });
    let cgroups: Vec<_> = ["/@v", "/@a", "/@b", "/@c", "/@d", "/host"]
        .iter()
        .zip(0..)
        .map(|(path, slot)| cgroup(slot, path))
        .collect();
    let waits = (1..=5)
        .map(|slot| WaitReading { victim: Slot(0), culprit: Some(Slot(slot)), wait_ns: S })
        .collect();
    accounts.observe(&Reading { cgroups, waits, lost: Vec::new() }, &mut owner);
    let caused = tenant(&accounts, "v").cpu_wait_caused_seconds_total;
    let caused: Vec<_> = caused.iter().map(|(name, &seconds)| (name.as_str(), seconds)).collect();
    assert_eq!(caused, [("a", 1.0), ("b", 1.0), ("host", 1.0), ("other", 2.0)]);
}

#[test]
fn further_tenants_share_other_and_are_counted_once() {
    let mut accounts = Accounts::new(Limits { max_tenants: 2, max_wait_causes: 32 });
    let paths = ["/@a", "/@b", "/@c", "/@d", "/host"];
    for seconds in [1, 2] {
        let cgroups: Vec<_> =
            paths.iter().zip(0..).map(|(path, slot)| with_cpu(slot, path, seconds * S)).collect();
        observe(&mut accounts, &cgroups);
    }
    check_cpu(&accounts, &[("a", 2.0), ("b", 2.0), ("host", 2.0), ("other", 4.0)]);
    assert_eq!(lost(&accounts, LossCause::TenantsFolded), 2);
}

#[test]
fn the_tenant_gone_for_longest_makes_room() {
    let mut accounts = Accounts::new(Limits { max_tenants: 2, max_wait_causes: 32 });
    let wait = WaitReading { victim: Slot(1), culprit: Some(Slot(0)), wait_ns: S };
    let reading = Reading {
        cgroups: vec![with_cpu(0, "/@a", S), with_cpu(1, "/@b", 2 * S)],
        waits: vec![wait],
        lost: Vec::new(),
    };
    accounts.observe(&reading, &mut owner);
    accounts.release(Slot(0));
    observe(&mut accounts, &[with_cpu(1, "/@b", 2 * S), with_cpu(2, "/@c", 4 * S)]);
    check_cpu(&accounts, &[("b", 2.0), ("c", 4.0), ("other", 1.0)]);
    let caused = tenant(&accounts, "b").cpu_wait_caused_seconds_total;
    assert_eq!(caused, BTreeMap::from([("other".to_owned(), 1.0)]));
    // Nobody is gone now.
    observe(
        &mut accounts,
        &[with_cpu(1, "/@b", 2 * S), with_cpu(2, "/@c", 4 * S), with_cpu(3, "/@d", 8 * S)],
    );
    check_cpu(&accounts, &[("b", 2.0), ("c", 4.0), ("other", 9.0)]);
}

#[test]
fn a_lowered_limit_takes_the_names_of_those_gone_first() {
    let limits = |max_tenants| Limits { max_tenants, max_wait_causes: 32 };
    let mut accounts = Accounts::new(limits(1000));
    let cgroups: Vec<_> =
        ["/@a", "/@b", "/@c"].iter().zip(0..).map(|(path, slot)| with_cpu(slot, path, S)).collect();
    observe(&mut accounts, &cgroups);
    let saved = accounts.to_bytes(1).unwrap();
    let mut accounts = Accounts::from_bytes(&saved, 1, limits(1)).unwrap();
    // Those still there keep theirs.
    observe(&mut accounts, &cgroups[1..]);
    check_cpu(&accounts, &[("b", 1.0), ("c", 1.0), ("other", 1.0)]);
    observe(&mut accounts, &cgroups[2..]);
    check_cpu(&accounts, &[("c", 1.0), ("other", 2.0)]);
}

#[test]
fn levels_are_divided_and_forgotten_with_the_cgroup() {
    let memory = |current, limit| FileFigures {
        memory_current: Some(current),
        memory_peak: Some(current * 2),
        memory_limit: limit,
        cpu_limit_millis: limit,
        ..FileFigures::default()
    };
    let mut accounts = Accounts::new(Limits::default());
    let levels = |accounts: &Accounts, name: &str| {
        let t = tenant(accounts, name);
        (t.memory_bytes, t.memory_peak_bytes, t.memory_limit_bytes, t.cpu_limit_cores)
    };
    let parent = with_files(0, "/p@a", memory(100, None));
    let own_child = with_files(1, "/p@a/c", memory(40, Some(1500)));
    let guest = with_files(2, "/p@a/g@b", memory(30, Some(500)));
    observe(&mut accounts, &[guest, own_child, parent.clone()]);
    assert_eq!(levels(&accounts, "a"), (Some(70), Some(200), Some(1500), Some(1.5)));
    assert_eq!(levels(&accounts, "b"), (Some(30), Some(60), Some(500), Some(0.5)));

    // Not read this time: the last figures stand. Dead: they do not.
    let unread = CgroupReading { files: None, ..parent };
    let dead = CgroupReading { alive: false, ..cgroup(2, "/p@a/g@b") };
    observe(&mut accounts, &[unread, dead]);
    assert_eq!(levels(&accounts, "a"), (Some(100), Some(200), None, None));
    assert_eq!(levels(&accounts, "b"), (None, None, None, None));
    assert_eq!(tenant(&accounts, "b").cgroups, 0);
}

#[test]
fn file_counters_begin_with_the_epoch_or_the_birth() {
    let files = |oom_kills| FileFigures {
        oom_kills: Some(oom_kills),
        throttled_ns: Some(oom_kills * S),
        ..FileFigures::default()
    };
    let mut accounts = Accounts::new(Limits::default());
    observe(&mut accounts, &[with_files(0, "/@a", files(100))]);
    observe(&mut accounts, &[with_files(0, "/@a", files(103)), with_files(1, "/@b", files(2))]);
    for (name, expected) in [("a", 3), ("b", 2)] {
        let t = tenant(&accounts, name);
        assert_eq!(t.oom_kills_total, expected, "{name}");
        assert_eq!(t.cpu_throttled_seconds_total, expected as f64, "{name}");
    }
}

#[test]
fn own_figures_of_parent_and_child_add_up() {
    let files = FileFigures { oom_kills: Some(2), ..FileFigures::default() };
    let mut accounts = Accounts::new(Limits::default());
    observe(&mut accounts, &[]);
    observe(&mut accounts, &[with_files(0, "/p@a", files), with_files(1, "/p@a/c", files)]);
    assert_eq!(tenant(&accounts, "a").oom_kills_total, 4);
}

#[test]
fn disk_bytes_are_divided_by_growth() {
    let disk = |read| FileFigures {
        disk_read_bytes: Some(read),
        disk_write_bytes: Some(read * 2),
        ..FileFigures::default()
    };
    let mut accounts = Accounts::new(Limits::default());
    let mut read = |root, parent, guest| {
        observe(
            &mut accounts,
            &[
                with_files(0, "/", disk(root)),
                with_files(1, "/p@a", disk(parent)),
                with_files(2, "/p@a/g@b", disk(guest)),
            ],
        );
        ["host", "a", "b"].map(|name| {
            let bytes = tenant(&accounts, name).disk_bytes_total;
            assert_eq!(bytes.write, bytes.read * 2);
            bytes.read
        })
    };
    assert_eq!(read(1000, 500, 200), [0, 0, 0]);
    assert_eq!(read(1100, 570, 220), [30, 50, 20]);
    // The guest was read later than its parents and is ahead of them by 10.
    assert_eq!(read(1100, 570, 230), [30, 50, 30]);
    assert_eq!(read(1115, 585, 230), [30, 55, 30]);
    // The sum is what the root saw.
    assert_eq!(1115 - 1000, 30 + 55 + 30);
}

#[test]
fn losses_of_kernel_and_agent_add_up() {
    let mut accounts = Accounts::new(Limits::default());
    let cause = LossCause::SlotsExhausted;
    for counts in [vec![(cause, 3)], vec![(cause, 3), (cause, 2)], vec![(cause, 1)]] {
        accounts.observe(&Reading { lost: counts, ..Reading::default() }, &mut owner);
    }
    accounts.count_loss(cause, 10);
    let agent = AgentUsage {
        lost_total: BTreeMap::from([(cause.label().to_owned(), 100)]),
        ..AgentUsage::default()
    };
    let lost_total = accounts.node_usage(0, agent).agent.lost_total;
    assert_eq!(lost_total[cause.label()], 100 + 10 + 5 + 1);
    assert_eq!(lost_total.len(), LossCause::ALL.len());
    assert_eq!(lost_total[LossCause::PathTooLong.label()], 0);
}
