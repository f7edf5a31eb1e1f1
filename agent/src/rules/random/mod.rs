//! Conditions and events at random, of every kind and shape of field and with every
//! operator. Literals and values come from the same few, so that they meet.

mod sample;

use std::net::IpAddr;

use ipnet::IpNet;
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::prop_oneof;
use proptest::sample::select;

pub(crate) use self::sample::{Sample, field};
use super::naive::{Addresses, Owned};
use crate::rules::event::FieldRef;
use crate::rules::field::Shape;
use crate::rules::typed::{
    Check, Comparison, Condition, Literal, Modifier, Operand, Test, Transformer,
};
use crate::rules::value::Kind;

/// The fields that conditions ask for: all kinds and shapes, and those that a
/// prefilter knows.
pub(crate) const FIELDS: &[&str] = &[
    "container.id",
    "evt.arg.flags",
    "evt.buffer",
    "evt.failed",
    "evt.is_open_create",
    "evt.is_open_exec",
    "evt.is_open_read",
    "evt.is_open_write",
    "evt.num",
    "evt.rawres",
    "evt.res",
    "evt.type",
    "fd.ip",
    "fd.l4proto",
    "fd.name",
    "fd.nameraw",
    "fd.net",
    "fd.num",
    "fd.port",
    "fd.sip",
    "fd.sip.name",
    "fd.sport",
    "fd.type",
    "fd.typechar",
    "fd.types",
    "proc.aname",
    "proc.aname[2]",
    "proc.fdusage",
    "proc.name",
    "user.uid",
];

const TYPES: &[&str] = &["accept", "close", "connect", "execve", "open", "openat"];

const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "A",
    "ab",
    "abc",
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/ab",
    "//a//b",
    "/A/b",
    "host",
    "f",
    "4",
    "6",
    "file",
    "ipv4",
    "tcp",
    "udp",
    "SUCCESS",
    "EPERM",
    "open",
    "openat",
    "a longer text",
    "O_CREAT",
    "O_RDONLY",
];

const HOSTS: &[&str] = &["here", "there"];

fn text() -> impl Strategy<Value = Vec<u8>> {
    let letters = vec(select(b"abAB/".as_slice()), 0..5);
    prop_oneof![4 => select(TEXTS).prop_map(|text| text.as_bytes().to_vec()), 1 => letters]
}

fn pattern() -> impl Strategy<Value = Vec<u8>> {
    let part = select(
        [
            &b"*"[..],
            b"?",
            b"a",
            b"b",
            b"/",
            b"[ab]",
            b"[!a]",
            b"[a-f]",
            b"\\*",
            b"\\a",
            b"A",
            b"host",
        ]
        .to_vec(),
    );
    vec(part, 0..6).prop_map(|parts| parts.concat())
}

fn expression() -> impl Strategy<Value = Vec<u8>> {
    let part = select(
        [&b"a"[..], b".", b".*", b"[ab]", b"(a|b)", b"/", b"b?", b"^", b"$", b"\n"].to_vec(),
    );
    vec(part, 0..5).prop_map(|parts| parts.concat())
}

fn number() -> impl Strategy<Value = i128> {
    prop_oneof![4 => select(&[-1_i128, 0, 1, 2, 3, 22, 443][..]), 1 => any::<i64>().prop_map(i128::from)]
}

fn address() -> impl Strategy<Value = IpAddr> {
    let texts = ["10.0.0.1", "10.0.0.2", "192.168.1.1", "::1", "fe80::1", "::ffff:10.0.0.1"];
    select(texts.map(|text| text.parse().unwrap()).to_vec())
}

fn net() -> impl Strategy<Value = IpNet> {
    let texts = ["10.0.0.0/8", "10.0.0.2/31", "0.0.0.0/0", "fe80::/10", "::/0", "192.168.1.1/32"];
    select(texts.map(|text| text.parse().unwrap()).to_vec())
}

fn double() -> impl Strategy<Value = f64> {
    select(&[-0.5, 0.0, 0.5, 1.5][..])
}

fn literal(field: &FieldRef) -> BoxedStrategy<Literal> {
    if field.id.spec().name == "fd.sip.name" {
        return select(HOSTS).prop_map(|name| Literal::Host(name.into())).boxed();
    }
    if field.id.spec().name == "evt.type" {
        let name = prop_oneof![3 => select(TYPES), 1 => select(TEXTS)];
        return name.prop_map(|name| Literal::Text(name.as_bytes().into())).boxed();
    }
    match field.kind() {
        Kind::Bool => any::<bool>().prop_map(Literal::Bool).boxed(),
        Kind::Double => double().prop_map(|number| Literal::Double(number.to_bits())).boxed(),
        Kind::Text | Kind::Bytes => text().prop_map(|text| Literal::Text(text.into())).boxed(),
        Kind::Ip => {
            prop_oneof![address().prop_map(Literal::Ip), net().prop_map(Literal::Net)].boxed()
        }
        Kind::Net => {
            prop_oneof![net().prop_map(Literal::Net), address().prop_map(Literal::Ip)].boxed()
        }
        Kind::Int | Kind::Uint | Kind::Port | Kind::Duration | Kind::Time => {
            number().prop_map(Literal::Int).boxed()
        }
    }
}

fn operators(field: &FieldRef) -> &'static [Comparison] {
    use Comparison::{Contains, EndsWith, Eq, Ge, Gt, IContains, Le, Lt, Ne, StartsWith};
    match field.kind() {
        _ if field.id.spec().name == "fd.sip.name" => &[Eq, Ne],
        Kind::Bool | Kind::Ip | Kind::Net => &[Eq, Ne],
        Kind::Text => &[Eq, Ne, Lt, Le, Gt, Ge, Contains, IContains, StartsWith, EndsWith],
        Kind::Bytes => &[Eq, Ne, Contains, StartsWith, EndsWith],
        _ => &[Eq, Ne, Lt, Le, Gt, Ge],
    }
}

