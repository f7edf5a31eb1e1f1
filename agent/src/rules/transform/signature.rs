//! What transformers are called, what they take and what they give: the one table
//! that conditions and outputs are checked against. It knows types, never values.

use std::fmt;

use crate::rules::field::{Flag, Shape};
use crate::rules::typed::{Operand, Transformer};
use crate::rules::value::Kind;

/// The type of what an operand comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// Type of each value.
    pub kind: Kind,
    /// True if there may be any number of values.
    pub is_list: bool,
}

/// What a transformer cannot be applied to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Too few arguments or too many.
    #[error("`{transformer}` takes {takes}")]
    Count {
        /// Its name.
        transformer: &'static str,
        /// Such as `one argument`.
        takes: &'static str,
    },
    /// An argument of another type.
    #[error("`{transformer}` takes {takes} here, not {given}")]
    Argument {
        /// Which one, from 0.
        nth: usize,
        /// The name of the transformer.
        transformer: &'static str,
        /// Such as `a text`.
        takes: &'static str,
        /// What it is.
        given: Type,
    },
    /// An element of a list that is not one text.
    #[error("this is not a text")]
    Element,
    /// A field that may not be an argument.
    #[error("no transformer can be applied to `{0}`")]
    Field(&'static str),
    /// Brackets behind a transformer that gives nothing to choose from.
    #[error("`{0}(…)` takes no argument in brackets")]
    Brackets(&'static str),
    /// Something in the brackets that is not one letter.
    #[error("the argument of `{0}(…)` has to be one letter")]
    Letter(&'static str),
}

/// What an argument has to be.
#[derive(Clone, Copy)]
enum Takes {
    /// One text.
    Text,
    /// A list of texts.
    Texts,
    /// One text, or each of a list.
    EachText,
    /// One text or byte sequence, or each of a list.
    EachBytes,
    /// What has a length: a text, a byte sequence or a list of anything.
    Length,
}

/// What a transformer comes to.
#[derive(Clone, Copy)]
enum Gives {
    /// As many values as the first argument has, of the same type.
    Same,
    /// One value.
    One(Kind),
    /// A list of texts; one text if a letter in brackets chooses it.
    Choice,
}

/// A row of the table.
#[derive(Clone, Copy)]
struct Signature {
    name: &'static str,
    takes: &'static [Takes],
    /// True if the last argument may be followed by more like it.
    more: bool,
    /// The number of arguments in words.
    count: &'static str,
    gives: Gives,
}

impl Transformer {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ToLower,
        Self::ToUpper,
        Self::Base64,
        Self::Basename,
        Self::Len,
        Self::Join,
        Self::Concat,
        Self::Getopt,
    ];

    const fn signature(self) -> Signature {
        const fn one(name: &'static str, takes: &'static [Takes; 1], gives: Gives) -> Signature {
            Signature { name, takes, more: false, count: "one argument", gives }
        }
        match self {
            Self::ToLower => one("tolower", &[Takes::EachText], Gives::Same),
            Self::ToUpper => one("toupper", &[Takes::EachText], Gives::Same),
            Self::Base64 => one("b64", &[Takes::EachBytes], Gives::Same),
            Self::Basename => one("basename", &[Takes::EachText], Gives::Same),
            Self::Len => one("len", &[Takes::Length], Gives::One(Kind::Uint)),
            Self::Join => Signature {
                name: "join",
                takes: &[Takes::Text, Takes::Texts],
                more: false,
                count: "two arguments: join(separator, list)",
                gives: Gives::One(Kind::Text),
            },
            Self::Concat => Signature {
                name: "concat",
                takes: &[Takes::Text, Takes::Text],
                more: true,
                count: "two arguments or more",
                gives: Gives::One(Kind::Text),
            },
            Self::Getopt => Signature {
                name: "getopt",
                takes: &[Takes::Texts, Takes::Text],
                more: false,
                count: "two arguments: getopt(list of words, options)",
                gives: Gives::Choice,
            },
        }
    }

    /// The transformer of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|transformer| transformer.name() == name)
    }

    /// As it is written in a condition.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.signature().name
    }
}

