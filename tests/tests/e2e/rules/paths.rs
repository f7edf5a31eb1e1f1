//! The path that a rule sees is the one that `/proc/self/fd` tells, however the file
//! was opened.

use std::process::Command;
use std::time::{Duration, Instant};

use landlord_tests::agent::Home;
use landlord_tests::agent::watch::Watch;
use landlord_tests::workload::binary;

use super::{detection, rules};
use crate::stage::{PATIENCE, amount, missed, skip_here};

/// Stands for a path that is not told.
const UNTOLD: &str = "?";

/// The folder is unlike all others; the agent has it among its arguments, too.
fn rule(folder: &str) -> String {
    format!(
        "- rule: Opened\n  desc: d\n  condition: >\n    evt.type in (open, openat, openat2, creat) \
         and evt.rawres >= 0 and proc.args startswith \"paths \" and proc.args contains {folder}\n  output: path=%fd.name\n  \
         priority: NOTICE\n"
    )
}

/// Opens files, and demands that each open was told with a path that is right.
fn check(watch: &mut Watch<'_>, kind: &str, folder: &std::path::Path) {
    let folder = folder.join(kind);
    std::fs::create_dir(&folder).unwrap();
    let before = watch.alerts().unwrap().len();
    let output = Command::new(binary().unwrap())
        .args(["paths", kind, "--rounds", &amount(2000, 200).to_string(), "--folder"])
        .arg(&folder)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    if kind == "layers" && complaint.contains("no file system of layers") {
        skip_here("this kernel has no overlayfs");
        return;
    }
    assert!(output.status.success(), "{kind}: {complaint}");
    let right: Vec<(String, Vec<String>)> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!right.is_empty());

    let told = watch.of_rule("Opened", before).unwrap();
    let told: Vec<&str> =
        told.iter().map(|it| it.field("fd.name").as_str().unwrap_or(UNTOLD)).collect();
    let fence = folder.join("fence").display().to_string();
    let is_fence = |path: &&str| **path == *fence || path.ends_with("/fence");
    // The first is where it is made.
    let fences: Vec<usize> =
        told.iter().enumerate().filter(|(_, path)| is_fence(path)).map(|(at, _)| at).collect();
    let usage = watch.agent().usage().unwrap();
    let missed = missed(&usage);
    if missed > 0 && fences.len() < 3 {
        skip_here(&format!("{missed} events passed the sensors, a fence among them"));
        return;
    }
    let lost = &detection(&usage)["lost_total"];
    let drops = &detection(&usage)["drops"];
    assert_eq!(
        fences.len(),
        3,
        "{kind}: {} of {} opens told, lost {lost}, dropped {drops}",
        told.len(),
        right.len()
    );
    let told = &told[fences[1] + 1..fences[2]];
    // Whoever renames may be interrupted in the midst of it, and then no try finds a whole
    // path. None is told then, rather than a wrong one, and it is counted.
    let untold = told.iter().filter(|path| **path == UNTOLD).count();
    assert!(untold * 20 <= right.len(), "{kind}: {untold} have no path");
    assert!(kind == "renamed" || untold == 0, "{kind}: {untold} have no path");
    let deadline = Instant::now() + PATIENCE;
    while torn(watch) < untold as u64 {
        assert!(Instant::now() < deadline, "{kind}: {untold} have no path, which is not counted");
        std::thread::sleep(Duration::from_millis(100));
    }
    if told.len() < right.len() && missed > 0 {
        check_some(kind, told, &right);
        let lacking = (right.len() - told.len()) as u64;
        assert!(lacking <= missed, "{kind}: {lacking} opens were not told of, {missed} missed");
        return;
    }
    let wrong: Vec<String> = right
        .iter()
        .zip(told)
        .filter(|((_, paths), told)| **told != UNTOLD && !paths.iter().any(|path| path == *told))
        .map(|((how, paths), told)| format!("{how}: told {told:?}, right {paths:?}"))
        .collect();
    assert!(wrong.is_empty(), "{kind}: {} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(told.len(), right.len(), "{kind}: opens told of");
}

/// How many paths could not be read, as far as that is told by now.
fn torn(watch: &Watch<'_>) -> u64 {
    let usage = watch.agent().usage().unwrap();
    detection(&usage)["lost_total"]["path_torn"].as_u64().unwrap()
}

/// Demands that what was told is right and in order, though some is lacking.
fn check_some(kind: &str, told: &[&str], right: &[(String, Vec<String>)]) {
    let mut right = right.iter();
    for told in told {
        let is_right =
            right.any(|(_, paths)| *told == UNTOLD || paths.iter().any(|path| path == told));
        assert!(is_right, "{kind}: told {told:?}, which is wrong or not in order");
    }
}

fn check_kind(kind: &str) {
    if !landlord_tests::may_run() {
        return;
    }
    let folder = tempfile::Builder::new().prefix("landlord-paths-").tempdir().unwrap();
    let file = rules(folder.path(), &rule(&folder.path().display().to_string()));
    let home = Home::new("").unwrap();
    // The longest paths fill a ring of the usual size while an emulated agent is slow.
    let mut watch = home.watch(&[file], &["--events-buffer", "32"]).unwrap();
    check(&mut watch, kind, folder.path());
}

#[test]
fn names_links_and_descriptors() {
    check_kind("plain");
}

#[test]
fn paths_as_long_as_the_kernel_allows() {
    check_kind("long");
}

#[test]
fn folders_that_are_renamed_meanwhile() {
    check_kind("renamed");
}

#[test]
fn mounts_and_their_namespaces() {
    check_kind("mounts");
}

#[test]
fn layers() {
    check_kind("layers");
}

#[test]
fn other_roots() {
    check_kind("roots");
}
