//! Transformers: functions of values, as `tolower(proc.name)` is, in conditions and
//! in outputs alike.
//!
//! Values are made in a [`Scratch`] that the caller keeps, so that nothing is
//! allocated once it has grown to the size of the longest. Types are checked ahead, by
//! [`signature`]: a function has no value where they do not fit.

mod getopt;
pub mod signature;

use std::io::Write as _;
use std::net::IpAddr;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use self::getopt::Found;
use self::signature::Type;
use super::event::{Event, FieldRef};
use super::field::Shape;
use super::typed::{Operand, Transformer};
use super::value::Value;

/// Base64 with or without its padding, as Falco takes it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Memory for values while they are made.
#[derive(Debug, Default)]
pub struct Scratch {
    /// What texts point into; it only grows while one operand is worked on.
    bytes: Vec<u8>,
    /// A stack: arguments below, then what a function made of them.
    items: Vec<Item>,
    /// The options that `getopt` found.
    found: Vec<Item>,
}

/// A value whose bytes are in the scratch.
#[derive(Clone, Copy, Debug)]
enum Item {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Ip(IpAddr),
    Text(Slice),
    Bytes(Slice),
}

/// A range that can be copied.
#[derive(Clone, Copy, Debug, Default)]
struct Slice {
    start: usize,
    end: usize,
}

/// What an operand comes to for an event: one value, or those of a list.
#[derive(Clone, Copy, Debug)]
pub struct Values<'scratch> {
    bytes: &'scratch [u8],
    items: &'scratch [Item],
}

/// The values of an operand for an event; nothing if it has none.
///
/// A field gives all the values it has. A function has none where one of its
/// arguments has none.
pub fn apply<'scratch, E: Event + ?Sized>(
    operand: &Operand,
    event: &E,
    scratch: &'scratch mut Scratch,
) -> Option<Values<'scratch>> {
    scratch.bytes.clear();
    scratch.items.clear();
    scratch.operand(operand, event)?;
    Some(Values { bytes: &scratch.bytes, items: &scratch.items })
}

impl<'scratch> Values<'scratch> {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// True for an empty list.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// One of them, counted from 0.
    #[must_use]
    pub fn get(&self, nth: usize) -> Option<Value<'scratch>> {
        self.items.get(nth).map(|item| item.value(self.bytes))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Value<'scratch>> + use<'scratch> {
        let bytes = self.bytes;
        self.items.iter().map(move |item| item.value(bytes))
    }
}

impl Item {
    fn value(self, bytes: &[u8]) -> Value<'_> {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Uint(value) => Value::Uint(value),
            Self::Double(value) => Value::Double(value),
            Self::Ip(value) => Value::Ip(value),
            Self::Text(slice) => Value::Text(&bytes[slice.range()]),
            Self::Bytes(slice) => Value::Bytes(&bytes[slice.range()]),
        }
    }

    /// Where its bytes are, if it is made of bytes.
    const fn slice(self) -> Option<Slice> {
        match self {
            Self::Text(slice) | Self::Bytes(slice) => Some(slice),
            Self::Bool(_) | Self::Int(_) | Self::Uint(_) | Self::Double(_) | Self::Ip(_) => None,
        }
    }

    /// The same kind of value with other bytes.
    const fn with(self, slice: Slice) -> Self {
        match self {
            Self::Bytes(_) => Self::Bytes(slice),
            _ => Self::Text(slice),
        }
    }
}

impl Slice {
    const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

impl Scratch {
    /// Puts the values of an operand on the stack.
    fn operand<E: Event + ?Sized>(&mut self, operand: &Operand, event: &E) -> Option<()> {
        match operand {
            Operand::Field(field) => self.field(field, event),
            Operand::Text(text) => {
                self.push(Value::Text(text));
                Some(())
            }
            Operand::List(operands) => {
                operands.iter().try_for_each(|operand| self.operand(operand, event))
            }
            Operand::Call(transformer, arguments) => self.call(*transformer, arguments, event),
        }
    }

    fn field<E: Event + ?Sized>(&mut self, field: &FieldRef, event: &E) -> Option<()> {
        self.push(event.value(field, 0)?);
        if field.shape() != Shape::One {
            let mut nth = 1;
            while let Some(value) = event.value(field, nth) {
                self.push(value);
                nth += 1;
            }
        }
        Some(())
    }

    fn push(&mut self, value: Value<'_>) {
        let item = match value {
            Value::Bool(value) => Item::Bool(value),
            Value::Int(value) => Item::Int(value),
            Value::Uint(value) => Item::Uint(value),
            Value::Double(value) => Item::Double(value),
            Value::Ip(value) => Item::Ip(value),
            Value::Text(text) => Item::Text(self.keep(text)),
            Value::Bytes(bytes) => Item::Bytes(self.keep(bytes)),
        };
        self.items.push(item);
    }

    fn keep(&mut self, bytes: &[u8]) -> Slice {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        Slice { start, end: self.bytes.len() }
    }

