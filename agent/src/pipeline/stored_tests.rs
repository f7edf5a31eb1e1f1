//! Whose storage is, for how long, and until when it is true.

use std::time::Duration;

use super::Stored;
use crate::identity::cluster::change::{Change, Health, Update};
use crate::identity::cluster::directory::{Directory, Limits};
use crate::identity::cluster::storage::{ClaimStorage, PodStorage};
use crate::identity::cluster::{Source, samples};
use crate::identity::registry::SeenPods;
use crate::identity::tenant::{MatchSpec, RuleClass, RuleSpec, TenantRules};
use crate::usage::accounts::{Accounts, Limits as Names};
use crate::usage::pod::PodUsage;
use crate::usage::reading::Reading;
use crate::usage::tenant::{AgentUsage, TenantUsage};

const SECOND: u64 = 1_000_000_000;
/// How often the kubelet is asked.
const INTERVAL: Duration = Duration::from_secs(10);

/// Namespaces `blue` of acme and `green` of oil, with the pods `1` and `2` in blue and `3`
/// in green.
struct Scene {
    directory: Directory,
    stored: Stored,
    tenants: Accounts,
    pods: Accounts,
}

impl Scene {
    fn new() -> Self {
        let rule = RuleSpec {
            matches: MatchSpec {
                namespace_label: Some("tenant".to_owned()),
                ..MatchSpec::default()
            },
            tenant: "{namespace_label}".to_owned(),
            class: RuleClass::Tenant,
        };
        let rules = TenantRules::compile(vec![rule]).unwrap();
        let mut directory = Directory::new(rules, Limits::default());
        let namespaces = vec![
            samples::namespace("blue", "tenant=acme"),
            samples::namespace("green", "tenant=oil"),
        ];
        directory.apply(Change::Namespaces(Update::All(namespaces)), 0);
        let pods = vec![
            samples::pod("1", "blue/a", ""),
            samples::pod("2", "blue/b", ""),
            samples::pod("3", "green/c", ""),
        ];
        directory.apply(Change::Pods(Update::All(pods)), 0);
        Self {
            directory,
            stored: Stored::new(INTERVAL),
            tenants: Accounts::new(Names::default()),
            pods: Accounts::new(Names::default()),
        }
    }

    /// As when the kernel's counters are read.
    fn read(&mut self, at_s: u64) {
        let reading = Reading::default();
        self.tenants.observe(&reading, &mut |_| "acme".into());
        self.pods.observe(&reading, &mut |_| "1".into());
        let (tenants, pods) = (&mut self.tenants, &mut self.pods);
        self.stored.turn(at_s * SECOND, &SeenPods::new(), &self.directory, tenants, pods);
    }

    /// As when the kubelet answers.
    fn tell(&mut self, at_s: u64, pods: Vec<PodStorage>) {
        self.read(at_s);
        self.stored.take(pods, at_s * SECOND);
    }

    fn of(accounts: &Accounts, name: &str) -> TenantUsage {
        let all = accounts.node_usage(0, AgentUsage::default()).tenants;
        all.into_iter().find(|it| it.tenant == name).unwrap_or_default()
    }

    fn tenant(&self, name: &str) -> TenantUsage {
        Self::of(&self.tenants, name)
    }

    fn pod(&self, uid: &str) -> TenantUsage {
        Self::of(&self.pods, uid)
    }
}

fn pod(uid: &str, namespace: &str, ephemeral: Option<u64>, claims: &[(&str, u64)]) -> PodStorage {
    let claims = claims.iter().map(|(claim, used)| ClaimStorage {
        namespace: namespace.into(),
        claim: (*claim).into(),
        used_bytes: Some(*used),
        capacity_bytes: Some(1000),
    });
    PodStorage {
        uid: uid.into(),
        namespace: namespace.into(),
        name: "a pod".into(),
        ephemeral_bytes: ephemeral,
        ephemeral_inodes: Some(3),
        claims: claims.collect(),
    }
}

