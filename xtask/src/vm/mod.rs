//! `cargo xtask vm`: the end-to-end tests on Debian's kernels under emulation,
//! without root.
//!
//! The programs are the same tests as on the host, linked statically. Figures
//! measured under emulation say nothing about cost.

mod cpio;
mod initramfs;
pub(crate) mod kernel;
mod qemu;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};

use self::kernel::{DEFAULT, KERNELS, Kernel};
use self::qemu::{End, Guest};
use crate::build::{Artifact, Build, Programs};
use crate::report::{self, Step, say, seconds};
use crate::setup::{self, Purpose};
use crate::test::{Reason, Tally, reasons};
use crate::{files, workspace};

/// The end-to-end tests that a guest runs. Others test the lab itself, where it
/// is accurate.
const GUEST_TEST: &str = "e2e";
/// How long one kernel may take, and with the tests that take minutes.
const LIMIT: Duration = Duration::from_secs(900);
const LONG_LIMIT: Duration = Duration::from_secs(1800);
/// How often a guest is started that its emulator kills.
const BOOTS: usize = 3;
/// How much of the console is shown if a guest fails.
const TAIL_LINES: usize = 40;
/// How a kernel begins to tell that it cannot go on.
const DEATHS: [&str; 8] = [
    "BUG:",
    "kernel BUG at",
    "Oops:",
    "general protection fault",
    "int3: 0000",
    "invalid opcode:",
    "divide error:",
    "Kernel panic",
];
/// Lines of such a report that say nothing without the kernel's own image.
const NOISE: [&str; 11] = [
    "] Code:",
    "] RAX:",
    "] RDX:",
    "] RBP:",
    "] R10:",
    "] R13:",
    "] FS:",
    "] CS:",
    "] CR2:",
    "] RSP:",
    "] Modules linked in:",
];

/// What the VM stage can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Kernels to boot: 5.10, 6.1, 6.12, newest
    #[arg(default_value = DEFAULT)]
    kernels: Vec<Kernel>,
    /// All of them, and tests that take minutes, too
    #[arg(long, conflicts_with = "kernels")]
    all: bool,
    /// Run only tests with this in their name, even if they take minutes
    #[arg(long)]
    filter: Option<String>,
    /// Keep the console and the results of guests that passed, too
    #[arg(long)]
    keep_log: bool,
    /// Test optimised builds
    #[arg(long)]
    release: bool,
}

/// Which tests a guest runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Those with this in their name.
    pub(crate) filter: Option<&'a str>,
    /// Those that take minutes, too: all rules, one after the other.
    pub(crate) long: bool,
}

impl<'a> Wanted<'a> {
    /// Who asks for certain tests, or for all kernels, has time.
    pub(crate) fn new(filter: Option<&'a str>, all_kernels: bool) -> Self {
        Self { filter, long: all_kernels || filter.is_some() }
    }
}

/// Boots each kernel; the exit code tells whether all passed.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let kernels = if args.all { KERNELS.to_vec() } else { args.kernels.clone() };
    setup::ensure(Purpose::Build)?;
    setup::ensure(Purpose::Boot(&kernels))?;
    let build = Build::tested(args.release);
    let (programs, tests) = (build.programs()?, build.end_to_end()?);
    let wanted = Wanted::new(args.filter.as_deref(), args.all);
    let mut total = Tally::default();
    for kernel in kernels {
        total += test_on(kernel, &programs, &tests, wanted, args.keep_log)?;
    }
    report::result(&total);
    Ok(total.exit_code())
}

/// Runs the tests on one kernel and says how long it took.
pub(crate) fn test_on(
    kernel: Kernel,
    programs: &Programs,
    tests: &[Artifact],
    wanted: Wanted<'_>,
    keep_log: bool,
) -> Result<Tally> {
    let logs = workspace::cache().join("logs");
    files::make_folder(&logs)?;
    let files = tempfile::tempdir()?;
    let archive = files.path().join("initramfs.cpio");
    let test = tests.iter().find(|test| test.name == GUEST_TEST);
    let test = test.with_context(|| format!("there is no test target {GUEST_TEST}"))?;
    initramfs::write(&archive, kernel, programs, &test.file, wanted)?;
    let guest = Guest {
        image: &kernel.image(),
        initramfs: &archive,
        console: logs.join(format!("{}.console", kernel.name)),
        results: logs.join(format!("{}.results", kernel.name)),
        limit: if wanted.long { LONG_LIMIT } else { LIMIT },
    };
    let release = files::read_text(&kernel.stamp())?;
    let label = format!("Linux {}", release.lines().next().unwrap_or(kernel.name));
    let (mut end, mut wall) = boot(&guest, &label)?;
    for _ in 1..BOOTS {
        if !died_of_emulation(&end, &guest.console()) {
            break;
        }
        say("Again", format_args!("{label}: the emulator ran a stale breakpoint"));
        (end, wall) = boot(&guest, &label)?;
    }

    let results = guest.results();
    let tally = judge(&end, &results);
    for Reason { text, .. } in reasons(&results) {
        say("Skipped", text);
    }
    let boot = results.lines().find_map(|line| line.strip_prefix("BOOT ")).unwrap_or("?");
    say("Ran", format_args!("{label}: {tally}, boot {boot} s, all {}", seconds(wall)));
    if tally.failed > 0 {
        report::raw(&results);
        explain(&end, guest.limit, &guest.console());
    }
    if tally.failed > 0 || keep_log {
        say("Kept", format_args!("{} and {}", guest.console.display(), guest.results.display()));
    } else {
        guest.forget()?;
    }
    Ok(tally)
}

