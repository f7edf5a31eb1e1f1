//! Tests that are made on one value after another: all but those of texts that a
//! table answers.

use std::collections::HashSet;

use ipnet::IpNet;
use regex::bytes::{Regex, RegexBuilder};

use super::addresses::Addresses;
use super::glob::Glob;
use super::hosts::HostSets;
use super::paths::Paths;
use super::texts::at;
use crate::rules::field::Shape;
use crate::rules::typed::{Comparison, Literal, Modifier, Test};
use crate::rules::value::Value;

/// A test of the values of one operand.
#[derive(Debug)]
pub(crate) struct Single {
    pub(crate) ask: Ask,
    /// Whether all values have to pass, not just one.
    pub(crate) every: bool,
}

/// What is asked of one value.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Nothing: it is there.
    Exists,
    /// Nothing can pass.
    Never,
    /// It is this truth.
    Bool(bool),
    /// It compares so with the number.
    Number(Comparison, i128),
    /// It is one of these, sorted.
    Numbers(Box<[i128]>),
    /// It compares so with the number.
    Double(Comparison, f64),
    /// It compares so with the text.
    Text(Comparison, Box<[u8]>),
    /// It is one of these.
    Texts(HashSet<Box<[u8]>>),
    /// The pattern is all of it.
    Glob(Glob),
    /// The expression is all of it.
    Regex(Box<Regex>),
    /// It is below one of these.
    Paths(Paths),
    /// It is among these, or is not.
    Addresses(Addresses, bool),
    /// It is an address of a host of the set of that number, or is not.
    Hosts(u32, bool),
    /// It passes exactly one, some, or all of these.
    Several(Modifier, Box<[Ask]>),
}

impl Single {
    /// Prepares a test of literals; hosts that it names are added to `hosts`.
    pub(crate) fn new(test: &Test, shape: Shape, hosts: &mut HostSets) -> Self {
        let differs = |operator: &Comparison| *operator == Comparison::Ne;
        let (ask, every) = match test {
            Test::Exists => (Ask::Exists, false),
            Test::Literal { operator, modifier: None, literals } => match literals.as_slice() {
                [literal] => {
                    (Ask::new(*operator, literal, hosts), shape == Shape::Ends && differs(operator))
                }
                _ => (Ask::Never, false),
            },
            Test::Literal { operator, modifier: Some(modifier), literals } => {
                let asks = literals.iter().map(|literal| Ask::new(*operator, literal, hosts));
                let ask = Ask::several(*modifier, asks.collect());
                (ask, shape == Shape::Ends && differs(operator))
            }
            Test::In(literals) => (Ask::one_of(literals, hosts), shape == Shape::List),
            Test::Intersects(literals) => (Ask::one_of(literals, hosts), false),
            Test::Pmatch(paths) => (Ask::Paths(Paths::new(paths)), false),
            // These have no literals: whoever evaluates them looks at both sides.
            Test::Operand { .. } | Test::InOperand { .. } => (Ask::Never, false),
        };
        Self { ask, every }
    }

    /// Whether the one value there is passes; hosts have no addresses.
    pub(crate) fn holds_alone(&self, value: Value<'_>) -> bool {
        self.ask.passes(&value, &[], &mut String::new())
    }
}

