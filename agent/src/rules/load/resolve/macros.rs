//! Macros: which sees which, and what each stands for.
//!
//! A macro that names no macro, or one that it cannot see, is an error even if no
//! rule uses it. That its fields are known is asked only where a rule uses it: so a
//! rule with `skip-if-unknown-filter` can be skipped for a macro of its.

use std::collections::{BTreeSet, VecDeque};

use super::condition::{Parsed, weight};
use super::{MAX_WEIGHT, Resolver};
use crate::rules::ast::{Expr, Name};
use crate::rules::bind::{self, Bound};
use crate::rules::diagnostic::{Code, Problem, ProblemKind};
use crate::rules::load::collect::Entry;
use crate::rules::load::composed::Composed;
use crate::rules::load::findings::Named;
use crate::rules::load::item::Kind;
use crate::rules::load::keys::did_you_mean;
use crate::rules::load::source::Spot;
use crate::rules::typed::Condition;

/// All macros, in the order of their definition.
#[derive(Default)]
pub(super) struct Macros {
    all: Vec<State>,
    /// Broken ones for which rules are skipped.
    forgiven: BTreeSet<usize>,
}

/// What is known of a macro.
#[derive(Clone)]
enum State {
    /// It is good: what it stands for, and the bytes that takes.
    Good(Condition, usize),
    /// What is wrong with it has been told, or follows from what has been.
    Told,
    /// It has problems, which are told if a rule uses it.
    Broken(Vec<(Spot, Problem)>),
    /// It uses these, which are broken.
    Uses(BTreeSet<usize>),
}

/// What became of a condition.
pub(super) enum Outcome {
    /// It is good.
    Good(Bound),
    /// It cannot be used: what is wrong with it itself, and which macros of it are
    /// broken. If there is neither, it has been told.
    Bad { problems: Vec<(Spot, Problem)>, broken: BTreeSet<usize> },
}

/// What a macro sees and names, as far as it could be read.
struct Draft {
    names: BTreeSet<usize>,
    readable: bool,
}

impl Macros {
    pub(super) fn resolve(resolver: &mut Resolver<'_>) -> Self {
        let entries = resolver.collection.macros.entries();
        let drafts: Vec<Draft> = entries.iter().map(|entry| resolver.draft(entry)).collect();
        let (order, looping) = sorted(&drafts);
        for at in looping {
            resolver.tell_loop(at, &drafts);
        }
        let mut macros = Self { all: vec![State::Told; entries.len()], forgiven: BTreeSet::new() };
        for at in order.into_iter().filter(|&at| drafts[at].readable) {
            let entry = &entries[at];
            let state = match resolver.macro_condition(entry, &macros) {
                Some(state) => state,
                None => State::Told,
            };
            macros.all[at] = state;
        }
        macros
    }

    /// Notes that a rule is skipped for these.
    pub(super) fn forgive(&mut self, broken: &BTreeSet<usize>) {
        self.forgiven.extend(broken);
    }

    /// Tells what is wrong with macros that a rule uses, once.
    pub(super) fn tell(&mut self, broken: &BTreeSet<usize>, resolver: &mut Resolver<'_>) {
        for &at in broken {
            self.tell_as(at, resolver, |_| Some(Code::CompileCondition));
        }
    }

    /// Warns of what is wrong with macros that no rule in force uses. Names that are
    /// not known matter only where a rule is skipped for them: a macro that nothing
    /// uses, or only rules of another source, may name the fields of that.
    pub(super) fn tell_unused(&mut self, resolver: &mut Resolver<'_>) {
        for at in 0..self.all.len() {
            let forgiven = self.forgiven.contains(&at);
            self.tell_as(at, resolver, |kind| match kind {
                ProblemKind::UnknownName => forgiven.then_some(Code::UnknownFilter),
                ProblemKind::Syntax | ProblemKind::Type => Some(Code::ConditionWarning),
            });
        }
    }

    fn tell_as(
        &mut self,
        at: usize,
        resolver: &mut Resolver<'_>,
        code: impl Fn(ProblemKind) -> Option<Code>,
    ) {
        let State::Broken(problems) = std::mem::replace(&mut self.all[at], State::Told) else {
            return;
        };
        let around = around(&resolver.collection.macros.entries()[at]);
        for (spot, problem) in problems {
            let Problem { message, help, kind, .. } = problem;
            if let Some(code) = code(kind) {
                resolver.findings.add(code, spot, &around, message, help);
            }
        }
    }

    /// True if a macro names something that is not known, and is good otherwise.
    pub(super) fn only_unknown(&self, at: usize) -> bool {
        match &self.all[at] {
            State::Broken(problems) => {
                problems.iter().all(|(_, problem)| problem.kind == ProblemKind::UnknownName)
            }
            State::Good(..) | State::Told | State::Uses(_) => false,
        }
    }
}

