//! What holds for every text and every condition.

use std::thread;

use proptest::prelude::*;

use crate::rules::ast::{
    Argument, Check, Expr, Modifier, Name, Operand, Operator, Right, Test, Text,
};
use crate::rules::parse::{MAX_CHECKS, MAX_DEPTH, MAX_LITERALS, condition};
use crate::rules::print;

fn name(text: String) -> Name {
    Name { text, span: 0..0 }
}

fn text(bytes: Vec<u8>) -> Text {
    Text { bytes, span: 0..0 }
}

fn any_identifier() -> impl Strategy<Value = Name> {
    let word = "[a-zA-Z][a-zA-Z0-9_]{0,5}|oneof|anyof|allof|exists|in|and_x|tolower|val|notx";
    let keyword = |word: &String| matches!(word.as_str(), "and" | "or" | "not");
    word.prop_filter("a keyword", move |word| !keyword(word)).prop_map(name)
}

fn any_field() -> impl Strategy<Value = Operand> {
    let argument =
        prop_oneof!["[a-z0-9/*.=(),]{1,4}", "[\\[\\]\"'\\\\ a\x08]{0,4}", any::<String>()];
    let field = "[a-zA-Z][a-z0-9_]{0,2}(\\.[a-zA-Z][a-z0-9_]{0,3}){1,2}";
    (field, proptest::option::of(argument)).prop_map(|(field, argument)| Operand::Field {
        name: name(field),
        argument: argument.map(name),
    })
}

fn any_number() -> impl Strategy<Value = String> {
    "[+-]?[0-9]{1,3}(\\.[0-9]{0,2})?([eE][+-][0-9]{1,2})?|0[xX][0-9a-fA-F]{1,4}"
}

fn any_text() -> impl Strategy<Value = Text> {
    let bytes = prop_oneof![
        "[\\\\\"' a(),=]{0,6}".prop_map(String::into_bytes),
        "oneof|anyof|allof|and|or|not|exists|<NA>|/etc/[a-z]{1,3}".prop_map(String::into_bytes),
        any::<String>().prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    bytes.prop_map(text)
}

fn any_operand() -> impl Strategy<Value = Operand> {
    any_field().prop_recursive(3, 12, 3, |operand| {
        let flat = prop_oneof![
            operand.prop_map(Argument::Operand),
            any_text().prop_map(Argument::Text),
            any_number().prop_map(|number| Argument::Number(name(number))),
        ];
        let list = proptest::collection::vec(flat.clone(), 0..3);
        let argument =
            prop_oneof![3 => flat, 1 => list.prop_map(|items| Argument::List(items, 0..0))];
        let transformers =
            ["tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt"];
        let arguments = proptest::collection::vec(argument, 1..4);
        let selector = proptest::option::of("[a-z]|\\PC{0,3}");
        (proptest::sample::select(transformers.to_vec()), arguments, selector).prop_map(
            |(transformer, arguments, argument)| Operand::Call {
                transformer: name(transformer.to_owned()),
                arguments,
                argument: argument.map(name),
                span: 0..0,
            },
        )
    })
}

fn binary(operator: Operator, modifier: Option<Modifier>, right: Right) -> Test {
    Test::Binary { operator, operator_span: 0..0, modifier, right }
}

fn any_test() -> impl Strategy<Value = Test> {
    let all: Vec<_> = Operator::ALL.iter().map(|(operator, _)| *operator).collect();
    let is_order =
        |one: &Operator| matches!(one, Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge);
    let (orders, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(is_order);
    let (lists, texts): (Vec<_>, Vec<_>) = rest.into_iter().partition(|one| one.takes_list());
    let list = || {
        prop_oneof![
            proptest::collection::vec(any_text(), 0..4).prop_map(|items| Right::List(items, 0..0)),
            any_identifier().prop_map(Right::Identifier),
        ]
    };
    let other = || any_operand().prop_map(Right::Operand);
    let number = any_number().prop_map(|number| Right::Value(text(number.into_bytes())));
    prop_oneof![
        Just(Test::Exists),
        (proptest::sample::select(orders), prop_oneof![number, other()])
            .prop_map(|(operator, right)| binary(operator, None, right)),
        (
            proptest::sample::select(texts.clone()),
            prop_oneof![any_text().prop_map(Right::Value), other()]
        )
            .prop_map(|(operator, right)| binary(operator, None, right)),
        (proptest::sample::select(texts), proptest::sample::select(&Modifier::ALL), list())
            .prop_map(|(operator, modifier, right)| binary(operator, Some(modifier), right)),
        (proptest::sample::select(lists), prop_oneof![list(), other()])
            .prop_map(|(operator, right)| binary(operator, None, right)),
    ]
}

fn any_expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        any_identifier().prop_map(Expr::Macro),
        (any_operand(), any_test()).prop_map(|(left, test)| Expr::Check(Box::new(Check {
            left,
            test,
            span: 0..0
        }))),
    ];
    leaf.prop_recursive(5, 24, 4, |expr| {
        prop_oneof![
            proptest::collection::vec(expr.clone(), 2..4).prop_map(Expr::And),
            proptest::collection::vec(expr.clone(), 2..4).prop_map(Expr::Or),
            expr.prop_map(|expr| Expr::Not(Box::new(expr))),
        ]
    })
}

