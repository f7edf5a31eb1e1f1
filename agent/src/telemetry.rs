//! The agent's own figures: every cause of a loss, in one list, and what the
//! process itself costs.
//!
//! It never counts what a tenant used.

use std::fmt::Display;
use std::fs;
use std::io;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::time::{ClockId, Timespec, clock_gettime};
use serde::{Deserialize, Serialize};
use tracing::field::display;

use crate::usage::tenant::ProcessUsage;

/// Target of the spans of `tracing` that tell what the agent itself does, for who wants to
/// see that as traces. Nothing that is done for each event or alert is such a span.
pub const WORK: &str = "landlord::work";

/// Says on such a span why the work failed, as far as it did, in its field `error`.
pub fn failed(work: &tracing::Span, error: Option<&impl Display>) {
    if let Some(error) = error {
        work.record("error", display(error));
    }
}

/// Declares the causes once: variant, label value and meaning.
macro_rules! loss_causes {
    ($(#[$about:meta])+ $name:ident: $($variant:ident = $label:literal, $help:literal;)+) => {
        $(#[$about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $(#[doc = $help] $variant,)+
        }

        impl $name {
            /// All causes, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Value of the label `cause`.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }

            /// One sentence for people.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)+ }
            }
        }
    };
}

loss_causes! {
    /// Why something was not counted, or counted without its owner.
    LossCause:
    SlotsExhausted = "slots_exhausted",
        "No slot was free for a cgroup; its use went to the tenant `unknown`.";
    SyscallTableFull = "syscall_table_full",
        "A system call was not counted because the (cgroup, number) table was full.";
    WaitTableFull = "wait_table_full",
        "A wait was not attributed to its cause because the (victim, culprit) table was full.";
    PathTooLong = "path_too_long",
        "A cgroup's path did not fit the kernel record and was looked up in the file system instead.";
    BirthUnseen = "birth_unseen",
        "A cgroup was gone before its path was known; its use went to the tenant `unknown`.";
    ProgramMissed = "program_missed",
        "An event passed a sensor that was already running on that CPU: the kernel skips it to avoid recursion (kernels after 6.18, when a task is preempted inside a sensor).";
    CgroupFileUnreadable = "cgroup_file_unreadable",
        "A file of a live cgroup could not be read or understood.";
    TenantsFolded = "tenants_folded",
        "More tenants than `max_tenants`; further ones and those gone for longest share the tenant `other`.";
    PendingFull = "pending_full",
        "Too many cgroups waited for their owner to be told; what further ones used went to the tenant `unknown`.";
    CounterRegressed = "counter_regressed",
        "A cumulative figure was lower than before (a block device left, or an impossible state); the difference counted as zero.";
    StateUnwritten = "state_unwritten",
        "The state file could not be written; totals of ended cgroups wait in the kernel's maps.";
}

loss_causes! {
    /// Why something that happened was not held against the rules as it should, or an
    /// alert not written.
    EventLoss:
    RecordUnreadable = "record_unreadable",
        "A record of the kernel side could not be decoded.";
    PathTorn = "path_torn",
        "A path could not be read whole, as one of its folders was being renamed whenever it was tried; the event was judged without its path.";
    RingDamaged = "ring_damaged",
        "A ring held what is no record; what was in it was skipped.";
    OrderGivenUp = "order_given_up",
        "A start or end of a process was handled before earlier calls, as there would soon have been no room for more; the calls were judged with their processes as they were afterwards.";
    ProcessEvicted = "process_evicted",
        "A process was forgotten for want of room (`events.memory`).";
    ProcessUnreadable = "process_unreadable",
        "What `/proc` says of a process may not be read or was not understood.";
    NotHeld = "not_held",
        "An event did not wait for its container for want of room (`events.memory`).";
    ContainerUnanswered = "container_unanswered",
        "Nobody told about the container of an event in time.";
    ContainerRefused = "container_refused",
        "Nobody was asked about a container, as too many questions waited.";
    ContainerAnswerLost = "container_answer_lost",
        "An answer about a container found no room.";
    AlertUnwritten = "alert_unwritten",
        "An alert could not be written to standard output, or neither there nor to the sinks, as too many waited.";
}

