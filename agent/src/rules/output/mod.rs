//! What an alert says: a template with fields in it, and the alert around it, as
//! text and as JSON, byte for byte as Falco writes them.
//!
//! Everything is written into buffers of the caller. Where an alert goes is none of
//! its business.

mod alert;
mod append;
mod escape;
mod template;
pub(crate) mod time;
mod token;
mod value;

pub use self::alert::{Alert, Buffers, Settings};
pub use self::append::{AppendOutput, ExtraField, Output};
pub use self::template::Template;

#[cfg(test)]
mod tests;
