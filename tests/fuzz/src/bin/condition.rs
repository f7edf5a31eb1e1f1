//! The condition of a rule: parsed, printed, bound, compiled.

#![no_main]

use landlord::rules::compile::Program;
use landlord::rules::diagnostic::{Problem, ProblemKind};
use landlord::rules::rule::Matching;
use landlord::rules::{bind, parse, print};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus { check(data) });

fn check(data: &[u8]) -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    let Ok(expression) = parse::condition(text) else { return Corpus::Keep };
    let printed = print::condition(&expression);
    let again = parse::condition(&printed);
    let reprinted = again.as_ref().map(print::condition);
    assert_eq!(reprinted, Ok(printed), "{text:?}");
    let mut no_macros = |name: &landlord::rules::ast::Name| {
        Err(Problem {
            span: name.span.clone(),
            message: "there are no macros here".to_owned(),
            help: None,
            kind: ProblemKind::UnknownName,
        })
    };
    if let Ok(bound) = bind::condition(&expression, &mut no_macros) {
        let _program = Program::new(&[(0, &bound.condition)], Matching::All);
    }
    Corpus::Keep
}
