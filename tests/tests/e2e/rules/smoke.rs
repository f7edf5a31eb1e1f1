//! A file is opened, a program is run: the rules say so, and nothing else.

use std::path::PathBuf;

use landlord_tests::agent::Home;
use serde_json::json;

const RULES: &str = "\
- rule: Secret read
  desc: d
  condition: evt.type in (open, openat, openat2) and fd.name endswith /secret and evt.is_open_read=true
  output: file=%fd.name process=%proc.name parent=%proc.pname flags=%evt.arg.flags
  priority: WARNING
- rule: Program run
  desc: d
  condition: evt.type = execve and evt.rawres = 0 and proc.name = sleep and proc.args contains landlord-lab
  output: exe=%proc.exepath cmdline=%proc.cmdline cwd=%proc.cwd
  priority: NOTICE
";

#[test]
fn alerts_tell_what_happened() {
    if !landlord_tests::may_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yaml");
    std::fs::write(&rules, RULES).unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "x").unwrap();
    let home = Home::new("").unwrap();
    let mut watch = home.watch(&[rules], &[]).unwrap();

    let shell =
        "cat secret >/dev/null; cat other secret.not >/dev/null 2>&1; true landlord-lab-argument";
    let status = std::process::Command::new("sh")
        .args(["-c", &format!("{shell}; /bin/busybox true x 2>/dev/null; exec sleep 0")])
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(status.success());
    let child = std::process::Command::new("sleep").args(["0", "landlord-lab-argument"]).status();
    assert!(!child.unwrap().success(), "sleep refuses the argument");

    let found = watch.of_rule("Secret read", 0).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].field("fd.name"), &json!(secret.display().to_string()));
    assert_eq!(found[0].field("proc.pname"), &json!("sh"));
    let run = watch.of_rule("Program run", 0).unwrap();
    assert_eq!(run.len(), 1, "{run:?}");
    let cmdline = run[0].field("proc.cmdline");
    assert_eq!(cmdline, &json!("sleep 0 landlord-lab-argument"));
    let here: PathBuf = std::env::current_dir().unwrap();
    let cwd = format!("{}/", here.display().to_string().trim_end_matches('/'));
    assert_eq!(run[0].field("proc.cwd"), &json!(cwd));
}
