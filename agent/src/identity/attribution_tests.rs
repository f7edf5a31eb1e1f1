//! Who a cgroup is, and that nobody is told before it is known.

use proptest::prelude::{Strategy as _, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;
use crate::identity::Class;
use crate::identity::cluster::change::{Change, Health, Trouble, Update};
use crate::identity::cluster::directory::Limits;
use crate::identity::cluster::samples::{self, namespace, object};
use crate::identity::cluster::tenancy::TenantObject;
use crate::identity::tenant::{RuleSpec, TenantRules};

const SECOND: u64 = 1_000_000_000;
const UID: &str = "8712f785-1a3e-41ec-a00b-e2dcc77431cb";
const ID: &str = "0f3ab1c5d4e697887766554433221100ffeeddccbbaa99887766554433221100";

const RULES: &str = r#"[
    {"match": {"namespace_label": "team"}, "tenant": "{namespace_label}"},
    {"match": {"pod": true}, "tenant": "pod-{pod_uid}"},
    {"match": {"path": "^/"}, "tenant": "{top}"}
]"#;

const LIVES: Waiting = Waiting { now_ns: 0, ended_ns: None, was_pending: false, has_room: true };

fn rules(json: &str) -> TenantRules {
    TenantRules::compile(serde_json::from_str::<Vec<RuleSpec>>(json).unwrap()).unwrap()
}

fn directory(changes: impl IntoIterator<Item = Change>) -> Directory {
    let mut directory = Directory::new(rules(RULES), Limits::default());
    for change in changes {
        directory.apply(change, 0);
    }
    directory
}

fn oil() -> Change {
    Change::Namespaces(Update::Put(namespace("oil-1", "team=oil")))
}

fn web() -> Change {
    let containers = vec![samples::container("web", ID)];
    Change::Pods(Update::Put(Pod { containers, ..samples::pod(UID, "oil-1/web-1", "") }))
}

fn facts() -> ContainerFacts {
    ContainerFacts {
        id: ID.to_owned(),
        name: Some("web".to_owned()),
        pod_uid: Some(UID.to_owned()),
        pod_name: Some("web-1".to_owned()),
        pod_namespace: Some("oil-1".to_owned()),
        ..ContainerFacts::default()
    }
}

fn path() -> String {
    format!("/kubepods/burstable/pod{UID}/{ID}")
}

/// What is found, as `tenant namespace/pod/container provenance`, or `pending`.
fn told(resolution: &Resolution) -> String {
    match resolution {
        Resolution::Pending { uid } => format!("pending {}", uid.as_str()),
        Resolution::Settled(it) => {
            let or_none = |text: &Option<Arc<str>>| text.as_deref().unwrap_or("-").to_owned();
            let (namespace, pod, container) =
                (or_none(&it.namespace), or_none(&it.pod), or_none(&it.container));
            let (tenant, how) = (it.tenant(), it.provenance.label());
            format!("{tenant} {namespace}/{pod}/{container} {how}")
        }
    }
}

#[track_caller]
fn check(path: &str, directory: &Directory, facts: Option<&ContainerFacts>, expected: &str) {
    assert_eq!(told(&resolve(Some(path), directory, facts, &LIVES)), expected, "{path}");
}

#[test]
fn without_a_cluster_the_path_says_it() {
    let directory = Directory::without_cluster(rules(RULES));
    check(&path(), &directory, None, &format!("pod-{UID} -/-/- cgroup"));
    check(&path(), &directory, Some(&facts()), &format!("pod-{UID} -/-/web cgroup"));
    check("/", &directory, None, "host -/-/- cgroup");
    check("/system.slice/a.service", &directory, None, "system.slice -/-/- cgroup");
    assert_eq!(told(&resolve(None, &directory, None, &LIVES)), "unknown -/-/- unknown");
}

