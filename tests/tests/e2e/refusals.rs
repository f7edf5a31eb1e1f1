//! What cannot be done is refused with one clear error, and nothing is left behind.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use landlord_tests::agent::Home;

use crate::stage::home;

/// Runs the agent as `command` says and demands that it fails with exit code 1
/// and an error that has all of `words`.
fn check_refused(home: &Home, mut command: Command, words: &[&str]) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(stdout.is_empty(), "{}", String::from_utf8_lossy(&stdout));
    for word in words {
        assert!(said.contains(word), "no `{word}` in:\n{said}");
    }
    assert_eq!(said.matches("error: ").count(), 1, "not one error:\n{said}");
    assert!(said.lines().count() <= 14, "too long:\n{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(!home.pin().exists() || pins(home) == 0, "something is pinned");
}

fn pins(home: &Home) -> usize {
    std::fs::read_dir(home.pin()).unwrap().count()
}

fn check_configuration(yaml: &str, words: &[&str]) {
    if !landlord_tests::may_run() {
        return;
    }
    let home = Home::new(yaml).unwrap();
    check_refused(&home, home.run_command(false), words);
}

#[test]
fn an_unknown_key() {
    check_configuration("intervall: 5s\n", &["landlord.yaml:1:1", "intervall", "interval"]);
}

#[test]
fn a_value_of_the_wrong_type() {
    check_configuration("interval: 5s\nmax_cgroups: many\n", &["landlord.yaml:2:", "max_cgroups"]);
}

#[test]
fn a_value_out_of_range() {
    check_configuration("max_cgroups: 1000000\n", &["landlord.yaml:1:", "4095"]);
}

#[test]
fn an_empty_file() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let place = tempfile::Builder::new().prefix("landlord-e2e-").tempdir().unwrap();
    let file = place.path().join("landlord.yaml");
    std::fs::write(&file, "").unwrap();
    let mut command = home.command();
    command.args(["run", "--listen", "127.0.0.1:0", "--pin-path"]).arg(home.pin());
    command.arg("--config").arg(&file);
    check_refused(&home, command, &["landlord.yaml", "empty"]);
}

#[test]
fn a_megabyte_of_garbage() {
    let garbage: String = (33_u8..123).cycle().step_by(7).take(1 << 20).map(char::from).collect();
    check_configuration(&garbage, &["landlord.yaml"]);
}

#[test]
fn a_busy_port() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let _busy = TcpListener::bind(home.address()).unwrap();
    let port = home.address().port().to_string();
    check_refused(&home, home.run_command(false), &[&port, "--listen"]);
}

#[test]
fn a_second_agent() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let _agent = home.start().unwrap();
    let mut second = home.command();
    second.args(["run", "--listen", "127.0.0.1:0", "--pin-path"]).arg(home.pin());
    let Output { status, stderr, .. } = second.output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("another landlord agent is running"), "{said}");
    assert!(pins(&home) > 0, "the first agent's pins are gone");
}

#[test]
fn a_user_without_privileges() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    // Where nobody may look: a copy that everyone can run.
    let place = tempfile::Builder::new().prefix("landlord-bin-").tempdir().unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = place.path().join("landlord");
    std::fs::copy(home.command().get_program(), &copy).unwrap();
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).unwrap();
    for arguments in [&["run", "--listen", "127.0.0.1:0"][..], &["doctor"]] {
        let mut command = Command::new(&copy);
        command.args(arguments).current_dir("/");
        // `nobody` on every Linux system.
        std::os::unix::process::CommandExt::uid(&mut command, 65534);
        std::os::unix::process::CommandExt::gid(&mut command, 65534);
        let Output { status, stdout, stderr } = command.output().unwrap();
        let said = String::from_utf8_lossy(&stderr) + String::from_utf8_lossy(&stdout);
        assert_eq!(status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("CAP_BPF"), "{arguments:?}: {said}");
        assert!(said.contains("root"), "{arguments:?}: {said}");
    }
}
