//! Where totals go: Prometheus text and the local JSON API, over HTTP.
//!
//! A sink shows what [`crate::usage`] counted. It never counts, decides who owns
//! what, or knows a rule.

pub mod http;
pub mod listener;
pub mod prometheus;
