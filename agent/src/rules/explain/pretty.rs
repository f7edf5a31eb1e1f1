//! Conditions with one part a line.

use crate::rules::print;
use crate::rules::typed::Condition;

/// Columns that a line may have before what it holds is spread over several.
const WIDTH: usize = 90;

/// A condition as text, indented. It reads back as the same condition.
pub(super) fn pretty(condition: &Condition) -> String {
    let mut out = String::new();
    write(&mut out, condition, 0);
    out
}

// As deep as a condition may be nested, which is bounded where it is made.
fn write(out: &mut String, condition: &Condition, indent: usize) {
    let (all, word) = match condition {
        Condition::And(all) => (all, "and "),
        Condition::Or(any) => (any, "or "),
        Condition::Not(inner) => {
            out.push_str("not ");
            return group(out, inner, indent);
        }
        Condition::Check(_) => return out.push_str(&print::typed(condition)),
    };
    for (nth, one) in all.iter().enumerate() {
        if nth > 0 {
            line(out, indent);
            out.push_str(word);
        }
        match one {
            Condition::And(_) | Condition::Or(_) => group(out, one, indent),
            Condition::Not(_) | Condition::Check(_) => write(out, one, indent),
        }
    }
}

/// Something in parentheses where it needs them: in a line if it is short.
fn group(out: &mut String, condition: &Condition, indent: usize) {
    if matches!(condition, Condition::Check(_) | Condition::Not(_)) {
        return write(out, condition, indent);
    }
    let short = print::typed(condition);
    if indent + short.chars().count() <= WIDTH {
        out.extend(["(", &short, ")"]);
        return;
    }
    out.push('(');
    line(out, indent + 2);
    write(out, condition, indent + 2);
    line(out, indent);
    out.push(')');
}

fn line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}
