//! What was found so far, by file. It keeps places short until they are told.

use std::ops::Range;
use std::sync::Arc;

use super::source::{Source, Spot};
use crate::rules::diagnostic::{Code, Diagnostic, FileReport, Item, Severity};

/// Findings of a severity that are told of a file; the rest is counted.
const MOST: usize = 500;

/// The files and what was found in them.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The files, also those that could not be read.
    pub(super) sources: Vec<Arc<Source>>,
    found: Vec<Found>,
}

/// The findings of one file.
#[derive(Debug, Default)]
struct Found {
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

/// An item of a file that findings may be about.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// Such as `rule`.
    pub(super) kind: &'static str,
    /// Its name, if it has one.
    pub(super) name: Arc<str>,
    /// Where it begins.
    pub(super) spot: Spot,
}

impl Findings {
    pub(super) fn open(&mut self, name: Arc<str>, text: String) {
        self.sources.push(Arc::new(Source::new(name, text)));
        self.found.push(Found::default());
    }

    /// Keeps the place of a file that cannot be read.
    pub(super) fn refuse(&mut self, name: Arc<str>, why: String) {
        self.open(name, String::new());
        let file = self.sources.len() - 1;
        let place = self.sources[file].whole();
        let diagnostic =
            Diagnostic { code: Code::FileRead, message: why, help: None, place, items: vec![] };
        self.push(file, diagnostic);
    }

    /// Notes a finding. `around` are the items around it, the outermost first.
    pub(super) fn add(
        &mut self,
        code: Code,
        spot: Spot,
        around: &[Named],
        message: impl Into<String>,
        help: Option<impl Into<String>>,
    ) {
        let Some(source) = self.sources.get(spot.file) else { return };
        let place = source.place(&(spot.start..spot.end));
        let items = around.iter().map(|item| self.item(item)).collect();
        let help = help.map(Into::into);
        self.push(spot.file, Diagnostic { code, message: message.into(), help, place, items });
    }

    fn item(&self, named: &Named) -> Item {
        let Spot { file, start, end } = named.spot;
        Item {
            kind: named.kind,
            name: named.name.to_string(),
            place: self.sources[file].place(&(start..end)),
        }
    }

    fn push(&mut self, file: usize, diagnostic: Diagnostic) {
        let found = &mut self.found[file];
        let count = match diagnostic.code.severity() {
            Severity::Error => &mut found.errors,
            Severity::Warning => &mut found.warnings,
        };
        *count += 1;
        if *count <= MOST {
            found.diagnostics.push(diagnostic);
        }
    }

    /// Line of a spot, from 1, with its file if that is another one than `from`'s.
    pub(super) fn told(&self, spot: Spot, from: Spot) -> String {
        let source = &self.sources[spot.file];
        let line = source.place(&(spot.start..spot.end)).line;
        if spot.file == from.file {
            format!("in line {line}")
        } else {
            format!("in {}:{line}", source.name())
        }
    }

    /// The text of a file.
    pub(super) fn text(&self, file: usize) -> &str {
        self.sources.get(file).map_or("", |source| source.text())
    }

    /// The place of a spot.
    pub(super) fn place(&self, spot: Spot) -> crate::rules::diagnostic::Place {
        self.sources[spot.file].place(&(spot.start..spot.end))
    }

    /// One report for each file, its findings in the order of the file.
    pub(super) fn reports(self) -> Vec<FileReport> {
        let told = self.sources.iter().zip(self.found);
        told.map(|(source, mut found)| {
            let left_out = found.errors.saturating_sub(MOST) + found.warnings.saturating_sub(MOST);
            found.diagnostics.sort_by_key(|one| one.place.offset);
            if left_out > 0 {
                // It takes the severity of what it stands for.
                let code = if found.errors > MOST { Code::YamlValidate } else { Code::UnknownItem };
                let message = format!("there are {left_out} more findings, which are not shown");
                let help = Some("remedy these first".to_owned());
                let place = source.place(&Range { start: 0, end: 0 });
                found.diagnostics.push(Diagnostic { code, message, help, place, items: vec![] });
            }
            FileReport { file: Arc::clone(source.name()), diagnostics: found.diagnostics }
        })
        .collect()
    }
}