#[test]
fn outside_pods_the_path_says_it_too() {
    let directory = directory([oil(), web()]);
    check("/", &directory, None, "host -/-/- cgroup");
    check("/system.slice/a.service", &directory, None, "system.slice -/-/- cgroup");
    check("/kubepods/burstable", &directory, None, "kubepods -/-/- cgroup");
    check(&format!("/user.slice/docker-{ID}.scope"), &directory, None, "user.slice -/-/- cgroup");
}

#[test]
fn a_pod_is_known_when_it_and_its_namespace_are() {
    let pending = format!("pending {UID}");
    check(&path(), &directory([]), None, &pending);
    check(&path(), &directory([oil()]), None, &pending);
    check(&path(), &directory([web()]), None, &pending);
    let both = directory([web(), oil()]);
    check(&path(), &both, None, "oil oil-1/web-1/web informer");
    check(&format!("/kubepods/pod{UID}"), &both, None, "oil oil-1/web-1/- informer");
    check(&format!("{}/inner", path()), &both, None, "oil oil-1/web-1/web informer");
    let was_pending = Waiting { was_pending: true, ..LIVES };
    let late = resolve(Some(&path()), &both, None, &was_pending);
    assert_eq!(told(&late), "oil oil-1/web-1/web late");
}

#[test]
fn a_namespace_that_nobody_has_is_unassigned() {
    let both = directory([web(), Change::Namespaces(Update::Put(namespace("oil-1", "")))]);
    // `pod: true` is a rule for it, too.
    check(&path(), &both, None, &format!("pod-{UID} oil-1/web-1/web informer"));
    let rules = rules(r#"[{"match": {"namespace_label": "team"}, "tenant": "x"}]"#);
    let mut directory = Directory::new(rules, Limits::default());
    directory.apply(web(), 0);
    directory.apply(Change::Namespaces(Update::Put(namespace("oil-1", ""))), 0);
    check(&path(), &directory, None, "unassigned oil-1/web-1/web informer");
}

#[test]
fn the_runtime_may_know_before() {
    let known = directory([oil()]);
    let pending = format!("pending {UID}");
    check(&path(), &known, Some(&facts()), "oil oil-1/web-1/web runtime");
    check(&path(), &directory([oil(), web()]), Some(&facts()), "oil oil-1/web-1/web informer");
    check(&path(), &directory([]), Some(&facts()), &pending);
    let other = |change: fn(&mut ContainerFacts)| {
        let mut facts = facts();
        change(&mut facts);
        check(&path(), &known, Some(&facts), &pending);
    };
    other(|it| it.id = "f".repeat(64));
    other(|it| it.pod_uid = Some("11111111-1a3e-41ec-a00b-e2dcc77431cb".to_owned()));
    other(|it| it.pod_uid = None);
    other(|it| it.pod_namespace = Some("gas".to_owned()));
    other(|it| it.pod_namespace = None);
    other(|it| it.pod_name = None);
    check(&format!("/kubepods/pod{UID}"), &known, Some(&facts()), &pending);
    let sandbox = ContainerFacts { pod_sandbox_id: Some(ID.to_owned()), ..facts() };
    check(&path(), &known, Some(&sandbox), "oil oil-1/web-1/- runtime");
}

#[test]
fn the_runtime_is_not_enough_when_labels_of_pods_count() {
    let json = r#"[
        {"match": {"namespace_label": "capsule"}, "tenant": "{namespace_label}"},
        {"match": {"pod_label": "for"}, "tenant": "{pod_label}"},
        {"match": {"namespace_label": "team"}, "tenant": "{namespace_label}"}
    ]"#;
    let mut known = Directory::new(rules(json), Limits::default());
    known.apply(oil(), 0);
    check(&path(), &known, Some(&facts()), &format!("pending {UID}"));
    let labels = |text: &str| [(text.to_owned(), "gas".to_owned())].into();
    let labelled = ContainerFacts { pod_labels: labels("for"), ..facts() };
    check(&path(), &known, Some(&labelled), "gas oil-1/web-1/web runtime");
    let labelled = ContainerFacts { pod_labels: labels("app"), ..facts() };
    check(&path(), &known, Some(&labelled), "oil oil-1/web-1/web runtime");
    // Here they cannot count, as a rule or an object before them holds.
    let takes = |pods: Option<&str>| {
        let pod_selector = pods.map(samples::selector);
        let object =
            TenantObject { namespaces: vec!["oil-*".into()], pod_selector, ..object("acme", 0) };
        Change::Tenants(Update::All(vec![object]))
    };
    known.apply(takes(None), 0);
    check(&path(), &known, Some(&facts()), "acme oil-1/web-1/web runtime");
    known.apply(takes(Some("app=web")), 0);
    check(&path(), &known, Some(&facts()), &format!("pending {UID}"));
    known.apply(Change::Tenants(Update::All(Vec::new())), 0);
    known.apply(Change::Namespaces(Update::Put(namespace("oil-1", "capsule=red"))), 0);
    check(&path(), &known, Some(&facts()), "red oil-1/web-1/web runtime");
}