impl Ask {
    fn new(operator: Comparison, literal: &Literal, hosts: &mut HostSets) -> Self {
        use Comparison::{Eq, Glob as Wild, IGlob, Ne, Regex as Expression};
        let same = operator == Eq;
        match (operator, literal) {
            (Eq | Ne, Literal::Bool(truth)) => Self::Bool(*truth == same),
            (Eq | Ne, Literal::Ip(address)) => {
                Self::Addresses([*address].into_iter().collect(), same)
            }
            (Eq | Ne, Literal::Net(net)) => Self::Addresses([*net].into_iter().collect(), same),
            (Eq | Ne, Literal::Host(name)) => Self::Hosts(hosts.set([&**name]), same),
            (operator, Literal::Int(number)) => Self::Number(operator, *number),
            (operator, Literal::Double(bits)) => Self::Double(operator, f64::from_bits(*bits)),
            (Wild, Literal::Text(pattern)) => Self::Glob(Glob::new(pattern, false)),
            (IGlob, Literal::Text(pattern)) => Self::Glob(Glob::new(pattern, true)),
            (Expression, Literal::Text(text)) => {
                regex(text).map_or(Self::Never, |regex| Self::Regex(Box::new(regex)))
            }
            (operator, Literal::Text(text)) => Self::Text(operator, text.clone()),
            (_, Literal::Bool(_) | Literal::Ip(_) | Literal::Net(_) | Literal::Host(_)) => {
                Self::Never
            }
        }
    }

    fn several(modifier: Modifier, mut asks: Vec<Self>) -> Self {
        match asks.len() {
            0 => Self::Never,
            1 => asks.swap_remove(0),
            _ => Self::Several(modifier, asks.into()),
        }
    }

    fn one_of(literals: &[Literal], hosts: &mut HostSets) -> Self {
        let mut numbers = Vec::new();
        let mut texts = HashSet::new();
        let mut nets = Vec::new();
        let mut names = Vec::new();
        let mut others = Vec::new();
        for literal in literals {
            match literal {
                Literal::Int(number) => numbers.push(*number),
                Literal::Text(text) => drop(texts.insert(text.clone())),
                Literal::Ip(address) => nets.push(IpNet::from(*address)),
                Literal::Net(net) => nets.push(*net),
                Literal::Host(name) => names.push(&**name),
                Literal::Bool(_) | Literal::Double(_) => {
                    others.push(Self::new(Comparison::Eq, literal, hosts));
                }
            }
        }
        if !numbers.is_empty() {
            numbers.sort_unstable();
            numbers.dedup();
            others.push(Self::Numbers(numbers.into()));
        }
        if !texts.is_empty() {
            others.push(Self::Texts(texts));
        }
        if !names.is_empty() {
            others.push(Self::Hosts(hosts.set(names), true));
        }
        if !nets.is_empty() {
            others.push(Self::Addresses(nets.into_iter().collect(), true));
        }
        Self::several(Modifier::AnyOf, others)
    }

    /// Whether a value passes. `lossy` is room for a text that is not UTF-8.
    #[inline]
    pub(crate) fn passes(
        &self,
        value: &Value<'_>,
        hosts: &[Addresses],
        lossy: &mut String,
    ) -> bool {
        match (self, value) {
            (Self::Exists, _) => true,
            (Self::Bool(wanted), Value::Bool(truth)) => wanted == truth,
            (Self::Number(operator, wanted), value) => {
                number(*value).is_some_and(|number| compares(*operator, number, *wanted))
            }
            (Self::Numbers(wanted), value) => {
                number(*value).is_some_and(|number| wanted.binary_search(&number).is_ok())
            }
            (Self::Double(operator, wanted), Value::Double(number)) => {
                compares(*operator, *number, *wanted)
            }
            (Self::Text(operator, wanted), Value::Text(text) | Value::Bytes(text)) => {
                compares_text(*operator, text, wanted)
            }
            (Self::Texts(wanted), Value::Text(text) | Value::Bytes(text)) => wanted.contains(*text),
            (Self::Glob(glob), Value::Text(text) | Value::Bytes(text)) => glob.matches(text),
            (Self::Regex(regex), Value::Text(text) | Value::Bytes(text)) => {
                regex.is_match(sanitised(text, lossy))
            }
            (Self::Paths(paths), Value::Text(text) | Value::Bytes(text)) => paths.matches(text),
            (Self::Addresses(wanted, among), Value::Ip(address)) => {
                wanted.contains(address) == *among
            }
            (Self::Hosts(set, among), Value::Ip(address)) => {
                hosts.get(at(*set)).is_some_and(|known| known.contains(address)) == *among
            }
            (Self::Several(modifier, asks), value) => {
                let mut passing = asks.iter().filter(|ask| ask.passes(value, hosts, lossy));
                match modifier {
                    Modifier::AnyOf => passing.next().is_some(),
                    Modifier::OneOf => passing.next().is_some() && passing.next().is_none(),
                    Modifier::AllOf => passing.count() == asks.len(),
                }
            }
            _ => false,
        }
    }
}

