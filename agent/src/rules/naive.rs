//! What conditions mean, without any cleverness: the reference that the compiled
//! program and the prefilter are tested against.
//!
//! It walks the condition, asks the event anew for every check, and shares no code
//! with what it judges, save the transformers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;

use regex::bytes::Regex;

use crate::rules::compile::event_types;
use crate::rules::event::{Event, FieldRef};
use crate::rules::field::{FieldId, Shape};
use crate::rules::transform;
use crate::rules::transform::signature::Type;
use crate::rules::typed::{Check, Comparison, Condition, Literal, Modifier, Operand, Test};
use crate::rules::value::Value;

/// A value that owns what it holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Owned {
    Bool(bool),
    Number(i128),
    Double(f64),
    Text(Vec<u8>),
    Ip(IpAddr),
}

/// The addresses of hosts.
pub(crate) type Addresses = HashMap<String, Vec<IpAddr>>;

/// The rules among these that an event matches, in order.
pub(crate) fn matching(
    rules: &[(usize, &Condition)],
    event: &impl Event,
    hosts: &Addresses,
) -> Vec<usize> {
    let matches = |condition: &Condition| {
        event_types(condition).contains(event.event_type()) && holds(condition, event, hosts)
    };
    rules.iter().filter(|(_, condition)| matches(condition)).map(|(rule, _)| *rule).collect()
}

/// Whether a condition holds for an event, whatever its type.
pub(crate) fn holds(condition: &Condition, event: &impl Event, hosts: &Addresses) -> bool {
    match condition {
        Condition::And(all) => all.iter().all(|one| holds(one, event, hosts)),
        Condition::Or(any) => any.iter().any(|one| holds(one, event, hosts)),
        Condition::Not(inner) => !holds(inner, event, hosts),
        Condition::Check(check) => passes(check, event, hosts),
    }
}

fn passes(check: &Check, event: &impl Event, hosts: &Addresses) -> bool {
    let values = values(&looked_at(check), event);
    if values.is_empty() {
        return false;
    }
    let shape = shape(&check.left);
    let any = |test: &dyn Fn(&Owned) -> bool| values.iter().any(test);
    let all = |test: &dyn Fn(&Owned) -> bool| values.iter().all(test);
    match &check.test {
        Test::Exists => true,
        Test::Literal { operator, modifier, literals } => {
            let test = |value: &Owned| {
                let passing =
                    literals.iter().filter(|one| compares(*operator, value, one, hosts)).count();
                match modifier {
                    None => passing == 1,
                    Some(Modifier::OneOf) => passing == 1,
                    Some(Modifier::AnyOf) => passing > 0,
                    Some(Modifier::AllOf) => passing == literals.len() && passing > 0,
                }
            };
            if shape == Shape::Ends && *operator == Comparison::Ne {
                all(&test)
            } else {
                any(&test)
            }
        }
        Test::In(literals) => {
            let test = |value: &Owned| {
                literals.iter().any(|one| compares(Comparison::Eq, value, one, hosts))
            };
            if shape == Shape::List { all(&test) } else { any(&test) }
        }
        Test::Intersects(literals) => {
            any(&|value| literals.iter().any(|one| compares(Comparison::Eq, value, one, hosts)))
        }
        Test::Operand { operator, right } => {
            let Some(right) = self::values(right, event).into_iter().next() else { return false };
            let test = |value: &Owned| compares_owned(*operator, value, &right);
            if shape == Shape::Ends && *operator == Comparison::Ne {
                all(&test)
            } else {
                any(&test)
            }
        }
        Test::InOperand { intersects, right } => {
            let right = self::values(right, event);
            let test = |value: &Owned| right.contains(value);
            if shape == Shape::List && !intersects { all(&test) } else { any(&test) }
        }
        Test::Pmatch(paths) => any(&|value| match value {
            Owned::Text(path) => paths.iter().any(|above| lies_below(path, above)),
            _ => false,
        }),
    }
}

/// The names of hosts are compared by their addresses.
fn looked_at(check: &Check) -> Operand {
    let literals: &[Literal] = match &check.test {
        Test::Literal { literals, .. } | Test::In(literals) | Test::Intersects(literals) => {
            literals
        }
        _ => &[],
    };
    let Operand::Field(field) = &check.left else { return check.left.clone() };
    let id = match field.id {
        _ if !literals.iter().any(|one| matches!(one, Literal::Host(_))) => field.id,
        FieldId::FdCipName => FieldId::FdCip,
        FieldId::FdSipName => FieldId::FdSip,
        FieldId::FdLipName => FieldId::FdLip,
        FieldId::FdRipName => FieldId::FdRip,
        other => other,
    };
    Operand::Field(FieldRef { id, ..field.clone() })
}

fn shape(operand: &Operand) -> Shape {
    match operand {
        Operand::Field(field) => field.shape(),
        made if Type::of(made).is_list => Shape::List,
        _ => Shape::One,
    }
}

fn values(operand: &Operand, event: &impl Event) -> Vec<Owned> {
    let mut scratch = transform::Scratch::default();
    let values = transform::apply(operand, event, &mut scratch);
    values.map(|values| values.iter().map(owned).collect()).unwrap_or_default()
}

fn owned(value: Value<'_>) -> Owned {
    match value {
        Value::Bool(truth) => Owned::Bool(truth),
        Value::Int(number) => Owned::Number(number.into()),
        Value::Uint(number) => Owned::Number(number.into()),
        Value::Double(number) => Owned::Double(number),
        Value::Text(text) | Value::Bytes(text) => Owned::Text(text.to_vec()),
        Value::Ip(address) => Owned::Ip(address),
    }
}

