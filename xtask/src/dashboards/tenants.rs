//! Who uses how much of the cluster. From recorded sums, so that it is quick with any number
//! of tenants and nodes.

use super::panel::{Dashboard, Row, Unit, Variable, areas, lines, stat, table};

const TENANT: &str = "tenant=~\"$tenant\"";

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "landlord-tenants",
        title: "Landlord / Tenants",
        about: "Who uses how much of the cluster. Needs the recording rules.",
        variables: &[Variable::Tenants],
        rows: vec![now(), who(), cpu(), memory(), network(), storage()],
    }
}

/// A recorded sum, of the chosen tenants.
fn of(record: &str) -> String {
    format!("{record}{{{TENANT}}}")
}

/// The same in one direction.
fn to(record: &str, direction: &str) -> String {
    format!("{record}{{{TENANT},direction=\"{direction}\"}}")
}

/// The tenants that have most of it.
fn top(expr: &str) -> String {
    format!("topk(10, {expr})")
}

fn now() -> Row {
    let cpu = of("tenant:landlord_tenant_cpu_seconds:rate5m");
    let memory = of("tenant:landlord_tenant_memory_bytes:sum");
    let network = of("tenant_direction:landlord_tenant_network_bytes:rate5m");
    let disk = of("tenant_direction:landlord_tenant_disk_bytes:rate5m");
    let waits = of("tenant_by:landlord_tenant_cpu_wait_caused_seconds:others_rate5m");
    Row::new(
        "Now",
        vec![
            stat("Tenants", Unit::Number, format!("count({cpu})")).about(
                "Tenants that used a CPU in the last five minutes, `host` and `unknown` included.",
            ),
            stat("CPU", Unit::Cores, format!("sum({cpu})")).about("CPUs that they keep busy."),
            stat("Memory", Unit::Bytes, format!("sum({memory})"))
                .about("Memory in use, page cache included."),
            stat("Network", Unit::BytesPerSecond, format!("sum({network})")).about(
                "Sent and received by their sockets. What goes from one to another counts twice.",
            ),
            stat("Disk", Unit::BytesPerSecond, format!("sum({disk})"))
                .about("Read from and written to block devices."),
            stat("Waiting for others", Unit::Waits, format!("sum({waits})"))
                .about("Time that tasks wait for a CPU while another tenant has it.")
                .limits(1.0, 4.0),
        ],
    )
}

fn who() -> Row {
    let waits = of("tenant_by:landlord_tenant_cpu_wait_caused_seconds:others_rate5m");
    let network = "tenant_direction:landlord_tenant_network_bytes:rate5m";
    let disk = "tenant_direction:landlord_tenant_disk_bytes:rate5m";
    let volumes = of("tenant:landlord_tenant_volume_bytes:sum");
    let panel = table("Tenants", &[("tenant", "Tenant")])
        .about("A line each; the tenant's name leads to its own dashboard.")
        .column(
            "CPU",
            Unit::Cores,
            format!("sum by (tenant) ({})", of("tenant:landlord_tenant_cpu_seconds:rate5m")),
        )
        .with_bar()
        .column("Waits for others", Unit::Waits, format!("sum by (tenant) ({waits})"))
        .column(
            "Memory",
            Unit::Bytes,
            format!("sum by (tenant) ({})", of("tenant:landlord_tenant_memory_bytes:sum")),
        )
        .column(
            "Sent",
            Unit::BytesPerSecond,
            format!("sum by (tenant) ({})", to(network, "transmit")),
        )
        .column(
            "Received",
            Unit::BytesPerSecond,
            format!("sum by (tenant) ({})", to(network, "receive")),
        )
        .column("Read", Unit::BytesPerSecond, format!("sum by (tenant) ({})", to(disk, "read")))
        .column("Written", Unit::BytesPerSecond, format!("sum by (tenant) ({})", to(disk, "write")))
        .column("Volumes", Unit::Bytes, format!("sum by (tenant) ({volumes})"))
        .column(
            "System calls",
            Unit::PerSecond,
            format!("sum by (tenant) ({})", of("tenant:landlord_tenant_syscalls:rate5m")),
        );
    Row::new("Who uses what", vec![panel])
}

fn cpu() -> Row {
    let waits = of("tenant_by:landlord_tenant_cpu_wait_caused_seconds:others_rate5m");
    Row::new(
        "CPU",
        vec![
            areas("CPU by tenant", Unit::Cores)
                .about("The ten that use most.")
                .query(top(&of("tenant:landlord_tenant_cpu_seconds:rate5m")), "{{tenant}}"),
            lines("Waiting for other tenants", Unit::Waits)
                .about("Tasks that could run but do not, as another tenant has the CPU; the ten that wait longest.")
                .query(top(&format!("sum by (tenant) ({waits})")), "{{tenant}}"),
        ],
    )
}

fn memory() -> Row {
    Row::new(
        "Memory and system calls",
        vec![
            areas("Memory by tenant", Unit::Bytes)
                .about("Page cache included; the ten that have most.")
                .query(top(&of("tenant:landlord_tenant_memory_bytes:sum")), "{{tenant}}"),
            lines("System calls by tenant", Unit::PerSecond)
                .about("The ten that call most.")
                .query(top(&of("tenant:landlord_tenant_syscalls:rate5m")), "{{tenant}}"),
        ],
    )
}

fn network() -> Row {
    let network = "tenant_direction:landlord_tenant_network_bytes:rate5m";
    Row::new(
        "Network",
        vec![
            areas("Sent by tenant", Unit::BytesPerSecond)
                .about("By their sockets, at layer 3; the ten that send most.")
                .query(top(&to(network, "transmit")), "{{tenant}}"),
            areas("Received by tenant", Unit::BytesPerSecond)
                .about("By their sockets, at layer 3; the ten that receive most.")
                .query(top(&to(network, "receive")), "{{tenant}}"),
        ],
    )
}

fn storage() -> Row {
    Row::new(
        "Storage",
        vec![
            lines("Disk by tenant", Unit::BytesPerSecond)
                .about("Block devices, read and written; the ten that do most.")
                .query(top(&of("tenant_direction:landlord_tenant_disk_bytes:rate5m")), "{{tenant}} {{direction}}"),
            areas("Kept by tenant", Unit::Bytes)
                .about("What the kubelets measure: writable layers, logs and local volumes, and persistent volumes.")
                .query(top(&of("tenant:landlord_tenant_ephemeral_storage_bytes:sum")), "{{tenant}} local")
                .query(top(&of("tenant:landlord_tenant_volume_bytes:sum")), "{{tenant}} volumes"),
        ],
    )
}
