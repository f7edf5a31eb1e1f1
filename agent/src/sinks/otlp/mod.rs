//! What OpenTelemetry back-ends get: alerts as log records and traces, and usage
//! as metrics, by gRPC or HTTP.
//!
//! Names are those of the semantic conventions where these have one. What waits and what
//! is tried again is decided by [`super::delivery`] for alerts; metrics are cumulative,
//! so that the next export makes up for one that failed.

mod attributes;
pub mod connections;
mod export;
pub mod logs;
pub mod metrics;
pub mod own;
mod requests;
mod resource;
#[cfg(test)]
mod tenant_tests;
#[cfg(test)]
mod tests;
pub mod traces;

pub use export::{Export, ExportError, Protocol};
pub use resource::Node;
