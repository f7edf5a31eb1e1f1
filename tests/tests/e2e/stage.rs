//! Where a test plays: an agent of its own, and tenants that the default rules name.

use std::time::Duration;

use landlord_tests::agent::{Home, Usage};
use landlord_tests::cgroup::{Cgroup, Hierarchy};

/// Longer than any workload of these tests takes on an emulated machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// True in a virtual machine, where everything is slower by an order of magnitude.
pub(crate) fn emulated() -> bool {
    std::env::var_os("LANDLORD_VM").is_some()
}

/// A smaller amount of work where the machine is emulated.
pub(crate) fn amount(native: u64, emulated_amount: u64) -> u64 {
    if emulated() { emulated_amount } else { native }
}

/// Whether there is time for tests that take minutes in a virtual machine: there they run
/// only if it was asked for them.
pub(crate) fn has_minutes() -> bool {
    !emulated() || std::env::var_os("LANDLORD_LONG").is_some()
}

/// Whether a test is left out here because it takes minutes, which it then tells. What it
/// tries is no matter of the kernel.
pub(crate) fn is_too_long() -> bool {
    if !has_minutes() {
        skip_here("it takes minutes; ask for it by its name");
        return true;
    }
    false
}

/// Whether this kernel lets a task be preempted inside a sensor, and meanwhile skips that
/// sensor for others on the CPU: those after 6.18.
pub(crate) fn skips_sensors() -> bool {
    rustix::system::uname().release().to_string_lossy().starts_with("7.")
}

/// What passed the sensors, as the agent tells: nothing where the kernel skips none.
pub(crate) fn missed(usage: &Usage) -> u64 {
    let missed = usage.0["agent"]["lost_total"]["program_missed"].as_u64().unwrap();
    assert!(missed == 0 || skips_sensors(), "{missed} events passed the sensors");
    missed
}

/// Tells that a test cannot run, and that it is no fault of the machine. The test
/// command counts it as skipped; the test has to end.
#[expect(clippy::print_stdout, reason = "the test command reads a test's standard output")]
pub(crate) fn skip_here(reason: &str) {
    println!("SKIPPED HERE: {reason}");
}

/// A home for an agent with the default configuration, one collection a second.
pub(crate) fn home() -> Home {
    Home::new("interval: 1s\n").unwrap()
}

/// A cgroup that the default rules make the tenant `landlord-e2e-NAME`.
pub(crate) fn tenant(name: &str) -> (Cgroup, String) {
    let tenant = format!("landlord-e2e-{name}");
    let cgroup = Hierarchy::find().unwrap().create(&format!("{tenant}.slice")).unwrap();
    (cgroup, tenant)
}
