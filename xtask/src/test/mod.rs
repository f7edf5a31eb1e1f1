//! `cargo xtask test`: every check and test there is, ending with one plain line that
//! counts them all.
//!
//! | stage | what | needs |
//! |---|---|---|
//! | vm | end-to-end tests on another kernel | qemu |
//! | tidy | layout, style, lints, generated files | nothing |
//! | chart | the Helm chart: rendered, linted, validated, held against its rights | Python |
//! | unit | unit and property tests of all crates | nothing |
//! | host | the same end-to-end tests on this kernel | root and BPF |
//!
//! What only compiles goes on beside the guests, which are slow and seldom use all
//! processors; whatever measures or has a time limit is alone.

mod summary;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use rustix::process::setpriority_process;

use crate::build::{Artifact, Build, Programs};
use crate::report::{self, Step, say, seconds};
use crate::setup::{self, Purpose};
use crate::vm::Wanted;
use crate::vm::kernel::{DEFAULT, KERNELS, Kernel};
use crate::{chart, root, shell, tidy, vm, workspace};

pub(crate) use summary::{Reason, Tally, reasons};

/// How end-to-end tests are run: they measure, so one at a time, and what they
/// measured is shown.
const ONE_BY_ONE: [&str; 2] = ["--test-threads=1", "--show-output"];

/// The niceness of what other stages must not notice.
const LEAST_URGENT: i32 = 19;

/// What the tests can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run the end-to-end tests on all test kernels instead of one, and there those that
    /// take minutes, too
    #[arg(long, conflicts_with = "no_vm")]
    all_kernels: bool,
    /// Leave the VM stage out
    #[arg(long)]
    no_vm: bool,
    /// Test optimised builds
    #[arg(long)]
    release: bool,
    /// Run only tests with this in their name
    filter: Option<String>,
}

/// Runs the stages; the exit code tells whether all that was run passed.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let kernels: Vec<Kernel> = match (args.no_vm, args.all_kernels) {
        (true, _) => Vec::new(),
        (_, true) => KERNELS.to_vec(),
        _ => KERNELS.into_iter().filter(|kernel| kernel.name == DEFAULT).collect(),
    };
    let stages = Stages::default();
    if let Err(error) = all(args, &kernels, &stages) {
        // What could not even be run is a failure that has to be counted.
        report::error(&error);
        stages.add(Tally { failed: 1, ..Tally::default() });
    }
    let total = stages.total();
    for failure in &total.failures {
        say("Failed", failure);
    }
    report::result(&total);
    Ok(total.exit_code())
}

fn all(args: &Args, kernels: &[Kernel], stages: &Stages) -> Result<()> {
    setup::ensure(Purpose::Build)?;
    let build = Build::tested(args.release);
    let filter = args.filter.as_deref();
    // Nothing of what tests need is needed to build them.
    let ((), (programs, tests)) = beside(
        || {
            setup::ensure(Purpose::Test)?;
            if kernels.is_empty() { Ok(()) } else { setup::ensure(Purpose::Boot(kernels)) }
        },
        || Ok((build.programs()?, build.end_to_end()?)),
    )?;
    let wanted = Wanted::new(filter, args.all_kernels);
    let (units, ()) = beside(
        || {
            if !kernels.is_empty() {
                // Of this thread and what it starts; where that is refused, guests are slower.
                setpriority_process(None, LEAST_URGENT).ok();
            }
            // A filter asks for certain tests, not for the state of the source.
            if filter.is_none() {
                stages.run("tidy", || Ok(tidy::check(false)))?;
                stages.run("chart", chart::test)?;
            }
            build.unit()
        },
        || {
            kernels.iter().try_for_each(|kernel| {
                let name = format!("vm {}", kernel.name);
                stages.run(&name, || vm::test_on(*kernel, &programs, &tests, wanted, false))
            })
        },
    )?;
    stages.run("unit", || run_unit(build, &units, filter))?;
    stages.run("host", || run_host(&programs, &tests, filter))
}

/// Does both at once; the first in a thread of its own.
fn beside<A: Send, B>(
    first: impl FnOnce() -> Result<A> + Send,
    second: impl FnOnce() -> Result<B>,
) -> Result<(A, B)> {
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        let first = first.join().map_err(|_| anyhow!("a thread of the tests panicked"))?;
        Ok((first?, second?))
    })
}

/// What the stages that were run add up to.
#[derive(Default)]
struct Stages(Mutex<Tally>);