/// Runs the guest once: how it ended, and how long it took.
fn boot(guest: &Guest<'_>, label: &str) -> Result<(End, Duration)> {
    // Files of an earlier run are not to be taken for this one's.
    for file in [&guest.console, &guest.results] {
        files::write(file, "")?;
    }
    let step = Step::begin("Booting", label);
    let end = guest.run(&step, label)?;
    Ok((end, step.elapsed()))
}

/// True if the guest's kernel met a breakpoint that it had already taken back.
///
/// A kernel that patches its own code (a tracepoint gets its first user) puts a
/// breakpoint there for a moment. With two emulated CPUs on two threads, qemu may
/// run the breakpoint on one of them after the other has removed it, and the
/// kernel dies of it. Switching a tracepoint on and off in a bare guest does it
/// within seconds; nothing that is tested here can. On one thread the emulator is
/// right, but patching takes a second each time.
fn died_of_emulation(end: &End, console: &str) -> bool {
    matches!(end, End::Broken(_))
        && last_words(console).first().is_some_and(|line| line.contains("int3: 0000"))
}

/// What the tests tell, if the guest ended as they say.
fn judge(end: &End, results: &str) -> Tally {
    Tally::of(results, *end == End::Exit(0))
}

/// Says why a guest failed, unless its own tests did.
fn explain(end: &End, limit: Duration, console: &str) {
    match end {
        End::Exit(_) => return,
        End::Timeout => say("Failed", format_args!("the guest took more than {}", seconds(limit))),
        End::Broken(why) => say("Failed", why),
    }
    report::raw("the end of its console:");
    for line in last_words(console) {
        report::raw(line);
    }
}

/// What a dead kernel said of its death; the end of the console if it said
/// nothing. The first report tells the cause, later ones are its consequences.
fn last_words(console: &str) -> Vec<&str> {
    let lines: Vec<&str> = console.lines().collect();
    let is_death = |line: &&str| DEATHS.iter().any(|death| line.contains(death));
    let Some(death) = lines.iter().position(is_death) else {
        let tail = lines.len().saturating_sub(TAIL_LINES);
        return lines.into_iter().skip(tail).collect();
    };
    let is_noise = |line: &&str| NOISE.iter().any(|noise| line.contains(noise));
    lines.into_iter().skip(death).filter(|line| !is_noise(line)).take(TAIL_LINES).collect()
}

#[cfg(test)]
mod tests {
    use super::qemu::End;
    use super::{Tally, died_of_emulation, judge, last_words};

    #[test]
    fn only_a_stale_breakpoint_is_the_emulators_fault() {
        let check = |end: End, console: &str, expected| {
            assert_eq!(died_of_emulation(&end, console), expected, "{console}");
        };
        let stale = "[ 2.2] Oops: int3: 0000 [#1] PREEMPT SMP\n[ 2.2] Kernel panic\n";
        check(End::Broken("died".into()), stale, true);
        check(End::Exit(0), stale, false);
        check(End::Timeout, stale, false);
        check(End::Broken("died".into()), "[ 2.2] BUG: NULL\n[ 2.3] int3: 0000\n", false);
        check(End::Broken("died".into()), "", false);
    }

    #[test]
    fn the_first_report_of_a_death_is_shown_without_registers() {
        let console = "[ 1.0] booted\n[ 2.0] BUG: kernel NULL pointer dereference\n\
                       [ 2.0] RIP: 0010:pick+0x1/0x2\n[ 2.0] RAX: 0000\n\
                       [ 2.1] Kernel panic - not syncing: Fatal exception\n";
        let words = last_words(console);
        assert_eq!(words.len(), 3, "{words:?}");
        assert!(words[1].contains("RIP"), "{words:?}");
        assert_eq!(last_words("a\nb\n"), ["a", "b"]);
    }

    #[test]
    fn a_broken_guest_fails_whatever_its_tests_said() {
        let good = "BOOT 3.1\ntest a ... ok\ntest result: ok. 4 passed; 0 failed; 0 ignored\n";
        let check = |end, results, passed, failed| {
            let expected = Tally { passed, failed, ..Tally::default() };
            assert_eq!(judge(&end, results), expected);
        };
        check(End::Exit(0), good, 4, 0);
        check(End::Exit(137), good, 4, 1);
        check(End::Timeout, good, 4, 1);
        check(End::Broken("panic".into()), good, 4, 1);
        check(End::Exit(0), "BOOT 3.1\n", 0, 1);
    }
}
