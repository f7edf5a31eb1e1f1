//! Checks in the form in which rules share them: comparisons of texts that one
//! pass over the text can answer are sets of literals, the rest is as it was bound.

use std::borrow::Cow;
use std::collections::HashMap;

use super::implied;
use super::texts::{at, index};
use crate::rules::event::FieldRef;
use crate::rules::field::{FieldId, Shape};
use crate::rules::transform::signature::Type;
use crate::rules::typed::{self, Comparison, Literal, Modifier, Operand};

/// A check as a value that can be compared and looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CheckKey {
    /// What is looked at: a number of [`Literals::operand`].
    pub(crate) operand: u32,
    /// What is asked.
    pub(crate) test: TestKey,
}

/// What is asked of an operand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TestKey {
    /// It has a value.
    Exists,
    /// One of its values compares so with one of these literals, which are numbers
    /// of [`Literals::text`], sorted.
    Texts(TextTest, Box<[u32]>),
    /// Anything else.
    Other(typed::Test),
}

/// Ways to compare texts that a table answers for all literals at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TextTest {
    /// The same.
    Equal,
    /// Begins with it.
    Prefix,
    /// Ends with it.
    Suffix,
    /// Holds it.
    Substring,
    /// Holds it without regard to ASCII case.
    FoldedSubstring,
}

/// What the checks refer to by number.
#[derive(Debug, Default)]
pub(crate) struct Literals {
    texts: Vec<Box<[u8]>>,
    text_numbers: HashMap<Box<[u8]>, u32>,
    operands: Vec<Operand>,
    operand_numbers: HashMap<Operand, u32>,
}

impl Literals {
    /// The literal of that number.
    pub(crate) fn text(&self, number: u32) -> &[u8] {
        &self.texts[at(number)]
    }

    /// The operand of that number.
    pub(crate) fn operand(&self, number: u32) -> &Operand {
        &self.operands[at(number)]
    }

    fn number_of_text(&mut self, text: &[u8]) -> u32 {
        if let Some(number) = self.text_numbers.get(text) {
            return *number;
        }
        let number = index(self.texts.len());
        self.texts.push(text.into());
        self.text_numbers.insert(text.into(), number);
        number
    }

    fn number_of_operand(&mut self, operand: &Operand) -> u32 {
        if let Some(number) = self.operand_numbers.get(operand) {
            return *number;
        }
        let number = index(self.operands.len());
        self.operands.push(operand.clone());
        self.operand_numbers.insert(operand.clone(), number);
        number
    }
}

/// A check in terms of keys.
pub(crate) enum Reduced {
    /// It never holds.
    Never,
    /// It holds if this does.
    Same(CheckKey),
    /// It holds if there is a value and this does not hold.
    Without(CheckKey),
}

impl CheckKey {
    /// Whether there is a value.
    pub(crate) const fn exists(operand: u32) -> Self {
        Self { operand, test: TestKey::Exists }
    }

    /// Those of the same group answer for each other: the check of the union of
    /// their literals holds if one of them does.
    pub(crate) fn group(&self) -> Option<(u32, TextTest)> {
        match &self.test {
            TestKey::Texts(test, _) => Some((self.operand, *test)),
            TestKey::Exists | TestKey::Other(_) => None,
        }
    }

    /// The union of checks of one group.
    pub(crate) fn union<'keys>(keys: impl Iterator<Item = &'keys Self>) -> Option<Self> {
        let mut group = None;
        let mut all = Vec::new();
        for key in keys {
            group = group.or_else(|| key.group());
            if let TestKey::Texts(_, literals) = &key.test {
                all.extend_from_slice(literals);
            }
        }
        group.map(|(operand, test)| Self::texts(operand, test, all))
    }

    fn texts(operand: u32, test: TextTest, mut literals: Vec<u32>) -> Self {
        literals.sort_unstable();
        literals.dedup();
        Self { operand, test: TestKey::Texts(test, literals.into()) }
    }
}

