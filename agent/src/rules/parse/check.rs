//! One check: what is looked at, the operator, and what it is compared with.

use std::ops::Range;

use super::cursor::{is_blank, syntax};
use super::{Last, MAX_CHECKS, MAX_DEPTH, MAX_LITERALS, Parser, blame};
use crate::rules::ast::{
    Argument, Check, Expr, Modifier, Name, Operand, Operator, Right, Span, Test, Text,
};
use crate::rules::diagnostic::Problem;

/// The functions that a check can apply, as they are written.
pub(super) const TRANSFORMERS: [&str; 8] =
    ["tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt"];

/// The operators in the order in which they are tried: one that begins like another
/// stands behind it. `true` means that a blank has to follow.
const OPERATORS: [(&str, Operator, bool); 19] = [
    ("<=", Operator::Le, false),
    ("<", Operator::Lt, false),
    (">=", Operator::Ge, false),
    (">", Operator::Gt, false),
    ("==", Operator::Eq, false),
    ("=", Operator::Eq, false),
    ("!=", Operator::Ne, false),
    ("glob", Operator::Glob, true),
    ("iglob", Operator::IGlob, true),
    ("contains", Operator::Contains, true),
    ("icontains", Operator::IContains, true),
    ("bcontains", Operator::BContains, true),
    ("startswith", Operator::StartsWith, true),
    ("bstartswith", Operator::BStartsWith, true),
    ("endswith", Operator::EndsWith, true),
    ("regex", Operator::Regex, true),
    ("intersects", Operator::Intersects, false),
    ("in", Operator::In, false),
    ("pmatch", Operator::Pmatch, false),
];

/// A call whose arguments are being read, or a list among them.
struct Call {
    /// Nothing for a list.
    transformer: Option<Name>,
    start: usize,
    arguments: Vec<Argument>,
}

