//! The agent in the chart's own pod: what the chart grants is enough, and it says what is
//! lost without each capability of it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use landlord_tests::agent::{Agent, Home};
use landlord_tests::container;
use landlord_tests::netns::Namespace;
use landlord_tests::pod::{Pod, capabilities};
use landlord_tests::truth::{exactly, must_fail};
use landlord_tests::workload::Order;
use serde_json::{Value, json};

use crate::stage::{PATIENCE, has_minutes, skip_here, tenant};

/// `nobody` on every Linux system.
const NOBODY: u32 = 65534;
/// What only its own user may read of the process that was there before the agent.
const SECRET: &str = "LANDLORD_ELDER=sesame";

/// What the pod lacks without a capability.
enum Loss {
    /// The agent does not start; the row of `doctor` that says so.
    Start(&'static str),
    /// Rules know less; the row of `doctor` that says so.
    Rules(&'static str),
    /// Nothing, on this kernel.
    Nothing,
}

impl Loss {
    fn of(capability: &str) -> Self {
        match capability {
            "BPF" | "PERFMON" | "NET_ADMIN" => Self::Start("privileges"),
            "SYS_PTRACE" => Self::Rules("other processes"),
            "DAC_READ_SEARCH" => Self::Rules("other users' files"),
            "SYSLOG" => Self::Rules("kernel symbols"),
            "SYS_RESOURCE" if is_before_5_11() => Self::Start("locked memory"),
            "SYS_RESOURCE" => Self::Nothing,
            other => panic!("nobody says what {other} is for"),
        }
    }
}

fn is_before_5_11() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    release.starts_with("5.10.")
}

/// Whether the pod can be made here; says so if not.
pub(crate) fn may_confine() -> bool {
    if !landlord_tests::may_run() {
        return false;
    }
    if !container::is_there() {
        skip_here("runc is not there");
        return false;
    }
    let agent = Home::new("").unwrap().command().get_program().to_owned();
    let text = fs::read(agent).unwrap();
    let loader = b"/lib64/ld-linux";
    if text[..text.len().min(4096)].windows(loader.len()).any(|bytes| bytes == loader) {
        skip_here("the agent is not static, and the pod has no libraries");
        return false;
    }
    true
}

/// A process of another user that opens a file when it is told.
struct Elder {
    child: Child,
    _folder: tempfile::TempDir,
    rules: PathBuf,
}

impl Elder {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("landlord-elder-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x\n").unwrap();
        let (name, value) = SECRET.split_once('=').unwrap();
        let child = Command::new("sh")
            .args(["-c", &format!("read word; read line <{}; echo; read word", file.display())])
            .env_clear()
            .env(name, value)
            .uid(NOBODY)
            .gid(NOBODY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let rules = folder.path().join("rules.yaml");
        let rule = format!(
            "- rule: Elder\n  desc: d\n  condition: evt.type in (open, openat, openat2) and fd.name = {}\n  \
             output: exe=%proc.exepath env=%proc.env user=%user.uid\n  priority: NOTICE\n",
            file.display()
        );
        fs::write(&rules, rule).unwrap();
        Self { child, _folder: folder, rules }
    }

    /// Starts an agent, lets the process open its file and gives the fields of the alert.
    fn seen_by(&mut self, home: &Home) -> Value {
        let rules = home.keep(&self.rules).unwrap();
        let mut watch = home.watch(&[rules], &[]).unwrap();
        self.child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
        self.child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let mut alerts = watch.of_rule("Elder", 0).unwrap();
        assert_eq!(alerts.len(), 1, "{alerts:?}\n{}", home.log());
        alerts.remove(0).0["output_fields"].take()
    }

