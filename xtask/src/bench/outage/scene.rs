//! Who plays: the Collector, the tenant at work, one agent after the other.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use landlord_tests::agent::Home;
use landlord_tests::agent::watch::{Alert, Watch};
use landlord_tests::cgroup::{Cgroup, Hierarchy};
use landlord_tests::collector::Collector;
use landlord_tests::netns::Link;
use landlord_tests::truth::exactly;
use landlord_tests::workload::{Order, Running};
use serde_json::Value;
use tempfile::TempDir;

use super::account::{Account, Told};
use super::{Args, Figures, PATIENCE};
use crate::bench::idle::mebibytes;
use crate::lab::Interrupt;

const RULE: &str = "Numbered file";
const TENANT: &str = "landlord-bench-outage";
/// How the names of the files begin.
const PREFIX: &str = "number-";
/// The sink that the metrics tell of.
const SINK: &str = "otlp";
/// The folder of the queues.
const SPOOL: &str = "spool";
const PORT: u16 = 7071;
/// How often is looked at memory and disk.
const PAUSE: Duration = Duration::from_millis(200);
/// By how much an event may be apart from its place in the schedule, or be under way
/// when the agent is killed.
const SLACK_SECONDS: f64 = 1.5;
/// Microseconds between two requests of those that exchange bytes.
const REST_US: &str = "2000";

/// Where it plays.
pub(super) struct Place {
    folder: TempDir,
    rules: PathBuf,
    home: Home,
}

impl Place {
    pub(super) fn make(args: &Args, collector: &Collector) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        let rules = folder.path().join("rules.yaml");
        let rule = format!(
            "- rule: {RULE}\n  desc: d\n  condition: evt.type = openat and fd.name startswith \
             {}/{PREFIX}\n  output: file=%fd.name process=%proc.name command=%proc.cmdline \
             user=%user.name container=%container.id\n  priority: WARNING\n  tags: [lab, files]\n",
            folder.path().display()
        );
        fs::write(&rules, rule).context("cannot write a rule file")?;
        let home = Home::new(&format!(
            "interval: 1s\nspool: {{ path: '{}', size: {} }}\n\
             otlp: {{ endpoint: '{}', protocol: grpc, metrics: false }}\n",
            folder.path().join(SPOOL).display(),
            args.spool,
            collector.grpc()
        ))?;
        Ok(Self { folder, rules, home })
    }
}

/// See the module.
pub(super) struct Scene<'a> {
    rate: u32,
    made: u32,
    interrupt: &'a Interrupt,
    place: &'a Place,
    collector: Collector,
    /// Kept until the end: dropped, it is gone.
    _tenant: Cgroup,
    link: Link,
    work: Vec<Running>,
    agent: Option<Watch<'a>>,
    /// When the first file was made, about.
    began: Instant,
    shown: Vec<Told>,
    /// When the agent was killed, and when the next one was ready.
    dead: (Instant, Instant),
    peak: Peak,
    figures: Figures,
}

/// The most there was.
#[derive(Default)]
struct Peak {
    resident: u64,
    disk: u64,
    waiting: u64,
}

impl<'a> Scene<'a> {
    /// `made`: alerts in all; `time`: for how long bytes are exchanged.
    pub(super) fn set(
        rate: u32,
        made: u32,
        time: Duration,
        place: &'a Place,
        collector: Collector,
        interrupt: &'a Interrupt,
    ) -> Result<Self> {
        let tenant = Hierarchy::find()?.create(&format!("{TENANT}.slice"))?;
        let link = Link::lay()?;
        let listen = SocketAddr::new(link.right.ipv4(), PORT).to_string();
        let numbered = [
            "numbered".into(),
            place.folder.path().join(PREFIX).into_os_string(),
            "--count".into(),
            made.to_string().into(),
            "--rate".into(),
            rate.to_string().into(),
        ];
        let seconds = time.as_secs().to_string();
        let client =
            ["tcp-client", "--connect", &listen, "--seconds", &seconds, "--rest-us", REST_US];
        let server = Order::new(["tcp-server", "--listen", &listen]);
        let orders = [
            Order::new::<OsString>(numbered).inside(&tenant),
            server.inside(&tenant).networked(&link.right),
            Order::new(client).inside(&tenant).networked(&link.left),
        ];
        let work = orders.iter().map(Order::start).collect::<Result<_>>()?;
        let now = Instant::now();
        Ok(Self {
            rate,
            made,
            interrupt,
            place,
            collector,
            _tenant: tenant,
            link,
            work,
            agent: None,
            began: now,
            shown: Vec::new(),
            dead: (now, now),
            peak: Peak::default(),
            figures: Figures { made, ..Figures::default() },
        })
    }

