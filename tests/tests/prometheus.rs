//! A real Prometheus scrapes a real agent.

#![expect(clippy::unwrap_used, reason = "a test that panics keeps its trace")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use landlord_tests::agent::Home;
use landlord_tests::agent::http::{Secured, get, get_secured};
use landlord_tests::apiserver::Authority;
use landlord_tests::cgroup::Hierarchy;
use landlord_tests::prometheus::{Prometheus, Setup};
use landlord_tests::workload::Order;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);
const UP: &str = "up{job=\"landlord\"}";

/// Waits until an expression has this value.
fn wait_for(prometheus: &Prometheus, expr: &str, value: f64) {
    prometheus.wait_for(PATIENCE, expr, |it| it == value).unwrap();
}

/// Traces in the exemplars of an expression, once there are some.
fn traces(prometheus: &Prometheus, expr: &str) -> BTreeSet<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let exemplars = prometheus.exemplars(expr).unwrap();
        if !exemplars.is_empty() {
            let trace = |it: &Value| it["labels"]["trace_id"].as_str().unwrap().to_owned();
            return exemplars.iter().map(trace).collect();
        }
        assert!(Instant::now() < deadline, "no exemplars of {expr}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn prometheus_finds_the_agent_up_and_its_counters_right() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = Home::new("interval: 1s\n").unwrap();
    let agent = home.start().unwrap();
    let cgroup = Hierarchy::find().unwrap().create("landlord-e2e-scraped.slice").unwrap();
    Order::new(["syscalls", "--count", "31415"]).inside(&cgroup).run(PATIENCE).unwrap();
    let Some(prometheus) = Prometheus::start(&Setup::of(home.address())).unwrap() else { return };
    wait_for(&prometheus, UP, 1.0);
    let calls =
        "landlord_tenant_syscalls_total{tenant=\"landlord-e2e-scraped\",syscall=\"getppid\"}";
    wait_for(&prometheus, calls, 31415.0);
    // A target that is not there is down: the check above can fail.
    agent.terminate().unwrap();
    wait_for(&prometheus, UP, 0.0);
}

/// Files by which an agent and who asks it come together.
struct Keys {
    folder: tempfile::TempDir,
}

impl Keys {
    const NAME: &'static str = "agent.landlord.test";

    fn new() -> Self {
        let keys = Self { folder: tempfile::tempdir().unwrap() };
        keys.renew();
        keys.trust();
        keys.put("token", "first");
        keys.put("said", "first");
        keys
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As the kubelet replaces files of a Secret: never half.
    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path("new"), text).unwrap();
        std::fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    /// Another authority signs another certificate; what clients trust stays.
    fn renew(&self) {
        let authority = Authority::new("landlord-lab").unwrap();
        let (certificate, key) = authority.certify(Self::NAME).unwrap();
        self.put("tls.key", &key);
        self.put("tls.crt", &certificate);
        self.put("signer.crt", authority.pem());
    }

    /// Lets clients trust who signed.
    fn trust(&self) {
        let signer = std::fs::read_to_string(self.path("signer.crt")).unwrap();
        self.put("ca.crt", &signer);
    }

    fn of_client(&self) -> Secured {
        let token = Some(self.path("said"));
        Secured { authority: self.path("ca.crt"), name: Self::NAME.to_owned(), token }
    }
}

const RULES: &str = "\
- rule: Secret read
  desc: d
  condition: evt.type in (open, openat, openat2) and fd.name endswith /secret
  output: file=%fd.name number %evt.num
  priority: WARNING
";

#[test]
fn prometheus_scrapes_a_secured_agent_and_keeps_traces_of_alerts() {
    if !landlord_tests::may_run() {
        return;
    }
    let keys = Keys::new();
    let file = |name: &str| keys.path(name).display().to_string();
    keys.put("rules.yaml", RULES);
    keys.put("secret", "x");
    // Nobody is there who takes traces: they wait, and are traces all the same.
    let mut home = Home::new(&format!(
        "interval: 1s\napi: {{ certificate_file: '{}', key_file: '{}', token_file: '{}' }}\n\
         otlp: {{ endpoint: 'http://127.0.0.1:1', metrics: false, logs: false, traces: true }}\n\
         spool: {{ path: '{}' }}\n",
        file("tls.crt"),
        file("tls.key"),
        file("token"),
        file("spool"),
    ))
    .unwrap();
    home.secure(keys.of_client());
    let mut watch = home.watch(&[keys.path("rules.yaml")], &[]).unwrap();
    let how = format!(
        "scheme: https\n    tls_config: {{ ca_file: '{}', server_name: {} }}\n    authorization: \
         {{ credentials_file: '{}' }}\n    ",
        file("ca.crt"),
        Keys::NAME,
        file("said"),
    );
    let setup = Setup { how: &how, ..Setup::of(home.address()) };
    let Some(prometheus) = Prometheus::start(&setup).unwrap() else { return };
    wait_for(&prometheus, UP, 1.0);

    let read = Command::new("cat").arg(keys.path("secret")).stdout(Stdio::null()).status();
    assert!(read.unwrap().success());
    let alerts = watch.of_rule("Secret read", 0).unwrap();
    let ids: BTreeSet<String> =
        alerts.iter().map(|it| it.0["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(traces(&prometheus, "landlord_alerts_total{rule=\"Secret read\"}"), ids);
    let page = watch.agent().metrics().unwrap();
    assert!(!page.contains("trace_id"), "nobody asked for OpenMetrics");

    // Who does not know the token, or asks without TLS, is told nothing.
    let stranger = Secured { token: None, ..keys.of_client() };
    let asked = |path: &str| get_secured(home.address(), path, &stranger);
    assert_eq!(asked("/healthz").unwrap(), "ok\n");
    assert!(format!("{:#}", asked("/metrics").unwrap_err()).contains("401"));
    assert!(get(home.address(), "/metrics").is_err());
    let told = |more: &[&str]| {
        let address = home.address().to_string();
        let mut command = home.command();
        command.args(["top", "--once", "--address", &address]).args(more);
        command.output().unwrap().status.success()
    };
    let configuration = home.configuration_file().display().to_string();
    assert!(told(&["--config", &configuration]));
    assert!(!told(&[]));

    // Replaced files count without a restart, at both ends.
    keys.put("token", "second");
    wait_for(&prometheus, UP, 0.0);
    keys.put("said", "second");
    wait_for(&prometheus, UP, 1.0);
    // Connections go on with the certificate that they began with; new ones have the new one.
    keys.renew();
    let deadline = Instant::now() + PATIENCE;
    while asked("/healthz").is_ok() {
        assert!(Instant::now() < deadline, "the old certificate is still shown");
        std::thread::sleep(Duration::from_millis(300));
    }
    keys.trust();
    assert_eq!(asked("/healthz").unwrap(), "ok\n");
    assert!(told(&["--config", &configuration]));
    wait_for(&prometheus, UP, 1.0);
    let refused = "landlord_api_requests_total{page=\"/metrics\",status=\"401\"}";
    prometheus.wait_for(PATIENCE, refused, |it| it > 1.0).unwrap();
    watch.stop().unwrap();
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
