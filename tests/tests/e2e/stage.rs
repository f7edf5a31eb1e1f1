//! Where a test plays: an agent of its own, and tenants that the default rules name.

use std::time::Duration;

use landlord_tests::agent::Home;
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
