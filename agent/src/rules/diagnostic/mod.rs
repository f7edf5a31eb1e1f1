//! What is wrong with a rule file: for people with the line and a caret, for
//! programs in the form of Falco's validation output.

mod json;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

pub use self::json::json;
pub use self::text::{summary, text};

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of finding.
    pub code: Code,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it, in one sentence without a full stop.
    pub help: Option<String>,
    /// Where it is.
    pub place: Place,
    /// The items around it, the outermost first.
    pub items: Vec<Item>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// From 1; 0 if it is the file as a whole.
    pub line: usize,
    /// In characters, from 1; 0 if it is the line as a whole.
    pub column: usize,
    /// Bytes from the beginning of the file.
    pub offset: usize,
    /// Characters to underline on that line, at least 1.
    pub length: usize,
    /// The text of that line, or the part of it around the column if it is long.
    pub excerpt: String,
    /// The column of the excerpt's first character, from 1.
    pub excerpt_column: usize,
}

impl Place {
    /// A file as a whole.
    #[must_use]
    pub fn of_file(file: &Arc<str>) -> Self {
        Self {
            file: Arc::clone(file),
            line: 0,
            column: 0,
            offset: 0,
            length: 1,
            excerpt: String::new(),
            excerpt_column: 1,
        }
    }
}

/// What was found in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// In the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

impl FileReport {
    /// The findings of a severity.
    pub fn with(&self, severity: Severity) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(move |one| one.code.severity() == severity)
    }

    /// True if there is an error.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.with(Severity::Error).next().is_some()
    }
}

/// An item of a rule file that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Such as `rule`, `macro`, `list`, `condition`.
    pub kind: &'static str,
    /// Its name, if it has one.
    pub name: String,
    /// Where it begins.
    pub place: Place,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file loads all the same.
    Warning,
    /// The file does not load.
    Error,
}

/// Declares the codes once: variant, severity, name in Falco's output, description.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident $severity:ident $name:literal $description:literal;)*) => {
        /// Kinds of findings. The names are Falco's where Falco has one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* #[doc = $description] $code,)* }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            /// Such as `LOAD_ERR_YAML_PARSE`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name),* }
            }

            /// What it stands for, a few words.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$code => $description),* }
            }

            /// How bad it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity),* }
            }
        }
    };
}

codes! {
    FileRead Error "LOAD_ERR_FILE_READ" "the file cannot be read";
    YamlParse Error "LOAD_ERR_YAML_PARSE" "the file is not YAML";
    YamlValidate Error "LOAD_ERR_YAML_VALIDATE" "an item does not have the form of one";
    CompileCondition Error "LOAD_ERR_COMPILE_CONDITION" "a condition cannot be compiled";
    CompileOutput Error "LOAD_ERR_COMPILE_OUTPUT" "an output cannot be compiled";
    Validate Error "LOAD_ERR_VALIDATE" "an item asks for what is not there";
    Extension Error "LOAD_ERR_EXTENSION" "an extension cannot be read";
    UnknownSource Warning "LOAD_UNKNOWN_SOURCE" "no such source of events, the rule is skipped";
    UnsafeNaCheck Warning "LOAD_UNSAFE_NA_CHECK" "a missing value defeats the comparison";
    NoEvtType Warning "LOAD_NO_EVTTYPE" "the condition matches nearly every type of event";
    UnknownFilter Warning "LOAD_UNKNOWN_FILTER" "an unknown field or event, the rule is skipped";
    UnusedMacro Warning "LOAD_UNUSED_MACRO" "no rule uses the macro";
    UnusedList Warning "LOAD_UNUSED_LIST" "nothing uses the list";
    UnknownItem Warning "LOAD_UNKNOWN_ITEM" "the kind of item is not known";
    DeprecatedItem Warning "LOAD_DEPRECATED_ITEM" "the form is on its way out";
    AppendNoValues Warning "LOAD_APPEND_NO_VALUES" "the appended exception has no values";
    ExceptionNameNotUnique Warning "LOAD_EXCEPTION_NAME_NOT_UNIQUE" "two exceptions share a name";
    InvalidMacroName Warning "LOAD_INVALID_MACRO_NAME" "a condition cannot name such a macro";
    InvalidListName Warning "LOAD_INVALID_LIST_NAME" "a condition cannot name such a list";
    ConditionWarning Warning "LOAD_COMPILE_CONDITION" "the condition compiles, but may not mean what it says";
    UnknownKey Warning "LOAD_UNKNOWN_KEY" "the key is not known";
    /// Landlord's own.
    Shadowed Warning "LANDLORD_SHADOWED_RULE" "an earlier rule always matches first";
    /// Landlord's own.
    NeverMatches Warning "LANDLORD_NEVER_MATCHES" "the condition can never hold";
}

/// What is wrong with a condition or an output, by its place in that text. The
/// loader, which knows where the text stands, makes a [`Diagnostic`] of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the text that it is about.
    pub span: std::ops::Range<usize>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What was expected or what to do, in one sentence without a full stop.
    pub help: Option<String>,
    /// Whether `skip-if-unknown-filter` forgives it.
    pub kind: ProblemKind,
}

/// Kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The text is not a condition or an output.
    Syntax,
    /// It names a field, an argument or an event that does not exist.
    UnknownName,
    /// It compares what cannot be compared.
    Type,
}
