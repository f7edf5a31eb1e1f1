//! What one tenant does, and what it may.

use super::panel::{Dashboard, Row, Unit, Variable, areas, bars, lines, or_none, stat};

/// Of the chosen namespaces: pods have one, tenants any number.
const NAMESPACE: &str = ",namespace=~\"$namespace\"";

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "landlord-tenant",
        title: "Landlord / One tenant",
        about: "What one tenant uses, waits for, asks for and may have.",
        variables: &[Variable::Tenant, Variable::Namespaces, Variable::Nodes],
        rows: vec![now(), cpu(), memory(), network(), storage(), calls(), kubernetes()],
    }
}

/// Of this tenant, on the chosen nodes; `more` begins with a comma.
fn of(metric: &str, more: &str) -> String {
    format!("{metric}{{tenant=\"$tenant\",node=~\"$node\"{more}}}")
}

fn rate(metric: &str, more: &str) -> String {
    format!("rate({}[$__rate_interval])", of(metric, more))
}

/// The sum over nodes, by something or nothing.
fn sum(by: &str, expr: &str) -> String {
    if by.is_empty() { format!("sum({expr})") } else { format!("sum by ({by}) ({expr})") }
}

fn now() -> Row {
    let cpu = sum("", &rate("landlord_tenant_cpu_seconds_total", ""));
    let wait = sum("", &rate("landlord_tenant_cpu_wait_seconds_total", ""));
    let killed = format!("increase({}[$__range])", of("landlord_tenant_oom_kills_total", ""));
    Row::new(
        "Now",
        vec![
            stat("CPU", Unit::Cores, cpu.clone()).about("CPUs that it keeps busy."),
            stat("Waiting", Unit::Share, format!("{wait} / ({cpu} + {wait})"))
                .about("Of the time that its tasks want a CPU, the part that they wait for one.")
                .limits(0.1, 0.3)
                .most(1.0),
            stat("Memory", Unit::Bytes, sum("", &of("landlord_tenant_memory_bytes", "")))
                .about("Memory in use, page cache included."),
            stat("Pods", Unit::Number, sum("", &of("landlord_pods", "")))
                .about("Its pods; none where there is no cluster."),
            stat("Restarts", Unit::Number, sum("", &of("landlord_pod_restarts", "")))
                .about("Restarts of the containers of its present pods."),
            stat("Killed", Unit::Number, format!("sum({killed})"))
                .about("Processes killed for want of memory in the time that is shown.")
                .limits(1.0, 10.0),
        ],
    )
}

fn cpu() -> Row {
    Row::new(
        "CPU",
        vec![
            lines("CPU", Unit::Cores)
                .about("What it uses, what its pods request, and where their limits hold it back.")
                .query(sum("", &rate("landlord_tenant_cpu_seconds_total", "")), "used")
                .query(sum("", &of("landlord_pod_requests_cpu_cores", "")), "requested")
                .query(sum("", &of("landlord_pod_limits_cpu_cores", "")), "limit"),
            areas("CPU by node", Unit::Cores)
                .about("Where it uses it.")
                .query(sum("node", &rate("landlord_tenant_cpu_seconds_total", "")), "{{node}}"),
            areas("Waits while this one has the CPU", Unit::Waits)
                .about("The neighbours that its tasks wait for, itself included.")
                .query(
                    format!(
                        "topk(10, {})",
                        sum("by", &rate("landlord_tenant_cpu_wait_caused_seconds_total", ""))
                    ),
                    "{{by}}",
                ),
            lines("Held back", Unit::Waits)
                .about(
                    "Waiting as CPUs were busy, and held back by its own limits, summed over CPUs.",
                )
                .query(sum("", &rate("landlord_tenant_cpu_wait_seconds_total", "")), "waiting")
                .query(
                    sum("", &rate("landlord_tenant_cpu_throttled_seconds_total", "")),
                    "by its limits",
                ),
        ],
    )
}

