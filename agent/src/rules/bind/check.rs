//! Checks: which operator fits which type, and what it is compared with.

use super::direction::of_direction;
use super::literal::{self, hexadecimal, read_name, show};
use super::operand::{self, EVENTS_AHEAD, Typed, is_event_type, is_host};
use super::{Binder, hole, problem, regex};
use crate::rules::ast::{self, Modifier, Operator, Right, Span, Text};
use crate::rules::diagnostic::{Code, Problem, ProblemKind};
use crate::rules::field::{Flag, lookup};
use crate::rules::typed::{Check, Comparison, Condition, Literal, Test, Transformer};
use crate::rules::value::Kind;

/// How many regular expressions a condition may have: each is compiled, which takes
/// a thousand times as long as anything else here.
const MAX_REGEXES: usize = 1000;

/// An operator of a check with its place.
struct Asked<'a> {
    operator: Operator,
    span: &'a Span,
    modifier: Option<Modifier>,
}

impl Binder<'_> {
    pub(super) fn check(&mut self, check: &ast::Check) -> Condition {
        self.count(&check.span, 1, 0);
        let left = operand::bind(&check.left);
        let (asked, right) = match &check.test {
            ast::Test::Exists => {
                return match left {
                    Ok(left) => self.made(left, Test::Exists),
                    Err(problem) => self.no_check(problem),
                };
            }
            ast::Test::Binary { operator, operator_span, modifier, right } => {
                let (operator, modifier) = (*operator, *modifier);
                (Asked { operator, span: operator_span, modifier }, right)
            }
        };
        let left = match left {
            Ok(left) => left,
            Err(problem) => {
                // What is wrong on the right is worth telling too.
                let right = if let Right::Operand(right) = right {
                    operand::bind(right).err()
                } else {
                    None
                };
                self.problems.push(problem);
                self.problems.extend(right);
                return hole();
            }
        };
        if let Err(problem) = fits(&left, &asked) {
            return self.no_check(problem);
        }
        let test = match right {
            Right::Operand(right) => compare(&left, &asked, right),
            Right::Value(text) => self.literals(&left, &asked, std::slice::from_ref(text)),
            Right::List(items, _) => self.literals(&left, &asked, items),
            Right::Identifier(name) => {
                let text = Text { bytes: name.text.clone().into_bytes(), span: name.span.clone() };
                self.literals(&left, &asked, &[text])
            }
        };
        match test {
            Ok(test) => self.made(left, test),
            Err(problem) => self.no_check(problem),
        }
    }

    fn no_check(&mut self, problem: Problem) -> Condition {
        self.problems.push(problem);
        hole()
    }

    /// Compares with literals; the last problem is left to the caller to tell.
    fn literals(
        &mut self,
        left: &Typed,
        asked: &Asked<'_>,
        texts: &[Text],
    ) -> Result<Test, Problem> {
        let mut literals = Vec::with_capacity(texts.len());
        let mut problems = Vec::new();
        self.look_for_missing(asked, texts);
        for text in texts {
            self.count(&text.span, 0, 1);
            if self.full {
                break;
            }
            self.look_at(left, asked, text);
            match self.literal(left, asked, text) {
                Ok(literal) => literals.push(literal),
                Err(problem) => problems.push(problem),
            }
        }
        let last = problems.pop();
        self.problems.append(&mut problems);
        match last {
            Some(problem) => Err(problem),
            None => Ok(literal_test(asked, literals)),
        }
    }

    fn literal(
        &mut self,
        left: &Typed,
        asked: &Asked<'_>,
        text: &Text,
    ) -> Result<Literal, Problem> {
        match asked.operator {
            Operator::BContains | Operator::BStartsWith => hexadecimal(text),
            Operator::Regex => {
                self.regexes += 1;
                if self.regexes > MAX_REGEXES {
                    let message =
                        format!("the condition has more than {MAX_REGEXES} regular expressions");
                    return Err(problem(ProblemKind::Type, text.span.clone(), message, "split it"));
                }
                regex::read(text)
            }
            operator if is_equality(operator) => left
                .field
                .and_then(|spec| read_name(text, spec))
                .unwrap_or_else(|| literal::read(text, left.values.kind)),
            _ => literal::read(text, left.values.kind),
        }
    }

    /// The check as a condition.
    fn made(&mut self, left: Typed, test: Test) -> Condition {
        let check = Check { left: left.operand, test };
        if let Some(spec) = left.field.filter(|spec| spec.has(Flag::Deprecated)) {
            self.deprecated(spec.name, left.span, &check);
        }
        Condition::Check(check)
    }

    /// Warns of a field that is on its way out, once in a condition.
    fn deprecated(&mut self, name: &str, span: Span, check: &Check) {
        let (what, help) = match of_direction(check) {
            Some(true) => ("always `<`: this always holds", "leave the check out"),
            Some(false) => (
                "always `<`: this never holds",
                "calls are seen when they return only; write the rule for that",
            ),
            None => ("kept for old rules only", "leave the check out"),
        };
        let message = format!("`{name}` is {what}");
        if !self.warnings.iter().any(|warning| warning.message == message) {
            self.warn(Code::DeprecatedItem, span, message, help);
        }
    }

    /// Warns of the names that outputs have for a missing value, once in a check.
    fn look_for_missing(&mut self, asked: &Asked<'_>, texts: &[Text]) {
        // With `!=` they ask for a value, which is what every check does.
        if !matches!(
            asked.operator,
            Operator::Eq | Operator::In | Operator::Intersects | Operator::Pmatch
        ) {
            return;
        }
        let is_missing = |text: &&Text| matches!(text.bytes.as_slice(), b"<NA>" | b"N/A");
        let Some(text) = texts.iter().find(is_missing) else { return };
        let message =
            format!("a value that is missing is not {}: it makes every check false", show(text));
        let help = "to ask for a missing value write `not … exists`";
        self.warn(Code::UnsafeNaCheck, text.span.clone(), message, help);
    }

    /// Warns of a literal that reads but was probably meant otherwise.
    fn look_at(&mut self, left: &Typed, asked: &Asked<'_>, text: &Text) {
        let span = || text.span.clone();
        if asked.operator == Operator::Regex && regex::is_simple(&text.bytes) {
            let message = format!("{} needs no regular expression", show(text));
            let help = "`=`, `contains`, `startswith` and `endswith` take less time";
            self.warn(Code::ConditionWarning, span(), message, help);
        }
        if matches!(left.values.kind, Kind::Uint | Kind::Duration | Kind::Time)
            && text.bytes.starts_with(b"-")
        {
            let message = format!("{} is negative, and `{}` never is", show(text), left.name);
            self.warn(Code::ConditionWarning, span(), message, "compare it with another number");
        }
        if left.values.kind != Kind::Text
            || !text.bytes.contains(&b'.') && !text.bytes.ends_with(b")")
        {
            return;
        }
        let plain: Vec<u8> =
            text.bytes.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
        if std::str::from_utf8(&plain).is_ok_and(|name| lookup(name).is_some()) {
            let message = format!("{} is compared as a text, not as a field", show(text));
            let help = "to compare with the value of a field write `val(…)` around its name";
            self.warn(Code::ConditionWarning, span(), message, help);
        }
        let names = Transformer::ALL.iter().map(|one| one.name()).chain(["val"]);
        let is_call = |name: &str| {
            let inner = plain.strip_prefix(name.as_bytes());
            inner.is_some_and(|inner| inner.starts_with(b"(") && inner.ends_with(b")"))
        };
        if names.into_iter().any(is_call) {
            let message = format!("{} is compared as a text, not as a transformer", show(text));
            self.warn(Code::ConditionWarning, span(), message, "remove the quotes");
        }
    }
}