/// Brings a check into the form in which rules share it.
pub(crate) fn reduce(check: &typed::Check, known: &mut Literals) -> Reduced {
    let left = left(check);
    let operand = known.number_of_operand(&left);
    let shape = shape(&left);
    let (test, literals) = match &check.test {
        typed::Test::Exists => return Reduced::Same(CheckKey::exists(operand)),
        typed::Test::Literal { modifier: Some(_), literals, .. }
        | typed::Test::In(literals)
        | typed::Test::Intersects(literals)
            if literals.is_empty() =>
        {
            return Reduced::Never;
        }
        typed::Test::Pmatch(paths) if paths.is_empty() => return Reduced::Never,
        // Of a list, `in` asks about all elements.
        typed::Test::In(literals) if shape != Shape::List => (Comparison::Eq, literals),
        typed::Test::Intersects(literals) => (Comparison::Eq, literals),
        typed::Test::Literal { operator: Comparison::Ne, modifier: None, literals }
            if matches!(shape, Shape::One | Shape::Ends) =>
        {
            return match texts(operand, Comparison::Eq, literals, known) {
                Some(key) => Reduced::Without(key),
                None => other(operand, check),
            };
        }
        typed::Test::Literal { operator, modifier: None | Some(Modifier::AnyOf), literals } => {
            (*operator, literals)
        }
        _ => return other(operand, check),
    };
    texts(operand, test, literals, known).map_or_else(|| other(operand, check), Reduced::Same)
}

/// A check that holds whenever this one does, and that a table answers.
pub(crate) fn implied_by(key: &CheckKey, known: &mut Literals) -> Option<CheckKey> {
    let TestKey::Other(test) = &key.test else { return None };
    let pieces = implied::pieces(test)?;
    let numbers = pieces.iter().map(|piece| known.number_of_text(piece)).collect();
    Some(CheckKey::texts(key.operand, TextTest::Substring, numbers))
}

fn other(operand: u32, check: &typed::Check) -> Reduced {
    Reduced::Same(CheckKey { operand, test: TestKey::Other(check.test.clone()) })
}

/// The check that a text compares so with one of these; nothing if no table
/// answers that.
fn texts(
    operand: u32,
    comparison: Comparison,
    literals: &[Literal],
    known: &mut Literals,
) -> Option<CheckKey> {
    let test = match comparison {
        Comparison::Eq => TextTest::Equal,
        Comparison::StartsWith => TextTest::Prefix,
        Comparison::EndsWith => TextTest::Suffix,
        Comparison::Contains => TextTest::Substring,
        Comparison::IContains => TextTest::FoldedSubstring,
        Comparison::Ne
        | Comparison::Lt
        | Comparison::Le
        | Comparison::Gt
        | Comparison::Ge
        | Comparison::Glob
        | Comparison::IGlob
        | Comparison::Regex => return None,
    };
    let mut numbers = Vec::with_capacity(literals.len());
    for literal in literals {
        let Literal::Text(text) = literal else { return None };
        if text.is_empty() && test != TextTest::Equal {
            // Every text begins with nothing.
            return Some(CheckKey::exists(operand));
        }
        numbers.push(known.number_of_text(text));
    }
    Some(CheckKey::texts(operand, test, numbers))
}

/// How many values an operand has, and how a test reads them.
pub(crate) fn shape(operand: &Operand) -> Shape {
    match operand {
        Operand::Field(field) => field.shape(),
        made if Type::of(made).is_list => Shape::List,
        _ => Shape::One,
    }
}

/// What a check looks at. The name of a host is compared by its addresses, not by
/// what the address at hand may be called.
pub(crate) fn left(check: &typed::Check) -> Cow<'_, Operand> {
    let literals = match &check.test {
        typed::Test::Literal { literals, .. }
        | typed::Test::In(literals)
        | typed::Test::Intersects(literals) => literals.as_slice(),
        typed::Test::Exists
        | typed::Test::Operand { .. }
        | typed::Test::InOperand { .. }
        | typed::Test::Pmatch(_) => &[],
    };
    let named = literals.iter().any(|literal| matches!(literal, Literal::Host(_)));
    match &check.left {
        Operand::Field(field) if named => Cow::Owned(Operand::Field(address_of(field))),
        same => Cow::Borrowed(same),
    }
}

/// The field with the address whose name this one tells.
fn address_of(field: &FieldRef) -> FieldRef {
    let id = match field.id {
        FieldId::FdCipName => FieldId::FdCip,
        FieldId::FdSipName => FieldId::FdSip,
        FieldId::FdLipName => FieldId::FdLip,
        FieldId::FdRipName => FieldId::FdRip,
        other => other,
    };
    FieldRef { id, argument: field.argument.clone() }
}