    /// Starts an agent, and the work if it is the first one.
    pub(super) fn start_agent(&mut self) -> Result<()> {
        let is_first = self.agent.is_none() && self.shown.is_empty();
        self.agent = Some(self.place.home.watch(std::slice::from_ref(&self.place.rules), &[])?);
        if is_first {
            self.began = Instant::now();
            self.work.iter_mut().try_for_each(Running::go)?;
        }
        self.dead.1 = Instant::now();
        Ok(())
    }

    fn agent(&self) -> Result<&Watch<'a>> {
        self.agent.as_ref().context("there is no agent")
    }

    /// Lets time go by, and looks at memory and disk meanwhile.
    pub(super) fn watch(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.look()?;
            self.interrupt.sleep(PAUSE)?;
        }
        Ok(())
    }

    /// What waits now.
    fn look(&mut self) -> Result<u64> {
        let agent = self.agent()?.agent();
        let (resident, waiting) = (agent.resident_bytes()?, waiting(&agent.metrics()?)?);
        let disk = bytes_of_files(&self.place.folder.path().join(SPOOL).join(SINK))?;
        self.peak.resident = self.peak.resident.max(resident);
        self.peak.disk = self.peak.disk.max(disk);
        self.peak.waiting = self.peak.waiting.max(waiting);
        Ok(waiting)
    }

    pub(super) fn collector_goes(&mut self) {
        self.figures.resident_before_mebibytes = mebibytes(self.peak.resident);
        self.collector.go_away();
    }

    /// Kills the agent.
    pub(super) fn kill(&mut self) -> Result<()> {
        let agent = self.agent.take().context("there is no agent")?;
        self.dead.0 = Instant::now();
        self.shown = told(agent.kill()?)?;
        ensure!(!self.shown.is_empty(), "the agent has shown nothing before it was killed");
        Ok(())
    }

    /// Starts the Collector again, and waits until little waits.
    pub(super) fn collector_comes_back(&mut self) -> Result<()> {
        self.collector.come_back()?;
        let (began, cpu) = (Instant::now(), self.agent()?.agent().cpu_seconds()?);
        while self.look()? > u64::from(self.rate) {
            ensure!(began.elapsed() < PATIENCE, "too much waits: {}", self.of_sink()?);
            self.interrupt.sleep(PAUSE)?;
        }
        let seconds = began.elapsed().as_secs_f64();
        self.figures.caught_up_seconds = seconds;
        let cpu = self.agent()?.agent().cpu_seconds()? - cpu;
        self.figures.catching_up_cpu_percent = cpu / seconds * 100.0;
        Ok(())
    }

    /// Waits for the end of the work and of the deliveries, and holds all of it against
    /// what is promised.
    pub(super) fn finish(mut self) -> Result<Figures> {
        for work in &mut self.work {
            work.wait(PATIENCE)?;
        }
        self.agent.as_mut().context("there is no agent")?.settle()?;
        let began = Instant::now();
        while self.look()? > 0 {
            ensure!(began.elapsed() < PATIENCE, "something waits: {}", self.of_sink()?);
            self.interrupt.sleep(PAUSE)?;
        }
        self.check_usage()?;
        self.check_losses()?;
        self.shown.extend(told(self.agent.take().context("there is no agent")?.stop()?)?);
        self.check_alerts()?;
        self.figures.waiting_peak = self.peak.waiting;
        self.figures.disk_peak_mebibytes = mebibytes(self.peak.disk);
        self.figures.resident_peak_mebibytes = mebibytes(self.peak.resident);
        Ok(self.figures)
    }

    /// What the tenant used is known to the call and to the byte.
    fn check_usage(&self) -> Result<()> {
        let usage = self.agent()?.agent().usage()?;
        for call in ["openat", "unlinkat"] {
            let path = format!("syscalls_total/{call}");
            exactly(call, usage.count(TENANT, &path)?, self.made.into())?;
        }
        let (left, right) = (self.link.left.counters()?, self.link.right.counters()?);
        for (direction, truth) in [
            ("transmit", left.transmit.bytes + right.transmit.bytes),
            ("receive", left.receive.bytes + right.receive.bytes),
        ] {
            let path = format!("network_bytes_total/{direction}/ipv4");
            exactly(&path, usage.count(TENANT, &path)?, truth)?;
        }
        Ok(())
    }

    fn check_losses(&self) -> Result<()> {
        let page = self.agent()?.agent().metrics()?;
        for name in ["dropped_total", "unwritten_total", "refused_total", "damaged_files_total"] {
            let lost = sum(&page, &format!("landlord_sink_{name}"));
            ensure!(lost == 0.0, "landlord_sink_{name}: {lost}");
        }
        let lost = sum(&page, "landlord_events_lost_total");
        ensure!(lost == 0.0, "landlord_events_lost_total: {lost}");
        Ok(())
    }

    fn check_alerts(&mut self) -> Result<()> {
        let mut account = Account::default();
        self.collector.each_log(|log| {
            if log.attributes.get("security_rule.name").is_none_or(|rule| rule != RULE) {
                return Ok(());
            }
            let text = |name: &str| log.attributes.get(name).and_then(Value::as_str);
            let id = text("landlord.alert.id").context("an alert has an id")?.to_owned();
            let number = number(text("falco.fd.name").context("an alert has a file")?)?;
            account.take(Told { id, number })
        })?;
        let gap = account.close(&self.shown, self.made)?;
        let at = |instant: Instant| instant.duration_since(self.began).as_secs_f64();
        let (killed, ready) = (at(self.dead.0), at(self.dead.1));
        let figures = &mut self.figures;
        figures.arrived = account.arrived();
        figures.shown = self.shown.len();
        figures.doubles = account.doubles();
        figures.dead_seconds = ready - killed;
        if let Some((first, end)) = gap {
            let [from, until] = [first, end].map(|it| f64::from(it) / f64::from(self.rate));
            ensure!(
                from > killed - SLACK_SECONDS && until < ready + SLACK_SECONDS,
                "alerts {first} to {end}, of seconds {from:.1} to {until:.1}, are missing; the \
                 agent was killed at {killed:.1} s and the next one was ready at {ready:.1} s"
            );
            figures.missing = end - first;
            figures.missing_seconds = until - from;
        }
        Ok(())
    }

    /// What the metrics say of the sink.
    fn of_sink(&self) -> Result<String> {
        let page = self.agent()?.agent().metrics()?;
        let lines = page.lines().filter(|line| line.starts_with("landlord_sink"));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }
}

