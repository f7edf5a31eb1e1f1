//! The agent as the chart installs it: the pod of the rendered DaemonSet, made a
//! container of runc by the rules of the kubelet and of containerd.
//!
//! It has a network of its own, the capabilities of its security context and no more, a
//! read-only root with nothing in it but the agent, and a filter of system calls.

mod chart;
mod filter;
mod spec;

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::apiserver::ApiServer;
use crate::container::{new_id, runc};
use crate::netns::Namespace;

/// Port of the agent in the chart's configuration.
const PORT: u16 = 9464;
/// The node that the agent is told it is on.
const NODE: &str = "landlord-e2e-node";
/// The namespace of the agent's pod.
pub const NAMESPACE: &str = "landlord";
/// Where a pod has its service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// The token that an API server accepts in the beginning.
const FIRST_TOKEN: &str = "first";
/// Where the image has the agent.
const AGENT: &str = "usr/bin/landlord";

/// Capabilities that the chart asks for, without `CAP_`.
///
/// # Errors
///
/// The chart's snapshot has no such list.
pub fn capabilities() -> Result<Vec<String>> {
    let pod = chart::pod()?;
    let list = pod.pointer("/containers/0/securityContext/capabilities/add");
    let list = list.and_then(Value::as_array).context("the chart adds no capabilities")?;
    Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The pod; dropping it removes its container.
#[derive(Debug)]
pub struct Pod {
    spec: Value,
    namespace: Namespace,
    folder: TempDir,
    id: String,
    node: String,
    /// Whether it has a service account.
    has_account: bool,
    environment: Vec<String>,
}

impl Pod {
    /// The chart's pod with its default values, but for one capability.
    ///
    /// # Errors
    ///
    /// The chart's snapshot is not as expected, or a namespace cannot be made.
    pub fn new(without: Option<&str>) -> Result<Self> {
        let mut spec = chart::pod()?;
        let added = spec.pointer_mut("/containers/0/securityContext/capabilities/add");
        let added = added.and_then(Value::as_array_mut).context("no capabilities")?;
        let before = added.len();
        added.retain(|name| without.is_none_or(|without| name != without));
        if without.is_some() && added.len() + 1 != before {
            bail!("{without:?} is not among the chart's capabilities");
        }
        let folder = tempfile::Builder::new().prefix("landlord-pod-").tempdir()?;
        Ok(Self {
            spec,
            namespace: Namespace::lonely()?,
            folder,
            id: new_id(),
            node: NODE.to_owned(),
            has_account: false,
            environment: Vec::new(),
        })
    }

    /// The same on another node, as far as the agent is told.
    #[must_use]
    pub fn on_node(mut self, name: &str) -> Self {
        name.clone_into(&mut self.node);
        self
    }

    /// Gives it a service account of this API server, which must listen in its network, as
    /// the kubelet does: a folder and two variables.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn with_account(mut self, server: &ApiServer) -> Result<Self> {
        let folder = self.account();
        fs::create_dir_all(&folder).context("cannot make a service account")?;
        fs::copy(server.authority(), folder.join("ca.crt")).context("cannot copy the CA")?;
        fs::write(folder.join("token"), FIRST_TOKEN).context("cannot write a token")?;
        fs::write(folder.join("namespace"), NAMESPACE).context("cannot write a namespace")?;
        let address = server.address();
        self.environment.push(format!("KUBERNETES_SERVICE_HOST={}", address.ip()));
        self.environment.push(format!("KUBERNETES_SERVICE_PORT={}", address.port()));
        self.has_account = true;
        Ok(self)
    }

    fn account(&self) -> std::path::PathBuf {
        self.folder.path().join("account")
    }

    /// Its network.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Where the agent answers in its network.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        (std::net::Ipv4Addr::LOCALHOST, PORT).into()
    }

    /// The command that runs the agent's binary with `arguments` until it ends. `home` is
    /// shown to it for rules; pins are in `pin`, which is not the chart's, so that an agent
    /// that runs here for real is not met.
    pub(crate) fn command(
        &self,
        agent: &Path,
        arguments: &[impl AsRef<OsStr>],
        home: &Path,
        pin: &Path,
    ) -> Result<Command> {
        self.forget();
        let root = self.folder.path().join("root");
        let binary = root.join(AGENT);
        fs::create_dir_all(binary.parent().context("a folder")?).context("a root")?;
        fs::copy(agent, &binary).context("cannot copy the agent")?;
        let arguments = arguments.iter().map(|argument| {
            argument.as_ref().to_str().map(str::to_owned).context("an argument is no text")
        });
        let mut command = vec![format!("/{AGENT}")];
        command.extend(arguments.collect::<Result<Vec<String>>>()?);
        let mut spec =
            spec::of(&self.spec, &command, self.folder.path(), &self.namespace, &self.id)?;
        let list = |spec: &mut Value, at: &str, more: Value| -> Result<()> {
            let list = spec.pointer_mut(at).and_then(Value::as_array_mut).context("a list")?;
            list.push(more);
            Ok(())
        };
        list(&mut spec, "/process/env", json!(format!("LANDLORD_PIN_PATH={}", pin.display())))?;
        let node = format!("LANDLORD_KUBERNETES_NODE={}", self.node);
        for variable in [&node].into_iter().chain(&self.environment) {
            list(&mut spec, "/process/env", json!(variable))?;
        }
        if self.has_account {
            let account = spec::bind(&self.account(), Path::new(ACCOUNT), true, "rprivate");
            list(&mut spec, "/mounts", account)?;
        }
        list(&mut spec, "/mounts", spec::bind(home, home, true, "rprivate"))?;
        fs::write(self.folder.path().join("config.json"), spec.to_string())
            .context("cannot write a configuration")?;
        let mut command = runc();
        command.arg("run");
        if std::env::var_os(crate::container::IN_GUEST).is_some() {
            command.arg("--no-pivot");
        }
        command.arg("--bundle").arg(self.folder.path()).arg(&self.id);
        Ok(command)
    }

    /// Process id of the agent in the container.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn agent_pid(&self) -> Result<u32> {
        let output = runc().arg("state").arg(&self.id).output().context("cannot run runc")?;
        let state: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        let pid = state["pid"].as_u64().context("no process")?;
        u32::try_from(pid).context("a process id")
    }

    /// Removes the container, and ends what is in it.
    pub(crate) fn forget(&self) {
        // Nothing of this can be done better by anyone who would be told.
        runc().args(["delete", "--force"]).arg(&self.id).output().ok();
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        self.forget();
        crate::container::remove_cgroups(spec::POD_CGROUP);
    }
}
