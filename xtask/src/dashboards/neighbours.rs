//! Who waits for whom, and who strains what tenants share.

use super::panel::{Dashboard, Row, Unit, Variable, areas, lines, stat, table};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "landlord-neighbours",
        title: "Landlord / Noisy neighbours",
        about: "Tenants that wait while others have the CPU, and those that make them wait.",
        variables: &[Variable::Tenants, Variable::Nodes],
        rows: vec![now(), pairs(), sides(), limits(), shared()],
    }
}

/// The rate of a counter of the chosen tenants, on the chosen nodes, summed.
fn rate(by: &str, metric: &str) -> String {
    format!(
        "sum by ({by}) (rate({metric}{{tenant=~\"$tenant\",node=~\"$node\"}}[$__rate_interval]))"
    )
}

/// Seconds of waiting in a second, by who waits and who has the CPU.
fn all_pairs() -> String {
    rate("tenant, by", "landlord_tenant_cpu_wait_caused_seconds_total")
}

/// Each tenant with itself. By a rate, as the waits are: an instant would have none as soon as
/// one scrape fails.
fn selves() -> String {
    let tenants = rate("tenant", "landlord_tenant_cpu_seconds_total");
    format!("label_join({tenants}, \"by\", \"\", \"tenant\")")
}

/// Without what tenants do to themselves.
fn pairs_of_tenants() -> String {
    format!("({} unless on (tenant, by) {})", all_pairs(), selves())
}

/// Seconds in a second that a tenant's tasks have or want a CPU.
fn wanted() -> String {
    let had = rate("tenant", "landlord_tenant_cpu_seconds_total");
    let waited = rate("tenant", "landlord_tenant_cpu_wait_seconds_total");
    format!("({had} + {waited})")
}

fn share() -> String {
    format!("{} / on (tenant) group_left () ({} > 0)", pairs_of_tenants(), wanted())
}

fn now() -> Row {
    let pairs = pairs_of_tenants();
    let alerts =
        "sum(ALERTS{alertname=\"LandlordNoisyNeighbour\",alertstate=\"firing\"}) or vector(0)";
    Row::new(
        "Now",
        vec![
            stat("Waiting for others", Unit::Waits, format!("sum({pairs})"))
                .about("Time that tasks wait for a CPU while another tenant has it.")
                .limits(1.0, 4.0),
            stat("Worst share", Unit::Share, format!("max({})", share()))
                .about("Of the time that a tenant's tasks want a CPU, the most that they wait for one neighbour.")
                .limits(0.1, 0.25)
                .most(1.0),
            stat("Held back by own limits", Unit::Waits, "sum(rate(landlord_tenant_cpu_throttled_seconds_total{tenant=~\"$tenant\",node=~\"$node\"}[$__rate_interval]))")
                .about("That is nobody else's fault; summed over CPUs."),
            stat("Alerts", Unit::Number, alerts)
                .about("Pairs of which LandlordNoisyNeighbour tells.")
                .limits(1.0, 5.0),
        ],
    )
}

fn pairs() -> Row {
    let panel = table("Worst neighbours", &[("tenant", "Waits"), ("by", "For")])
        .about("Pairs of tenants, the worst first: how long one waits while the other has the CPU.")
        .column("Waiting", Unit::Waits, format!("topk(25, {})", pairs_of_tenants()))
        .column("Of the time it wants a CPU", Unit::Share, share())
        .with_bar()
        .limits(0.1, 0.25)
        .most(1.0);
    Row::new("Who waits for whom", vec![panel])
}

fn sides() -> Row {
    let pairs = pairs_of_tenants();
    Row::new(
        "Over time",
        vec![
            areas("Who waits", Unit::Waits)
                .about("For others; the ten that wait longest.")
                .query(format!("topk(10, sum by (tenant) ({pairs}))"), "{{tenant}}"),
            areas("Who is waited for", Unit::Waits)
                .about("By others; the ten that cause most.")
                .query(format!("topk(10, sum by (by) ({pairs}))"), "{{by}}"),
            lines("Pairs", Unit::Waits)
                .about("The ten worst.")
                .query(format!("topk(10, {pairs})"), "{{tenant}} for {{by}}"),
            lines("Share of the time that a CPU is wanted", Unit::Share)
                .about("Waiting, whoever is the cause; the ten that wait most.")
                .query(
                    format!(
                        "topk(10, {} / ({} > 0))",
                        rate("tenant", "landlord_tenant_cpu_wait_seconds_total"),
                        wanted()
                    ),
                    "{{tenant}}",
                )
                .limits(0.1, 0.25)
                .most(1.0),
        ],
    )
}

fn limits() -> Row {
    Row::new(
        "Their own doing",
        vec![
            lines("Held back by own CPU limits", Unit::Waits)
                .about("A higher limit helps these, not another neighbour.")
                .query(
                    format!(
                        "topk(10, {})",
                        rate("tenant", "landlord_tenant_cpu_throttled_seconds_total")
                    ),
                    "{{tenant}}",
                ),
            lines("Waiting for itself", Unit::Waits)
                .about("More tasks than CPUs: the tenant's own tasks stand in each other's way.")
                .query(
                    format!(
                        "topk(10, sum by (tenant) ({} and on (tenant, by) {}))",
                        all_pairs(),
                        selves()
                    ),
                    "{{tenant}}",
                ),
        ],
    )
}

fn shared() -> Row {
    let top = |metric: &str| format!("topk(10, {})", rate("tenant", metric));
    Row::new(
        "What else they share",
        vec![
            lines("System calls", Unit::PerSecond)
                .about("A storm of calls burdens the kernel of the whole node.")
                .query(top("landlord_tenant_syscalls_total"), "{{tenant}}"),
            lines("Network", Unit::BytesPerSecond)
                .about("Sent and received.")
                .query(top("landlord_tenant_network_bytes_total"), "{{tenant}}"),
            lines("Disk", Unit::BytesPerSecond)
                .about("Read and written.")
                .query(top("landlord_tenant_disk_bytes_total"), "{{tenant}}"),
            areas("Memory", Unit::Bytes)
                .about("Page cache included: who fills it takes it from others.")
                .query("topk(10, sum by (tenant) (landlord_tenant_memory_bytes{tenant=~\"$tenant\",node=~\"$node\"}))", "{{tenant}}"),
        ],
    )
}
