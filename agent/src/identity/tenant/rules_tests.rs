//! Names, rules as data, and what a wrong rule says.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use crate::identity::tenant::{RuleSpec, Tenant, TenantRules};

const ID: &str = "0f3ab1c5d4e697887766554433221100ffeeddccbbaa99887766554433221100";
const UID: &str = "8712f785-1a3e-41ec-a00b-e2dcc77431cb";

fn specs(json: &str) -> Vec<RuleSpec> {
    serde_json::from_str(json).unwrap()
}

fn expand(text: &str) -> String {
    text.replace("$id", ID).replace("$uid", UID)
}

/// Rules as JSON, then path and tenant by line; a path of `-` is not known.
#[track_caller]
fn check(rules: &str, cases: &[(&str, &str)]) {
    let rules = TenantRules::compile(specs(rules)).unwrap();
    for (path, tenant) in cases {
        let path = expand(path);
        let path = (path != "-").then_some(path.as_str());
        assert_eq!(rules.tenant(path).as_str(), expand(tenant), "{path:?}");
    }
}

#[track_caller]
fn refused(rule: &str, expected: &str) {
    let error = TenantRules::compile(specs(&format!("[{rule}]"))).unwrap_err();
    assert_eq!(error.to_string(), format!("tenant rule 1, {expected}"));
}

#[test]
fn root_and_unknown_need_no_rule() {
    let cases = [("/", "host"), ("", "host"), ("-", "unknown"), ("/acme", "unknown")];
    check("[]", &cases);
    check(r#"[{"match": {"path": "^/$"}, "tenant": "acme"}]"#, &cases);
}

#[test]
fn the_first_rule_that_holds_wins() {
    check(
        r#"[
            {"match": {"path": "^/acme/"}, "tenant": "acme"},
            {"match": {"pod": true}, "tenant": "pod-{pod_uid}"},
            {"match": {"container": "docker"}, "tenant": "docker-{container_id_short}"},
            {"match": {"container": "any"}, "tenant": "{runtime}-{container_id}"},
            {"match": {"slice": true, "unit": true}, "tenant": "{slice}/{unit}"},
            {"match": {"slice": true}, "tenant": "{slice}"},
            {"match": {"path": "^/"}, "tenant": "{top}"}
        ]"#,
        &[
            ("/acme/docker/$id", "acme"),
            ("/kubepods/burstable/pod$uid/$id", "pod-$uid"),
            ("/docker/$id", "docker-0f3ab1c5d4e6"),
            ("/lxc/web", "lxc-web"),
            ("/system.slice/docker-$id.scope", "docker-0f3ab1c5d4e6"),
            ("/system.slice/nginx.service", "system/nginx.service"),
            ("/user.slice/user-1000.slice", "user-1000"),
            ("/init.scope", "init.scope"),
            ("/batch/job-7", "batch"),
        ],
    );
}

#[test]
fn all_that_is_asked_must_hold() {
    check(
        r#"[{"match": {"path": "^/kubepods", "container": "crio", "pod": true}, "tenant": "yes"}]"#,
        &[
            ("/kubepods/pod$uid/crio-$id", "yes"),
            ("/kubepods/pod$uid/$id", "unknown"),
            ("/kubepods/crio-$id", "unknown"),
            ("/node/kubepods/pod$uid/crio-$id", "unknown"),
        ],
    );
    check(
        r#"[{"match": {"pod": false, "container": "any"}, "tenant": "yes"}]"#,
        &[("/docker/$id", "yes"), ("/kubepods/pod$uid/$id", "unknown")],
    );
    check(
        r#"[{"match": {"slice": false}, "tenant": "no slice"}, {"match": {"unit": false}, "tenant": "no unit"}]"#,
        &[("/init.scope", "no slice"), ("/a.slice", "no unit"), ("/a.slice/b.service", "unknown")],
    );
}

#[test]
fn groups_of_the_expression_are_fields() {
    check(
        r#"[
            {"match": {"path": "^/job_(?<id>[0-9]+)(/step_(?<step>[0-9]+))?"}, "tenant": "job-{id}.{step}"},
            {"match": {"path": "^/job_(?<id>[0-9]+)"}, "tenant": "job-{id}"},
            {"match": {"path": "/(?<slice>[^/]+)\\.slice"}, "tenant": "{slice}"},
            {"match": {"path": "^/(?<name>.*)!"}, "tenant": "{name}"},
            {"match": {"path": "."}, "tenant": "{{{top}}}"}
        ]"#,
        &[
            ("/job_7/step_1/task_0", "job-7.1"),
            ("/job_7/other", "job-7"),
            ("/user.slice/user-1000.slice", "user"),
            ("/a!", "a"),
            ("/!", "{!}"),
            ("/x", "{x}"),
        ],
    );
}

#[test]
fn fields_do_not_make_the_agents_own_tenants() {
    let rules = r#"[
        {"match": {"path": "^/fixed"}, "tenant": "host"},
        {"match": {"path": "^/"}, "tenant": "{top}"}
    ]"#;
    check(
        rules,
        &[
            ("/fixed", "host"),
            ("/host", "host~affea56f"),
            ("/unknown/x", "unknown~9b759fb9"),
            ("/other", "other~c87d8df5"),
            ("/pending", "pending~99bf7f3c"),
            ("/unassigned", "unassigned~caac8562"),
            ("/hosts", "hosts"),
        ],
    );
}

