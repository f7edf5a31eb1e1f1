//! Births, deaths, reuse of ids, and the law that a known tenant stays.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::{ContainerFacts, Knowledge, Registry, Sighting, TOMBSTONE_NS};
use crate::identity::cluster::change::{Change, Health, Update};
use crate::identity::cluster::directory::Limits;
use crate::identity::cluster::{Directory, Source, samples};
use crate::identity::tenant::{MatchSpec, RuleClass, RuleSpec};
use crate::identity::{CgroupId, Provenance, Tenant, TenantRules, UNKNOWN};
use crate::usage::reading::Slot;

const SECOND: u64 = 1_000_000_000;

/// A table in which the tenant is the first component of the path.
struct Table {
    registry: Registry,
    directory: Directory,
}

impl std::ops::Deref for Table {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.registry
    }
}

impl std::ops::DerefMut for Table {
    fn deref_mut(&mut self) -> &mut Registry {
        &mut self.registry
    }
}

impl Table {
    fn see(&mut self, id: u64, path: Option<&str>, born_ns: u64, alive: bool) -> String {
        let knowledge =
            Knowledge { directory: &self.directory, containers: &HashMap::new(), now_ns: 0 };
        let sighting = Sighting { id: CgroupId(id), slot: Slot(0), path, born_ns, alive };
        self.registry.observe(&sighting, &knowledge).tenant.unwrap().to_string()
    }
}

fn registry(capacity: usize) -> Table {
    let matches = MatchSpec { path: Some("^/".to_owned()), ..MatchSpec::default() };
    let rules = TenantRules::compile(vec![RuleSpec {
        matches,
        tenant: "{top}".to_owned(),
        class: RuleClass::Tenant,
    }]);
    let directory = Directory::without_cluster(rules.unwrap());
    Table { registry: Registry::new(capacity), directory }
}

fn observe(registry: &mut Table, id: u64, path: Option<&str>, born_ns: u64) -> String {
    registry.see(id, path, born_ns, true)
}

fn bury(registry: &mut Table, id: u64, born_ns: u64) -> String {
    registry.see(id, None, born_ns, false)
}

#[test]
fn a_late_path_names_the_tenant_once() {
    let mut registry = registry(8);
    assert_eq!(observe(&mut registry, 7, None, 1), UNKNOWN);
    assert_eq!(observe(&mut registry, 7, Some("/acme"), 1), "acme");
    assert_eq!(observe(&mut registry, 7, None, 1), "acme");
    assert_eq!(observe(&mut registry, 7, Some("/other"), 1), "acme");
    assert_eq!(registry.len(), 1);
}

#[test]
fn a_reused_id_is_another_cgroup() {
    let mut registry = registry(8);
    assert_eq!(observe(&mut registry, 7, Some("/acme"), 1), "acme");
    assert_eq!(bury(&mut registry, 7, 1), "acme");
    assert_eq!(observe(&mut registry, 7, Some("/initech"), 2), "initech");
    // The last delta of the first one arrives after the second one's birth.
    assert_eq!(bury(&mut registry, 7, 1), "acme");
    assert_eq!(registry.tenant_of_slot(Slot(0)).map(Tenant::as_str), Some("initech"));
    assert_eq!(registry.tenant_of_slot(Slot(1)), None);
}

#[test]
fn a_tombstone_lasts_a_minute() {
    let mut registry = registry(8);
    observe(&mut registry, 7, Some("/acme"), 1);
    registry.sweep(10 * SECOND);
    bury(&mut registry, 7, 1);
    registry.sweep(20 * SECOND);
    registry.sweep(20 * SECOND + TOMBSTONE_NS - 1);
    assert_eq!(bury(&mut registry, 7, 1), "acme", "its last delta came late");
    registry.sweep(20 * SECOND + TOMBSTONE_NS);
    registry.sweep(20 * SECOND + 2 * TOMBSTONE_NS - 1);
    assert_eq!(registry.len(), 1);
    registry.sweep(20 * SECOND + 2 * TOMBSTONE_NS);
    assert!(registry.is_empty());
    assert_eq!(registry.tenant_of_slot(Slot(0)), None);
}

#[test]
fn what_nobody_mentions_is_forgotten_too() {
    let mut registry = registry(8);
    observe(&mut registry, 7, Some("/acme"), 1);
    registry.sweep(SECOND);
    registry.sweep(SECOND + TOMBSTONE_NS - 1);
    assert_eq!(registry.len(), 1);
    registry.sweep(SECOND + TOMBSTONE_NS);
    assert!(registry.is_empty());
}

