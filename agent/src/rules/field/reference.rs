//! The table of fields for people and for programs: `docs/fields.md` and
//! `landlord rules fields`.

use std::fmt::Write as _;

use serde::Serialize;

use super::{ArgumentSpec, FieldId, FieldSpec, Flag, Needs, Shape};
use crate::rules::value::Kind;

/// What the reference says of a field.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Its name with what may stand in its brackets, such as `proc.aname[N]`.
    pub form: Form,
    /// Type of its values.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// How many it has.
    pub values: Shape,
    /// What the agent has to know.
    pub needs: Needs,
    /// Oldest kernel that tells it.
    pub min_kernel: &'static str,
    /// What is special about it.
    pub flags: &'static [Flag],
    /// What it means.
    pub description: &'static str,
}

/// A field's name as it is written, with a placeholder for its argument.
#[derive(Clone, Copy, Debug)]
pub struct Form(&'static FieldSpec);

impl std::fmt::Display for Form {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.0.name)?;
        out.write_str(match self.0.argument {
            ArgumentSpec::None => "",
            ArgumentSpec::OptionalIndex | ArgumentSpec::Index => "[N]",
            ArgumentSpec::OptionalKey | ArgumentSpec::Key => "[KEY]",
            ArgumentSpec::Param => ".NAME",
        })
    }
}

impl Serialize for Form {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Every field, sorted by name.
pub fn entries() -> impl Iterator<Item = Entry> {
    FieldId::ALL.iter().map(|id| {
        let spec = id.spec();
        Entry {
            name: spec.name,
            form: Form(spec),
            kind: spec.kind,
            values: spec.shape,
            needs: spec.needs,
            min_kernel: spec.min_kernel,
            flags: spec.flags,
            description: spec.description,
        }
    })
}

const INTRODUCTION: &str = "\
# Fields

<!-- Made by `landlord docs fields`; a test fails when it is not current. -->

What conditions and outputs of rules can ask of an event, by the names that Falco gives them;
`tenant.…` and `net.…` are Landlord's own. `landlord rules fields` prints the same table.

- **`[N]`** and **`[KEY]`**: a number or a key in brackets; `?` after them means that it may be
  left out. A field whose row says *dotted* takes its key after a dot too.
- **type**: an *either end* field has the values of both ends of a connection: `!=` asks that both
  differ, any other test that one passes. An *ancestors* field has those of all ancestors of the
  process, of which one has to pass. A *list* has any number of values.
- **needs**: what the agent has to know to tell it. A field that is *not available* never has a
  value; it is known so that rule files which name it load.
- **kernel**: the oldest that tells it.

A field without a value makes every test of it false, `!=` too; outputs show `<NA>`, and `null`
in JSON.
";

/// The page `docs/fields.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut class = "";
    for entry in entries() {
        let next = entry.class();
        if next != class {
            class = next;
            page += &format!(
                "\n## {class}\n\n| field | type | needs | kernel | meaning |\n|---|---|---|---|---|\n"
            );
        }
        let optional = match entry.argument() {
            ArgumentSpec::OptionalIndex | ArgumentSpec::OptionalKey => "?",
            ArgumentSpec::None | ArgumentSpec::Index | ArgumentSpec::Key | ArgumentSpec::Param => {
                ""
            }
        };
        let row = writeln!(
            page,
            "| `{}`{optional} | {} | {} | {} | {}{} |",
            entry.form,
            entry.type_name(),
            entry.needs.name(),
            entry.min_kernel,
            entry.description,
            entry.notes(),
        );
        debug_assert!(row.is_ok(), "writing to a string does not fail");
    }
    page
}

impl Entry {
    /// The first part of its name.
    #[must_use]
    pub fn class(&self) -> &'static str {
        self.form.0.class()
    }

    const fn argument(&self) -> ArgumentSpec {
        self.form.0.argument
    }

    /// Type and number of its values in words.
    #[must_use]
    pub fn type_name(&self) -> String {
        let kind = match self.kind {
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Uint => "uint",
            Kind::Double => "double",
            Kind::Text => "text",
            Kind::Bytes => "bytes",
            Kind::Ip => "IP",
            Kind::Net => "IP or network",
            Kind::Port => "port",
            Kind::Duration => "ns",
            Kind::Time => "time (ns)",
        };
        let number = match self.values {
            Shape::One => "",
            Shape::Ends => ", either end",
            Shape::Ancestors => ", ancestors",
            Shape::List => ", list",
        };
        format!("{kind}{number}")
    }

    /// What is special about it, for its row.
    fn notes(&self) -> String {
        let mut notes = String::new();
        for flag in self.flags {
            notes += match flag {
                Flag::ConditionOnly => " *Conditions only.*",
                Flag::OutputOnly => " *Outputs only.*",
                Flag::Deprecated => " *Deprecated.*",
                Flag::Dotted if self.argument() != ArgumentSpec::Param => " *Dotted.*",
                Flag::Clock
                | Flag::Dotted
                | Flag::Hex
                | Flag::HostName
                | Flag::NoRightSide
                | Flag::NoTransformer
                | Flag::Padded
                | Flag::Suggested => "",
            };
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::{entries, markdown};

    #[test]
    fn committed_page_is_current() {
        let committed = include_str!("../../../../docs/fields.md");
        assert!(markdown() == committed, "make it anew: cargo run -- docs fields > docs/fields.md");
    }

    #[test]
    fn rows_stay_one_row() {
        for line in markdown().lines().filter(|line| line.starts_with("| `")) {
            assert_eq!(line.matches(" | ").count(), 4, "{line}");
        }
    }

    #[test]
    fn entries_as_json() {
        let entry = entries().find(|entry| entry.name == "proc.aname").unwrap();
        assert_eq!(
            serde_json::to_value(entry).unwrap(),
            serde_json::json!({
                "name": "proc.aname", "form": "proc.aname[N]", "type": "text",
                "values": "ancestors", "needs": "process_table", "min_kernel": "5.10",
                "flags": ["no_right_side", "no_transformer"],
                "description": entry.description,
            })
        );
        assert_eq!(
            entries().map(|entry| entry.form.to_string()).next().unwrap(),
            "container.cni.json"
        );
    }
}
