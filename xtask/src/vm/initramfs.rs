//! Builds the guest's root file system: busybox, the agent, the tests and what
//! they run, the kernel's modules.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Wanted;
use super::cpio::Archive;
use super::kernel::Kernel;
use crate::build::Programs;
use crate::{files, setup, shell};

const INIT: &[u8] = include_bytes!("init.sh");
/// Those above come before those in them. Some are there for attacks on them only.
const FOLDERS: [&str; 17] = [
    "bin",
    "dev",
    "etc",
    "home",
    "modules",
    "proc",
    "root",
    "run",
    "sys",
    "tmp",
    "usr",
    "usr/bin",
    "usr/local",
    "usr/local/bin",
    "usr/local/share",
    "var",
    "var/lib",
];
/// For tests that become an ordinary user.
const PASSWD: &[u8] = b"root:x:0:0:root:/tmp:/bin/sh\ndaemon:x:1:1:daemon:/tmp:/bin/false\n\
                        nobody:x:65534:65534:nobody:/tmp:/bin/sh\n";
/// For rules about what is secret.
const SHADOW: &[u8] = b"root:*:0:0:99999:7:::\n";
const GROUP: &[u8] = b"root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n";

/// Writes the archive to `file`. What is wanted is handed on to the tests.
pub(super) fn write(
    file: &Path,
    kernel: Kernel,
    programs: &Programs,
    test: &Path,
    wanted: Wanted<'_>,
) -> Result<()> {
    let out = File::create(file).with_context(|| file.display().to_string())?;
    let mut archive = Archive::new(BufWriter::new(out));
    for folder in FOLDERS {
        archive.directory(folder)?;
    }
    // The kernel gives its first process a console only if there is one.
    archive.device("dev/console", 5, 1)?;
    archive.program("init", INIT)?;
    archive.program("filter", wanted.filter.unwrap_or_default().as_bytes())?;
    if wanted.long {
        archive.program("long", b"")?;
    }
    archive.program("etc/passwd", PASSWD)?;
    archive.program("etc/group", GROUP)?;
    archive.program("etc/shadow", SHADOW)?;
    archive.program("etc/hostname", b"guest\n")?;

    let mut add = |name: String, from: &Path| -> Result<()> {
        let content = files::read(from)?;
        Ok(archive.program(&name, &content)?)
    };
    let busybox = setup::busybox().context("busybox was fetched")?;
    add("bin/busybox".into(), &busybox)?;
    add("bin/landlord".into(), &programs.agent)?;
    add("bin/workload".into(), &programs.workload)?;
    add("bin/end-to-end".into(), test)?;
    for module in files::list(&kernel.modules())? {
        add(format!("modules/{}", name_of(&module)?), &module)?;
    }
    // Busybox knows neither network namespaces nor pairs of interfaces.
    let ip = shell::find("ip").context("ip is installed")?;
    add("bin/ip".into(), &ip)?;
    let runc = setup::runc();
    if let Some(runc) = &runc {
        add("bin/runc".into(), runc)?;
    }
    // Large, and wanted by a test that takes minutes.
    let containerd = setup::containerd().filter(|_| wanted.long);
    let containerd: Vec<PathBuf> = containerd
        .iter()
        .flat_map(|folder| setup::CONTAINERD.map(|name| folder.join(name)))
        .collect();
    for program in &containerd {
        add(format!("bin/{}", name_of(program)?), program)?;
    }
    let mut folders: BTreeSet<PathBuf> = FOLDERS.iter().map(PathBuf::from).collect();
    let mut needed = BTreeSet::new();
    for program in [Some(ip), runc].into_iter().flatten().chain(containerd) {
        needed.extend(libraries(&program)?);
    }
    for library in needed {
        let place = library.strip_prefix("/").unwrap_or(&library).to_owned();
        above(&mut archive, &mut folders, &place)?;
        archive.program(&place.to_string_lossy(), &files::read(&library)?)?;
    }
    for file in
        setup::falco_rules().map(|folder| files::list(&folder)).transpose()?.unwrap_or_default()
    {
        let place = Path::new("falco-rules").join(name_of(&file)?);
        above(&mut archive, &mut folders, &place)?;
        archive.program(&place.to_string_lossy(), &files::read(&file)?)?;
    }
    archive.finish()?.flush()?;
    Ok(())
}

/// Adds the folders that a file is in.
fn above<W: std::io::Write>(
    archive: &mut Archive<W>,
    folders: &mut BTreeSet<PathBuf>,
    place: &Path,
) -> Result<()> {
    let mut above: Vec<&Path> = place.ancestors().skip(1).collect();
    above.reverse();
    for folder in above.into_iter().filter(|folder| !folder.as_os_str().is_empty()) {
        if folders.insert(folder.to_owned()) {
            archive.directory(&folder.to_string_lossy())?;
        }
    }
    Ok(())
}

fn name_of(file: &Path) -> Result<String> {
    let name = file.file_name().with_context(|| file.display().to_string())?;
    Ok(name.to_string_lossy().into_owned())
}

/// The shared libraries of a program and their loader.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let answer = shell::capture(&mut shell::command("ldd", [program]))?;
    Ok(answer.lines().filter_map(library).collect())
}

/// The path in a line of `ldd`.
fn library(line: &str) -> Option<PathBuf> {
    let path = line.split_whitespace().find(|word| word.starts_with('/'))?;
    Some(path.into())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::library;

    #[test]
    fn libraries_are_read_from_ldd() {
        let check = |line, expected: Option<&str>| {
            assert_eq!(library(line).as_deref(), expected.map(Path::new));
        };
        check("\tlinux-vdso.so.1 (0x00007ffd)", None);
        check(
            "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x7f)",
            Some("/lib/x86_64-linux-gnu/libc.so.6"),
        );
        check("\t/lib64/ld-linux-x86-64.so.2 (0x00007f)", Some("/lib64/ld-linux-x86-64.so.2"));
        check("\tstatically linked", None);
    }
}
