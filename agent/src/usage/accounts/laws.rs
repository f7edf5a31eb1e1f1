//! Accounts against a model of the kernel: whatever happens in between, the sums
//! are those of the kernel.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::array::uniform6;
use proptest::prelude::{Just, Strategy, any};
use proptest::{collection, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{Accounts, Limits};
use crate::identity::CgroupId;
use crate::usage::reading::{
    CgroupReading, FileFigures, NetworkReading, Reading, Slot, SyscallNumber, WaitReading,
};
use crate::usage::saved::StateError;
use crate::usage::tenant::{AgentUsage, TenantUsage};

const SLOTS: usize = 4;
const EPOCH: u64 = 42;

/// One thing that happens to the node or its agent.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A cgroup of this tenant is born, if a slot is free.
    Birth { tenant: u8 },
    /// The cgroup in the slot works.
    Use { slot: usize, amount: u32 },
    /// It waits while the other (or nobody known) runs.
    Wait { victim: usize, culprit: Option<usize>, ns: u32 },
    /// It is removed.
    Death { slot: usize },
    /// The agent takes a reading.
    Observe,
    /// It takes a reading and saves.
    Save,
    /// It takes a reading, saves, lets the kernel clear all dead slots and forgets
    /// them, unless it crashes between the two.
    Release { crash: bool },
    /// It is killed and started again.
    Crash,
}

fn event() -> impl Strategy<Value = Event> {
    let slot = || 0..SLOTS;
    prop_oneof![
        2 => any::<u8>().prop_map(|tenant| Event::Birth { tenant: tenant % 5 }),
        4 => (slot(), any::<u32>()).prop_map(|(slot, amount)| Event::Use { slot, amount }),
        3 => (slot(), proptest::option::weighted(0.8, slot()), any::<u32>())
            .prop_map(|(victim, culprit, ns)| Event::Wait { victim, culprit, ns }),
        2 => slot().prop_map(|slot| Event::Death { slot }),
        2 => Just(Event::Observe),
        1 => Just(Event::Save),
        2 => any::<bool>().prop_map(|crash| Event::Release { crash }),
        1 => Just(Event::Crash),
    ]
}

/// What one tenant really did.
#[derive(Clone, Debug, Default, PartialEq)]
struct Truth {
    cpu_ns: u64,
    wait_ns: u64,
    received: u64,
    syscalls: u64,
    caused: BTreeMap<String, u64>,
}

/// The kernel's maps, which outlive the agent, and the truth beside them.
#[derive(Default)]
struct Kernel {
    births: u64,
    slots: [Option<(CgroupReading, String)>; SLOTS],
    waits: BTreeMap<(usize, Option<usize>), u64>,
    truth: BTreeMap<String, Truth>,
}

/// A cgroup that has done nothing. Ids are used again, births are not.
fn cgroup(slot: usize, born_ns: u64) -> CgroupReading {
    CgroupReading {
        slot: Slot(u32::try_from(slot).unwrap()),
        id: CgroupId(born_ns % 3),
        path: None,
        born_ns,
        alive: true,
        cpu_ns: 0,
        wait_ns: 0,
        network: NetworkReading::default(),
        syscalls: Vec::new(),
        files: None,
    }
}

impl Kernel {
    fn owner(&self, slot: usize) -> Option<String> {
        self.slots[slot].as_ref().map(|(_, tenant)| tenant.clone())
    }

    fn birth(&mut self, tenant: u8) {
        let Some(free) = self.slots.iter().position(Option::is_none) else { return };
        self.births += 1;
        self.slots[free] = Some((cgroup(free, self.births), format!("t{tenant}")));
    }

    /// Dead cgroups may still count, as a socket outlives its cgroup.
    fn work(&mut self, slot: usize, amount: u32) {
        let Some((reading, tenant)) = &mut self.slots[slot] else { return };
        let amount = u64::from(amount);
        let truth = self.truth.entry(tenant.clone()).or_default();
        reading.cpu_ns += amount;
        truth.cpu_ns += amount;
        reading.network.receive_ipv6.bytes += amount / 2;
        truth.received += amount / 2;
        let call = SyscallNumber { nr: u32::try_from(amount % 3).unwrap(), compat: false };
        match reading.syscalls.iter_mut().find(|(known, _)| *known == call) {
            Some((_, count)) => *count += amount,
            None => reading.syscalls.push((call, amount)),
        }
        truth.syscalls += amount;
    }

