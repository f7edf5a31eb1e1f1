//! A real Prometheus scrapes a real agent.

#![expect(clippy::unwrap_used, reason = "a test that panics keeps its trace")]

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use landlord_tests::agent::Home;
use landlord_tests::cgroup::Hierarchy;
use landlord_tests::workload::Order;

const PATIENCE: Duration = Duration::from_secs(60);

/// A Prometheus that ends with its value.
struct Prometheus {
    process: Child,
    promtool: OsString,
    url: String,
}

impl Prometheus {
    fn start(binary: &OsString, promtool: OsString, place: &Path, target: &str) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let listen = port.local_addr().unwrap().to_string();
        drop(port);
        let configuration = place.join("prometheus.yml");
        let text = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\n\
             scrape_configs:\n  \
             - {{ job_name: landlord, static_configs: [ {{ targets: [ '{target}' ] }} ] }}\n"
        );
        std::fs::write(&configuration, text).unwrap();
        let process = Command::new(binary)
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.tsdb.path={}", place.join("data").display()))
            .arg(format!("--web.listen-address={listen}"))
            .arg("--log.level=error")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, promtool, url: format!("http://{listen}") }
    }

    /// The answer to a query, once there is one that has `expected`.
    fn wait_for(&self, query: &str, expected: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = Command::new(&self.promtool)
                .args(["query", "instant", &self.url, query])
                .output()
                .unwrap();
            let answer = String::from_utf8_lossy(&output.stdout).into_owned();
            if answer.contains(expected) {
                return answer;
            }
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(Instant::now() < deadline, "{query}: no `{expected}` in `{answer}` {error}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // Both fail only when it has already ended.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn prometheus_finds_the_agent_up_and_its_counters_right() {
    if !landlord_tests::may_run() {
        return;
    }
    let named = |name| std::env::var_os(name);
    let (Some(binary), Some(promtool)) = (named("LANDLORD_PROMETHEUS"), named("LANDLORD_PROMTOOL"))
    else {
        println!("SKIPPED: no Prometheus; `cargo xtask setup` fetches it");
        return;
    };
    let home = Home::new("interval: 1s\n").unwrap();
    let agent = home.start().unwrap();
    let cgroup = Hierarchy::find().unwrap().create("landlord-e2e-scraped.slice").unwrap();
    Order::new(["syscalls", "--count", "31415"]).inside(&cgroup).run(PATIENCE).unwrap();
    let place = tempfile::tempdir().unwrap();
    let target = home.address().to_string();
    let prometheus = Prometheus::start(&binary, promtool, place.path(), &target);
    prometheus.wait_for("up{job=\"landlord\"}", "=> 1 ");
    let calls =
        "landlord_tenant_syscalls_total{tenant=\"landlord-e2e-scraped\",syscall=\"getppid\"}";
    prometheus.wait_for(calls, "=> 31415 ");
    // A target that is not there is down: the check above can fail.
    agent.terminate().unwrap();
    prometheus.wait_for("up{job=\"landlord\"}", "=> 0 ");
}

#[test]
fn alerting_rules_fire_when_they_should() {
    let Some(promtool) = std::env::var_os("LANDLORD_PROMTOOL") else {
        println!("SKIPPED: no promtool; `cargo xtask setup` fetches it");
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/prometheus");
    let run = |args: &[&str]| {
        let output = Command::new(&promtool).args(args).current_dir(&folder).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&said));
    };
    run(&["check", "rules", "landlord.rules.yaml"]);
    run(&["test", "rules", "landlord.test.yaml"]);
}