/// Bytes that an expression may keep for each thread of what it found out while it
/// was matched.
const MAX_DFA: usize = 1 << 18;

/// A regular expression over a whole text. It was checked when it was bound; one that
/// was not, and is none, matches nothing.
fn regex(expression: &[u8]) -> Option<Regex> {
    let expression = std::str::from_utf8(expression).ok()?;
    let whole = format!(r"\A(?:{expression})\z");
    RegexBuilder::new(&whole).dfa_size_limit(MAX_DFA).build().ok()
}

/// The text as it is where it is UTF-8; otherwise with a replacement character for
/// what is not, so that no stray byte slips past an expression.
fn sanitised<'text>(text: &'text [u8], lossy: &'text mut String) -> &'text [u8] {
    if std::str::from_utf8(text).is_ok() {
        return text;
    }
    lossy.clear();
    for chunk in text.utf8_chunks() {
        lossy.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            lossy.push(char::REPLACEMENT_CHARACTER);
        }
    }
    lossy.as_bytes()
}

fn number(value: Value<'_>) -> Option<i128> {
    match value {
        Value::Int(number) => Some(number.into()),
        Value::Uint(number) => Some(number.into()),
        Value::Bool(_) | Value::Double(_) | Value::Text(_) | Value::Bytes(_) | Value::Ip(_) => None,
    }
}

/// Compares what has an order.
pub(crate) fn compares<T: Copy + PartialOrd>(operator: Comparison, left: T, right: T) -> bool {
    match operator {
        Comparison::Eq => left == right,
        Comparison::Ne => left != right,
        Comparison::Lt => left < right,
        Comparison::Le => left <= right,
        Comparison::Gt => left > right,
        Comparison::Ge => left >= right,
        Comparison::Contains
        | Comparison::IContains
        | Comparison::StartsWith
        | Comparison::EndsWith
        | Comparison::Glob
        | Comparison::IGlob
        | Comparison::Regex => false,
    }
}

fn compares_text(operator: Comparison, left: &[u8], right: &[u8]) -> bool {
    let holds = |same: fn(&[u8], &[u8]) -> bool| {
        right.is_empty() || left.windows(right.len()).any(|part| same(part, right))
    };
    match operator {
        Comparison::Contains => holds(|part, literal| part == literal),
        Comparison::IContains => holds(<[u8]>::eq_ignore_ascii_case),
        Comparison::StartsWith => left.starts_with(right),
        Comparison::EndsWith => left.ends_with(right),
        Comparison::Glob => Glob::new(right, false).matches(left),
        Comparison::IGlob => Glob::new(right, true).matches(left),
        _ => compares(operator, left, right),
    }
}

/// Compares two values of an event.
pub(crate) fn compares_values(operator: Comparison, left: Value<'_>, right: Value<'_>) -> bool {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => compares(operator, left, right),
        (Value::Double(left), Value::Double(right)) => compares(operator, left, right),
        (Value::Ip(left), Value::Ip(right)) => compares(operator, left, right),
        (Value::Text(left) | Value::Bytes(left), Value::Text(right) | Value::Bytes(right)) => {
            compares_text(operator, left, right)
        }
        (left, right) => match (number(left), number(right)) {
            (Some(left), Some(right)) => compares(operator, left, right),
            _ => false,
        },
    }
}
