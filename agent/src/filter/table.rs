//! The table of calls, as the filter asks for it.

use landlord_ebpf::abi::Plan;

use super::Calls;
use crate::calls;
use crate::rules::event_type::{EventType, ParamId};

/// The calls of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableCalls;

impl Calls for TableCalls {
    fn numbers(&self, event_type: EventType) -> Vec<u32> {
        calls::numbers(event_type).collect()
    }

    fn plan(&self, call: u32) -> Option<Plan> {
        calls::of(call).map(|call| call.plan)
    }

    fn is_keyed(&self, call: u32, param: ParamId, failed: bool) -> bool {
        // What a call does not have, none of its events has.
        calls::of(call).is_some_and(|call| !call.has(param) || call.settles(param, failed))
    }
}