const fn is_equality(operator: Operator) -> bool {
    matches!(operator, Operator::Eq | Operator::Ne | Operator::In | Operator::Intersects)
}

/// Refuses an operator that does not fit the type of the left side.
fn fits(left: &Typed, asked: &Asked<'_>) -> Result<(), Problem> {
    let host = left.field.is_some_and(is_host);
    let allowed = if left.values.is_list {
        &[Operator::In, Operator::Intersects][..]
    } else if host {
        EQUALITIES
    } else {
        operators_of(left.values.kind)
    };
    if allowed.contains(&asked.operator) && !(left.values.is_list && asked.modifier.is_some()) {
        return Ok(());
    }
    let what = if host { "the address of a host".to_owned() } else { left.values.to_string() };
    let operator = asked.operator.text();
    let names: Vec<_> = allowed.iter().map(|operator| operator.text()).collect();
    let help = format!("use one of {} exists", names.join(" "));
    let message = format!("`{operator}` does not apply to `{}`, which is {what}", left.name);
    Err(problem(ProblemKind::Type, asked.span.clone(), message, help))
}

const EQUALITIES: &[Operator] = &[Operator::Eq, Operator::Ne, Operator::In, Operator::Intersects];

/// The operators that apply to a type, `exists` left out: it applies to all.
pub(super) const fn operators_of(kind: Kind) -> &'static [Operator] {
    match kind {
        Kind::Int | Kind::Uint | Kind::Double | Kind::Port | Kind::Duration | Kind::Time => &[
            Operator::Eq,
            Operator::Ne,
            Operator::Lt,
            Operator::Le,
            Operator::Gt,
            Operator::Ge,
            Operator::In,
            Operator::Intersects,
        ],
        Kind::Bool | Kind::Ip | Kind::Net => EQUALITIES,
        Kind::Text => &[
            Operator::Eq,
            Operator::Ne,
            Operator::Lt,
            Operator::Le,
            Operator::Gt,
            Operator::Ge,
            Operator::Contains,
            Operator::IContains,
            Operator::StartsWith,
            Operator::EndsWith,
            Operator::Glob,
            Operator::IGlob,
            Operator::Regex,
            Operator::In,
            Operator::Intersects,
            Operator::Pmatch,
        ],
        Kind::Bytes => &[
            Operator::Eq,
            Operator::Ne,
            Operator::Contains,
            Operator::BContains,
            Operator::StartsWith,
            Operator::BStartsWith,
            Operator::EndsWith,
            Operator::In,
            Operator::Intersects,
        ],
    }
}

