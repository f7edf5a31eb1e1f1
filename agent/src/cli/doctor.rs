//! `landlord doctor`: what this kernel and these privileges allow.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::style::{bad, doubtful, faint, good};
use crate::config::{self, Config, Overrides};
use crate::identity::cluster::Source;
use crate::identity::cluster::change::Trouble;
use crate::identity::kubernetes::kubelet::remedy;
use crate::kernel::requirements::{
    Check, Machine, Report, Status, Wanted, connection_sensor, event_sensors, other_agent, probe,
    sensors,
};
use crate::kernel::{KernelError, Tried, try_load};
use crate::pipeline::meter::event_options;
use crate::pipeline::{Trial, try_api_server};

/// Tell what this machine allows, and what to do about the rest
///
/// Exits with 0 when the agent can run, also when it has to do without something,
/// and with 1 when it cannot.
#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// Configuration file that the agent would run with
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Form of what is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Lines for people
    Table,
    /// An object with a verdict and one object per check
    Json,
}

/// The report as JSON.
#[derive(Serialize)]
struct Verdict<'a> {
    verdict: Status,
    #[serde(flatten)]
    report: &'a Report,
}

pub(super) fn run(flags: &Doctor, coloured: bool, out: &mut impl Write) -> Result<ExitCode> {
    let config = config::load(flags.config.as_deref(), &Overrides::default())?;
    let machine = Machine::here();
    let mut report = probe(&machine, &wanted(&config));
    // What is known to lack something needs no trial.
    if report.verdict() != Status::Missing {
        report.extend(trials(&machine, &config));
    }
    let text = match flags.output {
        Format::Table => table(&report, coloured),
        Format::Json => {
            let verdict = Verdict { verdict: report.verdict(), report: &report };
            serde_json::to_string_pretty(&verdict).context("cannot write JSON")? + "\n"
        }
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(if report.fatal().is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What a configuration asks of the machine.
pub(super) fn wanted(config: &Config) -> Wanted<'_> {
    let events = event_options(config);
    Wanted { pin_path: config.pin.as_deref(), max_cgroups: config.max_cgroups, events }
}

/// Rows that take a trial: loading the sensors, looking for another agent.
fn trials(machine: &Machine, config: &Config) -> Vec<Check> {
    let said = |error: KernelError| {
        tracing::debug!(%error, "trial load of the sensors");
        // A verifier's log has thousands of lines; the first one is the message.
        error.to_string().lines().next().unwrap_or_default().to_owned()
    };
    let mut rows = Vec::new();
    let wanted = event_options(config);
    match try_load(wanted) {
        Ok(Tried { events, connections }) => {
            rows.push(sensors(Ok(())));
            rows.extend(wanted.map(|_| event_sensors(events.map_err(said))));
            rows.extend(connections.map(|told| connection_sensor(told.map_err(said))));
        }
        Err(error) => rows.push(sensors(Err(said(error)))),
    }
    rows.extend(cluster_rows(config));
    rows.extend(config.pin.as_deref().and_then(|path| other_agent(machine, path)));
    rows
}

/// What the API server and the kubelet tell, where they are to be asked.
fn cluster_rows(config: &Config) -> Vec<Check> {
    match try_api_server(config) {
        Ok(Some(trial)) => {
            [api_server_row(&trial)].into_iter().chain(kubelet_row(&trial)).collect()
        }
        Ok(None) => Vec::new(),
        Err(error) => {
            tracing::debug!(%error, "trial of the API server");
            Vec::new()
        }
    }
}

fn kubelet_row(trial: &Trial) -> Option<Check> {
    let (address, answer) = trial.kubelet.as_ref()?;
    let (status, found, reason, remedy) = match answer {
        Ok(pods) => (Status::Ok, format!("tells of {pods} pods at {address}"), None, None),
        Err(trouble) => (
            Status::Degraded,
            format!("does not tell at {address}"),
            Some(format!("{} ({})", trouble.label(), trouble.text())),
            Some(remedy(trouble).unwrap_or("ask again later").to_owned()),
        ),
    };
    Some(Check { name: KUBELET, needed_for: DISKS, status, found, reason, remedy })
}

fn api_server_row(trial: &Trial) -> Check {
    let troubles = trial.answers.iter().filter_map(|(source, it)| Some((source, it.as_ref()?)));
    let troubles: Vec<_> = troubles.collect();
    if troubles.is_empty() {
        let sources: Vec<_> = trial.answers.iter().map(|(source, _)| source.label()).collect();
        return Check {
            name: API_SERVER,
            needed_for: OWNERS,
            status: Status::Ok,
            found: format!("tells of {} for node {}", sources.join(", "), trial.node),
            reason: None,
            remedy: None,
        };
    }
    // What is the same for several sources is said once.
    let mut reasons: Vec<(Vec<&str>, String)> = Vec::new();
    let mut remedies: Vec<&str> = Vec::new();
    for (source, trouble) in troubles {
        let told = format!("{} ({})", trouble.label(), trouble.text());
        match reasons.iter_mut().find(|(_, known)| *known == told) {
            Some((sources, _)) => sources.push(source.label()),
            None => reasons.push((vec![source.label()], told)),
        }
        let remedy = api_server_remedy(*source, trouble);
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    let reasons = reasons.iter().map(|(sources, told)| format!("{}: {told}", sources.join(", ")));
    Check {
        name: API_SERVER,
        needed_for: OWNERS,
        status: Status::Degraded,
        found: format!("does not tell all of node {}", trial.node),
        reason: Some(reasons.collect::<Vec<_>>().join("; ")),
        remedy: Some(remedies.join("; ")),
    }
}

fn api_server_remedy(source: Source, trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Unreachable(_) => "look whether this node reaches the API server",
        Trouble::Untrusted(_) => {
            "its certificate must be by the authority of the service account or the kubeconfig"
        }
        Trouble::Unauthenticated(_) => {
            "give the agent a service account, or a kubeconfig whose token has not expired"
        }
        Trouble::Forbidden(_) => "give its account the ClusterRole of the chart",
        Trouble::Missing(_) if source == Source::Tenants => {
            "apply charts/landlord/crds, or set `kubernetes.tenants: false`"
        }
        Trouble::Missing(_) => "Kubernetes 1.21 or newer has all that is asked for",
        Trouble::Overloaded(_) | Trouble::Other(_) => "ask again later",
    }
}

const API_SERVER: &str = "API server";
const OWNERS: &str = "knowing whose pods are";
const KUBELET: &str = "kubelet";
const DISKS: &str = "what pods keep on disks and in volumes";

/// Width of the column of names.
const NAME: usize = 21;
/// Width of the column of outcomes.
const OUTCOME: usize = 9;

fn table(report: &Report, coloured: bool) -> String {
    let mut text = String::new();
    for check in &report.checks {
        let word = format!("{:<OUTCOME$}", check.status.word());
        let word = match check.status {
            Status::Ok => good(&word, coloured),
            Status::Info => faint(&word, coloured),
            Status::Degraded => doubtful(&word, coloured),
            Status::Missing => bad(&word, coloured),
        };
        text += &format!("{word}{:<NAME$} {}\n", check.name, check.found);
        let Some(reason) = &check.reason else { continue };
        let remedy = check.remedy.as_deref().unwrap_or("none known");
        for (label, words) in
            [("why", reason.as_str()), ("needed for", check.needed_for), ("remedy", remedy)]
        {
            let label = faint(&format!("{label:<11}"), coloured);
            text += &format!("{:OUTCOME$}{label}{words}\n", "");
        }
    }
    text += &format!("\n{}\n", verdict(report, coloured));
    text
}

fn verdict(report: &Report, coloured: bool) -> String {
    let names = |status| report.with(status).map(|check| check.name).collect::<Vec<_>>().join(", ");
    match report.verdict() {
        Status::Missing => {
            let lacks = names(Status::Missing);
            bad(&format!("Landlord cannot run here, for want of: {lacks}."), coloured)
        }
        Status::Degraded => {
            let lacks = names(Status::Degraded);
            doubtful(&format!("Landlord can run here, with reservations: {lacks}."), coloured)
        }
        Status::Ok | Status::Info => good("Landlord can run here.", coloured),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;

    use super::{api_server_row, table};
    use crate::identity::cluster::Source;
    use crate::identity::cluster::change::Trouble;
    use crate::kernel::requirements::fixture::Fixture;
    use crate::kernel::requirements::{Wanted, probe};
    use crate::pipeline::Trial;

    #[test]
    fn what_the_api_server_does_not_tell() {
        let check = |answers: &[(Source, Option<Trouble>)], reason: &str, remedy: &str| {
            let answers = answers.to_vec();
            let row = api_server_row(&Trial { node: "n1".into(), answers, kubelet: None });
            assert_eq!(row.found, "does not tell all of node n1");
            assert_eq!(
                (row.reason.as_deref(), row.remedy.as_deref()),
                (Some(reason), Some(remedy))
            );
        };
        let refused = || Some(Trouble::Unreachable("refused".to_owned()));
        let no = || Some(Trouble::Forbidden("no (403)".to_owned()));
        let missing = || Some(Trouble::Missing("none (404)".to_owned()));
        check(
            &[(Source::Pods, no()), (Source::Namespaces, None)],
            "pods: forbidden (no (403))",
            "give its account the ClusterRole of the chart",
        );
        check(
            &[(Source::Pods, refused()), (Source::Namespaces, refused())],
            "pods, namespaces: unreachable (refused)",
            "look whether this node reaches the API server",
        );
        check(
            &[(Source::Nodes, no()), (Source::Tenants, missing()), (Source::Services, no())],
            "nodes, services: forbidden (no (403)); tenants: missing (none (404))",
            "give its account the ClusterRole of the chart; apply charts/landlord/crds, or set \
             `kubernetes.tenants: false`",
        );
        let answers = vec![(Source::Pods, None), (Source::Namespaces, None)];
        let row = api_server_row(&Trial { node: "n1".into(), answers, kubelet: None });
        assert_eq!((&*row.found, row.reason), ("tells of pods, namespaces for node n1", None));
    }

    fn rendered(fixture: &Fixture) -> String {
        let pins = Path::new("/sys/fs/bpf/landlord");
        let wanted = Wanted { pin_path: Some(pins), max_cgroups: 2048, events: None };
        let table = table(&probe(&fixture.machine(), &wanted), false);
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        // What the maps take is for another test to say.
        let lines = table.lines().filter(|line| !line.contains(" MiB for "));
        lines.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn unified() {
        assert_snapshot!(rendered(&Fixture::unified()), @"
        ok       kernel                6.1.0-18-amd64
        ok       architecture          x86_64
        ok       privileges            root
        ok       kernel types (BTF)    /sys/kernel/btf/vmlinux
        ok       BPF compiler (JIT)    on
        ok       lockdown              none
        ok       cgroup v2             /sys/fs/cgroup (unified)
        ok       memory figures        controller `memory` is on
        ok       CPU limit figures     controller `cpu` is on
        ok       disk figures          controller `io` is on
        ok       pinned counters       bpffs on /sys/fs/bpf
        info     BPF LSM               not active

        Landlord can run here.
        ");
    }

    #[test]
    fn hybrid() {
        assert_snapshot!(rendered(&Fixture::hybrid()), @"
        ok       kernel                6.1.0-18-amd64
        ok       architecture          x86_64
        ok       privileges            root
        ok       kernel types (BTF)    /sys/kernel/btf/vmlinux
        ok       BPF compiler (JIT)    on
        ok       lockdown              none
        ok       cgroup v2             /sys/fs/cgroup/unified, beside cgroup v1 (hybrid)
        ok       memory figures        controller `memory` of cgroup v1
        ok       CPU limit figures     controller `cpu` of cgroup v1
        ok       disk figures          controller `blkio` of cgroup v1
        ok       pinned counters       the agent mounts bpffs on /sys/fs/bpf
        info     BPF LSM               not active

        Landlord can run here.
        ");
    }

    #[test]
    fn v1_only() {
        assert_snapshot!(rendered(&Fixture::v1_only()), @"
        ok       kernel                6.1.0-18-amd64
        ok       architecture          x86_64
        ok       privileges            root
        ok       kernel types (BTF)    /sys/kernel/btf/vmlinux
        ok       BPF compiler (JIT)    on
        ok       lockdown              none
        missing  cgroup v2             cgroup v1 only
                 why        the sensors tell tenants apart by cgroup v2
                 needed for telling tenants apart
                 remedy     boot with systemd.unified_cgroup_hierarchy=1
        ok       pinned counters       bpffs on /sys/fs/bpf
        info     BPF LSM               not active

        Landlord cannot run here, for want of: cgroup v2.
        ");
    }

    #[test]
    fn without_btf() {
        assert_snapshot!(rendered(&Fixture::without_btf()), @"
        ok       kernel                6.1.0-18-amd64
        ok       architecture          x86_64
        ok       privileges            root
        missing  kernel types (BTF)    no /sys/kernel/btf/vmlinux
                 why        this kernel was built without CONFIG_DEBUG_INFO_BTF
                 needed for finding fields of kernel structures
                 remedy     boot a kernel that has it, such as Debian's or Ubuntu's
        ok       BPF compiler (JIT)    on
        ok       lockdown              none
        ok       cgroup v2             /sys/fs/cgroup (unified)
        ok       memory figures        controller `memory` is on
        ok       CPU limit figures     controller `cpu` is on
        ok       disk figures          controller `io` is on
        ok       pinned counters       bpffs on /sys/fs/bpf
        info     BPF LSM               not active

        Landlord cannot run here, for want of: kernel types (BTF).
        ");
    }

    #[test]
    fn unprivileged() {
        assert_snapshot!(rendered(&Fixture::unprivileged()), @"
        ok       kernel                6.1.0-18-amd64
        ok       architecture          x86_64
        missing  privileges            uid 1000
                 why        without CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN
                 needed for loading and attaching sensors
                 remedy     run as root, for example with sudo
        ok       kernel types (BTF)    /sys/kernel/btf/vmlinux
        ok       BPF compiler (JIT)    on
        ok       lockdown              none
        ok       cgroup v2             /sys/fs/cgroup (unified)
        ok       memory figures        controller `memory` is on
        ok       CPU limit figures     controller `cpu` is on
        ok       disk figures          controller `io` is on
        info     pinned counters       not looked at without privileges
        info     BPF LSM               not active

        Landlord cannot run here, for want of: privileges.
        ");
    }

    #[test]
    fn degraded() {
        let fixture = Fixture::unified().file("proc/sys/net/core/bpf_jit_enable", "0\n");
        assert_snapshot!(rendered(&fixture), @"
        ok       kernel                6.1.0-18-amd64
        ok       architecture          x86_64
        ok       privileges            root
        ok       kernel types (BTF)    /sys/kernel/btf/vmlinux
        degraded BPF compiler (JIT)    off
                 why        programs are interpreted and cost several times as much
                 needed for a low cost per system call
                 remedy     switch it on: `sysctl net.core.bpf_jit_enable=1`
        ok       lockdown              none
        ok       cgroup v2             /sys/fs/cgroup (unified)
        ok       memory figures        controller `memory` is on
        ok       CPU limit figures     controller `cpu` is on
        ok       disk figures          controller `io` is on
        ok       pinned counters       bpffs on /sys/fs/bpf
        info     BPF LSM               not active

        Landlord can run here, with reservations: BPF compiler (JIT).
        ");
    }
}
