//! What is remembered, and for how long.

use proptest::prelude::{Just, Strategy as _, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;
use crate::identity::cluster::change::Trouble;
use crate::identity::cluster::samples::{container, namespace, object, pod};
use crate::identity::cluster::tenancy::TenantObject;
use crate::identity::tenant::RuleSpec;

const SECOND: u64 = 1_000_000_000;
const HASH: &str = "0123456789abcdef0123456789abcdef";

fn rules(json: &str) -> TenantRules {
    TenantRules::compile(serde_json::from_str::<Vec<RuleSpec>>(json).unwrap()).unwrap()
}

fn directory() -> Directory {
    limited(Limits { pods: 4, namespaces: 3, quotas: 2, tombstones: 3 })
}

fn limited(limits: Limits) -> Directory {
    let rules = rules(
        r#"[
            {"match": {"pod_label": "for"}, "tenant": "{pod_label}"},
            {"match": {"namespace_label": "team"}, "tenant": "{namespace_label}"}
        ]"#,
    );
    Directory::new(rules, limits)
}

fn put_pod(uid: &str, name: &str, labels: &str) -> Change {
    Change::Pods(Update::Put(pod(uid, name, labels)))
}

fn gone_pod(uid: &str, name: &str) -> Change {
    Change::Pods(Update::Gone(pod(uid, name, "")))
}

fn put_namespace(name: &str, labels: &str) -> Change {
    Change::Namespaces(Update::Put(namespace(name, labels)))
}

fn name(directory: &Directory, uid: &str) -> Option<String> {
    directory.pod(uid).map(|pod| format!("{}/{}", pod.namespace, pod.name))
}

fn living(directory: &Directory) -> Vec<String> {
    let mut uids: Vec<_> = directory.pods().map(|pod| pod.uid.to_string()).collect();
    uids.sort();
    uids
}

#[test]
fn what_is_gone_is_remembered_for_a_minute() {
    let mut directory = directory();
    directory.apply(put_pod("a", "oil/web", ""), 0);
    directory.apply(gone_pod("a", "oil/web"), SECOND);
    assert_eq!(living(&directory), [""; 0]);
    directory.expire(61 * SECOND);
    assert_eq!(name(&directory, "a").as_deref(), Some("oil/web"));
    directory.expire(61 * SECOND + 1);
    assert_eq!(name(&directory, "a"), None);
    assert_eq!(directory.counts(), DirectoryCounts::default());
}

#[test]
fn what_is_told_only_at_its_end_is_remembered_too() {
    let mut directory = directory();
    directory.apply(gone_pod("a", "oil/web"), SECOND);
    assert_eq!(name(&directory, "a").as_deref(), Some("oil/web"));
    assert_eq!(living(&directory), [""; 0]);
}

#[test]
fn what_comes_back_stays() {
    let mut directory = directory();
    directory.apply(gone_pod("a", "oil/web"), 0);
    directory.apply(put_pod("a", "oil/web", ""), 30 * SECOND);
    directory.expire(600 * SECOND);
    assert_eq!(living(&directory), ["a"]);
    directory.apply(gone_pod("a", "oil/web"), 600 * SECOND);
    directory.expire(601 * SECOND);
    assert_eq!(name(&directory, "a").as_deref(), Some("oil/web"));
}

#[test]
fn a_whole_list_ends_what_is_not_in_it() {
    let mut directory = directory();
    for uid in ["a", "b"] {
        directory.apply(put_pod(uid, "oil/web", ""), 0);
        directory.apply(put_namespace(uid, ""), 0);
    }
    directory.apply(
        Change::Pods(Update::All(vec![pod("b", "oil/web", ""), pod("c", "oil/web", "")])),
        1,
    );
    directory.apply(Change::Namespaces(Update::All(vec![namespace("b", "")])), 1);
    assert_eq!(living(&directory), ["b", "c"]);
    assert_eq!(directory.namespaces().count(), 1);
    assert!(directory.pod("a").is_some() && directory.namespace("a").is_some());
    directory.expire(62 * SECOND);
    assert!(directory.pod("a").is_none() && directory.namespace("a").is_none());
}

