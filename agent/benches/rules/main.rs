//! How many events a second rules are evaluated for on one core.
//!
//! ```text
//! cargo bench -p landlord --bench rules -- [--json] [--enabled-only] [--check] [FILE…]
//! ```
//!
//! Without files: Landlord's own of `rules/`; Falco's where they are at hand, in the
//! directory that `LANDLORD_FALCO_RULES` names; and both together. Rules that are not
//! enabled are enabled, unless told otherwise. `--check` fails when a target is missed.

mod figures;
#[expect(dead_code, reason = "the tests of the library use more of it")]
#[path = "../../src/rules/naive.rs"]
mod naive;
mod node;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use landlord::rules;
use landlord::rules::load;
use landlord::rules::typed::Condition;

use self::figures::Figures;

/// Names of Falco's files, in the order in which Falco would load them.
const FALCO: [&str; 4] = [
    "falco_rules.yaml",
    "falco-incubating_rules.yaml",
    "falco-sandbox_rules.yaml",
    "falco-deprecated_rules.yaml",
];

/// Some rule files that are measured together.
struct RuleSet {
    name: &'static str,
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let mut arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let mut flag = |name: &str| {
        let before = arguments.len();
        arguments.retain(|argument| argument != name);
        arguments.len() != before
    };
    let (json, enabled_only, check) = (flag("--json"), flag("--enabled-only"), flag("--check"));
    let sets = if arguments.is_empty() {
        known_sets()
    } else {
        let files = arguments.iter().map(PathBuf::from).collect();
        vec![RuleSet { name: "given", files }]
    };
    let figures: Vec<Figures> = sets.iter().map(|set| measure(set, enabled_only)).collect();
    let shown = if json { figures::as_json(&figures) } else { figures::as_table(&figures) };
    let written = io::stdout().write_all(shown.as_bytes());
    let missed = check && figures.iter().any(|figures| !figures.meets_target());
    if written.is_err() || missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn known_sets() -> Vec<RuleSet> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = std::env::var_os("LANDLORD_FALCO_RULES")
        .map_or_else(|| workspace.join("../shared/falco-rules"), PathBuf::from);
    let falco: Vec<PathBuf> =
        FALCO.iter().map(|name| folder.join(name)).filter(|file| file.is_file()).collect();
    let own = vec![workspace.join("rules")];
    if falco.is_empty() {
        return vec![RuleSet { name: "landlord", files: own }];
    }
    let both = falco.iter().chain(&own).cloned().collect();
    vec![
        RuleSet { name: "landlord", files: own },
        RuleSet { name: "falco", files: falco },
        RuleSet { name: "both", files: both },
    ]
}

fn measure(set: &RuleSet, enabled_only: bool) -> Figures {
    let loaded = load::load(load::read(&set.files), &load::Options::default());
    assert!(!loaded.failed(), "{}: the rules do not load", set.name);
    let rules: Vec<&Condition> = loaded
        .rules
        .iter()
        .filter(|rule| rule.enabled || !enabled_only)
        .map(|rule| &rule.condition)
        .collect();
    figures::measure(set.name, &rules)
}
