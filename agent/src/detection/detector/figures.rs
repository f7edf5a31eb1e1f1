//! What a detector did.

use super::Detector;
use crate::detection::statistics::{RuleStatistics, Statistics};
use crate::rules::event_type::EventType;

impl Detector {
    /// What was done so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let table = self.table.stats();
        let forgotten = self.deeds.forgotten();
        let rules = self.rules.rules().iter().enumerate();
        let rules = rules.filter(|(at, _)| self.rules.is_in_force(*at)).map(|(at, rule)| {
            let types = EventType::all().filter(|one| self.rules.is_held_against(at, *one));
            let types: Vec<usize> = types.map(EventType::index).collect();
            let sum = |of: &[u64]| types.iter().map(|one| of[*one]).sum();
            RuleStatistics {
                rule: rule.name.to_string(),
                kernel_passes: sum(&self.events_of),
                evaluations: sum(&self.judged_of),
                matches: self.matches_of[at],
                seconds: self.nanos_of[at] as f64 / 1e9,
            }
        });
        Statistics {
            processes: table.processes as u64,
            process_bytes: table.bytes as u64,
            processes_evicted: table.evicted_total,
            deeds_forgotten: forgotten.of_process,
            deeds_evicted: forgotten.of_room,
            rules: rules.collect(),
            ..self.counts.clone()
        }
    }
}
