//! What watching costs beyond metering: figures and their table. Pure.

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::sample::Samples;
use super::statistics::{Spread, added};
use super::variant::Variant;

/// What is promised of watching.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// At most so many nanoseconds an operation, kernel side and agent together.
    TogetherNs(f64),
    /// An operation takes what it takes with metering alone, up to so many percent.
    UnchangedPercent(f64),
}

/// An agent beside a workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Watched {
    /// Which agent.
    variant: Variant,
    /// Nanoseconds added to each operation.
    added_ns: Spread,
    /// Nanoseconds added beyond those of metering alone.
    over_metering_ns: Spread,
    /// Processor time of the agent's process for each operation, nanoseconds; when it
    /// watches, beyond that of metering alone.
    agent_ns: Spread,
    /// What watching adds for an operation, in kernel and agent; of metering alone 0.
    together_ns: f64,
    /// Added cost by that of the floor, where that is clear of the noise.
    floor_ratio: Option<f64>,
    /// What is promised.
    target: Option<Target>,
    /// Whether it is kept; absent where noise could turn the verdict.
    met: Option<bool>,
}

/// The agents that were measured beside a workload that is measured with rules.
pub(crate) fn watched(samples: &Samples, noise_ns: f64, floor_ns: Option<f64>) -> Vec<Watched> {
    let workload = samples.workload;
    if !workload.watched {
        return Vec::new();
    }
    let agents = Variant::ALL.into_iter().filter(|variant| variant.is_agent());
    agents.filter_map(|variant| one(samples, variant, noise_ns, floor_ns)).collect()
}

fn one(
    samples: &Samples,
    variant: Variant,
    noise_ns: f64,
    floor_ns: Option<f64>,
) -> Option<Watched> {
    let (ns, metering) = (samples.of(variant), samples.of(Variant::Landlord));
    let (own, own_metering) = (samples.own_of(variant), samples.own_of(Variant::Landlord));
    let added_ns = added(ns, samples.of(Variant::Nothing))?;
    let over_metering_ns = added(ns, metering)?;
    let watches = variant != Variant::Landlord;
    let agent_ns =
        if watches { added(own, own_metering)? } else { Spread::of(own.iter().copied())? };
    let together_ns = if watches { over_metering_ns.median + agent_ns.median } else { 0.0 };
    let target = samples.workload.watched_target.filter(|_| watches);
    let base = Spread::of(metering.iter().copied())?.median;
    let met = target.and_then(|target| match target {
        Target::TogetherNs(limit) => verdict(together_ns, limit, noise_ns),
        Target::UnchangedPercent(percent) => {
            verdict(over_metering_ns.median.abs(), base * percent / 100.0, noise_ns)
        }
    });
    let floor_ratio = floor_ns.map(|floor| added_ns.median / floor);
    Some(Watched {
        variant,
        added_ns,
        over_metering_ns,
        agent_ns,
        together_ns,
        floor_ratio,
        target,
        met,
    })
}

/// Whether a figure keeps a limit, if noise cannot turn that.
fn verdict(figure: f64, limit: f64, noise: f64) -> Option<bool> {
    ((figure - limit).abs() > noise).then_some(figure <= limit)
}

impl Watched {
    /// Whether the promise is broken for certain.
    pub(crate) fn missed(&self) -> bool {
        self.met == Some(false)
    }

    fn cells(&self, workload: &str) -> Vec<String> {
        let rules = match self.variant {
            Variant::DefaultRules => "Landlord's",
            Variant::OfficialRules => "Falco's, all",
            Variant::Connections => "+ connections",
            _ => "none: metering",
        };
        let watches = self.variant != Variant::Landlord;
        let of_watching = |text: String| if watches { text } else { "-".to_owned() };
        let target = self.target.map_or(String::new(), |target| match target {
            Target::TogetherNs(limit) => format!("together ≤ {limit:.0}"),
            Target::UnchangedPercent(percent) => format!("work ±{percent:.0} %"),
        });
        let met = match (self.target, self.met) {
            (None, _) => "",
            (Some(_), Some(true)) => "met",
            (Some(_), Some(false)) => "NOT MET",
            (Some(_), None) => "unclear",
        };
        vec![
            workload.to_owned(),
            rules.to_owned(),
            format!("{:+.0}", self.added_ns.median),
            self.floor_ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
            of_watching(format!("{:+.0}", self.over_metering_ns.median)),
            format!("{:.0}", self.agent_ns.median),
            of_watching(format!("{:+.0}", self.together_ns)),
            target,
            met.to_owned(),
        ]
    }
}

