//! apt: installing packages on the machine, and fetching packages of other
//! releases without touching the machine's own package sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Result, bail, ensure};

use crate::report::Step;
use crate::{files, root, shell};

/// Signs the archives of all Debian releases; Ubuntu has it as a package.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const KEYRING_PACKAGE: &str = "debian-archive-keyring";

/// The version of a package that is installed.
pub(super) fn installed(package: &str) -> Option<String> {
    let mut query =
        shell::command("dpkg-query", ["-W", "-f=${db:Status-Status} ${Version}", package]);
    let answer = shell::capture(&mut query).ok()?;
    answer.strip_prefix("installed ").map(str::to_owned)
}

/// Installs packages of the machine's own sources, without their recommendations.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    refresh()?;
    for package in packages {
        ensure!(Apt::machine().candidate(package).is_some(), "{}", unknown(package));
    }
    let options = ["-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"];
    let mut apt =
        root::command(Path::new("apt-get"), &[("DEBIAN_FRONTEND", Path::new("noninteractive"))])?;
    apt.arg("install").args(options).args(packages);
    shell::quietly("Installing", &packages.join(" "), &mut apt)
}

/// Fetches a package of the machine's own sources and unpacks it into a folder.
pub(super) fn unpack(package: &str, into: &Path) -> Result<()> {
    if Apt::machine().candidate(package).is_none() {
        refresh()?;
        ensure!(Apt::machine().candidate(package).is_some(), "{}", unknown(package));
    }
    Apt::machine().unpack(&[package.to_owned()], into)
}

/// Brings the machine's package lists up to date, once.
fn refresh() -> Result<()> {
    static DONE: OnceLock<()> = OnceLock::new();
    if DONE.get().is_some() {
        return Ok(());
    }
    if shell::find("apt-get").is_none() {
        bail!("this machine has no apt; see docs/development.md for what to install by hand");
    }
    let mut update = root::command(Path::new("apt-get"), &[])?;
    update.args(["update", "-q", "-o", "DPkg::Lock::Timeout=300"]);
    shell::quietly("Updating", "apt's package lists", &mut update)?;
    DONE.get_or_init(|| ());
    Ok(())
}

/// What to say of a package that apt does not know.
fn unknown(package: &str) -> String {
    let remedy = if package.contains("-22") {
        "; Debian has it in bookworm-security and in trixie, other systems get it from \
         https://apt.llvm.org"
    } else {
        ""
    };
    format!("apt knows no package {package} on this machine{remedy}")
}

/// An apt with its own options: the machine's, or a private one.
pub(super) struct Apt {
    options: Vec<String>,
}

impl Apt {
    /// The machine's own.
    pub(super) fn machine() -> Self {
        Self { options: Vec::new() }
    }

    /// One that knows only the given repository of Debian, as in `URL SUITE`,
    /// with all its state in `folder`.
    pub(super) fn private(folder: &Path, repository: &str) -> Result<Self> {
        if !Path::new(KEYRING).is_file() {
            install(&[KEYRING_PACKAGE])?;
        }
        files::make_folder(&folder.join("lists/partial"))?;
        files::make_folder(&folder.join("cache/archives/partial"))?;
        files::write(&folder.join("status"), "")?;
        let source = format!("deb [signed-by={KEYRING}] {repository} main\n");
        files::write(&folder.join("sources.list"), source)?;
        let place = |name: &str| folder.join(name).display().to_string();
        let options = [
            ("Dir::State", place("")),
            ("Dir::State::status", place("status")),
            ("Dir::State::lists", place("lists")),
            ("Dir::Cache", place("cache")),
            ("Dir::Etc::sourcelist", place("sources.list")),
            ("Dir::Etc::sourceparts", "/dev/null".to_owned()),
            ("Dir::Etc::preferencesparts", "/dev/null".to_owned()),
            ("APT::Architecture", "amd64".to_owned()),
            ("Acquire::Languages", "none".to_owned()),
            // Old releases do not renew their signatures.
            ("Acquire::Check-Valid-Until", "false".to_owned()),
        ];
        let options =
            options.iter().flat_map(|(key, value)| ["-o".into(), format!("{key}={value}")]);
        let apt = Self { options: options.collect() };
        shell::capture(apt.command("apt-get").args(["update", "-q", "--error-on=any"]))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(&self.options);
        // The sandbox's user could not read folders of root.
        command.args(["-o", "APT::Sandbox::User=root"]);
        command
    }