#[test]
fn what_finds_no_room_is_counted() {
    let mut directory = directory();
    for uid in ["a", "b", "c", "d", "e"] {
        directory.apply(put_pod(uid, "oil/web", ""), 0);
    }
    assert_eq!(living(&directory), ["a", "b", "c", "d"]);
    assert_eq!(directory.counts(), DirectoryCounts { refused: 1, forgotten: 0 });
    directory.apply(Change::Pods(Update::All(Vec::new())), 1);
    assert_eq!(directory.counts(), DirectoryCounts { refused: 1, forgotten: 1 });
    assert!(directory.pod("a").is_none() && directory.pod("d").is_some());
    directory.apply(put_pod("e", "oil/web", ""), 2);
    assert_eq!(living(&directory), ["e"]);
    for _ in 0..10 {
        directory.apply(gone_pod("e", "oil/web"), 3);
        directory.apply(put_pod("e", "oil/web", ""), 3);
    }
    assert_eq!(living(&directory), ["e"]);

    let quota = |name: &str| Quota {
        namespace: "oil".into(),
        name: name.into(),
        resources: Default::default(),
    };
    for name in ["a", "b", "c", "b"] {
        directory.apply(Change::Quotas(Update::Put(quota(name))), 4);
    }
    let names: Vec<_> = directory.quotas().map(|quota| quota.name.to_string()).collect();
    assert_eq!((names, directory.counts().refused), (vec!["a".to_owned(), "b".to_owned()], 2));
    directory.apply(Change::Quotas(Update::Gone(quota("a"))), 5);
    directory.apply(Change::Quotas(Update::Put(quota("c"))), 5);
    assert_eq!(directory.quotas().count(), 2);
    directory.apply(Change::Quotas(Update::All(Vec::new())), 5);
    assert_eq!(directory.quotas().count(), 0);
}

#[test]
fn static_pods_are_found_by_their_hash() {
    let mirror = |uid: &str, full_name: &str, hash: &str| {
        let pod = Pod { config_hash: Some(hash.into()), ..pod(uid, full_name, "") };
        Change::Pods(Update::Put(pod))
    };
    let mut directory = directory();
    directory.apply(mirror("m1", "kube-system/etcd", HASH), 0);
    assert_eq!(name(&directory, HASH).as_deref(), Some("kube-system/etcd"));
    // The kubelet makes the mirror anew.
    directory.apply(gone_pod("m1", "kube-system/etcd"), 1);
    directory.apply(mirror("m2", "kube-system/etcd", HASH), 1);
    assert_eq!(directory.pod(HASH).map(|pod| &*pod.uid), Some("m2"));
    // Somebody else says to be the same.
    directory.apply(mirror("x", "evil/etcd", HASH), 2);
    assert_eq!(name(&directory, HASH), None);
    // A hash is never taken for the UID of an ordinary pod.
    let uid = "8712f785-1a3e-41ec-a00b-e2dcc77431cb";
    directory.apply(mirror("y", "evil/web", uid), 3);
    assert_eq!(name(&directory, uid), None);
}

#[test]
fn containers_are_found_by_their_ids() {
    let mut directory = directory();
    let containers = vec![container("web", "c0"), container("proxy", "c1")];
    let web = Pod { containers, ..pod("a", "oil/web", "") };
    directory.apply(Change::Pods(Update::Put(web)), 0);
    let found = |id| directory.container(id).map(|(pod, name)| (&*pod.uid, name));
    assert_eq!(found("c1"), Some(("a", "proxy")));
    assert_eq!(found("c2"), None);
}

#[test]
fn how_sources_fare() {
    let mut directory = directory();
    assert!(!directory.is_synced(Source::Pods));
    directory.apply(Change::Health(Source::Pods, Health::Synced), 5);
    directory.apply(Change::Health(Source::Pods, Health::Synced), 7);
    assert_eq!(directory.synced_since_ns(Source::Pods), Some(5));
    let trouble = Health::Interrupted(Trouble::Unreachable("gone".to_owned()));
    directory.apply(Change::Health(Source::Pods, trouble.clone()), 8);
    assert!(!directory.is_synced(Source::Pods));
    assert_eq!(directory.health(Source::Pods), Some(&trouble));
    directory.apply(Change::Health(Source::Pods, Health::Synced), 9);
    assert_eq!(directory.synced_since_ns(Source::Pods), Some(9));
    assert!(!directory.is_synced(Source::Namespaces));
}

