//! The list of metrics as a page for people.

use super::metrics;
use crate::telemetry::{ClientFault, EventLoss, LossCause};

/// The list as a page for people: the content of `docs/metrics.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(PAGE_HEAD);
    for metric in metrics() {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        line(
            &mut page,
            &[
                &format!("`{}`", metric.name),
                metric.kind.name(),
                metric.unit.name().unwrap_or(""),
                &labels.join(", "),
                metric.help,
            ],
        );
    }
    page.push_str(PAGE_LABELS);
    page.push_str(PAGE_CARDINALITY);
    let of_use = LossCause::ALL.iter().map(|cause| (cause.label(), cause.help()));
    causes(&mut page, "landlord_lost_total", of_use);
    let of_events = EventLoss::ALL.iter().map(|cause| (cause.label(), cause.help()));
    causes(&mut page, "landlord_events_lost_total", of_events);
    let of_clients = ClientFault::ALL.iter().map(|cause| (cause.label(), cause.help()));
    causes(&mut page, "landlord_api_client_faults_total", of_clients);
    page
}

/// The causes of a metric and what they mean.
fn causes(
    page: &mut String,
    metric: &str,
    all: impl Iterator<Item = (&'static str, &'static str)>,
) {
    page.push_str("\n## Causes of `");
    page.push_str(metric);
    page.push('`');
    page.push_str(CAUSES_HEAD);
    for (label, help) in all {
        line(page, &[&format!("`{label}`"), help]);
    }
}

const PAGE_HEAD: &str = "\
# Metrics

<!-- Made from agent/src/usage/catalogue/ by its test; edit there. -->

`landlord run` serves them at `http://127.0.0.1:9464/metrics` in OpenMetrics text. Counters
outlive the agent: they go on where they were after a restart, and begin at zero only with
`landlord_counters_start_time_seconds`. A `landlord_tenant_X` is the key `X` in the JSON of
`landlord top --once -o json` and of `/v1/usage`.

| metric | type | unit | labels | meaning |
|---|---|---|---|---|
";

const PAGE_LABELS: &str = "
## Labels

| label | values |
|---|---|
| `tenant`, `by` | tenants by the configured rules, at most `max_tenants` (and `max_wait_causes` values of `by` for each tenant); `other` takes the rest, `host` is the root cgroup, `unknown` what has no owner |
| `direction` | `transmit`, `receive` (network); `read`, `write` (disk) |
| `family` | `ipv4`, `ipv6` |
| `source` | kinds of objects at the API server: `pods` (of this node), `namespaces`, `quotas`, `tenants`; for addresses `remote_pods` (of all nodes), `nodes`, `services`, `endpoint_slices` (that are not made of pods); and the node's `kubelet` |
| `kind` | of a remote end: `pod`, `service`, `node`, `loopback`, `outside` of the cluster, `unknown` |
| `qos` | `Guaranteed`, `Burstable`, `BestEffort`, `unknown` |
| `resource` | of quotas; `cpu`, `memory` and `ephemeral-storage` are `requests.` of these. Others than those of Kubernetes itself are in JSON only |
| `namespace`, `pod`, `uid` | of the pods of this node, with `pod_metrics`; those of one that ended stay for a while. A pod's figures are of its whole life under the tenant that it has now, so bills are made of `landlord_tenant_*`; use of a namespace is `sum by (namespace) (increase(landlord_pod_cpu_seconds_total[1h]))` and so on |
| `rule`, `priority` | of the rules in force; alerts of more than 10,000 sets of tenant, rule and priority are told of the tenant `other` |
| `provenance` | `cgroup` (its path), `informer` (the API server), `runtime`, `late` (as `informer`, after it had been pending), `pending`, `unknown` |
| `way` | of metrics to elsewhere: `scrape`, `export` |
| `page`, `status` | `/`, `/metrics`, `/healthz`, `/readyz`, `/v1/usage`, `/v1/alerts`, `other`; the status of HTTP |
| `syscall` | the kernel's names; `unknown_NNN` for numbers without one, `unknown` from 512 on |
";

const PAGE_CARDINALITY: &str = "
## Cardinality

Unless `pod_metrics` is set no label has a process, a pod, an address or anything else of which
there are ever more. A node tells at most this number of series:

| of | series |
|---|---|
| each tenant that has used something here, at most `max_tenants` and five of the agent's own | 64, where it has requests, limits and quotas of every kind; one for each system call that it has made; one for each tenant that it waited for, at most `max_wait_causes` + 5; with rules, one for each kind of event and cause that was dropped, and one for each rule that alerted |
| each pod here, with `pod_metrics` | 10 |
| each rule | 4 |
| each sink | 25 |
| the node | some 150 |

A test counts them on a node of 500 tenants, each with a pod that has requests and limits and has
run a shell and two programs: 28,700 series, 57 a tenant, 2.1 MB a scrape. Tenants that make 100
different system calls and wait for 20 others have 140 each.

OpenTelemetry's limit of attribute sets is raised above what these bounds allow, so that no
tenant is added up with others there.
";

const CAUSES_HEAD: &str = "

Each is exported from the start, at 0.

| `cause` | meaning |
|---|---|
";

fn line(page: &mut String, cells: &[&str]) {
    page.push('|');
    for cell in cells {
        page.push(' ');
        page.push_str(cell);
        page.push_str(" |");
    }
    page.push('\n');
}
