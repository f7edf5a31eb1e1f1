//! The empty programs that the benchmark compares with attach on this kernel.

#![expect(clippy::unwrap_used, reason = "a test that panics keeps its trace")]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use landlord_tests::agent::Home;

/// All hooks, in the words of `landlord floor`.
const HOOKS: &str = "sys_exit,sched_switch,sched_wakeup,sched_wakeup_new,sched_process_exit,\
                     cgroup_mkdir,cgroup_rmdir,cgroup_attach_task,ingress,egress";

fn floor(hooks: &str) -> Command {
    let mut floor = Home::new("").unwrap().command();
    floor.args(["floor", "--hooks", hooks]).stdin(Stdio::null());
    floor
}

#[test]
fn empty_programs_attach_to_every_hook() {
    if !landlord_tests::may_run() {
        return;
    }
    let mut held = floor(HOOKS).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(held.stdout.take().unwrap()).read_line(&mut line).unwrap();
    held.kill().unwrap();
    held.wait().unwrap();
    assert_eq!(line, "ready\n");
}

#[test]
fn an_unknown_hook_is_refused() {
    if !landlord_tests::may_run() {
        return;
    }
    let output = floor("sys_exit,no_such_hook").output().unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no_such_hook"), "{said}");
}
