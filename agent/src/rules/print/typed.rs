//! Typed conditions as text, for people who want to know what a rule comes to.
//!
//! What is written reads back and binds to an equal condition, save for conditions
//! without a check, which no text can name.

use super::words::{Place, quote_argument, quote_literal, write_list};
use super::{Expression, View};
use crate::rules::event::{Argument, FieldRef};
use crate::rules::typed::{Check, Comparison, Condition, Literal, Operand, Test, Transformer};

/// A typed condition as text.
#[must_use]
pub fn typed(condition: &Condition) -> String {
    let mut out = String::new();
    super::write(&mut out, condition);
    out
}

impl Expression for Condition {
    fn view(&self) -> View<'_, Self> {
        match self {
            Self::And(all) => View::And(all),
            Self::Or(any) => View::Or(any),
            Self::Not(inner) => View::Not(inner),
            Self::Check(_) => View::Leaf,
        }
    }

    fn write_leaf(&self, out: &mut String) {
        match self {
            Self::Check(check) => write_check(out, check),
            Self::And(_) | Self::Or(_) | Self::Not(_) => {}
        }
    }
}

fn write_check(out: &mut String, check: &Check) {
    write_operand(out, &check.left);
    match &check.test {
        Test::Exists => out.push_str(" exists"),
        Test::Literal { operator, modifier: Some(modifier), literals } => {
            out.extend([" ", operator.text(), " ", modifier.text(), " "]);
            write_literals(out, literals);
        }
        Test::Literal { operator, modifier: None, literals } => {
            out.extend([" ", operator.text(), " "]);
            if let Some(literal) = literals.first() {
                write_literal(out, literal, Place::Value);
            }
        }
        Test::Operand { operator, right } => {
            out.extend([" ", operator.text(), " "]);
            write_other(out, right);
        }
        Test::In(literals) => {
            out.push_str(" in ");
            write_literals(out, literals);
        }
        Test::Intersects(literals) => {
            out.push_str(" intersects ");
            write_literals(out, literals);
        }
        Test::InOperand { intersects, right } => {
            out.push_str(if *intersects { " intersects " } else { " in " });
            write_other(out, right);
        }
        Test::Pmatch(paths) => {
            out.push_str(" pmatch ");
            write_list(out, paths, |out, path| quote_literal(out, path, Place::List));
        }
    }
}

fn write_literals(out: &mut String, literals: &[Literal]) {
    write_list(out, literals, |out, literal| write_literal(out, literal, Place::List));
}

fn write_literal(out: &mut String, literal: &Literal, place: Place) {
    match literal {
        Literal::Bool(value) => out.push_str(&value.to_string()),
        Literal::Int(value) => out.push_str(&value.to_string()),
        Literal::Double(bits) => out.push_str(&f64::from_bits(*bits).to_string()),
        Literal::Text(bytes) => quote_literal(out, bytes, place),
        Literal::Ip(address) => out.push_str(&address.to_string()),
        Literal::Net(net) => out.push_str(&net.to_string()),
        Literal::Host(name) => quote_literal(out, name.as_bytes(), place),
    }
}

/// An operand on the right of an operator.
fn write_other(out: &mut String, operand: &Operand) {
    match operand {
        Operand::Field(field) => {
            out.push_str("val(");
            write_field(out, field);
            out.push(')');
        }
        Operand::Text(_) | Operand::Call(..) | Operand::List(_) => write_operand(out, operand),
    }
}

fn write_operand(out: &mut String, operand: &Operand) {
    match operand {
        Operand::Field(field) => write_field(out, field),
        Operand::Text(bytes) => quote_literal(out, bytes, Place::Call),
        Operand::List(items) => write_list(out, items, write_operand),
        Operand::Call(transformer, arguments) => {
            out.push_str(transformer.name());
            match (transformer, arguments.as_slice()) {
                (Transformer::Getopt, [line, options, Operand::Text(option)]) => {
                    write_list(out, [line, options], write_operand);
                    quote_argument(out, &String::from_utf8_lossy(option));
                }
                _ => write_list(out, arguments, write_operand),
            }
        }
    }
}

fn write_field(out: &mut String, field: &FieldRef) {
    match &field.argument {
        // Keys may need quotes, which outputs do not know.
        Argument::Key(key) => {
            out.push_str(field.id.spec().name);
            quote_argument(out, key);
        }
        Argument::None | Argument::Index(_) | Argument::Param(_) => {
            out.push_str(&field.to_string());
        }
    }
}

impl Comparison {
    /// As it is written in a condition.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Contains => "contains",
            Self::IContains => "icontains",
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
            Self::Glob => "glob",
            Self::IGlob => "iglob",
            Self::Regex => "regex",
        }
    }
}