/// A transformer of these arguments, with what stands in brackets behind it as the
/// last one.
///
/// # Errors
///
/// If their number, the type of one or the brackets do not fit.
pub fn call(
    transformer: Transformer,
    mut arguments: Vec<Operand>,
    brackets: Option<&[u8]>,
) -> Result<Operand, Misfit> {
    let Signature { name, takes, more, count, gives } = transformer.signature();
    let given = arguments.len();
    if given < takes.len() || given > takes.len() && !more {
        return Err(Misfit::Count { transformer: name, takes: count });
    }
    let wanted = takes.iter().chain(takes.last().into_iter().cycle());
    for (nth, (argument, takes)) in arguments.iter().zip(wanted).enumerate() {
        let given = Type::of(argument);
        if !takes.fits(given) {
            return Err(Misfit::Argument { nth, transformer: name, takes: takes.words(), given });
        }
    }
    match (gives, brackets) {
        (_, None) => {}
        (Gives::Choice, Some(letter)) if letter.len() == 1 => {
            arguments.push(Operand::Text(letter.into()));
        }
        (Gives::Choice, Some(_)) => return Err(Misfit::Letter(name)),
        (Gives::Same | Gives::One(_), Some(_)) => return Err(Misfit::Brackets(name)),
    }
    Ok(Operand::Call(transformer, arguments))
}

/// Whether an operand may be an argument of a transformer, whichever that is.
///
/// # Errors
///
/// If it is a field that no transformer takes.
pub fn argument(operand: &Operand) -> Result<(), Misfit> {
    match operand {
        Operand::Field(field) if field.id.spec().has(Flag::NoTransformer) => {
            Err(Misfit::Field(field.id.spec().name))
        }
        _ => Ok(()),
    }
}

/// Whether an operand may stand in a list among the arguments of a transformer.
///
/// # Errors
///
/// If it may not be an argument or is not one text.
pub fn element(operand: &Operand) -> Result<(), Misfit> {
    argument(operand)?;
    if Takes::Text.fits(Type::of(operand)) { Ok(()) } else { Err(Misfit::Element) }
}

impl Type {
    const TEXTS: Self = Self { kind: Kind::Text, is_list: true };

    /// One value.
    #[must_use]
    pub const fn one(kind: Kind) -> Self {
        Self { kind, is_list: false }
    }

    /// The type of what an operand comes to.
    #[must_use]
    pub fn of(mut operand: &Operand) -> Self {
        loop {
            operand = match operand {
                Operand::Field(field) => {
                    return Self { kind: field.kind(), is_list: field.shape() == Shape::List };
                }
                Operand::Text(_) => return Self::one(Kind::Text),
                Operand::List(_) => return Self::TEXTS,
                Operand::Call(transformer, arguments) => {
                    let Signature { takes, gives, .. } = transformer.signature();
                    match (gives, arguments.first()) {
                        (Gives::Same, Some(first)) => first,
                        (Gives::Same, None) => return Self::one(Kind::Text),
                        (Gives::One(kind), _) => return Self::one(kind),
                        (Gives::Choice, _) if arguments.len() > takes.len() => {
                            return Self::one(Kind::Text);
                        }
                        (Gives::Choice, _) => return Self::TEXTS,
                    }
                }
            }
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = self.kind.noun();
        if self.is_list {
            return write!(f, "a list of {noun}s");
        }
        let article = if noun.starts_with(['a', 'u']) { "an" } else { "a" };
        write!(f, "{article} {noun}")
    }
}

impl Takes {
    const fn fits(self, given: Type) -> bool {
        let Type { kind, is_list } = given;
        match self {
            Self::Text => matches!(kind, Kind::Text) && !is_list,
            Self::Texts => matches!(kind, Kind::Text) && is_list,
            Self::EachText => matches!(kind, Kind::Text),
            Self::EachBytes => matches!(kind, Kind::Text | Kind::Bytes),
            Self::Length => matches!(kind, Kind::Text | Kind::Bytes) || is_list,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Text | Self::EachText => "a text",
            Self::Texts => "a list of texts",
            Self::EachBytes => "a text or bytes",
            Self::Length => "a text, bytes or a list",
        }
    }
}

impl Misfit {
    /// What to do about it, if there is more to say.
    #[must_use]
    pub const fn help(&self) -> Option<&'static str> {
        match self {
            Self::Element => Some("a list among the arguments of a transformer consists of texts"),
            Self::Letter(_) => Some("such as `getopt(…)[n]`"),
            Self::Count { .. } | Self::Argument { .. } | Self::Field(_) | Self::Brackets(_) => None,
        }
    }
}
