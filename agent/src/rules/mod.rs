//! The Falco rule language: rule files in, verdicts and alert texts out.
//!
//! Rule files written for Falco load unmodified and mean here what they mean
//! there. In the order in which a rule passes through them:
//!
//! - [`load`]: YAML documents → [`load::Loaded`], with every override applied.
//! - [`parse`] and [`mod@print`]: the text of a condition ↔ [`ast`].
//! - [`bind`]: [`ast`] → [`typed`], where every name is known and every literal
//!   has the type of the field it is compared with.
//! - [`compile`]: all typed conditions → one [`compile::Program`], indexed by type
//!   of event, that [`evaluate`] runs without allocating.
//! - [`prefilter`]: what a sensor may drop early without a rule noticing.
//! - [`output`]: an event and a rule → the alert, as Falco writes it.
//! - [`field`], [`event_type`], [`value`], [`event`]: what a condition can ask of
//!   an event, declared once.
//! - [`transform`]: functions of values, for conditions and outputs.
//! - [`diagnostic`]: what is wrong with a rule file, for people and for programs;
//!   [`similar`] finds the name that was meant.
//! - [`json_event`] and [`suite`]: events as JSON, and unit tests of rules;
//!   [`explain`]: what a rule comes to.
//!
//! Nothing here touches the kernel, the network or a clock, and nothing awaits.

pub mod ast;
pub mod bind;
pub mod compile;
pub mod diagnostic;
pub mod evaluate;
pub mod event;
pub mod event_type;
pub mod explain;
pub mod field;
pub mod json_event;
pub mod load;
#[cfg(test)]
pub(crate) mod naive;
pub mod output;
pub mod parse;
pub mod prefilter;
pub mod print;
#[cfg(test)]
pub(crate) mod random;
pub mod rule;
pub mod similar;
pub mod suite;
pub mod transform;
pub mod typed;
pub mod value;