    fn wait(&mut self, victim: usize, culprit: Option<usize>, ns: u32) {
        let by = match culprit.map(|slot| self.owner(slot)) {
            None => "unknown".to_owned(),
            Some(Some(tenant)) => tenant,
            Some(None) => return,
        };
        let Some((reading, tenant)) = &mut self.slots[victim] else { return };
        let truth = self.truth.entry(tenant.clone()).or_default();
        reading.wait_ns += u64::from(ns);
        truth.wait_ns += u64::from(ns);
        *self.waits.entry((victim, culprit)).or_default() += u64::from(ns);
        *truth.caused.entry(by).or_default() += u64::from(ns);
    }

    fn clear_dead(&mut self) -> Vec<Slot> {
        let mut cleared = Vec::new();
        for slot in 0..SLOTS {
            if let Some((reading, _)) = &self.slots[slot]
                && !reading.alive
            {
                cleared.push(reading.slot);
                self.slots[slot] = None;
                self.waits.retain(|&(victim, by), _| victim != slot && by != Some(slot));
            }
        }
        cleared
    }

    fn read_into(&self, accounts: &mut Accounts) {
        let slot = |slot| Slot(u32::try_from(slot).unwrap());
        let reading = Reading {
            cgroups: self.slots.iter().flatten().map(|(reading, _)| reading.clone()).collect(),
            waits: self
                .waits
                .iter()
                .map(|(&(victim, culprit), &wait_ns)| WaitReading {
                    victim: slot(victim),
                    culprit: culprit.map(slot),
                    wait_ns,
                })
                .collect(),
            lost: Vec::new(),
        };
        accounts.observe(&reading, &mut |cgroup| {
            let slot = usize::try_from(cgroup.slot.0).unwrap();
            Arc::from(self.owner(slot).unwrap())
        });
    }
}

/// Lets the events happen and takes a last reading.
fn run(events: &[Event], limits: Limits) -> (Kernel, Accounts) {
    let mut kernel = Kernel::default();
    let mut accounts = Accounts::new(limits);
    let mut disk: Option<Vec<u8>> = None;
    let restart = |disk: &Option<Vec<u8>>| match disk {
        None => Accounts::new(limits),
        Some(bytes) => Accounts::from_bytes(bytes, EPOCH, limits).unwrap(),
    };
    for &event in events {
        match event {
            Event::Birth { tenant } => kernel.birth(tenant),
            Event::Use { slot, amount } => kernel.work(slot, amount),
            Event::Wait { victim, culprit, ns } => kernel.wait(victim, culprit, ns),
            Event::Death { slot } => {
                if let Some((reading, _)) = &mut kernel.slots[slot] {
                    reading.alive = false;
                }
            }
            Event::Observe => kernel.read_into(&mut accounts),
            Event::Save => {
                kernel.read_into(&mut accounts);
                disk = Some(accounts.to_bytes(EPOCH).unwrap());
            }
            Event::Release { crash } => {
                kernel.read_into(&mut accounts);
                disk = Some(accounts.to_bytes(EPOCH).unwrap());
                let cleared = kernel.clear_dead();
                if crash {
                    accounts = restart(&disk);
                } else {
                    cleared.into_iter().for_each(|slot| accounts.release(slot));
                }
            }
            Event::Crash => accounts = restart(&disk),
        }
    }
    kernel.read_into(&mut accounts);
    (kernel, accounts)
}

/// What the accounts say of a tenant. Sums of `u32` over few events are exact in
/// floating point seconds too.
fn told(accounts: &Accounts) -> BTreeMap<String, Truth> {
    let ns = |seconds: f64| format!("{:.0}", seconds * 1e9).parse().unwrap();
    let truth = |t: &TenantUsage| Truth {
        cpu_ns: ns(t.cpu_seconds_total),
        wait_ns: ns(t.cpu_wait_seconds_total),
        received: t.network_bytes_total.receive.ipv6,
        syscalls: t.syscalls_total.values().sum(),
        caused: t
            .cpu_wait_caused_seconds_total
            .iter()
            .map(|(by, &seconds)| (by.clone(), ns(seconds)))
            .collect(),
    };
    let tenants = accounts.node_usage(0, AgentUsage::default()).tenants;
    tenants.iter().map(|tenant| (tenant.tenant.clone(), truth(tenant))).collect()
}

/// Drops what says nothing, so that "no entry" and "zero" compare equal.
fn without_zeros(mut tenants: BTreeMap<String, Truth>) -> BTreeMap<String, Truth> {
    for truth in tenants.values_mut() {
        truth.caused.retain(|_, &mut ns| ns > 0);
    }
    tenants.retain(|_, truth| *truth != Truth::default());
    tenants
}

/// The sum over all tenants, without names.
fn sum(tenants: &BTreeMap<String, Truth>) -> [u64; 5] {
    tenants.values().fold([0; 5], |sum, truth| {
        let caused = truth.caused.values().sum();
        let parts = [truth.cpu_ns, truth.wait_ns, truth.received, truth.syscalls, caused];
        std::array::from_fn(|index| sum[index] + parts[index])
    })
}

