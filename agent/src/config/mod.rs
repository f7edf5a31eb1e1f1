//! What the agent is told: defaults, a file, the environment and flags, each
//! winning over the one before.
//!
//! It opens the file and looks at nothing else of the machine; whether an address
//! is free or a folder exists is found out by those who need it.

mod again;
mod api;
mod default;
mod detection;
pub(crate) mod duration;
mod entries;
mod error;
mod explain;
mod file;
mod keys;
mod kubelet;
mod kubernetes;
mod markdown;
mod overrides;
mod resolve;
mod schema;
mod sinks;
mod standard;
mod yaml;

pub use default::DEFAULT_YAML;
pub use detection::{AlertFormat, Detection};
pub use entries::Entry;
pub use error::ConfigError;
pub use kubelet::KubeletSettings;
pub use kubernetes::{Enabled, Kubernetes};
pub use markdown::markdown;
pub use overrides::Overrides;
pub use resolve::{Config, DEFAULT_PATH, LogFormat, LogLevel, LogSettings, load};
pub use schema::schema;
pub use sinks::{Otlp, SinkSettings, Sinks, SpoolPlace, Target};
