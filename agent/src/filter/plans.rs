//! The plan of every call that a rule or the table of processes wants.

use landlord_ebpf::abi::{COMPAT_BIT, COMPAT_PLANS, Plan, plan_flag};

use super::Calls;
use super::early::{self, early};
use super::judge::Judge;
use super::state::State;
use crate::rules::compile::{EventTypes, event_types};
use crate::rules::event_type::{EventType, Origin};
use crate::rules::field::FieldId;
use crate::rules::typed::Condition;

/// The plans, and what there are none for.
#[derive(Debug)]
pub(super) struct Planned {
    /// By index, sorted.
    pub(super) plans: Vec<(u32, Plan)>,
    pub(super) unsupported: Vec<u32>,
    pub(super) absent: EventTypes,
}

impl Planned {
    pub(super) fn new(
        conditions: &[&Condition],
        wanted: &EventTypes,
        state: State,
        judge: &Judge,
        calls: &dyn Calls,
    ) -> Self {
        let (mut plans, mut unsupported, mut absent) = (Vec::new(), Vec::new(), Vec::new());
        for event_type in EventType::all().filter(|one| one.origin() == Origin::Syscall) {
            let needed = state.flags_of(event_type);
            if !wanted.contains(event_type) && needed == 0 {
                continue;
            }
            let numbers = calls.numbers(event_type);
            if numbers.is_empty() {
                absent.push(event_type);
            }
            for call in numbers {
                let (Some(index), Some(mut plan)) = (index(call), calls.plan(call)) else {
                    unsupported.push(call);
                    continue;
                };
                let each = conditions.iter().map(|one| early(one, event_type, &plan));
                plan.early = each.fold(0, |any, one| any | one);
                if told_otherwise(event_type) {
                    plan.early &= early::FAILED;
                }
                if needed != 0 {
                    plan.early |= early::SUCCEEDED;
                    plan.flags |= needed;
                }
                // What the table of processes needs is never dropped, and what is
                // always wanted need not be looked up.
                if needed != 0 || judge.is_vain(event_type) {
                    plan.flags &= !plan_flag::VERDICT;
                }
                let judged = plan.flags & plan_flag::VERDICT != 0;
                if judged && conditions.iter().any(|one| asks_raw(one, event_type)) {
                    plan.flags |= plan_flag::RAW;
                }
                if plan.early != 0 {
                    plans.push((index, plan));
                }
            }
        }
        plans.sort_unstable_by_key(|(index, _)| *index);
        plans.dedup_by_key(|(index, _)| *index);
        unsupported.sort_unstable();
        unsupported.dedup();
        Self { plans, unsupported, absent: absent.into_iter().collect() }
    }

    /// The types of events that one of these may match.
    pub(super) fn wanted(conditions: &[&Condition]) -> EventTypes {
        // What is known of no call in particular.
        let may =
            |condition: &&Condition, event_type| early(condition, event_type, &Plan::UNWANTED) != 0;
        let mut wanted = Vec::new();
        for condition in conditions {
            wanted.extend(event_types(condition).iter().filter(|one| may(condition, *one)));
        }
        wanted.into_iter().collect()
    }

    /// The plan of a call.
    pub(super) fn plan(&self, call: u32) -> Option<&Plan> {
        let index = index(call)?;
        let at = self.plans.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        Some(&self.plans[at].1)
    }
}

/// Whether a condition on events of a type asks for the path that an open was given.
fn asks_raw(condition: &Condition, event_type: EventType) -> bool {
    let mut asks = false;
    condition.visit_fields(&mut |field| asks |= field.id == FieldId::FdNameraw);
    asks && event_types(condition).contains(event_type)
}

/// Where the plan of a call stands in its generation.
fn index(call: u32) -> Option<u32> {
    let nr = call & !COMPAT_BIT;
    let first = if call & COMPAT_BIT == 0 { 0 } else { COMPAT_PLANS };
    // Both tables are of the same size.
    (nr < COMPAT_PLANS).then_some(first + nr)
}

/// Whether those of its calls that do not fail are told by another record: the one
/// that says that a process runs another program.
fn told_otherwise(event_type: EventType) -> bool {
    ["execve", "execveat"].contains(&event_type.name())
}
