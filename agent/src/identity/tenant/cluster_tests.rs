//! Rules about pods and namespaces.

use proptest::prelude::{
    Just, Strategy as _, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use crate::identity::cgroup_path::Workload;
use crate::identity::cluster::samples::{namespace, pod};
use crate::identity::cluster::{Labels, Namespace, Pod};
use crate::identity::tenant::{RuleSpec, TenantRules};
use crate::identity::{Assignment, Class, Subject};

const UID: &str = "8712f785-1a3e-41ec-a00b-e2dcc77431cb";

fn rules(json: &str) -> TenantRules {
    TenantRules::compile(serde_json::from_str::<Vec<RuleSpec>>(json).unwrap()).unwrap()
}

fn of_pod(rules: &TenantRules, pod: &Pod, namespace: &Namespace) -> Assignment {
    let path = format!("/kubepods/pod{UID}");
    let workload = Workload::parse(&path);
    rules.assign(&Subject {
        path: Some(&path),
        workload: &workload,
        pod: Some(pod),
        namespace: Some(namespace),
    })
}

fn of_namespace(rules: &TenantRules, namespace: &Namespace) -> Assignment {
    let workload = Workload::default();
    rules.assign(&Subject {
        path: None,
        workload: &workload,
        pod: None,
        namespace: Some(namespace),
    })
}

fn told(assignment: &Assignment) -> String {
    format!("{} {}, {}", assignment.class.label(), assignment.tenant, assignment.decider)
}

/// Rules as JSON, then namespace, its labels, the pod's labels, and what follows for
/// the pod.
#[track_caller]
fn check(json: &str, cases: &[(&str, &str, &str, &str)]) {
    let rules = rules(json);
    for (name, of_the_namespace, of_the_pod, expected) in cases {
        let pod = pod(UID, &format!("{name}/web-1"), of_the_pod);
        let is = of_pod(&rules, &pod, &namespace(name, of_the_namespace));
        assert_eq!(told(&is), *expected, "{name} {of_the_namespace} {of_the_pod}");
    }
}

#[track_caller]
fn refused(rule: &str, expected: &str) {
    let specs: Vec<RuleSpec> = serde_json::from_str(&format!("[{rule}]")).unwrap();
    let error = TenantRules::compile(specs).unwrap_err();
    assert_eq!(error.to_string(), format!("tenant rule 1, {expected}"));
}

#[test]
fn the_name_of_a_namespace_is_matched_as_a_whole() {
    check(
        r#"[
            {"match": {"namespace": "team-(?<team>[a-z]+)(-(?<stage>dev|prod))?"}, "tenant": "{team}"},
            {"match": {"namespace": "a|kube-system"}, "tenant": "{namespace}", "class": "shared"}
        ]"#,
        &[
            ("team-red", "", "", "tenant red, rule 1"),
            ("team-red-prod", "", "", "tenant red, rule 1"),
            ("my-team-red", "", "", "unassigned unassigned, no rule"),
            ("kube-system", "", "", "shared kube-system, rule 2"),
            ("not-kube-system", "", "", "unassigned unassigned, no rule"),
            ("ab", "", "", "unassigned unassigned, no rule"),
        ],
    );
}

#[test]
fn labels_and_annotations() {
    check(
        r#"[
            {"match": {"pod_label": "landlord.dev/tenant"}, "tenant": "{pod_label}"},
            {"match": {"pod": true, "namespace_label": "managedby=kubeplus"}, "tenant": "{namespace}/{pod}"},
            {"match": {"namespace_label": "capsule.clastix.io/tenant"}, "tenant": "{namespace_label}"}
        ]"#,
        &[
            ("a", "capsule.clastix.io/tenant=oil", "", "tenant oil, rule 3"),
            ("a", "capsule.clastix.io/tenant=oil", "landlord.dev/tenant=gas", "tenant gas, rule 1"),
            ("a", "capsule.clastix.io/tenant=", "", "unassigned unassigned, no rule"),
            ("a", "managedby=kubeplus", "", "tenant a/web-1, rule 2"),
            ("a", "managedby=helm", "", "unassigned unassigned, no rule"),
        ],
    );
    let rules = rules(
        r#"[{"match": {"namespace_annotation": "owner=the oil people"}, "tenant": "{namespace_annotation}"}]"#,
    );
    let mut oil = namespace("a", "");
    assert_eq!(of_namespace(&rules, &oil).class, Class::Unassigned);
    oil.annotations = [("owner".into(), "the oil people".into())].into();
    assert_eq!(told(&of_namespace(&rules, &oil)), "tenant the oil people, rule 1");
    assert_eq!(rules.annotations().collect::<Vec<_>>(), ["owner"]);
}

