//! The text of a condition → [`ast`](super::ast).
//!
//! The grammar is Falco's to the letter, surprises included: operators are prefixes
//! of what follows (`in(` and even `inside` begin with `in`), words without quotes
//! hold nearly everything, and what is a word depends on the place. A lexer ahead of
//! the parser could not know the place, and a parser of recursive functions could
//! not survive ten million parentheses; so this one is written by hand, reads
//! straight from a `Cursor` and keeps its open parentheses on a stack of its own.
//!
//! It never stops at the first problem: after one it goes on behind the next `and`
//! or `or`, so that independent mistakes are told in one go.
//!
//! Lists have to be [substituted](lists) first. Macros stay names.

mod blame;
mod check;
mod cursor;
pub mod lists;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(super) use self::cursor::is_bare;
use self::cursor::{Cursor, is_blank, is_space, syntax};
use super::ast::{Expr, Operand};
use super::diagnostic::Problem;

/// How deep parentheses and transformers may be nested, each level of a condition
/// counted once.
pub const MAX_DEPTH: usize = 1000;

/// How many checks and names of macros a condition may hold. It bounds the memory
/// that a hostile rule file can ask for.
pub const MAX_CHECKS: usize = 1 << 18;

/// How many literals a condition may hold; it bounds memory too.
pub const MAX_LITERALS: usize = 1 << 20;

/// How many problems are told of one condition.
const MAX_PROBLEMS: usize = 20;

/// Reads a condition.
///
/// # Errors
///
/// All that is wrong with its form, in the order of the text. The spans are bytes of
/// `text`.
pub fn condition(text: &str) -> Result<Expr, Vec<Problem>> {
    let mut parser = Parser::new(text);
    let expr = parser.run();
    if parser.problems.is_empty() { Ok(expr) } else { Err(parser.problems) }
}

