//! Cgroups made for one test, and what the kernel itself says about them.
//!
//! The mount of cgroup v2 is looked up, never assumed: on a hybrid system it is
//! not at `/sys/fs/cgroup`. Only directories made here are ever removed.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long [`Cgroup::remove`] waits for the last process to be gone.
const REMOVAL_PATIENCE: Duration = Duration::from_secs(5);
const REMOVAL_PAUSE: Duration = Duration::from_millis(5);

/// The place where cgroup v2 is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    mount: PathBuf,
}

impl Hierarchy {
    /// Finds the v2 mount of this system, pure or hybrid.
    ///
    /// # Errors
    ///
    /// No cgroup v2 is mounted.
    pub fn find() -> Result<Self> {
        let mounts = fs::read_to_string("/proc/mounts").context("cannot read /proc/mounts")?;
        let mount = mount_point(&mounts).context("no cgroup v2 is mounted on this system")?;
        Ok(Self { mount })
    }

    /// The hierarchy of cgroup v1 that has a controller; `None` where none has it.
    ///
    /// # Errors
    ///
    /// The mounts cannot be read.
    pub fn v1(controller: &str) -> Result<Option<Self>> {
        let mounts = fs::read_to_string("/proc/mounts").context("cannot read /proc/mounts")?;
        Ok(v1_mount_point(&mounts, controller).map(|mount| Self { mount }))
    }

    /// Takes `mount` as the v2 mount point.
    #[must_use]
    pub fn at(mount: impl Into<PathBuf>) -> Self {
        Self { mount: mount.into() }
    }

    /// The directory of the root cgroup.
    #[must_use]
    pub fn mount(&self) -> &Path {
        &self.mount
    }

    /// Makes the cgroup `name` below the root, with the parents that are missing
    /// (`a.slice/b.scope` is two). A left-over of the same name that holds no
    /// process is taken over.
    ///
    /// # Errors
    ///
    /// `name` leads out of the hierarchy, privileges are missing, or a left-over
    /// of the same name still has processes.
    pub fn create(&self, name: &str) -> Result<Cgroup> {
        let name = name.trim_matches('/');
        if name.is_empty() || name.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
            bail!("`{name}` is no name for a cgroup");
        }
        let mut cgroup =
            Cgroup { directory: self.mount.clone(), path: format!("/{name}"), made: Vec::new() };
        for part in name.split('/') {
            cgroup.directory.push(part);
            let directory = cgroup.directory.clone();
            match fs::create_dir(&directory) {
                Ok(()) => cgroup.made.push(directory),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("cannot make {}", directory.display()));
                }
            }
        }
        if cgroup.made.last() != Some(&cgroup.directory) {
            if !cgroup.processes()?.is_empty() {
                bail!("{} is in use by other processes", cgroup.directory.display());
            }
            cgroup.made.push(cgroup.directory.clone());
        }
        Ok(cgroup)
    }
}

/// Picks the first cgroup2 mount out of the text of `/proc/mounts`.
fn mount_point(mounts: &str) -> Option<PathBuf> {
    mount_of(mounts, |kind, _| kind == "cgroup2")
}

/// The same of the v1 mount with a controller.
fn v1_mount_point(mounts: &str, controller: &str) -> Option<PathBuf> {
    mount_of(mounts, |kind, options| {
        kind == "cgroup" && options.split(',').any(|option| option == controller)
    })
}

fn mount_of(mounts: &str, is_it: impl Fn(&str, &str) -> bool) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ');
        let (_device, mount, kind) = (fields.next()?, fields.next()?, fields.next()?);
        // The kernel writes a space in a path as \040.
        is_it(kind, fields.next()?).then(|| PathBuf::from(mount.replace("\\040", " ")))
    })
}

/// A cgroup of our own; dropping it ends what runs inside and removes it.
#[derive(Debug)]
pub struct Cgroup {
    directory: PathBuf,
    path: String,
    made: Vec<PathBuf>,
}

impl Cgroup {
    /// Its directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its path below the v2 mount, with a leading slash: the path that Landlord's
    /// tenant patterns see.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The cgroup id: the inode number of the directory.
    ///
    /// # Errors
    ///
    /// The directory is gone.
    pub fn id(&self) -> Result<u64> {
        let metadata = fs::metadata(&self.directory);
        Ok(metadata.with_context(|| format!("cannot stat {}", self.directory.display()))?.ino())
    }

    /// Microseconds on a CPU since the cgroup was made, by the kernel's own
    /// account (`usage_usec` of `cpu.stat`): its children included, processes
    /// that ended included.
    ///
    /// # Errors
    ///
    /// The file cannot be read or has no such line.
    pub fn cpu_usage_usec(&self) -> Result<u64> {
        let text = self.read("cpu.stat")?;
        flat_key(&text, "usage_usec").context("cpu.stat has no usage_usec")
    }

    /// A line of one of the cgroup's `key value` files, such as `oom_kill` of
    /// `memory.events`; `None` when the file has no such line.
    ///
    /// # Errors
    ///
    /// The file cannot be read: this hierarchy may lack its controller.
    pub fn figure(&self, file: &str, key: &str) -> Result<Option<u64>> {
        Ok(flat_key(&self.read(file)?, key))
    }

