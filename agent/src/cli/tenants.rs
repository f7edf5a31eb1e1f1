//! `landlord tenants`: who is a tenant, of which namespaces, and what it used.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::connect::Connect;
use super::figures::{UNKNOWN, bytes, cores, count, or_dash, percent, printable, span};
use super::listing::Listing;
use super::table::aligned;
use crate::usage::pod::TenantFacts;
use crate::usage::tenant::{NodeUsage, TenantUsage};

/// List the tenants
///
/// Asks the running agent: who is a tenant, of which namespaces, and what it used on
/// this node since the counters began.
#[derive(Args, Debug)]
pub(super) struct Tenants {
    /// Only this tenant
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// Only tenants with this label
    #[arg(short = 'l', long = "selector", value_name = "KEY[=VALUE]")]
    selector: Option<String>,

    #[command(flatten)]
    listing: Listing,

    #[command(flatten)]
    connect: Connect,
}

/// One tenant's line.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    facts: TenantFacts,
    /// What it used; absent when it has used nothing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<&'a TenantUsage>,
}

pub(super) fn run(flags: &Tenants, out: &mut impl Write) -> Result<()> {
    let usage = flags.connect.agent()?.usage()?.usage;
    let wanted = |row: &Row<'_>| {
        flags.name.as_deref().is_none_or(|name| name == row.facts.tenant)
            && flags.selector.as_deref().is_none_or(|selector| selects(selector, &row.facts.labels))
    };
    let rows: Vec<Row<'_>> = rows(&usage).into_iter().filter(wanted).collect();
    let none = "no such tenant; `landlord tenants` lists them all";
    let table = |wide, headers| table(&rows, wide, headers);
    flags.listing.write(out, &rows, "tenant", |row| printable(&row.facts.tenant), table, none)
}

/// Whether labels have what `KEY` or `KEY=VALUE` asks.
fn selects(selector: &str, labels: &BTreeMap<String, String>) -> bool {
    match selector.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|it| it == value),
        None => labels.contains_key(selector),
    }
}

/// All that own something or have used something, ordered by name.
fn rows(usage: &NodeUsage) -> Vec<Row<'_>> {
    let mut rows: BTreeMap<&str, Row<'_>> = BTreeMap::new();
    for facts in &usage.owners {
        rows.insert(&facts.tenant, Row { facts: facts.clone(), used: None });
    }
    for used in &usage.tenants {
        let row = rows.entry(&used.tenant).or_insert_with(|| Row {
            facts: TenantFacts { tenant: used.tenant.clone(), ..TenantFacts::default() },
            used: None,
        });
        row.used = Some(used);
    }
    rows.into_values().collect()
}

