//! The text of an alert with fields in it.

use jiff::tz::TimeZone;

use super::token::{Token, token};
use super::value;
use crate::rules::diagnostic::{Problem, ProblemKind};
use crate::rules::event::{Argument, Event, FieldRef};
use crate::rules::field::FieldId;
use crate::rules::transform::signature::Type;
use crate::rules::transform::{Scratch, apply};
use crate::rules::typed::Operand;

/// What stands for a missing value.
const MISSING: &[u8] = b"<NA>";

/// Old rules end with it; it stands for nothing any more.
const CONTAINER_INFO: &str = "%container.info";

/// Fields that are suggested beside the output of a rule, in their order.
const SUGGESTED: [FieldId; 6] = [
    FieldId::ContainerId,
    FieldId::ContainerName,
    FieldId::ContainerImageRepository,
    FieldId::ContainerImageTag,
    FieldId::K8sPodName,
    FieldId::K8sNsName,
];

/// Widest value that a template may ask for.
const WIDEST: usize = 4096;

/// The output of a rule, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
    /// The fields as written, those inside transformers too; each once, sorted.
    fields: Vec<(String, FieldRef)>,
    warnings: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<[u8]>),
    Value {
        operand: Operand,
        /// Bytes that the value is cut or padded to.
        width: Option<usize>,
    },
}

impl Template {
    /// Takes an output apart.
    ///
    /// After a `%` stands the longest field that the text there begins with, or a
    /// transformer, with a width before it if need be: `%proc.name`,
    /// `%proc.aname[2]`, `%tolower(proc.name)`, `%10fd.type`. There is no escape for
    /// `%`. A `*` at the beginning has no meaning any more.
    ///
    /// # Errors
    ///
    /// All unknown fields and other mistakes, and that the text is empty.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut template = Self { parts: Vec::new(), fields: Vec::new(), warnings: Vec::new() };
        let mut problems = Vec::new();
        if text.is_empty() {
            problems.push(problem(0..0, "the output is empty", None, ProblemKind::Syntax));
        }
        let mut at = usize::from(text.starts_with('*'));
        while at < text.len() {
            let rest = &text[at..];
            let literal = rest.find('%').unwrap_or(rest.len());
            template.push_text(&rest[..literal]);
            at += literal;
            let rest = &text[at..];
            if rest.is_empty() {
                break;
            }
            if rest.starts_with(CONTAINER_INFO) {
                let span = at..at + CONTAINER_INFO.len();
                at = span.end;
                template.warnings.push(problem(
                    span,
                    "`%container.info` stands for nothing any more",
                    Some("name the fields that are wanted, such as %container.name"),
                    ProblemKind::Syntax,
                ));
                continue;
            }
            let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
            let start = at + 1 + digits;
            let width = &text[at + 1..start];
            match template.value(width, &text[start..]) {
                Ok(length) => at = start + length,
                Err(wrong) => {
                    let end =
                        text[start..].find(char::is_whitespace).map_or(text.len(), |it| start + it);
                    let span = (start + wrong.span.start).min(end)..end;
                    problems.push(Problem { span, ..wrong });
                    at = end;
                }
            }
        }
        template.fields.sort_by(|one, other| one.0.cmp(&other.0));
        template.fields.dedup();
        if problems.is_empty() { Ok(template) } else { Err(problems) }
    }

    /// The container and pod of an event, as in `container_id=%container.id …`: what
    /// Falco's `suggested_output` appends.
    #[must_use]
    pub fn suggested() -> Self {
        let mut template = Self { parts: Vec::new(), fields: Vec::new(), warnings: Vec::new() };
        for id in SUGGESTED {
            let name = id.spec().name;
            let blank = if template.parts.is_empty() { "" } else { " " };
            template.push_text(&format!("{blank}{}=", name.replace('.', "_")));
            let field = FieldRef { id, argument: Argument::None };
            template.fields.push((name.to_owned(), field.clone()));
            template.parts.push(Part::Value { operand: Operand::Field(field), width: None });
        }
        template.fields.sort_by(|one, other| one.0.cmp(&other.0));
        template
    }

    /// The fields that it asks for, also those inside transformers, as written and
    /// sorted so.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &FieldRef)> {
        self.fields.iter().map(|(key, field)| (key.as_str(), field))
    }

    /// What is odd about it but no mistake.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// This one, a blank, and the other.
    #[must_use]
    pub fn followed_by(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.push_text(" ");
        both.parts.extend(other.parts.iter().cloned());
        both.fields.extend(other.fields.iter().cloned());
        both.fields.sort_by(|one, other| one.0.cmp(&other.0));
        both.fields.dedup();
        both.warnings.extend(other.warnings.iter().cloned());
        both
    }

    /// Appends the text for an event, missing values as `<NA>`. Bytes are not
    /// escaped, and not always UTF-8. Times are those of the zone.
    pub fn write<E: Event + ?Sized>(
        &self,
        event: &E,
        zone: &TimeZone,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text),
                Part::Value { operand, width } => {
                    let start = out.len();
                    if !operand_text(operand, event, zone, scratch, out) {
                        out.extend_from_slice(MISSING);
                    }
                    if let Some(width) = width {
                        out.resize(start + width, b' ');
                    }
                }
            }
        }
    }

    fn push_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.parts.push(Part::Text(text.as_bytes().into()));
        }
    }

    /// Reads the value after a width and tells its length.
    fn value(&mut self, width: &str, text: &str) -> Result<usize, Problem> {
        let width = match width {
            "" => None,
            _ => match width.parse().ok().filter(|&width| width <= WIDEST) {
                Some(0) => None,
                Some(width) => Some(width),
                None => {
                    let message = format!("a value cannot be {width} bytes wide");
                    return Err(problem(0..0, &message, None, ProblemKind::Syntax));
                }
            },
        };
        if text.is_empty() {
            let message = "a field has to follow the `%`";
            let help = "an output cannot end with a `%`, and there is no escape for it";
            return Err(problem(0..0, message, Some(help), ProblemKind::Syntax));
        }
        let Token { operand, fields, length } = token(text).map_err(|wrong| Problem {
            span: wrong.at..wrong.at,
            message: wrong.message,
            help: wrong.help,
            kind: if wrong.is_unknown { ProblemKind::UnknownName } else { ProblemKind::Syntax },
        })?;
        self.parts.push(Part::Value { operand, width });
        self.fields.extend(fields);
        Ok(length)
    }
}

fn operand_text<E: Event + ?Sized>(
    operand: &Operand,
    event: &E,
    zone: &TimeZone,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> bool {
    if let Operand::Field(field) = operand {
        return value::field_text(field, event, zone, out);
    }
    let values = apply(operand, event, scratch);
    values.map(|values| value::values_text(values, Type::of(operand).is_list, out)).is_some()
}

fn problem(
    span: std::ops::Range<usize>,
    message: &str,
    help: Option<&str>,
    kind: ProblemKind,
) -> Problem {
    Problem { span, message: message.to_owned(), help: help.map(str::to_owned), kind }
}
