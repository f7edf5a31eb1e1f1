//! What a configuration resolves to, and what each mistake says.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::{Config, LogFormat, LogLevel, Source, Variables, load_from, resolve};
use crate::config::keys::KEYS;
use crate::config::overrides::Overrides;
use crate::config::{ConfigError, Enabled, KubeletSettings};
use crate::identity::Subject;
use crate::identity::cgroup_path::Workload;
use crate::identity::cluster::samples;

pub(super) fn from(
    yaml: &str,
    environment: &[(&str, &str)],
    overrides: &Overrides,
) -> Result<Config, ConfigError> {
    let source = Source::parse("landlord.yaml".to_owned(), yaml.to_owned())?;
    let environment = environment.iter().map(|(name, text)| (name.into(), text.into()));
    resolve(Some(&source), &Variables::read(environment)?, overrides)
}

pub(super) fn from_yaml(yaml: &str) -> Result<Config, ConfigError> {
    from(yaml, &[], &Overrides::default())
}

/// The error of a file's text.
#[track_caller]
pub(super) fn mistake(yaml: &str) -> String {
    bounded(&from_yaml(yaml).unwrap_err())
}

#[track_caller]
fn bounded(error: &ConfigError) -> String {
    let text = error.to_string();
    assert!(text.lines().count() <= 7, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 500), "{text}");
    text
}

/// The error of a file on disk with these bytes.
#[track_caller]
fn mistake_on_disk(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("landlord.yaml");
    std::fs::write(&path, bytes).unwrap();
    let error = load_file(Some(&path)).unwrap_err();
    bounded(&error).replace(&format!("{}/", folder.path().display()), "")
}

fn load_file(path: Option<&Path>) -> Result<Config, ConfigError> {
    load_from(
        path,
        Path::new("/nonexistent/landlord.yaml"),
        std::iter::empty(),
        &Overrides::default(),
    )
}

#[test]
fn defaults_need_no_file() {
    let config = load_file(None).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:9464");
    assert_eq!(config.interval, Duration::from_secs(5));
    assert_eq!((config.log.format, config.log.level), (LogFormat::Text, LogLevel::Info));
    assert_eq!(config.pin.as_deref(), Some(Path::new("/sys/fs/bpf/landlord")));
    assert_eq!(config.state, Path::new("/run/landlord/state"));
    assert_eq!((config.max_cgroups, config.max_tenants, config.max_wait_causes), (2048, 1000, 32));
    assert_eq!(config.file, None);
    assert_eq!(config.warnings, [""; 0]);
}

#[test]
fn default_tenants() {
    let rules = load_file(None).unwrap().tenants;
    let id = "0f3ab1c5d4e697887766554433221100ffeeddccbbaa99887766554433221100";
    let uid = "8712f785-1a3e-41ec-a00b-e2dcc77431cb";
    let check =
        |path: &str, tenant: &str| assert_eq!(rules.tenant(Some(path)).as_str(), tenant, "{path}");
    check("/", "host");
    check(&format!("/kubepods/burstable/pod{uid}/{id}"), &format!("pod-{uid}"));
    check(&format!("/kubepods/burstable/pod{uid}"), &format!("pod-{uid}"));
    check("/kubepods/burstable", "kubepods");
    check("/kubepods.slice/kubepods-burstable.slice", "kubepods-burstable");
    check(&format!("/system.slice/docker-{id}.scope"), "docker-0f3ab1c5d4e6");
    check(&format!("/docker/{id}"), "docker-0f3ab1c5d4e6");
    check("/lxc.payload.web-front-1/init.scope", "lxc-web-front-1");
    check("/system.slice", "system");
    check("/system.slice/nginx.service", "system");
    check("/system.slice/system-getty.slice/getty@tty1.service", "system");
    check("/user.slice/user-1000.slice/session-2.scope", "user-1000");
    check("/machine.slice", "machine");
    check("/init.scope", "init.scope");
    check("/batch/job-7", "batch");
    assert_eq!(rules.tenant(None).as_str(), "unknown");
    let carried: Vec<_> = rules.carried().collect();
    assert_eq!(carried, ["team", "cost-center", "environment", "owner"]);
}

