//! A recording gives the alerts that were raised when it was made, as often as it is
//! read; one that was cut says so.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use landlord_tests::agent::Home;
use landlord_tests::agent::watch::Alert;
use rustix::process::{Pid, Signal, kill_process};

use super::rules;
use crate::stage::{amount, emulated, skips_sensors};

/// How often it is tried where it may fail for the kernel's sake.
const ATTEMPTS: u32 = 4;
const CONFIGURATION: &str = "rules:\n  match: all\nalerts:\n  repeats: 0s\n";

fn rule_text(folder: &str) -> String {
    format!(
        "- rule: Opened\n  desc: d\n  condition: >\n    evt.type in (open, openat, openat2) and \
         fd.name startswith {folder}/seen\n  output: >\n    %evt.time %fd.name %proc.name %proc.pid \
         %proc.cmdline %proc.pname %proc.aname[2] %user.name %evt.arg.flags %container.id\n  \
         priority: NOTICE\n\
         - rule: Run\n  desc: d\n  condition: >\n    evt.type = execve and evt.rawres = 0 and \
         proc.args contains {folder}\n  output: >\n    %evt.time %proc.exepath %proc.cmdline \
         %proc.pid %proc.ppid %proc.cwd %proc.pname\n  priority: NOTICE\n\
         - rule: Ended\n  desc: d\n  condition: >\n    evt.type = procexit and \
         proc.args contains {folder}\n  output: >\n    %evt.time %proc.exepath %proc.pid %proc.duration\n  \
         priority: NOTICE\n"
    )
}

/// Rules and fields of alerts, sorted. Two agents look at the
/// clock one after the other.
fn essence(alerts: impl IntoIterator<Item = Alert>) -> Vec<String> {
    let mut all: Vec<String> = alerts
        .into_iter()
        .map(|mut alert| {
            let fields = alert.0["output_fields"].as_object_mut().unwrap();
            for clock in ["evt.time", "proc.duration"] {
                fields.remove(clock);
            }
            format!("{}: {}", alert.rule(), alert.0["output_fields"])
        })
        .collect();
    all.sort_unstable();
    all
}

fn replay(home: &Home, file: &Path, rules: &Path) -> Output {
    let mut command = home.command();
    command.arg("replay").arg(file).arg("--rules").arg(rules);
    command.args(["--match", "all", "--repeats", "0s", "-o", "json"]).output().unwrap()
}

fn alerts(output: &Output) -> Vec<Alert> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| Alert(serde_json::from_str(line).unwrap())).collect()
}

/// What the rules look for, by many short programs.
fn act(folder: &str, rounds: u32) {
    let script = format!(
        "i=0; while [ $i -lt {rounds} ]; do i=$((i+1)); echo $i >{folder}/seen-$i; \
         (cat {folder}/seen-$i; cat {folder}/absent-$i) >/dev/null 2>&1; done; \
         ln -s seen-1 {folder}/link; cat {folder}/link >/dev/null"
    );
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
}

#[test]
fn a_recording_gives_the_same_alerts() {
    if !landlord_tests::may_run() {
        return;
    }
    // The agent and the recorder have sensors of their own, and the kernel may skip either's.
    for _ in 1..if skips_sensors() { ATTEMPTS } else { 1 } {
        match differences() {
            None => return,
            Some(differences) => println!("once more: {differences}"),
        }
    }
    assert_eq!(differences(), None);
}

/// Records what an agent watches; how the alerts of the two differ, if they do.
fn differences() -> Option<String> {
    let folder = tempfile::Builder::new().prefix("landlord-replay-").tempdir().unwrap();
    let text = folder.path().display().to_string();
    let file = rules(folder.path(), &rule_text(&text));
    let configuration = folder.path().join("landlord.yaml");
    fs::write(&configuration, CONFIGURATION).unwrap();
    let recording = folder.path().join("recording");
    let home = Home::new("").unwrap();
    let mut watch = home.watch(std::slice::from_ref(&file), &[]).unwrap();

    // One that was there before the recording is in it, too.
    let mut early = Command::new("sh")
        .args(["-c", &format!("read word; cat {text}/seen-1 # {text}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut recorder = home
        .command()
        .args(["record", "--duration", if emulated() { "10m" } else { "8s" }, "-o"])
        .arg(&recording)
        .arg("--rules")
        .arg(&file)
        .arg("--config")
        .arg(&configuration)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(recorder.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("recording") {
        assert_ne!(log.read_line(&mut said).unwrap(), 0, "no recording: {said}");
    }
    // The recorder itself was started before it recorded.
    watch.settle().unwrap();
    let before = watch.alerts().unwrap().len();
    act(&text, amount(20, 5).try_into().unwrap());
    drop(early.stdin.take());
    early.wait().unwrap();
    watch.settle().unwrap();
    let live: Vec<Alert> = watch.alerts().unwrap().split_off(before);
    assert!(recorder.try_wait().unwrap().is_none(), "the recording was over too soon");
    if emulated() {
        // How long all of this takes there is not to be foreseen.
        kill_process(Pid::from_child(&recorder), Signal::TERM).unwrap();
    }
    log.read_to_string(&mut said).unwrap();
    let output = recorder.wait_with_output().unwrap();
    assert!(output.status.success(), "{said}");
    let summary = String::from_utf8(output.stdout).unwrap();

    let first = replay(&home, &recording, &file);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let second = replay(&home, &recording, &file);
    assert_eq!(first.stdout, second.stdout, "two replays differ");
    let replayed = alerts(&first);
    let mut by_rule = BTreeMap::<&str, usize>::new();
    for alert in &replayed {
        *by_rule.entry(alert.rule()).or_default() += 1;
    }
    println!("{}; replayed {by_rule:?}", summary.trim());
    assert!(summary.contains(&format!(", {} alerts, 0 records lost", replayed.len())), "{summary}");
    assert!(by_rule.len() == 3, "{by_rule:?}");
    let (live, replayed) = (essence(live), essence(replayed));
    let differing = live.iter().zip(&replayed).find(|(live, replayed)| live != replayed);
    if differing.is_some() || live.len() != replayed.len() {
        let (live, replayed) = (live.len(), replayed.len());
        return Some(format!("{live} live, {replayed} replayed, first {differing:#?}"));
    }
    check_cut(&home, &recording, &file, replayed.len());
    None
}

/// A recording that ends too soon gives its alerts, and an error that says so.
fn check_cut(home: &Home, recording: &Path, rules: &Path, whole: usize) {
    let bytes = fs::read(recording).unwrap();
    for len in [bytes.len() - 1, bytes.len() / 2, 40, 3, 0] {
        fs::write(recording, &bytes[..len]).unwrap();
        let output = replay(home, recording, rules);
        let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert_eq!(output.status.code(), Some(1), "{len} of {} bytes: {said}", bytes.len());
        let says_so = ["cut", "incomplete", "ends", "truncated", "end of", "not a recording"];
        assert!(says_so.iter().any(|word| said.contains(word)), "{len} bytes: {said}");
        let alerts = alerts(&output).len();
        println!("{len} of {} bytes: {alerts} of {whole} alerts; {}", bytes.len(), said.trim());
        assert!(alerts <= whole);
    }
    let mut bytes = bytes;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(recording, &bytes).unwrap();
    let output = replay(home, recording, rules);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "a damaged one: {said}");
}