impl Resolver<'_> {
    /// Reads a macro for what it names.
    fn draft(&mut self, entry: &Entry<Composed>) -> Draft {
        let around = around(entry);
        let spot = entry.value.spot().unwrap_or(entry.named.spot);
        let Some(parsed) = self.parse(&entry.value, &around, spot) else {
            return Draft { names: BTreeSet::new(), readable: false };
        };
        let mut named = Vec::new();
        names(&parsed.expression, &mut named);
        let visible =
            named.iter().filter_map(|name| self.visible(&name.text, entry.visibility).ok());
        let names: BTreeSet<usize> = visible.collect();
        self.used.extend(&names);
        Draft { names, readable: true }
    }

    /// The macro of that name, if one can see it that was last changed then; or
    /// whether there is one at all.
    fn visible(&self, name: &str, visibility: usize) -> Result<usize, bool> {
        let table = &self.collection.macros;
        let at = table.position(name).ok_or(false)?;
        if table.entries()[at].index < visibility { Ok(at) } else { Err(true) }
    }

    fn macro_condition(&mut self, entry: &Entry<Composed>, macros: &Macros) -> Option<State> {
        let around = around(entry);
        let spot = entry.value.spot().unwrap_or(entry.named.spot);
        // It was told when it was first read.
        let parsed = self.try_parse(&entry.value, spot).ok()?;
        match self.bind(&entry.value, &parsed, entry.visibility, macros, &around, spot) {
            Outcome::Good(bound) => {
                self.warn(&entry.value, &parsed, &bound, &around, spot);
                let weight = weight(&bound.condition);
                self.weight += weight;
                Some(State::Good(bound.condition, weight))
            }
            Outcome::Bad { problems, broken } => {
                if !problems.is_empty() {
                    Some(State::Broken(problems))
                } else {
                    (!broken.is_empty()).then_some(State::Uses(broken))
                }
            }
        }
    }

    /// Tells what a condition's warnings are.
    pub(super) fn warn(
        &mut self,
        text: &Composed,
        parsed: &Parsed,
        bound: &Bound,
        around: &[Named],
        spot: Spot,
    ) {
        let spots: Vec<Spot> = {
            let locator = text.locator(&self.findings);
            let spans = bound.warnings.iter().map(|it| parsed.substituted.origin_span(&it.span));
            spans.map(|span| locator.locate(&span).unwrap_or(spot)).collect()
        };
        for (warning, spot) in bound.warnings.iter().zip(spots) {
            let (message, help) = (warning.message.clone(), warning.help.clone());
            self.findings.add(warning.code, spot, around, message, help);
        }
    }

    /// Binds a condition. Macros that it cannot see are told.
    pub(super) fn bind(
        &mut self,
        text: &Composed,
        parsed: &Parsed,
        visibility: usize,
        macros: &Macros,
        around: &[Named],
        spot: Spot,
    ) -> Outcome {
        let mut broken = BTreeSet::new();
        let mut undefined: Vec<Name> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut failed = false;
        let mut weight = self.weight;
        let this: &Self = self;
        let result = bind::condition(&parsed.expression, &mut |name| {
            let Ok(at) = this.visible(&name.text, visibility) else {
                undefined.push(name.clone());
                return Err(silent(name));
            };
            seen.insert(at);
            match &macros.all[at] {
                State::Good(condition, size) => {
                    weight += size;
                    if weight > MAX_WEIGHT {
                        return Err(too_large(name));
                    }
                    Ok(condition.clone())
                }
                State::Told => {
                    failed = true;
                    Err(silent(name))
                }
                State::Broken(_) => {
                    broken.insert(at);
                    Err(silent(name))
                }
                State::Uses(others) => {
                    broken.extend(others);
                    Err(silent(name))
                }
            }
        });
        self.used.extend(seen);
        match result {
            Ok(bound) => Outcome::Good(bound),
            Err(problems) => {
                let spans = undefined.iter().map(silent).collect();
                let spots = self.located(text, &parsed.substituted, spans, spot);
                for (name, (spot, _)) in undefined.iter().zip(spots) {
                    self.tell_undefined(name, spot, visibility, around);
                }
                let certain = |it: &Problem| !it.message.is_empty() && !parsed.uncertain;
                let problems = problems.into_iter().filter(certain).collect();
                let problems = self.located(text, &parsed.substituted, problems, spot);
                // Whether it would be good without what was told is not known.
                let told = failed || parsed.uncertain || !undefined.is_empty();
                let broken = if told { BTreeSet::new() } else { broken };
                Outcome::Bad { problems, broken }
            }
        }
    }

    fn tell_undefined(&mut self, name: &Name, spot: Spot, visibility: usize, around: &[Named]) {
        if !self.collection.complete || self.collection.is_broken(Kind::Macro, &name.text) {
            return;
        }
        let table = &self.collection.macros;
        self.used.extend(table.position(&name.text));
        let help = if let Some(later) = table.get(&name.text) {
            format!(
                "it is defined {}, and a macro has to be defined before a macro that uses it",
                self.findings.told(later.named.spot, spot)
            )
        } else if self.lists.items(&name.text).is_some() {
            format!("`{}` is a list; write `FIELD in ({})`", name.text, name.text)
        } else {
            let visible = table.entries().iter().filter(|entry| entry.index < visibility);
            did_you_mean(visible.map(|entry| &*entry.named.name), &name.text).unwrap_or_else(|| {
                "a field has a dot in its name, a macro has to be defined".into()
            })
        };
        let message = format!("there is no macro `{}`", name.text);
        self.findings.add(Code::Validate, spot, around, message, Some(help));
    }

    fn tell_loop(&mut self, at: usize, drafts: &[Draft]) {
        let entry = &self.collection.macros.entries()[at];
        let message = format!("the macro `{}` is made of itself", entry.named.name);
        let others: Vec<String> = drafts[at]
            .names
            .iter()
            .filter(|&&other| other != at && drafts[other].names.contains(&at))
            .map(|&other| format!("`{}`", self.collection.macros.entries()[other].named.name))
            .collect();
        let help = match others.as_slice() {
            [] => "do not use it in its own condition, directly or by other macros".to_owned(),
            others => format!("it uses {}, which uses it", others.join(", ")),
        };
        let spot = entry.value.spot().unwrap_or(entry.named.spot);
        self.findings.add(Code::Validate, spot, &around(entry), message, Some(help));
    }
}