impl Parser<'_> {
    /// Reads a check or the name of a macro.
    pub(super) fn check(&mut self) -> Result<Expr, Problem> {
        self.last = Last::Clear;
        self.checks += 1;
        let start = self.cursor.at();
        if self.checks > MAX_CHECKS {
            self.given_up = true;
            return Err(blame::too_many(start, MAX_CHECKS, "checks"));
        }
        let Some(left) = self.operand()? else { return self.macro_name() };
        let test = self.test(&left)?;
        Ok(Expr::Check(Box::new(Check { left, test, span: start..self.cursor.at() })))
    }

    fn macro_name(&mut self) -> Result<Expr, Problem> {
        let start = self.cursor.at();
        let name = self.cursor.identifier().ok_or_else(|| blame::no_operand(&self.cursor))?;
        if let Some(problem) = blame::no_macro(&self.cursor, &name) {
            return Err(problem);
        }
        self.last = Last::Macro(start..self.cursor.at());
        Ok(Expr::Macro(name))
    }

    /// Reads a field or a call; nothing if neither begins here.
    pub(super) fn operand(&mut self) -> Result<Option<Operand>, Problem> {
        if let Some(name) = self.cursor.field_name() {
            return self.field(name).map(Some);
        }
        match self.transformer() {
            Some(name) => self.call(name).map(Some),
            None => Ok(None),
        }
    }

    fn field(&mut self, name: Name) -> Result<Operand, Problem> {
        let argument = self.bracket()?;
        Ok(Operand::Field { name, argument })
    }

    /// Reads `[…]`, if it follows without a blank.
    fn bracket(&mut self) -> Result<Option<Name>, Problem> {
        let open = self.cursor.at();
        if !self.cursor.eat("[") {
            return Ok(None);
        }
        let quoted = self.cursor.quoted(&mut self.problems)?.map(utf8).transpose()?;
        let argument = match quoted.or_else(|| self.cursor.bare_argument()) {
            Some(argument) => argument,
            None => return Err(blame::no_argument(&self.cursor, open)),
        };
        if !self.cursor.eat("]") {
            return Err(blame::no_bracket(&self.cursor, open));
        }
        Ok(Some(argument))
    }

    /// Reads the name of a transformer, if a parenthesis follows it.
    fn transformer(&mut self) -> Option<Name> {
        let rest = self.cursor.rest();
        let is_called =
            |word: &&&str| rest.strip_prefix(**word).is_some_and(|after| after.starts_with('('));
        TRANSFORMERS.iter().find(is_called)?;
        self.cursor.identifier()
    }

    /// Reads what follows the name of a transformer. Nested calls stand on a stack.
    fn call(&mut self, name: Name) -> Result<Operand, Problem> {
        let mut calls = Vec::new();
        self.enter(&mut calls, Some(name))?;
        loop {
            self.cursor.blanks();
            let in_list = calls.last().is_some_and(|call: &Call| call.transformer.is_none());
            if !in_list && self.cursor.peek() == Some(b'(') {
                self.enter(&mut calls, None)?;
                self.cursor.blanks();
                if self.cursor.peek() != Some(b')') {
                    continue;
                }
            } else if let Some(name) = self.transformer() {
                self.enter(&mut calls, Some(name))?;
                continue;
            } else {
                let argument = self.argument()?;
                if let Some(call) = calls.last_mut() {
                    call.arguments.push(argument);
                }
            }
            if let Some(operand) = self.leave(&mut calls)? {
                return Ok(operand);
            }
        }
    }

    /// Moves past the parenthesis that a call or a list begins with.
    fn enter(&mut self, calls: &mut Vec<Call>, transformer: Option<Name>) -> Result<(), Problem> {
        let start = transformer.as_ref().map_or(self.cursor.at(), |name| name.span.start);
        if self.levels.len() + calls.len() > MAX_DEPTH {
            self.given_up = true;
            return Err(blame::too_deep(start..self.cursor.at() + 1));
        }
        self.cursor.advance(1);
        calls.push(Call { transformer, start, arguments: Vec::new() });
        Ok(())
    }

    /// Moves past a comma, or past parentheses that close; the outermost call when it
    /// is complete.
    fn leave(&mut self, calls: &mut Vec<Call>) -> Result<Option<Operand>, Problem> {
        loop {
            self.cursor.blanks();
            if self.cursor.eat(",") {
                return Ok(None);
            }
            let Some(call) = calls.pop_if(|_| self.cursor.eat(")")) else {
                let start = calls.last().map_or(0, |call| call.start);
                return Err(blame::no_comma(&self.cursor, start, "the call"));
            };
            let argument = match call.transformer {
                None => Argument::List(call.arguments, call.start..self.cursor.at()),
                Some(transformer) => {
                    let argument = self.bracket()?;
                    let span = call.start..self.cursor.at();
                    let arguments = call.arguments;
                    let operand = Operand::Call { transformer, arguments, argument, span };
                    if calls.is_empty() {
                        return Ok(Some(operand));
                    }
                    Argument::Operand(operand)
                }
            };
            if let Some(outer) = calls.last_mut() {
                outer.arguments.push(argument);
            }
        }
    }

    /// Reads an argument of a call that is not itself nested.
    fn argument(&mut self) -> Result<Argument, Problem> {
        self.count_literal()?;
        if let Some(number) = self.cursor.number() {
            return Ok(Argument::Number(number));
        }
        if let Some(text) = self.cursor.quoted(&mut self.problems)? {
            return Ok(Argument::Text(text));
        }
        match self.cursor.field_name() {
            Some(name) => Ok(Argument::Operand(self.field(name)?)),
            None => Err(blame::no_call_argument(&self.cursor)),
        }
    }

    /// Reads the operator and what follows it.
    fn test(&mut self, left: &Operand) -> Result<Test, Problem> {
        self.cursor.blanks();
        if self.cursor.eat("exists") {
            return Ok(Test::Exists);
        }
        let start = self.cursor.at();
        let rest = self.cursor.rest();
        let found = OPERATORS.iter().find(|(word, ..)| rest.starts_with(word));
        let Some(&(word, operator, needs_blank)) = found else {
            return Err(blame::no_operator(&self.cursor, left));
        };
        self.cursor.advance(word.len());
        let operator_span = start..self.cursor.at();
        if needs_blank && !self.cursor.peek().is_some_and(is_blank) {
            return Err(blame::no_blank(&self.cursor, operator_span));
        }
        let (modifier, right) = match operator {
            Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge => {
                (None, self.number(&operator_span)?)
            }
            Operator::In | Operator::Intersects | Operator::Pmatch => {
                (None, self.list(&operator_span)?)
            }
            _ => self.text(&operator_span)?,
        };
        Ok(Test::Binary { operator, operator_span, modifier, right })
    }

    /// `val(field)` or a transformer.
    fn other_value(&mut self) -> Result<Option<Operand>, Problem> {
        self.cursor.blanks();
        let start = self.cursor.at();
        if !self.cursor.eat("val(") {
            return match self.transformer() {
                Some(name) => self.call(name).map(Some),
                None => Ok(None),
            };
        }
        self.cursor.blanks();
        let name = self.cursor.field_name().ok_or_else(|| blame::no_field(&self.cursor))?;
        let field = self.field(name)?;
        self.cursor.blanks();
        if !self.cursor.eat(")") {
            return Err(blame::no_comma(&self.cursor, start, "`val(`"));
        }
        Ok(Some(field))
    }

    fn number(&mut self, operator: &Span) -> Result<Right, Problem> {
        if let Some(operand) = self.other_value()? {
            return Ok(Right::Operand(operand));
        }
        self.count_literal()?;
        match self.cursor.number() {
            Some(Name { text, span }) => Ok(Right::Value(Text { bytes: text.into_bytes(), span })),
            None => Err(blame::no_number(&self.cursor, operator)),
        }
    }

    fn text(&mut self, operator: &Span) -> Result<(Option<Modifier>, Right), Problem> {
        self.cursor.blanks();
        if let Some(modifier) = self.modifier() {
            let right = self.list_or_name(operator)?;
            return Ok((Some(modifier), right));
        }
        if let Some(operand) = self.other_value()? {
            return Ok((None, Right::Operand(operand)));
        }
        let start = self.cursor.at();
        let Some(text) = self.literal()? else {
            return Err(blame::no_value(&self.cursor, operator));
        };
        if !matches!(self.cursor.byte(start), Some(b'"' | b'\'')) {
            self.last = Last::Bare { operator: operator.clone(), value: text.span.clone() };
        }
        Ok((None, Right::Value(text)))
    }

    /// Reads `oneof` and its like, where a list or a name follows. Where neither
    /// does, the word is a literal: anything else could not be read at all.
    fn modifier(&mut self) -> Option<Modifier> {
        let word = self.cursor.run(|byte| byte.is_ascii_alphabetic());
        let modifier = Modifier::ALL.into_iter().find(|one| one.text() == word)?;
        let after = self.cursor.rest().get(word.len()..)?;
        let list = after.trim_start_matches(|char| u8::try_from(char).is_ok_and(is_blank));
        let name =
            list.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).next()?;
        let is_list = list.starts_with('(')
            || list.len() < after.len()
                && name.starts_with(|char: char| char.is_ascii_alphabetic())
                && !matches!(name, "and" | "or");
        is_list.then(|| self.cursor.advance(word.len()))?;
        Some(modifier)
    }

    fn list(&mut self, operator: &Span) -> Result<Right, Problem> {
        self.cursor.blanks();
        if self.cursor.peek() != Some(b'(')
            && let Some(operand) = self.other_value()?
        {
            return Ok(Right::Operand(operand));
        }
        self.list_or_name(operator)
    }

    fn list_or_name(&mut self, operator: &Span) -> Result<Right, Problem> {
        self.cursor.blanks();
        let start = self.cursor.at();
        if self.cursor.eat("(") {
            return self.items(start);
        }
        let Some(name) = self.cursor.identifier() else {
            return Err(blame::no_list(&self.cursor, operator));
        };
        let glued = operator.end == start;
        self.last = Last::List { operator: operator.clone(), name: name.span.clone(), glued };
        Ok(Right::Identifier(name))
    }

    /// Reads the rest of a list whose parenthesis stands at `start`.
    fn items(&mut self, start: usize) -> Result<Right, Problem> {
        let mut items = Vec::new();
        loop {
            self.cursor.blanks();
            match self.literal()? {
                Some(item) => items.push(item),
                None if items.is_empty() && self.cursor.peek() == Some(b')') => {}
                None => return Err(blame::no_item(&self.cursor, start)),
            }
            self.cursor.blanks();
            if self.cursor.eat(")") {
                return Ok(Right::List(items, start..self.cursor.at()));
            }
            if !self.cursor.eat(",") {
                return Err(blame::no_comma(&self.cursor, start, "the list"));
            }
        }
    }

    /// Reads a literal, quoted or not.
    fn literal(&mut self) -> Result<Option<Text>, Problem> {
        self.count_literal()?;
        match self.cursor.quoted(&mut self.problems)? {
            Some(text) => Ok(Some(text)),
            None => Ok(self.cursor.bare()),
        }
    }

    fn count_literal(&mut self) -> Result<(), Problem> {
        self.literals += 1;
        if self.literals > MAX_LITERALS {
            self.given_up = true;
            return Err(blame::too_many(self.cursor.at(), MAX_LITERALS, "literals"));
        }
        Ok(())
    }
}

fn utf8(text: Text) -> Result<Name, Problem> {
    let span: Range<usize> = text.span;
    match String::from_utf8(text.bytes) {
        Ok(text) => Ok(Name { text, span }),
        Err(_) => Err(syntax(span, "the argument of a field has to be text in UTF-8", "")),
    }
}
