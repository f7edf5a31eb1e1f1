//! A containerd of the test's own, and containers in it as its CRI plugin makes them for
//! pods: labels, annotations, the cgroup's path. It needs no network and no registry.
//!
//! Dropping it removes all of it from the machine.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::container::{IN_GUEST, RUNC, wait};

/// Environment variable with the folder of `containerd`, its shim and `ctr`; without it
/// those of the machine are taken.
pub const FOLDER: &str = "LANDLORD_CONTAINERD";
/// The namespace of containerd that the CRI plugin keeps its containers in.
const NAMESPACE: &str = "k8s.io";
/// Where containerds of machines keep the states of containers, and agents look for them.
const USUAL_STATE: &str = "/run/containerd";
/// The states, below it.
const TASKS: &str = "io.containerd.runtime.v2.task";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// A running containerd.
#[derive(Debug)]
pub struct Containerd {
    folder: TempDir,
    state: PathBuf,
    path: OsString,
    child: Child,
}

/// A container of a pod.
#[derive(Clone, Copy, Debug)]
pub struct PodContainer<'a> {
    /// Name of the pod.
    pub pod: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its UID.
    pub uid: &'a str,
    /// Its id: 64 hexadecimal digits.
    pub id: &'a str,
    /// The path of its cgroup, with a leading slash.
    pub cgroup: &'a str,
    /// A network namespace to be in.
    pub network: &'a Path,
    /// Whether containerd is told of the pod, as its CRI plugin tells it.
    pub is_described: bool,
}

/// Whether a containerd can be started here.
#[must_use]
pub fn is_there() -> bool {
    let path = search_path();
    ["containerd", "ctr"].iter().all(|program| {
        let version = Command::new(program).arg("--version").env("PATH", &path).output();
        version.is_ok_and(|output| output.status.success())
    })
}

impl Containerd {
    /// Starts one, and waits until it answers.
    ///
    /// # Errors
    ///
    /// It cannot be started, ends, or does not answer in time; the message has its log.
    pub fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("landlord-containerd-").tempdir()?;
        let usual = Path::new(USUAL_STATE);
        // Where there is a containerd already, its states are left alone.
        let is_taken = usual.join("containerd.sock").exists();
        let state = if is_taken { folder.path().join("state") } else { usual.to_owned() };
        let configuration = format!(
            "version = 2\nroot = \"{0}/root\"\nstate = \"{1}\"\n\
             disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
             [grpc]\naddress = \"{0}/socket\"\n[debug]\nlevel = \"warn\"\n",
            folder.path().display(),
            state.display()
        );
        let file = folder.path().join("config.toml");
        fs::write(&file, configuration).context("cannot write a configuration")?;
        let log = fs::File::create(folder.path().join("log")).context("cannot make a log")?;
        let path = search_path();
        let child = Command::new("containerd")
            .arg("--config")
            .arg(&file)
            .env("PATH", &path)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start containerd")?;
        let mut started = Self { folder, state, path, child };
        started.wait_until_ready()?;
        Ok(started)
    }

    /// Runs `command` in a container from the files in `root` until it ends, and removes it.
    ///
    /// # Errors
    ///
    /// It cannot be made, does not end in time, or its command fails.
    pub fn run(
        &self,
        container: PodContainer<'_>,
        root: &Path,
        command: &[&str],
        patience: Duration,
    ) -> Result<()> {
        let PodContainer { pod, namespace, uid, id, cgroup, network, is_described } = container;
        let mut ctr = self.ctr();
        ctr.args(["run", "--rm", "--null-io", "--read-only", "--rootfs", "--cgroup", cgroup]);
        if std::env::var_os(IN_GUEST).is_some() {
            ctr.arg("--no-pivot");
        }
        ctr.arg("--with-ns").arg(format!("network:{}", network.display()));
        let labels = [
            ("io.cri-containerd.kind", "container"),
            ("io.kubernetes.container.name", "main"),
            ("io.kubernetes.pod.name", pod),
            ("io.kubernetes.pod.namespace", namespace),
            ("io.kubernetes.pod.uid", uid),
        ];
        for (label, value) in labels.into_iter().filter(|_| is_described) {
            ctr.arg("--label").arg(format!("{label}={value}"));
        }
        let annotations = [
            ("container-type", "container"),
            ("container-name", "main"),
            ("image-name", "docker.io/library/busybox:1.36"),
            ("sandbox-id", id),
            ("sandbox-name", pod),
            ("sandbox-namespace", namespace),
            ("sandbox-uid", uid),
        ];
        for (annotation, value) in annotations.into_iter().filter(|_| is_described) {
            ctr.arg("--annotation").arg(format!("io.kubernetes.cri.{annotation}={value}"));
        }
        ctr.arg(root).arg(id).args(command);
        let said = fs::File::create(self.folder.path().join(id)).context("cannot make a log")?;
        let child = ctr.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn();
        let status = wait(child.context("cannot start ctr")?, patience);
        let status = status.with_context(|| format!("{pod}: {}", self.said(id)))?;
        if !status.success() {
            bail!("{pod}: {status}: {}", self.said(id));
        }
        Ok(())
    }

    /// Whether it keeps the states of containers where agents look for them; not beside
    /// another containerd.
    #[must_use]
    pub fn is_where_agents_look(&self) -> bool {
        self.state == Path::new(USUAL_STATE)
    }

    fn ctr(&self) -> Command {
        let mut ctr = Command::new("ctr");
        ctr.env("PATH", &self.path).arg("--address").arg(self.folder.path().join("socket"));
        ctr.args(["--namespace", NAMESPACE]);
        ctr
    }

    fn said(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Output { status, .. } = self.ctr().arg("version").output().context("no ctr")?;
            if status.success() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().context("cannot wait for containerd")? {
                bail!("containerd ended: {status}: {}", self.said("log"));
            }
            if Instant::now() > deadline {
                bail!("containerd does not answer: {}", self.said("log"));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        // Nothing of this can be done better by anyone who would be told.
        self.child.kill().ok();
        self.child.wait().ok();
        if self.state == Path::new(USUAL_STATE) {
            fs::remove_dir_all(self.state.join(TASKS)).ok();
        }
    }
}

/// Where containerd, its shim and runc are looked for.
fn search_path() -> OsString {
    let runc = std::env::var_os(RUNC).map(PathBuf::from);
    let runc = runc.and_then(|runc| runc.parent().map(Path::to_owned));
    let named = std::env::var_os(FOLDER).map(PathBuf::from);
    let usual = std::env::var_os("PATH").unwrap_or_default();
    let all = named.into_iter().chain(runc).chain(std::env::split_paths(&usual));
    // Folders whose names cannot be in a list are in none.
    std::env::join_paths(all).unwrap_or(usual)
}
