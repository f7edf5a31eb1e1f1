//! A rule set → what the kernel side does with each system call, and which subjects
//! it need not tell of again.
//!
//! - `early`: what is known before anything is read → whether the event may be wanted.
//! - `state`: which calls the table of processes needs, whoever asks for their events.
//! - `plans`: the plan of every call that is wanted.
//! - `known`: which fields an event's subject decides, one table with the reasons.
//! - `situation`: what a record's subject is, and whether all of it is there.
//! - `numbers`: numbers of which a range is known.
//! - `residue`: a condition → what of it those fields decide.
//! - `judge`: whether a rule can match a subject, whoever acts.
//! - [`Subjects`]: for which subjects that question is asked, and when.
//!
//! It holds no events, talks to no kernel and reads no clock.

mod calls;
mod early;
mod judge;
mod known;
mod numbers;
mod plans;
mod residue;
mod situation;
mod state;
mod subjects;
mod table;

use landlord_ebpf::abi::Plan;

pub use self::calls::Calls;
use self::judge::Judge;
use self::plans::Planned;
pub use self::state::State;
pub use self::subjects::Subjects;
pub use self::table::TableCalls;
use crate::event::Record;
use crate::rules::compile::EventTypes;
use crate::rules::evaluate::Scratch;
use crate::rules::event::{Event, FieldRef};
use crate::rules::event_type::EventType;
use crate::rules::rule::Rule;

/// What a rule set asks of the kernel side.
///
/// The verdicts of one generation of plans are to be judged by the filter that made
/// them: whoever puts plans in force has to take up their filter first.
#[derive(Debug)]
pub struct Filter {
    wanted: EventTypes,
    state: State,
    planned: Planned,
    judge: Judge,
}

impl Filter {
    /// Finds out what these rules ask for. `shown` are fields that alerts show
    /// beside what the rules name.
    #[must_use]
    pub fn new<'rules>(
        rules: impl IntoIterator<Item = &'rules Rule>,
        shown: &[FieldRef],
        calls: &dyn Calls,
    ) -> Self {
        let rules: Vec<&Rule> = rules.into_iter().filter(|rule| rule.enabled).collect();
        let conditions: Vec<_> = rules.iter().map(|rule| &rule.condition).collect();
        let shown = shown
            .iter()
            .chain(rules.iter().flat_map(|rule| rule.output.fields().map(|(_, field)| field)));
        let wanted = Planned::wanted(&conditions);
        let state = State::new(&conditions, shown);
        let judge = Judge::new(&conditions, &wanted, calls);
        let planned = Planned::new(&conditions, &wanted, state, &judge, calls);
        Self { wanted, state, planned, judge }
    }

    /// The types of events that a rule may match.
    #[must_use]
    pub const fn wanted(&self) -> &EventTypes {
        &self.wanted
    }

    /// What the table of processes has to be told of.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The plans by their index in one generation, sorted. All others are
    /// [`Plan::UNWANTED`].
    #[must_use]
    pub fn plans(&self) -> &[(u32, Plan)] {
        &self.planned.plans
    }

    /// Types of system calls that rules want and no call of this machine makes.
    #[must_use]
    pub const fn absent(&self) -> &EventTypes {
        &self.planned.absent
    }

    /// Calls that are wanted but have a number for which there is no plan.
    #[must_use]
    pub fn unsupported(&self) -> &[u32] {
        &self.planned.unsupported
    }

    /// Whether no rule matches an event with the same key of its verdict, whoever
    /// acts. False where that is not known.
    pub fn never<E: Event + ?Sized>(
        &self,
        key: VerdictKey,
        record: &Record<'_>,
        event: &E,
        scratch: &mut Scratch,
    ) -> bool {
        let plan = self.planned.plan(record.head.syscall);
        plan.is_some_and(|plan| self.judge.never(plan, key, record, event, scratch))
    }
}

/// What events have in common that a verdict is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictKey {
    /// Their subject, as in the head of a record.
    Subject,
    /// It and the path that the call was given, as in
    /// [`raw_verdict`](crate::event::Record::raw_verdict).
    AsGiven,
}

/// Whether a record tells that a call returned in the new process or thread: the one
/// that called tells of the same event.
#[must_use]
pub fn returns_in_child(event_type: EventType, record: &Record<'_>) -> bool {
    record.head.result == 0 && matches!(event_type.name(), "clone" | "clone3" | "fork" | "vfork")
}

#[cfg(test)]
mod tests;