fn memory() -> Row {
    let metrics = [
        ("landlord_tenant_memory_bytes", "used"),
        ("landlord_pod_requests_memory_bytes", "requested"),
        ("landlord_pod_limits_memory_bytes", "limit"),
    ];
    let panel = lines("Memory", Unit::Bytes)
        .about("In use, page cache included; what its pods request, and their limits.");
    let panel = metrics
        .iter()
        .fold(panel, |panel, (metric, legend)| panel.query(sum("", &of(metric, "")), legend));
    let nodes = areas("Memory by node", Unit::Bytes)
        .about("Where it uses it.")
        .query(sum("node", &of("landlord_tenant_memory_bytes", "")), "{{node}}");
    Row::new("Memory", vec![panel, nodes])
}

fn network() -> Row {
    Row::new(
        "Network",
        vec![
            lines("Bytes", Unit::BytesPerSecond).about("Of its sockets, at layer 3.").query(
                sum("direction, family", &rate("landlord_tenant_network_bytes_total", "")),
                "{{direction}} {{family}}",
            ),
            lines("Packets", Unit::PerSecond)
                .about("Of its sockets; one made by segmentation offload counts once.")
                .query(
                    sum("direction", &rate("landlord_tenant_network_packets_total", "")),
                    "{{direction}}",
                ),
        ],
    )
}

fn storage() -> Row {
    Row::new(
        "Storage",
        vec![
            lines("Disk", Unit::BytesPerSecond)
                .about("Read from and written to block devices.")
                .query(sum("direction", &rate("landlord_tenant_disk_bytes_total", "")), "{{direction}}"),
            lines("Kept", Unit::Bytes)
                .about("What the kubelets measure: writable layers, logs and local volumes; persistent volumes and what they can hold.")
                .query(sum("", &of("landlord_tenant_ephemeral_storage_bytes", "")), "local")
                .query(sum("", &of("landlord_tenant_volume_bytes", "")), "volumes")
                .query(sum("", &of("landlord_tenant_volume_capacity_bytes", "")), "size of volumes"),
        ],
    )
}

fn calls() -> Row {
    let alerts = sum("rule, priority", &rate("landlord_alerts_total", ""));
    let dropped = sum("event, cause", &rate("landlord_events_dropped_total", ""));
    Row::new(
        "System calls and alerts",
        vec![
            areas("System calls", Unit::PerSecond)
                .about("The ten that it makes most.")
                .query(
                    format!("topk(10, {})", sum("syscall", &rate("landlord_tenant_syscalls_total", ""))),
                    "{{syscall}}",
                ),
            lines("Events dropped", Unit::PerSecond)
                .about("Calls of its processes that rules did not see, as it made more than it may or the agent did not keep up.")
                .query(or_none(&dropped, "cause"), "{{event}} {{cause}}"),
            areas("Alerts", Unit::PerSecond)
                .about("What rules found in what it did.")
                .query(or_none(&alerts, "rule"), "{{rule}} ({{priority}})")
                .with_exemplars(),
        ],
    )
}

/// The pods with most of it.
fn by_pod(expr: &str) -> String {
    or_none(&format!("topk(10, sum by (namespace, pod) ({expr}))"), "pod")
}

fn kubernetes() -> Row {
    let quota = |metric: &str| format!("max by (resource) ({metric}{{tenant=\"$tenant\"}})");
    let (used, hard) = (quota("landlord_quota_used"), quota("landlord_quota_hard"));
    Row::new(
        "Kubernetes",
        vec![
            bars("Quotas", Unit::Share)
                .about("What of the quotas of its namespaces is used, in the whole cluster.")
                .query(format!("{used} / ({hard} > 0)"), "{{resource}}")
                .limits(0.8, 0.95)
                .most(1.0),
            areas("Pods", Unit::Number)
                .about("By quality of service.")
                .query(sum("qos", &of("landlord_pods", "")), "{{qos}}"),
            areas("CPU by pod", Unit::Cores)
                .about("The ten that use most; only where `pod_metrics` is on.")
                .query(
                    by_pod(&rate("landlord_pod_cpu_seconds_total", NAMESPACE)),
                    "{{namespace}}/{{pod}}",
                ),
            areas("Memory by pod", Unit::Bytes)
                .about("The ten that have most; only where `pod_metrics` is on.")
                .query(
                    by_pod(&of("landlord_pod_memory_bytes", NAMESPACE)),
                    "{{namespace}}/{{pod}}",
                ),
        ],
    )
}
