//! The lab: places and workloads whose use is known by other means than Landlord.
//!
//! - [`cgroup`]: cgroups made for one test and removed after it; the kernel's own
//!   CPU accounting of them.
//! - [`container`]: containers of runc, which need nothing but busybox.
//! - [`containerd`]: a containerd, and containers of pods in it.
//! - [`netns`]: pairs of network namespaces joined by a silent link, and the
//!   link's own byte counters.
//! - [`pod`]: the agent's own pod, as the chart installs it.
//! - [`workload`]: processes that do a known amount of work in such a place and
//!   tell what they did.
//! - [`truth`]: what a workload tells, and how far a figure is from it.
//! - [`agent`]: the real agent binary, started, asked, stopped and cleaned up after.
//! - [`collector`], [`alertmanager`], [`prometheus`]: the real back-ends, and what arrived there; they
//!   need no root.
//! - [`backend`]: a back-end for what real ones do not do when asked to: faults of all
//!   kinds. It needs no root.
//! - [`exposition`]: a page of metrics, read.
//! - [`apiserver`]: a double of the Kubernetes API server, which needs no root.
//!
//! Nothing here knows how Landlord counts, and nothing outlives the value that
//! made it: dropping a cgroup, a namespace, a workload or an agent removes it.
//! All of it needs root, except where it says otherwise.

pub mod agent;
pub mod alertmanager;
pub mod apiserver;
pub mod backend;
pub mod cgroup;
pub mod collector;
pub mod container;
pub mod containerd;
mod daemon;
pub mod exposition;
pub mod kubelet;
pub mod netns;
pub mod pod;
pub mod prometheus;
pub mod truth;
pub mod workload;

/// Whether this process may use the lab. Where it may not, says so in the one
/// way that the test command counts as a skipped test.
#[must_use]
#[expect(clippy::print_stdout, reason = "the test command reads a test's standard output")]
pub fn may_run() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("SKIPPED: the lab needs root");
    }
    root
}

/// Says what went wrong where nobody can be told by a result.
#[expect(clippy::print_stderr, reason = "a drop has nobody to return its error to")]
fn complain(error: &anyhow::Error) {
    eprintln!("landlord-tests: {error:#}");
}