proptest! {
    #[test]
    fn no_crash_loses_anything_or_counts_it_twice(
        events in collection::vec(event(), 0..120),
    ) {
        let (kernel, accounts) = run(&events, Limits::default());
        prop_assert_eq!(without_zeros(told(&accounts)), without_zeros(kernel.truth));
    }

    #[test]
    fn bounds_hold_and_fold_without_loss(
        events in collection::vec(event(), 0..120),
        max_tenants in 0usize..4,
        max_wait_causes in 0usize..3,
    ) {
        let (kernel, accounts) = run(&events, Limits { max_tenants, max_wait_causes });
        let told = told(&accounts);
        prop_assert_eq!(sum(&told), sum(&kernel.truth));
        let named = told.keys().filter(|name| name.starts_with('t')).count();
        prop_assert!(named <= max_tenants, "{named} tenants");
        for (name, truth) in &told {
            let causes = truth.caused.keys().filter(|name| name.starts_with('t')).count();
            prop_assert!(causes <= max_wait_causes, "{causes} causes of {name}");
        }
    }

    #[test]
    fn saved_accounts_come_back_whole_or_not_at_all(
        events in collection::vec(event(), 0..40),
        cut in any::<proptest::sample::Index>(),
        bit in 0u8..8,
    ) {
        let (_, accounts) = run(&events, Limits::default());
        let bytes = accounts.to_bytes(EPOCH).unwrap();
        let restore = |bytes: &[u8]| Accounts::from_bytes(bytes, EPOCH, Limits::default());
        prop_assert_eq!(restore(&bytes).unwrap().to_bytes(EPOCH).unwrap(), bytes.clone());

        let at = cut.index(bytes.len());
        prop_assert!(restore(&bytes[..at]).is_err());
        let mut changed = bytes.clone();
        changed[at] ^= 1 << bit;
        prop_assert!(restore(&changed).is_err());
        let longer = [bytes.as_slice(), b"x"].concat();
        prop_assert_eq!(restore(&longer).unwrap_err(), StateError::Damaged);
        prop_assert_eq!(
            Accounts::from_bytes(&bytes, EPOCH + 1, Limits::default()).unwrap_err(),
            StateError::Epoch { found: EPOCH, expected: EPOCH + 1 }
        );
    }

    #[test]
    fn arbitrary_bytes_are_no_accounts(bytes in collection::vec(any::<u8>(), 0..400)) {
        let restore = |bytes: &[u8]| Accounts::from_bytes(bytes, EPOCH, Limits::default());
        prop_assert!(restore(&bytes).is_err());
        prop_assert!(restore(&[b"landlord\x01\0\0\0", bytes.as_slice()].concat()).is_err());
    }
}

/// A tree of cgroups with owners of its own choice.
const TREE: [&str; 6] = ["/", "/a", "/a/b", "/a/b/c", "/a/d", "/e"];

proptest! {
    /// In each round every cgroup's file grows by something, whatever the others
    /// do, and is read or not.
    #[test]
    fn nested_disk_bytes_are_what_the_root_saw(
        owners in uniform6(0u8..3),
        rounds in collection::vec(uniform6((any::<u16>(), any::<bool>())), 0..20),
    ) {
        let mut accounts = Accounts::new(Limits::default());
        let mut read_bytes = [0; TREE.len()];
        let mut observe = |read_bytes: &[u64; TREE.len()], is_read: [bool; TREE.len()]| {
            let files = |index: usize| FileFigures {
                disk_read_bytes: Some(read_bytes[index]),
                ..FileFigures::default()
            };
            let cgroups = (0..TREE.len())
                .map(|index| CgroupReading {
                    path: Some(TREE[index].to_owned()),
                    files: is_read[index].then(|| files(index)),
                    ..cgroup(index, 1)
                })
                .collect();
            accounts.observe(&Reading { cgroups, ..Reading::default() }, &mut |cgroup| {
                let index = usize::try_from(cgroup.slot.0).unwrap();
                Arc::from(format!("t{}", owners[index]))
            });
        };
        observe(&read_bytes, [true; TREE.len()]);
        for round in rounds {
            for (bytes, (growth, _)) in read_bytes.iter_mut().zip(round) {
                *bytes += u64::from(growth);
            }
            observe(&read_bytes, round.map(|(_, is_read)| is_read));
        }
        observe(&read_bytes, [true; TREE.len()]);
        let counted: u64 =
            accounts.books.tenants.values().map(|totals| totals.disk_read_bytes).sum();
        let debts: u64 = accounts.books.marks.values().map(|mark| mark.disk_read_debt).sum();
        prop_assert_eq!(counted, read_bytes[0] + debts);
    }
}
