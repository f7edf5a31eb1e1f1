//! Who is who, as sinks show it: pods, tenants, quotas and how well they are known.
//!
//! It reads what identity knows and what was counted, and decides nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::identity::cluster::addresses::Figures;
use crate::identity::cluster::object::{PodContainer, Resources, is_cpu};
use crate::identity::cluster::{Directory, Health, Source};
use crate::identity::registry::{SeenPod, SeenPods};
use crate::identity::{PENDING, UNKNOWN};
use crate::usage::pod::{AddressUsage, Amounts, PodUsage, QuotaUsage, SourceUsage, TenantFacts};
use crate::usage::tenant::TenantUsage;

/// The pods that have, or lately had, a cgroup, ordered by namespace and name. `used` is
/// what they used, by their UIDs.
pub(super) fn pods(
    seen: &SeenPods,
    directory: &Directory,
    mut used: HashMap<String, TenantUsage>,
) -> Vec<PodUsage> {
    let mut pods: Vec<PodUsage> = seen
        .iter()
        .map(|(uid, seen)| {
            let used = used.remove(&**uid).unwrap_or_default();
            pod(uid, seen, directory, used)
        })
        .collect();
    pods.sort_by(|a, b| (&a.namespace, &a.pod, &a.uid).cmp(&(&b.namespace, &b.pod, &b.uid)));
    pods
}

fn pod(uid: &str, seen: &SeenPod, directory: &Directory, used: TenantUsage) -> PodUsage {
    let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().unwrap_or_default().to_owned();
    let told = directory.pod(uid);
    let containers = told.map_or(&[][..], |pod| &pod.containers);
    let attribution = &seen.attribution;
    PodUsage {
        uid: uid.to_owned(),
        namespace: text(&attribution.namespace),
        pod: text(&attribution.pod),
        attribution: how(seen).to_owned(),
        alive: seen.alive,
        qos: told.and_then(|pod| pod.qos).map_or("", |qos| qos.name()).to_owned(),
        restarts: restarts(containers),
        created_unix_s: told.map(|pod| pod.created_unix_s),
        requests: requests(containers),
        limits: limits(containers),
        used: TenantUsage { tenant: attribution.tenant().to_string(), ..used },
        ..PodUsage::default()
    }
}

fn restarts(containers: &[PodContainer]) -> u64 {
    containers.iter().map(|container| u64::from(container.restarts)).sum()
}

fn requests(containers: &[PodContainer]) -> Amounts {
    sum(containers, |container| &container.requests, Option::is_some)
}

/// Only where all containers have one: one without may take all there is.
fn limits(containers: &[PodContainer]) -> Amounts {
    sum(containers, |container| &container.limits, |_| true)
}

/// How the identity of a pod was found.
fn how(seen: &SeenPod) -> &'static str {
    if seen.pending { PENDING } else { seen.attribution.provenance.label() }
}

/// Sums over those containers whose amount `counts`; none when one of these says nothing.
fn sum(
    containers: &[PodContainer],
    of: fn(&PodContainer) -> &Resources,
    counts: fn(&Option<u64>) -> bool,
) -> Amounts {
    let amount = |one: fn(&Resources) -> Option<u64>| {
        let mut all = containers.iter().map(|it| one(of(it))).filter(counts).peekable();
        all.peek()?;
        all.sum::<Option<u64>>()
    };
    Amounts {
        cpu_cores: amount(|it| it.cpu_millis).map(|millis| millis as f64 / 1e3),
        memory_bytes: amount(|it| it.memory_bytes),
        ephemeral_storage_bytes: amount(|it| it.ephemeral_storage_bytes),
    }
}

