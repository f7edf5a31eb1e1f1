//! What it costs a node to know the whole cluster, and how soon it knows a pod.
//!
//! ```text
//! cargo bench -p landlord-tests --bench identity -- [--pods N] [--rate N] [--seconds N] [--json] [--check]
//! ```
//!
//! A double of the API server holds the cluster and changes it; the agent's watches
//! run on a thread of their own, whose processor time and allocations are counted.
//! What another thread does, the server's above all, is not.

#![expect(clippy::unwrap_used, reason = "a benchmark that panics keeps its trace")]
#![expect(clippy::print_stdout, reason = "its figures go there")]

mod cluster;
mod node;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::Parser;
use landlord_tests::apiserver::ApiServer;
use serde_json::{Value, json};

use self::cluster::{Size, node};
use self::node::{Event, Node, Synced};

/// The targets: bytes a pod, and seconds until a pod is known at the 99th percentile.
const BYTES_MAX: f64 = 200.0;
const KNOWN_MAX: f64 = 1.0;

#[derive(Debug, Parser)]
struct Args {
    /// Pods of the cluster
    #[arg(long, default_value_t = 10_000)]
    pods: usize,
    /// Changes a second
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// For how long
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Fail when a target is missed
    #[arg(long)]
    check: bool,
    /// What cargo gives every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// Of durations, the one that so many of a hundred do not exceed; milliseconds.
fn percentile(sorted: &[Duration], of_100: usize) -> f64 {
    let at = (sorted.len() * of_100).div_ceil(100).saturating_sub(1);
    sorted.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// A figure, or several, for people.
fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().unwrap()),
        Value::Object(parts) => {
            let parts: Vec<_> =
                parts.iter().map(|(name, value)| format!("{name} {}", shown(value))).collect();
            parts.join(", ")
        }
        other => other.to_string(),
    }
}

fn main() -> std::process::ExitCode {
    let args = Args::parse();
    let size = Size::of(args.pods);
    let server = ApiServer::start().unwrap();
    server.set_bookmarks(Duration::from_secs(60));
    for object in size.rest() {
        server.put(object).unwrap();
    }
    for n in 0..size.pods {
        server.put(size.pod(n, &node(n % size.nodes), true)).unwrap();
    }
    let bytes = server.get("pods", &size.name(0).0, &size.name(0).1).unwrap().to_string().len();

    let (events, told) = mpsc::channel();
    let watching = Node::start(&server.kubeconfig(), &node(0), events);
    let synced: Synced = loop {
        if let Event::Synced(synced) = told.recv().unwrap() {
            break synced;
        }
    };
    let quiet = watching.usage_over(Duration::from_secs(5));
    let start = watching.usage();
    let waits = change(&server, size, &args, &told);
    let busy = watching.usage().since(start);
    let end = watching.stop();

    let (mut local, mut remote) = waits;
    local.sort_unstable();
    remote.sort_unstable();
    let per_pod = |bytes: i64| bytes as f64 / size.pods as f64;
    let report = json!({
        "pods": size.pods, "nodes": size.nodes, "services": size.services,
        "addresses": end.figures.addresses, "bytes_of_a_pod_object": bytes,
        "bytes_per_remote_pod": per_pod(synced.kept_bytes),
        "peak_mebibytes_of_the_thread": end.peak_bytes as f64 / f64::from(1 << 20),
        "seconds_until_all_is_known": synced.after.as_secs_f64(),
        "cpu_seconds_until_all_is_known": synced.cpu.as_secs_f64(),
        "cpu_percent_quiet": quiet.percent(),
        "changes_per_second": args.rate,
        "cpu_percent_changing": busy.cpu.as_secs_f64() / f64::from(args.seconds) * 100.0,
        "cpu_microseconds_per_change": busy.cpu.as_secs_f64() * 1e6 / f64::from(args.rate * args.seconds),
        "nanoseconds_per_lookup": end.lookup_ns,
        "known_local_ms": { "p50": percentile(&local, 50), "p99": percentile(&local, 99), "count": local.len() },
        "known_address_ms": { "p50": percentile(&remote, 50), "p99": percentile(&remote, 99), "count": remote.len() },
    });
    if args.json {
        println!("{report:#}");
    } else {
        for (name, value) in report.as_object().unwrap() {
            println!("{:>34}  {}", name.replace('_', " "), shown(value));
        }
    }
    let fits = per_pod(synced.kept_bytes) <= BYTES_MAX
        && percentile(&local, 99) <= KNOWN_MAX * 1e3
        && percentile(&remote, 99) <= KNOWN_MAX * 1e3;
    if args.check && !fits {
        std::process::ExitCode::FAILURE
    } else {
        std::process::ExitCode::SUCCESS
    }
}

/// Changes the cluster at the rate: a pod is made, gets its addresses, an old one goes.
/// Returns how long it took until pods of the node, and addresses of any, were known.
fn change(
    server: &ApiServer,
    size: Size,
    args: &Args,
    told: &mpsc::Receiver<Event>,
) -> (Vec<Duration>, Vec<Duration>) {
    let pause = Duration::from_secs(1) / args.rate;
    let begin = Instant::now();
    let changes = args.rate * args.seconds;
    let (mut made, mut addressed) =
        (std::collections::HashMap::new(), std::collections::HashMap::new());
    for step in 0..changes {
        let n = size.pods + usize::try_from(step / 3).unwrap();
        // Every tenth is this node's, more than its share, to have enough of them.
        let on = if n.is_multiple_of(10) { node(0) } else { node(n % size.nodes) };
        let (namespace, name) = size.name(n);
        match step % 3 {
            0 => {
                let pod = size.pod(n, &on, false);
                made.insert(name, Instant::now());
                server.put(pod).unwrap();
            }
            1 => {
                let pod = size.pod(n, &on, true);
                addressed.insert(name, Instant::now());
                server.put(pod).unwrap();
            }
            _ => {
                let (namespace_of_old, old) = size.name(n - size.pods);
                assert!(server.remove("pods", &namespace_of_old, &old), "{namespace} {old}");
            }
        }
        let next = begin + pause * (step + 1);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    // What was told last.
    std::thread::sleep(Duration::from_secs(2));
    let (mut local, mut remote) = (Vec::new(), Vec::new());
    for event in told.try_iter() {
        match event {
            Event::Synced(_) => {}
            Event::Pod(name, at) => local.extend(made.remove(&name).map(|made| at - made)),
            Event::Address(name, at) => {
                remote.extend(addressed.remove(&name).map(|made| at - made));
            }
        }
    }
    assert!(addressed.is_empty(), "addresses that were never told: {}", addressed.len());
    (local, remote)
}