impl Stages {
    /// Runs one stage, says how it ended and adds it up.
    fn run(&self, name: &str, run: impl FnOnce() -> Result<Tally>) -> Result<()> {
        say("Testing", name);
        let started = Instant::now();
        let tally = run().with_context(|| format!("stage {name}"))?;
        let verb = if tally.failed == 0 { "Passed" } else { "Failed" };
        say(verb, format_args!("{name}: {tally} in {}", seconds(started.elapsed())));
        self.add(tally);
        Ok(())
    }

    fn add(&self, tally: Tally) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += tally;
    }

    fn total(self) -> Tally {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs unit and property tests, and the examples in the documentation; only
/// what fails is shown.
fn run_unit(build: Build, programs: &[Artifact], filter: Option<&str>) -> Result<Tally> {
    let mut total = Tally::default();
    for program in programs {
        let label = format!("{} ({})", program.name, program.kind);
        let mut test = Command::new(&program.file);
        let folder = workspace::root().join(&program.package);
        test.env("CARGO_MANIFEST_DIR", &folder).current_dir(&folder).args(filter);
        total += run_shown_if_failed(&label, &mut test)?;
    }
    let mut examples = build.examples();
    total += run_shown_if_failed("examples (doc)", examples.arg("--").args(filter))?;
    Ok(total)
}

fn run_shown_if_failed(label: &str, test: &mut Command) -> Result<Tally> {
    let step = Step::begin("Running", label);
    let (status, output) = shell::stream(test, |line| step.note(format_args!("{label}: {line}")))?;
    let elapsed = step.elapsed();
    drop(step);
    let tally = Tally::of(&output, status.success());
    if tally.failed > 0 {
        report::raw(&output);
        report::raw(&format!("{label}: {status}"));
    }
    if tally != Tally::default() {
        say("Ran", format_args!("{label}: {tally} in {}", seconds(elapsed)));
    }
    Ok(tally)
}

/// By which variables of the environment end-to-end tests find programs and files, as far as
/// these are here.
pub(crate) fn tools(programs: &Programs) -> Vec<(&'static str, PathBuf)> {
    let tools = [
        ("LANDLORD_BIN", Some(programs.agent.clone())),
        ("LANDLORD_WORKLOAD", Some(programs.workload.clone())),
        ("LANDLORD_PROMETHEUS", setup::prometheus()),
        ("LANDLORD_PROMTOOL", setup::promtool()),
        ("LANDLORD_ALERTMANAGER", setup::alertmanager()),
        ("LANDLORD_COLLECTOR", setup::collector()),
        ("LANDLORD_RUNC", setup::runc()),
        ("LANDLORD_CONTAINERD", setup::containerd()),
        ("LANDLORD_BUSYBOX", setup::busybox()),
        ("LANDLORD_FALCO_RULES", setup::falco_rules()),
    ];
    tools.into_iter().filter_map(|(name, file)| Some((name, file?))).collect()
}

/// Runs the end-to-end tests on this machine, as root.
fn run_host(programs: &Programs, tests: &[Artifact], filter: Option<&str>) -> Result<Tally> {
    let tools = tools(programs);
    let env: Vec<(&str, &Path)> =
        tools.iter().map(|(name, file)| (*name, file.as_path())).collect();
    let mut total = Tally::default();
    for program in tests {
        let mut test = match root::command(&program.file, &env) {
            Ok(test) => test,
            Err(error) => {
                shell::warn(format_args!("{error:#}"));
                total.skipped += count(&program.file, filter)?;
                continue;
            }
        };
        test.args(ONE_BY_ONE).args(filter).current_dir(workspace::root().join("tests"));
        let (status, output) = shell::stream(&mut test, report::raw)?;
        total += judge_skipped(Tally::of(&output, status.success()), &output);
    }
    Ok(total)
}

/// Where BPF works, a test that does not run has failed, unless it is excused.
fn judge_skipped(mut tally: Tally, output: &str) -> Tally {
    let reasons = reasons(output);
    for Reason { text, .. } in &reasons {
        say("Skipped", text);
    }
    let guilty = reasons.iter().filter(|it| !it.is_excused).count().min(tally.skipped);
    if guilty == 0 {
        return tally;
    }
    match root::why_no_bpf() {
        Some(reason) => shell::warn(format_args!("BPF does not work on this machine: {reason}")),
        None => {
            shell::warn(format_args!(
                "BPF works on this machine: {guilty} skipped count as failed"
            ));
            tally.skipped -= guilty;
            tally.failed += guilty;
        }
    }
    tally
}

/// How many tests a program holds.
fn count(program: &Path, filter: Option<&str>) -> Result<usize> {
    let list = shell::capture(Command::new(program).arg("--list").args(filter))?;
    Ok(list.lines().filter(|line| line.ends_with(": test")).count())
}