fn modifier() -> impl Strategy<Value = Modifier> {
    select(&[Modifier::OneOf, Modifier::AnyOf, Modifier::AllOf][..])
}

fn test(field: &FieldRef) -> BoxedStrategy<Test> {
    let literals = |from: usize| vec(literal(field), from..5);
    let operator = || select(operators(field));
    let one = (operator(), literal(field))
        .prop_map(|(operator, literal)| compare(operator, None, vec![literal]));
    let several = (operator(), modifier(), literals(0))
        .prop_map(|(operator, modifier, literals)| compare(operator, Some(modifier), literals));
    let sets = prop_oneof![literals(0).prop_map(Test::In), literals(0).prop_map(Test::Intersects)];
    if field.shape() == Shape::List {
        return prop_oneof![1 => Just(Test::Exists), 4 => sets].boxed();
    }
    let general = prop_oneof![1 => Just(Test::Exists), 4 => one, 2 => several, 3 => sets];
    if field.kind() != Kind::Text || field.id.spec().name == "fd.sip.name" {
        return general.boxed();
    }
    let wild = (select(&[Comparison::Glob, Comparison::IGlob][..]), pattern());
    let wild =
        prop_oneof![wild, expression().prop_map(|expression| (Comparison::Regex, expression)),]
            .prop_map(|(operator, text)| compare(operator, None, vec![Literal::Text(text.into())]));
    let paths =
        vec(prop_oneof![text(), pattern()].prop_map(Box::from), 0..4).prop_map(Test::Pmatch);
    let right = || select(&["proc.name", "fd.name", "container.id", "proc.aname[2]"][..]);
    let right = move || right().prop_map(|name| Operand::Field(self::field(name)));
    let fields =
        (operator(), right()).prop_map(|(operator, right)| Test::Operand { operator, right });
    let among =
        (any::<bool>(), select(&["fd.types", "fd.name"][..])).prop_map(|(intersects, right)| {
            Test::InOperand { intersects, right: Operand::Field(self::field(right)) }
        });
    prop_oneof![8 => general, 2 => wild, 2 => paths, 1 => fields, 1 => among].boxed()
}

fn compare(operator: Comparison, modifier: Option<Modifier>, literals: Vec<Literal>) -> Test {
    Test::Literal { operator, modifier, literals }
}

fn check(fields: &'static [&'static str]) -> impl Strategy<Value = Condition> {
    let of_field = select(fields).prop_flat_map(|name| {
        let field = field(name);
        test(&field).prop_map(move |test| Check { left: Operand::Field(field.clone()), test })
    });
    // A function of a text is compared as a text is.
    let calls = select(&[Transformer::ToUpper, Transformer::Basename][..]);
    let of_call = (select(&["proc.name", "fd.name", "fd.types"][..]), calls).prop_flat_map(
        |(name, transformer)| {
            let field = field(name);
            test(&field).prop_map(move |test| Check {
                left: Operand::Call(transformer, vec![Operand::Field(field.clone())]),
                test,
            })
        },
    );
    prop_oneof![12 => of_field, 1 => of_call].prop_map(Condition::Check)
}

/// A condition.
pub(crate) fn condition() -> impl Strategy<Value = Condition> {
    condition_over(FIELDS)
}

/// A condition that asks mostly for these fields.
pub(crate) fn condition_over(fields: &'static [&'static str]) -> impl Strategy<Value = Condition> {
    check(fields).prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            4 => vec(inner.clone(), 0..5).prop_map(Condition::And),
            4 => vec(inner.clone(), 0..5).prop_map(Condition::Or),
            2 => inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

fn value(field: &FieldRef) -> BoxedStrategy<Owned> {
    match field.kind() {
        Kind::Bool => any::<bool>().prop_map(Owned::Bool).boxed(),
        Kind::Double => double().prop_map(Owned::Double).boxed(),
        Kind::Text | Kind::Bytes => {
            let odd = vec(any::<u8>(), 0..4);
            prop_oneof![9 => text(), 1 => odd].prop_map(Owned::Text).boxed()
        }
        Kind::Ip | Kind::Net => address().prop_map(Owned::Ip).boxed(),
        Kind::Int => number().prop_map(Owned::Number).boxed(),
        Kind::Uint | Kind::Port | Kind::Duration | Kind::Time => {
            number().prop_map(|number| Owned::Number(number.max(0))).boxed()
        }
    }
}

/// An event that has some of the fields.
pub(crate) fn event() -> impl Strategy<Value = Sample> {
    let values = FIELDS.iter().map(|name| {
        let field = field(name);
        let number = match field.shape() {
            Shape::One => 0..2,
            Shape::Ends => 0..3,
            Shape::Ancestors | Shape::List => 0..4,
        };
        vec(value(&field), number).prop_map(move |values| (field.clone(), values))
    });
    (select(TYPES), values.collect::<Vec<_>>()).prop_map(|(event_type, values)| {
        values
            .into_iter()
            .fold(Sample::new(event_type), |event, (field, values)| event.with(field, values))
    })
}

/// The addresses that hosts have in these tests.
pub(crate) fn hosts() -> Addresses {
    let address = |text: &str| vec![text.parse().unwrap()];
    [("here".to_owned(), address("10.0.0.1")), ("there".to_owned(), address("fe80::1"))].into()
}
