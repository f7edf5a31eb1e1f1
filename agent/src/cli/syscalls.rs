//! `landlord syscalls`: which system calls a tenant makes.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::connect;
use super::duration;
use super::figures::{count, percent, printable};
use super::table::aligned;
use super::top::Window;
use crate::usage::tenant::{NodeUsage, TenantUsage};

/// Show which system calls a tenant makes most
///
/// Asks the running agent. Calls of 32-bit programs are counted under names of
/// their own.
#[derive(Args, Debug)]
pub(super) struct Syscalls {
    /// The tenant, by its full name
    #[arg(long, short, value_name = "NAME")]
    tenant: String,

    /// Show the N most frequent calls
    #[arg(long, value_name = "N", default_value = "10")]
    top: NonZeroUsize,

    /// Also measure the calls per second over this time, and sort by them
    #[arg(long, value_name = "TIME", value_parser = duration::sampling)]
    interval: Option<Duration>,

    /// Form of what is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,

    /// Leave out the line of titles
    #[arg(long)]
    no_headers: bool,

    /// Ask this agent
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,

    /// Configuration file that names the agent's address, certificate and token
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Aligned columns for people
    Table,
    /// An array of objects
    Json,
}

/// One call's line.
#[derive(Debug, PartialEq, Serialize)]
struct Call {
    syscall: String,
    /// Calls since the counters began.
    total: u64,
    /// The part of all the tenant's calls since then, 0..=1.
    share: f64,
    /// Calls per second of the interval; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_second: Option<f64>,
}

/// No tenant has the name that was asked for.
#[derive(Debug, thiserror::Error)]
#[error("no tenant is called `{asked}`{}", suggestion(.near))]
struct NoSuchTenant {
    asked: String,
    /// Names like it, the most similar first.
    near: Vec<String>,
}

pub(super) fn run(flags: &Syscalls, out: &mut impl Write) -> Result<()> {
    let agent = connect::agent(flags.address.as_deref(), flags.config.as_deref())?;
    let mut usage = agent.usage()?.usage;
    find(&usage, &flags.tenant)?;
    let mut before = None;
    if let Some(interval) = flags.interval {
        sleep(interval);
        before = Some(std::mem::replace(&mut usage, agent.usage()?.usage));
    }
    let mut calls = calls(before.as_ref(), &usage, find(&usage, &flags.tenant)?);
    calls.truncate(flags.top.get());
    let text = match flags.output {
        Format::Table => table(&calls, !flags.no_headers),
        Format::Json => serde_json::to_string_pretty(&calls).context("cannot write JSON")?,
    };
    writeln!(out, "{text}")?;
    Ok(())
}

fn find<'a>(usage: &'a NodeUsage, name: &str) -> Result<&'a TenantUsage, NoSuchTenant> {
    usage.tenants.iter().find(|tenant| tenant.tenant == name).ok_or_else(|| NoSuchTenant {
        asked: printable(name),
        near: near(usage.tenants.iter().map(|tenant| tenant.tenant.as_str()), name),
    })
}

/// Names as similar as a slip of the finger leaves them, or that hold what was
/// asked for.
fn near<'a>(names: impl Iterator<Item = &'a str>, asked: &str) -> Vec<String> {
    const MOST: usize = 5;
    const ALIKE: f64 = 0.8;
    if asked.is_empty() {
        return Vec::new();
    }
    let asked = asked.to_lowercase();
    let mut near: Vec<(f64, &str)> = names
        .map(|name| {
            let lower = name.to_lowercase();
            // Names often begin alike and end in what nobody types.
            let beginning: String = lower.chars().take(asked.chars().count()).collect();
            let alike =
                strsim::jaro_winkler(&lower, &asked).max(strsim::jaro_winkler(&beginning, &asked));
            let held = lower.contains(&asked);
            (if held { 1.0 } else { alike }, name)
        })
        .filter(|&(alike, _)| alike >= ALIKE)
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
    near.into_iter().take(MOST).map(|(_, name)| printable(name)).collect()
}

fn suggestion(near: &[String]) -> String {
    match near {
        [] => "; `landlord top --once` lists them all".to_owned(),
        near => format!("; there is `{}`", near.join("`, `")),
    }
}

