//! Containers of runc: a root file system of busybox in an overlay, and a
//! configuration with the annotations and the cgroup path that containerd gives.
//!
//! A container lives as long as its program. Dropping what this module makes
//! removes all of it from the machine.

mod spec;
mod terminal;

pub(crate) use self::spec::{held_back, new_id};

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::fs::{AtFlags, CWD, unlinkat};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tempfile::TempDir;

/// Set in a test guest, whose root cannot be pivoted.
pub(crate) const IN_GUEST: &str = "LANDLORD_VM";
/// Environment variable with the path of `runc`; without it that of the machine is taken.
pub(crate) const RUNC: &str = "LANDLORD_RUNC";
/// Where cgroup hierarchies are mounted.
const CGROUPS: &str = "/sys/fs/cgroup";
const FOLDERS: [&str; 11] =
    ["bin", "dev", "etc", "home", "mnt", "proc", "root", "run", "sys", "tmp", "var"];
const FILES: [(&str, &str); 4] = [
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n"),
    ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
    ("etc/hostname", "lab\n"),
    ("etc/shadow", "root:*:0:0:99999:7:::\n"),
];

/// What a container may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// What containers may by default.
    Usual,
    /// All that the host's root may.
    Privileged,
}

/// Whether containers can be made here.
#[must_use]
pub fn is_there() -> bool {
    runc().arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The applets of a busybox, as links in a folder.
///
/// # Errors
///
/// The busybox does not run, or the folder cannot be written.
pub fn link_applets(busybox: &Path, target: &Path, folder: &Path) -> Result<()> {
    let output = Command::new(busybox).arg("--list").output().context("busybox does not run")?;
    let names = String::from_utf8(output.stdout).context("names of applets")?;
    for name in names.lines().filter(|name| *name != "busybox") {
        symlink(target, folder.join(name)).with_context(|| format!("cannot link {name}"))?;
    }
    Ok(())
}

/// The files that all containers begin with.
#[derive(Debug)]
pub struct Image {
    folder: TempDir,
}

impl Image {
    /// Puts together a static busybox with its applets and further static programs.
    ///
    /// # Errors
    ///
    /// A file cannot be copied.
    pub fn new(busybox: &Path, programs: &[&Path]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("landlord-image-").tempdir()?;
        let root = folder.path();
        for name in FOLDERS {
            fs::create_dir(root.join(name)).context("cannot make a folder of an image")?;
        }
        for (name, text) in FILES {
            fs::write(root.join(name), text).context("cannot make a file of an image")?;
        }
        for program in [busybox].iter().chain(programs) {
            let name = program.file_name().context("a program has a name")?;
            fs::copy(program, root.join("bin").join(name)).context("cannot copy a program")?;
        }
        link_applets(busybox, Path::new("busybox"), &root.join("bin"))?;
        Ok(Self { folder })
    }
}

impl Image {
    /// The folder with its files.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.folder.path()
    }
}

/// A container that is not running yet.
#[derive(Debug)]
pub struct Container {
    folder: TempDir,
    id: String,
    terminal: bool,
}

impl Container {
    /// Makes one of an image. `terminal` gives its program one.
    ///
    /// # Errors
    ///
    /// The kernel has no overlay, or a file cannot be written.
    pub fn new(
        image: &Image,
        power: Power,
        command: &[&str],
        environment: &[String],
        terminal: bool,
    ) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("landlord-container-").tempdir()?;
        let place = |name: &str| folder.path().join(name);
        for name in ["root", "upper", "work"] {
            fs::create_dir(place(name)).context("cannot make a folder of a container")?;
        }
        let id = spec::new_id();
        let spec = spec::of(&id, power, command, environment, terminal)?;
        fs::write(place("config.json"), spec).context("cannot write a configuration")?;
        let layers = format!(
            "lowerdir={},upperdir={},workdir={}\0",
            image.folder.path().display(),
            place("upper").display(),
            place("work").display()
        );
        let layers = std::ffi::CStr::from_bytes_with_nul(layers.as_bytes()).context("a path")?;
        mount("overlay", place("root"), "overlay", MountFlags::empty(), Some(layers))
            .context("no overlay can be mounted")?;
        Ok(Self { folder, id, terminal })
    }

    /// Runs it until its program ends; what it says goes to `log`.
    ///
    /// # Errors
    ///
    /// runc cannot be started, or the program does not end in time.
    pub fn run(&self, log: &Path, patience: Duration) -> Result<ExitStatus> {
        let mut command = runc();
        command.arg("run");
        if std::env::var_os(IN_GUEST).is_some() {
            command.arg("--no-pivot");
        }
        command.arg("--bundle").arg(self.folder.path()).arg(&self.id);
        if self.terminal {
            return terminal::run(command, log, patience);
        }
        let log = File::create(log).context("cannot make a log")?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        wait(command.spawn().context("cannot start runc")?, patience)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // Nothing of this can be done better by anyone who would be told.
        runc().args(["delete", "--force"]).arg(&self.id).output().ok();
        unmount(self.folder.path().join("root"), UnmountFlags::DETACH).ok();
        remove_cgroups(spec::POD_CGROUP);
    }
}

/// Removes a pod's cgroup from all hierarchies, with those above it that are empty.
pub fn remove_cgroups(pod: &str) {
    let mounts = fs::read_dir(CGROUPS).into_iter().flatten().flatten();
    for mount in mounts.map(|entry| entry.path()).chain([PathBuf::from(CGROUPS)]) {
        for folder in Path::new(pod).ancestors() {
            if !folder.as_os_str().is_empty() {
                // Others may use it.
                unlinkat(CWD, mount.join(folder), AtFlags::REMOVEDIR).ok();
            }
        }
    }
}

pub(crate) fn runc() -> Command {
    Command::new(std::env::var_os(RUNC).unwrap_or_else(|| "runc".into()))
}

/// Waits for a child, and kills it when it takes too long.
pub(crate) fn wait(mut child: Child, patience: Duration) -> Result<ExitStatus> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a child")? {
            return Ok(status);
        }
        if Instant::now() > deadline {
            child.kill().context("cannot kill a child")?;
            child.wait().context("cannot wait for a child")?;
            bail!("it did not end in {patience:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
