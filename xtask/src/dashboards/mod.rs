//! Grafana's dashboards as code: what they show is said here, once, and the JSON in
//! `charts/landlord/dashboards` is made of it.
//!
//! | dashboard | for the question |
//! |---|---|
//! | [`tenants`] | who uses how much of the cluster |
//! | [`tenant`] | what one of them does, and what it may |
//! | [`neighbours`] | who waits for whom |
//! | [`security`] | what rules found, cost and missed |
//! | [`health`] | whether the figures of the others can be trusted |
//!
//! [`panel`] is what all of them are made of, and [`grafana`] alone knows Grafana's JSON, which
//! [`schema`] holds against Grafana's own models.

#[cfg(test)]
mod checks;
mod grafana;
mod health;
mod neighbours;
mod panel;
mod schema;
mod security;
mod tenant;
mod tenants;

use crate::chart::Made;

use self::panel::Dashboard;

pub(crate) use self::schema::cases;

/// All dashboards, in the order in which somebody gets to them.
fn all() -> [Dashboard; 5] {
    [
        tenants::dashboard(),
        tenant::dashboard(),
        neighbours::dashboard(),
        security::dashboard(),
        health::dashboard(),
    ]
}

/// The files of the chart that hold them.
pub(crate) fn made() -> Vec<Made> {
    let made = |dashboard: &Dashboard| Made {
        file: format!("charts/landlord/dashboards/{}.json", dashboard.uid),
        text: format!("{:#}\n", grafana::json(dashboard)),
    };
    all().iter().map(made).collect()
}
