//! A rule's exceptions: what their form has to be, and the condition they stand for.
//!
//! A rule with exceptions E1, E2, … holds if its condition does `and not E1 and not
//! E2 …`. An exception comes in two forms. With a list of fields each of its values
//! is a list, too, and says what all the fields together may be. With a single field
//! each value is one more thing that the field may be.

use std::collections::HashMap;

use super::composed::{Composed, Text};
use super::decode::shown;
use super::findings::{Findings, Named};
use super::item::{Entry, Exception};
use super::keys::did_you_mean;
use super::source::Spot;
use crate::rules::ast::{Modifier, Operator};
use crate::rules::diagnostic::Code;

/// An exception whose form is right.
#[derive(Debug)]
pub(super) struct Checked {
    around: Vec<Named>,
    /// Where its name stands.
    spot: Spot,
    form: Form,
    values: Vec<Entry>,
}

#[derive(Debug)]
enum Form {
    /// Several fields, each with its comparison.
    Several(Vec<(Text, Comparison)>),
    /// One field that is compared with all values.
    Single(Text, Comparison),
}

/// How a field is compared.
#[derive(Clone, Debug)]
struct Comparison {
    /// As written; where it is not, it is what Falco takes.
    text: Result<Text, &'static str>,
    /// Whether its right side is a list.
    takes_list: bool,
}

impl Checked {
    /// The fields that it names.
    pub(super) fn fields(&self) -> impl Iterator<Item = &Text> {
        let (several, single) = match &self.form {
            Form::Several(fields) => (fields.as_slice(), None),
            Form::Single(field, _) => (&[][..], Some(field)),
        };
        several.iter().map(|(field, _)| field).chain(single)
    }

    /// The rule and the exception.
    pub(super) fn around(&self) -> &[Named] {
        &self.around
    }

    /// False if it excepts nothing.
    pub(super) fn has_values(&self) -> bool {
        !self.values.is_empty()
    }

    /// More of what the fields may be.
    pub(super) fn extend(&mut self, values: Vec<Entry>) {
        self.values.extend(values);
    }
}

/// Exceptions of a rule by their names, in their order.
#[derive(Debug, Default)]
pub(super) struct Exceptions {
    all: Vec<Checked>,
    /// The first of each name.
    names: HashMap<std::sync::Arc<str>, usize>,
}

impl Exceptions {
    /// Adds those that a rule defines.
    pub(super) fn define(exceptions: Vec<Exception>, findings: &mut Findings) -> Self {
        let mut these = Self::default();
        for exception in exceptions {
            these.add(exception, findings);
        }
        these
    }

    fn add(&mut self, exception: Exception, findings: &mut Findings) {
        let name = std::sync::Arc::clone(&exception.name);
        if let Some(checked) = check(exception, findings) {
            self.names.entry(name).or_insert(self.all.len());
            self.all.push(checked);
        }
    }

