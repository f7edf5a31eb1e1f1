//! Opens from below another root, and of what is above it.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::{Context as _, Result};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::mount::mount_bind;
use rustix::process::chroot;

use super::Teller;
use super::mounts::leave_mounts;

pub(super) fn roots(teller: &mut Teller) -> Result<()> {
    leave_mounts()?;
    let folder = teller.folder.clone();
    for name in ["jail/a", "outside/in it", "outside/in it/deeper"] {
        fs::create_dir_all(folder.join(name))?;
    }
    for name in ["jail/lab", "jail/a/lab", "lab", "outside/in it/lab", "outside/in it/deeper/lab"] {
        fs::write(folder.join(name), "")?;
    }
    symlink("/a/lab", folder.join("jail/link"))?;
    fs::create_dir(folder.join("jail/mounted"))?;
    mount_bind(folder.join("outside"), folder.join("jail/mounted"))?;
    let above = openat(CWD, &folder, OFlags::PATH, Mode::empty())?;
    let other = teller.home.try_clone()?;
    chroot(folder.join("jail")).context("no other root")?;
    std::env::set_current_dir("/")?;
    let root = openat(CWD, "/", OFlags::PATH, Mode::empty())?;
    let inside = openat(CWD, "/mounted/in it", OFlags::PATH, Mode::empty())?;
    teller.fence()?;

    teller.open("absolute", &root, "/lab")?;
    teller.open("the root", &root, "/")?;
    teller.open("above the root is the root", &root, "../../lab")?;
    teller.open("a link", &root, "/link")?;
    teller.open("mounted", &root, "mounted/in it/lab")?;
    teller.open("above", &above, "lab")?;
    teller.open("above and down", &above, "jail/a/lab")?;
    teller.open("beside", &above, "outside/in it/lab")?;
    teller.open("above in another namespace", &other, "lab")?;
    // From here on, the root is a folder below the root of a mount.
    chroot("/mounted/in it").context("no root below the root")?;
    teller.open("a root in a mount", &root, "/lab")?;
    teller.open("a root in a mount, deeper", &inside, "deeper/lab")?;
    teller.open("the former root", &root, "a/lab")?;
    Ok(())
}