/// The same without places.
fn placeless(expr: Expr) -> Expr {
    match expr {
        Expr::And(all) => Expr::And(all.into_iter().map(placeless).collect()),
        Expr::Or(any) => Expr::Or(any.into_iter().map(placeless).collect()),
        Expr::Not(inner) => Expr::Not(Box::new(placeless(*inner))),
        Expr::Macro(word) => Expr::Macro(name(word.text)),
        Expr::Check(check) => {
            let test = match check.test {
                Test::Exists => Test::Exists,
                Test::Binary { operator, modifier, right, .. } => {
                    let right = match right {
                        Right::Value(value) => Right::Value(text(value.bytes)),
                        Right::Identifier(word) => Right::Identifier(name(word.text)),
                        Right::Operand(operand) => Right::Operand(placeless_operand(operand)),
                        Right::List(items, _) => Right::List(
                            items.into_iter().map(|item| text(item.bytes)).collect(),
                            0..0,
                        ),
                    };
                    binary(operator, modifier, right)
                }
            };
            let left = placeless_operand(check.left);
            Expr::Check(Box::new(Check { left, test, span: 0..0 }))
        }
    }
}

fn placeless_operand(operand: Operand) -> Operand {
    let bare = |word: Name| name(word.text);
    match operand {
        Operand::Field { name, argument } => {
            Operand::Field { name: bare(name), argument: argument.map(bare) }
        }
        Operand::Call { transformer, arguments, argument, .. } => Operand::Call {
            transformer: bare(transformer),
            arguments: arguments.into_iter().map(placeless_argument).collect(),
            argument: argument.map(bare),
            span: 0..0,
        },
    }
}

fn placeless_argument(argument: Argument) -> Argument {
    match argument {
        Argument::Operand(operand) => Argument::Operand(placeless_operand(operand)),
        Argument::Text(value) => Argument::Text(text(value.bytes)),
        Argument::Number(number) => Argument::Number(name(number.text)),
        Argument::List(items, _) => {
            Argument::List(items.into_iter().map(placeless_argument).collect(), 0..0)
        }
    }
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(expr in any_expr()) {
        let printed = print::condition(&expr);
        match condition(&printed) {
            Ok(again) => prop_assert_eq!(placeless(again), expr, "{}", printed),
            Err(problems) => prop_assert!(false, "{}\n{:#?}", printed, problems),
        }
    }

    #[test]
    fn printing_is_stable(expr in any_expr()) {
        let printed = print::condition(&expr);
        prop_assert_eq!(print::condition(&condition(&printed).unwrap()), printed);
    }

    #[test]
    fn every_text_is_read_or_refused_with_places_in_it(
        text in prop_oneof![
            any::<String>(),
            "[a\"'\\\\() ,=\\[\\].<>!&|]{0,30}",
            "((not|and|or|a|proc\\.name|=|in|contains|\\(|\\)|,|\"|'|x|<|5|tolower\\(|val\\(|anyof|\\[)[ ]?){0,15}",
        ]
    ) {
        if let Err(problems) = condition(&text) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(text.get(problem.span.clone()).is_some(), "{:?}", problem);
                prop_assert!(!problem.message.is_empty());
            }
        }
    }

    #[test]
    fn spans_are_where_the_words_stand(expr in any_expr()) {
        let printed = print::condition(&expr);
        check_spans(&condition(&printed).unwrap(), &printed);
    }
}

