//! Where the scripts of cases run: on the host in a folder of their own, or in a
//! container that is made for one script.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use landlord_tests::container::{self, Container, Image, Power};
use tempfile::TempDir;

use super::case::{Part, Place};

/// The variable that tells the scripts apart; alerts show it.
pub(super) const TOKEN: &str = "LANDLORD_CASE";
/// What a container opens when its script is done.
pub(super) const MARKER: &str = "/tmp/landlord-marker-";
/// How long a script may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Where a static busybox is on machines that have one.
const BUSYBOX: [&str; 3] = ["/bin/busybox", "/usr/bin/busybox", "/usr/local/bin/busybox"];

/// The folder with the programs, and the image.
pub(super) struct Scene {
    folder: TempDir,
    busybox: PathBuf,
    image: Option<Image>,
    serial: u32,
}

/// A script that ran.
pub(super) struct Done {
    /// The value of [`TOKEN`].
    pub(super) token: String,
    /// It opened its marker.
    pub(super) is_marked: bool,
    /// What it said.
    pub(super) said: String,
}

/// A static busybox, from the cache of the test tools or the machine.
pub(crate) fn busybox() -> Option<PathBuf> {
    let named = std::env::var_os("LANDLORD_BUSYBOX").map(PathBuf::from);
    named.into_iter().chain(BUSYBOX.map(PathBuf::from)).find(|path| path.is_file())
}

impl Scene {
    pub(super) fn new(busybox: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("landlord-scene-").tempdir()?;
        let root = folder.path();
        // For scripts of other users.
        fs::set_permissions(root, fs::Permissions::from_mode(0o755))?;
        fs::create_dir(root.join("bin"))?;
        // Also other users can come to these.
        let own = root.join("busybox");
        fs::copy(busybox, &own).context("cannot copy busybox")?;
        container::link_applets(&own, &own, &root.join("bin"))?;
        let act = root.join("workload");
        fs::copy(landlord_tests::workload::binary()?, &act).context("cannot copy the workload")?;
        let image = container::is_there().then(|| Image::new(busybox, &[&act])).transpose()?;
        Ok(Self { folder, busybox: own, image, serial: 0 })
    }

    /// Whether containers can be made.
    pub(super) fn has_containers(&self) -> bool {
        self.image.is_some()
    }

    /// Runs a script to its end, whatever that is.
    pub(super) fn run(&mut self, part: &Part, user: Option<&str>) -> Result<Done> {
        self.serial += 1;
        let token = format!("{}-{}", std::process::id(), self.serial);
        let log = self.folder.path().join("said");
        let is_marked = match part.place {
            Place::Host => self.on_host(&part.script, user, &token, &log).map(|()| false),
            Place::Container => self.contained(part, Power::Usual, &token, &log),
            Place::Privileged => self.contained(part, Power::Privileged, &token, &log),
        };
        let said = fs::read(&log).context("cannot read what a script said")?;
        let said = String::from_utf8_lossy(&said).into_owned();
        let is_marked = is_marked.with_context(|| said.clone())?;
        Ok(Done { token, is_marked, said })
    }

    fn on_host(&self, script: &str, user: Option<&str>, token: &str, log: &Path) -> Result<()> {
        let work = tempfile::Builder::new().prefix("work-").tempdir_in(self.folder.path())?;
        fs::set_permissions(work.path(), fs::Permissions::from_mode(0o777))?;
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).current_dir(work.path());
        if let Some(name) = user {
            use std::os::unix::process::CommandExt as _;
            let (uid, gid) = ids(name).with_context(|| format!("no user {name}"))?;
            chown(work.path(), Some(uid), Some(gid))?;
            command.uid(uid).gid(gid);
        }
        let log = fs::File::create(log)?;
        let own = |name: &str| self.folder.path().join(name);
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
        let environment = BTreeMap::from([
            ("PATH", path),
            ("HOME", "/root".into()),
            ("W", work.path().into()),
            ("B", own("bin").into()),
            ("BB", self.busybox.clone().into()),
            ("ACT", own("workload").into()),
            (TOKEN, token.into()),
        ]);
        command.env_clear().envs(environment);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = command.spawn().context("cannot start a shell")?;
        let deadline = Instant::now() + PATIENCE;
        while child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                bail!("it did not end in {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn contained(&self, part: &Part, power: Power, token: &str, log: &Path) -> Result<bool> {
        let image = self.image.as_ref().context("runc is not there")?;
        // A container that ends at once may be gone before anyone asked what it was.
        let script = format!("{}: >{MARKER}{token}\n/bin/sleep 1\n", part.script);
        let is_replaced = part.script.lines().any(|line| line.starts_with("exec "));
        let variables =
            ["PATH=/bin", "HOME=/root", "W=/tmp", "B=/bin", "BB=/bin/busybox", "ACT=/bin/workload"];
        let mut environment: Vec<String> = variables.map(str::to_owned).into();
        environment.push(format!("{TOKEN}={token}"));
        let command = ["/bin/sh", "-c", script.as_str()];
        let container = Container::new(image, power, &command, &environment, part.on_terminal)?;
        container.run(log, PATIENCE)?;
        Ok(!is_replaced)
    }
}

/// The ids of a user and its group.
fn ids(name: &str) -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = fields.into_iter().find(|fields| fields.first() == Some(&name))?;
    Some((found.get(2)?.parse().ok()?, found.get(3)?.parse().ok()?))
}