/// Namespace, its labels, its pod's labels, and whose the pod is.
#[test]
fn default_tenants_in_kubernetes() {
    let rules = load_file(None).unwrap().tenants;
    let path = "/kubepods/burstable/pod8712f785-1a3e-41ec-a00b-e2dcc77431cb";
    let workload = Workload::parse(path);
    let check = |name: &str, of_the_namespace: &str, of_the_pod: &str, expected: &str| {
        let pod = samples::pod("8712", &format!("{name}/web-1"), of_the_pod);
        let namespace = samples::namespace(name, of_the_namespace);
        let (pod, namespace) = (Some(&pod), Some(&namespace));
        let is = rules.assign(&Subject { path: Some(path), workload: &workload, pod, namespace });
        assert_eq!(format!("{} {}", is.class.label(), is.tenant), expected, "{name}");
    };
    let tree = "web.tree.hnc.x-k8s.io/depth=0,acme.tree.hnc.x-k8s.io/depth=1";
    check("oil-prod", "capsule.clastix.io/tenant=oil", "", "tenant oil");
    check("web", tree, "", "tenant acme");
    check("teams", "", "vcluster.loft.sh/managed-by=red", "tenant teams/red");
    check("teams", "", "app=vcluster,release=red", "tenant teams");
    check("shop-7", "managedby=kubeplus", "", "tenant shop-7");
    check("kube-system", "", "", "shared kube-system");
    check("kube-systems", "", "", "tenant kube-systems");
    check("default", "", "", "tenant default");
    check("host", "", "", "tenant host~affea56f");
}

#[test]
fn every_key_can_be_set() {
    let config = from_yaml(
        "listen: '[::1]:1'\n\
         interval: 1500ms\n\
         log: { format: json, level: trace }\n\
         pin: { enabled: false, path: /x }\n\
         state: /y\n\
         max_cgroups: 64\n\
         max_tenants: 1\n\
         max_wait_causes: 1000\n\
         kubernetes: { enabled: always, node: n, kubeconfig: /k, tenants: false, addresses: false }\n\
         kubelet: { enabled: false, address: '::1', interval: 2m, authority: /a, insecure: true }\n\
         tenants: [ { match: { path: ^/acme }, tenant: acme } ]\n\
         tenant_labels: [ acme.com/team ]\n",
    )
    .unwrap();
    assert_eq!(config.listen.to_string(), "[::1]:1");
    assert_eq!(config.interval, Duration::from_millis(1500));
    assert_eq!((config.log.format, config.log.level), (LogFormat::Json, LogLevel::Trace));
    assert_eq!(config.pin, None);
    let kubernetes = &config.kubernetes;
    assert_eq!((kubernetes.enabled, &*kubernetes.node), (Enabled::Always, "n"));
    assert_eq!((kubernetes.kubeconfig(), kubernetes.tenants), (Some(Path::new("/k")), false));
    let kubelet = KubeletSettings {
        enabled: false,
        address: "[::1]:10250".parse().unwrap(),
        interval: Duration::from_secs(120),
        authority: "/a".into(),
        insecure: true,
    };
    assert_eq!(config.kubelet, kubelet);
    assert_eq!(config.state, Path::new("/y"));
    assert_eq!((config.max_cgroups, config.max_tenants, config.max_wait_causes), (64, 1, 1000));
    assert_eq!(config.tenants.tenant(Some("/acme/x")).as_str(), "acme");
    assert_eq!(config.tenants.tenant(Some("/initech")).as_str(), "unknown", "the list is replaced");
    assert_eq!(config.tenants.carried().collect::<Vec<_>>(), ["acme.com/team"]);
}

#[test]
fn a_section_keeps_what_is_not_given() {
    let config = from_yaml("pin: { path: /x }").unwrap();
    assert_eq!(config.pin.as_deref(), Some(Path::new("/x")));
    assert_eq!(from_yaml("log: { level: warn }").unwrap().log.format, LogFormat::Text);
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let yaml = "interval: 2s\nmax_cgroups: 100\nmax_tenants: 100";
    let environment = [
        ("LANDLORD_INTERVAL", "3s"),
        ("LANDLORD_MAX_CGROUPS", "200"),
        ("LANDLORD_PIN_ENABLED", "false"),
        ("LANDLORD_LISTEN", ""),
        ("INTERVAL", "9s"),
    ];
    let overrides = Overrides::default().with("interval", "4s");
    let config = from(yaml, &environment, &overrides).unwrap();
    assert_eq!(config.interval, Duration::from_secs(4));
    assert_eq!((config.max_cgroups, config.max_tenants), (200, 100));
    assert_eq!(config.pin, None);
    assert_eq!(config.listen.port(), 9464);
}