#[test]
fn trees_of_namespaces() {
    let depth = |ancestor: &str, depth: &str| format!("{ancestor}.tree.hnc.x-k8s.io/depth={depth}");
    let tree = [depth("child", "0"), depth("middle", "1"), depth("acme", "2")].join(",");
    let two = [depth("a", "1"), depth("b", "1")].join(",");
    let long = [depth("z", "9"), depth("a", "10")].join(",");
    check(
        r#"[
            {"match": {"hnc": true}, "tenant": "{hnc_root}"},
            {"match": {"hnc": false}, "tenant": "no tree"}
        ]"#,
        &[
            ("child", &tree, "", "tenant acme, rule 1"),
            ("acme", &depth("acme", "0"), "", "tenant acme, rule 1"),
            ("b", &long, "", "tenant a, rule 1"),
            ("a", &two, "", "tenant no tree, rule 2"),
            ("a", &depth("acme", "far"), "", "tenant no tree, rule 2"),
            ("a", ".tree.hnc.x-k8s.io/depth=1", "", "tenant no tree, rule 2"),
            ("a", "", "", "tenant no tree, rule 2"),
        ],
    );
}

#[test]
fn names_that_are_chosen_do_not_make_the_agents_own_tenants() {
    check(
        r#"[
            {"match": {"namespace": "scratch"}, "tenant": "unassigned"},
            {"match": {"namespace": ".*"}, "tenant": "{namespace}"}
        ]"#,
        &[
            ("host", "", "", "tenant host~affea56f, rule 2"),
            ("pending", "", "", "tenant pending~99bf7f3c, rule 2"),
            ("scratch", "", "", "unassigned unassigned, rule 1"),
        ],
    );
}

#[test]
fn without_the_cluster_such_rules_do_not_hold() {
    let rules = rules(
        r#"[
            {"match": {"namespace": ".*"}, "tenant": "a"},
            {"match": {"hnc": false}, "tenant": "b"},
            {"match": {"pod": true}, "tenant": "{pod_uid}"}
        ]"#,
    );
    assert_eq!(rules.tenant(Some(&format!("/kubepods/pod{UID}"))).as_str(), UID);
    assert_eq!(rules.tenant(Some("/a")).as_str(), "unknown");
}

