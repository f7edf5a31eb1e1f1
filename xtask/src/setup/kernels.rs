//! Fetches a test kernel: the image and the few modules the tests need.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::apt::Apt;
use super::{Requirement, modules};
use crate::vm::kernel::{Kernel, MODULES};
use crate::{files, shell};

/// Always depends on Debian's newest kernel of a release.
const META_PACKAGE: &str = "linux-image-amd64";
/// Of the packages it depends on, those that hold the image, the modules and the
/// list of what is built in. Newer releases split what `linux-image-*` held.
const PARTS: [&str; 4] = ["linux-image-", "linux-binary-", "linux-modules-", "linux-base-"];

pub(super) fn requirement(kernel: Kernel) -> Requirement {
    Requirement::new(
        format!("kernel {}", kernel.name),
        "to test on",
        move || present(kernel),
        move || fetch(kernel),
    )
}

/// The version that is there, if it was fetched with the modules of today.
fn present(kernel: Kernel) -> Option<String> {
    let stamp = files::read_text(&kernel.stamp()).ok()?;
    let (version, modules) = stamp.split_once('\n')?;
    (modules.trim_end() == wanted()).then(|| version.to_owned())
}

/// The modules' names as they stand in the stamp.
fn wanted() -> String {
    MODULES.map(|(name, _)| name).join(" ")
}

fn fetch(kernel: Kernel) -> Result<()> {
    let folder = kernel.folder();
    files::remove_folder(&folder)?;
    let lists = folder.join("apt");
    let (apt, packages) = locate(kernel, &lists)?;
    let unpacked = folder.join("unpacked");
    apt.unpack(&packages, &unpacked)?;

    let (release, tree) = modules_of(&unpacked)?;
    let images = [unpacked.join("boot").join(format!("vmlinuz-{release}")), tree.join("vmlinuz")];
    let Some(image) = images.iter().find(|image| image.is_file()) else {
        bail!("{} hold no image of {release}", packages.join(" "));
    };
    files::copy(image, &kernel.image())?;
    modules::collect(&tree, &kernel.modules())?;
    for rest in [unpacked, lists] {
        files::remove_folder(&rest)?;
    }
    files::write(&kernel.stamp(), format!("{release}\n{}\n", wanted()))
}

/// The packages that make up the newest kernel of the first repository that has
/// one.
fn locate(kernel: Kernel, folder: &Path) -> Result<(Apt, Vec<String>)> {
    let mut failures = Vec::new();
    for repository in kernel.repositories {
        let found = Apt::private(folder, repository).and_then(|apt| {
            let packages = parts(&apt)?;
            Ok((apt, packages))
        });
        match found {
            Ok(found) => return Ok(found),
            Err(error) => failures.push(format!("{repository}: {error:#}")),
        }
    }
    bail!("no repository has it\n{}", failures.join("\n"))
}

/// Follows the dependencies of the meta package through all kernel packages.
fn parts(apt: &Apt) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![META_PACKAGE.to_owned()];
    while let Some(package) = open.pop() {
        for dependency in apt.depends(&package)? {
            let is_part = PARTS.iter().any(|part| dependency.starts_with(part));
            if is_part && !found.contains(&dependency) {
                found.push(dependency.clone());
                open.push(dependency);
            }
        }
    }
    if found.is_empty() {
        bail!("{META_PACKAGE} leads to no kernel");
    }
    Ok(found)
}

/// The kernel's release and the folder of its modules.
fn modules_of(unpacked: &Path) -> Result<(String, PathBuf)> {
    for folder in ["lib/modules", "usr/lib/modules"] {
        let trees = files::list(&unpacked.join(folder)).unwrap_or_default();
        if let Some((tree, name)) = trees.first().and_then(|tree| Some((tree, tree.file_name()?))) {
            return Ok((name.to_string_lossy().into_owned(), tree.clone()));
        }
    }
    bail!("the packages hold no modules")
}

/// Undoes the compression of a module, with the guest's own busybox.
pub(super) fn decompress(file: &Path) -> Result<Vec<u8>> {
    if file.extension().is_none_or(|extension| extension == "ko") {
        return files::read(file);
    }
    let busybox = super::busybox().context("busybox is fetched before kernels")?;
    let output = shell::command(busybox, ["xz".as_ref(), "-dc".as_ref(), file.as_os_str()])
        .output()
        .with_context(|| file.display().to_string())?;
    if !output.status.success() {
        bail!("{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}