/// The tenant's calls, the most frequent first: in the window where there is one.
fn calls(before: Option<&NodeUsage>, after: &NodeUsage, tenant: &TenantUsage) -> Vec<Call> {
    let window = before.and_then(|before| Window::between(before, after));
    let earlier = window.map(|window| (window, window.earlier(&tenant.tenant)));
    let all: f64 = tenant.syscalls_total.values().map(|&total| total as f64).sum();
    let mut calls: Vec<Call> = tenant
        .syscalls_total
        .iter()
        .map(|(name, &total)| Call {
            syscall: name.clone(),
            total,
            share: if all > 0.0 { total as f64 / all } else { 0.0 },
            per_second: earlier.as_ref().map(|(window, earlier)| {
                let before = earlier.syscalls_total.get(name).copied().unwrap_or(0);
                window.per_second(before as f64, total as f64)
            }),
        })
        .collect();
    calls.sort_by(|one, other| {
        let rate = |call: &Call| call.per_second.unwrap_or(0.0);
        rate(other)
            .total_cmp(&rate(one))
            .then(other.total.cmp(&one.total))
            .then_with(|| one.syscall.cmp(&other.syscall))
    });
    calls
}

fn table(calls: &[Call], headers: bool) -> String {
    // All calls have a rate, or none has.
    let with_rates = calls.iter().any(|call| call.per_second.is_some());
    let titles: &[&str] = if with_rates {
        &["SYSCALL", "TOTAL", "SHARE", "CALLS/s"]
    } else {
        &["SYSCALL", "TOTAL", "SHARE"]
    };
    let rows = calls.iter().map(|call| {
        let mut cells = vec![printable(&call.syscall), call.total.to_string(), percent(call.share)];
        cells.extend(call.per_second.map(count));
        cells
    });
    aligned(headers.then_some(titles), rows, &[false, true, true, true])
}

#[cfg(test)]
mod tests {
    use super::{calls, find, near, table};
    use crate::usage::tenant::{NodeUsage, TenantUsage};

    fn node(read_at_unix_ms: u64, calls: &[(&str, u64)]) -> NodeUsage {
        let syscalls_total = calls.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
        let acme = TenantUsage { tenant: "acme".to_owned(), syscalls_total, ..Default::default() };
        NodeUsage { read_at_unix_ms, tenants: vec![acme], ..Default::default() }
    }

    #[test]
    fn totals() {
        let usage = node(0, &[("close", 50), ("openat", 50), ("read", 900)]);
        insta::assert_snapshot!(table(&calls(None, &usage, &usage.tenants[0]), true), @"
        SYSCALL  TOTAL  SHARE
        read       900    90%
        close       50     5%
        openat      50     5%
        ");
    }

    #[test]
    fn rates_decide_the_order_where_there_are_any() {
        let before = node(0, &[("read", 900), ("write", 10)]);
        let after = node(500, &[("futex", 5), ("read", 901), ("write", 110)]);
        let calls = calls(Some(&before), &after, &after.tenants[0]);
        insta::assert_snapshot!(table(&calls, true), @"
        SYSCALL  TOTAL  SHARE  CALLS/s
        write      110    11%      200
        futex        5    <1%       10
        read       901    89%        2
        ");
        insta::assert_snapshot!(table(&calls[..1], false), @"write  110  11%  200");
    }

    #[test]
    fn near_names() {
        let check = |asked: &str, expected: &[&str]| {
            let names = ["acme", "acme-test", "host", "pod-6f1c", "user"];
            assert_eq!(near(names.into_iter(), asked), expected, "{asked}");
        };
        check("acne", &["acme", "acme-test"]);
        check("ACME", &["acme", "acme-test"]);
        check("6f", &["pod-6f1c"]);
        check("usr", &["user"]);
        check("zzz", &[]);
        check("", &[]);
    }

    #[test]
    fn unknown_tenants() {
        let check = |asked: &str, expected: &str| {
            assert_eq!(find(&node(0, &[]), asked).unwrap_err().to_string(), expected);
        };
        check("acne", "no tenant is called `acne`; there is `acme`");
        check("zz", "no tenant is called `zz`; `landlord top --once` lists them all");
    }
}