#[test]
fn giving_up() {
    let synced = |source| Change::Health(source, Health::Synced);
    let away =
        |source| Change::Health(source, Health::Interrupted(Trouble::Unreachable(String::new())));
    let mut directory = directory([]);
    let check = |directory: &Directory, waiting: Waiting, expected: Option<GaveUp>| {
        let is = resolve(Some(&path()), directory, None, &waiting);
        let reason = match is {
            Resolution::Pending { .. } => None,
            Resolution::Settled(Attribution { assignment, provenance, .. }) => {
                assert_eq!((assignment.class, provenance), (Class::Unknown, Provenance::Unknown));
                match assignment.decider {
                    Decider::GaveUp(reason) => Some(reason),
                    other => panic!("{other}"),
                }
            }
        };
        assert_eq!(reason, expected, "{waiting:?}");
    };
    let at = |second: u64, ended: Option<u64>| Waiting {
        now_ns: second * SECOND,
        ended_ns: ended.map(|second| second * SECOND),
        ..LIVES
    };
    check(&directory, at(3600, Some(1)), None);
    check(&directory, Waiting { has_room: false, ..LIVES }, Some(GaveUp::TooMany));
    directory.apply(synced(Source::Pods), 100 * SECOND);
    check(&directory, at(3600, Some(1)), None);
    directory.apply(synced(Source::Namespaces), 200 * SECOND);
    check(&directory, at(3600, None), None);
    check(&directory, at(209, Some(1)), None);
    check(&directory, at(210, Some(1)), Some(GaveUp::NeverTold));
    check(&directory, at(309, Some(300)), None);
    check(&directory, at(310, Some(300)), Some(GaveUp::NeverTold));
    directory.apply(away(Source::Pods), 400 * SECOND);
    check(&directory, at(3600, Some(300)), None);
    directory.apply(synced(Source::Pods), 4000 * SECOND);
    check(&directory, at(4009, Some(300)), None);
    check(&directory, at(4010, Some(300)), Some(GaveUp::NeverTold));
}

#[test]
fn a_pod_that_is_gone_is_still_found() {
    let mut directory = directory([oil(), web()]);
    directory.apply(Change::Pods(Update::All(Vec::new())), SECOND);
    directory.apply(Change::Namespaces(Update::All(Vec::new())), SECOND);
    check(&path(), &directory, None, "oil oil-1/web-1/web informer");
    directory.expire(100 * SECOND);
    check(&path(), &directory, None, &format!("pending {UID}"));
}

#[test]
fn objects_own_pods_too() {
    let claim = TenantObject { namespaces: vec!["oil-*".into()], ..object("acme", 0) };
    let directory = directory([oil(), web(), Change::Tenants(Update::Put(claim))]);
    check(&path(), &directory, None, "acme oil-1/web-1/web informer");
}

/// A cluster that does not change: what pods and namespaces are, whoever tells of them
/// and whenever.
mod truth {
    use super::*;

    pub(super) const UIDS: [&str; 3] = [
        "11111111-1a3e-41ec-a00b-e2dcc77431cb",
        "22222222-1a3e-41ec-a00b-e2dcc77431cb",
        "33333333-1a3e-41ec-a00b-e2dcc77431cb",
    ];
    const HOMES: [&str; 3] = ["oil-1", "oil-2", "gas-1"];

