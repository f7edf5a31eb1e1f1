//! A condition as it was written: names not looked up, literals without a type.
//!
//! Every node knows where it stands in the text of its condition, so that later
//! stages can point at it.

use std::ops::Range;

/// Bytes of the condition's text that a node was read from.
pub type Span = Range<usize>;

/// A boolean expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// True if all are; two or more.
    And(Vec<Expr>),
    /// True if one is; two or more.
    Or(Vec<Expr>),
    /// True if the inner one is not.
    Not(Box<Expr>),
    /// The name of a macro.
    Macro(Name),
    /// A test of the event.
    Check(Box<Check>),
}

/// A word with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The word, unescaped.
    pub text: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// A literal with its place. Bytes, because `\\xHH` may make it other than UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Unescaped.
    pub bytes: Vec<u8>,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// One test: a left side and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is looked at.
    pub left: Operand,
    /// What is asked.
    pub test: Test,
    /// The whole check.
    pub span: Span,
}

/// Something that has a value for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A field, with the text in its brackets if there is one.
    Field {
        /// Such as `proc.aname`.
        name: Name,
        /// Such as `2` of `proc.aname[2]`.
        argument: Option<Name>,
    },
    /// A transformer applied to arguments, such as `tolower(proc.name)`.
    Call {
        /// Such as `tolower`.
        transformer: Name,
        /// At least one.
        arguments: Vec<Argument>,
        /// The text in brackets after the call, if there is one.
        argument: Option<Name>,
        /// The whole call.
        span: Span,
    },
}

/// What a transformer is applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A field or a nested call.
    Operand(Operand),
    /// A quoted text.
    Text(Text),
    /// A number, as written.
    Number(Name),
    /// `( … )`, as the second argument of `join` is.
    List(Vec<Argument>, Span),
}

/// What is asked of the left side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// `exists`
    Exists,
    /// An operator and its right side.
    Binary {
        /// Such as `=` or `in`.
        operator: Operator,
        /// Where the operator stands.
        operator_span: Span,
        /// `oneof`, `anyof` or `allof` after the operator.
        modifier: Option<Modifier>,
        /// What is compared with.
        right: Right,
    },
}

/// The right side of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// A single literal; after `<`, `<=`, `>` and `>=` a number as it was written.
    Value(Text),
    /// `( … )`; may be empty.
    List(Vec<Text>, Span),
    /// A word where a list is expected: the name of a list that nobody defined,
    /// kept as one literal.
    Identifier(Name),
    /// `val(field)` or a transformer: another value of the same event.
    Operand(Operand),
}

/// How many of a list's elements have to pass a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Modifier {
    /// Exactly one.
    OneOf,
    /// One or more.
    AnyOf,
    /// All of them.
    AllOf,
}

/// The binary operators; `==` reads as `=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `contains`: holds the text.
    Contains,
    /// `icontains`: the same without regard to ASCII case.
    IContains,
    /// `bcontains`: holds the bytes that are written in hexadecimal.
    BContains,
    /// `startswith`
    StartsWith,
    /// `bstartswith`: the same for bytes written in hexadecimal.
    BStartsWith,
    /// `endswith`
    EndsWith,
    /// `glob`: as fnmatch(3) without flags, so `*` crosses `/`.
    Glob,
    /// `iglob`: the same without regard to case.
    IGlob,
    /// `regex`: a regular expression over the whole text.
    Regex,
    /// `in`
    In,
    /// `intersects`
    Intersects,
    /// `pmatch`: one of the paths is this one or above it.
    Pmatch,
}

impl Operator {
    /// Every operator, as written. `==` is left out: it is another spelling.
    pub const ALL: [(Self, &'static str); 18] = [
        (Self::Eq, "="),
        (Self::Ne, "!="),
        (Self::Lt, "<"),
        (Self::Le, "<="),
        (Self::Gt, ">"),
        (Self::Ge, ">="),
        (Self::Contains, "contains"),
        (Self::IContains, "icontains"),
        (Self::BContains, "bcontains"),
        (Self::StartsWith, "startswith"),
        (Self::BStartsWith, "bstartswith"),
        (Self::EndsWith, "endswith"),
        (Self::Glob, "glob"),
        (Self::IGlob, "iglob"),
        (Self::Regex, "regex"),
        (Self::In, "in"),
        (Self::Intersects, "intersects"),
        (Self::Pmatch, "pmatch"),
    ];

    /// As it is written in a condition.
    #[must_use]
    pub fn text(self) -> &'static str {
        Self::ALL.iter().find(|(operator, _)| *operator == self).map_or("", |(_, text)| text)
    }

    /// True for those whose right side is a list.
    #[must_use]
    pub const fn takes_list(self) -> bool {
        matches!(self, Self::In | Self::Intersects | Self::Pmatch)
    }
}

impl Modifier {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OneOf, Self::AnyOf, Self::AllOf];

    /// As it is written in a condition.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::OneOf => "oneof",
            Self::AnyOf => "anyof",
            Self::AllOf => "allof",
        }
    }
}
