//! A recording made in a cluster has whose pods they were, also of those told of late.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{Cluster, Pod, TENANT};
use crate::stage::is_too_long;

const RULES: &str = "\
- rule: Secret read
  desc: d
  condition: evt.type in (open, openat, openat2) and fd.name endswith /secret and evt.is_open_read=true
  output: >
    %tenant.name %k8s.ns.name %k8s.pod.name %k8s.pod.uid %k8s.pod.label[app] %tenant.labels[team]
  priority: NOTICE
";

/// Longer than the recorder takes to hear of a change and to look at all cgroups again.
const HEARD: Duration = Duration::from_secs(3);

#[test]
fn a_recording_keeps_whose_pods_they_were() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let folder = tempfile::Builder::new().prefix("landlord-record-").tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("rules.yaml"), RULES).unwrap();
    std::fs::write(at("secret"), "x").unwrap();
    let cluster = Cluster::new();
    let (known, late) = (Pod::new("blue", "known", 41), Pod::new("green", "late", 42));
    cluster.put(&known);
    std::fs::write(at("landlord.yaml"), cluster.configuration("alerts: { repeats: 0s }\n"))
        .unwrap();
    let home = cluster.home();
    let mut recorder = home.command();
    recorder.arg("record").arg("-o").arg(at("recording"));
    recorder.arg("--rules").arg(at("rules.yaml")).arg("--config").arg(at("landlord.yaml"));
    let mut recorder = recorder.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(recorder.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("recording") {
        assert_ne!(log.read_line(&mut said).unwrap(), 0, "no recording: {said}");
    }
    std::thread::sleep(HEARD);
    known.read(&at("secret"));
    late.read(&at("secret"));
    std::thread::sleep(Duration::from_millis(300));
    cluster.put(&late);
    std::thread::sleep(HEARD);
    // The same pod, now another tenant's.
    let labels = json!({TENANT: "tin", "team": "smelting"});
    let namespace = json!({"kind": "Namespace", "metadata": {"name": "blue", "labels": labels}});
    cluster.server.put(namespace).unwrap();
    std::thread::sleep(HEARD);
    known.read(&at("secret"));
    std::thread::sleep(HEARD);
    kill_process(Pid::from_child(&recorder), Signal::TERM).unwrap();
    log.read_to_string(&mut said).unwrap();
    assert!(recorder.wait().unwrap().success(), "{said}");

    // Nobody is asked any more.
    cluster.server.close();
    let mut replay = home.command();
    replay.arg("replay").arg(at("recording")).arg("--rules").arg(at("rules.yaml"));
    let output = replay.args(["--repeats", "0s", "-o", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names = [
        "tenant.name",
        "k8s.ns.name",
        "k8s.pod.name",
        "k8s.pod.uid",
        "k8s.pod.label[app]",
        "tenant.labels[team]",
    ];
    let alerts: Vec<Vec<Value>> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["output_fields"].take())
        .map(|fields| names.iter().map(|name| fields[name].clone()).collect())
        .collect();
    let row = |tenant: &str, pod: &Pod, team: &str| -> Vec<Value> {
        let Pod { namespace, name, uid, .. } = pod;
        [tenant, namespace, name, uid, name, team].map(Value::from).to_vec()
    };
    let expected = [
        row("acme", &known, "drilling"),
        row("oil", &late, "drilling"),
        row("tin", &known, "smelting"),
    ];
    assert_eq!(alerts, expected, "{text}");
}
