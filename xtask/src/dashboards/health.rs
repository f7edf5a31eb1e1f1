//! Whether agents are well, and so whether the figures of the other dashboards are whole.

use super::panel::{Dashboard, Row, Unit, Variable, areas, lines, or_none, stat, states, table};

/// Metrics of processes have names that others have, too.
const AGENTS: &str = "and on (job, instance) landlord_build_info";

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "landlord-health",
        title: "Landlord / Agent health",
        about: "Agents, what they take, what they could not count, whose objects they know, and whether alerts are delivered.",
        variables: &[Variable::Nodes],
        rows: vec![now(), agents(), taken(), losses(), identity(), sinks(), lookups()],
    }
}

fn of(metric: &str) -> String {
    format!("{metric}{{node=~\"$node\"}}")
}

fn sum(by: &str, expr: &str) -> String {
    if by.is_empty() { format!("sum({expr})") } else { format!("sum by ({by}) ({expr})") }
}

fn rate(by: &str, metric: &str) -> String {
    sum(by, &format!("rate({}[$__rate_interval])", of(metric)))
}

fn now() -> Row {
    let down = "count(up{node=~\"$node\"} == 0 and on (job) max by (job) (last_over_time(landlord_build_info[1d])))";
    let lost = format!("increase({}[$__range])", of("landlord_lost_total"));
    let failing = format!(
        "count({} > 0)",
        sum("sink, instance", &format!("rate({}[5m])", of("landlord_sink_failures_total")))
    );
    Row::new(
        "Now",
        vec![
            stat("Agents", Unit::Number, format!("count({})", of("landlord_build_info")))
                .about("Agents that are scraped."),
            stat("Down", Unit::Number, format!("{down} or vector(0)"))
                .about("Agents that cannot be scraped.")
                .limits(1.0, 1.0),
            stat("Not counted", Unit::Number, sum("", &lost))
                .about("Times in the time that is shown that something was not counted, or counted without its owner.")
                .limits(1.0, 100.0),
            stat("Waiting for their owner", Unit::Number, format!("{} or vector(0)", sum("", &of("landlord_identity_pending_owners"))))
                .about("Pods of which nobody has told whose they are; what they use is held until then.")
                .limits(1.0, 20.0),
            stat("Sinks that fail", Unit::Number, format!("{failing} or vector(0)"))
                .about("Counted on each node.")
                .limits(1.0, 5.0),
            stat("Alerts that wait", Unit::Number, format!("{} or vector(0)", sum("", &of("landlord_sink_waiting"))))
                .about("On the nodes' disks, to be delivered.")
                .limits(100.0, 10000.0),
        ],
    )
}

fn agents() -> Row {
    let by = "node, instance";
    let panel = table("Agents", &[("node", "Node"), ("instance", "Scraped at"), ("version", "Version"), ("architecture", "Architecture")])
        .about("A line each.")
        .column("CPU", Unit::Share, format!("rate({}[$__rate_interval]) * on (job, instance) group_left (version, architecture) landlord_build_info", of("process_cpu_seconds_total")))
        .with_bar()
        .limits(0.1, 0.5)
        .column("Memory", Unit::Bytes, sum(by, &format!("{} {AGENTS}", of("process_resident_memory_bytes"))))
        .column("In the kernel", Unit::Bytes, sum(by, &of("landlord_map_memory_bytes")))
        .column("Cgroups", Unit::Number, sum(by, &of("landlord_cgroups")))
        .column("Processes", Unit::Number, sum(by, &of("landlord_processes")))
        .column("Started", Unit::Ago, format!("1000 * max by ({by}) ({} {AGENTS})", of("process_start_time_seconds")))
        .column("Counts since", Unit::Ago, format!("1000 * max by ({by}) ({})", of("landlord_counters_start_time_seconds")))
        .column("Cannot measure", Unit::Number, format!("count by ({by}) ({} == 0) or 0 * count by ({by}) ({})", of("landlord_feature_enabled"), of("landlord_feature_enabled")));
    Row::new("Agents", vec![panel])
}

fn taken() -> Row {
    let cpu = format!("rate({}[$__rate_interval]) {AGENTS}", of("process_cpu_seconds_total"));
    let memory = format!("{} {AGENTS}", of("process_resident_memory_bytes"));
    Row::new(
        "What agents take",
        vec![
            lines("CPU", Unit::Share)
                .about("Of one CPU; the sensors' own time is on the account of who they look at.")
                .query(format!("topk(10, {})", sum("node", &cpu)), "{{node}}"),
            areas("Memory", Unit::Bytes)
                .about("Resident memory of agents, what they remember of processes in it, and maps in the kernel; on average.")
                .query(format!("avg({memory})"), "resident")
                .query(format!("avg({})", of("landlord_map_memory_bytes")), "in the kernel"),
            lines("What is remembered", Unit::Number)
                .about("The most on one node.")
                .query(format!("max({})", of("landlord_cgroups")), "cgroups")
                .query(format!("max({})", of("landlord_processes")), "processes"),
            states("What nodes measure")
                .about("no: kernel or privileges of a node do not allow it; `landlord doctor` says why.")
                .query(format!("min by (feature) ({})", of("landlord_feature_enabled")), "{{feature}}"),
        ],
    )
}