/// Compares with another value of the event.
fn compare(left: &Typed, asked: &Asked<'_>, right: &ast::Operand) -> Result<Test, Problem> {
    let right = operand::bind(right)?;
    let wrong = |span: &Span, message: String, help: &str| {
        Err(problem(ProblemKind::Type, span.clone(), message, help))
    };
    for side in [left, &right] {
        let Some(spec) = side.field else { continue };
        let name = spec.name;
        if is_event_type(spec) || spec.has(Flag::NoRightSide) {
            let help = if is_event_type(spec) { EVENTS_AHEAD } else { "" };
            return wrong(&side.span, format!("`{name}` cannot be compared with a field"), help);
        }
    }
    if left.values.kind == Kind::Net {
        let message = "a network cannot be compared with a field".to_owned();
        return wrong(&left.span, message, "write the network as a literal");
    }
    if left.values != right.values {
        let message = format!("{} cannot be compared with {}", left.values, right.values);
        return wrong(&right.span, message, "both sides have to be of the same type");
    }
    let right = right.operand;
    match asked.operator {
        Operator::In => Ok(Test::InOperand { intersects: false, right }),
        Operator::Intersects => Ok(Test::InOperand { intersects: true, right }),
        operator => match comparison(operator) {
            Some(operator) if operator != Comparison::Regex => {
                Ok(Test::Operand { operator, right })
            }
            _ => {
                let message = format!("`{}` takes literals only", operator.text());
                wrong(asked.span, message, "what it compares with is compiled ahead")
            }
        },
    }
}

fn literal_test(asked: &Asked<'_>, mut literals: Vec<Literal>) -> Test {
    let sort = |mut literals: Vec<Literal>| {
        literals.sort_unstable();
        literals.dedup();
        literals
    };
    match asked.operator {
        Operator::In => Test::In(sort(literals)),
        Operator::Intersects => Test::Intersects(sort(literals)),
        operator => match comparison(operator) {
            Some(operator) => {
                match asked.modifier {
                    // Of two equal literals both pass, and then more than one does.
                    Some(Modifier::OneOf) => literals.sort_unstable(),
                    Some(Modifier::AnyOf | Modifier::AllOf) => literals = sort(literals),
                    None => {}
                }
                Test::Literal { operator, modifier: asked.modifier, literals }
            }
            None => {
                let path = |literal| match literal {
                    Literal::Text(path) => Some(path),
                    _ => None,
                };
                Test::Pmatch(sort(literals).into_iter().filter_map(path).collect())
            }
        },
    }
}

/// The comparison that an operator of one value is.
const fn comparison(operator: Operator) -> Option<Comparison> {
    Some(match operator {
        Operator::Eq => Comparison::Eq,
        Operator::Ne => Comparison::Ne,
        Operator::Lt => Comparison::Lt,
        Operator::Le => Comparison::Le,
        Operator::Gt => Comparison::Gt,
        Operator::Ge => Comparison::Ge,
        Operator::Contains | Operator::BContains => Comparison::Contains,
        Operator::IContains => Comparison::IContains,
        Operator::StartsWith | Operator::BStartsWith => Comparison::StartsWith,
        Operator::EndsWith => Comparison::EndsWith,
        Operator::Glob => Comparison::Glob,
        Operator::IGlob => Comparison::IGlob,
        Operator::Regex => Comparison::Regex,
        Operator::In | Operator::Intersects | Operator::Pmatch => return None,
    })
}