/// Who owns the cluster's namespaces and the pods of this node, ordered by name.
pub(super) fn owners(seen: &SeenPods, directory: &Directory) -> Vec<TenantFacts> {
    let mut owners: BTreeMap<String, TenantFacts> = BTreeMap::new();
    let new = |assignment: &crate::identity::Assignment| TenantFacts {
        tenant: assignment.tenant.to_string(),
        class: assignment.class.label().to_owned(),
        labels: assignment.labels.as_ref().clone(),
        ..TenantFacts::default()
    };
    let mut tenants: HashMap<&str, String> = HashMap::new();
    let mut namespaces: Vec<_> = directory.namespaces().collect();
    namespaces.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    for namespace in namespaces {
        let assignment = directory.tenancy().of_namespace(namespace);
        let facts = owners.entry(assignment.tenant.to_string()).or_insert_with(|| new(&assignment));
        facts.namespaces.push(namespace.name.to_string());
        tenants.insert(&namespace.name, facts.tenant.clone());
    }
    for (uid, pod) in seen.iter().filter(|(_, pod)| pod.alive && !pod.pending) {
        let assignment = &pod.attribution.assignment;
        let facts = owners.entry(assignment.tenant.to_string()).or_insert_with(|| new(assignment));
        facts.pods += 1;
        let told = directory.pod(uid);
        let qos = told.and_then(|pod| pod.qos).map_or(UNKNOWN, |qos| qos.name());
        *facts.qos.entry(qos.to_owned()).or_default() += 1;
        let Some(told) = told else { continue };
        let (requests, limits) = (requests(&told.containers), limits(&told.containers));
        facts.restarts += restarts(&told.containers);
        facts.requests.add(&requests);
        facts.limits.add(&limits);
    }
    for ((namespace, resource), (hard, used)) in tightest(directory) {
        let Some(owner) = tenants.get(namespace).and_then(|tenant| owners.get_mut(tenant)) else {
            continue;
        };
        let sum = owner.quotas.entry(resource.to_owned()).or_default();
        sum.0 += hard;
        sum.1 += used;
    }
    owners.into_values().collect()
}

/// Namespace and resource → hard and used, of the quota that allows least.
fn tightest(directory: &Directory) -> BTreeMap<(&str, &str), (f64, f64)> {
    let mut tightest: BTreeMap<(&str, &str), (f64, f64)> = BTreeMap::new();
    for quota in directory.quotas() {
        for (resource, &(hard, used)) in &quota.resources {
            let scale = if is_cpu(resource) { 1e3 } else { 1.0 };
            let amounts = (hard as f64 / scale, used as f64 / scale);
            let least = tightest.entry((&quota.namespace, full_name(resource))).or_insert(amounts);
            if amounts.0 < least.0 {
                *least = amounts;
            }
        }
    }
    tightest
}

/// A resource as it is called at full length.
fn full_name(resource: &str) -> &str {
    match resource {
        "cpu" => "requests.cpu",
        "memory" => "requests.memory",
        "ephemeral-storage" => "requests.ephemeral-storage",
        "count/pods" => "pods",
        "count/configmaps" => "configmaps",
        "count/secrets" => "secrets",
        "count/services" => "services",
        "count/persistentvolumeclaims" => "persistentvolumeclaims",
        other => other,
    }
}

/// Quotas of the namespaces that have a pod here.
pub(super) fn quotas(seen: &SeenPods, directory: &Directory) -> Vec<QuotaUsage> {
    let here: BTreeSet<&str> =
        seen.values().filter_map(|pod| pod.attribution.namespace.as_deref()).collect();
    let quotas = directory.quotas().filter(|quota| here.contains(&*quota.namespace));
    quotas
        .map(|quota| QuotaUsage {
            namespace: quota.namespace.to_string(),
            quota: quota.name.to_string(),
            tenant: directory
                .owner_of_namespace(&quota.namespace)
                .map(|owner| owner.tenant.to_string())
                .unwrap_or_default(),
            resources: quota
                .resources
                .iter()
                .map(|(resource, amounts)| (resource.to_string(), *amounts))
                .collect(),
        })
        .collect()
}

/// How the sources fare; one that has said nothing yet is `starting`.
pub(super) fn sources(watched: &[Source], directory: &Directory) -> Vec<SourceUsage> {
    watched
        .iter()
        .map(|source| {
            let (reason, detail) = match directory.health(*source) {
                Some(Health::Synced) => ("", ""),
                Some(Health::Interrupted(trouble)) => (trouble.label(), trouble.text()),
                None => ("starting", ""),
            };
            SourceUsage {
                source: source.label().to_owned(),
                synced: directory.is_synced(*source),
                reason: reason.to_owned(),
                detail: detail.to_owned(),
                ..SourceUsage::default()
            }
        })
        .collect()
}

/// How many objects are known, by source.
pub(super) fn objects(directory: &Directory) -> BTreeMap<String, u64> {
    let counts = [
        (Source::Pods, directory.pods().count()),
        (Source::Namespaces, directory.namespaces().count()),
        (Source::Quotas, directory.quotas().count()),
        (Source::Tenants, directory.tenancy().objects().count()),
    ];
    counts.into_iter().map(|(source, count)| (source.label().to_owned(), count as u64)).collect()
}

/// How much is known of addresses.
pub(super) fn addresses(figures: Figures) -> AddressUsage {
    let Figures { holders, addresses, past, forgotten, refused } = figures;
    AddressUsage {
        holders: holders as u64,
        addresses: addresses as u64,
        past: past as u64,
        forgotten_total: forgotten,
        refused_total: refused,
    }
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
