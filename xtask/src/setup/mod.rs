//! `cargo xtask setup`: makes a machine that has only Rust and apt able to
//! build and test, and says each thing it finds or does.
//!
//! Installs what is missing and nothing else, changes no package source of the
//! machine and starts no service: what is only a test tool is unpacked into the
//! cache folder instead of being installed.

mod alertmanager;
mod apt;
mod collector;
mod helm;
mod kernels;
mod linker;
mod modules;
mod packages;
mod pictures;
mod python;
mod toolchain;

use anyhow::{Result, bail};

use crate::report::say;
use crate::shell;
use crate::vm::kernel::{KERNELS, Kernel};

pub(crate) use alertmanager::alertmanager;
pub(crate) use collector::collector;
pub(crate) use helm::helm;
pub(crate) use packages::{
    CONTAINERD, busybox, containerd, falco_rules, prometheus, promtool, runc,
};
pub(crate) use pictures::painter;

/// Debian's next release, for what changes faster than the machine's own.
const TESTING: &str = "http://deb.debian.org/debian forky";

/// What the set-up can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also qemu and the test kernels, for `cargo xtask vm`
    #[arg(long)]
    vm: bool,
    /// Only say what is missing; exit code 1 if anything needed is
    #[arg(long)]
    check: bool,
}

/// What is about to be done, and so what it needs.
#[derive(Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// Build and run the agent.
    Build,
    /// Run the tests on this machine.
    Test,
    /// Draw pictures of dashboards.
    Draw,
    /// Run the tests on these kernels.
    Boot(&'a [Kernel]),
}

/// One thing that a machine needs.
struct Requirement {
    /// What it is called in messages.
    name: String,
    /// What it is needed for.
    why: &'static str,
    /// Without it something is left out, but the rest works.
    optional: bool,
    /// Tells what is there, or nothing.
    find: Box<dyn Fn() -> Option<String>>,
    /// Installs it; run only if it was not found.
    install: Box<dyn Fn() -> Result<()>>,
}

impl Requirement {
    fn new(
        name: impl Into<String>,
        why: &'static str,
        find: impl Fn() -> Option<String> + 'static,
        install: impl Fn() -> Result<()> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            why,
            optional: false,
            find: Box::new(find),
            install: Box::new(install),
        }
    }

    fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Says what is there; a version often names its program itself.
    fn say(&self, verb: &str, found: &str) {
        if found.starts_with(&self.name) {
            say(verb, found);
        } else {
            say(verb, format_args!("{}: {found}", self.name));
        }
    }
}

/// Runs the set-up and tells everything that was found.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut all = requirements(Purpose::Build);
    all.extend(requirements(Purpose::Test));
    if args.vm {
        all.extend(requirements(Purpose::Boot(&KERNELS)));
    }
    if args.check {
        return check(&all);
    }
    for requirement in &all {
        if let Some(found) = (requirement.find)() {
            requirement.say("Found", &found);
        } else {
            provide(requirement)?;
        }
    }
    Ok(())
}

/// Provides what is missing for a purpose; silent and quick if nothing is.
pub(crate) fn ensure(purpose: Purpose<'_>) -> Result<()> {
    for requirement in requirements(purpose) {
        if (requirement.find)().is_none() {
            provide(&requirement)?;
        }
    }
    Ok(())
}

fn requirements(purpose: Purpose<'_>) -> Vec<Requirement> {
    match purpose {
        Purpose::Build => {
            let mut all = toolchain::requirements();
            all.extend(packages::for_build());
            all
        }
        Purpose::Test => {
            let mut all = packages::for_tests();
            all.extend([collector::requirement(), alertmanager::requirement()]);
            all.push(helm::requirement());
            all
        }
        Purpose::Draw => vec![pictures::requirement()],
        Purpose::Boot(kernels) => {
            let mut all = packages::for_boot();
            all.extend(kernels.iter().map(|kernel| kernels::requirement(*kernel)));
            all
        }
    }
}

/// Installs one thing, and looks whether it is there now.
fn provide(requirement: &Requirement) -> Result<()> {
    let Requirement { name, why, .. } = requirement;
    say("Missing", format_args!("{name}, needed {why}"));
    let outcome = (requirement.install)();
    match (outcome, (requirement.find)()) {
        (Ok(()), Some(found)) => requirement.say("Installed", &found),
        (Ok(()), None) if requirement.optional => {
            shell::warn(format_args!("{name} is still not there; going on without"));
        }
        (Err(error), _) if requirement.optional => {
            shell::warn(format_args!("going on without {name}: {error:#}"));
        }
        (Ok(()), None) => bail!("{name} was installed but still cannot be found"),
        (Err(error), _) => return Err(error.context(format!("cannot install {name}"))),
    }
    Ok(())
}

/// Tells what is there and what is missing, and changes nothing.
fn check(all: &[Requirement]) -> Result<()> {
    let mut missing = 0_usize;
    for requirement in all {
        let Requirement { name, why, optional, .. } = requirement;
        match (requirement.find)() {
            Some(found) => requirement.say("Found", &found),
            None if *optional => say("Missing", format_args!("{name}, optional, needed {why}")),
            None => {
                missing += 1;
                say("Missing", format_args!("{name}, needed {why}"));
            }
        }
    }
    if missing > 0 {
        bail!("{missing} missing; `cargo xtask setup` installs what is");
    }
    Ok(())
}
