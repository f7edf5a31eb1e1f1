//! A condition that means something: fields are known, literals have the type of
//! what they are compared with, macros and lists are gone.
//!
//! Equal checks are equal values, so that rules can share them.

use std::net::IpAddr;

use ipnet::IpNet;

pub use super::ast::Modifier;
use super::event::FieldRef;

/// A boolean expression over checks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// True if all are; of none: true.
    And(Vec<Condition>),
    /// True if one is; of none: false.
    Or(Vec<Condition>),
    /// True if the inner one is not.
    Not(Box<Condition>),
    /// A test of the event.
    Check(Check),
}

impl Condition {
    /// Shows every field that it asks for, as often as it does.
    pub fn visit_fields<'a>(&'a self, seen: &mut impl FnMut(&'a FieldRef)) {
        let mut open = vec![self];
        while let Some(condition) = open.pop() {
            match condition {
                Self::And(of) | Self::Or(of) => open.extend(of),
                Self::Not(inner) => open.push(inner),
                Self::Check(check) => {
                    check.left.visit_fields(seen);
                    match &check.test {
                        Test::Operand { right, .. } | Test::InOperand { right, .. } => {
                            right.visit_fields(seen);
                        }
                        Test::Exists
                        | Test::Literal { .. }
                        | Test::In(_)
                        | Test::Intersects(_)
                        | Test::Pmatch(_) => {}
                    }
                }
            }
        }
    }
}

/// One test. A left side without a value makes it false, whatever is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    /// What is looked at.
    pub left: Operand,
    /// What is asked.
    pub test: Test,
}

/// Something that has a value, or values, for an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A field.
    Field(FieldRef),
    /// A literal text among the arguments of a transformer.
    Text(Box<[u8]>),
    /// A transformer of its arguments. It has no value where one of them has none.
    Call(Transformer, Vec<Operand>),
    /// Several values in a row, as the arguments of `join` are.
    List(Vec<Operand>),
}

impl Operand {
    fn visit_fields<'a>(&'a self, seen: &mut impl FnMut(&'a FieldRef)) {
        let mut open = vec![self];
        while let Some(operand) = open.pop() {
            match operand {
                Self::Field(field) => seen(field),
                Self::Call(_, inner) | Self::List(inner) => open.extend(inner),
                Self::Text(_) => {}
            }
        }
    }
}

/// Functions of values. Those of one text work on each element of a list, save
/// [`Len`](Self::Len).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transformer {
    /// ASCII lower case.
    ToLower,
    /// ASCII upper case.
    ToUpper,
    /// Decodes base64; no value if it is none.
    Base64,
    /// What follows the last `/`.
    Basename,
    /// Bytes of a text, elements of a list.
    Len,
    /// The elements of the second argument with the first between them.
    Join,
    /// All arguments in a row.
    Concat,
    /// The options that getopt(3) finds in the list of words that the first argument
    /// is, each with its value behind it, with the options that the second one
    /// describes. A third argument, a literal of one letter, asks for one option: its
    /// last value, or the letter itself if it takes none; then it is no list.
    Getopt,
}

/// What is asked of the left side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// It has a value.
    Exists,
    /// It compares so with a literal, or with one, some or all of several.
    ///
    /// Without a modifier there is exactly one literal.
    Literal {
        /// The comparison.
        operator: Comparison,
        /// How many of the literals have to pass.
        modifier: Option<Modifier>,
        /// Of the type of the left side; at least one, save under a modifier.
        literals: Vec<Literal>,
    },
    /// It compares so with another value of the event, of the same type.
    Operand {
        /// The comparison.
        operator: Comparison,
        /// The other value.
        right: Operand,
    },
    /// `in`: each of its values is one of these.
    In(Vec<Literal>),
    /// `intersects`: one of its values is one of these.
    Intersects(Vec<Literal>),
    /// `in` and `intersects` with another value of the event on the right.
    InOperand {
        /// True for `intersects`.
        intersects: bool,
        /// The other values.
        right: Operand,
    },
    /// `pmatch`: one of these paths, each of whose components is a pattern as of
    /// `glob`, is this path or one above it.
    Pmatch(Vec<Box<[u8]>>),
}

/// Comparisons with one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// The same.
    Eq,
    /// Another.
    Ne,
    /// Smaller; texts by their bytes.
    Lt,
    /// Smaller or the same.
    Le,
    /// Larger.
    Gt,
    /// Larger or the same.
    Ge,
    /// Holds it; `bcontains` too, whose literal is decoded when it is bound.
    Contains,
    /// Holds it without regard to ASCII case.
    IContains,
    /// Begins with it; `bstartswith` too.
    StartsWith,
    /// Ends with it.
    EndsWith,
    /// Matches it as fnmatch(3) without flags does.
    Glob,
    /// The same without regard to ASCII case.
    IGlob,
    /// Matches it as a whole as a regular expression.
    Regex,
}

/// A literal of the type of what it is compared with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Literal {
    /// For `Kind::Bool`.
    Bool(bool),
    /// For whole numbers, ports, durations and times.
    Int(i128),
    /// For `Kind::Double`: the bits of the number, which are never those of a NaN.
    Double(u64),
    /// For `Kind::Text` and `Kind::Bytes`; with [`Comparison::Regex`] a checked
    /// expression in the syntax of the `regex` crate.
    Text(Box<[u8]>),
    /// For `Kind::Ip` and `Kind::Net`.
    Ip(IpAddr),
    /// For `Kind::Net`, and for `Kind::Ip` as a network that holds it.
    Net(IpNet),
    /// The addresses of a host, for `fd.sip.name` and its like. Whoever runs the
    /// program resolves it; until then nothing equals it.
    Host(Box<str>),
}
