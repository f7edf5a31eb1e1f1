//! What is shown of a cluster of three namespaces.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{owners, pods, quotas, sources};
use crate::identity::cgroup_path::Qos;
use crate::identity::cluster::change::{Change, Health, Trouble, Update};
use crate::identity::cluster::directory::{Directory, Limits};
use crate::identity::cluster::object::{Pod, PodContainer, Quota, Resources};
use crate::identity::cluster::{Source, samples};
use crate::identity::registry::{SeenPod, SeenPods};
use crate::identity::tenant::{MatchSpec, RuleClass, RuleSpec, TenantRules};
use crate::identity::{Resolution, Waiting, resolve};
use crate::usage::tenant::TenantUsage;

const WEB: &str = "00000000-0000-4000-8000-000000000001";
const LATE: &str = "00000000-0000-4000-8000-000000000002";

fn directory() -> Directory {
    let rule = |label: &str| RuleSpec {
        matches: MatchSpec { namespace_label: Some(label.to_owned()), ..MatchSpec::default() },
        tenant: "{namespace_label}".to_owned(),
        class: RuleClass::Tenant,
    };
    let rules = TenantRules::compile(vec![rule("tenant")]).unwrap();
    let mut directory = Directory::new(rules.carrying(vec!["team".to_owned()]), Limits::default());
    let namespaces = vec![
        samples::namespace("acme-prod", "tenant=acme,team=oil"),
        samples::namespace("acme-dev", "tenant=acme,team=oil"),
        samples::namespace("nobody", ""),
    ];
    directory.apply(Change::Namespaces(Update::All(namespaces)), 0);
    let container = |name: &str, cpu: Option<u64>, limit: Option<u64>| PodContainer {
        restarts: 2,
        requests: Resources { cpu_millis: cpu, ..Resources::default() },
        limits: Resources { cpu_millis: limit, ..Resources::default() },
        ..samples::container(name, name)
    };
    let web = Pod {
        containers: vec![
            container("web", Some(250), Some(1000)),
            container("side", Some(50), None),
        ],
        qos: Some(Qos::Burstable),
        ..samples::pod(WEB, "acme-prod/web", "")
    };
    directory.apply(Change::Pods(Update::All(vec![web])), 0);
    let quota = |namespace: &str| Quota {
        namespace: namespace.into(),
        name: "all".into(),
        resources: [("pods".into(), (10, 1))].into(),
    };
    let tight = Quota {
        name: "tight".into(),
        resources: [("count/pods".into(), (4, 1)), ("cpu".into(), (1500, 300))].into(),
        ..quota("acme-prod")
    };
    let all = vec![quota("acme-prod"), tight, quota("acme-dev"), quota("nobody")];
    directory.apply(Change::Quotas(Update::All(all)), 0);
    directory
}

/// As a registry would have it.
fn seen(directory: &Directory) -> SeenPods {
    let waiting = Waiting { now_ns: 0, ended_ns: None, was_pending: false, has_room: true };
    let mut pods: SeenPods = BTreeMap::new();
    for uid in [WEB, LATE] {
        let path = format!("/kubepods/pod{uid}");
        let resolution = resolve(Some(&path), directory, None, &waiting);
        let pending = matches!(resolution, Resolution::Pending { .. });
        let attribution = resolution.attribution();
        pods.insert(Arc::from(uid), SeenPod { attribution, pending, alive: true });
    }
    pods
}

#[test]
fn pods_with_what_they_used() {
    let directory = directory();
    let used = TenantUsage { tenant: WEB.to_owned(), cpu_seconds_total: 2.5, ..Default::default() };
    let used = HashMap::from([(WEB.to_owned(), used)]);
    let pods = pods(&seen(&directory), &directory, used);
    let [late, web] = pods.as_slice() else { panic!("{pods:?}") };
    assert_eq!((&*late.uid, &*late.pod, &*late.attribution), (LATE, "", "pending"));
    assert_eq!(late.used.tenant, "pending");
    assert_eq!((&*web.namespace, &*web.pod, &*web.attribution), ("acme-prod", "web", "informer"));
    assert_eq!((&*web.used.tenant, web.used.cpu_seconds_total), ("acme", 2.5));
    assert_eq!(web.restarts, 4);
    assert_eq!(web.requests.cpu_cores, Some(0.3));
    // One container may take all there is.
    assert_eq!(web.limits.cpu_cores, None);
}

#[test]
fn tenants_of_namespaces_and_pods() {
    let directory = directory();
    let owners = owners(&seen(&directory), &directory);
    let is: Vec<_> = owners
        .iter()
        .map(|it| (&*it.tenant, &*it.class, it.namespaces.join(" "), it.pods))
        .collect();
    let expected = [
        ("acme", "tenant", "acme-dev acme-prod".to_owned(), 1),
        ("unassigned", "unassigned", "nobody".to_owned(), 0),
    ];
    assert_eq!(is, expected);
    let acme = &owners[0];
    assert_eq!(acme.labels, [("team".to_owned(), "oil".to_owned())].into());
    assert_eq!((acme.restarts, &acme.qos), (4, &[("Burstable".to_owned(), 1)].into()));
    assert_eq!((acme.requests.cpu_cores, acme.limits.cpu_cores), (Some(0.3), None));
    // Of two quotas of a namespace the tighter one, and those of all its namespaces.
    let quotas = [("pods".to_owned(), (14.0, 2.0)), ("requests.cpu".to_owned(), (1.5, 0.3))];
    assert_eq!(acme.quotas, quotas.into());
}

#[test]
fn quotas_of_namespaces_that_have_pods_here() {
    let directory = directory();
    let quotas = quotas(&seen(&directory), &directory);
    let is: Vec<_> = quotas.iter().map(|it| (&*it.namespace, &*it.tenant)).collect();
    assert_eq!(is, [("acme-prod", "acme"), ("acme-prod", "acme")]);
}

#[test]
fn what_is_missing() {
    let mut directory = directory();
    let trouble = Trouble::Forbidden("no (403)".to_owned());
    directory.apply(Change::Health(Source::Pods, Health::Synced), 0);
    directory.apply(Change::Health(Source::Quotas, Health::Interrupted(trouble)), 0);
    let sources = sources(&[Source::Pods, Source::Namespaces, Source::Quotas], &directory);
    let is: Vec<_> =
        sources.iter().map(|it| (&*it.source, it.synced, &*it.reason, &*it.detail)).collect();
    let expected = [
        ("pods", true, "", ""),
        ("namespaces", false, "starting", ""),
        ("quotas", false, "forbidden", "no (403)"),
    ];
    assert_eq!(is, expected);
}
