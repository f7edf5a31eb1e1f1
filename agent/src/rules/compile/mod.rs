//! All conditions of a rule set → one [`Program`] that
//! [`evaluate`](crate::rules::evaluate) runs without allocating.
//!
//! - `lower`: conditions → `graph`, for every type of event apart.
//! - `check`: which checks are the same, and which one table answers together;
//!   `implied`: what a pattern cannot do without.
//! - `estimate`, `needs` and `plan`: what is asked first.
//! - `texts`, `single`, `addresses`, `hosts`, `glob`, `paths`: how it is
//!   answered.
//!
//! Nothing here decides what a condition means beyond what [`typed`] says; the
//! naive evaluator of the tests is the reference.
//!
//! [`typed`]: crate::rules::typed

mod addresses;
mod check;
mod estimate;
mod event_types;
mod glob;
mod graph;
mod hosts;
mod implied;
mod lower;
mod needs;
mod paths;
mod plan;
mod program;
mod single;
mod texts;

pub use self::event_types::{EventTypes, event_types};
pub use self::program::Program;

pub(crate) use self::check::{CheckKey, Literals, TestKey, TextTest};
pub(crate) use self::glob::Glob;
pub(crate) use self::graph::{Edge, Graph, Node};
pub(crate) use self::lower::lower;
pub(crate) use self::plan::{Guard, Plan};
pub(crate) use self::program::{Code, PairTest, Pairing, Source, Table};
pub(crate) use self::single::{Single, compares_values};
pub(crate) use self::texts::at;
