//! How many alerts there were, by whose, which rule and how urgent.
//!
//! Tenants come and go, and rules are few: beyond a number of sets the alerts of further
//! tenants are counted together, so that every alert is in a figure. Of each the last is
//! kept that is exported as a trace, as an example.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::identity::OTHER;
use crate::rules::rule::Priority;
use crate::usage::tenant::AlertTrace;

/// Sets of tenant, rule and priority that are told apart.
const SETS_MAX: usize = 10_000;

/// Tenant, rule, priority.
type Set = (Arc<str>, Arc<str>, Priority);

/// Alerts of a set.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    /// How many.
    pub(super) count: u64,
    /// The last that is a trace.
    pub(super) trace: Option<AlertTrace>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct AlertCounts {
    counts: BTreeMap<Set, Counted>,
    others: Arc<str>,
    sets_max: usize,
}

impl Default for AlertCounts {
    fn default() -> Self {
        Self { counts: BTreeMap::new(), others: OTHER.into(), sets_max: SETS_MAX }
    }
}

impl AlertCounts {
    /// Counts one; `trace`: if it is exported as one.
    pub(super) fn add(
        &mut self,
        tenant: &Arc<str>,
        rule: &Arc<str>,
        priority: Priority,
        trace: Option<AlertTrace>,
    ) {
        let set = (Arc::clone(tenant), Arc::clone(rule), priority);
        let is_told_apart = self.counts.contains_key(&set) || self.counts.len() < self.sets_max;
        let tenant = if is_told_apart { tenant } else { &self.others };
        let set = (Arc::clone(tenant), Arc::clone(rule), priority);
        let counted = self.counts.entry(set).or_default();
        counted.count += 1;
        counted.trace = trace.or(counted.trace.take());
    }

    /// Tenant, rule, priority and how many, in this order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, Priority, &Counted)> {
        self.counts
            .iter()
            .map(|((tenant, rule, priority), counted)| (&**tenant, &**rule, *priority, counted))
    }
}

#[cfg(test)]
mod tests {
    use super::{AlertCounts, AlertTrace, Priority};

    fn check(sets_max: usize, alerts: &[(&str, &str)], expected: &[(&str, &str, u64)]) {
        let mut counts = AlertCounts { sets_max, ..AlertCounts::default() };
        for (tenant, rule) in alerts {
            counts.add(&(*tenant).into(), &(*rule).into(), Priority::Warning, None);
        }
        let told: Vec<(&str, &str, u64)> =
            counts.iter().map(|(tenant, rule, _, it)| (tenant, rule, it.count)).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn the_last_trace_stays_when_later_alerts_are_none() {
        let mut counts = AlertCounts::default();
        let mut add = |id: Option<&str>| {
            let trace = id.map(|id| AlertTrace { id: id.to_owned(), time_unix_ns: 1 });
            counts.add(&"a".into(), &"r".into(), Priority::Warning, trace);
            let (.., counted) = counts.iter().next().unwrap();
            (counted.count, counted.trace.as_ref().map(|it| it.id.clone()))
        };
        assert_eq!(add(None), (1, None));
        assert_eq!(add(Some("x")), (2, Some("x".to_owned())));
        assert_eq!(add(Some("y")), (3, Some("y".to_owned())));
        assert_eq!(add(None), (4, Some("y".to_owned())));
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
