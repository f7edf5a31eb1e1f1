//! What the configuration of sinks resolves to, and what each mistake says.

use std::path::PathBuf;
use std::time::Duration;

use super::tests::{from, from_yaml, mistake};
use crate::config::Target;
use crate::config::overrides::Overrides;
use crate::sinks::backends::syslog::Receiver;
use crate::sinks::otlp::Protocol;
use crate::sinks::otlp::connections::Scope;

#[test]
fn nobody_is_told_by_default() {
    let sinks = from_yaml("interval: 5s\n").unwrap().sinks;
    assert!(sinks.list.is_empty() && sinks.otlp.is_none());
    assert_eq!(sinks.spool.bytes, 64 << 20);
}

#[test]
fn each_kind() {
    let yaml = "
sinks:
  - { name: a, kind: falco_http, to: 'http://sidekick:2801/', priority: warning, rate: 5 }
  - name: b
    kind: alertmanager
    to: https://alertmanager/prefix/
    resolve: 10s
    tags: [t]
    tenants: [acme, 'x-.+']
    headers: { X-Scope-OrgID: acme }
    ca_file: /ca
    certificate_file: /c
    key_file: /k
    token_file: /t
  - { name: c, kind: syslog, to: 'udp://log:514', timeout: 1s }
  - { name: d, kind: file, to: /var/log/alerts, size: 2, keep: 0 }
";
    let [a, b, c, d] = from_yaml(yaml).unwrap().sinks.list.try_into().unwrap();
    assert_eq!(a.target, Target::FalcoHttp("http://sidekick:2801/".parse().unwrap()));
    assert_eq!((a.route.priority, a.pace.rate.map(u32::from)), (Some(4), Some(5)));
    let uri = "https://alertmanager/prefix/api/v2/alerts".parse().unwrap();
    assert_eq!(b.target, Target::Alertmanager { uri, resolve: Duration::from_secs(10) });
    let tenants = b.route.tenants.unwrap();
    assert!(tenants.is_match("acme") && tenants.is_match("x-1") && !tenants.is_match("acme2"));
    assert_eq!(b.access.certificate, Some((PathBuf::from("/c"), PathBuf::from("/k"))));
    assert_eq!(b.access.headers["X-Scope-OrgID"], "acme");
    assert_eq!(c.target, Target::Syslog(Receiver::Udp("log:514".to_owned())));
    assert_eq!(c.pace.timeout, Duration::from_secs(1));
    assert_eq!(d.target, Target::File { path: "/var/log/alerts".into(), most: 2 << 20, keep: 0 });
}

#[test]
fn the_variables_of_opentelemetry_count_after_the_own_ones() {
    let standard = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b%20c, d=e=f"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
        ("OTEL_RESOURCE_ATTRIBUTES", "k8s.cluster.name=prod"),
    ];
    let otlp = |yaml: &str, more: &[(&str, &str)]| {
        let variables = [&standard, more].concat();
        from(yaml, &variables, &Overrides::default()).unwrap().sinks.otlp.unwrap()
    };
    let found = otlp("interval: 5s\n", &[]);
    assert_eq!((&*found.endpoint, found.protocol), ("http://collector:4317", Protocol::Grpc));
    let headers = [("a", "b c"), ("d", "e=f")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(found.access.headers, headers.into());
    assert_eq!(found.timeout, Duration::from_millis(2500));
    assert_eq!(found.resource, [("k8s.cluster.name".to_owned(), "prod".to_owned())]);
    // They win over the file, as variables do.
    let found = otlp("otlp: { endpoint: 'http://other' }\n", &[]);
    assert_eq!(found.endpoint, "http://collector:4317");
    let found = otlp("interval: 5s\n", &[("LANDLORD_OTLP_ENDPOINT", "http://own")]);
    assert_eq!(found.endpoint, "http://own");
}

