//! Rule files → rules in force.
//!
//! What stands in the files passes through, in this order:
//!
//! - `files`: paths → texts, in the order in which they take effect.
//! - `yaml`: a text → nodes that know their place; `origin` finds the way from
//!   inside of a node's text back to the file.
//! - `decode`: a node → an item of the file, its form checked.
//! - `collect`: items, in order → lists, macros and rules after every append,
//!   replacement and toggle.
//! - `resolve`: texts of conditions → conditions, lists and macros put in.
//! - `analysis`: which rules can never fire.
//!
//! Falco stops at the first error; here every item of every file is read, so that
//! all errors are told at once. What follows only from another error is not told.
//! A load that has errors is not to be used: its rules are those that were good.

mod analysis;
mod collect;
mod composed;
mod decode;
mod exception;
mod files;
mod findings;
mod item;
mod keys;
mod origin;
mod resolve;
pub(in crate::rules) mod source;
mod version;
pub(in crate::rules) mod yaml;

use std::sync::Arc;

use self::collect::Collection;
pub use self::files::read;
use self::findings::Findings;
pub use self::version::{ENGINE_VERSION, PLUGINS};
use super::diagnostic::{Code, FileReport, Place};
use super::rule::{Matching, Priority, Rule};

/// Sources of events whose rules are loaded; those of others are skipped.
pub const SOURCES: &[&str] = &["syscall"];

/// Bytes of a file; more are refused.
pub const MAX_FILE: usize = 32 << 20;
/// Bytes of all files together; more are refused.
pub const MAX_TOTAL: usize = 64 << 20;

/// A rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// As the user named it.
    pub name: Arc<str>,
    /// What it says, or why that is not known: one sentence without a full stop.
    pub text: Result<String, String>,
}

impl SourceFile {
    /// A file that was read.
    #[must_use]
    pub fn new(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: Ok(text.into()) }
    }
}

/// What a load depends on beside the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Rules that are less urgent are not in force.
    pub minimum_priority: Priority,
    /// Which of several matching rules fire: it decides what shadows a rule.
    pub matching: Matching,
}

impl Default for Options {
    /// Every priority, first match.
    fn default() -> Self {
        Self { minimum_priority: Priority::Debug, matching: Matching::First }
    }
}

/// What came out of a load.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The rules, in the order in which they are tried; also those that are not in
    /// force.
    pub rules: Vec<Rule>,
    /// The macros, in the order of the files.
    pub macros: Vec<Macro>,
    /// The lists, in the order of the files.
    pub lists: Vec<List>,
    /// One for each file, in the order of the files.
    pub reports: Vec<FileReport>,
}

impl Loaded {
    /// True if a file has an error.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.reports.iter().any(FileReport::failed)
    }
}

/// A macro after every override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Macro {
    /// Its name.
    pub name: Arc<str>,
    /// Its condition as written.
    pub condition_text: String,
    /// Where it is defined.
    pub place: Place,
}

/// A list after every override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its name.
    pub name: Arc<str>,
    /// Its items, those of lists among them put in.
    pub items: Vec<String>,
    /// Where it is defined.
    pub place: Place,
}

/// Reads rule files, of which later ones change what earlier ones define.
#[must_use]
pub fn load(files: Vec<SourceFile>, options: &Options) -> Loaded {
    let (mut findings, complete) = open(files);
    let mut collection = Collection::default();
    collection.complete = complete;
    for file in 0..findings.sources.len() {
        let text = Arc::clone(&findings.sources[file]);
        let (documents, failure) = yaml::documents(text.text());
        for document in documents {
            decode::document(file, &document, &mut findings, &mut |item, findings| {
                collection.take(item, findings);
            });
        }
        if let Some(failure) = failure {
            let spot = source::Spot::new(file, &failure.range);
            findings.add(Code::YamlParse, spot, &[], failure.message, failure.help);
            collection.complete = false;
        }
    }
    resolve::resolve(&collection, findings, options)
}

/// Refuses what cannot be read. Tells too whether all could.
fn open(files: Vec<SourceFile>) -> (Findings, bool) {
    let mut findings = Findings::default();
    let mut complete = true;
    let mut total = 0;
    for SourceFile { name, text } in files {
        let text = text.and_then(|text| {
            total += text.len();
            if text.len() > MAX_FILE || total > MAX_TOTAL {
                let most = if text.len() > MAX_FILE { MAX_FILE } else { MAX_TOTAL };
                return Err(format!("the rules are larger than {} MiB", most >> 20));
            }
            Ok(text)
        });
        match text {
            Ok(text) => findings.open(name, text),
            Err(why) => {
                findings.refuse(name, why);
                complete = false;
            }
        }
    }
    (findings, complete)
}

#[cfg(test)]
mod tests;
