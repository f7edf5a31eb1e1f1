//! Whether a rule can match an event of a subject, whoever acts.
//!
//! For each [`Situation`] what [`residue`] leaves of all conditions is a program of
//! its own, which asks only for fields that the subject decides: if no rule of it
//! matches, none of the rule set does.

use std::collections::HashMap;

use landlord_ebpf::abi::{Plan, head_flag, plan_flag};

use super::known::Known;
use super::residue::{HOST, Knowledge, always, is_always, is_never, residue};
use super::situation::{Role, Situation};
use super::{Calls, VerdictKey};
use crate::event::Record;
use crate::rules::compile::{EventTypes, Program, event_types};
use crate::rules::evaluate::{Scratch, evaluate};
use crate::rules::event::{Argument, Event, FieldRef};
use crate::rules::event_type::EventType;
use crate::rules::field::FieldId;
use crate::rules::rule::Matching;
use crate::rules::typed::{Check, Condition, Literal, Operand, Test};
use crate::rules::value::Value;

/// What the subject of an event decides about a rule set.
#[derive(Debug)]
pub(super) struct Judge {
    /// By situation.
    programs: [Program; Situation::COUNT],
    /// Types of events that were looked at.
    judged: EventTypes,
    /// Those of which every subject may matter.
    vain: EventTypes,
}

impl Judge {
    pub(super) fn new(conditions: &[&Condition], wanted: &EventTypes, calls: &dyn Calls) -> Self {
        let types_of: Vec<EventTypes> = conditions.iter().map(|one| event_types(one)).collect();
        let judged: Vec<(EventType, Vec<(u32, Plan)>)> = wanted
            .iter()
            .map(|event_type| {
                let numbers = calls.numbers(event_type).into_iter();
                let plans = numbers.filter_map(|call| Some((call, calls.plan(call)?)));
                (event_type, plans.filter(|(_, plan)| is_judged(plan)).collect())
            })
            .filter(|(_, plans): &(_, Vec<_>)| !plans.is_empty())
            .collect();
        let mut vain: EventTypes = judged.iter().map(|(event_type, _)| *event_type).collect();
        let programs = Situation::all().map(|situation| {
            let mut residues = Residues::default();
            for (event_type, plans) in &judged {
                let plans: Vec<&(u32, Plan)> =
                    plans.iter().filter(|(_, plan)| situation.applies(plan)).collect();
                if plans.is_empty() {
                    continue;
                }
                let known = |field: &FieldRef| {
                    let of_call = |(call, plan): &&(u32, Plan)| {
                        let (event_type, call) = (*event_type, *call);
                        Known { event_type, call, plan, situation, calls }.of(field)
                    };
                    plans.iter().map(of_call).min().unwrap_or(Knowledge::Nothing)
                };
                let asked = conditions.iter().zip(&types_of);
                let asked = asked.filter(|(_, types)| types.contains(*event_type));
                let parts: Vec<Condition> = asked
                    .map(|(condition, _)| residue(condition, *event_type, &known))
                    .filter(|part| !is_never(part))
                    .collect();
                if parts.iter().any(is_always) {
                    residues.add(always(), *event_type);
                } else {
                    vain = vain.intersection(
                        &[*event_type].into_iter().collect::<EventTypes>().complement(),
                    );
                    parts.into_iter().for_each(|part| residues.add(part, *event_type));
                }
            }
            residues.program()
        });
        let judged = judged.into_iter().map(|(event_type, _)| event_type).collect();
        Self { programs, judged, vain }
    }

    /// Whether every subject of events of a type may matter, so that it is in vain to
    /// ask.
    pub(super) fn is_vain(&self, event_type: EventType) -> bool {
        self.vain.contains(event_type)
    }

    /// Whether no rule matches an event with the same key.
    pub(super) fn never<E: Event + ?Sized>(
        &self,
        plan: &Plan,
        key: VerdictKey,
        record: &Record<'_>,
        event: &E,
        scratch: &mut Scratch,
    ) -> bool {
        let event_type = event.event_type();
        if !self.judged.contains(event_type) || self.vain.contains(event_type) {
            return false;
        }
        let situation = Situation::of(record, plan, Role::of(event_type));
        let situation = situation.and_then(|it| match key {
            VerdictKey::Subject => Some(it),
            VerdictKey::AsGiven => it.as_given(record, plan),
        });
        let Some(situation) = situation else { return false };
        let program = &self.programs[situation.index()];
        let places: &[Option<&[u8]>] = match record.head.flags {
            flags if flags & head_flag::ON_HOST != 0 => &[Some(HOST)],
            flags if flags & head_flag::IN_CONTAINER != 0 => &[Some(CONTAINER)],
            _ => &[Some(HOST), Some(CONTAINER), None],
        };
        !places
            .iter()
            .any(|place| evaluate(program, &Subject { event, place: *place }, scratch, |_| {}))
    }
}

fn is_judged(plan: &Plan) -> bool {
    plan.flags & plan_flag::VERDICT != 0
}

/// What stands for the identifier of any container.
const CONTAINER: &[u8] = b"";

/// An event of which all that is told is what its subject decides.
struct Subject<'event, E: ?Sized> {
    event: &'event E,
    /// The host, any container, or what has no identifier.
    place: Option<&'event [u8]>,
}

impl<E: Event + ?Sized> Event for Subject<'_, E> {
    fn event_type(&self) -> EventType {
        self.event.event_type()
    }

    fn value(&self, field: &FieldRef, nth: usize) -> Option<Value<'_>> {
        match field.id {
            FieldId::ContainerId if nth > 0 => None,
            FieldId::ContainerId => self.place.map(Value::Text),
            _ => self.event.value(field, nth),
        }
    }
}

/// What is left of conditions, each with the types of events that it is left for.
#[derive(Default)]
struct Residues {
    numbers: HashMap<Condition, usize>,
    types: Vec<EventTypes>,
}

impl Residues {
    fn add(&mut self, part: Condition, event_type: EventType) {
        let number = *self.numbers.entry(part).or_insert(self.types.len());
        if number == self.types.len() {
            self.types.push(EventTypes::NONE);
        }
        let with_it = [event_type].into_iter().collect();
        self.types[number] = self.types[number].union(&with_it);
    }

    fn program(self) -> Program {
        let mut parts: Vec<(usize, Condition)> = self
            .numbers
            .into_iter()
            .map(|(part, number)| {
                let of_type = Condition::Check(type_among(&self.types[number]));
                (number, Condition::And(vec![of_type, part]))
            })
            .collect();
        // In the order in which they came, so that the same rules give the same program.
        parts.sort_unstable_by_key(|(number, _)| *number);
        let parts: Vec<(usize, &Condition)> =
            parts.iter().map(|(number, it)| (*number, it)).collect();
        Program::new(&parts, Matching::First)
    }
}

/// That an event is of one of these types.
fn type_among(types: &EventTypes) -> Check {
    let names = types.iter().map(|one| Literal::Text(one.name().as_bytes().into()));
    let field = FieldRef { id: FieldId::EvtType, argument: Argument::None };
    Check { left: Operand::Field(field), test: Test::In(names.collect()) }
}
