//! Which agent a command asks.

use std::path::{Path, PathBuf};

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

    /// Configuration file that names the agent's address, certificate and token
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Connect {
    /// The agent that the flags name, or that the configuration does.
    pub(super) fn agent(&self) -> Result<Agent> {
        agent(self.address.as_deref(), self.config.as_deref())
    }
}

/// The agent at an address, or that of the configuration. What secures it is from a
/// configuration that is named, too: others need not know this node's token.
pub(super) fn agent(address: Option<&str>, file: Option<&Path>) -> Result<Agent> {
    if let (Some(address), None) = (address, file) {
        return Ok(Agent::at(address));
    }
    let config = config::load(file, &Overrides::default())?;
    Ok(match address {
        Some(address) => Agent::at(address).secured(&config.api),
        None => Agent::of(&config),
    })
}