#[test]
fn room_is_made_by_the_longest_dead_never_by_the_living() {
    let mut registry = registry(2);
    observe(&mut registry, 1, Some("/a"), 1);
    observe(&mut registry, 2, Some("/b"), 1);
    bury(&mut registry, 1, 1);
    registry.sweep(SECOND);
    bury(&mut registry, 2, 1);
    registry.sweep(2 * SECOND);
    assert_eq!(observe(&mut registry, 3, Some("/c"), 3), "c");
    assert_eq!(bury(&mut registry, 2, 1), "b", "only the longest dead went");
    assert_eq!(observe(&mut registry, 4, Some("/d"), 3), "d");
    // All are alive now: a fifth one is named but not remembered.
    assert_eq!(observe(&mut registry, 5, Some("/e"), 4), "e");
    assert_eq!(registry.len(), 2);
    assert_eq!(observe(&mut registry, 3, None, 3), "c");
    assert_eq!(observe(&mut registry, 5, None, 4), UNKNOWN);
}

/// What may happen to a few cgroups: an observation, or the passing of seconds.
#[derive(Clone, Debug)]
enum Step {
    Observe { id: u64, born_ns: u64, path: Option<usize>, alive: bool },
    Sweep { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let observe = (0..4u64, 0..3u64, prop::option::of(0..3usize), any::<bool>())
        .prop_map(|(id, born_ns, path, alive)| Step::Observe { id, born_ns, path, alive });
    let sweep = (0..9u64).prop_map(|seconds| Step::Sweep { seconds });
    prop::strategy::Union::new_weighted(vec![(3, observe.boxed()), (1, sweep.boxed())])
}

proptest! {
    /// While a cgroup is mentioned within a minute, its first known path decides.
    #[test]
    fn a_known_tenant_never_changes(steps in prop::collection::vec(step(), 0..60)) {
        const PATHS: [&str; 3] = ["/acme", "/initech/x", "/"];
        const TENANTS: [&str; 3] = ["acme", "initech", "host"];
        let mut registry = registry(64);
        let mut known: HashMap<(u64, u64), &str> = HashMap::new();
        let mut now = 0;
        // `None` from an observation to the sweep after it.
        let mut last_seen: HashMap<(u64, u64), Option<u64>> = HashMap::new();
        for step in steps {
            match step {
                Step::Sweep { seconds } => {
                    now += seconds * SECOND;
                    registry.sweep(now);
                    last_seen.retain(|_, seen| now - *seen.get_or_insert(now) < TOMBSTONE_NS);
                    known.retain(|life, _| last_seen.contains_key(life));
                }
                Step::Observe { id, born_ns, path, alive } => {
                    let life = (id, born_ns);
                    last_seen.insert(life, None);
                    if let Some(path) = path {
                        known.entry(life).or_insert(TENANTS[path]);
                    }
                    let path = path.map(|path| PATHS[path]);
                    let tenant = registry.see(id, path, born_ns, alive);
                    if let Some(expected) = known.get(&life) {
                        prop_assert_eq!(tenant.as_str(), *expected);
                    }
                }
            }
            prop_assert!(registry.len() <= 12);
        }
    }

    #[test]
    fn the_table_is_bounded(ids in prop::collection::vec((0..50u64, any::<bool>()), 0..200)) {
        let mut registry = registry(16);
        for (now, (id, alive)) in ids.into_iter().enumerate() {
            let now = u64::try_from(now).unwrap();
            registry.see(id, Some("/a"), now, alive);
            registry.sweep(now);
            prop_assert!(registry.len() <= 16);
        }
    }
}

const POD: &str = "00000000-0000-4000-8000-000000000001";

/// A table of a node in a cluster, whose tenants are named by a label of namespaces.
fn in_cluster() -> Table {
    let matches = MatchSpec { namespace_label: Some("tenant".to_owned()), ..MatchSpec::default() };
    let rule =
        RuleSpec { matches, tenant: "{namespace_label}".to_owned(), class: RuleClass::Tenant };
    let rules = TenantRules::compile(vec![rule]).unwrap();
    Table { registry: Registry::new(16), directory: Directory::new(rules, Limits::default()) }
}

#[test]
fn what_a_runtime_told_of_a_pod_stays_while_one_of_its_cgroups_does() {
    let mut table = in_cluster();
    let namespace = samples::namespace("ns", "tenant=acme");
    table.directory.apply(Change::Namespaces(Update::Put(namespace)), 0);
    for source in [Source::Pods, Source::Namespaces] {
        table.directory.apply(Change::Health(source, Health::Synced), 0);
    }
    let id = "a".repeat(64);
    let facts = ContainerFacts {
        id: id.clone(),
        pod_uid: Some(POD.to_owned()),
        pod_name: Some("web".to_owned()),
        pod_namespace: Some("ns".to_owned()),
        ..ContainerFacts::default()
    };
    let (pod, container) = (format!("/kubepods/pod{POD}"), format!("/kubepods/pod{POD}/{id}"));
    let mut containers = HashMap::from([(Box::from(id), Arc::new(facts))]);
    let see = |table: &mut Table,
               containers: &HashMap<_, _>,
               path: &String,
               alive: bool,
               now_s: u64,
               expected: Option<&str>| {
        let now_ns = now_s * SECOND;
        let knowledge = Knowledge { directory: &table.directory, containers, now_ns };
        let cgroup = if *path == pod { 1 } else { 2 };
        let (id, slot) = (CgroupId(cgroup), Slot(u32::try_from(cgroup).unwrap()));
        let sighting = Sighting { id, slot, path: Some(path), born_ns: 1, alive };
        let owner = table.registry.observe(&sighting, &knowledge).tenant;
        assert_eq!(owner.as_deref(), expected, "{path} at {now_s} s");
    };
    let named = |table: &Table| {
        let seen = table.pods().remove(POD);
        let name = seen.and_then(|seen| seen.attribution.pod);
        name.map(|name| name.to_string())
    };
    let none = HashMap::new();
    see(&mut table, &none, &pod, true, 1, None);
    see(&mut table, &containers, &container, true, 1, Some("acme"));
    see(&mut table, &containers, &pod, true, 2, Some("acme"));
    see(&mut table, &containers, &container, false, 3, Some("acme"));
    // Nobody who watches events remembers the container, and something has changed.
    containers.clear();
    table.directory.apply(Change::Namespaces(Update::Put(samples::namespace("new", ""))), 0);
    see(&mut table, &containers, &container, false, 4, Some("acme"));
    for now_s in (5..=200).step_by(5) {
        see(&mut table, &containers, &pod, true, now_s, Some("acme"));
        table.sweep(now_s * SECOND);
        assert_eq!(named(&table).as_deref(), Some("web"), "{now_s} s");
    }
    assert_eq!(table.len(), 1, "the container's cgroup is forgotten");
    // With the last cgroup goes what was told.
    table.sweep(205 * SECOND);
    table.sweep(205 * SECOND + TOMBSTONE_NS);
    assert!(table.is_empty() && !table.registry.pods.contains_key(POD));
    see(&mut table, &containers, &pod, true, 300, None);
}

impl Table {
    /// Whom the cgroup of that number in the pod is booked to.
    fn see_pod(&mut self, id: u64, alive: bool, now_s: u64) -> Option<String> {
        let now_ns = now_s * SECOND;
        let knowledge =
            Knowledge { directory: &self.directory, containers: &HashMap::new(), now_ns };
        let path = format!("/kubepods/pod{POD}/{id:064}");
        let slot = Slot(u32::try_from(id).unwrap());
        let sighting = Sighting { id: CgroupId(id), slot, path: Some(&path), born_ns: 1, alive };
        let owner = self.registry.observe(&sighting, &knowledge);
        assert_eq!(owner.pod.as_deref(), Some(POD));
        owner.tenant.map(|tenant| tenant.to_string())
    }

