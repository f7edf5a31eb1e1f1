//! Tasks, channels and shutdown: joins the sensors, the identity of cgroups, the
//! accounts and the sinks.
//!
//! One thread owns everything that counts ([`meter::Meter`]); whoever wants
//! figures asks it. It decides nothing about tenants and parses nothing.

mod collector;
pub mod meter;

use std::io::Write as _;

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    config::Config,
    kernel::KernelError,
    sinks::{
        http,
        listener::{self, BindError},
    },
    usage::{saved::StateError, state_file::StateFileError},
};
pub use meter::Meter;

/// Why the agent cannot run, or cannot collect.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The kernel side.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The address of the local API.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The saved totals could not be made.
    #[error(transparent)]
    State(#[from] StateError),
    /// The saved totals could not be written or read.
    #[error(transparent)]
    StateFile(#[from] StateFileError),
    /// The operating system refused something else.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl PipelineError {
    fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

/// Runs the agent until SIGTERM or SIGINT.
///
/// # Errors
///
/// When the address is taken, another agent is running, or this kernel or these
/// privileges do not allow the sensors; nothing is left attached then.
pub fn run(config: &Config) -> Result<(), PipelineError> {
    tokio::runtime::Builder::new_multi_thread()
        // The API is small; a node agent should not take a thread per core for it.
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(PipelineError::io("starting the runtime"))?
        .block_on(serve(config))
}

async fn serve(config: &Config) -> Result<(), PipelineError> {
    let mut terminate =
        signal(SignalKind::terminate()).map_err(PipelineError::io("watching SIGTERM"))?;
    let mut interrupt =
        signal(SignalKind::interrupt()).map_err(PipelineError::io("watching SIGINT"))?;
    // Before the sensors: a busy port must not leave anything attached.
    let listener = listener::bind(config.listen).await?;
    let address = listener.local_addr().map_err(PipelineError::io("own address"))?;
    let meter = Meter::start(config, meter::Lifetime::Pinned)?;
    let tenants = meter.tenants();
    let (collector, worker) = collector::spawn(meter, config.interval)
        .map_err(PipelineError::io("starting the collector"))?;

    let ready = format!("landlord ready: {tenants} tenants, http://{address}/metrics");
    tracing::info!(%address, tenants, "ready");
    if let Err(error) = writeln!(std::io::stdout(), "{ready}") {
        tracing::debug!(%error, "nobody reads the ready line");
    }

    let asked = async {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        }
    };
    listener::serve(listener, http::router(collector.clone()), asked).await;
    drop(collector);
    worker.stop();
    if let Some(pins) = &config.pin {
        tracing::info!(
            pins = %pins.display(),
            "stopped; the sensors go on counting for the next agent (`landlord detach` removes them)"
        );
    } else {
        tracing::info!("stopped");
    }
    Ok(())
}
