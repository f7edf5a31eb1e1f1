//! Each of Falco's own rules, unmodified, on what really happens: an action that
//! raises it and near misses that do not. The table is in the test's output.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use landlord_tests::agent::Home;
use landlord_tests::agent::watch::{Alert, Watch};
use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountPropagationFlags, mount_bind, mount_change};

use super::case::{self, Case, Part, Place};
use super::scene::{self, MARKER, Scene, TOKEN};
use crate::stage::{has_minutes, missed, skip_here, skips_sensors};

/// Where the rule files are in a test guest, and on a host beside the workspace.
const FOLDERS: [&str; 2] =
    ["/falco-rules", concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/falco-rules")];
/// How long an alert may take after its event, and one that must not come is waited for.
const PATIENCE: Duration = Duration::from_secs(8);
const SILENCE: Duration = Duration::from_secs(3);
/// How often a script is run whose event may have passed the sensors.
const ATTEMPTS: u32 = 3;
/// Scripts that may break before the agent is thought to be gone.
const BROKEN_MAX: u32 = 2;
/// The rule of the containers' markers.
const MARKED: &str = "Lab container marker";
/// What one rule asks the resolver for.
const HOSTS: &str = "127.0.0.1 localhost\n192.0.2.77 kubernetes.default.svc.cluster.local\n";
/// A list that is empty as it comes, and its rule silent.
const NAMESPACES: &str = "- list: namespace_scope_network_only_subnet\n  items: [default]\n  \
                          override:\n    items: append\n";

#[test]
fn official_stable_and_incubating_rules() {
    let cases = [include_str!("cases/stable.case"), include_str!("cases/incubating.case")].concat();
    check(&cases, &["falco_rules.yaml", "falco-incubating_rules.yaml"], NAMESPACES);
}

/// Tries all cases with these rule files and what is added to them.
pub(super) fn check(cases: &str, files: &[&str], more: &str) {
    if !landlord_tests::may_run() {
        return;
    }
    if !has_minutes() {
        skip_here("an emulated machine takes minutes for all rules");
        return;
    }
    let named = std::env::var_os("LANDLORD_FALCO_RULES").map(PathBuf::from);
    let mut folders = named.into_iter().chain(FOLDERS.map(PathBuf::from));
    let Some(folder) = folders.find(|folder| folder.is_dir()) else {
        skip_here("no rule files of Falco; LANDLORD_FALCO_RULES names their folder");
        return;
    };
    let Some(busybox) = scene::busybox() else {
        println!("SKIPPED: no static busybox; LANDLORD_BUSYBOX names it");
        return;
    };
    let cases = case::parse(cases).unwrap();
    let files: Vec<PathBuf> = files.iter().map(|name| folder.join(name)).collect();
    // A thread of its own may have mounts of its own.
    let tried = std::thread::scope(|scope| {
        scope.spawn(|| all(&cases, &files, more, &busybox)).join().unwrap()
    });
    let Tried { table, skipped, failures } = tried.unwrap();
    println!("{table}");
    assert!(failures.is_empty(), "{table}\n{failures}");
    if !skipped.is_empty() {
        skip_here(&format!("{} of {} rules: {}", skipped.len(), cases.len(), skipped.join("; ")));
    }
}

/// Keeps the guest's second CPU off. For each container the kernel patches its own code, and
/// an emulator with two CPUs may run a breakpoint that the kernel has taken back.
struct OneCpu(bool);

impl OneCpu {
    const SWITCH: &str = "/sys/devices/system/cpu/cpu1/online";

    fn begin() -> Self {
        let is_guest = std::env::var_os("LANDLORD_VM").is_some();
        Self(is_guest && std::fs::write(Self::SWITCH, "0").is_ok())
    }
}

impl Drop for OneCpu {
    fn drop(&mut self) {
        if self.0 {
            std::fs::write(Self::SWITCH, "1").ok();
        }
    }
}

/// What came of all cases.
#[derive(Default)]
struct Tried {
    table: String,
    /// Rules that could not be tried, and why.
    skipped: Vec<String>,
    failures: String,
}

fn all(cases: &[Case], files: &[PathBuf], more: &str, busybox: &Path) -> Result<Tried> {
    let _one = OneCpu::begin();
    let folder = tempfile::tempdir()?;
    name_hosts(folder.path())?;
    let added = folder.path().join("added.yaml");
    std::fs::write(&added, added_rules(cases, more)?)?;
    let rules: Vec<PathBuf> = files.iter().chain([&added]).cloned().collect();
    let home = Home::new("")?;
    let mut watch = home.watch(&rules, &[])?;
    let mut scene = Scene::new(busybox)?;
    let mut tried = Tried::default();
    let table = &mut tried.table;
    let mut broken = 0;
    writeln!(table, "{:<72} {:<10} {:>5} near miss", "rule", "place", "fired")?;
    for case in cases {
        let place = format!("{:?}", case.place).to_lowercase();
        write!(table, "{:<72} {place:<10} ", case.rule)?;
        let lacking = lacking(case);
        let (parts, note) = match (impossible(case, &scene), &lacking, &case.substitutes) {
            (None, None, _) => (&case.parts, String::new()),
            (None, Some(program), Some(parts)) => (parts, format!(" (without {program})")),
            (reason, program, _) => {
                let program = program.map(|program| format!("no {program}"));
                let reason = reason.or(program).unwrap_or_default();
                writeln!(table, "skipped: {reason}")?;
                tried.skipped.push(format!("{}: {reason}", case.rule));
                continue;
            }
        };
        let before = tried.failures.len();
        let fired = match one(case, parts, &mut watch, &mut scene, &mut tried.failures) {
            Ok(fired) => fired,
            Err(error) => {
                writeln!(tried.failures, "{}: {error:#}\n{}", case.rule, home.log())?;
                broken += 1;
                0
            }
        };
        let near = if tried.failures.len() == before { "silent" } else { "FAILED" };
        writeln!(table, "{fired:>5} {near}{note}")?;
        if broken > BROKEN_MAX {
            return Ok(tried);
        }
    }
    watch.stop()?;
    Ok(tried)
}

/// Tries one case; how often its rule was raised by what has to raise it.
fn one(
    case: &Case,
    parts: &[Part],
    watch: &mut Watch<'_>,
    scene: &mut Scene,
    failures: &mut String,
) -> Result<usize> {
    let mut fired = 0;
    ensure!(parts.iter().any(|part| part.fires), "nothing raises it");
    ensure!(parts.iter().any(|part| !part.fires), "it has no near miss");
    for part in parts {
        let (mut found, mut said) = perform(case, part, watch, scene)?;
        for _ in 1..ATTEMPTS {
            let may_be_missed = part.fires && found.is_empty() && skips_sensors();
            if !may_be_missed || missed(&watch.agent().usage()?) == 0 {
                break;
            }
            (found, said) = perform(case, part, watch, scene)?;
        }
        fired += if part.fires { found.len() } else { 0 };
        if found.is_empty() == part.fires {
            let what = if part.fires { "was not raised by" } else { "was raised by" };
            writeln!(failures, "{} {what}\n{}it said:\n{said}", case.rule, part.script)?;
            for alert in found {
                writeln!(failures, "{}", alert.output())?;
            }
        }
    }
    Ok(fired)
}

/// Runs a script: the alerts of its rule, and what it said.
fn perform(
    case: &Case,
    part: &Part,
    watch: &mut Watch<'_>,
    scene: &mut Scene,
) -> Result<(Vec<Alert>, String)> {
    watch.settle()?;
    let seen = watch.alerts()?.len();
    let done = scene.run(part, case.user.as_deref())?;
    let is_marker = |alert: &Alert| {
        alert.rule() == MARKED && *alert.field("fd.name") == format!("{MARKER}{}", done.token)
    };
    if done.is_marked {
        let marker = until(PATIENCE, watch, seen, is_marker)?;
        let is_seen = marker.iter().any(is_marker) || skips_sensors();
        ensure!(is_seen, "the container does not end: {}", done.said);
    }
    watch.settle()?;
    let is_it = |alert: &Alert| {
        alert.rule() == case.rule && *alert.field(&format!("proc.env[{TOKEN}]")) == done.token
    };
    let is_late = part.place != Place::Host && !done.is_marked;
    let patience = match (part.fires, is_late) {
        (true, _) => PATIENCE,
        (false, true) => SILENCE,
        (false, false) => Duration::ZERO,
    };
    let mut alerts = until(patience, watch, seen, is_it)?;
    alerts.retain(is_it);
    Ok((alerts, done.said))
}

/// The alerts after the first `seen`, as soon as one is as wanted or the time is over.
fn until(
    patience: Duration,
    watch: &Watch<'_>,
    seen: usize,
    wanted: impl Fn(&Alert) -> bool,
) -> Result<Vec<Alert>> {
    let deadline = Instant::now() + patience;
    loop {
        let alerts: Vec<Alert> = watch.alerts()?.into_iter().skip(seen).collect();
        if alerts.iter().any(&wanted) || Instant::now() >= deadline {
            return Ok(alerts);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Why a case cannot be tried here, whatever programs there are.
fn impossible(case: &Case, scene: &Scene) -> Option<String> {
    if case.all_parts().any(|part| part.place != Place::Host) && !scene.has_containers() {
        return Some("no runc".to_owned());
    }
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    if case.kernel > case::release(&release) {
        return Some(format!("kernel {release}"));
    }
    None
}

/// A program that a case needs and that is not here.
fn lacking(case: &Case) -> Option<&str> {
    let is_there = |program: &str| {
        let find = format!("command -v {program}");
        Command::new("sh").arg("-c").arg(find).output().is_ok_and(|it| it.status.success())
    };
    case.needs.iter().map(String::as_str).find(|program| !is_there(program))
}

/// Switches all rules on, and has their alerts tell which script they are about.
fn added_rules(cases: &[Case], more: &str) -> Result<String> {
    let mut text = more.to_owned();
    for rule in cases.iter().map(|case| case.rule.as_str()).collect::<BTreeSet<_>>() {
        writeln!(
            text,
            "- rule: {rule}\n  enabled: true\n  output: \" case=%proc.env[{TOKEN}]\"\n  \
             override:\n    enabled: replace\n    output: append"
        )?;
    }
    writeln!(
        text,
        "- rule: {MARKED}\n  desc: The script of a container is done\n  condition: >\n    \
         evt.type in (open, openat, openat2) and fd.name startswith {MARKER}\n  \
         output: marker %fd.name\n  priority: DEBUG"
    )?;
    Ok(text)
}

/// Gives hosts their addresses, for this thread and what it starts.
fn name_hosts(folder: &Path) -> Result<()> {
    let hosts = folder.join("hosts");
    std::fs::write(&hosts, HOSTS)?;
    unshare(CloneFlags::CLONE_NEWNS).context("no mounts of its own")?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).context("mounts are shared")?;
    let place = Path::new("/etc/hosts");
    if !place.exists() {
        std::fs::write(place, "")?;
    }
    mount_bind(&hosts, place).context("cannot name hosts")
}
