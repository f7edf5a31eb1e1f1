//! The rules that Landlord ships: they load without a warning, each says what it has
//! to say, and each has tests that pass.

use std::path::PathBuf;

use super::{Outcome, read, run};
use crate::rules::compile::event_types;
use crate::rules::event_type::EventType;
use crate::rules::load::{Loaded, Options, load, read as read_files};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules"))
}

fn shipped() -> Loaded {
    load(read_files(&[folder()]), &Options::default())
}

fn outcome() -> Outcome {
    let suite = read(read_files(&[folder().join("tests")])).unwrap_or_else(|reports| {
        let told = reports.iter().flat_map(|report| &report.diagnostics);
        let told = told.map(|it| format!("{}:{}: {}\n", it.place.file, it.place.line, it.message));
        panic!("{}", told.collect::<String>())
    });
    run(&suite, &shipped().rules)
}

#[test]
fn they_load_without_a_warning() {
    let loaded = shipped();
    let told: Vec<String> = loaded
        .reports
        .iter()
        .flat_map(|report| &report.diagnostics)
        .map(|it| {
            let at = &it.place;
            format!("{}:{}:{}: {}\n  {}", at.file, at.line, at.column, it.message, at.excerpt)
        })
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(loaded.rules.len() >= 40, "{} rules", loaded.rules.len());
}

#[test]
fn each_says_what_it_has_to() {
    for rule in shipped().rules {
        let name = &rule.name;
        assert!(rule.description.len() >= 100, "{name}: the description is too short");
        let tagged = |test: &dyn Fn(&str) -> bool| rule.tags.iter().any(|tag| test(tag));
        assert!(tagged(&|tag| tag.starts_with("mitre_")), "{name}: no MITRE tactic");
        let technique = |tag: &str| {
            tag.strip_prefix('T').is_some_and(|number| {
                number.len() >= 4 && number.chars().all(|c| c.is_ascii_digit() || c == '.')
            })
        };
        assert!(tagged(&technique), "{name}: no MITRE technique");
        assert!(tagged(&|tag| tag.starts_with("maturity_")), "{name}: no maturity");
        assert!(rule.output.fields().any(|(field, _)| field == "tenant.name"), "{name}: no tenant");
        // A rule that names no type of event costs at every system call.
        let types = event_types(&rule.condition);
        let count = EventType::all().filter(|&one| types.contains(one)).count();
        assert!((1..=20).contains(&count), "{name}: looks at {count} types of events");
    }
}

#[test]
fn each_has_tests_that_pass() {
    let outcome = outcome();
    let failures: Vec<String> = outcome
        .failures
        .iter()
        .map(|it| {
            let (file, line) = (&it.place.file, it.place.line);
            let details = it.details.join("\n    ");
            format!("{file}:{line}: {} {}: {}\n    {details}", it.subject, it.title, it.message)
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(outcome.gaps.is_empty(), "without a firing or a silent test: {:#?}", outcome.gaps);
    assert!(outcome.passed >= 80, "{} tests", outcome.passed);
}