#[test]
fn variables_that_are_nearly_known_give_a_warning() {
    let environment = [
        ("LANDLORD_INTREVAL", "3s"),
        // What Kubernetes sets for a Service of that name.
        ("LANDLORD_SERVICE_HOST", "10.0.0.1"),
        ("LANDLORD_PORT", "tcp://10.0.0.1:9464"),
        ("LANDLORD_PORT_9464_TCP_ADDR", "10.0.0.1"),
    ];
    let config = from("", &environment, &Overrides::default()).unwrap();
    let expected =
        "environment variable LANDLORD_INTREVAL sets nothing; did you mean LANDLORD_INTERVAL?";
    assert_eq!(config.warnings, [expected]);
}

#[test]
fn mistakes_in_the_environment_and_in_flags() {
    let check = |environment: &[(&str, &str)], overrides: &Overrides, expected: &str| {
        let error = from("max_cgroups: 100", environment, overrides).unwrap_err();
        assert_eq!(bounded(&error), expected);
    };
    let none = Overrides::default();
    check(
        &[("LANDLORD_MAX_CGROUPS", "many")],
        &none,
        "environment variable LANDLORD_MAX_CGROUPS: `max_cgroups`: expected a whole number from 64 to 4095, found `many`",
    );
    check(
        &[("LANDLORD_INTERVAL", "90s")],
        &none,
        "environment variable LANDLORD_INTERVAL: `interval`: expected a time from 1s to 60s with its unit, such as `5s` or `1500ms`, found `90s`",
    );
    check(
        &[("LANDLORD_LOG_LEVEL", "inof")],
        &none,
        "environment variable LANDLORD_LOG_LEVEL: `log.level`: expected `error`, `warn`, `info`, `debug` or `trace`, found `inof`\n  = did you mean `info`?",
    );
    check(
        &[],
        &none.clone().with("pin.path", "x"),
        "flag --pin-path: `pin.path`: expected a path that begins with `/`, found `x`",
    );
    check(
        &[],
        &none.with("listen", "localhost:80"),
        "flag --listen: `listen`: expected an IP address and port, such as `127.0.0.1:9464` or `[::]:9464`, found `localhost:80`",
    );
}