#[test]
fn only_news_of_identity_changes_the_generation() {
    let mut directory = directory();
    let mut check = |change: Change, expected: bool| {
        let before = directory.generation();
        directory.apply(change.clone(), 0);
        assert_eq!(directory.generation() != before, expected, "{change:?}");
    };
    check(put_pod("a", "oil/web", ""), true);
    check(put_pod("a", "oil/web", ""), false);
    let restarted = Pod { deleting: true, ..pod("a", "oil/web", "") };
    check(Change::Pods(Update::Put(restarted)), false);
    let named = Pod { containers: vec![container("web", "c0")], ..pod("a", "oil/web", "") };
    check(Change::Pods(Update::Put(named)), true);
    check(put_pod("a", "oil/web", "for=gas"), true);
    check(put_namespace("oil", ""), true);
    check(put_namespace("oil", ""), false);
    check(put_namespace("oil", "team=oil"), true);
    check(Change::Tenants(Update::Put(object("t", 0))), true);
    check(Change::Quotas(Update::All(Vec::new())), false);
    check(Change::Health(Source::Pods, Health::Synced), true);
}

/// Whether news moves the one pod there is, `oil/web`, whose tenant is `team`'s.
#[test]
fn what_would_change_tenants() {
    let mut directory = directory();
    directory.apply(put_namespace("oil", "team=oil"), 0);
    directory.apply(put_namespace("gas", "team=gas"), 0);
    directory.apply(put_pod("a", "oil/web", ""), 0);
    let takes = |name: &str| {
        let object = TenantObject { namespaces: vec!["oil".into()], ..object(name, 0) };
        Change::Tenants(Update::Put(object))
    };
    let check = |change: Change, expected: bool| {
        assert_eq!(directory.would_change_tenants(&change), expected, "{change:?}");
    };
    check(put_pod("b", "oil/db", "for=gas"), false);
    check(put_pod("a", "oil/web", "app=web"), false);
    check(put_pod("a", "oil/web", "for=gas"), true);
    check(put_pod("a", "oil/web", "for=oil"), false);
    check(Change::Pods(Update::All(vec![pod("a", "oil/web", "for=gas")])), true);
    check(gone_pod("a", "oil/web"), false);
    check(put_namespace("oil", "team=oil,x=y"), false);
    check(put_namespace("oil", "team=red"), true);
    check(put_namespace("oil", ""), true);
    check(put_namespace("gas", "team=red"), false);
    check(Change::Namespaces(Update::All(vec![namespace("oil", "")])), true);
    check(Change::Namespaces(Update::Gone(namespace("oil", ""))), false);
    check(takes("oil"), false);
    check(takes("red"), true);
    check(Change::Tenants(Update::All(Vec::new())), false);
    check(Change::Health(Source::Pods, Health::Synced), false);
    let mut claimed = self::directory();
    claimed.apply(put_namespace("oil", "team=oil"), 0);
    claimed.apply(put_pod("a", "oil/web", ""), 0);
    claimed.apply(takes("red"), 0);
    assert!(claimed.would_change_tenants(&Change::Tenants(Update::All(Vec::new()))));
    assert!(!claimed.would_change_tenants(&put_namespace("oil", "team=blue")));
}

/// Where rules ask for the path, too, whatever may move counts as moving.
#[test]
fn with_rules_about_paths_more_may_change() {
    let mixed = r#"[{"match": {"container": "crio", "namespace_label": "team"}, "tenant": "{namespace_label}"}]"#;
    let mut directory = Directory::new(rules(mixed), Limits::default());
    directory.apply(put_namespace("oil", "team=oil"), 0);
    directory.apply(put_pod("a", "oil/web", ""), 0);
    assert!(directory.would_change_tenants(&put_namespace("oil", "team=gas")));
    assert!(!directory.would_change_tenants(&put_namespace("oil", "team=oil")));
    assert!(directory.would_change_tenants(&put_pod("a", "oil/web", "x=y")));
}