/// Sum of all series of a metric.
fn sum(page: &str, name: &str) -> f64 {
    let of_name = page.lines().filter_map(|line| line.strip_prefix(name));
    let values = of_name.filter(|rest| rest.starts_with(['{', ' ']));
    values.filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

fn waiting(page: &str) -> Result<u64> {
    let name = format!("landlord_sink_waiting{{sink=\"{SINK}\"}} ");
    let value = page.lines().find_map(|line| line.strip_prefix(&name));
    value.and_then(|value| value.parse().ok()).context("the metrics tell of no sink")
}

/// Bytes of the files of a folder; of one that goes meanwhile none.
fn bytes_of_files(folder: &Path) -> Result<u64> {
    let entries = fs::read_dir(folder).context("there is no queue")?;
    Ok(entries.flatten().filter_map(|entry| Some(entry.metadata().ok()?.len())).sum())
}

/// The alerts of the rule among those that were shown.
fn told(alerts: Vec<Alert>) -> Result<Vec<Told>> {
    let of_rule = alerts.into_iter().filter(|alert| alert.rule() == RULE);
    let told = of_rule.map(|alert| {
        let id = alert.0["id"].as_str().context("an alert has an id")?.to_owned();
        let file = alert.field("fd.name").as_str().context("an alert has a file")?;
        Ok(Told { id, number: number(file)? })
    });
    told.collect()
}

/// The number at the end of a file's name.
fn number(file: &str) -> Result<u32> {
    let digits = file.rsplit('-').next().and_then(|digits| digits.parse().ok());
    digits.with_context(|| format!("{file} has no number"))
}

#[cfg(test)]
mod tests {
    use super::{number, sum, waiting};

    #[test]
    fn series_of_a_metric_are_added_up() {
        let page = "# TYPE a counter\na_total{b=\"c\"} 1\na_total{b=\"d e\"} 2\na_total_more 4\n\
                    landlord_sink_waiting{sink=\"otlp\"} 7\n";
        assert_eq!(sum(page, "a_total"), 3.0);
        assert_eq!(sum(page, "none"), 0.0);
        assert_eq!(waiting(page).expect("it is there"), 7);
        waiting("").expect_err("there is none");
    }

    #[test]
    fn a_file_has_a_number() {
        assert_eq!(number("/tmp/.a-b/number-00000012").expect("it has"), 12);
        number("/tmp/number-x").expect_err("it has none");
    }
}