fn check_spans(expr: &Expr, text: &str) {
    match expr {
        Expr::And(of) | Expr::Or(of) => of.iter().for_each(|one| check_spans(one, text)),
        Expr::Not(inner) => check_spans(inner, text),
        Expr::Macro(name) => assert_eq!(&text[name.span.clone()], name.text),
        Expr::Check(check) => {
            let whole = &text[check.span.clone()];
            assert_eq!(print::condition(expr), whole);
            if let Test::Binary { operator, operator_span, .. } = &check.test {
                assert_eq!(&text[operator_span.clone()], operator.text());
            }
        }
    }
}

/// Reads a text and walks over what was read, in a thread with the smallest stack
/// that any has; tells why it could not be read.
fn refusal(text: String) -> Option<String> {
    const STACK: usize = 2 << 20;
    let walk = move || {
        let expr = match condition(&text) {
            Ok(expr) => expr,
            Err(problems) => return Some(problems[0].message.clone()),
        };
        let copy = expr.clone();
        assert!(copy == expr);
        assert!(!print::condition(&copy).is_empty());
        assert!(!format!("{copy:?}").is_empty());
        None
    };
    thread::Builder::new().stack_size(STACK).spawn(walk).unwrap().join().unwrap()
}

#[test]
fn nesting_ends_before_the_stack_does() {
    let too_deep = Some(format!("the condition is nested deeper than {MAX_DEPTH} levels"));
    let nested = |open: &str, inner: &str, close: &str, times: usize| {
        format!("{}{inner}{}", open.repeat(times), close.repeat(times))
    };
    assert_eq!(refusal(nested("(", "a", ")", MAX_DEPTH)), None);
    assert_eq!(refusal(nested("(", "a", ")", MAX_DEPTH + 1)), too_deep);
    assert_eq!(refusal(nested("not(", "a", ")", MAX_DEPTH)), None);
    assert_eq!(refusal(nested("a and (b or (", "c", "))", MAX_DEPTH / 2)), None);
    assert_eq!(refusal(nested("not (a or ", "c", ")", MAX_DEPTH)), None);
    let call = |times| format!("{} = x", nested("tolower(", "proc.name", ")", times));
    assert_eq!(refusal(call(MAX_DEPTH)), None);
    assert_eq!(refusal(call(MAX_DEPTH + 1)), too_deep);
    for begin in ["(", "not(", "a and(", "tolower(", "proc.name = tolower(", "join((", "not (a or "]
    {
        let times = 10_000_000 / begin.len();
        assert!(refusal(begin.repeat(times)).is_some(), "{begin}");
    }
}

#[test]
fn length_costs_no_depth() {
    assert_eq!(refusal(format!("{}a", "not ".repeat(2_500_000))), None);
    assert_eq!(refusal(format!("{}a", "a and ".repeat(MAX_CHECKS - 1))), None);
    assert_eq!(refusal(format!("{}a", "a or b and ".repeat(MAX_CHECKS / 2 - 1))), None);
    let checks = Some(format!("the condition has more than {MAX_CHECKS} checks"));
    assert_eq!(refusal(format!("{}a", "a or ".repeat(MAX_CHECKS))), checks);
    let literals = Some(format!("the condition has more than {MAX_LITERALS} literals"));
    assert_eq!(refusal(format!("a.b in ({}a)", "a,".repeat(MAX_LITERALS))), literals);
    assert_eq!(refusal(format!("a.b = {}", "x".repeat(10_000_000))), None);
    assert_eq!(refusal("x".repeat(10_000_000)), None);
}

#[test]
fn megabytes_of_nonsense_are_refused_in_time() {
    for word in [
        ")", "\"", "'\\", "\"\\q\" ", "[", ",", "a b ", "a.b ", "!", "= ", "and ", "a.b = ' ",
        "\u{0}", "ß",
    ] {
        let times = 2_000_000 / word.len();
        assert!(refusal(word.repeat(times)).is_some(), "{word}");
    }
}