fn losses() -> Row {
    Row::new(
        "What was not counted",
        vec![
            lines("By cause", Unit::PerSecond)
                .about("docs/metrics.md has the meaning of each.")
                .query(rate("cause", "landlord_lost_total"), "{{cause}}"),
            lines("Reloads of the configuration", Unit::Number)
                .about("In five minutes; with errors, tenants stay as they were.")
                .query(
                    format!(
                        "sum by (outcome) (increase({}[5m]))",
                        of("landlord_config_reloads_total")
                    ),
                    "{{outcome}}",
                ),
        ],
    )
}

fn identity() -> Row {
    let age =
        format!("time() - min by (source) ({})", of("landlord_identity_source_told_time_seconds"));
    let interruptions = rate("source, reason", "landlord_identity_source_interruptions_total");
    let unresolved = rate("reason", "landlord_identity_unresolved_total");
    Row::new(
        "Who is who",
        vec![
            states("What the cluster tells")
                .about("no: the API server or the kubelet of a node does not tell of these now.")
                .query(format!("min by (source) ({})", of("landlord_identity_source_synced")), "{{source}}"),
            lines("Since it last told something", Unit::Seconds)
                .about("The longest of all nodes.")
                .query(age, "{{source}}"),
            lines("Interruptions", Unit::PerSecond)
                .about("How often it stopped telling, and why.")
                .query(or_none(&interruptions, "source"), "{{source}} {{reason}}"),
            areas("Cgroups by how their owner was found", Unit::Number)
                .about("By the path alone, by the API server, by the runtime, later than they began, or not at all.")
                .query(sum("provenance", &of("landlord_identity_cgroups")), "{{provenance}}"),
            lines("Pods without an owner", Unit::PerSecond)
                .about("What they use goes to the tenant `unknown`.")
                .query(or_none(&unresolved, "reason"), "{{reason}}"),
            areas("Objects and addresses", Unit::Number)
                .about("Objects of the cluster that the agent with most of them knows.")
                .query(format!("max by (source) ({})", of("landlord_identity_objects")), "{{source}}")
                .query(format!("max({})", of("landlord_identity_addresses")), "addresses"),
        ],
    )
}

fn sinks() -> Row {
    let lost = [
        ("landlord_sink_refused_total", "{{sink}} refused"),
        ("landlord_sink_unwritten_total", "{{sink}} unwritten"),
        ("landlord_sink_damaged_files_total", "{{sink}} damaged files"),
    ];
    let panel = lines("Alerts lost", Unit::PerSecond)
        .about("Refused for good, not written to the disk, or dropped as the queue was full.");
    let panel = lost
        .iter()
        .fold(panel, |panel, (metric, legend)| panel.query(rate("sink", metric), legend))
        .query(
            or_none(&rate("sink, priority", "landlord_sink_dropped_total"), "sink"),
            "{{sink}} dropped {{priority}}",
        );
    let seconds = rate("sink", "landlord_sink_delivery_seconds_total");
    let deliveries = rate("sink", "landlord_sink_deliveries_total");
    Row::new(
        "Delivery of alerts",
        vec![
            lines("Delivered", Unit::PerSecond)
                .about("Alerts that arrived.")
                .query(rate("sink", "landlord_sink_delivered_total"), "{{sink}}"),
            lines("Waiting", Unit::Number)
                .about("On the nodes' disks.")
                .query(sum("sink", &of("landlord_sink_waiting")), "{{sink}}"),
            lines("Failures", Unit::PerSecond)
                .about("Deliveries that failed and are tried again.")
                .query(
                    or_none(&rate("sink, cause", "landlord_sink_failures_total"), "sink"),
                    "{{sink}} {{cause}}",
                ),
            panel,
            lines("Time of a delivery", Unit::Seconds)
                .about("On average, those that failed included.")
                .query(format!("{seconds} / ({deliveries} > 0)"), "{{sink}}"),
            lines("Since an alert arrived last", Unit::Seconds)
                .about("The longest of all nodes; a sink that nothing is sent to is no fault.")
                .query(
                    format!(
                        "time() - min by (sink) ({})",
                        of("landlord_sink_last_delivery_time_seconds")
                    ),
                    "{{sink}}",
                ),
        ],
    )
}

fn lookups() -> Row {
    Row::new(
        "What is looked up",
        vec![
            lines("Processes in /proc", Unit::PerSecond)
                .about("Those that vanished had ended meanwhile.")
                .query(rate("outcome", "landlord_process_reads_total"), "{{outcome}}"),
            lines("Containers", Unit::PerSecond)
                .about("Questions about containers, by what became of them.")
                .query(rate("outcome", "landlord_container_lookups_total"), "{{outcome}}"),
            lines("What went wrong with containers", Unit::PerSecond)
                .about("Files and answers not understood or too long, sockets that fail.")
                .query(
                    or_none(&rate("cause", "landlord_container_failures_total"), "cause"),
                    "{{cause}}",
                ),
            lines("What went wrong with users and groups", Unit::PerSecond)
                .about("Files of users and groups that cannot be read, or in part.")
                .query(
                    or_none(&rate("cause", "landlord_name_failures_total"), "cause"),
                    "{{cause}}",
                ),
        ],
    )
}
