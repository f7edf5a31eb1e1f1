//! A rule file: read, checked, and its rules compiled.

#![no_main]

use landlord::rules::compile::Program;
use landlord::rules::rule::Matching;
use landlord::rules::load::{Options, SourceFile, load};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| check(data));

fn check(data: &[u8]) {
    let file = SourceFile::new("fuzz.yaml", String::from_utf8_lossy(data));
    let loaded = load(vec![file], &Options::default());
    let conditions: Vec<_> =
        loaded.rules.iter().enumerate().map(|(index, rule)| (index, &rule.condition)).collect();
    let _program = Program::new(&conditions, Matching::All);
}
