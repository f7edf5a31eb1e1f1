//! Opens through mounts, in a mount namespace of its own, and of another.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change, mount_move,
    unmount,
};
use rustix::process::getppid;

use super::Teller;

/// Mounts are no longer seen by others, nor theirs by us.
pub(super) fn leave_mounts() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("cannot make a mount namespace")?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .context("mounts cannot be private")
}

fn memory(at: &Path) -> Result<()> {
    fs::create_dir_all(at)?;
    mount("lab", at, "tmpfs", MountFlags::empty(), None).context("no file system in memory")
}

pub(super) fn mounts(teller: &mut Teller) -> Result<()> {
    let folder = teller.folder.clone();
    let folder = |name: &str| folder.join(name);
    let elsewhere = teller.home.try_clone()?;
    fs::write(folder("lab"), "")?;
    leave_mounts()?;
    let home = openat(CWD, &teller.folder, OFlags::PATH, Mode::empty())?;
    for name in ["a/b", "bound", "below", "moved/to", "hidden"] {
        fs::create_dir_all(folder(name))?;
    }
    for name in ["a/b/lab", "a/lab", "hidden/lab", "a file"] {
        fs::write(folder(name), "")?;
    }
    mount_bind(folder("a/b"), folder("bound"))?;
    memory(&folder("memory"))?;
    memory(&folder("memory/in/it"))?;
    for name in ["memory/lab", "memory/in/it/lab"] {
        fs::write(folder(name), "")?;
    }
    mount_bind(folder("memory/in"), folder("below"))?;
    mount_bind(folder("a/lab"), folder("a file"))?;
    memory(&folder("moving"))?;
    fs::write(folder("moving/lab"), "")?;
    mount_move(folder("moving"), folder("moved/to"))?;
    let under = openat(&home, "hidden", OFlags::PATH, Mode::empty())?;
    memory(&folder("hidden"))?;
    memory(&folder("hidden"))?;
    fs::write(folder("hidden/lab"), "")?;
    memory(&folder("leaving/in"))?;
    memory(&folder("leaving/in/it"))?;
    fs::create_dir(folder("leaving/in/it/deep"))?;
    fs::write(folder("leaving/in/it/deep/lab"), "")?;
    let left = openat(&home, "leaving/in/it/deep", OFlags::PATH, Mode::empty())?;
    unmount(folder("leaving/in"), UnmountFlags::DETACH)?;
    let parent = format!(
        "/proc/{}/root{}/lab",
        getppid().context("a parent")?.as_raw_nonzero(),
        teller.folder.display()
    );
    teller.fence()?;

    teller.open("bound", &home, "bound/lab")?;
    teller.open("not bound", &home, "a/b/lab")?;
    teller.open("bound, absolute", &home, &folder("bound/lab"))?;
    teller.open("the bound folder", &home, "bound")?;
    teller.open("in memory", &home, "memory/lab")?;
    teller.open("in memory in memory", &home, "memory/in/it/lab")?;
    teller.open("a folder of a mount, bound without those below", &home, "below")?;
    teller.open("a bound file", &home, "a file")?;
    teller.open("moved", &home, "moved/to/lab")?;
    teller.open("covered", &under, "lab")?;
    teller.open("covering", &home, "hidden/lab")?;
    teller.open("above the covering", &home, "hidden/..")?;
    teller.open("of a mount that has left", &left, "lab")?;
    teller.open("the folder of a mount that has left", &left, "..")?;
    teller.open("in another namespace", &elsewhere, "lab")?;
    teller.open("in the parent's namespace", &home, parent.as_str())?;
    Ok(())
}

/// Fails with a message of its own where there are no layers.
pub(super) fn layers(teller: &mut Teller) -> Result<()> {
    leave_mounts()?;
    let folder = teller.folder.join("m");
    memory(&folder)?;
    for name in ["lower/a", "upper", "work", "merged"] {
        fs::create_dir_all(folder.join(name))?;
    }
    for name in ["lower/a/low", "lower/a/changed", "lower/a/gone"] {
        fs::write(folder.join(name), "x")?;
    }
    let merged = folder.join("merged");
    let part = |name: &str| folder.join(name).display().to_string();
    let options =
        format!("lowerdir={},upperdir={},workdir={}", part("lower"), part("upper"), part("work"));
    let options = std::ffi::CString::new(options)?;
    mount("lab", &merged, "overlay", MountFlags::empty(), options.as_c_str())
        .context("no file system of layers")?;
    fs::write(merged.join("a/high"), "x")?;
    fs::create_dir(merged.join("new"))?;
    fs::write(merged.join("new/high"), "x")?;
    let home = openat(CWD, &merged, OFlags::PATH, Mode::empty())?;
    let gone = openat(&home, "a/gone", OFlags::PATH, Mode::empty())?;
    teller.fence()?;

    teller.open("of the lower layer", &home, "a/low")?;
    teller.open("of the upper layer", &home, "a/high")?;
    teller.open("of a folder of the upper layer", &home, "new/high")?;
    teller.open_as("copied up", &home, "a/changed", OFlags::RDWR)?;
    teller.open("after it was copied up", &home, "a/changed")?;
    teller.open_as("made", &home, "a/made", OFlags::WRONLY | OFlags::CREATE)?;
    teller.open("a merged folder", &home, "a")?;
    teller.open("the merged root", &home, ".")?;
    teller.open("the layer itself", &home, &folder.join("upper/a/made"))?;
    fs::remove_file(merged.join("a/gone"))?;
    teller.open("deleted", &home, Teller::again(&gone).as_str())?;
    Ok(())
}