    /// Appends values to those that are there, and adds those that are not.
    pub(super) fn append(&mut self, exceptions: Vec<Exception>, findings: &mut Findings) {
        for exception in exceptions {
            let mut error = |spot, message: String, help: &str| {
                findings.add(Code::Validate, spot, &exception.around, message, Some(help));
            };
            let name = shown(&exception.name);
            let Some(&at) = self.names.get(&exception.name) else {
                if exception.values.is_empty() && exception.fields.is_some() {
                    let message = format!("the new exception `{name}` has no values");
                    error(exception.spot, message, "add `values: …`");
                } else {
                    self.add(exception, findings);
                }
                continue;
            };
            let fixed = [("fields", &exception.fields), ("comps", &exception.comps)];
            let fixed = fixed.into_iter().find_map(|(key, entry)| Some((key, entry.as_ref()?)));
            if let Some((key, entry)) = fixed {
                let message =
                    format!("the exception `{name}` is there, its {key} cannot be changed");
                error(entry.spot(), message, "give only `values`, or take another name");
            } else {
                self.all[at].extend(exception.values);
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Checked> {
        self.all.iter()
    }

    /// The rule's condition and what it is not to be. Nothing if a value does not
    /// fit, which is told.
    pub(super) fn condition(
        &self,
        condition: &Composed,
        findings: &mut Findings,
    ) -> Option<Composed> {
        let Some(spot) = condition.spot().filter(|_| !self.all.is_empty()) else {
            return Some(condition.clone());
        };
        let mut all = Composed::default();
        all.glue("(", spot);
        all.extend(condition.clone());
        all.glue(")", spot);
        let mut fits = true;
        for exception in self.all.iter().filter(|exception| !exception.values.is_empty()) {
            all.glue(" and not (", exception.spot);
            fits &= match &exception.form {
                Form::Several(fields) => several(exception, fields, &mut all, findings),
                Form::Single(field, how) => single(exception, field, how, &mut all, findings),
            };
            all.glue(")", exception.spot);
        }
        fits.then_some(all)
    }
}

/// Checks fields and comparisons.
fn check(exception: Exception, findings: &mut Findings) -> Option<Checked> {
    let Exception { around, name, spot, fields, comps, values } = exception;
    let mut error = |spot: Spot, message: String, help: Option<String>| {
        findings.add(Code::Validate, spot, &around, message, help);
    };
    let form = match (fields, comps) {
        (Some(Entry::Many(fields, fields_spot)), comps) if !fields.is_empty() => {
            let fields = fields.into_iter().map(|field| match field {
                Entry::One(text) => Some(text),
                Entry::Many(_, spot) => {
                    error(spot, "a field is a single value".to_owned(), None);
                    None
                }
            });
            let fields = fields.collect::<Option<Vec<Text>>>()?;
            let comps = match comps {
                None => fields
                    .iter()
                    .map(|_| Some(Comparison { text: Err("="), takes_list: false }))
                    .collect(),
                Some(Entry::Many(comps, spot)) if comps.len() != fields.len() => {
                    let message =
                        format!("{} fields have {} comparisons", fields.len(), comps.len());
                    let help = "give one in `comps` for each of the `fields`".to_owned();
                    error(spot, message, Some(help));
                    return None;
                }
                Some(Entry::One(text)) => {
                    let message = "`fields` is a list, so `comps` has to be one".to_owned();
                    error(text.spot, message, Some(format!("write `[{}]`", shown(&text.value))));
                    return None;
                }
                Some(Entry::Many(comps, _)) => comps
                    .into_iter()
                    .map(|comp| match comp {
                        Entry::One(text) => comparison(text, &mut error),
                        Entry::Many(_, spot) => {
                            error(spot, "a comparison is a single value".to_owned(), None);
                            None
                        }
                    })
                    .collect::<Vec<_>>(),
            };
            let comps = comps.into_iter().collect::<Option<Vec<Comparison>>>()?;
            if fields.is_empty() {
                error(fields_spot, "`fields` is empty".to_owned(), None);
            }
            Form::Several(fields.into_iter().zip(comps).collect())
        }
        (Some(Entry::One(field)), None) => {
            Form::Single(field, Comparison { text: Err("in"), takes_list: true })
        }
        (Some(Entry::One(field)), Some(Entry::One(text))) => {
            let spot = text.spot;
            let comparison = comparison(text, &mut error)?;
            if !comparison.takes_list {
                let message = "a single field is compared with all values at once".to_owned();
                let help = "use `in`, `pmatch`, `intersects` or one like `startswith anyof`, or \
                            make `fields` a list";
                error(spot, message, Some(help.to_owned()));
                return None;
            }
            Form::Single(field, comparison)
        }
        (Some(Entry::One(field)), Some(Entry::Many(_, spot))) => {
            let message = "`comps` is a list, so `fields` has to be one".to_owned();
            error(spot, message, Some(format!("write `fields: [{}]`", shown(&field.value))));
            return None;
        }
        (None | Some(Entry::Many(..)), _) => {
            let message = format!("the exception `{}` has no fields", shown(&name));
            error(spot, message, Some("add `fields: [FIELD, …]`".to_owned()));
            return None;
        }
    };
    Some(Checked { around, spot, form, values })
}

/// An operator, perhaps with a modifier.
fn comparison(
    text: Text,
    error: &mut dyn FnMut(Spot, String, Option<String>),
) -> Option<Comparison> {
    let mut words = text.value.split_ascii_whitespace();
    let word = words.next().unwrap_or_default();
    let word = if word == "==" { "=" } else { word };
    let operator =
        Operator::ALL.iter().find(|(_, text)| *text == word).map(|&(operator, _)| operator);
    let modifiers = [Modifier::OneOf, Modifier::AnyOf, Modifier::AllOf];
    let modifier = words.next();
    let known = modifier.is_none_or(|word| modifiers.iter().any(|known| known.text() == word));
    match operator {
        Some(operator) if known && words.next().is_none() => {
            let takes_list = operator.takes_list() || modifier.is_some();
            Some(Comparison { text: Ok(text), takes_list })
        }
        _ => {
            let message = format!("`{}` is not a comparison", shown(&text.value));
            let names = Operator::ALL.map(|(_, text)| text);
            let help = did_you_mean(names, &text.value)
                .unwrap_or_else(|| format!("there are {}", names.join(" ")));
            error(text.spot, message, Some(help));
            None
        }
    }
}

/// `(f1 = a and f2 in (b, c)) or (…)`
fn several(
    exception: &Checked,
    fields: &[(Text, Comparison)],
    all: &mut Composed,
    findings: &mut Findings,
) -> bool {
    let mut fits = true;
    for (nth, value) in exception.values.iter().enumerate() {
        let (elements, spot) = (value.elements(), value.spot());
        if elements.len() != fields.len() {
            let message = match value {
                Entry::One(_) => "`fields` is a list, so each value has to be one".to_owned(),
                Entry::Many(..) => {
                    format!("{} fields have {} values", fields.len(), elements.len())
                }
            };
            let help = Some("give one value for each of the `fields`, such as `- [a, b]`");
            findings.add(Code::Validate, spot, &exception.around, message, help);
            fits = false;
            continue;
        }
        all.glue(if nth == 0 { "(" } else { " or (" }, spot);
        for (nth, ((field, comparison), element)) in fields.iter().zip(elements).enumerate() {
            if nth > 0 {
                all.glue(" and ", spot);
            }
            compared(field, comparison, all);
            fits &= right(exception, comparison, element, all, findings);
        }
        all.glue(")", spot);
    }
    fits
}

/// `f in (a, b, c)`
fn single(
    exception: &Checked,
    field: &Text,
    comparison: &Comparison,
    all: &mut Composed,
    findings: &mut Findings,
) -> bool {
    compared(field, comparison, all);
    all.glue("(", exception.spot);
    let mut fits = true;
    for (nth, value) in exception.values.iter().enumerate() {
        if nth > 0 {
            all.glue(", ", value.spot());
        }
        fits &= one(exception, value, all, findings);
    }
    all.glue(")", exception.spot);
    fits
}

fn compared(field: &Text, comparison: &Comparison, all: &mut Composed) {
    all.push(field.clone());
    all.glue(" ", field.spot);
    match &comparison.text {
        Ok(text) => all.push(text.clone()),
        Err(text) => all.glue(text, field.spot),
    }
    all.glue(" ", field.spot);
}

/// The right side of a comparison: a list in parentheses, or a single value. A
/// single value for a list may be the name of one, or be in parentheses already.
fn right(
    exception: &Checked,
    comparison: &Comparison,
    value: &Entry,
    all: &mut Composed,
    findings: &mut Findings,
) -> bool {
    match value {
        Entry::Many(elements, spot) => {
            all.glue("(", *spot);
            let mut fits = true;
            for (nth, element) in elements.iter().enumerate() {
                if nth > 0 {
                    all.glue(", ", *spot);
                }
                fits &= one(exception, element, all, findings);
            }
            all.glue(")", *spot);
            fits
        }
        Entry::One(text) if comparison.takes_list && !text.value.starts_with('(') => {
            all.glue("(", text.spot);
            all.push(text.clone());
            all.glue(")", text.spot);
            true
        }
        Entry::One(text) if comparison.takes_list => {
            all.push(text.clone());
            true
        }
        Entry::One(_) => one(exception, value, all, findings),
    }
}

/// A single value, in quotes if it holds a blank and has none.
fn one(exception: &Checked, value: &Entry, all: &mut Composed, findings: &mut Findings) -> bool {
    match value {
        Entry::One(text) => {
            let quote = text.value.contains(' ') && !text.value.starts_with(['"', '\'']);
            if quote {
                all.glue("\"", text.spot);
            }
            all.push(text.clone());
            if quote {
                all.glue("\"", text.spot);
            }
            true
        }
        Entry::Many(_, spot) => {
            let message = "this has to be a single value".to_owned();
            let help = Some("only a value for one of several fields may be a list");
            findings.add(Code::Validate, *spot, &exception.around, message, help);
            false
        }
    }
}
