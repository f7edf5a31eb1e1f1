//! Findings for programs, in the form of Falco's validation output.

use serde_json::{Value, json};

use super::{Code, Diagnostic, FileReport, Item, Place, Severity};

/// What was found in all files: an object with the key `falco_load_results`.
///
/// As with Falco lines, columns and offsets count from 0.
#[must_use]
pub fn json(reports: &[FileReport]) -> Value {
    json!({ "falco_load_results": reports.iter().map(result).collect::<Vec<_>>() })
}

fn result(report: &FileReport) -> Value {
    let all = |severity| report.with(severity).map(entry).collect::<Vec<_>>();
    // What concerns the form of the file and not what it says.
    let of_form = |one: &&Diagnostic| {
        matches!(
            one.code,
            Code::FileRead
                | Code::YamlParse
                | Code::YamlValidate
                | Code::UnknownKey
                | Code::UnknownItem
        )
    };
    let form = report.diagnostics.iter().filter(of_form);
    let schema_warnings: Vec<String> =
        form.map(|one| format!("line {}: {}", one.place.line, one.message)).collect();
    json!({
        "name": &*report.file,
        "successful": !report.failed(),
        "schema_valid": schema_warnings.is_empty(),
        "schema_warnings": schema_warnings,
        "errors": all(Severity::Error),
        "warnings": all(Severity::Warning),
    })
}

fn entry(diagnostic: &Diagnostic) -> Value {
    let Diagnostic { code, message, help, place, items } = diagnostic;
    let mut locations = vec![location("rules content", "", &Place::of_file(&place.file))];
    locations.extend(items.iter().map(|Item { kind, name, place }| location(kind, name, place)));
    if items.last().is_none_or(|last| last.place != *place) && place.line > 0 {
        let kind = match items.last().map(|last| last.kind) {
            Some("rule condition" | "macro condition") => "condition expression",
            Some("rule output") => "rule output expression",
            _ => "value for",
        };
        locations.push(location(kind, "", place));
    }
    let message = match help {
        Some(help) => format!("{message}; {help}"),
        None => message.clone(),
    };
    json!({
        "code": code.name(),
        "codedesc": code.description(),
        "message": message,
        "context": { "locations": locations, "snippet": snippet(place) },
    })
}

fn location(kind: &str, name: &str, place: &Place) -> Value {
    json!({
        "item_type": kind,
        "item_name": name,
        "position": {
            "name": &*place.file,
            "line": place.line.saturating_sub(1),
            "column": place.column.saturating_sub(1),
            "offset": place.offset,
        },
    })
}

/// The line, and below it a caret.
fn snippet(place: &Place) -> String {
    if place.line == 0 {
        return String::new();
    }
    let before = place.column.saturating_sub(place.excerpt_column);
    format!("{}\n{:before$}^\n", place.excerpt, "")
}