fn table(rows: &[Row<'_>], wide: bool, headers: bool) -> String {
    let mut titles = vec![
        "NAME",
        "CLASS",
        "NAMESPACES",
        "PODS",
        "CPU",
        "WAITED",
        "MEMORY",
        "NETWORK",
        "SYSCALLS",
    ];
    if wide {
        titles.extend([
            "RESTARTS",
            "CPU-REQUEST",
            "CPU-LIMIT",
            "MEM-REQUEST",
            "MEM-LIMIT",
            "STORAGE",
            "VOLUMES",
            "QUOTA",
            "LABELS",
            "NAMESPACE NAMES",
        ]);
    }
    let lines = rows.iter().map(|row| {
        let TenantFacts { tenant, class, labels, namespaces, pods, .. } = &row.facts;
        let size = |value: Option<u64>| or_dash(value, |value| bytes(value as f64));
        let used = |figure: fn(&TenantUsage) -> String| or_dash(row.used, figure);
        let mut cells = vec![
            printable(tenant),
            if class.is_empty() { UNKNOWN.to_owned() } else { class.clone() },
            namespaces.len().to_string(),
            pods.to_string(),
            used(|it| span(it.cpu_seconds_total)),
            used(|it| span(it.cpu_wait_seconds_total)),
            row.used
                .and_then(|it| it.memory_bytes)
                .map_or(UNKNOWN.to_owned(), |it| bytes(it as f64)),
            used(|it| bytes(network(it) as f64)),
            used(|it| count(it.syscalls_total.values().sum::<u64>() as f64)),
        ];
        if wide {
            let TenantFacts { restarts, requests, limits, .. } = &row.facts;
            cells.extend([
                restarts.to_string(),
                or_dash(requests.cpu_cores, cores),
                or_dash(limits.cpu_cores, cores),
                size(requests.memory_bytes),
                size(limits.memory_bytes),
                size(row.used.and_then(|it| it.ephemeral_storage_bytes)),
                size(row.used.and_then(|it| it.volume_bytes)),
                fullest(&row.facts),
            ]);
            let labels = labels.iter().map(|(key, value)| format!("{key}={value}"));
            cells.push(listed(labels));
            cells.push(listed(namespaces.iter().cloned()));
        }
        cells
    });
    let numeric = [
        false, false, true, true, true, true, true, true, true, true, true, true, true, true, true,
        true, false, false, false,
    ];
    aligned(headers.then_some(&titles), lines, &numeric[..titles.len()])
}

/// How far the quota is used of which most is: `83% pods`.
fn fullest(facts: &TenantFacts) -> String {
    let shares = facts.quotas.iter().filter(|(_, (hard, _))| *hard > 0.0);
    let shares = shares.map(|(resource, (hard, used))| (used / hard, resource));
    let fullest = shares.max_by(|(a, _), (b, _)| a.total_cmp(b));
    or_dash(fullest, |(share, resource)| format!("{} {}", percent(share), printable(resource)))
}

/// Layer 3 bytes, both directions and families.
pub(super) fn network(used: &TenantUsage) -> u64 {
    let by = &used.network_bytes_total;
    by.transmit.ipv4 + by.transmit.ipv6 + by.receive.ipv4 + by.receive.ipv6
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    let text = parts.map(|part| printable(&part)).collect::<Vec<_>>().join(",");
    if text.is_empty() { "<none>".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{rows, selects, table};
    use crate::usage::pod::{Amounts, TenantFacts};
    use crate::usage::tenant::{NodeUsage, TenantUsage};

    fn node() -> NodeUsage {
        let owner =
            |tenant: &str, class: &str, labels: &[(&str, &str)], namespaces: &[&str]| TenantFacts {
                tenant: tenant.to_owned(),
                class: class.to_owned(),
                labels: labels
                    .iter()
                    .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                    .collect(),
                namespaces: namespaces.iter().map(|&name| name.to_owned()).collect(),
                pods: namespaces.len() as u64,
                requests: Amounts { cpu_cores: Some(0.5), ..Amounts::default() },
                quotas: BTreeMap::from([
                    ("pods".to_owned(), (10.0, 2.0)),
                    ("requests.cpu".to_owned(), (2.0, 0.5)),
                    ("services.loadbalancers".to_owned(), (0.0, 0.0)),
                ]),
                ..TenantFacts::default()
            };
        let used = |tenant: &str, cpu_seconds_total, memory_bytes| TenantUsage {
            tenant: tenant.to_owned(),
            cpu_seconds_total,
            memory_bytes,
            ephemeral_storage_bytes: memory_bytes.map(|bytes| bytes * 2),
            ..TenantUsage::default()
        };
        NodeUsage {
            owners: vec![
                owner("acme", "tenant", &[("team", "payments")], &["acme-prod", "acme-test"]),
                owner("kube-system", "shared", &[], &["kube-system"]),
                owner("lazy", "tenant", &[], &["lazy"]),
            ],
            tenants: vec![used("acme", 12.0, Some(5 << 20)), used("host", 7000.0, None)],
            ..NodeUsage::default()
        }
    }

    #[test]
    fn owners_and_users_are_listed_together() {
        insta::assert_snapshot!(table(&rows(&node()), false, true), @"
        NAME         CLASS   NAMESPACES  PODS    CPU  WAITED   MEMORY  NETWORK  SYSCALLS
        acme         tenant           2     2    12s    0.0s  5.0 MiB      0 B         0
        host         -                0     0  1h56m    0.0s        -      0 B         0
        kube-system  shared           1     1      -       -        -        -         -
        lazy         tenant           1     1      -       -        -        -         -
        ");
        insta::assert_snapshot!(table(&rows(&node())[..1], true, true), @"
        NAME  CLASS   NAMESPACES  PODS  CPU  WAITED   MEMORY  NETWORK  SYSCALLS  RESTARTS  CPU-REQUEST  CPU-LIMIT  MEM-REQUEST  MEM-LIMIT   STORAGE  VOLUMES  QUOTA             LABELS         NAMESPACE NAMES
        acme  tenant           2     2  12s    0.0s  5.0 MiB      0 B         0         0         0.50          -            -          -  10.0 MiB        -  25% requests.cpu  team=payments  acme-prod,acme-test
        ");
    }

    #[test]
    fn selectors() {
        let labels = [("team".to_owned(), "a=b".to_owned())].into();
        let check = |selector: &str, expected| assert_eq!(selects(selector, &labels), expected);
        check("team", true);
        check("team=a=b", true);
        check("team=a", false);
        check("tea", false);
    }
}