#[test]
fn wrong_rules_say_why() {
    refused(
        r#"{"match": {}, "tenant": "a"}"#,
        "`match`: empty, so it would match every cgroup; to mean that, write `path: '^/'`",
    );
    refused(
        r#"{"match": {"path": "(/acme"}, "tenant": "a"}"#,
        "`match.path`: not a regular expression: unclosed group",
    );
    refused(
        r#"{"match": {"path": "(?:a{1000}){1000}"}, "tenant": "a"}"#,
        "`match.path`: not a regular expression: Compiled regex exceeds size limit of 1048576 bytes.",
    );
    refused(
        r#"{"match": {"container": "dokcer"}, "tenant": "a"}"#,
        "`match.container`: unknown container runtime `dokcer`",
    );
    refused(
        r#"{"match": {"path": "a"}, "tenant": "{pod_uid}"}"#,
        "`tenant`: `{pod_uid}` is known only with `pod: true` in the rule's `match`",
    );
    refused(
        r#"{"match": {"pod": false}, "tenant": "{pod_uid}"}"#,
        "`tenant`: `{pod_uid}` is known only with `pod: true` in the rule's `match`",
    );
    for field in ["container_id", "container_id_short", "runtime"] {
        refused(
            &format!(r#"{{"match": {{"pod": true}}, "tenant": "{{{field}}}"}}"#),
            &format!(
                "`tenant`: `{{{field}}}` is known only with `container: any` in the rule's `match`"
            ),
        );
    }
    refused(
        r#"{"match": {"pod": true}, "tenant": "{unit}"}"#,
        "`tenant`: `{unit}` is known only with `unit: true` in the rule's `match`",
    );
    refused(
        r#"{"match": {"path": "(?<team>.)"}, "tenant": "{taem}"}"#,
        "`tenant`: unknown field `{taem}`",
    );
    refused(r#"{"match": {"pod": true}, "tenant": ""}"#, "`tenant`: empty; a tenant needs a name");
    for (text, brace) in [("{top", '{'), ("top}", '}'), ("{a{b}", '{'), ("{", '{'), ("}", '}')] {
        refused(
            &format!(r#"{{"match": {{"pod": true}}, "tenant": "{text}"}}"#),
            &format!(
                "`tenant`: a `{brace}` without its other half; a brace itself is written `{brace}{brace}`"
            ),
        );
    }
}

#[test]
fn wrong_names_come_with_the_right_ones() {
    let choices = |rule: &str| {
        let error = TenantRules::compile(specs(&format!("[{rule}]"))).unwrap_err();
        let (name, known) = error.problem.choices().unwrap();
        format!("{name}: {}", known.join(" "))
    };
    assert_eq!(
        choices(r#"{"match": {"container": "dokcer"}, "tenant": "a"}"#),
        "dokcer: any docker containerd crio podman lxc nspawn garden oci"
    );
    assert_eq!(
        choices(r#"{"match": {"path": "(?<team>.)"}, "tenant": "{taem}"}"#),
        "taem: team pod_uid container_id container_id_short runtime slice unit top \
         namespace pod namespace_label namespace_annotation pod_label hnc_root"
    );
}

#[test]
fn names_are_bounded_and_printable() {
    let long = "x".repeat(Tenant::MAX_BYTES);
    let name = |text: &str| Tenant::new(text).as_str().to_owned();
    assert_eq!(name("acme"), "acme");
    assert_eq!(name(&long), long);
    assert_eq!(name(""), "unknown");
    assert_eq!(name("a\nb"), "a\u{FFFD}b~28e4c710");
    assert_ne!(name("a\nb"), name("a\tb"));
    assert_eq!(name("a\u{202E}b").chars().nth(1), Some('\u{FFFD}'));
    assert_ne!(name(&format!("{long}1")), name(&format!("{long}2")));
}

proptest! {
    #[test]
    fn any_name_becomes_a_good_one(text in ".*") {
        let tenant = Tenant::new(&text);
        prop_assert!((1..=Tenant::MAX_BYTES).contains(&tenant.as_str().len()));
        prop_assert!(!tenant.as_str().contains(char::is_control));
        prop_assert_eq!(Tenant::new(tenant.as_str()), tenant.clone());
        let json = serde_json::to_string(&tenant).unwrap();
        prop_assert_eq!(serde_json::from_str::<Tenant>(&json).unwrap(), tenant);
    }

    #[test]
    fn any_template_compiles_or_says_why(text in "[{}a-z]{0,12}", path in "/[a-z./]{0,20}") {
        let spec = format!(r#"[{{"match": {{"path": "^/"}}, "tenant": "{text}"}}]"#);
        if let Ok(rules) = TenantRules::compile(specs(&spec)) {
            prop_assert!(!rules.tenant(Some(&path)).as_str().is_empty());
        }
    }
}
