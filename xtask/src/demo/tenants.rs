//! The three tenants: what they do, where, and what they did in truth.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result};
use landlord_tests::cgroup::{Cgroup, Hierarchy};
use landlord_tests::netns::Link;
use landlord_tests::truth::Truth;
use landlord_tests::workload::{Order, Running};
use rustix::thread::{CpuSet, sched_getaffinity};

use super::PREFIX;

/// How much longer than the work may it take to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// Sizes of a request and its answer, in bytes.
const REQUEST: &str = "200";
const RESPONSE: &str = "20000";
/// Rest before each request: the web is busy, not a second hog.
const REST_US: &str = "500";
/// The call of the storm.
pub(super) const CALL: &str = "getppid";

/// The tenants at work. Dropping them ends and removes everything.
///
/// Workloads come before the places they are in: a place is removed when it is
/// empty.
pub(super) struct Tenants {
    hog_work: Running,
    storm_work: Running,
    web_work: Vec<Running>,
    hog: Cgroup,
    storm: Cgroup,
    // The inner ones before the one they are in.
    _servers: Cgroup,
    _clients: Cgroup,
    web: Cgroup,
    link: Link,
    time: Duration,
}

/// What they did, by witnesses other than Landlord.
pub(super) struct DemoTruth {
    /// Microseconds of CPU by `cpu.stat`.
    pub(super) hog_cpu_usec: u64,
    /// What the hog tells.
    pub(super) hog: Truth,
    /// Microseconds of CPU by `cpu.stat`.
    pub(super) storm_cpu_usec: u64,
    /// What the storm tells.
    pub(super) storm: Truth,
    /// Microseconds of CPU by `cpu.stat`.
    pub(super) web_cpu_usec: u64,
    /// Layer 3 bytes out of both namespaces, by their interfaces.
    pub(super) web_transmit_bytes: u64,
    /// Layer 3 bytes into both namespaces, by their interfaces.
    pub(super) web_receive_bytes: u64,
}

impl Tenants {
    /// Makes the tenants' places and puts their workloads there, ready to go.
    pub(super) fn settle(hierarchy: &Hierarchy, time: Duration) -> Result<Self> {
        let create = |name: &str| hierarchy.create(&format!("{PREFIX}{name}"));
        let hog = create("hog.slice")?;
        let storm = create("storm.slice")?;
        let web = create("web.slice")?;
        let servers = create("web.slice/server.service")?;
        let clients = create("web.slice/client.service")?;
        let link = Link::lay()?;
        let seconds = time.as_secs().to_string();
        let (quiet, contested) = cpus()?;
        let hog_work =
            Order::new(["hog", "--seconds", &seconds]).inside(&hog).on_cpu(contested).start()?;
        let storm_work = Order::new(["syscalls", "--name", CALL, "--seconds", &seconds])
            .inside(&storm)
            .on_cpu(contested)
            .start()?;
        let mut web_work = Vec::new();
        for (address, port) in [(link.left.ipv4(), 80), (link.left.ipv6(), 81)] {
            let [server, client] = asking(address, port, &seconds);
            web_work.push(server.inside(&servers).networked(&link.left).on_cpu(quiet).start()?);
            web_work.push(client.inside(&clients).networked(&link.right).on_cpu(quiet).start()?);
        }
        Ok(Self {
            hog_work,
            storm_work,
            web_work,
            hog,
            storm,
            _servers: servers,
            _clients: clients,
            web,
            link,
            time,
        })
    }

    /// One line about each.
    pub(super) fn describe(&self) -> [String; 3] {
        [
            format!("{PREFIX}hog: keeps a CPU busy"),
            format!("{PREFIX}storm: calls {CALL} without end, on the hog's CPU"),
            format!("{PREFIX}web: TCP server and client in two network namespaces, IPv4 and IPv6"),
        ]
    }

    /// Lets them work. Servers come before their clients.
    pub(super) fn go(&mut self) -> Result<()> {
        for work in &mut self.web_work {
            work.go()?;
        }
        self.storm_work.go()?;
        self.hog_work.go()
    }

    /// Waits until all work is done and collects the truth. The places stay.
    pub(super) fn wait(&mut self) -> Result<DemoTruth> {
        let patience = self.time + PATIENCE;
        let hog = self.hog_work.wait(patience).context("the hog")?;
        let storm = self.storm_work.wait(patience).context("the storm")?;
        for work in &mut self.web_work {
            work.wait(patience).context("the web")?;
        }
        let (left, right) = (self.link.left.counters()?, self.link.right.counters()?);
        Ok(DemoTruth {
            hog_cpu_usec: self.hog.cpu_usage_usec()?,
            hog,
            storm_cpu_usec: self.storm.cpu_usage_usec()?,
            storm,
            web_cpu_usec: self.web.cpu_usage_usec()?,
            web_transmit_bytes: left.transmit.bytes + right.transmit.bytes,
            web_receive_bytes: left.receive.bytes + right.receive.bytes,
        })
    }
}

/// The first and the last CPU that this process may use: one for the web, one
/// for the tenants that fight. They are the same where there is one only.
fn cpus() -> Result<(usize, usize)> {
    let allowed = sched_getaffinity(None).context("cannot tell the CPUs")?;
    let mut all = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
    let first = all.next().context("no CPU")?;
    Ok((first, all.next_back().unwrap_or(first)))
}

/// A server and a client that asks it.
fn asking(address: IpAddr, port: u16, seconds: &str) -> [Order; 2] {
    let address = SocketAddr::new(address, port).to_string();
    let sizes = ["--request", REQUEST, "--response", RESPONSE];
    let server = ["tcp-server", "--listen", &address];
    let client = ["tcp-client", "--connect", &address, "--seconds", seconds, "--rest-us", REST_US];
    [Order::new(server.into_iter().chain(sizes)), Order::new(client.into_iter().chain(sizes))]
}
