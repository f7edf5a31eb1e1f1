//! Truth and Landlord side by side, with the error in percent.

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use landlord_tests::agent::Usage;
use landlord_tests::truth::error_percent;

use super::tenants::{CALL, DemoTruth};
use super::{PREFIX, seconds};

const MICROS: u32 = 1_000_000;
const NANOS: u32 = 1_000_000_000;

/// One figure.
pub(super) struct Row {
    tenant: String,
    figure: String,
    witness: &'static str,
    truth: Figure,
    landlord: Figure,
}

/// A figure with its unit.
#[derive(Clone, Copy)]
enum Figure {
    Seconds(f64),
    Count(u64),
    /// The witness does not exist on this kernel.
    Unknown,
}

impl Figure {
    fn value(self) -> Option<f64> {
        match self {
            Self::Seconds(seconds) => Some(seconds),
            // Counts of a demo stay far below 2^53.
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            Self::Count(count) => Some(count as f64),
            Self::Unknown => None,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Seconds(seconds) => format!("{seconds:.3} s"),
            Self::Count(count) => grouped(count),
            Self::Unknown => "-".to_owned(),
        }
    }
}

/// Every figure that has a witness.
pub(super) fn rows(truth: &DemoTruth, usage: &Usage) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let cpu = |name: &str, usec: u64| -> Result<Row> {
        let tenant = format!("{PREFIX}{name}");
        let landlord = Figure::Seconds(usage.figure(&tenant, "cpu_seconds_total")?);
        let truth = Figure::Seconds(seconds(usec, MICROS));
        let figure = "CPU time".to_owned();
        Ok(Row { tenant, figure, witness: "cpu.stat", truth, landlord })
    };
    rows.push(cpu("hog", truth.hog_cpu_usec)?);
    rows.push(waiting("hog", truth.hog.wait_ns, usage)?);
    rows.push(cpu("storm", truth.storm_cpu_usec)?);
    rows.push(waiting("storm", truth.storm.wait_ns, usage)?);
    let storm = format!("{PREFIX}storm");
    rows.push(Row {
        figure: format!("{CALL} calls"),
        witness: "its own count",
        truth: Figure::Count(truth.storm.syscalls.get(CALL).copied().unwrap_or(0)),
        landlord: Figure::Count(usage.count(&storm, &format!("syscalls_total/{CALL}"))?),
        tenant: storm,
    });
    rows.push(cpu("web", truth.web_cpu_usec)?);
    rows.push(bytes("transmit", "bytes sent", truth.web_transmit_bytes, usage)?);
    rows.push(bytes("receive", "bytes received", truth.web_receive_bytes, usage)?);
    Ok(rows)
}

/// Time waited, and for whom most of it.
fn waiting(name: &str, truth_ns: Option<u64>, usage: &Usage) -> Result<Row> {
    let tenant = format!("{PREFIX}{name}");
    let total = usage.figure(&tenant, "cpu_wait_seconds_total")?;
    let figure = match worst(usage, &tenant, total)? {
        Some((cause, percent)) if cause == tenant => format!("waiting, {percent:.0} % for itself"),
        Some((cause, percent)) => format!("waiting, {percent:.0} % for {cause}"),
        None => "waiting".to_owned(),
    };
    Ok(Row {
        tenant,
        figure,
        witness: "schedstat",
        truth: truth_ns.map_or(Figure::Unknown, |ns| Figure::Seconds(seconds(ns, NANOS))),
        landlord: Figure::Seconds(total),
    })
}

/// The tenant that caused most of the waiting, and its part of it in percent.
fn worst(usage: &Usage, tenant: &str, total: f64) -> Result<Option<(String, f64)>> {
    let Some(causes) = usage.tenant(tenant)?["cpu_wait_caused_seconds_total"].as_object() else {
        return Ok(None);
    };
    let causes = causes.iter().filter_map(|(name, seconds)| Some((name, seconds.as_f64()?)));
    let worst = causes.max_by(|one, other| one.1.total_cmp(&other.1));
    Ok(worst
        .filter(|(_, seconds)| *seconds > 0.0 && total > 0.0)
        .map(|(name, seconds)| (name.clone(), seconds / total * 100.0)))
}