#[test]
fn conflicts_are_told() {
    let mut directory = directory();
    directory.apply(put_namespace("oil", ""), 0);
    directory.apply(put_namespace("gas", ""), 0);
    for name in ["b", "a"] {
        let object = TenantObject { namespaces: vec!["oil".into()], ..object(name, 0) };
        directory.apply(Change::Tenants(Update::Put(object)), 0);
    }
    let conflicts: Vec<_> = directory.conflicts().collect();
    let expected =
        Conflict { namespace: "oil".into(), holder: "a".into(), others: vec!["b".into()] };
    assert_eq!(conflicts, [expected]);
}

/// The namespace of a pod, which never changes.
fn home(uid: &str) -> &'static str {
    if uid < "c" { "oil" } else { "gas" }
}

fn news() -> impl proptest::strategy::Strategy<Value = Change> {
    let name = proptest::sample::select(vec!["oil", "gas"]);
    let uid = proptest::sample::select(vec!["a", "b", "c", "d"]);
    let label = proptest::sample::select(vec!["", "for=x", "team=y", "team=z"]);
    prop_oneof![
        (uid.clone(), label.clone()).prop_map(|(uid, label)| put_pod(
            uid,
            &format!("{}/{uid}", home(uid)),
            label
        )),
        uid.prop_map(|uid| gone_pod(uid, &format!("{}/{uid}", home(uid)))),
        (name.clone(), label).prop_map(|(name, label)| put_namespace(name, label)),
        name.clone().prop_map(|name| Change::Namespaces(Update::Gone(namespace(name, "")))),
        (name, 0..2i32).prop_map(|(name, priority)| {
            let object = TenantObject { namespaces: vec![name.into()], ..object(name, priority) };
            Change::Tenants(Update::Put(object))
        }),
    ]
}

/// The object that news are about.
fn key(change: &Change) -> (u8, String) {
    match change {
        Change::Pods(Update::Put(pod) | Update::Gone(pod)) => (0, pod.uid.to_string()),
        Change::Namespaces(Update::Put(it) | Update::Gone(it)) => (1, it.name.to_string()),
        Change::Tenants(Update::Put(it) | Update::Gone(it)) => (2, it.name.to_string()),
        _ => unreachable!("no such news are made"),
    }
}

fn state(directory: &Directory) -> Vec<(String, Option<Assignment>)> {
    let mut state: Vec<_> = directory
        .pods
        .all()
        .map(|(pod, lives)| (format!("{pod:?} {lives}"), directory.owner_of_pod(pod)))
        .collect();
    state.sort_by(|a, b| a.0.cmp(&b.0));
    state
}

proptest! {
    /// News of different objects may overtake each other: what is known in the end is
    /// the same.
    #[test]
    fn the_order_of_news_does_not_matter(
        (told, shuffled) in proptest::collection::vec(news(), 0..12).prop_flat_map(|all| {
            (Just(all.clone()), Just(all).prop_shuffle())
        }),
    ) {
        let mut directory = limited(Limits::default());
        let mut other = limited(Limits::default());
        for change in &told {
            directory.apply(change.clone(), 0);
        }
        // In the shuffled order of objects, but in the told order of each one's news.
        let mut left = told.clone();
        for change in &shuffled {
            let first = left.iter().position(|it| key(it) == key(change)).unwrap();
            other.apply(left.remove(first), 0);
        }
        prop_assert_eq!(state(&directory), state(&other));
        prop_assert_eq!(directory.counts(), other.counts());
    }

    /// No pod gets another owner by news that were not announced to do so.
    #[test]
    fn no_owner_changes_unannounced(told in proptest::collection::vec(news(), 0..12)) {
        let mut directory = directory();
        for change in told {
            let announced = directory.would_change_tenants(&change);
            let before: Vec<_> = directory
                .pods
                .all()
                .filter_map(|(pod, _)| Some((pod.uid.clone(), directory.owner_of_pod(pod)?)))
                .collect();
            directory.apply(change, 0);
            for (uid, owner) in before {
                let is = directory.pod(&uid).and_then(|pod| directory.owner_of_pod(pod));
                if let Some(is) = is {
                    prop_assert!(announced || is.bills_as(&owner), "{} {:?} {:?}", uid, owner, is);
                }
            }
        }
    }
}