#[test]
fn a_namespace_as_such_has_pods_and_no_path() {
    let check = |json: &str, expected: &str| {
        assert_eq!(told(&of_namespace(&rules(json), &namespace("a", ""))), expected, "{json}");
    };
    let nobody = "unassigned unassigned, no rule";
    check(r#"[{"match": {"pod": true, "namespace": "a"}, "tenant": "yes"}]"#, "tenant yes, rule 1");
    check(r#"[{"match": {"pod": true}, "tenant": "yes"}]"#, "tenant yes, rule 1");
    check(r#"[{"match": {"pod": true}, "tenant": "{pod_uid}"}]"#, nobody);
    check(r#"[{"match": {"pod": false}, "tenant": "no"}]"#, nobody);
    check(r#"[{"match": {"slice": false}, "tenant": "no"}]"#, nobody);
    check(r#"[{"match": {"path": ""}, "tenant": "no"}]"#, nobody);
    check(r#"[{"match": {"pod_label": "a"}, "tenant": "no"}]"#, nobody);
}

#[test]
fn labels_go_along() {
    let rules = rules(r#"[{"match": {"namespace": "a"}, "tenant": "a"}]"#).carrying([
        "team",
        "cost-center",
        "owner",
    ]);
    let told = |name, labelled| {
        let labels = of_namespace(&rules, &namespace(name, labelled)).labels;
        labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(told("a", "team=red,cost-center=7,app=web"), "cost-center=7 team=red");
    assert_eq!(told("b", "team=red"), "team=red", "unassigned, but still somebody's");
    assert_eq!(told("a", "Team=red"), "");
}

#[test]
fn wrong_rules_about_the_cluster() {
    refused(
        r#"{"match": {"namespace": "(a"}, "tenant": "a"}"#,
        "`match.namespace`: not a regular expression: unclosed group",
    );
    for key in ["namespace_label", "namespace_annotation", "pod_label"] {
        refused(
            &format!(r#"{{"match": {{"{key}": "a b"}}, "tenant": "a"}}"#),
            &format!(
                "`match.{key}`: not a key: expected up to 63 letters, digits, `-`, `_` and `.`, \
                 beginning and ending with a letter or digit, after an optional domain and `/`"
            ),
        );
    }
    let needs = [
        ("namespace", "namespace: '.+'"),
        ("pod", "pod: true, namespace: '.+'"),
        ("namespace_label", "namespace_label: …"),
        ("namespace_annotation", "namespace_annotation: …"),
        ("pod_label", "pod_label: …"),
        ("hnc_root", "hnc: true"),
    ];
    for (field, needs) in needs {
        refused(
            &format!(r#"{{"match": {{"pod": true}}, "tenant": "{{{field}}}"}}"#),
            &format!("`tenant`: `{{{field}}}` is known only with `{needs}` in the rule's `match`"),
        );
    }
    refused(
        r#"{"match": {"path": "(?<a>.)", "namespace": "(?<a>.)"}, "tenant": "{a}"}"#,
        "`tenant`: `{a}` is a group of both `path` and `namespace`",
    );
    for name in ["host", "unknown", "other", "pending"] {
        for ask in ["hnc", "pod"] {
            refused(
                &format!(r#"{{"match": {{"{ask}": true}}, "tenant": "{name}"}}"#),
                &format!(
                    "`tenant`: `{name}` is the agent's own name, which no rule gives to pods; \
                     expected another"
                ),
            );
        }
    }
    refused(
        r#"{"match": {"path": "a"}, "tenant": "pending"}"#,
        "`tenant`: `pending` is the agent's own name, which no rule gives to pods; expected another",
    );
}

fn some_labels() -> impl proptest::strategy::Strategy<Value = Labels> {
    let key = prop_oneof![Just("team"), Just("a.tree.hnc.x-k8s.io/depth"), Just("x")];
    proptest::collection::btree_map(
        key.prop_map(Into::into),
        "[a-c0-2]{0,2}".prop_map(Into::into),
        0..3,
    )
}

fn some_rule() -> impl proptest::strategy::Strategy<Value = String> {
    let asks = prop_oneof![
        Just(r#""namespace": "[a-m].*""#),
        Just(r#""namespace_label": "team""#),
        Just(r#""namespace_label": "team=a""#),
        Just(r#""pod_label": "x""#),
        Just(r#""hnc": true"#),
        Just(r#""hnc": false"#),
        Just(r#""pod": true"#),
        Just(r#""path": "a""#),
    ];
    let tenants = ["fixed", "unassigned", "unknown", "host", "other", "{namespace}", "{top}"];
    let tenant = proptest::sample::select(tenants.to_vec());
    (asks, tenant, any::<bool>()).prop_map(|(asks, tenant, is_shared)| {
        let class = if is_shared { "shared" } else { "tenant" };
        format!(r#"{{"match": {{{asks}}}, "tenant": "{tenant}", "class": "{class}"}}"#)
    })
}

proptest! {
    #[test]
    fn a_namespace_is_a_tenant_shared_or_unassigned(
        list in proptest::collection::vec(some_rule(), 0..4),
        name in "[a-z][a-z0-9-]{0,8}|host|unknown|other|pending|unassigned",
        labels in some_labels(),
    ) {
        let specs = serde_json::from_str::<Vec<RuleSpec>>(&format!("[{}]", list.join(","))).unwrap();
        if let Ok(rules) = TenantRules::compile(specs) {
            let namespace = Namespace { name: name.into(), labels, annotations: Labels::new() };
            let is = of_namespace(&rules, &namespace);
            prop_assert!(matches!(is.class, Class::Tenant | Class::Shared | Class::Unassigned));
            prop_assert_eq!(is.class == Class::Unassigned, is.tenant.as_str() == "unassigned");
            let reserved = ["host", "unknown", "other", "pending"];
            prop_assert!(!reserved.contains(&is.tenant.as_str()));
        }
    }
}