fn bytes(direction: &str, figure: &str, truth: u64, usage: &Usage) -> Result<Row> {
    let tenant = format!("{PREFIX}web");
    let of =
        |family: &str| usage.count(&tenant, &format!("network_bytes_total/{direction}/{family}"));
    let landlord = Figure::Count(of("ipv4")? + of("ipv6")?);
    let truth = Figure::Count(truth);
    Ok(Row { figure: figure.to_owned(), witness: "interface", truth, landlord, tenant })
}

/// The table, without an end of line.
pub(super) fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).force_no_tty();
    table.set_header(["TENANT", "FIGURE", "WITNESS", "TRUTH", "LANDLORD", "ERROR"]);
    let mut previous = "";
    for row in rows {
        let tenant = if row.tenant == previous { "" } else { &row.tenant };
        previous = &row.tenant;
        let error = row.truth.value().zip(row.landlord.value()).map(|(truth, landlord)| {
            let error = error_percent(landlord, truth);
            if error == 0.0 {
                "exact".to_owned()
            } else if error.abs() < 0.001 {
                "< 0.001 %".to_owned()
            } else {
                format!("{error:+.3} %")
            }
        });
        table.add_row([
            tenant.to_owned(),
            row.figure.clone(),
            row.witness.to_owned(),
            row.truth.text(),
            row.landlord.text(),
            error.unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if at >= 3 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// A count with its digits in groups of three.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == first {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use landlord_tests::agent::Usage;
    use landlord_tests::truth::Truth;
    use serde_json::json;

    use super::{DemoTruth, grouped, rows, table};

    #[test]
    fn digits_are_grouped_from_the_right() {
        let check = |count, expected: &str| assert_eq!(grouped(count), expected);
        check(0, "0");
        check(999, "999");
        check(1000, "1 000");
        check(12_345_678, "12 345 678");
        check(123_456, "123 456");
    }

    #[test]
    fn each_figure_stands_beside_its_truth() {
        let cpu = |tenant: &str, seconds: f64| {
            json!({
                "tenant": tenant, "cpu_seconds_total": seconds, "cpu_wait_seconds_total": 5.0,
                "cpu_wait_caused_seconds_total": {"x": 1.0, "landlord-demo-hog": 4.0},
                "syscalls_total": {"getppid": 1000},
                "network_bytes_total": {"transmit": {"ipv4": 90, "ipv6": 10}, "receive": {"ipv4": 99}}
            })
        };
        let tenants = ["landlord-demo-hog", "landlord-demo-storm", "landlord-demo-web"];
        let usage = Usage(json!({ "tenants": tenants.map(|tenant| cpu(tenant, 10.05)) }));
        let truth = DemoTruth {
            hog_cpu_usec: 10_000_000,
            hog: Truth::default(),
            storm_cpu_usec: 10_000_000,
            storm: Truth {
                wait_ns: Some(5_000_000_000),
                syscalls: [("getppid".to_owned(), 1000)].into(),
                ..Truth::default()
            },
            web_cpu_usec: 10_000_000,
            web_transmit_bytes: 100,
            web_receive_bytes: 100,
        };
        let table = table(&rows(&truth, &usage).unwrap());
        let lines: Vec<Vec<&str>> =
            table.lines().map(|line| line.split("  ").map(str::trim).collect()).collect();
        let check = |line: usize, words: &[&str]| {
            let found: Vec<&str> =
                lines[line].iter().copied().filter(|word| !word.is_empty()).collect();
            assert_eq!(found, words, "{table}");
        };
        check(
            1,
            &["landlord-demo-hog", "CPU time", "cpu.stat", "10.000 s", "10.050 s", "+0.500 %"],
        );
        check(2, &["waiting, 80 % for itself", "schedstat", "-", "5.000 s", "-"]);
        check(
            4,
            &["waiting, 80 % for landlord-demo-hog", "schedstat", "5.000 s", "5.000 s", "exact"],
        );
        check(5, &["getppid calls", "its own count", "1 000", "1 000", "exact"]);
        check(7, &["bytes sent", "interface", "100", "100", "exact"]);
        check(8, &["bytes received", "interface", "100", "99", "-1.000 %"]);
    }
}
