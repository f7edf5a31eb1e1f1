//! A real OpenTelemetry Collector, which takes OTLP and writes down what arrives.

mod received;

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

pub use received::{Attributes, Kind, Log, Received, Sample, Span};

use crate::daemon::{Daemon, free_address, wait_for};

/// Environment variable with the path of a Collector that has the receiver `otlp` and the
/// exporter `file`; `cargo xtask test` sets it.
pub const BINARY: &str = "LANDLORD_COLLECTOR";

/// A running Collector; dropped, it is killed and what it wrote is gone.
#[derive(Debug)]
pub struct Collector {
    binary: OsString,
    folder: TempDir,
    grpc: SocketAddr,
    http: SocketAddr,
    daemon: Option<Daemon>,
}

impl Collector {
    /// Starts one on free ports of loopback; `None`: [`BINARY`] names
    /// none, which is said in the way that the test command counts as a skipped test.
    ///
    /// # Errors
    ///
    /// It ends, or does not serve in time; the message has its log.
    #[expect(clippy::print_stdout, reason = "the test command reads a test's standard output")]
    pub fn start() -> Result<Option<Self>> {
        let Some(binary) = std::env::var_os(BINARY) else {
            println!("SKIPPED: no OpenTelemetry Collector; `cargo xtask setup` builds it");
            return Ok(None);
        };
        Self::with(binary).map(Some)
    }

    /// The same with a binary that is known.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn with(binary: impl Into<OsString>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("landlord-collector-").tempdir()?;
        let (grpc, http) = (free_address()?, free_address()?);
        let mut collector = Self { binary: binary.into(), folder, grpc, http, daemon: None };
        collector.come_back()?;
        Ok(collector)
    }

    /// Where it takes gRPC.
    #[must_use]
    pub fn grpc(&self) -> String {
        format!("http://{}", self.grpc)
    }

    /// Where it takes HTTP, without the path of a signal.
    #[must_use]
    pub fn http(&self) -> String {
        format!("http://{}", self.http)
    }

    /// Kills it. What it wrote stays.
    pub fn go_away(&mut self) {
        self.daemon = None;
    }

    /// Starts it again, at the same addresses.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn come_back(&mut self) -> Result<()> {
        self.go_away();
        let configuration = self.folder.path().join("collector.yaml");
        let text = format!(
            "receivers: {{ otlp: {{ protocols: {{ grpc: {{ endpoint: '{}' }}, http: {{ endpoint: \
             '{}' }} }} }} }}\nexporters: {{ file: {{ path: '{}' }} }}\nservice:\n  telemetry: {{ \
             metrics: {{ level: none }}, logs: {{ level: warn }} }}\n  pipelines:\n    logs: &all {{ \
             receivers: [otlp], exporters: [file] }}\n    metrics: *all\n    traces: *all\n",
            self.grpc,
            self.http,
            self.file().display()
        );
        fs::write(&configuration, text).context("cannot write a configuration")?;
        let mut command = Command::new(&self.binary);
        command.arg(format!("--config=file:{}", configuration.display()));
        let log = self.folder.path().join("log");
        self.daemon = Some(Daemon::start(&mut command, &log, &[self.grpc, self.http])?);
        Ok(())
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("received.jsonl")
    }

    /// All that has arrived, in that order.
    ///
    /// # Errors
    ///
    /// What it wrote is not OTLP as JSON.
    pub fn received(&self) -> Result<Received> {
        let text = match fs::read_to_string(self.file()) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).context("what arrived cannot be read"),
        };
        Received::parse(&text)
    }

    /// Hands over every log record that has arrived, in that order, without having all of
    /// them in memory.
    ///
    /// # Errors
    ///
    /// As for [`received`](Self::received); those of `take`.
    pub fn each_log(&self, mut take: impl FnMut(Log) -> Result<()>) -> Result<()> {
        let file = fs::File::open(self.file()).context("nothing has arrived")?;
        let mut lines = BufReader::new(file);
        let mut line = String::new();
        while lines.read_line(&mut line).context("what arrived cannot be read")? > 0 {
            Received::parse(&line)?.logs.into_iter().try_for_each(&mut take)?;
            line.clear();
        }
        Ok(())
    }

    /// Waits until what `choose` looks for has arrived.
    ///
    /// # Errors
    ///
    /// It has not arrived in time; the message says what has.
    pub fn wait_for<T>(
        &self,
        patience: Duration,
        mut choose: impl FnMut(&Received) -> Option<T>,
    ) -> Result<T> {
        if let Some(found) = wait_for(patience, || Ok(choose(&self.received()?)))? {
            return Ok(found);
        }
        let Received { samples, logs, spans } = self.received()?;
        let (samples, spans) = (samples.len(), spans.len());
        bail!("not what is expected arrived: {samples} samples, {spans} spans, logs {logs:#?}")
    }
}
