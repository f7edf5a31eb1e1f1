//! `cargo xtask fuzz`: feeds what reads user input with mutated input for a
//! while; a crash, a hang or too much memory is a finding.
//!
//! Runs on the pinned toolchain: the instrumentation is a plain code generation
//! option, and there is no unsafe code in what is fuzzed that would want a
//! sanitizer.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::report::{self, say};
use crate::setup::{self, Purpose};
use crate::{files, shell, workspace};

/// Coverage of edges and comparisons, as libFuzzer reads it.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1 --cfg fuzzing";
/// One input may take this long.
const LIMIT_SECONDS: u32 = 10;
/// The memory that a target may take at its peak.
const LIMIT_MEBIBYTES: u32 = 512;
/// The longest input that is made up; the tests have longer ones.
const LONGEST: u32 = 65536;

/// What the fuzzer can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What is fuzzed
    #[arg(default_values = ["condition", "rules"])]
    targets: Vec<Target>,
    /// How long each target runs
    #[arg(long, value_name = "MINUTES", default_value = "10")]
    minutes: u32,
}

/// A program of `tests/fuzz`.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Target {
    /// The condition of a rule
    Condition,
    /// A rule file
    Rules,
}

impl Target {
    const fn name(self) -> &'static str {
        match self {
            Self::Condition => "condition",
            Self::Rules => "rules",
        }
    }
}

/// Runs each target; fails at the first finding and says which input it was.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::ensure(Purpose::Build)?;
    let package = workspace::root().join("tests/fuzz");
    let built = build(&package)?;
    for target in &args.targets {
        let name = target.name();
        let corpus = built.join("corpus").join(name);
        let findings = built.join("findings").join(name);
        files::make_folder(&corpus)?;
        files::make_folder(&findings)?;
        let mut fuzzer = shell::command(built.join("release").join(name), [&corpus]);
        // What is known to be right is the best that mutation can start from.
        fuzzer.arg(match target {
            Target::Condition => package.join("seeds/condition"),
            Target::Rules => workspace::root().join("rules"),
        });
        fuzzer.arg(format!("-dict={}", package.join("falco.dict").display()));
        fuzzer.arg(format!("-artifact_prefix={}/", findings.display()));
        fuzzer.arg(format!("-max_total_time={}", args.minutes * 60));
        fuzzer.arg(format!("-timeout={LIMIT_SECONDS}"));
        fuzzer.arg(format!("-rss_limit_mb={LIMIT_MEBIBYTES}"));
        fuzzer.arg(format!("-max_len={LONGEST}"));
        fuzzer.arg("-print_final_stats=1");
        say("Fuzzing", format_args!("{name} for {} min", args.minutes));
        let found = || format!("{name}: see the inputs in {}", findings.display());
        shell::run(&mut fuzzer).with_context(found)?;
    }
    report::result(format_args!("{} fuzzed without a finding", args.targets.len()));
    Ok(())
}

/// Builds the targets and tells the folder that they, and what they keep, are in.
fn build(package: &std::path::Path) -> Result<PathBuf> {
    let target = workspace::root().join("target/fuzz");
    let host = shell::capture(workspace::tool("rustc").args(["--print", "host-tuple"]))?;
    let host = host.trim();
    let mut cargo = workspace::cargo();
    cargo.current_dir(package).args(["build", "--release", "--bins", "--target", host]);
    cargo.arg("--target-dir").arg(&target);
    // Only for this target: what runs during the build is not to be instrumented.
    let variable = format!("CARGO_TARGET_{}_RUSTFLAGS", host.to_uppercase().replace('-', "_"));
    cargo.env(variable, INSTRUMENTATION);
    shell::run(&mut cargo).context("building the fuzz targets")?;
    Ok(target.join(host))
}