    fn call<E: Event + ?Sized>(
        &mut self,
        transformer: Transformer,
        arguments: &[Operand],
        event: &E,
    ) -> Option<()> {
        let base = self.items.len();
        // Where the second argument begins.
        let mut second = base;
        for (index, argument) in arguments.iter().enumerate() {
            if index == 1 {
                second = self.items.len();
            }
            self.operand(argument, event)?;
        }
        match transformer {
            Transformer::ToLower => self.each(base, |bytes, slice| {
                bytes[slice.range()].make_ascii_lowercase();
                Some(slice)
            }),
            Transformer::ToUpper => self.each(base, |bytes, slice| {
                bytes[slice.range()].make_ascii_uppercase();
                Some(slice)
            }),
            Transformer::Base64 => self.each(base, decode),
            Transformer::Basename => self.each(base, |bytes, slice| {
                let slash = bytes[slice.range()].iter().rposition(|byte| *byte == b'/');
                Some(Slice { start: slash.map_or(slice.start, |at| slice.start + at + 1), ..slice })
            }),
            Transformer::Len => {
                let count = if arguments.first().is_some_and(|of| Type::of(of).is_list) {
                    self.items.len() - base
                } else {
                    self.items.get(base)?.slice()?.range().len()
                };
                self.finish(base, Item::Uint(u64::try_from(count).ok()?))
            }
            Transformer::Join => {
                let separator = self.items.get(base)?.slice()?;
                let joined = self.join(second, Some(separator))?;
                self.finish(base, Item::Text(joined))
            }
            Transformer::Concat => {
                let joined = self.join(base, None)?;
                self.finish(base, Item::Text(joined))
            }
            Transformer::Getopt => self.getopt(base, second),
        }
    }

    /// Replaces the arguments from there on by one value.
    fn finish(&mut self, base: usize, result: Item) -> Option<()> {
        self.items.truncate(base);
        self.items.push(result);
        Some(())
    }

    /// Replaces the bytes of each value from there on.
    fn each(
        &mut self,
        base: usize,
        change: impl Fn(&mut Vec<u8>, Slice) -> Option<Slice>,
    ) -> Option<()> {
        for item in &mut self.items[base..] {
            *item = item.with(change(&mut self.bytes, item.slice()?)?);
        }
        Some(())
    }

    /// Writes the values from there on in a row, numbers in decimal.
    fn join(&mut self, from: usize, separator: Option<Slice>) -> Option<Slice> {
        let start = self.bytes.len();
        for (index, item) in self.items[from..].iter().enumerate() {
            if let Some(separator) = separator
                && index > 0
            {
                self.bytes.extend_from_within(separator.range());
            }
            match *item {
                Item::Text(slice) | Item::Bytes(slice) => {
                    self.bytes.extend_from_within(slice.range());
                }
                Item::Bool(value) => write!(self.bytes, "{value}").ok()?,
                Item::Int(value) => write!(self.bytes, "{value}").ok()?,
                Item::Uint(value) => write!(self.bytes, "{value}").ok()?,
                Item::Double(value) => write!(self.bytes, "{value:.1}").ok()?,
                Item::Ip(value) => write!(self.bytes, "{value}").ok()?,
            }
        }
        Some(Slice { start, end: self.bytes.len() })
    }

    /// Reads the words of a command line as getopt(3) does. The second argument
    /// describes the options, as in `nt:`. Without a third argument the values are
    /// the options that are there, each with its value behind it; with one, the last
    /// value of that option, or the option itself if it takes none.
    fn getopt(&mut self, base: usize, second: usize) -> Option<()> {
        let described = self.items.get(second)?.slice()?;
        let wanted = match self.items.get(second + 1) {
            Some(letter) => Some(letter.slice()?),
            None => None,
        };
        // What unknown options are called.
        let unknown = wanted.is_none().then(|| self.keep(b"?"));
        let Self { bytes, items, found } = self;
        found.clear();
        let mut last = None;
        let words = items[base..second].iter().map_while(|item| item.slice());
        getopt::options(bytes, words, described, |option| match (wanted, option) {
            (None, Found::Unknown) => found.extend(unknown.map(Item::Text)),
            (None, Found::Plain(letter)) => found.push(Item::Text(letter)),
            (None, Found::Valued(letter, value)) => {
                found.extend([letter, value].map(Item::Text));
            }
            (None, Found::Cut(_)) => found.push(Item::Text(Slice::default())),
            (Some(wanted), Found::Plain(letter)) if same(bytes, wanted, letter) => {
                last = Some(letter);
            }
            (Some(wanted), Found::Valued(letter, value)) if same(bytes, wanted, letter) => {
                last = Some(value);
            }
            (Some(wanted), Found::Cut(letter)) if same(bytes, wanted, letter) => {
                last = Some(Slice::default());
            }
            (Some(_), _) => {}
        });
        if wanted.is_some() {
            return self.finish(base, Item::Text(last?));
        }
        self.items.truncate(base);
        self.items.append(&mut self.found);
        Some(())
    }
}

fn same(bytes: &[u8], one: Slice, other: Slice) -> bool {
    bytes[one.range()] == bytes[other.range()]
}

/// Appends what a slice stands for in base64.
fn decode(bytes: &mut Vec<u8>, slice: Slice) -> Option<Slice> {
    let start = bytes.len();
    bytes.resize(start + base64::decoded_len_estimate(slice.range().len()), 0);
    let (encoded, decoded) = bytes.split_at_mut(start);
    let length = BASE64.decode_slice(&encoded[slice.range()], decoded).ok()?;
    bytes.truncate(start + length);
    Some(Slice { start, end: start + length })
}

#[cfg(test)]
mod tests;
