//! What the agent finds and counts arrives at real back-ends as it was found and counted.

mod alerts;
mod faults;
mod logs;
pub(crate) mod metrics;
mod outage;
mod reload;
mod traces;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use landlord_tests::agent::Home;
use landlord_tests::agent::watch::{Alert, Watch};
use landlord_tests::collector::Collector;

const PATIENCE: Duration = Duration::from_secs(30);
const RULE: &str = "Secret read";
const RULES: &str = "\
- rule: Secret read
  desc: d
  condition: evt.type in (open, openat, openat2) and fd.name endswith /secret and evt.is_open_read=true
  output: file=%fd.name process=%proc.name cmdline=%proc.cmdline parent=%proc.ppid at=%evt.rawtime write=%evt.is_open_write none=%fd.rip
  priority: WARNING
  tags: [lab, files]
- rule: Call
  desc: d
  condition: evt.type = connect and fd.sip = 127.0.0.73
  output: call to=%fd.name process=%proc.name
  priority: WARNING
";

/// An agent's home with sinks, and a file that a rule watches.
struct Scene {
    home: Home,
    folder: tempfile::TempDir,
    rules: PathBuf,
}

impl Scene {
    /// `sinks`: what the configuration says of them.
    fn new(sinks: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("rules.yaml");
        std::fs::write(&rules, RULES).unwrap();
        std::fs::write(folder.path().join("secret"), "x").unwrap();
        let home = Home::new(&configuration(folder.path(), sinks)).unwrap();
        Self { home, folder, rules }
    }

    /// What the agent reads, with other sinks.
    fn configuration(&self, sinks: &str) -> String {
        configuration(self.folder.path(), sinks)
    }

    fn watch(&self) -> Watch<'_> {
        self.home.watch(std::slice::from_ref(&self.rules), &[]).unwrap()
    }

    /// Makes events that the rule matches; the alerts of them, from standard output.
    fn alerts(&self, watch: &mut Watch<'_>, count: usize) -> Vec<Alert> {
        for number in 0..count {
            read(self.folder.path(), number);
        }
        let found = watch.of_rule(RULE, 0).unwrap();
        assert_eq!(found.len(), count, "{found:#?}");
        found
    }
}

fn configuration(folder: &Path, sinks: &str) -> String {
    format!("interval: 1s\nspool: {{ path: '{}' }}\n{sinks}", folder.join("spool").display())
}

/// Opens the file; the number only tells the alerts apart.
fn read(folder: &Path, number: usize) {
    let mut cat = Command::new("cat");
    cat.arg("secret").arg(format!("/dev/null/{number}")).current_dir(folder);
    let status = cat.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(!status.success(), "there is nothing below /dev/null");
}

/// Both ways to a Collector, as the configuration words them.
fn ways(collector: &Collector) -> [(String, &'static str); 2] {
    [(collector.grpc(), "grpc"), (collector.http(), "http/protobuf")]
}