/// The macro and its condition.
fn around(entry: &Entry<Composed>) -> Vec<Named> {
    let spot = entry.value.spot().unwrap_or(entry.named.spot);
    vec![entry.named.clone(), Named { kind: "macro condition", name: "".into(), spot }]
}

/// A problem that is told elsewhere.
fn silent(name: &Name) -> Problem {
    Problem { span: name.span.clone(), message: String::new(), help: None, kind: ProblemKind::Type }
}

fn too_large(name: &Name) -> Problem {
    let message = format!("with `{}` the conditions get too large", name.text);
    let help = Some("name fewer macros, or smaller ones".to_owned());
    Problem { span: name.span.clone(), message, help, kind: ProblemKind::Type }
}

/// The macros that an expression names. It is nested no deeper than the parser lets
/// it be.
pub(super) fn names<'a>(expression: &'a Expr, into: &mut Vec<&'a Name>) {
    match expression {
        Expr::And(all) | Expr::Or(all) => all.iter().for_each(|one| names(one, into)),
        Expr::Not(inner) => names(inner, into),
        Expr::Macro(name) => into.push(name),
        Expr::Check(_) => {}
    }
}

/// An order in which each macro comes after those that it names, and the macros that
/// are in no such order because they are made of themselves. Those that only name
/// such a macro are in neither.
fn sorted(drafts: &[Draft]) -> (Vec<usize>, Vec<usize>) {
    let mut order = Vec::with_capacity(drafts.len());
    let mut users = vec![Vec::new(); drafts.len()];
    let mut missing: Vec<usize> = drafts.iter().map(|draft| draft.names.len()).collect();
    for (at, draft) in drafts.iter().enumerate() {
        draft.names.iter().for_each(|&name| users[name].push(at));
    }
    let mut ready: VecDeque<usize> = (0..drafts.len()).filter(|&at| missing[at] == 0).collect();
    while let Some(at) = ready.pop_front() {
        order.push(at);
        for &user in &users[at] {
            missing[user] -= 1;
            if missing[user] == 0 {
                ready.push_back(user);
            }
        }
    }
    // Of the rest, those that nothing of the rest uses are in no loop.
    let mut in_rest: Vec<bool> = missing.iter().map(|&missing| missing > 0).collect();
    let mut uses: Vec<usize> =
        users.iter().map(|users| users.iter().filter(|&&user| in_rest[user]).count()).collect();
    let mut free: Vec<usize> =
        (0..drafts.len()).filter(|&at| in_rest[at] && uses[at] == 0).collect();
    while let Some(at) = free.pop() {
        in_rest[at] = false;
        for &name in &drafts[at].names {
            uses[name] -= 1;
            if in_rest[name] && uses[name] == 0 {
                free.push(name);
            }
        }
    }
    (order, (0..drafts.len()).filter(|&at| in_rest[at]).collect())
}

#[cfg(test)]
mod tests {
    use super::{Draft, sorted};

    #[test]
    fn loops() {
        let check = |names: &[&[usize]], order: &[usize], looping: &[usize]| {
            let drafts: Vec<Draft> = names
                .iter()
                .map(|names| Draft { names: names.iter().copied().collect(), readable: true })
                .collect();
            assert_eq!(sorted(&drafts), (order.to_vec(), looping.to_vec()), "{names:?}");
        };
        check(&[&[], &[0], &[0, 1]], &[0, 1, 2], &[]);
        check(&[&[1], &[]], &[1, 0], &[]);
        check(&[&[0]], &[], &[0]);
        // The third only uses the loop, the fourth is used by it.
        check(&[&[1, 3], &[0], &[1], &[]], &[3], &[0, 1]);
    }
}
