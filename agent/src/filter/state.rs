//! Which calls change what the table of processes tells, so that they are needed
//! for the fields that rules ask for, whether or not a rule wants their events.
//!
//! Fork, exec and exit are not among them: they are always told.

use landlord_ebpf::abi::plan_flag;

use crate::rules::event::{Argument, FieldRef};
use crate::rules::event_type::{EventType, ParamId};
use crate::rules::field::FieldId;
use crate::rules::typed::{Check, Condition, Operand, Test};

/// What the table of processes has to be told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Changes of the working directory.
    pub directory: bool,
    /// Changes of sessions, process groups and terminals.
    pub session: bool,
}

impl State {
    /// What is asked of processes by conditions, and by the fields that alerts show.
    pub(super) fn new<'a>(
        conditions: &[&'a Condition],
        shown: impl Iterator<Item = &'a FieldRef>,
    ) -> Self {
        let mut state = Self::default();
        let mut open: Vec<&Condition> = conditions.to_vec();
        while let Some(condition) = open.pop() {
            match condition {
                Condition::And(children) | Condition::Or(children) => open.extend(children),
                Condition::Not(inner) => open.push(inner),
                Condition::Check(check) => state.add_check(check),
            }
        }
        shown.for_each(|field| state.add(field));
        state
    }

    /// What a call of that type has to tell beside its event: [`plan_flag`] bits; 0
    /// if it is not needed.
    pub(super) fn flags_of(self, event_type: EventType) -> u16 {
        match event_type.name() {
            "chdir" | "fchdir" if self.directory => plan_flag::CWD,
            "setsid" | "setpgid" if self.session => plan_flag::TASK,
            _ => 0,
        }
    }

    fn add_check(&mut self, check: &Check) {
        self.add_operand(&check.left);
        match &check.test {
            Test::Operand { right, .. } | Test::InOperand { right, .. } => self.add_operand(right),
            Test::Exists
            | Test::Literal { .. }
            | Test::In(_)
            | Test::Intersects(_)
            | Test::Pmatch(_) => {}
        }
    }

    fn add_operand(&mut self, operand: &Operand) {
        let mut open = vec![operand];
        while let Some(operand) = open.pop() {
            match operand {
                Operand::Field(field) => self.add(field),
                Operand::Text(_) => {}
                Operand::Call(_, operands) | Operand::List(operands) => open.extend(operands),
            }
        }
    }

    fn add(&mut self, field: &FieldRef) {
        match field.id {
            FieldId::ProcCwd => self.directory = true,
            FieldId::ProcIsPgidLeader
            | FieldId::ProcIsSidLeader
            | FieldId::ProcIsVpgidLeader
            | FieldId::ProcPgid
            | FieldId::ProcPgidExe
            | FieldId::ProcPgidExepath
            | FieldId::ProcPgidName
            | FieldId::ProcSid
            | FieldId::ProcSidExe
            | FieldId::ProcSidExepath
            | FieldId::ProcSname
            | FieldId::ProcTty
            | FieldId::ProcVpgid
            | FieldId::ProcVpgidExe
            | FieldId::ProcVpgidExepath
            | FieldId::ProcVpgidName => self.session = true,
            FieldId::EvtArg | FieldId::EvtRawarg => match field.argument {
                Argument::Param(ParamId::CWD) => self.directory = true,
                Argument::Param(ParamId::PGID | ParamId::VPGID | ParamId::TTY) => {
                    self.session = true;
                }
                // By number: whichever it is.
                Argument::Index(_) => *self = Self { directory: true, session: true },
                _ => {}
            },
            // Every parameter.
            FieldId::EvtArgs | FieldId::EvtInfo => *self = Self { directory: true, session: true },
            _ => {}
        }
    }
}
