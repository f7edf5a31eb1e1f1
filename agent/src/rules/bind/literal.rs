//! Literals: from the bytes of a condition to a value of the type that is asked for.

use std::net::IpAddr;

use ipnet::IpNet;

use super::operand::{is_event_type, is_host};
use super::problem;
use crate::rules::ast::Text;
use crate::rules::diagnostic::{Problem, ProblemKind};
use crate::rules::event_type::EventType;
use crate::rules::field::FieldSpec;
use crate::rules::similar::similar;
use crate::rules::transform::signature::Type;
use crate::rules::typed::Literal;
use crate::rules::value::Kind;

/// Names that may stand for ports, as in `/etc/services`. The file itself is not
/// asked: a rule has to mean the same on every node.
const PORTS: [(&str, u16); 20] = [
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("http", 80),
    ("pop3", 110),
    ("ntp", 123),
    ("imap2", 143),
    ("snmp", 161),
    ("ldap", 389),
    ("https", 443),
    ("submission", 587),
    ("ldaps", 636),
    ("imaps", 993),
    ("pop3s", 995),
    ("mysql", 3306),
    ("postgresql", 5432),
    ("amqp", 5672),
    ("redis", 6379),
];

/// Reads a literal for a value of that type.
pub(super) fn read(text: &Text, kind: Kind) -> Result<Literal, Problem> {
    match kind {
        Kind::Text | Kind::Bytes => Ok(Literal::Text(text.bytes.as_slice().into())),
        Kind::Bool => match text.bytes.as_slice() {
            b"true" => Ok(Literal::Bool(true)),
            b"false" => Ok(Literal::Bool(false)),
            _ => Err(not_a(text, kind, "write `true` or `false`")),
        },
        Kind::Int => integer(text, kind, i128::from(i64::MIN), i128::from(i64::MAX)),
        // A negative number is no error for Falco either; it equals nothing.
        Kind::Uint | Kind::Duration | Kind::Time => {
            integer(text, kind, i128::from(i64::MIN), i128::from(u64::MAX))
        }
        Kind::Port => port(text),
        Kind::Double => double(text),
        Kind::Ip | Kind::Net => address(text, kind),
    }
}

/// Reads a literal that is compared for equality with a field that names something.
pub(super) fn read_name(text: &Text, spec: &FieldSpec) -> Option<Result<Literal, Problem>> {
    if is_event_type(spec) {
        return Some(event_type(text));
    }
    is_host(spec).then(|| match utf8(text) {
        Some(name) if !name.is_empty() => Ok(Literal::Host(name.into())),
        _ => Err(wrong(text, format!("{} is not the name of a host", show(text)), "")),
    })
}

fn event_type(text: &Text) -> Result<Literal, Problem> {
    let name = utf8(text).unwrap_or_default();
    if EventType::named(name).is_some() {
        return Ok(Literal::Text(name.as_bytes().into()));
    }
    let help = match similar(name, EventType::all().map(EventType::name)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => String::new(),
    };
    let message = format!("there is no type of event {}", show(text));
    Err(problem(ProblemKind::UnknownName, text.span.clone(), message, help))
}

/// Reads bytes that are written in hexadecimal.
pub(super) fn hexadecimal(text: &Text) -> Result<Literal, Problem> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = text
        .bytes
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect();
    match bytes {
        Some(bytes) if !bytes.is_empty() => Ok(Literal::Text(bytes.into())),
        _ => {
            let message = format!("{} is not a sequence of bytes in hexadecimal", show(text));
            Err(wrong(text, message, "two digits stand for a byte, such as 7f454c46"))
        }
    }
}

fn integer(text: &Text, kind: Kind, least: i128, most: i128) -> Result<Literal, Problem> {
    let number = whole(text).ok_or_else(|| {
        let help = "write a whole number, with 0x before it if it is hexadecimal";
        not_a(text, kind, help)
    })?;
    if (least..=most).contains(&number) {
        return Ok(Literal::Int(number));
    }
    let least = if kind == Kind::Int { least } else { 0 };
    Err(wrong(
        text,
        format!("{} is out of range", show(text)),
        &format!("it has to be {least}..={most}"),
    ))
}

/// A whole number, or nothing; one too large for any type is as large as can be.
fn whole(text: &Text) -> Option<i128> {
    let text = utf8(text)?;
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..)?),
        [b'+', ..] => (false, text.get(1..)?),
        _ => (false, text),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (digits, radix) = hexadecimal.map_or((digits, 10), |digits| (digits, 16));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let size = i128::from_str_radix(digits, radix).unwrap_or(i128::MAX);
    Some(if negative { -size } else { size })
}

fn port(text: &Text) -> Result<Literal, Problem> {
    let named = PORTS.iter().find(|(name, _)| name.as_bytes() == text.bytes);
    if let Some((_, port)) = named {
        return Ok(Literal::Int(i128::from(*port)));
    }
    if whole(text).is_some() {
        return integer(text, Kind::Port, 0, i128::from(u16::MAX));
    }
    Err(not_a(text, Kind::Port, "write its number, or one of the usual names such as `ssh`"))
}

fn double(text: &Text) -> Result<Literal, Problem> {
    let number: Option<f64> = utf8(text).and_then(|text| text.parse().ok());
    match number.filter(|number| number.is_finite()) {
        // Both zeros are the same number, so they have to be the same literal.
        Some(number) => Ok(Literal::Double(if number == 0.0 { 0.0_f64 } else { number }.to_bits())),
        None => Err(not_a(text, Kind::Double, "write a number such as 0.5")),
    }
}

fn address(text: &Text, kind: Kind) -> Result<Literal, Problem> {
    let literal = utf8(text).and_then(|text| {
        let net = || text.parse::<IpNet>().ok().map(|net| Literal::Net(net.trunc()));
        text.parse::<IpAddr>().ok().map(Literal::Ip).or_else(net)
    });
    literal.ok_or_else(|| not_a(text, kind, "write it as 10.0.0.1, 10.0.0.0/8 or fd00::/8"))
}

fn utf8(text: &Text) -> Option<&str> {
    std::str::from_utf8(&text.bytes).ok()
}

fn not_a(text: &Text, kind: Kind, help: &str) -> Problem {
    wrong(text, format!("{} is not {}", show(text), Type::one(kind)), help)
}

fn wrong(text: &Text, message: String, help: &str) -> Problem {
    problem(ProblemKind::Type, text.span.clone(), message, help)
}

/// A literal as people see it.
pub(super) fn show(text: &Text) -> String {
    const LONGEST: usize = 40;
    let lossy = String::from_utf8_lossy(&text.bytes);
    match lossy.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("`{}…`", lossy.get(..cut).unwrap_or_default()),
        None => format!("`{lossy}`"),
    }
}