    /// The text of one of the cgroup's files.
    ///
    /// # Errors
    ///
    /// The file cannot be read: this hierarchy may lack its controller.
    pub fn read(&self, file: &str) -> Result<String> {
        let path = self.directory.join(file);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Writes one of the cgroup's files, such as a limit.
    ///
    /// # Errors
    ///
    /// The kernel refuses the value, or this hierarchy lacks the controller.
    pub fn write(&self, file: &str, value: &str) -> Result<()> {
        let path = self.directory.join(file);
        fs::write(&path, value)
            .with_context(|| format!("cannot write {value} to {}", path.display()))
    }

    /// Process ids inside, those of its children not included.
    ///
    /// # Errors
    ///
    /// The list cannot be read.
    pub fn processes(&self) -> Result<Vec<i32>> {
        let list = self.read("cgroup.procs")?;
        Ok(list.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// Gives the controller `name` to this cgroup and to those above it, if the
    /// hierarchy has it. Tells whether it does: on a hybrid system most
    /// controllers belong to v1.
    ///
    /// # Errors
    ///
    /// The hierarchy has the controller and the kernel refuses it here.
    pub fn enable(&self, name: &str) -> Result<bool> {
        let depth = self.path.matches('/').count();
        let above: Vec<&Path> = self.directory.ancestors().skip(1).take(depth).collect();
        let root = above.last().context("a cgroup lies below the root")?;
        let offered = fs::read_to_string(root.join("cgroup.controllers"))
            .with_context(|| format!("cannot read the controllers of {}", root.display()))?;
        if !offered.split_whitespace().any(|controller| controller == name) {
            return Ok(false);
        }
        for directory in above.iter().rev() {
            fs::write(directory.join("cgroup.subtree_control"), format!("+{name}")).with_context(
                || format!("cannot give {name} to the children of {}", directory.display()),
            )?;
        }
        Ok(true)
    }

    /// Ends what runs inside and removes the cgroup, with the parents made for it
    /// unless others use them.
    ///
    /// # Errors
    ///
    /// It is still in use after five seconds.
    pub fn remove(mut self) -> Result<()> {
        self.clear()
    }

    fn clear(&mut self) -> Result<()> {
        let deadline = Instant::now() + REMOVAL_PATIENCE;
        while let Some(directory) = self.made.last() {
            let innermost = *directory == self.directory;
            match fs::remove_dir(directory) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // A parent that others have put a child into is theirs now.
                Err(_) if !innermost => {}
                Err(_) if Instant::now() < deadline => {
                    end_processes(directory);
                    std::thread::sleep(REMOVAL_PAUSE);
                    continue;
                }
                Err(error) => {
                    let directory = directory.display().to_string();
                    self.made.clear();
                    return Err(error).with_context(|| format!("cannot remove {directory}"));
                }
            }
            self.made.pop();
        }
        Ok(())
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            crate::complain(&error);
        }
    }
}

/// Kills every process of a cgroup that was made here: it has no others.
fn end_processes(directory: &Path) {
    let Ok(list) = fs::read_to_string(directory.join("cgroup.procs")) else { return };
    for pid in list.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw) {
        // It may have ended by itself since it was listed.
        kill_process(pid, Signal::KILL).ok();
    }
}

fn flat_key(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        (name == key).then(|| value.trim().parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Hierarchy, flat_key, mount_point, v1_mount_point};

    fn check_mount(mounts: &str, expected: Option<&str>) {
        assert_eq!(mount_point(mounts).as_deref(), expected.map(Path::new), "{mounts}");
    }

    #[test]
    fn the_v2_mount_is_found_wherever_it_is() {
        check_mount("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n", Some("/sys/fs/cgroup"));
        check_mount(
            "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n\
             cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n\
             cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n",
            Some("/sys/fs/cgroup/unified"),
        );
        check_mount("none /a\\040b cgroup2 rw 0 0\n", Some("/a b"));
        check_mount("cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n", None);
        check_mount("cgroup2 /mnt ext4 rw 0 0\n", None);
        check_mount("", None);
    }

    #[test]
    fn a_controller_of_v1_is_found_among_others() {
        let mounts = "cgroup2 /cg/unified cgroup2 rw 0 0\n\
                      cgroup /cg/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n\
                      cgroup /cg/systemd cgroup rw,name=systemd 0 0\n";
        let of = |controller| v1_mount_point(mounts, controller);
        assert_eq!(of("cpu").as_deref(), Some(Path::new("/cg/cpu,cpuacct")));
        assert_eq!((of("memory"), of("cpua")), (None, None));
    }

    #[test]
    fn a_key_is_matched_whole() {
        let text = "usage_usec 1234\nuser_usec 1000\nbroken x\n";
        assert_eq!(flat_key(text, "usage_usec"), Some(1234));
        assert_eq!(flat_key(text, "user_usec"), Some(1000));
        assert_eq!(flat_key(text, "usage"), None);
        assert_eq!(flat_key(text, "broken"), None);
    }

    #[test]
    fn names_stay_inside_the_hierarchy() {
        let nowhere = Hierarchy::at("/nonexistent");
        for name in ["", "/", "a//b", "../a", "a/./b", ".hidden"] {
            let error = nowhere.create(name).expect_err(name).to_string();
            assert!(error.contains("no name for a cgroup"), "{name}: {error}");
        }
    }
}
