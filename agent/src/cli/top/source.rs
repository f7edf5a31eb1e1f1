//! Where samples come from: the running agent, or sensors of our own.

use std::io::Write;

use crate::cli::agent::{Agent, AgentError};
use crate::config::Config;
use crate::kernel::requirements::{Machine, Status, Wanted, privileges, probe};
use crate::pipeline::PipelineError;
use crate::pipeline::meter::{Lifetime, Meter};
use crate::usage::tenant::NodeUsage;

/// Gives the node's use, one instant after the other.
pub(crate) trait Samples {
    /// Reads the counters now.
    fn sample(&mut self) -> Result<NodeUsage, SampleError>;

    /// What is measured, and by whom.
    fn about(&self) -> About;
}

/// Why there is no sample.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SampleError {
    /// The agent did not answer as expected.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// Nobody is there to ask, and own sensors are not allowed.
    #[error(
        "no agent answers at {address}, and own sensors need root: \
         start the agent (`sudo landlord run`), or run `sudo landlord top`"
    )]
    Unprivileged {
        /// Where the agent was looked for.
        address: String,
    },
    /// Nobody is there to ask, and own sensors do not work.
    #[error("no agent answers at {address}, and own sensors do not start: {reason}")]
    Sensors {
        /// Where the agent was looked for.
        address: String,
        /// What the machine lacks, or what went wrong.
        reason: String,
    },
    /// Own sensors failed.
    #[error(transparent)]
    Own(PipelineError),
    /// The thread that samples is gone.
    #[error("sampling ended unexpectedly")]
    Ended,
}

/// What is measured, and by whom; unknown parts are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// Who measures, such as `landlord 0.1.0`.
    pub(crate) meter: String,
    /// The machine's name.
    pub(crate) host: String,
    /// Its kernel's release.
    pub(crate) kernel: String,
}

impl About {
    /// This machine.
    fn here(meter: String) -> Self {
        let system = rustix::system::uname();
        Self {
            meter,
            host: system.nodename().to_string_lossy().into_owned(),
            kernel: system.release().to_string_lossy().into_owned(),
        }
    }
}

/// The running agent.
#[derive(Debug)]
pub(crate) struct HttpSamples {
    agent: Agent,
    about: About,
}

impl HttpSamples {
    /// Asks once, to see that an agent is there and which.
    fn connect(agent: Agent) -> Result<Self, AgentError> {
        let version = agent.usage()?.version;
        let meter = version.map_or_else(|| "landlord".to_owned(), |it| format!("landlord {it}"));
        let about = if agent.is_local() {
            About::here(meter)
        } else {
            About { meter, host: agent.address().to_owned(), kernel: String::new() }
        };
        Ok(Self { agent, about })
    }
}

impl Samples for HttpSamples {
    fn sample(&mut self) -> Result<NodeUsage, SampleError> {
        Ok(self.agent.usage()?.usage)
    }

    fn about(&self) -> About {
        self.about.clone()
    }
}

/// Sensors that live as long as this program.
pub(crate) struct OwnSensors(Meter);

impl Samples for OwnSensors {
    fn sample(&mut self) -> Result<NodeUsage, SampleError> {
        self.0.tick().map_err(SampleError::Own)
    }

    fn about(&self) -> About {
        About::here(format!("landlord {} (own sensors)", env!("CARGO_PKG_VERSION")))
    }
}

/// Either source.
pub(crate) enum Source {
    /// The running agent.
    Agent(Box<HttpSamples>),
    /// Sensors of our own.
    Own(Box<OwnSensors>),
}

impl Samples for Source {
    fn sample(&mut self) -> Result<NodeUsage, SampleError> {
        match self {
            Self::Agent(samples) => samples.sample(),
            Self::Own(samples) => samples.sample(),
        }
    }

    fn about(&self) -> About {
        match self {
            Self::Agent(samples) => samples.about(),
            Self::Own(samples) => samples.about(),
        }
    }
}

/// Opens the agent at `address`, or else the configured one, or else, when none
/// runs, sensors of our own; `notices` is told which.
pub(crate) fn open(
    address: Option<&str>,
    config: &Config,
    machine: &Machine,
    notices: &mut impl Write,
) -> Result<Source, SampleError> {
    let agent = match address {
        Some(address) => {
            let agent = Agent::at(address).secured(&config.api);
            return Ok(Source::Agent(Box::new(HttpSamples::connect(agent)?)));
        }
        None => Agent::of(config),
    };
    let address = agent.address().to_owned();
    match HttpSamples::connect(agent) {
        Ok(samples) => return Ok(Source::Agent(Box::new(samples))),
        Err(AgentError::Refused { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    if privileges(machine).status == Status::Missing {
        return Err(SampleError::Unprivileged { address });
    }
    let wanted = Wanted { pin_path: None, max_cgroups: config.max_cgroups, events: None };
    if let Some(reason) = probe(machine, &wanted).fatal() {
        return Err(SampleError::Sensors { address, reason });
    }
    // A notice that cannot be written changes nothing about the measurement.
    writeln!(notices, "no agent at {address}; measuring with own sensors").ok();
    // Usage is all that is shown.
    let mut config = config.clone();
    config.detection = None;
    match Meter::start(&config, Lifetime::Process) {
        Ok(meter) => Ok(Source::Own(Box::new(OwnSensors(meter)))),
        Err(error) => Err(SampleError::Sensors { address, reason: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::{Source, open};
    use crate::config::{self, Overrides};
    use crate::kernel::requirements::fixture::Fixture;

    /// What `top` says when nobody listens on the configured address.
    fn refusal(machine: &Fixture, address: Option<&str>) -> String {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let overrides = Overrides::default().with("listen", free.to_string());
        let config = config::load(None, &overrides).unwrap();
        let mut notices = Vec::new();
        let opened = open(address, &config, &machine.machine(), &mut notices);
        let error = match opened {
            Err(error) => error.to_string(),
            Ok(Source::Agent(_) | Source::Own(_)) => "opened".to_owned(),
        };
        error.replace(&free.to_string(), "ADDRESS")
    }

    #[test]
    fn without_an_agent() {
        insta::assert_snapshot!(refusal(&Fixture::unprivileged(), None), @"no agent answers at ADDRESS, and own sensors need root: start the agent (`sudo landlord run`), or run `sudo landlord top`");
        insta::assert_snapshot!(refusal(&Fixture::v1_only(), None), @"no agent answers at ADDRESS, and own sensors do not start: Landlord cannot run here: cgroup v2: cgroup v1 only (the sensors tell tenants apart by cgroup v2). Remedy: boot with systemd.unified_cgroup_hierarchy=1");
        // A named agent is the only one asked for.
        insta::assert_snapshot!(refusal(&Fixture::unified(), Some("127.0.0.1:1")), @"no agent answers at 127.0.0.1:1: connection refused");
    }
}