#[test]
fn unknown_keys() {
    insta::assert_snapshot!(mistake("listen: 127.0.0.1:1\nintervall: 5s\n"), @"
    landlord.yaml:2:1: unknown key `intervall`
      |
    2 | intervall: 5s
      | ^^^^^^^^^
      = did you mean `interval`?
    ");
    insta::assert_snapshot!(mistake("pin: { enabled: true, pth: /x }"), @"
    landlord.yaml:1:23: unknown key `pth` in `pin`
      |
    1 | pin: { enabled: true, pth: /x }
      |                       ^^^
      = did you mean `path`?
    ");
    insta::assert_snapshot!(mistake("level: debug"), @"
    landlord.yaml:1:1: unknown key `level`
      |
    1 | level: debug
      | ^^^^^
      = did you mean `level` in the section `log`?
    ");
    insta::assert_snapshot!(mistake("log_level: debug"), @"
    landlord.yaml:1:1: unknown key `log_level`
      |
    1 | log_level: debug
      | ^^^^^^^^^
      = did you mean `level` in the section `log`?
    ");
    insta::assert_snapshot!(mistake("colour: red"), @"
    landlord.yaml:1:1: unknown key `colour`
      |
    1 | colour: red
      | ^^^^^^
      = expected one of `listen`, `api`, `interval`, `log`, `pin`, `state`, `max_cgroups`, `max_tenants`, `max_wait_causes`, `pod_metrics`, `rules`, `alerts`, `events`, `spool`, `otlp`, `sinks`, `kubernetes`, `kubelet`, `tenant_labels`, `tenants`
    ");
    insta::assert_snapshot!(mistake("tenants:\n  - match: { pods: true }\n    tenant: a\n"), @"
    landlord.yaml:2:14: unknown key `pods` in `match` of tenant rule 1
      |
    2 |   - match: { pods: true }
      |              ^^^^
      = did you mean `pod`?
    ");
    insta::assert_snapshot!(mistake("tenants:\n  - match: { pod: true }\n    name: a\n"), @"
    landlord.yaml:3:5: unknown key `name` in tenant rule 1
      |
    3 |     name: a
      |     ^^^^
      = expected one of `match`, `tenant`, `class`
    ");
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(mistake("interval: 5"), @"
    landlord.yaml:1:11: `interval`: expected a time from 1s to 60s with its unit, such as `5s` or `1500ms`, found `5`
      |
    1 | interval: 5
      |           ^
      = did you mean `5s`?
    ");
    insta::assert_snapshot!(mistake("interval: [5s]"), @"
    landlord.yaml:1:11: `interval`: expected a time from 1s to 60s with its unit, such as `5s` or `1500ms`, found a list
      |
    1 | interval: [5s]
      |           ^
    ");
    insta::assert_snapshot!(mistake("listen: 9464"), @"
    landlord.yaml:1:9: `listen`: expected an IP address and port, such as `127.0.0.1:9464` or `[::]:9464`, found `9464`
      |
    1 | listen: 9464
      |         ^^^^
    ");
    insta::assert_snapshot!(mistake("log: json"), @"
    landlord.yaml:1:6: `log`: expected a mapping with the keys `format`, `level`, found `json`
      |
    1 | log: json
      |      ^^^^
    ");
    insta::assert_snapshot!(mistake("log:\n  format: json\n  level: 2\n"), @"
    landlord.yaml:3:10: `log.level`: expected `error`, `warn`, `info`, `debug` or `trace`, found `2`
      |
    3 |   level: 2
      |          ^
    ");
    insta::assert_snapshot!(mistake("pin: { enabled: yes }"), @"
    landlord.yaml:1:17: `pin.enabled`: expected `true` or `false`, found `yes`
      |
    1 | pin: { enabled: yes }
      |                 ^^^
    ");
    insta::assert_snapshot!(mistake("state:\nmax_tenants: 5"), @"
    landlord.yaml:1:6: `state`: expected a path that begins with `/`, found nothing
      |
    1 | state:
      |      ^
    ");
    insta::assert_snapshot!(mistake("max_tenants: '5'"), @"
    landlord.yaml:1:14: `max_tenants`: expected a whole number from 1 to 10000, found `5`
      |
    1 | max_tenants: '5'
      |              ^^^
      = write it without quotes
    ");
    insta::assert_snapshot!(mistake("max_tenants: 5.5"), @"
    landlord.yaml:1:14: `max_tenants`: expected a whole number from 1 to 10000, found `5.5`
      |
    1 | max_tenants: 5.5
      |              ^^^
    ");
    insta::assert_snapshot!(mistake("tenants: { match: { pod: true }, tenant: a }"), @"
    landlord.yaml:1:10: `tenants`: expected a list of rules, each with `match` and `tenant`, found a mapping
      |
    1 | tenants: { match: { pod: true }, tenant: a }
      |          ^
    ");
    insta::assert_snapshot!(mistake("tenants: [ acme ]"), @"
    landlord.yaml:1:12: tenant rule 1: expected a mapping with the keys `match`, `tenant`, `class`, found `acme`
      |
    1 | tenants: [ acme ]
      |            ^^^^
    ");
    insta::assert_snapshot!(mistake("- listen: 127.0.0.1:1"), @"
    landlord.yaml:1:1: expected keys such as `listen:`, found a list
      |
    1 | - listen: 127.0.0.1:1
      | ^
    ");
    insta::assert_snapshot!(mistake("just some words"), @"
    landlord.yaml:1:1: expected keys such as `listen:`, found `just some words`
      |
    1 | just some words
      | ^^^^^^^^^^^^^^^
    ");
}

#[test]
fn out_of_range() {
    insta::assert_snapshot!(mistake("# why\ninterval: 100ms # fast\n"), @"
    landlord.yaml:2:11: `interval`: expected a time from 1s to 60s with its unit, such as `5s` or `1500ms`, found `100ms`
      |
    2 | interval: 100ms # fast
      |           ^^^^^
    ");
    insta::assert_snapshot!(mistake("max_cgroups: 63"), @"
    landlord.yaml:1:14: `max_cgroups`: expected a whole number from 64 to 4095, found `63`
      |
    1 | max_cgroups: 63
      |              ^^
    ");
    insta::assert_snapshot!(mistake("max_cgroups: -5"), @"
    landlord.yaml:1:14: `max_cgroups`: expected a whole number from 64 to 4095, found `-5`
      |
    1 | max_cgroups: -5
      |              ^^
    ");
    insta::assert_snapshot!(mistake("max_cgroups: 99999999999999"), @"
    landlord.yaml:1:14: `max_cgroups`: expected a whole number from 64 to 4095, found `99999999999999`
      |
    1 | max_cgroups: 99999999999999
      |              ^^^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(mistake("state: run/state"), @"
    landlord.yaml:1:8: `state`: expected a path that begins with `/`, found `run/state`
      |
    1 | state: run/state
      |        ^^^^^^^^^
    ");
    insta::assert_snapshot!(mistake("listen: 127.0.0.1:70000"), @"
    landlord.yaml:1:9: `listen`: expected an IP address and port, such as `127.0.0.1:9464` or `[::]:9464`, found `127.0.0.1:70000`
      |
    1 | listen: 127.0.0.1:70000
      |         ^^^^^^^^^^^^^^^
    ");
}

#[test]
fn wrong_rules_about_kubernetes() {
    insta::assert_snapshot!(mistake("tenants:\n  - match: { namespace_label: 'a b' }\n    tenant: a\n"), @"
    landlord.yaml:2:31: `match.namespace_label` of tenant rule 1: not a key: expected up to 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit, after an optional domain and `/`
      |
    2 |   - match: { namespace_label: 'a b' }
      |                               ^^^^^
    ");
    insta::assert_snapshot!(mistake("tenants:\n  - match: { hnc: true }\n    tenant: '{hnc_rot}'\n"), @"
    landlord.yaml:3:13: `tenant` of tenant rule 1: unknown field `{hnc_rot}`
      |
    3 |     tenant: '{hnc_rot}'
      |             ^^^^^^^^^^^
      = did you mean `hnc_root`?
    ");
    insta::assert_snapshot!(mistake("tenants:\n  - match: { hnc: true }\n    tenant: host\n"), @"
    landlord.yaml:3:13: `tenant` of tenant rule 1: `host` is the agent's own name, which no rule gives to pods; expected another
      |
    3 |     tenant: host
      |             ^^^^
    ");
    insta::assert_snapshot!(mistake("tenants:\n  - match: { hnc: true }\n    tenant: a\n    class: shard\n"), @"
    landlord.yaml:4:12: `class` of tenant rule 1: expected `tenant` or `shared`, found `shard`
      |
    4 |     class: shard
      |            ^^^^^
      = did you mean `shared`?
    ");
    insta::assert_snapshot!(mistake("tenant_labels: [team, cost center]"), @"
    landlord.yaml:1:23: `tenant_labels`: `cost center` is not a key: expected up to 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit, after an optional domain and `/`
      |
    1 | tenant_labels: [team, cost center]
      |                       ^^^^^^^^^^^
    ");
    insta::assert_snapshot!(mistake("tenant_labels: team"), @"
    landlord.yaml:1:16: `tenant_labels`: expected a list of keys of labels, such as `[team, acme.com/owner]`, found `team`
      |
    1 | tenant_labels: team
      |                ^^^^
    ");
}

#[test]
fn wrong_tenant_rules() {
    insta::assert_snapshot!(mistake("tenants:\n  - match: { pod: true }\n"), @"
    landlord.yaml:2:5: tenant rule 1 has no `tenant`
      |
    2 |   - match: { pod: true }
      |     ^
      = expected a name, such as `acme` or `'pod-{pod_uid}'`
    ");
    insta::assert_snapshot!(mistake("tenants:\n  - match: { container: dokcer }\n    tenant: a\n"), @"
    landlord.yaml:2:25: `match.container` of tenant rule 1: unknown container runtime `dokcer`
      |
    2 |   - match: { container: dokcer }
      |                         ^^^^^^
      = did you mean `docker`?
    ");
    insta::assert_snapshot!(mistake("tenants:\n  - match: { container: any }\n    tenant: '{runtime}-{continer_id}'\n"), @"
    landlord.yaml:3:13: `tenant` of tenant rule 1: unknown field `{continer_id}`
      |
    3 |     tenant: '{runtime}-{continer_id}'
      |             ^^^^^^^^^^^^^^^^^^^^^^^^^
      = did you mean `container_id`?
    ");
    insta::assert_snapshot!(mistake("tenants:\n  - match: { path: '^/(a' }\n    tenant: a\n"), @"
    landlord.yaml:2:20: `match.path` of tenant rule 1: not a regular expression: unclosed group
      |
    2 |   - match: { path: '^/(a' }
      |                    ^^^^^^
    ");
    insta::assert_snapshot!(mistake("tenants:\n  - match: { path: a }\n    tenant: a\n  - match: {}\n    tenant: b\n"), @"
    landlord.yaml:4:12: `match` of tenant rule 2: empty, so it would match every cgroup; to mean that, write `path: '^/'`
      |
    4 |   - match: {}
      |            ^
    ");
    insta::assert_snapshot!(mistake("tenants:\n  - match: { path: a }\n    tenant: 'pod-{pod_uid}'\n"), @"
    landlord.yaml:3:13: `tenant` of tenant rule 1: `{pod_uid}` is known only with `pod: true` in the rule's `match`
      |
    3 |     tenant: 'pod-{pod_uid}'
      |             ^^^^^^^^^^^^^^^
    ");
}

#[test]
fn not_yaml() {
    insta::assert_snapshot!(mistake("listen: 127.0.0.1:1\nlog: { format: text\n"), @"
    landlord.yaml:2:6: not YAML: unclosed bracket '{'
      |
    2 | log: { format: text
      |      ^
    ");
    insta::assert_snapshot!(mistake("listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n"), @"
    landlord.yaml:2:1: key `listen` is given twice
      |
    2 | listen: 127.0.0.1:2
      | ^^^^^^
    ");
    insta::assert_snapshot!(mistake("a: 1\n---\nb: 2\n"), @"
    landlord.yaml:2:1: a second YAML document begins; expected only one
      |
    2 | ---
      | ^^^
    ");
    insta::assert_snapshot!(mistake("\u{FEFF}lisen: 127.0.0.1:1"), @"
    landlord.yaml:1:1: unknown key `lisen`
      |
    1 | lisen: 127.0.0.1:1
      | ^^^^^
      = did you mean `listen`?
    ");
    insta::assert_snapshot!(mistake("log:\n\tformat: text\n"), @"
    landlord.yaml:2:2: not YAML: tabs disallowed within this context (block indentation)
      |
    2 |  format: text
      |  ^
    ");
    insta::assert_snapshot!(mistake(&format!("{}interval: 5\u{1b}[31m", " ".repeat(300))), @r"
    landlord.yaml:1:311: not YAML: unexpected character: `\u{1b}'
      |
    1 |                                         interval: 5�[31m
      |                                                   ^
    ");
}

#[test]
fn files_that_are_none() {
    insta::assert_snapshot!(mistake_on_disk(b""), @"
    landlord.yaml: is empty; expected at least one key, such as `interval: 5s`
      = without a file the defaults apply
    ");
    insta::assert_snapshot!(mistake_on_disk(b"# only a comment\n"), @"
    landlord.yaml: is empty; expected at least one key, such as `interval: 5s`
      = without a file the defaults apply
    ");
    insta::assert_snapshot!(mistake_on_disk(b"listen: 127.0.0.1:1\nlog\xff: 1\n"), @"landlord.yaml:2:4: not text: byte 0xff is not UTF-8");
    insta::assert_snapshot!(bounded(&load_file(Some(Path::new("/nonexistent.yaml"))).unwrap_err()), @"/nonexistent.yaml: no such file");
    insta::assert_snapshot!(bounded(&load_file(Some(Path::new("/"))).unwrap_err()), @"/: is a directory; expected a YAML file");
    insta::assert_snapshot!(bounded(&load_file(Some(Path::new("/dev/zero"))).unwrap_err()), @"/dev/zero: is larger than 1 MiB; expected a YAML file of at most some hundred lines");
}

#[test]
fn an_empty_default_file_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("landlord.yaml");
    std::fs::write(&path, "# nothing yet\n").unwrap();
    let load = || load_from(None, &path, std::iter::empty(), &Overrides::default());
    let config = load().unwrap();
    assert_eq!((config.max_tenants, config.file.as_deref()), (1000, Some(path.as_path())));
    std::fs::write(&path, "max_tenants: 7").unwrap();
    assert_eq!(load().unwrap().max_tenants, 7);
}

#[test]
fn a_variable_that_is_not_text() {
    use std::os::unix::ffi::OsStringExt as _;
    let environment = [("LANDLORD_STATE".into(), OsString::from_vec(vec![b'/', 0xff]))];
    let error = Variables::read(environment.into_iter()).unwrap_err();
    assert_eq!(bounded(&error), "environment variable LANDLORD_STATE: its value is not UTF-8 text");
}

/// A mebibyte of anything is refused at once and in a few short lines.
#[test]
fn a_mebibyte_of_garbage() {
    const SIZE: usize = 1 << 20;
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let printable = |byte: u8| b' ' + byte % 95;
    let bomb = (b'b'..=b'i').fold("a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, name| {
        let (name, before) = (char::from(name), char::from(name - 1));
        let aliases = vec![format!("*{before}"); 9].join(",");
        format!("{text}{name}: &{name} [{aliases}]\n")
    });
    let cases: [(&str, Vec<u8>); 12] = [
        ("random bytes", (0..SIZE).map(|_| noise()).collect()),
        ("random text", (0..SIZE).map(|_| printable(noise())).collect()),
        ("one word", b"x".repeat(SIZE)),
        ("zeros", vec![0; SIZE]),
        ("too much", b"x".repeat(2 * SIZE)),
        (
            "one line of keys",
            (0..SIZE / 16).flat_map(|n| format!("{{k{n:05}: 1}},").into_bytes()).collect(),
        ),
        ("keys", (0..60_000).flat_map(|n| format!("k{n}: 1\n").into_bytes()).collect()),
        ("brackets", b"[".repeat(SIZE)),
        ("dashes", b"- ".repeat(SIZE / 2)),
        ("a list", [b"a: [".to_vec(), b"1,".repeat(SIZE / 2 - 8), b"1]".to_vec()].concat()),
        ("a long key", [b"k".repeat(1000), b": 1\n".to_vec()].concat()),
        ("aliases", bomb.into_bytes()),
    ];
    for (name, bytes) in cases {
        let start = std::time::Instant::now();
        let text = mistake_on_disk(&bytes);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(5), "{name} took {took:?}");
        assert!(text.len() < 1000, "{name}: {text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{name}: {text:?}");
    }
}

/// The table and the shape that is read agree in both directions.
#[test]
fn the_table_and_the_shape_have_the_same_keys() {
    let known = |section: &str| {
        let error = mistake(&format!("{section}zzzzzzzzzzzz: 1"));
        let (_, list) = error.split_once("expected one of ").unwrap();
        list.replace(['`', ' '], "").split(',').map(str::to_owned).collect::<Vec<_>>()
    };
    for (section, yaml) in [("", ""), ("log", "log:\n  "), ("pin", "pin:\n  ")] {
        let serde = match section {
            "" => serde_fields::<super::Settings>(),
            "log" => serde_fields::<super::LogSettings>(),
            _ => serde_fields::<crate::config::file::PinSettings>(),
        };
        assert_eq!(known(yaml), serde, "{section}");
    }
    let below = |prefix: &str| -> Vec<&str> {
        KEYS.iter().filter_map(|key| key.name.strip_prefix(prefix)).collect()
    };
    assert_eq!(below("tenants[].match."), serde_fields::<crate::identity::tenant::MatchSpec>());
    assert_eq!(below("tenants[].tenant"), [""]);
    assert_eq!(below("tenants[].class"), [""]);
    assert_eq!(serde_fields::<crate::identity::tenant::RuleSpec>(), ["match", "tenant", "class"]);
}

/// Keys that a type accepts, as its refusal of another key lists them.
fn serde_fields<T: serde::de::DeserializeOwned>() -> Vec<String> {
    let value =
        figment::value::Value::from(figment::value::Dict::from([("?".to_owned(), 1.into())]));
    match value.deserialize::<T>().err().map(|error| error.kind) {
        Some(figment::error::Kind::UnknownField(_, known)) => {
            known.iter().map(|name| (*name).to_owned()).collect()
        }
        other => panic!("no list of fields: {other:?}"),
    }
}
