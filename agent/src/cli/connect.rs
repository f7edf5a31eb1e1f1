//! Which agent a command asks.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::agent::Agent;
use crate::config::{self, Overrides};

/// Where the agent is.
#[derive(Args, Debug)]
pub(super) struct Connect {
    /// Ask this agent
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,

    /// Configuration file that names the agent's address
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Connect {
    /// The agent that the flags name, or that the configuration does.
    pub(super) fn agent(&self) -> Result<Agent> {
        if let Some(address) = &self.address {
            return Ok(Agent::at(address));
        }
        let config = config::load(self.config.as_deref(), &Overrides::default())?;
        Ok(Agent::listening_on(config.listen))
    }
}
