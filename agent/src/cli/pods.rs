//! `landlord pods`: the pods of this node, whose they are and what they used.

use std::io::Write;

use anyhow::Result;
use clap::Args;

use super::connect::Connect;
use super::figures::{UNKNOWN, bytes, cores, or_dash, printable, span};
use super::listing::Listing;
use super::table::aligned;
use super::tenants::network;
use crate::usage::pod::PodUsage;

/// List the pods of this node
///
/// Asks the running agent: whose each pod is, how that was found, and what it used since
/// the counters began.
#[derive(Args, Debug)]
pub(super) struct Pods {
    /// Only pods with this in their name
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// Only of this namespace
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    namespace: Option<String>,

    /// Of all namespaces, which is the default
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    /// Only of this tenant
    #[arg(short, long, value_name = "TENANT")]
    tenant: Option<String>,

    #[command(flatten)]
    listing: Listing,

    #[command(flatten)]
    connect: Connect,
}

pub(super) fn run(flags: &Pods, out: &mut impl Write) -> Result<()> {
    let answer = flags.connect.agent()?.usage()?;
    let usage = answer.usage;
    let same = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|it| it == is);
    let wanted = |pod: &&PodUsage| {
        same(&flags.namespace, &pod.namespace)
            && same(&flags.tenant, &pod.used.tenant)
            && flags.name.as_deref().is_none_or(|name| pod.pod.contains(name))
    };
    let pods: Vec<&PodUsage> = usage.pods.iter().filter(wanted).collect();
    let now_unix_s = i64::try_from(usage.read_at_unix_ms / 1000).unwrap_or(i64::MAX);
    let none = if usage.identity.is_none() {
        "the agent is not told of pods: it runs without Kubernetes"
    } else {
        "no such pod on this node"
    };
    let table = |wide, headers| table(&pods, now_unix_s, wide, headers);
    flags.listing.write(out, &pods, "pod", |pod| label(pod), table, none)
}

/// Its name, or what is known instead.
fn label(pod: &PodUsage) -> String {
    printable(if pod.pod.is_empty() { &pod.uid } else { &pod.pod })
}

fn table(pods: &[&PodUsage], now_unix_s: i64, wide: bool, headers: bool) -> String {
    let mut titles = vec![
        "NAMESPACE",
        "NAME",
        "TENANT",
        "QOS",
        "RESTARTS",
        "CPU",
        "MEMORY",
        "NETWORK",
        "IDENTITY",
        "AGE",
    ];
    if wide {
        titles.extend([
            "CPU-REQUEST",
            "CPU-LIMIT",
            "MEM-REQUEST",
            "MEM-LIMIT",
            "STORAGE",
            "VOLUMES",
            "UID",
        ]);
    }
    let dash = |text: &str| if text.is_empty() { UNKNOWN.to_owned() } else { printable(text) };
    let size = |value: Option<u64>| or_dash(value, |value| bytes(value as f64));
    let rows = pods.iter().map(|pod| {
        let age = pod.created_unix_s.map(|created| (now_unix_s - created).max(0) as f64);
        let mut cells = vec![
            dash(&pod.namespace),
            label(pod),
            dash(&pod.used.tenant),
            dash(&pod.qos),
            pod.restarts.to_string(),
            span(pod.used.cpu_seconds_total),
            size(pod.used.memory_bytes),
            bytes(network(&pod.used) as f64),
            pod.attribution.clone(),
            or_dash(age, span),
        ];
        if wide {
            cells.extend([
                or_dash(pod.requests.cpu_cores, cores),
                or_dash(pod.limits.cpu_cores, cores),
                size(pod.requests.memory_bytes),
                size(pod.limits.memory_bytes),
                size(pod.used.ephemeral_storage_bytes),
                size(pod.used.volume_bytes),
                printable(&pod.uid),
            ]);
        }
        cells
    });
    let numeric = [
        false, false, false, false, true, true, true, true, false, true, true, true, true, true,
        true, true, false,
    ];
    aligned(headers.then_some(&titles), rows, &numeric[..titles.len()])
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::usage::pod::{Amounts, PodUsage};
    use crate::usage::tenant::TenantUsage;

    #[test]
    fn known_and_unknown_pods() {
        let known = PodUsage {
            uid: "7c0f5a3e-0000-4000-8000-000000000001".to_owned(),
            namespace: "acme-prod".to_owned(),
            pod: "web-5d4f-x".to_owned(),
            attribution: "informer".to_owned(),
            alive: true,
            qos: "Burstable".to_owned(),
            restarts: 2,
            created_unix_s: Some(1_000_000),
            requests: Amounts {
                cpu_cores: Some(0.25),
                memory_bytes: Some(64 << 20),
                ..Amounts::default()
            },
            used: TenantUsage {
                tenant: "acme".to_owned(),
                cpu_seconds_total: 75.0,
                memory_bytes: Some(3 << 20),
                ephemeral_storage_bytes: Some(4096),
                volume_bytes: Some(1 << 30),
                ..TenantUsage::default()
            },
            ..PodUsage::default()
        };
        let unknown = PodUsage {
            uid: "7c0f5a3e-0000-4000-8000-000000000002".to_owned(),
            attribution: "unknown".to_owned(),
            ..PodUsage::default()
        };
        insta::assert_snapshot!(table(&[&known, &unknown], 1_000_090, false, true), @"
        NAMESPACE  NAME                                  TENANT  QOS        RESTARTS    CPU   MEMORY  NETWORK  IDENTITY    AGE
        acme-prod  web-5d4f-x                            acme    Burstable         2  1m15s  3.0 MiB      0 B  informer  1m30s
        -          7c0f5a3e-0000-4000-8000-000000000002  -       -                 0   0.0s        -      0 B  unknown       -
        ");
        insta::assert_snapshot!(table(&[&known], 1_000_090, true, true), @"
        NAMESPACE  NAME        TENANT  QOS        RESTARTS    CPU   MEMORY  NETWORK  IDENTITY    AGE  CPU-REQUEST  CPU-LIMIT  MEM-REQUEST  MEM-LIMIT  STORAGE  VOLUMES  UID
        acme-prod  web-5d4f-x  acme    Burstable         2  1m15s  3.0 MiB      0 B  informer  1m30s         0.25          -     64.0 MiB          -  4.0 KiB  1.0 GiB  7c0f5a3e-0000-4000-8000-000000000001
        ");
    }
}
