//! What is measured of a rule set.

use std::fmt::Write as _;
use std::time::Duration;

use landlord::rules::compile::{Program, event_types};
use landlord::rules::evaluate::{Scratch, evaluate};
use landlord::rules::event::Event as _;
use landlord::rules::event_type::EventType;
use landlord::rules::rule::Matching;
use landlord::rules::typed::Condition;
use rustix::time::{ClockId, clock_gettime};

use crate::naive;
use crate::node::{self, NodeEvent};

/// Events that are evaluated again and again: few enough to stay in the cache, as an
/// event does that was just made.
const EVENTS: u32 = 2_000;
/// Of how many runs the best counts: what disturbs a run can only add to it.
const RUNS: u32 = 200;
/// Events a second that should be reached.
const TARGET: f64 = 3e6;

/// What was measured.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Figures {
    rule_set: &'static str,
    rules: usize,
    build_ms: f64,
    events_per_second: f64,
    ns_per_event: f64,
    ns_per_event_median: f64,
    matching_share: f64,
    allocations_per_non_matching_event: f64,
    naive_ns_per_event: f64,
    times_faster_than_naive: f64,
    ns_per_event_of_type: Vec<(&'static str, f64)>,
}

impl Figures {
    /// Whether it is as fast as it should be, and nothing is allocated.
    pub(crate) fn meets_target(&self) -> bool {
        // Events of two rule sets at once are more than one node has to bear.
        let fast = self.rule_set == "both" || self.events_per_second >= TARGET;
        fast && self.allocations_per_non_matching_event == 0.0
    }
}

/// Measures how long events take with these rules, in load order.
pub(crate) fn measure(rule_set: &'static str, rules: &[&Condition]) -> Figures {
    let numbered: Vec<(usize, &Condition)> = rules.iter().copied().enumerate().collect();
    let began = processor_time();
    let program = Program::new(&numbered, Matching::First);
    let build = processor_time().saturating_sub(began);
    let events = node::events(usize::try_from(EVENTS).unwrap_or_default());
    let all: Vec<&NodeEvent> = events.iter().collect();
    let mut scratch = Scratch::new(&program);
    // Expressions and transformers have their memory after this.
    let runs = times(&program, &all, &mut scratch);
    let best = runs[0];
    let (mut matching, mut allocated) = (0_u32, 0_u64);
    for event in &all {
        let mut matches = false;
        let counted = allocation_counter::measure(|| {
            matches = evaluate(&program, *event, &mut scratch, |_| {});
        });
        if matches {
            matching += 1;
        } else {
            allocated += counted.count_total;
        }
    }
    let naive = measure_naive(&numbered, &events, matching);
    let allocated = f64::from(u32::try_from(allocated).unwrap_or(u32::MAX));
    Figures {
        rule_set,
        rules: rules.len(),
        build_ms: build.as_secs_f64() * 1e3,
        events_per_second: 1e9 / best,
        ns_per_event: best,
        ns_per_event_median: runs[runs.len() / 2],
        matching_share: f64::from(matching) / f64::from(EVENTS),
        allocations_per_non_matching_event: allocated / f64::from(EVENTS - matching),
        naive_ns_per_event: naive,
        times_faster_than_naive: naive / best,
        ns_per_event_of_type: of_types(&program, &all, &mut scratch),
    }
}

/// Nanoseconds an event takes in each of some runs, the best first.
fn times(program: &Program, events: &[&NodeEvent], scratch: &mut Scratch) -> Vec<f64> {
    let mut matching = 0_u32;
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let began = processor_time();
            for event in events {
                matching += u32::from(evaluate(program, *event, scratch, |_| {}));
            }
            nanoseconds(processor_time().saturating_sub(began), events.len())
        })
        .collect();
    assert!(matching.is_multiple_of(RUNS), "the same events match every time");
    times.sort_by(f64::total_cmp);
    times
}

/// The same for the events of each type apart.
fn of_types(
    program: &Program,
    events: &[&NodeEvent],
    scratch: &mut Scratch,
) -> Vec<(&'static str, f64)> {
    let mut figures = Vec::new();
    for event_type in EventType::all() {
        let of_type: Vec<&NodeEvent> =
            events.iter().copied().filter(|event| event.event_type() == event_type).collect();
        if !of_type.is_empty() {
            figures.push((event_type.name(), times(program, &of_type, scratch)[0]));
        }
    }
    figures
}

/// Nanoseconds that it takes to walk the conditions of all rules for the type of an
/// event.
fn measure_naive(rules: &[(usize, &Condition)], events: &[NodeEvent], matching: u32) -> f64 {
    let mut rules_of: Vec<Vec<&Condition>> = vec![Vec::new(); EventType::COUNT];
    for (_, condition) in rules {
        event_types(condition).iter().for_each(|one| rules_of[one.index()].push(condition));
    }
    let hosts = naive::Addresses::new();
    let began = processor_time();
    let mut found = 0;
    for event in events {
        let rules = &rules_of[event.event_type().index()];
        found += u32::from(rules.iter().any(|rule| naive::holds(rule, event, &hosts)));
    }
    assert_eq!(found, matching, "both ways the same events match");
    nanoseconds(processor_time().saturating_sub(began), events.len())
}

/// Time that this thread has had a processor. Others that want it do not count.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn nanoseconds(duration: Duration, events: usize) -> f64 {
    duration.as_secs_f64() * 1e9 / f64::from(u32::try_from(events).unwrap_or(u32::MAX))
}

/// For programs.
pub(crate) fn as_json(figures: &[Figures]) -> String {
    let shown = serde_json::to_string_pretty(figures).expect("figures are plain data");
    shown + "\n"
}

/// For people.
pub(crate) fn as_table(figures: &[Figures]) -> String {
    let mut out = String::from(
        "rules of    rules  build ms  million/s  ns/event  (median)  matching  allocations  plain walk\n",
    );
    for it in figures {
        let line = writeln!(
            out,
            "{:10} {:6} {:9.1} {:10.2} {:9.0} {:9.0} {:8.1}% {:12.3} {:7.0} ns, {:.0} times",
            it.rule_set,
            it.rules,
            it.build_ms,
            it.events_per_second / 1e6,
            it.ns_per_event,
            it.ns_per_event_median,
            it.matching_share * 1e2,
            it.allocations_per_non_matching_event,
            it.naive_ns_per_event,
            it.times_faster_than_naive,
        );
        line.expect("a string takes everything");
    }
    out + "One core; allocations are those for an event that no rule matches.\n"
}
