//! What plans and judge ask of the table of system calls: data that they are given.

use landlord_ebpf::abi::Plan;

use crate::rules::event_type::{EventType, ParamId};

/// How system calls are read, as far as it matters here.
pub trait Calls {
    /// The calls that make events of a type, those of 32-bit programs with
    /// [`COMPAT_BIT`](landlord_ebpf::abi::COMPAT_BIT).
    fn numbers(&self, event_type: EventType) -> Vec<u32>;

    /// How a call is read; its `early` is 0.
    fn plan(&self, call: u32) -> Option<Plan>;

    /// Whether two calls with the same key of their verdict have the same parameter,
    /// as text and as a value; `failed` if they failed and nothing but what they were
    /// given is known.
    fn is_keyed(&self, call: u32, param: ParamId, failed: bool) -> bool;
}
