//! Landlord: one agent per node that meters every tenant from the kernel,
//! enforces the house rules and writes the bill.
//!
//! # Code map, in pipeline order
//!
//! - [`kernel`]: loads the sensors, resolves struct offsets, reads counters and
//!   the cgroup's own files. Sole home of aya and of `unsafe`. Knows no tenant.
//! - [`identity`]: cgroup → container → pod → tenant.
//! - [`usage`]: cumulative kernel readings → per-tenant totals that survive the
//!   agent. Pure: no aya, no kube, no tokio.
//! - [`decode`]: bytes of a kernel record → [`event`]. Pure.
//! - [`calls`]: one table of the system calls: how each is read and told. Pure.
//! - [`event`]: a record as rules see it. Pure.
//! - [`process`] and [`container`]: who acted, and where.
//! - [`detection`]: records and what belongs to them → alerts. Pure.
//! - [`capture`]: what the detector was fed, in a file. Pure.
//! - [`rules`]: Falco's rule language: files → one program; event → alerts. Pure.
//! - [`filter`]: a rule set → what the kernel side need not tell. Pure.
//! - [`sinks`]: totals → Prometheus and the local JSON API. Knows no rules.
//! - [`telemetry`]: the agent's own figures, each loss by its cause.
//! - [`pipeline`]: tasks, channels, shutdown; joins the rooms above.
//! - [`config`]: the file, the flags, and what they resolve to on this machine.
//! - [`cli`]: one file a subcommand.
//!
//! # Invariants, checked by `cargo xtask tidy`
//!
//! 1. `rules`, `usage` and the other rooms between records and alerts import no aya, kube or
//!    tokio; of `container` only what asks does. `kernel` knows no tenant names.
//! 2. Every loss is counted where it happens, by cause, and exported.
//! 3. Unknown identity is a named bucket (`unknown`, `host`), never dropped and
//!    never guessed.
//! 4. Label cardinality is bounded: tenants × a fixed set. Never a pid, an
//!    address, a command name or a pod UID in a label of a metric, except where
//!    the configuration makes one the tenant's name.
//! 5. Counters survive the agent: maps and links are pinned, a restart or an
//!    upgrade loses nothing and counts nothing twice.
//! 6. Bad input gives a clear error with place and expectation, and the running
//!    configuration and rules stay.
//! 7. What a node cannot do is found out at start and reported by
//!    `landlord doctor`, in the log and as a metric.

pub mod calls;
pub mod capture;
pub mod cli;
pub mod config;
pub mod container;
pub mod decode;
pub mod detection;
pub mod event;
pub mod filter;
pub mod identity;
#[expect(
    unsafe_code,
    reason = "counters are read through shared memory of the kernel's maps; no other module may"
)]
pub mod kernel;
pub mod pipeline;
pub mod process;
pub mod rules;
pub mod sinks;
pub mod syscalls;
pub mod telemetry;
pub mod usage;