    /// The version that would be installed.
    pub(super) fn candidate(&self, package: &str) -> Option<String> {
        let policy = shell::capture(self.command("apt-cache").args(["policy", package])).ok()?;
        let line = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?;
        (line != "(none)").then(|| line.to_owned())
    }

    /// All versions that the lists know.
    pub(super) fn versions(&self, package: &str) -> Result<Vec<String>> {
        let table = shell::capture(self.command("apt-cache").args(["madison", package]))?;
        Ok(table
            .lines()
            .filter_map(|line| line.split('|').nth(1))
            .map(|version| version.trim().to_owned())
            .collect())
    }

    /// What a package depends on.
    pub(super) fn depends(&self, package: &str) -> Result<Vec<String>> {
        let mut list = self.command("apt-cache");
        list.args(["depends", "--no-pre-depends", "--no-recommends", "--no-suggests"]);
        Ok(dependencies(&shell::capture(list.arg(package))?))
    }

    /// Packages with all that they depend on, as far as it `is_wanted`.
    pub(super) fn closure(
        &self,
        packages: &[&str],
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>> {
        let mut list = self.command("apt-cache");
        list.args(["depends", "--recurse", "--no-pre-depends", "--no-recommends", "--no-suggests"]);
        Ok(reachable(&shell::capture(list.args(packages))?, packages, is_wanted))
    }

    /// Fetches packages, each as `name` or `name=version`, and unpacks them.
    pub(super) fn unpack(&self, packages: &[String], into: &Path) -> Result<()> {
        files::make_folder(into)?;
        let debs = tempfile::tempdir_in(into)?;
        let mut download = self.command("apt-get");
        download.args(["download", "-q"]).args(packages).current_dir(debs.path());
        let what = match packages.len() {
            0..=8 => packages.join(" "),
            many => format!("{many} packages"),
        };
        shell::quietly("Fetching", &what, &mut download)?;
        let _step = Step::begin("Unpacking", &what);
        for deb in files::list(debs.path())? {
            shell::capture(shell::command("dpkg", ["-x".as_ref(), deb.as_path()]).arg(into))?;
        }
        Ok(())
    }
}

/// The plain dependencies in the answer of `apt-cache depends`; alternatives
/// and virtual packages are left out.
fn dependencies(answer: &str) -> Vec<String> {
    answer
        .lines()
        .filter_map(|line| line.strip_prefix("  Depends: "))
        .filter(|name| !name.starts_with('<'))
        .map(str::to_owned)
        .collect()
}

/// What packages lead to in the answer of `apt-cache depends --recurse`, going on only from
/// what `is_wanted`; in the order of names.
fn reachable(answer: &str, packages: &[&str], is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut graph: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut package = "";
    for line in answer.lines() {
        if let Some(dependency) = line.strip_prefix("  Depends: ") {
            graph.entry(package).or_default().push(dependency);
        } else if !line.starts_with(' ') {
            package = line;
        }
    }
    let mut found: BTreeSet<&str> = packages.iter().copied().collect();
    let mut open: Vec<&str> = packages.to_vec();
    while let Some(package) = open.pop() {
        let dependencies = graph.get(package).into_iter().flatten();
        for dependency in dependencies.filter(|it| !it.starts_with('<') && is_wanted(it)) {
            if found.insert(dependency) {
                open.push(dependency);
            }
        }
    }
    found.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{dependencies, reachable};

    #[test]
    fn plain_dependencies_only() {
        let answer = "linux-image-7.2.12+deb13-amd64\n  PreDepends: linux-base\n |Depends: <dracut>\n  \
                      Depends: <linux-initramfs-tool>\n  Depends: linux-binary-7.2.12+deb13-amd64\n  \
                      Depends: linux-modules-7.2.12+deb13-amd64\n  Breaks: <fwupdate>\n";
        let expected = ["linux-binary-7.2.12+deb13-amd64", "linux-modules-7.2.12+deb13-amd64"];
        assert_eq!(dependencies(answer), expected);
        assert!(dependencies("linux-image-amd64\n").is_empty());
    }

    #[test]
    fn what_is_not_wanted_leads_nowhere() {
        let answer = "a\n  Depends: b\n |Depends: <v>\n    x\n  Depends: c\nb\n  Depends: a\n  \
                      Depends: <v>\nc\n  Depends: d\n<v>\nd\n";
        assert_eq!(reachable(answer, &["a"], |_| true), ["a", "b", "c", "d"]);
        assert_eq!(reachable(answer, &["a"], |name| name != "c"), ["a", "b"]);
        assert_eq!(reachable("", &["a"], |_| true), ["a"]);
    }
}