    fn tell(&mut self, tenant: &str) {
        let namespace = samples::namespace("ns", &format!("tenant={tenant}"));
        self.directory.apply(Change::Namespaces(Update::Put(namespace)), 0);
        self.directory.apply(Change::Pods(Update::Put(samples::pod(POD, "ns/web", ""))), 0);
    }

    fn settled(&mut self) -> Vec<String> {
        let settled = self.registry.take_settled().into_iter();
        settled.map(|it| format!("{} {}", it.pod, it.tenant)).collect()
    }
}

#[test]
fn a_pod_is_booked_to_nobody_until_it_is_told() {
    let mut table = in_cluster();
    assert_eq!([table.see_pod(1, true, 1), table.see_pod(2, true, 1)], [None, None]);
    assert!(table.has_living_pod(POD) && table.pods()[POD].pending);
    table.tell("acme");
    assert_eq!(table.see_pod(1, true, 2).as_deref(), Some("acme"));
    assert_eq!(table.see_pod(2, true, 2).as_deref(), Some("acme"));
    assert_eq!(table.settled(), [format!("{POD} acme")], "once");
    assert_eq!(table.pods()[POD].attribution.provenance, Provenance::Late);
    table.tell("oil");
    assert_eq!(table.see_pod(1, true, 3).as_deref(), Some("oil"));
    assert_eq!(table.settled(), [] as [String; 0]);
}

#[test]
fn a_pod_that_lives_in_one_cgroup_is_waited_for_in_all() {
    let mut table = in_cluster();
    for source in [Source::Pods, Source::Namespaces] {
        table.directory.apply(Change::Health(source, Health::Synced), 0);
    }
    assert_eq!([table.see_pod(1, true, 1), table.see_pod(2, true, 1)], [None, None]);
    assert_eq!([table.see_pod(1, false, 2), table.see_pod(2, true, 60)], [None, None]);
    assert_eq!(table.see_pod(1, false, 60), None, "the other one lives");
    assert_eq!(table.see_pod(2, false, 61), None, "it has just ended");
    assert_eq!(table.see_pod(1, false, 80).as_deref(), Some(UNKNOWN));
    assert_eq!(table.see_pod(2, false, 80).as_deref(), Some(UNKNOWN));
    assert_eq!(table.settled(), [format!("{POD} {UNKNOWN}")]);
    assert_eq!(table.given_up().values().copied().collect::<Vec<_>>(), [1], "one pod");
    // Nobody mentions them any more.
    table.sweep(100 * SECOND);
    table.sweep(100 * SECOND + TOMBSTONE_NS);
    assert!(!table.has_pod(POD) && table.is_empty());
}
