//! Where totals and alerts go: Prometheus text and the local JSON API, over HTTP,
//! standard output, and the back-ends of others.
//!
//! A sink shows what [`crate::usage`] counted and [`crate::detection`] found. It never
//! counts, decides who owns what, or knows a rule.

pub mod backends;
pub mod client;
pub mod credentials;
pub mod delivery;
pub mod http;
pub mod listener;
pub mod otlp;
pub mod prometheus;
pub mod recent;
pub mod spool;
