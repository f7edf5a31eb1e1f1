//! What there is to tell about each `Tenant` object, for its status.

use std::collections::BTreeMap;

use super::directory::Directory;
use super::tenancy::TenantObject;

/// What an object has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantReport {
    /// The generation of the object that this is of.
    pub generation: i64,
    /// Namespaces that are its as a whole.
    pub namespaces: u64,
    /// Pods in those namespaces; `None` when that is not known.
    pub pods: Option<u64>,
    /// Namespaces that another object of the same priority has.
    pub conflicts: u64,
    /// The first of these by name, each with the object that has it; at most
    /// [`Self::MAX_CONFLICTS`].
    pub first_conflicts: Vec<(Box<str>, Box<str>)>,
}

impl TenantReport {
    /// How many conflicts are told in full.
    pub const MAX_CONFLICTS: usize = 16;

    fn of(object: &TenantObject, pods_are_known: bool) -> Self {
        // Which of a namespace's pods a selector takes is known for this node only.
        let pods = (pods_are_known && object.pod_selector.is_none()).then_some(0);
        Self { generation: object.generation, pods, ..Self::default() }
    }
}

impl Directory {
    /// The reports of all objects. `pods` tells how many pods a namespace has, on all
    /// nodes; `None` when those are not watched.
    #[must_use]
    pub fn reports(&self, pods: Option<&dyn Fn(&str) -> u64>) -> BTreeMap<Box<str>, TenantReport> {
        let mut reports: BTreeMap<_, _> = self
            .tenancy()
            .objects()
            .map(|object| (object.name.clone(), TenantReport::of(object, pods.is_some())))
            .collect();
        let mut namespaces: Vec<_> = self.namespaces().collect();
        namespaces.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        for namespace in namespaces {
            let mut takers = self.tenancy().takers(namespace);
            let Some(holder) = takers.next() else { continue };
            if let Some(report) = reports.get_mut(&holder.name) {
                report.namespaces += 1;
                if let (Some(sum), Some(pods)) = (&mut report.pods, pods) {
                    *sum += pods(&namespace.name);
                }
            }
            for other in takers.take_while(|other| other.priority == holder.priority) {
                let Some(report) = reports.get_mut(&other.name) else { continue };
                report.conflicts += 1;
                if report.first_conflicts.len() < TenantReport::MAX_CONFLICTS {
                    report.first_conflicts.push((namespace.name.clone(), holder.name.clone()));
                }
            }
        }
        reports
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::cluster::change::{Change, Update};
    use crate::identity::cluster::directory::Limits;
    use crate::identity::cluster::samples::{namespace, object, selector};
    use crate::identity::tenant::TenantRules;

    #[test]
    fn what_is_told_of_objects() {
        let of = |name: &str, pattern: &str, priority| TenantObject {
            namespaces: vec![pattern.into()],
            ..object(name, priority)
        };
        let objects = vec![
            of("a", "oil-*", 0),
            of("b", "*", 0),
            of("c", "*", -1),
            TenantObject { pod_selector: Some(selector("x=y")), ..of("d", "*", 0) },
        ];
        let rules = TenantRules::compile(Vec::new()).unwrap();
        let mut directory = Directory::new(rules, Limits::default());
        let names = ["gas".to_owned()].into_iter().chain((10..30).map(|n| format!("oil-{n}")));
        let namespaces = names.map(|name| namespace(&name, "")).collect();
        directory.apply(Change::Namespaces(Update::All(namespaces)), 0);
        directory.apply(Change::Tenants(Update::All(objects)), 0);
        let check = |pods: Option<&dyn Fn(&str) -> u64>, expected: [(u64, Option<u64>, u64); 4]| {
            let reports = directory.reports(pods);
            let is: Vec<_> =
                reports.values().map(|it| (it.namespaces, it.pods, it.conflicts)).collect();
            assert_eq!(is, expected);
        };
        check(None, [(20, None, 0), (1, None, 20), (0, None, 0), (0, None, 0)]);
        let pods = |name: &str| if name == "gas" { 5 } else { 2 };
        check(Some(&pods), [(20, Some(40), 0), (1, Some(5), 20), (0, Some(0), 0), (0, None, 0)]);
        let first = &directory.reports(None)["b"].first_conflicts;
        assert_eq!(first.len(), TenantReport::MAX_CONFLICTS);
        assert_eq!(first[0], ("oil-10".into(), "a".into()));
    }
}