/// The table for people; `None` when there is nothing to tell.
pub(crate) fn table<'rows>(
    rows: impl IntoIterator<Item = (&'rows str, &'rows [Watched])>,
) -> Option<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).force_no_tty();
    table.set_header([
        "WORKLOAD", "RULES", "ADDED ns", "×FLOOR", "WATCHING", "AGENT", "TOGETHER", "TARGET", "",
    ]);
    let mut empty = true;
    for (name, agents) in rows {
        for agent in agents {
            table.add_row(agent.cells(name));
            empty = false;
        }
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if !matches!(at, 0 | 1 | 7 | 8) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    (!empty).then(|| {
        format!(
            "{}\n\nADDED is what the agent adds to each operation, WATCHING what of it metering \
             alone does not, AGENT\nprocessor time of the agent's own process for each \
             operation, beyond that of metering alone\nwhere it watches, TOGETHER both.",
            table.trim_fmt()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::workloads::WORKLOADS;
    use super::{Target, table, verdict, watched};
    use crate::bench::sample::Samples;
    use crate::bench::variant::Variant;

    /// Samples of two rounds: of nothing, of metering and of watching, and the
    /// agent's own of the two last.
    fn samples(name: &str, ns: [f64; 3], own: [f64; 2]) -> Samples {
        let row = WORKLOADS.iter().find(|row| row.name == name).expect("a row");
        let mut samples = Samples::new(*row);
        let with = [Variant::Nothing, Variant::Landlord, Variant::DefaultRules];
        for (variant, ns) in with.into_iter().zip(ns) {
            samples.ns.insert(variant, vec![ns; 2]);
        }
        for (variant, ns) in with.into_iter().skip(1).zip(own) {
            samples.own_ns.insert(variant, vec![ns; 2]);
        }
        samples
    }

    fn check(name: &str, ns: [f64; 3], own: [f64; 2], together: f64, met: Option<bool>) {
        let rows = watched(&samples(name, ns, own), 2.0, Some(60.0));
        let found: Vec<_> = rows.iter().map(|row| (row.together_ns, row.met)).collect();
        assert_eq!(found, [(0.0, None), (together, met)], "{name} {ns:?} {own:?}");
    }

    #[test]
    fn watching_is_told_from_metering() {
        check("openclose", [1000.0, 1150.0, 1600.0], [5.0, 25.0], 470.0, Some(true));
        check("openclose", [1000.0, 1150.0, 1600.0], [5.0, 75.0], 520.0, Some(false));
        check("openclose", [1000.0, 1150.0, 1600.0], [5.0, 56.0], 501.0, None);
        check("getppid", [100.0, 170.0, 174.0], [0.0, 0.0], 4.0, Some(true));
        check("getppid", [100.0, 170.0, 200.0], [0.0, 0.0], 30.0, Some(false));
    }

    #[test]
    fn noise_gives_no_verdict() {
        assert_eq!(verdict(10.0, 12.0, 1.0), Some(true));
        assert_eq!(verdict(10.0, 12.0, 3.0), None);
        assert_eq!(verdict(14.0, 12.0, 1.0), Some(false));
    }

    #[test]
    fn the_table_has_a_row_for_each_agent() {
        let rows = watched(&samples("openclose", [1000.0, 1150.0, 1900.0], [5.0, 25.0]), 2.0, None);
        assert_eq!(rows[1].target, Some(Target::TogetherNs(500.0)));
        let table = table([("openclose", rows.as_slice())]).expect("rows");
        let row = table.lines().nth(2).expect("a row");
        let words: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "openclose Landlord's +900 - +750 20 +770 together ≤ 500 NOT MET"
        );
        assert_eq!(super::table([("x", [].as_slice())]), None);
    }
}