fn compares(operator: Comparison, value: &Owned, literal: &Literal, hosts: &Addresses) -> bool {
    let same = match (value, literal) {
        (Owned::Ip(address), Literal::Net(net)) => net.contains(address),
        (Owned::Ip(address), Literal::Host(name)) => {
            hosts.get(&**name).is_some_and(|known| known.contains(address))
        }
        (value, Literal::Bool(truth)) => {
            return compares_owned(operator, value, &Owned::Bool(*truth));
        }
        (value, Literal::Int(number)) => {
            return compares_owned(operator, value, &Owned::Number(*number));
        }
        (value, Literal::Double(bits)) => {
            return compares_owned(operator, value, &Owned::Double(f64::from_bits(*bits)));
        }
        (value, Literal::Text(text)) => {
            return compares_owned(operator, value, &Owned::Text(text.to_vec()));
        }
        (value, Literal::Ip(address)) => {
            return compares_owned(operator, value, &Owned::Ip(*address));
        }
        _ => return false,
    };
    match operator {
        Comparison::Eq => same,
        Comparison::Ne => !same,
        _ => false,
    }
}

fn compares_owned(operator: Comparison, left: &Owned, right: &Owned) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    if let (Owned::Text(left), Owned::Text(right)) = (left, right) {
        let (lower_left, lower_right) = (left.to_ascii_lowercase(), right.to_ascii_lowercase());
        match operator {
            Comparison::Contains => return is_in(right, left),
            Comparison::IContains => return is_in(&lower_right, &lower_left),
            Comparison::StartsWith => return left.starts_with(right),
            Comparison::EndsWith => return left.ends_with(right),
            Comparison::Glob => return fnmatch(right, left),
            Comparison::IGlob => return fnmatch(&lower_right, &lower_left),
            Comparison::Regex => return is_expression(right, left),
            _ => {}
        }
    }
    let order = match (left, right) {
        (Owned::Bool(left), Owned::Bool(right)) => Some(left.cmp(right)),
        (Owned::Number(left), Owned::Number(right)) => Some(left.cmp(right)),
        (Owned::Double(left), Owned::Double(right)) => left.partial_cmp(right),
        (Owned::Text(left), Owned::Text(right)) => Some(left.cmp(right)),
        (Owned::Ip(left), Owned::Ip(right)) => Some(left.cmp(right)),
        _ => None,
    };
    order.is_some_and(|order| match operator {
        Comparison::Eq => order == Equal,
        Comparison::Ne => order != Equal,
        Comparison::Lt => order == Less,
        Comparison::Le => order != Greater,
        Comparison::Gt => order == Greater,
        Comparison::Ge => order != Less,
        _ => false,
    })
}

fn is_in(part: &[u8], whole: &[u8]) -> bool {
    (0..=whole.len()).any(|at| whole[at..].starts_with(part))
}

fn is_expression(expression: &[u8], text: &[u8]) -> bool {
    thread_local! {
        /// To read an expression takes longer than all else here.
        static KNOWN: RefCell<HashMap<Vec<u8>, Option<Regex>>> = RefCell::default();
    }
    let read = || {
        let whole = format!(r"\A(?:{})\z", std::str::from_utf8(expression).ok()?);
        Regex::new(&whole).ok()
    };
    KNOWN.with_borrow_mut(|known| {
        let regex = known.entry(expression.to_vec()).or_insert_with(read);
        regex.as_ref().is_some_and(|regex| regex.is_match(String::from_utf8_lossy(text).as_bytes()))
    })
}

/// A pattern as of fnmatch(3), for what the tests write: no classes, no ranges out
/// of order, no bracket left open.
pub(crate) fn fnmatch(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], text) => text.is_empty(),
        ([b'*', rest @ ..], text) => {
            (0..=text.len()).any(|skipped| fnmatch(rest, &text[skipped..]))
        }
        ([b'?', rest @ ..], [_, text @ ..]) => fnmatch(rest, text),
        ([b'\\', byte, rest @ ..], [first, text @ ..]) => byte == first && fnmatch(rest, text),
        ([b'\\'], _) => false,
        ([b'[', rest @ ..], [first, text @ ..]) => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else {
                return *first == b'[' && fnmatch(rest, text);
            };
            let (negated, set) = match &rest[..end] {
                [b'!', set @ ..] => (true, set),
                set => (false, set),
            };
            let found = match set {
                [low, b'-', high] => (low..=high).contains(&first),
                set => set.contains(first),
            };
            found != negated && fnmatch(&rest[end + 1..], text)
        }
        ([byte, rest @ ..], [first, text @ ..]) => byte == first && fnmatch(rest, text),
        (_, []) => false,
    }
}

fn lies_below(path: &[u8], above: &[u8]) -> bool {
    let parts = |path: &[u8]| -> Vec<Vec<u8>> {
        let parts = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty());
        parts.map(<[u8]>::to_vec).collect()
    };
    let (path, above) = (parts(path), parts(above));
    let is_pattern = |part: &[u8]| part.iter().any(|byte| b"*?[".contains(byte));
    let fits = |(wanted, found): (&Vec<u8>, &Vec<u8>)| {
        if is_pattern(wanted) { fnmatch(wanted, found) } else { wanted == found }
    };
    above.len() <= path.len() && above.iter().zip(&path).all(fits)
}
