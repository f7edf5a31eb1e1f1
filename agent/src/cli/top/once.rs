//! `--once`: two samples, one table or one JSON array.

use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use super::columns::{Column, sort};
use super::rates::{Row, rows};
use super::source::Samples;
use crate::cli::table::aligned;

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for people
    Table,
    /// More columns
    Wide,
    /// An array of objects whose keys are the metrics' names, with `rates`
    Json,
}

/// What to print of the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) format: Format,
    pub(super) sort: Column,
    pub(super) reverse: bool,
    pub(super) limit: Option<usize>,
    pub(super) headers: bool,
}

/// A reading that an agent has at hand may be as old as this.
const FRESH_WAIT: Duration = Duration::from_millis(200);
const FRESH_TRIES: u32 = 10;

/// Two samples `interval` apart, and the rates between them.
pub(super) fn measure(source: &mut impl Samples, interval: Duration) -> Result<Vec<Row>> {
    let before = source.sample()?;
    sleep(interval);
    let mut after = source.sample()?;
    for _ in 0..FRESH_TRIES {
        if after.read_at_unix_ms != before.read_at_unix_ms {
            break;
        }
        sleep(FRESH_WAIT);
        after = source.sample()?;
    }
    Ok(rows(Some(&before), &after))
}

/// Prints the rows.
pub(super) fn print(out: &mut impl Write, mut rows: Vec<Row>, choice: &Choice) -> Result<()> {
    sort(&mut rows, choice.sort, choice.reverse);
    rows.truncate(choice.limit.unwrap_or(usize::MAX));
    let text = match choice.format {
        Format::Table => table(&rows, &Column::TABLE, choice.headers),
        Format::Wide => table(&rows, &Column::WIDE, choice.headers),
        Format::Json => serde_json::to_string_pretty(&rows).context("cannot write JSON")?,
    };
    if !text.is_empty() {
        writeln!(out, "{text}")?;
    }
    Ok(())
}