    /// Its program.
    fn program(&self) -> PathBuf {
        fs::read_link(format!("/proc/{}/exe", self.child.id())).unwrap()
    }
}

impl Drop for Elder {
    fn drop(&mut self) {
        // Both fail only when it has already ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The value of a line of `/proc/PID/status`.
fn status(pid: u32, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap().trim().to_owned()
}

/// The agent is confined as the chart says, seen from outside.
fn check_confined(agent: &Agent<'_>, pid: u32) {
    let bits = |name: &str| u64::from_str_radix(&status(pid, name), 16).unwrap();
    let bit = |name: &str| match name {
        "DAC_READ_SEARCH" => 2,
        "NET_ADMIN" => 12,
        "SYS_PTRACE" => 19,
        "SYS_RESOURCE" => 24,
        "SYSLOG" => 34,
        "PERFMON" => 38,
        "BPF" => 39,
        other => panic!("{other} has no number here"),
    };
    let granted = capabilities().unwrap().iter().fold(0, |all, name| all | 1_u64 << bit(name));
    let own = u64::from_str_radix(&status(std::process::id(), "CapBnd"), 16).unwrap();
    for set in ["CapEff", "CapPrm", "CapBnd"] {
        assert_eq!(bits(set), granted & own, "{set} of {}", agent.pid());
    }
    assert_eq!((bits("CapInh"), bits("CapAmb")), (0, 0));
    assert_eq!(status(pid, "NoNewPrivs"), "1");
    assert_eq!(status(pid, "Seccomp"), "2", "no filter of calls");
    let mounts = fs::read_to_string(format!("/proc/{pid}/mounts")).unwrap();
    let root = mounts.lines().rfind(|line| line.split(' ').nth(1) == Some("/")).unwrap();
    assert!(root.split(' ').nth(3).unwrap().split(',').any(|option| option == "ro"), "{root}");
}

#[test]
fn the_charts_pod_meters_and_watches() {
    if !may_confine() {
        return;
    }
    let mut elder = Elder::new();
    let program = elder.program();
    let home = Home::in_pod(Pod::new(None).unwrap()).unwrap();
    let fields = elder.seen_by(&home);
    assert_eq!(fields["proc.exepath"], json!(program), "{fields}");
    assert!(fields["proc.env"].as_str().unwrap().contains(SECRET), "{fields}");
    assert_eq!(fields["user.uid"], NOBODY);

    let agent = home.start().unwrap();
    check_confined(&agent, home.pod().unwrap().agent_pid().unwrap());
    let (cgroup, tenant) = tenant("confined");
    Order::new(["syscalls", "--count", "12345"]).inside(&cgroup).run(PATIENCE).unwrap();
    let calls = agent.usage().unwrap().count(&tenant, "syscalls_total/getppid").unwrap();
    exactly("getppid", calls, 12345).unwrap();
    must_fail("getppid", &exactly("getppid", calls, 12344)).unwrap();
    let (sent, nowhere) = (["udp-alone", "--count", "100", "--bytes", "1000"], Namespace::lonely());
    Order::new(sent).inside(&cgroup).networked(&nowhere.unwrap()).run(PATIENCE).unwrap();
    let bytes = |agent: &Agent<'_>| {
        agent.usage().unwrap().count(&tenant, "network_bytes_total/transmit/ipv4").unwrap()
    };
    // A header of IPv4 and one of UDP each.
    exactly("bytes", bytes(&agent), 100 * (1000 + 20 + 8)).unwrap();
    assert!(agent.terminate().unwrap().success(), "{}", home.log());
    // The next one takes over what is pinned.
    Order::new(["syscalls", "--count", "55"]).inside(&cgroup).run(PATIENCE).unwrap();
    let agent = home.start().unwrap();
    let calls = agent.usage().unwrap().count(&tenant, "syscalls_total/getppid").unwrap();
    exactly("getppid", calls, 12345 + 55).unwrap();
    assert!(!home.log().contains("without CAP_"), "{}", home.log());
}

/// What `doctor` says in the pod: whether the agent can run, and the rows that lack.
fn doctor(home: &Home) -> (bool, Vec<Value>) {
    let output = home.command_of(&["doctor", "--output", "json"]).unwrap().output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let rows = report["checks"].as_array().unwrap().iter();
    let lacks = rows.filter(|row| row["reason"].as_str().is_some_and(|why| !why.is_empty()));
    (output.status.success(), lacks.cloned().collect())
}

#[test]
fn doctor_and_log_tell_what_is_lost_without_each_capability() {
    if !may_confine() {
        return;
    }
    if !has_minutes() {
        return skip_here("it takes minutes; ask for it by its name");
    }
    let (runs, usual) = doctor(&Home::in_pod(Pod::new(None).unwrap()).unwrap());
    assert!(runs, "{usual:?}");
    for capability in capabilities().unwrap() {
        let home = Home::in_pod(Pod::new(Some(&capability)).unwrap()).unwrap();
        let name = format!("CAP_{capability}");
        let (runs, lacks) = doctor(&home);
        let more: Vec<&Value> = lacks.iter().filter(|row| !usual.contains(row)).collect();
        let check_row = |row: &str| {
            assert!(more.iter().any(|it| it["name"] == row), "{name}: no {row} in {more:?}");
            let text = format!("{more:?}");
            assert!(text.contains(&name), "{text} does not name {name}");
        };
        match Loss::of(&capability) {
            Loss::Start(row) => {
                assert!(!runs, "{name}: {lacks:?}");
                check_row(row);
                let error = home.start().unwrap_err();
                let said = format!("{error:#}");
                assert!(said.contains("ended") && said.contains(&name), "{name}: {said}");
            }
            Loss::Rules(row) => {
                assert!(runs, "{name}: {lacks:?}");
                check_row(row);
                let _agent = home.start_watching(&[]).unwrap();
                assert!(home.log().contains(&name), "{name}: {}", home.log());
            }
            Loss::Nothing => {
                assert!(runs && more.is_empty(), "{name}: {more:?}");
                home.start().unwrap();
            }
        }
    }
}

#[test]
fn what_rules_lose_without_two_of_them_is_lost() {
    if !may_confine() {
        return;
    }
    let check = |capability: &str, field: &str| {
        let mut elder = Elder::new();
        let home = Home::in_pod(Pod::new(Some(capability)).unwrap()).unwrap();
        let fields = elder.seen_by(&home);
        let value = fields[field].as_str().unwrap_or_default();
        let is_lost = value.is_empty() || value == "<NA>";
        assert!(is_lost, "{field} is there without {capability}: {fields}");
    };
    check("SYS_PTRACE", "proc.exepath");
    check("DAC_READ_SEARCH", "proc.env");
}