#[test]
fn which_header_says_the_tenant() {
    let header = |value: &str| {
        let yaml = format!("otlp: {{ endpoint: 'http://x', tenant_header: '{value}' }}\n");
        from(&yaml, &[], &Overrides::default()).unwrap().sinks.otlp.unwrap().tenant_header
    };
    assert_eq!(header(""), None);
    assert_eq!(header("X-Scope-OrgID").unwrap().as_str(), "x-scope-orgid");
    insta::assert_snapshot!(mistake("otlp: { endpoint: 'http://x', tenant_header: 'a b' }\n"), @"
    landlord.yaml:1:46: `otlp.tenant_header`: expected a name of a header, such as `X-Scope-OrgID`, found `a b`
      |
    1 | otlp: { endpoint: 'http://x', tenant_header: 'a b' }
      |                                              ^^^^^
    ");
}

#[test]
fn which_connections_are_told() {
    let scope = |yaml: &str| {
        let yaml = format!("otlp: {{ endpoint: 'http://x'{yaml} }}\n");
        from(&yaml, &[], &Overrides::default()).unwrap().sinks.otlp.unwrap().connections
    };
    assert_eq!(scope(""), Scope::None);
    assert_eq!(scope(", connections: tenants"), Scope::Tenants);
    assert_eq!(scope(", connections: all, traces: true"), Scope::All);
    insta::assert_snapshot!(mistake("otlp: { connections: some }\n"), @"
    landlord.yaml:1:22: `otlp.connections`: expected `none`, `tenants` or `all`, found `some`
      |
    1 | otlp: { connections: some }
      |                      ^^^^
    ");
}

#[test]
fn how_many_alerts_are_traces() {
    let ratio = |yaml: &str, variables: &[(&str, &str)]| {
        let yaml = format!("otlp: {{ endpoint: 'http://x'{yaml} }}\n");
        from(&yaml, variables, &Overrides::default())
            .unwrap()
            .sinks
            .otlp
            .unwrap()
            .traces_ratio
            .to_string()
    };
    assert_eq!(ratio("", &[]), "1");
    assert_eq!(ratio(", traces_ratio: 0", &[]), "0");
    assert_eq!(ratio(", traces_ratio: 0.25", &[]), "0.25");
    let argument = ("OTEL_TRACES_SAMPLER_ARG", "0.5");
    // Without a sampler its argument says nothing.
    assert_eq!(ratio("", &[argument]), "1");
    assert_eq!(ratio("", &[argument, ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")]), "0.5");
    assert_eq!(ratio("", &[argument, ("OTEL_TRACES_SAMPLER", "always_off")]), "0");
    assert_eq!(ratio("", &[argument, ("LANDLORD_OTLP_TRACES_RATIO", "0.75")]), "0.75");
    insta::assert_snapshot!(mistake("otlp: { traces_ratio: 1.5 }\n"), @"
    landlord.yaml:1:23: `otlp.traces_ratio`: expected a number from 0 to 1, such as `0.1`, found `1.5`
      |
    1 | otlp: { traces_ratio: 1.5 }
      |                       ^^^
    ");
    let wrong = |variables: &[(&str, &str)]| {
        from("interval: 5s\n", variables, &Overrides::default()).unwrap_err().to_string()
    };
    insta::assert_snapshot!(wrong(&[("OTEL_TRACES_SAMPLER", "xray")]), @"environment variable OTEL_TRACES_SAMPLER: `otlp.traces_ratio`: expected a number from 0 to 1, such as `0.1`, found `xray`");
    let sampler = ("OTEL_TRACES_SAMPLER", "traceidratio");
    insta::assert_snapshot!(wrong(&[sampler, ("OTEL_TRACES_SAMPLER_ARG", "-1")]), @"environment variable OTEL_TRACES_SAMPLER_ARG: `otlp.traces_ratio`: expected a number from 0 to 1, such as `0.1`, found `-1`");
}

#[test]
fn wrong_sinks() {
    let of = |sink: &str| mistake(&format!("sinks:\n  - {{ {sink} }}\n"));
    insta::assert_snapshot!(of("name: a, kind: falco_http"), @"
    landlord.yaml:2:5: sink 1 has no `to`
      |
    2 |   - { name: a, kind: falco_http }
      |     ^
      = expected a text
    ");
    insta::assert_snapshot!(of("name: a, kind: falco, to: x"), @"
    landlord.yaml:2:22: `kind` of sink 1: expected `falco_http`, `alertmanager`, `syslog` or `file`, found `falco`
      |
    2 |   - { name: a, kind: falco, to: x }
      |                      ^^^^^
    ");
    insta::assert_snapshot!(of("name: 'a b', kind: file, to: /x"), @"
    landlord.yaml:2:13: `name` of sink 1: expected up to 64 letters, digits, `-` or `_`, found `a b`
      |
    2 |   - { name: 'a b', kind: file, to: /x }
      |             ^^^^^
    ");
    insta::assert_snapshot!(of("name: a, kind: falco_http, to: sidekick"), @"
    landlord.yaml:2:38: `to` of sink 1: expected an address such as `http://falcosidekick:2801`, found `sidekick`
      |
    2 |   - { name: a, kind: falco_http, to: sidekick }
      |                                      ^^^^^^^^
    ");
    insta::assert_snapshot!(of("name: a, kind: syslog, to: 'udp://x'"), @"
    landlord.yaml:2:34: `to` of sink 1: expected `/dev/log`, `udp://host:514` or `tcp://host:601`, found `udp://x`
      |
    2 |   - { name: a, kind: syslog, to: 'udp://x' }
      |                                  ^^^^^^^^^
    ");
    insta::assert_snapshot!(of("name: a, kind: file, to: /x, headers: { a: secret }"), @"landlord.yaml: `headers` of sink 1: expected nothing for a sink of this kind, found another value");
    insta::assert_snapshot!(of("name: a, kind: file, to: /x, tenants: ['(']"), @"
    landlord.yaml:2:45: `tenants` of sink 1: expected regular expressions (error: unclosed group), found a list
      |
    2 |   - { name: a, kind: file, to: /x, tenants: ['('] }
      |                                             ^
    ");
    insta::assert_snapshot!(of("name: a, kind: file, to: /x, timeout: 1h"), @"
    landlord.yaml:2:45: `timeout` of sink 1: expected a time from 100ms to 300s with its unit, such as `5s` or `1500ms`, found `1h`
      |
    2 |   - { name: a, kind: file, to: /x, timeout: 1h }
      |                                             ^^
    ");
    insta::assert_snapshot!(of("name: a, kind: file, to: /x, rate: 0"), @"
    landlord.yaml:2:42: `rate` of sink 1: expected a whole number from 1 to 1000000, found `0`
      |
    2 |   - { name: a, kind: file, to: /x, rate: 0 }
      |                                          ^
    ");
    insta::assert_snapshot!(of("name: a, kind: file, to: /x, rate: 1000001"), @"
    landlord.yaml:2:42: `rate` of sink 1: expected a whole number from 1 to 1000000, found `1000001`
      |
    2 |   - { name: a, kind: file, to: /x, rate: 1000001 }
      |                                          ^^^^^^^
    ");
    insta::assert_snapshot!(of("name: a, kind: file, to: /x, size: 0"), @"
    landlord.yaml:2:42: `size` of sink 1: expected a whole number from 1 to 1048576, found `0`
      |
    2 |   - { name: a, kind: file, to: /x, size: 0 }
      |                                          ^
    ");
    insta::assert_snapshot!(of("name: a, kind: file, to: /x, keep: 101"), @"
    landlord.yaml:2:42: `keep` of sink 1: expected a whole number from 0 to 100, found `101`
      |
    2 |   - { name: a, kind: file, to: /x, keep: 101 }
      |                                          ^^^
    ");
    insta::assert_snapshot!(of("name: a, kind: alertmanager, to: 'http://x', resolve: 2d"), @"
    landlord.yaml:2:61: `resolve` of sink 1: expected a time from 1s to 86400s with its unit, such as `5s` or `1500ms`, found `2d`
      |
    2 |   - { name: a, kind: alertmanager, to: 'http://x', resolve: 2d }
      |                                                             ^^
    ");
    insta::assert_snapshot!(of("name: a, kind: falco_http, to: 'http://x', token_file: token"), @"
    landlord.yaml:2:62: `token_file` of sink 1: expected a path that begins with `/`, found `token`
      |
    2 |   - { name: a, kind: falco_http, to: 'http://x', token_file: token }
      |                                                              ^^^^^
    ");
    // Neither what is wrong nor what stands beside it tells a secret.
    insta::assert_snapshot!(of("name: a, kind: falco_http, to: 'http://x', timeout: 1h, headers: { a: secret }"), @"landlord.yaml:2:59: `timeout` of sink 1: expected a time from 100ms to 300s with its unit, such as `5s` or `1500ms`, found `1h`");
    insta::assert_snapshot!(of("name: a, kind: falco_http, to: 'http://x', headers: secret"), @"landlord.yaml: `headers` of sink 1: expected names and values, such as `{ X-Scope-OrgID: acme }`, found another value");
    insta::assert_snapshot!(of("name: a, kind: falco_http, to: 'http://x', headers: { a: [secret] }"), @"landlord.yaml: `headers.a` of sink 1: expected a text, found another value");
    insta::assert_snapshot!(of("name: a, kind: falco_http, to: 'http://x', key_file: /k"), @"
    landlord.yaml:2:60: `key_file` of sink 1: expected a `certificate_file`, too, found `/k`
      |
    2 |   - { name: a, kind: falco_http, to: 'http://x', key_file: /k }
      |                                                            ^^
    ");
    insta::assert_snapshot!(mistake("sinks:\n  - { name: a, kind: file, to: /x }\n  - { name: a, kind: file, to: /y }\n"), @"
    landlord.yaml:3:13: `name` of sink 2: expected a name that no other sink has, found `a`
      |
    3 |   - { name: a, kind: file, to: /y }
      |             ^
    ");
    insta::assert_snapshot!(mistake("otlp: { endpoint: 'collector:4317' }\n"), @"
    landlord.yaml:1:19: `otlp.endpoint`: expected an address such as `http://collector:4318`, found `collector:4317`
      |
    1 | otlp: { endpoint: 'collector:4317' }
      |                   ^^^^^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(mistake("otlp: { endpoint: 'http://c', headers: secret }\n"), @"landlord.yaml: `otlp.headers`: expected `name=value` pairs with `,` between them, found another value");
}