#[test]
fn pods_and_tenants_keep_what_the_kubelet_says() {
    let mut scene = Scene::new();
    scene.tell(0, vec![pod("1", "blue", Some(100), &[("data", 7)]), pod("3", "green", None, &[])]);
    scene.read(4);
    let acme = scene.tenant("acme");
    assert_eq!(acme.ephemeral_storage_bytes, Some(100));
    assert_eq!((acme.volume_bytes, acme.volume_capacity_bytes), (Some(7), Some(1000)));
    assert_eq!(acme.ephemeral_storage_byte_seconds_total, 400.0);
    assert_eq!(acme.volume_byte_seconds_total, 28.0);
    assert_eq!(acme.volume_capacity_byte_seconds_total, 4000.0);
    let oil = scene.tenant("oil");
    assert_eq!((oil.ephemeral_storage_bytes, oil.volume_bytes), (None, None));
    assert_eq!(scene.pod("1").ephemeral_storage_bytes, Some(100));
    assert_eq!(scene.pod("1").volume_byte_seconds_total, 28.0);
    let mut pods = [PodUsage { uid: "1".to_owned(), ..PodUsage::default() }, PodUsage::default()];
    scene.stored.add(&mut pods);
    let volume = &pods[0].volumes[0];
    assert_eq!((&*volume.claim, volume.used_bytes), ("data", Some(7)));
    assert_eq!(pods[0].ephemeral_storage_inodes, Some(3));
    assert!(pods[1].volumes.is_empty());
}

#[test]
fn a_claim_that_pods_share_counts_once_for_the_tenant() {
    let mut scene = Scene::new();
    let shared: &[(&str, u64)] = &[("shared", 50)];
    let of_oil = pod("3", "green", None, shared);
    scene.tell(0, vec![pod("1", "blue", None, shared), pod("2", "blue", None, shared), of_oil]);
    scene.read(2);
    assert_eq!(scene.tenant("acme").volume_bytes, Some(50));
    assert_eq!(scene.tenant("acme").volume_byte_seconds_total, 100.0);
    // Another namespace has another claim of that name.
    assert_eq!(scene.tenant("oil").volume_bytes, Some(50));
    assert_eq!((scene.pod("1").volume_bytes, scene.pod("2").volume_bytes), (Some(50), Some(50)));
}

#[test]
fn what_was_said_stands_until_it_is_too_old() {
    let mut scene = Scene::new();
    scene.tell(0, vec![pod("1", "blue", Some(1), &[])]);
    scene.tell(10, vec![pod("1", "blue", Some(5), &[])]);
    assert_eq!(scene.tenant("acme").ephemeral_storage_byte_seconds_total, 10.0);
    scene.read(44);
    assert_eq!(scene.tenant("acme").ephemeral_storage_bytes, Some(5));
    assert_eq!(scene.tenant("acme").ephemeral_storage_byte_seconds_total, 10.0 + 34.0 * 5.0);
    // Three intervals and a half.
    scene.read(60);
    let expected = 10.0 + 35.0 * 5.0;
    assert_eq!(scene.tenant("acme").ephemeral_storage_bytes, None);
    assert_eq!(scene.tenant("acme").ephemeral_storage_byte_seconds_total, expected);
    scene.read(1000);
    assert_eq!(scene.tenant("acme").ephemeral_storage_byte_seconds_total, expected);
    // What was missed meanwhile is not made up.
    scene.tell(2000, vec![pod("1", "blue", Some(2), &[])]);
    scene.read(2001);
    assert_eq!(scene.tenant("acme").ephemeral_storage_bytes, Some(2));
    assert_eq!(scene.tenant("acme").ephemeral_storage_byte_seconds_total, expected + 2.0);
}

#[test]
fn use_is_split_when_a_namespace_becomes_anothers() {
    let mut scene = Scene::new();
    scene.tell(0, vec![pod("1", "blue", Some(10), &[("data", 100)])]);
    scene.read(3);
    let blue = samples::namespace("blue", "tenant=oil");
    scene.directory.apply(Change::Namespaces(Update::Put(blue)), 0);
    scene.read(5);
    let sums = |name: &str| {
        let usage = scene.tenant(name);
        (usage.ephemeral_storage_byte_seconds_total, usage.volume_byte_seconds_total)
    };
    assert_eq!((sums("acme"), sums("oil")), ((30.0, 300.0), (20.0, 200.0)));
    assert_eq!(scene.tenant("acme").volume_bytes, None);
}

#[test]
fn pods_that_nobody_has_told_of() {
    let mut scene = Scene::new();
    let stranger = || vec![pod("9", "purple", Some(10), &[("data", 100)])];
    scene.tell(0, stranger());
    scene.read(1);
    // The API server may still tell.
    assert_eq!(scene.tenants.pending().collect::<Vec<_>>(), ["9"]);
    assert_eq!(scene.tenant("unknown"), TenantUsage::default());
    for source in [Source::Pods, Source::Namespaces] {
        scene.directory.apply(Change::Health(source, Health::Synced), SECOND);
    }
    assert!(scene.tenants.settle("9", &"unknown".into()));
    scene.tell(1000, stranger());
    scene.read(1001);
    assert_eq!(scene.tenant("unknown").volume_bytes, Some(100));
    assert_eq!(scene.tenants.pending().count(), 0);
}