loss_causes! {
    /// Why a delivery to a back-end failed, and is tried again.
    SinkFailure:
    Connect = "connect",
        "No connection: name, address, port, or nobody there.";
    Tls = "tls",
        "The certificate of one side is not accepted by the other, or there is no TLS.";
    Timeout = "timeout",
        "No answer in time.";
    Broken = "broken",
        "The connection ended before the answer, or the answer is not of the protocol.";
    Unauthorized = "unauthorized",
        "The back-end wants other credentials.";
    Throttled = "throttled",
        "The back-end asked for fewer (429).";
    Refused = "refused",
        "The back-end cannot take anything now (5xx).";
    LocalIo = "local_io",
        "A local file or socket cannot be written.";
}

loss_causes! {
    /// Why a connection of a client of the local API ended before the client wanted.
    ClientFault:
    Tls = "tls",
        "The handshake of TLS failed: no TLS, or a certificate that is not accepted.";
    Slow = "slow",
        "The handshake or the head of the first request did not come in time.";
    Stalled = "stalled",
        "The client did not take an answer in time.";
    Malformed = "malformed",
        "What came is no request, or its head is too large.";
    Displaced = "displaced",
        "All places were taken, it asked nothing, and another client wanted to be let in.";
    Broken = "broken",
        "The connection broke in a request or an answer.";
}

/// Reads what this process costs.
#[derive(Clone, Copy, Debug)]
pub struct ProcessMeter {
    start_time_seconds: f64,
}

impl ProcessMeter {
    /// Finds out when this process started, once: the answer must not move with
    /// later corrections of the clock.
    ///
    /// # Errors
    ///
    /// When `/proc/self/stat` cannot be read or understood.
    pub fn new() -> io::Result<Self> {
        let ticks = start_ticks(&fs::read_to_string("/proc/self/stat")?)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/self/stat"))?;
        let since_boot = ticks as f64 / clock_ticks_per_second() as f64;
        let boot_time =
            seconds(clock_gettime(ClockId::Realtime)) - seconds(clock_gettime(ClockId::Boottime));
        Ok(Self { start_time_seconds: boot_time + since_boot })
    }

    /// The figures now.
    ///
    /// # Errors
    ///
    /// When `/proc/self/statm` cannot be read or understood.
    pub fn read(&self) -> io::Result<ProcessUsage> {
        let pages = resident_pages(&fs::read_to_string("/proc/self/statm")?)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/self/statm"))?;
        Ok(ProcessUsage {
            cpu_seconds_total: seconds(clock_gettime(ClockId::ProcessCPUTime)),
            resident_memory_bytes: pages.saturating_mul(page_size() as u64),
            start_time_seconds: self.start_time_seconds,
        })
    }
}

/// Field 22 of `/proc/PID/stat`, clock ticks from boot to the start. The name in
/// field 2 may hold blanks and brackets, so counting begins behind the last one.
fn start_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Field 2 of `/proc/PID/statm`.
fn resident_pages(statm: &str) -> Option<u64> {
    statm.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn seconds(time: Timespec) -> f64 {
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::{LossCause, ProcessMeter, start_ticks};

    #[test]
    fn labels_of_causes_are_distinct() {
        let labels: BTreeSet<_> = LossCause::ALL.iter().map(|cause| cause.label()).collect();
        assert_eq!(labels.len(), LossCause::ALL.len());
    }

    #[test]
    fn start_is_found_behind_any_name() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20 21";
        for name in ["landlord", "a) b (c", "((("] {
            assert_eq!(start_ticks(&format!("42 ({name}) {rest}")), Some(777), "{name}");
        }
        assert_eq!(start_ticks("42 (landlord) S 1 2"), None);
    }

    #[test]
    fn this_process_started_lately_and_uses_something() {
        let usage = ProcessMeter::new().unwrap().read().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let age = now - usage.start_time_seconds;
        assert!((-1.0..600.0).contains(&age), "{age} s old");
        assert!(usage.cpu_seconds_total > 0.0);
        assert!(usage.resident_memory_bytes > 100 << 10);
    }
}
