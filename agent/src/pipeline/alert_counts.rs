//! How many alerts there were, by whose, which rule and how urgent.
//!
//! Tenants come and go, and rules are few: beyond a number of sets the alerts of further
//! tenants are counted together, so that every alert is in a figure.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::identity::OTHER;
use crate::rules::rule::Priority;

/// Sets of tenant, rule and priority that are told apart.
const SETS_MAX: usize = 10_000;

/// Tenant, rule, priority.
type Set = (Arc<str>, Arc<str>, Priority);

/// See the module.
#[derive(Clone, Debug)]
pub struct AlertCounts {
    counts: BTreeMap<Set, u64>,
    others: Arc<str>,
    sets_max: usize,
}

impl Default for AlertCounts {
    fn default() -> Self {
        Self { counts: BTreeMap::new(), others: OTHER.into(), sets_max: SETS_MAX }
    }
}

impl AlertCounts {
    /// Counts one.
    pub(super) fn add(&mut self, tenant: &Arc<str>, rule: &Arc<str>, priority: Priority) {
        let set = (Arc::clone(tenant), Arc::clone(rule), priority);
        if let Some(count) = self.counts.get_mut(&set) {
            *count += 1;
            return;
        }
        let tenant = if self.counts.len() < self.sets_max { tenant } else { &self.others };
        let set = (Arc::clone(tenant), Arc::clone(rule), priority);
        *self.counts.entry(set).or_default() += 1;
    }

    /// Tenant, rule, priority and how many, in this order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, Priority, u64)> {
        self.counts
            .iter()
            .map(|((tenant, rule, priority), count)| (&**tenant, &**rule, *priority, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::{AlertCounts, Priority};

    fn check(sets_max: usize, alerts: &[(&str, &str)], expected: &[(&str, &str, u64)]) {
        let mut counts = AlertCounts { sets_max, ..AlertCounts::default() };
        for (tenant, rule) in alerts {
            counts.add(&(*tenant).into(), &(*rule).into(), Priority::Warning);
        }
        let told: Vec<(&str, &str, u64)> =
            counts.iter().map(|(tenant, rule, _, count)| (tenant, rule, count)).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn each_set_has_its_own_count_until_there_is_no_room() {
        check(9, &[], &[]);
        check(9, &[("b", "r"), ("a", "r"), ("b", "r")], &[("a", "r", 1), ("b", "r", 2)]);
        check(
            1,
            &[("b", "r"), ("a", "r"), ("c", "r"), ("a", "s"), ("b", "r")],
            &[("b", "r", 2), ("other", "r", 2), ("other", "s", 1)],
        );
    }
}