    pub(super) fn tenant(index: usize) -> &'static str {
        &HOMES[index][..3]
    }

    pub(super) fn pod(index: usize) -> Pod {
        samples::pod(UIDS[index], &format!("{}/web", HOMES[index]), "")
    }

    pub(super) fn namespace(index: usize) -> Namespace {
        samples::namespace(HOMES[index], &format!("team={}", tenant(index)))
    }

    pub(super) fn facts(index: usize) -> ContainerFacts {
        ContainerFacts {
            id: id(index),
            pod_uid: Some(UIDS[index].to_owned()),
            pod_name: Some("web".to_owned()),
            pod_namespace: Some(HOMES[index].to_owned()),
            ..ContainerFacts::default()
        }
    }

    pub(super) fn id(index: usize) -> String {
        index.to_string().repeat(64)
    }

    pub(super) fn path(index: usize) -> String {
        format!("/kubepods/pod{}/{}", UIDS[index], id(index))
    }
}

fn news() -> impl proptest::strategy::Strategy<Value = Change> {
    let index = || 0..truth::UIDS.len();
    let some = || proptest::collection::vec(index(), 0..3);
    let source = || proptest::sample::select(vec![Source::Pods, Source::Namespaces]);
    prop_oneof![
        index().prop_map(|it| Change::Pods(Update::Put(truth::pod(it)))),
        index().prop_map(|it| Change::Pods(Update::Gone(truth::pod(it)))),
        some().prop_map(|it| Change::Pods(Update::All(it.into_iter().map(truth::pod).collect()))),
        index().prop_map(|it| Change::Namespaces(Update::Put(truth::namespace(it)))),
        index().prop_map(|it| Change::Namespaces(Update::Gone(truth::namespace(it)))),
        source().prop_map(|it| Change::Health(it, Health::Synced)),
        source().prop_map(|it| {
            Change::Health(it, Health::Interrupted(Trouble::Overloaded(String::new())))
        }),
    ]
}

proptest! {
    /// Whatever is told, in whatever order: a pod is its own tenant's, pending or
    /// unknown, never another's; and unknown only after its end.
    #[test]
    fn what_was_pending_never_goes_to_a_wrong_tenant(
        told in proptest::collection::vec((news(), 0u64..40, 0usize..3, 0usize..4, 0u64..2), 1..20),
    ) {
        let mut directory = directory([]);
        let mut now_ns = 0;
        for (change, seconds, index, of, is_dead) in told {
            now_ns += seconds * SECOND;
            directory.apply(change, now_ns);
            let facts = (of < 3).then(|| truth::facts(of));
            let ended_ns = (is_dead == 1).then_some(0);
            let waiting = Waiting { now_ns, ended_ns, was_pending: false, has_room: true };
            let path = truth::path(index);
            let is = resolve(Some(&path), &directory, facts.as_ref(), &waiting);
            if let Resolution::Settled(it) = is {
                match it.assignment.class {
                    Class::Tenant => {
                        prop_assert_eq!(it.tenant().as_str(), truth::tenant(index));
                        prop_assert_eq!(it.namespace.as_deref(), Some(&*truth::pod(index).namespace));
                    }
                    Class::Unknown => prop_assert!(ended_ns.is_some()),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
        // Once everything has been told, all are found.
        for index in 0..truth::UIDS.len() {
            directory.apply(Change::Namespaces(Update::Put(truth::namespace(index))), now_ns);
            directory.apply(Change::Pods(Update::Put(truth::pod(index))), now_ns);
        }
        for index in 0..truth::UIDS.len() {
            let waiting = Waiting { now_ns, ended_ns: Some(0), was_pending: true, has_room: true };
            let it = resolve(Some(&truth::path(index)), &directory, None, &waiting).attribution();
            prop_assert_eq!((it.tenant().as_str(), it.provenance), (truth::tenant(index), Provenance::Late));
        }
    }
}
