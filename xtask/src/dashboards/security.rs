//! What rules found, what they cost, and what they did not see.

use super::panel::{Dashboard, Row, Unit, Variable, areas, lines, or_none, stat, table};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "landlord-security",
        title: "Landlord / Security",
        about: "What the rules found, by tenant, rule and node; what they cost, and what they did not see.",
        variables: &[Variable::Tenants, Variable::Nodes],
        rows: vec![now(), found(), rules(), unseen(), cost()],
    }
}

/// The metric that has tenants, so that these can be chosen.
const ALERTS: &str = "landlord_alerts_total";

/// Of the chosen nodes, and tenants where there are any.
fn of(metric: &str) -> String {
    let tenants = if metric == ALERTS { ",tenant=~\"$tenant\"" } else { "" };
    format!("{metric}{{node=~\"$node\"{tenants}}}")
}

fn rate(by: &str, metric: &str) -> String {
    let rate = format!("rate({}[$__rate_interval])", of(metric));
    if by.is_empty() { format!("sum({rate})") } else { format!("sum by ({by}) ({rate})") }
}

/// In the time that is shown.
fn count(by: &str, metric: &str) -> String {
    let increase = format!("increase({}[$__range])", of(metric));
    if by.is_empty() { format!("sum({increase})") } else { format!("sum by ({by}) ({increase})") }
}

/// Those with most alerts a second.
fn top_alerts(by: &str) -> String {
    or_none(&format!("topk(10, {})", rate(by, ALERTS)), by)
}

fn now() -> Row {
    let matched = count("rule", "landlord_rule_matches_total");
    let dropped = count("", "landlord_events_dropped_total");
    Row::new(
        "In the time that is shown",
        vec![
            stat("Alerts", Unit::Number, format!("{} or vector(0)", count("", ALERTS)))
                .about("Alerts that were written."),
            stat("Repeats", Unit::Number, count("", "landlord_alerts_repeated_total")).about(
                "Alerts that said the same as one before, and were counted instead of written.",
            ),
            stat("Rules that matched", Unit::Number, format!("count({matched} > 0) or vector(0)"))
                .about("Different rules."),
            stat("Events looked at", Unit::Number, count("", "landlord_events_evaluated_total"))
                .about("Events that were held against the rules."),
            stat("Events dropped", Unit::Number, format!("{dropped} or vector(0)"))
                .about("Events that the kernel side could not hand over: rules did not see them.")
                .limits(1.0, 1000.0),
            stat("Events lost", Unit::Number, count("", "landlord_events_lost_total"))
                .about("What the agent could not do with events.")
                .limits(1.0, 1000.0),
        ],
    )
}

fn found() -> Row {
    Row::new(
        "What was found",
        vec![
            areas("Matches by rule", Unit::PerSecond)
                .about("The ten rules that match most; repeats are included.")
                .query(
                    format!("topk(10, {})", rate("rule", "landlord_rule_matches_total")),
                    "{{rule}}",
                ),
            areas("Alerts by tenant", Unit::PerSecond)
                .about("Alerts about what tenants did; the ten with most.")
                .query(top_alerts("tenant"), "{{tenant}}")
                .with_exemplars(),
            areas("Alerts by priority", Unit::PerSecond)
                .about("As the rules have it.")
                .query(or_none(&rate("priority", ALERTS), "priority"), "{{priority}}")
                .with_exemplars(),
            areas("Alerts by node", Unit::PerSecond)
                .about("As they were written.")
                .query(or_none(&rate("node", ALERTS), "node"), "{{node}}")
                .with_exemplars(),
            areas("Remote ends of connections in alerts", Unit::PerSecond)
                .about("Of what is not certain nobody is accused.")
                .query(
                    format!(
                        "{} or on () label_replace(vector(0), \"kind\", \"none\", \"\", \"\")",
                        rate("kind, certain", "landlord_alert_peers_total")
                    ),
                    "{{kind}}, certain: {{certain}}",
                ),
            lines("Repeats", Unit::PerSecond)
                .about("Alerts that said the same as one before.")
                .query(rate("node", "landlord_alerts_repeated_total"), "{{node}}"),
        ],
    )
}

fn rules() -> Row {
    let seconds = count("rule", "landlord_rule_evaluation_seconds_total");
    let evaluations = count("rule", "landlord_rule_evaluations_total");
    let panel = table("Rules", &[("rule", "Rule")])
        .about("In the time that is shown: what each rule matched, saw and took.")
        .column("Matches", Unit::Number, count("rule", "landlord_rule_matches_total"))
        .with_bar()
        .column("Evaluations", Unit::Number, evaluations.clone())
        .column(
            "Let through by the kernel",
            Unit::Number,
            count("rule", "landlord_rule_kernel_passes_total"),
        )
        .column("Time", Unit::Seconds, seconds.clone())
        .column("Each", Unit::Seconds, format!("{seconds} / ({evaluations} > 0)"));
    let alerts =
        table("Alerts", &[("tenant", "Tenant"), ("rule", "Rule"), ("priority", "Priority")])
            .about("In the time that is shown: what tenants did that rules tell of.")
            .column(
                "Alerts",
                Unit::Number,
                or_none(&format!("{} > 0", count("tenant, rule, priority", ALERTS)), "rule"),
            )
            .with_bar();
    Row::new("Rules", vec![alerts, panel])
}

fn unseen() -> Row {
    Row::new(
        "What rules did not see",
        vec![
            lines("Dropped by tenant", Unit::PerSecond)
                .about("rate_limited: the tenant makes more events than it may. ring_full: the agent does not keep up.")
                .query(or_none(&rate("tenant, cause", "landlord_events_dropped_total"), "cause"), "{{tenant}} {{cause}}"),
            lines("Lost by cause", Unit::PerSecond)
                .about("What the agent could not do with events.")
                .query(rate("cause", "landlord_events_lost_total"), "{{cause}}"),
        ],
    )
}

fn cost() -> Row {
    Row::new(
        "What it takes",
        vec![
            areas("Calls that rules want", Unit::PerSecond)
                .about("By what became of them; early and verdict are those that no rule can match, found out in the kernel.")
                .query(rate("outcome", "landlord_events_calls_total"), "{{outcome}}"),
            lines("Events", Unit::PerSecond)
                .about("Held against the rules; starts and ends of processes; requests to io_uring.")
                .query(rate("", "landlord_events_evaluated_total"), "evaluated")
                .query(rate("", "landlord_events_lifecycle_total"), "processes")
                .query(rate("", "landlord_events_requests_total"), "io_uring"),
            areas("Time of rules", Unit::Waits)
                .about("By sampling; the ten that take most.")
                .query(format!("topk(10, {})", rate("rule", "landlord_rule_evaluation_seconds_total")), "{{rule}}"),
            lines("Reloads of rules", Unit::Number)
                .about("Rules read anew in five minutes; with errors, those from before stay in force.")
                .query("sum by (outcome) (increase(landlord_rules_reloads_total{node=~\"$node\"}[5m]))", "{{outcome}}"),
        ],
    )
}
