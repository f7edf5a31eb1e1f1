//! Programs of others that serve on ports: started, waited for until they do, killed.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long one may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// A running program; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Daemon(Child);

impl Daemon {
    /// Starts a program and waits until it takes connections at all `addresses`; what it
    /// says goes to `log`.
    ///
    /// # Errors
    ///
    /// It cannot be started, ends, or does not serve in time; the message has its log.
    pub(crate) fn start(
        command: &mut Command,
        log: &Path,
        addresses: &[SocketAddr],
    ) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log).context("no log")?;
        let name = command.get_program().display().to_string();
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let mut daemon = Self(command.spawn().with_context(|| format!("cannot start {name}"))?);
        let deadline = Instant::now() + PATIENCE;
        let said = || fs::read_to_string(log).unwrap_or_default();
        for address in addresses {
            while TcpStream::connect_timeout(address, PAUSE).is_err() {
                if let Some(status) = daemon.0.try_wait().context("cannot wait")? {
                    bail!("{name} ended: {status}: {}", said());
                }
                if Instant::now() > deadline {
                    bail!("{name} does not serve at {address}: {}", said());
                }
                std::thread::sleep(PAUSE);
            }
        }
        Ok(daemon)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Both fail only when it has already ended.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// An address that nobody listens on at this moment.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    listener.local_addr().context("a listener has an address")
}

/// What `ask` gives, as soon as it gives something.
///
/// # Errors
///
/// That of `ask`; it gives nothing in time.
pub(crate) fn wait_for<T>(
    patience: Duration,
    mut ask: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = ask()? {
            return Ok(Some(found));
        }
        if Instant::now() > deadline {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}
