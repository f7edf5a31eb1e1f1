//! Conditions → text that reads back as the same condition.
//!
//! Parentheses and quotes stand only where they have to. Blanks and spelling of what
//! was once read (`==`, `"bash"`, `0x1F` kept) are not remembered.

mod typed;
mod words;

use self::words::{Place, quote_argument, quote_literal};
use super::ast::{Argument, Check, Expr, Operand, Right, Test};

pub use self::typed::typed;

/// A condition as text. [`parse::condition`](super::parse::condition) reads it back
/// as an equal one, up to spans.
#[must_use]
pub fn condition(expr: &Expr) -> String {
    let mut out = String::new();
    write(&mut out, expr);
    out
}

/// A boolean expression, whatever its checks are.
trait Expression: Sized {
    fn view(&self) -> View<'_, Self>;
    fn write_leaf(&self, out: &mut String);
}

/// What an expression is made of.
enum View<'a, E> {
    And(&'a [E]),
    Or(&'a [E]),
    Not(&'a E),
    Leaf,
}

fn write<E: Expression>(out: &mut String, expr: &E) {
    match expr.view() {
        View::And([]) => out.push_str("always"),
        View::Or([]) => out.push_str("never"),
        View::And([only]) | View::Or([only]) => write(out, only),
        View::And(all) => join(out, all, " and ", true),
        View::Or(any) => join(out, any, " or ", false),
        View::Not(inner) => {
            out.push_str("not ");
            write_inside(out, inner, !matches!(inner.view(), View::Leaf));
        }
        View::Leaf => expr.write_leaf(out),
    }
}

fn join<E: Expression>(out: &mut String, of: &[E], joint: &str, is_and: bool) {
    for (nth, one) in of.iter().enumerate() {
        if nth > 0 {
            out.push_str(joint);
        }
        // An `and` among `or` binds more tightly by itself; one among `and` stands in
        // parentheses because it was read so.
        let parentheses = match one.view() {
            View::And(_) => is_and,
            View::Or(_) => true,
            View::Not(_) | View::Leaf => false,
        };
        write_inside(out, one, parentheses);
    }
}

fn write_inside<E: Expression>(out: &mut String, expr: &E, parentheses: bool) {
    if parentheses {
        out.push('(');
        write(out, expr);
        out.push(')');
    } else {
        write(out, expr);
    }
}

impl Expression for Expr {
    fn view(&self) -> View<'_, Self> {
        match self {
            Self::And(all) => View::And(all),
            Self::Or(any) => View::Or(any),
            Self::Not(inner) => View::Not(inner),
            Self::Macro(_) | Self::Check(_) => View::Leaf,
        }
    }

    fn write_leaf(&self, out: &mut String) {
        match self {
            Self::Macro(name) => out.push_str(&name.text),
            Self::Check(check) => write_check(out, check),
            Self::And(_) | Self::Or(_) | Self::Not(_) => {}
        }
    }
}

fn write_check(out: &mut String, check: &Check) {
    write_operand(out, &check.left);
    match &check.test {
        Test::Exists => out.push_str(" exists"),
        Test::Binary { operator, modifier, right, .. } => {
            out.extend([" ", operator.text(), " "]);
            if let Some(modifier) = modifier {
                out.extend([modifier.text(), " "]);
            }
            write_right(out, right);
        }
    }
}

fn write_right(out: &mut String, right: &Right) {
    match right {
        Right::Value(text) => quote_literal(out, &text.bytes, Place::Value),
        Right::Identifier(name) => out.push_str(&name.text),
        Right::List(items, _) => {
            let items = items.iter().map(|item| item.bytes.as_slice());
            words::write_list(out, items, |out, item| quote_literal(out, item, Place::List));
        }
        Right::Operand(field @ Operand::Field { .. }) => {
            out.push_str("val(");
            write_operand(out, field);
            out.push(')');
        }
        Right::Operand(call @ Operand::Call { .. }) => write_operand(out, call),
    }
}

fn write_operand(out: &mut String, operand: &Operand) {
    let argument = match operand {
        Operand::Field { name, argument } => {
            out.push_str(&name.text);
            argument
        }
        Operand::Call { transformer, arguments, argument, .. } => {
            out.push_str(&transformer.text);
            words::write_list(out, arguments, write_argument);
            argument
        }
    };
    if let Some(argument) = argument {
        quote_argument(out, &argument.text);
    }
}

fn write_argument(out: &mut String, argument: &Argument) {
    match argument {
        Argument::Operand(operand) => write_operand(out, operand),
        Argument::Text(text) => quote_literal(out, &text.bytes, Place::Call),
        Argument::Number(number) => out.push_str(&number.text),
        Argument::List(items, _) => words::write_list(out, items, write_argument),
    }
}