fn table(rows: &[Row], columns: &[Column], headers: bool) -> String {
    let titles: Vec<&str> = columns.iter().map(|column| column.look().title).collect();
    let numeric: Vec<bool> = columns.iter().map(|column| column.look().numeric).collect();
    let rows = rows.iter().map(|row| columns.iter().map(|column| column.text(row)).collect());
    aligned(headers.then_some(titles.as_slice()), rows, &numeric)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::fixture::node;
    use super::{Choice, Column, Format, print, rows};

    fn printed(choice: &Choice) -> String {
        let mut out = Vec::new();
        print(&mut out, rows(Some(&node(10.0)), &node(11.0)), choice).unwrap();
        String::from_utf8(out).unwrap()
    }

    const CHOICE: Choice = Choice {
        format: Format::Table,
        sort: Column::Cpu,
        reverse: false,
        limit: None,
        headers: true,
    };

    #[test]
    fn table() {
        assert_snapshot!(printed(&CHOICE), @"
        TENANT                                     CPU  LIM%  WAIT  NEIGHBOUR           MEMORY      IN/s     OUT/s  CALLS/s   READ/s   WRITE/s
        batch-night                               2.57     -  0.98  shop-eu 7%         6.3 GiB       0 B       0 B      909      0 B  48.0 MiB
        shop-eu                                   1.20     -  1.44  batch-night 92%    1.8 GiB  12.3 MiB  89.3 MiB     250k  3.0 MiB   117 KiB
        docker-3f9a1c2b7d4e                       0.50  100%  0.04  batch-night 74%    488 MiB   1.2 KiB     981 B    31.0k      0 B       0 B
        pod-0b1c7a44-5d0e-4c56-9d2a-8f1f0a2b3c4d  0.13    6%  0.02  shop-eu 100%       212 MiB   128 KiB   1.3 MiB     4.4k      0 B       0 B
        host                                      0.04     -  0.00  batch-night 100%         -      96 B       0 B        0      0 B       0 B
        system                                    0.01     -  0.00  -                  141 MiB       0 B       0 B       40      0 B       0 B
        user                                      0.00     -  0.00  -                 77.0 MiB       0 B       0 B        4      0 B       0 B
        unknown                                   0.00     -  0.00  -                        -       0 B       0 B        0      0 B       0 B
        ");
    }

    #[test]
    fn wide() {
        assert_snapshot!(printed(&Choice { format: Format::Wide, ..CHOICE }), @"
        TENANT                                    CGROUPS   CPU  LIM%  THROT  WAIT  NEIGHBOUR           MEMORY  MEM LIM  OOM      IN/s     OUT/s  CALLS/s   READ/s   WRITE/s
        batch-night                                     1  2.57     -   0.00  0.98  shop-eu 7%         6.3 GiB        -    0       0 B       0 B      909      0 B  48.0 MiB
        shop-eu                                         1  1.20     -   0.00  1.44  batch-night 92%    1.8 GiB        -    0  12.3 MiB  89.3 MiB     250k  3.0 MiB   117 KiB
        docker-3f9a1c2b7d4e                             1  0.50  100%   0.02  0.04  batch-night 74%    488 MiB  512 MiB    0   1.2 KiB     981 B    31.0k      0 B       0 B
        pod-0b1c7a44-5d0e-4c56-9d2a-8f1f0a2b3c4d        1  0.13    6%   0.02  0.02  shop-eu 100%       212 MiB  1.0 GiB    0   128 KiB   1.3 MiB     4.4k      0 B       0 B
        host                                            1  0.04     -   0.00  0.00  batch-night 100%         -        -    0      96 B       0 B        0      0 B       0 B
        system                                          1  0.01     -   0.00  0.00  -                  141 MiB        -    0       0 B       0 B       40      0 B       0 B
        user                                            1  0.00     -   0.00  0.00  -                 77.0 MiB        -    0       0 B       0 B        4      0 B       0 B
        unknown                                         0  0.00     -   0.00  0.00  -                        -        -    0       0 B       0 B        0      0 B       0 B
        ");
    }

    #[test]
    fn sorted_and_cut() {
        let choice = Choice { sort: Column::Out, limit: Some(2), headers: false, ..CHOICE };
        assert_snapshot!(printed(&choice), @"
        shop-eu                                   1.20   -  1.44  batch-night 92%  1.8 GiB  12.3 MiB  89.3 MiB  250k  3.0 MiB  117 KiB
        pod-0b1c7a44-5d0e-4c56-9d2a-8f1f0a2b3c4d  0.13  6%  0.02  shop-eu 100%     212 MiB   128 KiB   1.3 MiB  4.4k      0 B      0 B
        ");
        let choice = Choice { sort: Column::Tenant, reverse: true, limit: Some(2), ..CHOICE };
        assert_snapshot!(printed(&choice), @"
        TENANT    CPU  LIM%  WAIT  NEIGHBOUR    MEMORY  IN/s  OUT/s  CALLS/s  READ/s  WRITE/s
        user     0.00     -  0.00  -          77.0 MiB   0 B    0 B        4     0 B      0 B
        unknown  0.00     -  0.00  -                 -   0 B    0 B        0     0 B      0 B
        ");
    }

    #[test]
    fn json() {
        let choice = Choice { format: Format::Json, sort: Column::Wait, limit: Some(1), ..CHOICE };
        assert_snapshot!(printed(&choice), @r#"
        [
          {
            "tenant": "shop-eu",
            "cgroups": 1,
            "cpu_seconds_total": 13.244,
            "cpu_wait_seconds_total": 15.840000000000002,
            "cpu_wait_caused_seconds_total": {
              "batch-night": 14.498000000000001,
              "host": 0.22,
              "shop-eu": 1.1219999999999999
            },
            "cpu_throttled_seconds_total": 0.0,
            "cpu_limit_cores": null,
            "syscalls_total": {
              "accept4": 13244,
              "clock_nanosleep": 132,
              "close": 13233,
              "epoll_wait": 453222,
              "futex": 334521,
              "openat": 33,
              "read": 969320,
              "write": 967780
            },
            "network_bytes_total": {
              "transmit": {
                "ipv4": 1003487232,
                "ipv6": 26400000
              },
              "receive": {
                "ipv4": 138412032,
                "ipv6": 3410000
              }
            },
            "network_packets_total": {
              "transmit": {
                "ipv4": 0,
                "ipv6": 0
              },
              "receive": {
                "ipv4": 0,
                "ipv6": 0
              }
            },
            "memory_bytes": 1968177152,
            "memory_peak_bytes": 2460221440,
            "memory_limit_bytes": null,
            "oom_kills_total": 0,
            "disk_bytes_total": {
              "read": 34603008,
              "write": 1320000
            },
            "ephemeral_storage_bytes": null,
            "ephemeral_storage_byte_seconds_total": 0.0,
            "volume_bytes": null,
            "volume_byte_seconds_total": 0.0,
            "volume_capacity_bytes": null,
            "volume_capacity_byte_seconds_total": 0.0,
            "rates": {
              "window_seconds": 1.0,
              "cpu_cores": 1.2040000000000006,
              "cpu_limit_ratio": null,
              "cpu_wait_ratio": 1.440000000000003,
              "cpu_throttled_ratio": 0.0,
              "worst_neighbour": {
                "tenant": "batch-night",
                "share": 0.915277777777778
              },
              "network_receive_bytes_per_second": 12892912.0,
              "network_transmit_bytes_per_second": 93626112.0,
              "syscalls_per_second": 250135.0,
              "disk_read_bytes_per_second": 3145728.0,
              "disk_write_bytes_per_second": 120000.0
            }
          }
        ]
        "#);
    }

    #[test]
    fn nothing_is_an_empty_array() {
        let mut out = Vec::new();
        print(&mut out, Vec::new(), &Choice { format: Format::Json, ..CHOICE }).unwrap();
        assert_eq!(out, b"[]\n");
    }
}
