//! A running agent: asked, measured, stopped.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::usage::Usage;
use super::{Home, PAUSE, process};

const READY_PATIENCE: Duration = Duration::from_secs(150);
/// Longer than the longest interval of collection that a test sets.
const FRESH_PATIENCE: Duration = Duration::from_secs(20);
const STOP_PATIENCE: Duration = Duration::from_secs(15);

/// A running agent; dropping it kills it and leaves its pins to the home.
#[derive(Debug)]
pub struct Agent<'home> {
    pub(super) home: &'home Home,
    pub(super) child: Child,
    pub(super) ended: bool,
}

impl Agent<'_> {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the node's tenants used, by a reading that was begun after this call.
    ///
    /// # Errors
    ///
    /// The agent does not answer, not with JSON, or only with an old reading.
    pub fn usage(&self) -> Result<Usage> {
        let called = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is wrong")?;
        let deadline = Instant::now() + FRESH_PATIENCE;
        loop {
            let body = self.home.get("/v1/usage")?;
            let usage: Value = serde_json::from_str(&body).context("/v1/usage is no JSON")?;
            let read_at = usage["read_at_unix_ms"].as_u64().context("a reading has no time")?;
            if u128::from(read_at) > called.as_millis() {
                return Ok(Usage(usage));
            }
            if Instant::now() > deadline {
                bail!("the agent takes no new reading:\n{}", self.home.log());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// The text of `/metrics`.
    ///
    /// # Errors
    ///
    /// The agent does not answer.
    pub fn metrics(&self) -> Result<String> {
        self.home.get("/metrics")
    }

    /// Seconds of CPU the agent's process has used.
    ///
    /// # Errors
    ///
    /// It is gone.
    pub fn cpu_seconds(&self) -> Result<f64> {
        process::cpu_seconds(self.pid())
    }

    /// Bytes of memory the agent's process has resident.
    ///
    /// # Errors
    ///
    /// It is gone.
    pub fn resident_bytes(&self) -> Result<u64> {
        process::resident_bytes(self.pid())
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    ///
    /// # Errors
    ///
    /// It does not stop in time.
    pub fn terminate(mut self) -> Result<ExitStatus> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("a child has a process id")?, Signal::TERM)
            .context("cannot signal the agent")?;
        let deadline = Instant::now() + STOP_PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().context("cannot wait for the agent")? {
                self.ended = true;
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("the agent did not stop on SIGTERM:\n{}", self.home.log());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    ///
    /// # Errors
    ///
    /// It cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill().context("cannot kill the agent")?;
        self.child.wait().context("cannot wait for the agent")?;
        self.forget_container();
        self.ended = true;
        Ok(())
    }

    /// In a pod, the child is what waits for the agent.
    fn forget_container(&self) {
        if let Some(pod) = &self.home.pod {
            pod.forget();
        }
    }

    pub(super) fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + READY_PATIENCE;
        loop {
            if self.home.get("/readyz").is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().context("cannot wait for the agent")? {
                self.ended = true;
                bail!("the agent ended: {status}\n{}", self.home.log());
            }
            if Instant::now() > deadline {
                bail!("the agent is not ready:\n{}", self.home.log());
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // Both fail only when it has already ended.
            self.child.kill().ok();
            self.child.wait().ok();
            self.forget_container();
        }
    }
}