/// Reads the field or the transformer that a text begins with, as those in outputs
/// do, and tells how many bytes it takes.
///
/// # Errors
///
/// If it begins with neither, and what is wrong with its form.
pub fn operand(text: &str) -> Result<(Operand, usize), Vec<Problem>> {
    let mut parser = Parser::new(text);
    match parser.operand() {
        Ok(Some(operand)) if parser.problems.is_empty() => Ok((operand, parser.cursor.at())),
        Ok(Some(_)) => Err(parser.problems),
        Ok(None) => Err(vec![blame::no_operand(&parser.cursor)]),
        Err(problem) => {
            parser.problems.push(problem);
            Err(parser.problems)
        }
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    problems: Vec<Problem>,
    /// Open parentheses, the outermost level first.
    levels: Vec<Level>,
    /// What was read last, for the sake of messages.
    last: Last,
    checks: usize,
    literals: usize,
    /// Set when nothing more can be told, so that one mistake is not told twice.
    given_up: bool,
}

/// What stands between a parenthesis and its end, or in the whole text.
#[derive(Default)]
struct Level {
    /// The parenthesis.
    open: Range<usize>,
    /// True if all of it is negated.
    negated: bool,
    /// The operands of `or` so far.
    any: Vec<Expr>,
    /// The operands of `and` so far, since the last `or`.
    all: Vec<Expr>,
    /// True after `or(…)`, which takes no `and`.
    sealed: bool,
}

/// The last thing before the place, as far as it matters for messages.
enum Last {
    /// Something that a person cannot have meant otherwise.
    Clear,
    /// A literal without quotes, after an operator.
    Bare { operator: Range<usize>, value: Range<usize> },
    /// The name of a list after an operator; `glued` if no blank is between them.
    List { operator: Range<usize>, name: Range<usize>, glued: bool },
    /// The name of a macro.
    Macro(Range<usize>),
}

/// What connects an operand with what follows.
enum Joint {
    And,
    Or,
    Close,
    End,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            cursor: Cursor::new(text),
            problems: Vec::new(),
            levels: vec![Level::default()],
            last: Last::Clear,
            checks: 0,
            literals: 0,
            given_up: false,
        }
    }

    fn run(&mut self) -> Expr {
        self.cursor.blanks();
        if self.cursor.is_at_end() {
            self.give_up(syntax(0..self.cursor.at(), "the condition is empty", ""));
        }
        while !self.given_up {
            let negated = self.negations();
            let open = self.cursor.at();
            if self.cursor.eat("(") {
                self.open(open..open + 1, negated);
                continue;
            }
            let operand = match self.check() {
                Ok(expr) => negate(expr, negated),
                Err(problem) => {
                    self.report(problem);
                    // From the beginning, to count the parentheses of the check.
                    self.cursor.go_back(open);
                    self.skip();
                    hole()
                }
            };
            if let Some(whole) = self.join(operand) {
                return whole;
            }
        }
        hole()
    }

    /// Reads on after an operand up to the next one. The whole, if there is none.
    fn join(&mut self, mut operand: Expr) -> Option<Expr> {
        while !self.given_up {
            let joint = self.joint();
            let level = self.levels.last_mut()?;
            level.all.push(operand);
            match joint {
                Joint::And => return None,
                Joint::Or => {
                    let all = std::mem::take(&mut level.all);
                    level.any.push(one_or(Expr::And, all));
                    return None;
                }
                Joint::Close => {
                    let level = self.levels.pop()?;
                    self.last = Last::Clear;
                    operand = close(level);
                }
                Joint::End => {
                    let level = self.levels.pop()?;
                    if !self.levels.is_empty() {
                        self.report(blame::unclosed(level.open.clone(), self.levels.len()));
                    }
                    return Some(close(level));
                }
            }
        }
        None
    }

    /// Reads `not` as often as it stands there; true if that negates what follows.
    fn negations(&mut self) -> bool {
        let mut negated = false;
        loop {
            self.cursor.blanks();
            let after = self.cursor.byte(self.cursor.at() + 3);
            if self.cursor.rest().starts_with("not")
                && after.is_some_and(|byte| is_space(byte) || is_blank(byte) || byte == b'(')
            {
                self.cursor.eat("not");
                while self.cursor.peek().is_some_and(is_space) {
                    self.cursor.advance(1);
                }
            } else if let Some(problem) = blame::wrong_not(&self.cursor) {
                self.cursor.advance(problem.span.len());
                self.report(problem);
            } else {
                return negated;
            }
            negated = !negated;
        }
    }

    fn open(&mut self, open: Range<usize>, negated: bool) {
        if self.levels.len() > MAX_DEPTH {
            self.give_up(blame::too_deep(open));
        } else {
            self.levels.push(Level { open, negated, ..Level::default() });
        }
    }

    /// Reads what stands between an operand and the next.
    fn joint(&mut self) -> Joint {
        while !self.given_up {
            self.cursor.blanks();
            let start = self.cursor.at();
            let sealed = self.levels.last().is_some_and(|level| level.sealed);
            if self.cursor.is_at_end() {
                return Joint::End;
            }
            if self.eat_joint("and") {
                if sealed {
                    self.report(blame::sealed(start..start + 3));
                }
                return Joint::And;
            }
            if self.eat_joint("or") {
                let paren = self.cursor.peek() == Some(b'(');
                if let Some(level) = self.levels.last_mut() {
                    level.sealed = paren;
                }
                return Joint::Or;
            }
            if self.cursor.eat(")") {
                if self.levels.len() > 1 {
                    return Joint::Close;
                }
                self.report(syntax(
                    start..start + 1,
                    "this `)` closes nothing",
                    "remove it, or open it further left",
                ));
                self.last = Last::Clear;
                continue;
            }
            let (problem, meant) = blame::joint(&self.cursor, &self.last);
            self.report(problem);
            if let Some((joint, length)) = meant {
                self.cursor.advance(length);
                return joint;
            }
            self.skip();
        }
        Joint::End
    }

    /// Reads `and` or `or`, behind which a blank or a parenthesis has to stand.
    fn eat_joint(&mut self, word: &str) -> bool {
        let start = self.cursor.at();
        let found = self.cursor.run(is_bare) == word && self.cursor.eat(word);
        if found
            && !self.cursor.peek().is_none_or(|byte| is_blank(byte) || matches!(byte, b'(' | b')'))
        {
            let span = start..self.cursor.at();
            self.report(syntax(span, format!("a blank or `(` has to follow `{word}`"), ""));
        }
        found
    }

    /// Moves to the next `and`, `or` or `)` that belongs to this level.
    fn skip(&mut self) {
        self.last = Last::Clear;
        let mut depth = 0_usize;
        while let Some(byte) = self.cursor.peek() {
            match byte {
                b'"' | b'\'' => match self.cursor.quoted_end(self.cursor.at()) {
                    Some(end) => self.cursor.advance(end - self.cursor.at()),
                    None => {
                        self.cursor.finish();
                        self.given_up = true;
                    }
                },
                b')' if depth == 0 => return,
                b'(' => {
                    depth += 1;
                    self.cursor.advance(1);
                }
                b')' => {
                    depth -= 1;
                    self.cursor.advance(1);
                }
                _ => {
                    let word = self.cursor.run(is_bare);
                    if depth == 0 && matches!(word, "and" | "or") {
                        return;
                    }
                    self.cursor.advance(word.len().max(1));
                }
            }
        }
        self.given_up |= depth > 0;
    }

    fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
        self.given_up |= self.problems.len() >= MAX_PROBLEMS;
    }

    fn give_up(&mut self, problem: Problem) {
        self.problems.push(problem);
        self.given_up = true;
    }
}

/// Stands for what could not be read; nobody sees it, for there is a problem then.
const fn hole() -> Expr {
    Expr::Or(Vec::new())
}

fn negate(expr: Expr, negated: bool) -> Expr {
    if negated { Expr::Not(Box::new(expr)) } else { expr }
}

fn close(mut level: Level) -> Expr {
    level.any.push(one_or(Expr::And, level.all));
    negate(one_or(Expr::Or, level.any), level.negated)
}

/// The only one, or what `many` makes of them.
fn one_or(many: impl Fn(Vec<Expr>) -> Expr, mut of: Vec<Expr>) -> Expr {
    match of.pop() {
        Some(only) if of.is_empty() => only,
        Some(last) => {
            of.push(last);
            many(of)
        }
        None => hole(),
    }
}
