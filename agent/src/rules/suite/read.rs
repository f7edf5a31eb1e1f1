//! Test files → [`Suite`].

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::event::{self, Fields};
use super::{Case, Expected, ExpectedAlert, Suite};
use crate::rules::diagnostic::{Code, Diagnostic, FileReport, Item};
use crate::rules::json_event::JsonEvent;
use crate::rules::load::SourceFile;
use crate::rules::load::source::Source;
use crate::rules::load::yaml::{Node, Value, documents};
use crate::rules::similar::similar;

/// Kinds of items, each the key of its name.
const KINDS: [&str; 4] = ["event", "host", "rule", "test"];

/// Reads test files. Templates of events hold for all files that come after.
///
/// # Errors
///
/// A report for each file, if one of them has a mistake: all of them are told.
pub fn read(files: Vec<SourceFile>) -> Result<Suite, Vec<FileReport>> {
    let mut suite = Suite::default();
    let mut templates = HashMap::new();
    let mut reports = Vec::new();
    for SourceFile { name, text } in files {
        let mut report = FileReport { file: Arc::clone(&name), diagnostics: Vec::new() };
        match text {
            Ok(text) => {
                let source = Source::new(name, text);
                let mut reader = Reader {
                    source: &source,
                    diagnostics: &mut report.diagnostics,
                    templates: &mut templates,
                    around: None,
                };
                reader.file(&mut suite);
            }
            Err(message) => report.diagnostics.push(Diagnostic {
                code: Code::FileRead,
                message,
                help: None,
                place: Source::new(name, String::new()).whole(),
                items: Vec::new(),
            }),
        }
        reports.push(report);
    }
    if reports.iter().any(FileReport::failed) { Err(reports) } else { Ok(suite) }
}

/// A mistake that has been told.
#[derive(Debug)]
pub(super) struct Told;

/// Reads one file.
pub(super) struct Reader<'a> {
    source: &'a Source,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// Fields of the templates of events, by name.
    templates: &'a mut HashMap<String, Fields>,
    /// The item that is read.
    around: Option<Item>,
}

/// What stands beside the fields of an event.
#[derive(Default)]
struct Beside {
    title: String,
    output: Option<String>,
    fields: Fields,
    behind: Option<Arc<str>>,
}

impl Reader<'_> {
    /// Notes a mistake.
    pub(super) fn wrong(
        &mut self,
        node: &Node,
        message: impl Into<String>,
        help: Option<impl Into<String>>,
    ) -> Told {
        self.diagnostics.push(Diagnostic {
            code: Code::YamlValidate,
            message: message.into(),
            help: help.map(Into::into),
            place: self.source.place(&node.range),
            items: self.around.iter().cloned().collect(),
        });
        Told
    }

    /// A text where one is expected.
    pub(super) fn text(&mut self, node: &Node, what: &str) -> Result<String, Told> {
        match &node.value {
            Value::Scalar(text, _) => Ok(text.to_string()),
            other => {
                let message = format!("{what} is expected, not {}", other.name());
                Err(self.wrong(node, message, None::<String>))
            }
        }
    }

    fn file(&mut self, suite: &mut Suite) {
        let source = self.source;
        let (documents, failure) = documents(source.text());
        for document in documents {
            // Each mistake has been told; the other items are read all the same.
            match &document.value {
                Value::Null => {}
                Value::Sequence(items) => {
                    for item in items {
                        self.around = None;
                        self.item(item, suite).ok();
                    }
                }
                other => {
                    let message = format!("a test file is a list of items, not {}", other.name());
                    let help = Some("items look like `- rule: NAME` and `- event: NAME`");
                    self.wrong(&document, message, help);
                }
            }
        }
        if let Some(failure) = failure {
            self.diagnostics.push(Diagnostic {
                code: Code::YamlParse,
                message: failure.message,
                help: failure.help.map(str::to_owned),
                place: source.place(&failure.range),
                items: Vec::new(),
            });
        }
    }

    fn item(&mut self, node: &Node, suite: &mut Suite) -> Result<(), Told> {
        let entries = self.mapping(node, "an item")?;
        let kind = KINDS.into_iter().find_map(|kind| {
            let named = |key: &Node| matches!(&key.value, Value::Scalar(key, _) if **key == *kind);
            entries.iter().find(|(key, _)| named(key)).map(|(_, name)| (kind, name))
        });
        let Some((kind, name)) = kind else {
            let help = Some("an item begins with `rule:`, `test:`, `event:` or `host:` and a name");
            return Err(self.wrong(node, "it is not clear what this item is", help));
        };
        let name_text = self.text(name, "a name")?;
        let place = self.source.place(&name.range);
        self.around = Some(Item { kind, name: name_text.clone(), place });
        match kind {
            "event" => self.template(&name_text, name, entries),
            "host" => self.host(name_text, node, entries, suite),
            "rule" => self.rule(&name_text.into(), node, entries, suite),
            _ => self.test(name_text, node, entries, suite),
        }
    }

    fn template(&mut self, name: &str, at: &Node, entries: &Entries) -> Result<(), Told> {
        let (fields, beside) = self.event(entries, &["event"])?;
        if beside.output.is_some() || beside.behind.is_some() || !beside.fields.is_empty() {
            return Err(self.wrong(at, "a template expects no alert", None::<String>));
        }
        if self.templates.insert(name.to_owned(), fields).is_some() {
            let message = format!("there is a template `{name}` already");
            return Err(self.wrong(at, message, None::<String>));
        }
        Ok(())
    }

    fn host(
        &mut self,
        name: String,
        node: &Node,
        entries: &Entries,
        suite: &mut Suite,
    ) -> Result<(), Told> {
        let mut addresses = Vec::new();
        for (key, value) in entries {
            match self.text(key, "a key")?.as_str() {
                "host" => {}
                "addresses" => {
                    for address in self.sequence(value, "the addresses")? {
                        let text = self.text(address, "an address")?;
                        let parsed = text.parse().map_err(|_| {
                            let message = format!("`{text}` is not an IP address");
                            self.wrong(address, message, None::<String>)
                        });
                        addresses.push(parsed?);
                    }
                }
                other => return Err(self.unknown_key(key, other, &["host", "addresses"])),
            }
        }
        if addresses.is_empty() {
            let help = Some("list them under `addresses:`");
            return Err(self.wrong(node, "the host has no addresses", help));
        }
        suite.hosts.push((name, addresses));
        Ok(())
    }

    fn rule(
        &mut self,
        rule: &Arc<str>,
        node: &Node,
        entries: &Entries,
        suite: &mut Suite,
    ) -> Result<(), Told> {
        let mut cases = 0;
        for (key, value) in entries {
            let fires = match self.text(key, "a key")?.as_str() {
                "rule" => continue,
                "fires" => true,
                "silent" => false,
                other => return Err(self.unknown_key(key, other, &["rule", "fires", "silent"])),
            };
            for event in self.sequence(value, "the events")? {
                cases += 1;
                self.single(rule, fires, event, suite).ok();
            }
        }
        if cases == 0 {
            let help = Some("list events that fire it under `fires:`, others under `silent:`");
            return Err(self.wrong(node, "the rule has no tests", help));
        }
        Ok(())
    }

    /// A test of one rule with one event.
    fn single(
        &mut self,
        rule: &Arc<str>,
        fires: bool,
        node: &Node,
        suite: &mut Suite,
    ) -> Result<(), Told> {
        let entries = self.mapping(node, "an event")?;
        let (fields, beside) = self.event(entries, &[])?;
        let event = self.json_event(node, fields)?;
        let Beside { title, output, fields, behind } = beside;
        let expected = if fires {
            let alert = ExpectedAlert { rule: Arc::clone(rule), output, fields };
            Expected::Fires { alert, behind }
        } else if output.is_some() || behind.is_some() || !fields.is_empty() {
            let message = "an event under `silent:` expects no alert";
            return Err(self.wrong(node, message, None::<String>));
        } else {
            Expected::Silent { rule: Arc::clone(rule) }
        };
        let place = self.source.place(&node.range);
        suite.cases.push(Case { title, place, events: vec![event], expected });
        Ok(())
    }

    /// A test of several events.
    fn test(
        &mut self,
        title: String,
        node: &Node,
        entries: &Entries,
        suite: &mut Suite,
    ) -> Result<(), Told> {
        let mut events = None;
        let mut alerts = None;
        let mut all = false;
        for (key, value) in entries {
            match self.text(key, "a key")?.as_str() {
                "test" => {}
                "events" => events = Some(self.events(value)?),
                "alerts" => alerts = Some(self.alerts(value)?),
                "match" => {
                    all = match self.text(value, "`first` or `all`")?.as_str() {
                        "first" => false,
                        "all" => true,
                        _ => {
                            return Err(self.wrong(
                                value,
                                "`match` is `first` or `all`",
                                None::<String>,
                            ));
                        }
                    }
                }
                other => {
                    return Err(self.unknown_key(
                        key,
                        other,
                        &["test", "events", "alerts", "match"],
                    ));
                }
            }
        }
        let (Some(events), Some(alerts)) = (events, alerts) else {
            let help = Some("`alerts: []` expects none");
            return Err(self.wrong(node, "a test has `events:` and `alerts:`", help));
        };
        let place = self.source.place(&node.range);
        suite.cases.push(Case { title, place, events, expected: Expected::Alerts { alerts, all } });
        Ok(())
    }

    fn events(&mut self, node: &Node) -> Result<Vec<JsonEvent>, Told> {
        let mut events = Vec::new();
        for node in self.sequence(node, "the events")? {
            let entries = self.mapping(node, "an event")?;
            let (fields, _) = self.event(entries, &[])?;
            events.push(self.json_event(node, fields)?);
        }
        Ok(events)
    }

    fn alerts(&mut self, node: &Node) -> Result<Vec<ExpectedAlert>, Told> {
        let mut alerts = Vec::new();
        for node in self.sequence(node, "the alerts")? {
            let Value::Mapping(entries) = &node.value else {
                let rule = self.text(node, "the name of a rule")?.into();
                alerts.push(ExpectedAlert { rule, output: None, fields: Fields::new() });
                continue;
            };
            let mut rule = None;
            let mut output = None;
            let mut fields = Fields::new();
            for (key, value) in entries {
                match self.text(key, "a key")?.as_str() {
                    "rule" => rule = Some(self.text(value, "the name of a rule")?),
                    "output" => output = Some(self.text(value, "a text")?),
                    "fields" => fields = self.output_fields(value)?,
                    other => {
                        return Err(self.unknown_key(key, other, &["rule", "output", "fields"]));
                    }
                }
            }
            let Some(rule) = rule else {
                return Err(self.wrong(node, "an alert has a `rule:`", None::<String>));
            };
            alerts.push(ExpectedAlert { rule: rule.into(), output, fields });
        }
        Ok(alerts)
    }

    /// The fields of an event, those of its template among them, and what the
    /// entries say beside.
    fn event(&mut self, entries: &Entries, known: &[&str]) -> Result<(Fields, Beside), Told> {
        const BESIDE: [&str; 5] = ["like", "case", "output", "fields", "behind"];
        let mut fields = Fields::new();
        let mut beside = Beside::default();
        let mut template = None;
        for (key, value) in entries {
            let name = self.text(key, "the name of a field")?;
            match name.as_str() {
                "like" => template = Some(self.named_template(value)?),
                "case" => beside.title = self.text(value, "a text")?,
                "output" => beside.output = Some(self.text(value, "a text")?),
                "fields" => beside.fields = self.output_fields(value)?,
                "behind" => beside.behind = Some(self.text(value, "the name of a rule")?.into()),
                other if known.contains(&other) => {}
                other if !other.contains('.') => return Err(self.unknown_key(key, other, &BESIDE)),
                other => event::field(key, other, value, self, &mut fields)?,
            }
        }
        if let Some(mut template) = template {
            template.append(&mut fields);
            fields = template;
        }
        Ok((fields, beside))
    }

    fn output_fields(&mut self, node: &Node) -> Result<Fields, Told> {
        let mut fields = Fields::new();
        for (key, value) in self.mapping(node, "fields")? {
            let name = self.text(key, "the name of a field")?;
            event::field(key, &name, value, self, &mut fields)?;
        }
        Ok(fields)
    }

    fn named_template(&mut self, node: &Node) -> Result<Fields, Told> {
        let name = self.text(node, "the name of a template")?;
        if let Some(fields) = self.templates.get(&name) {
            return Ok(fields.clone());
        }
        let near = similar(&name, self.templates.keys().map(String::as_str)).map(str::to_owned);
        let help = near.map_or_else(
            || format!("define it before with `- event: {name}`"),
            |near| format!("did you mean `{near}`?"),
        );
        Err(self.wrong(node, format!("there is no template `{name}`"), Some(help)))
    }

    fn json_event(&mut self, node: &Node, fields: Fields) -> Result<JsonEvent, Told> {
        let object = Json::Object(fields.into_iter().collect());
        JsonEvent::from_value(&object)
            .map_err(|error| self.wrong(node, error.to_string(), None::<String>))
    }

    fn unknown_key(&mut self, key: &Node, name: &str, known: &[&'static str]) -> Told {
        let help = match similar(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are `{}`", known.join("`, `")),
        };
        self.wrong(key, format!("`{name}` is not a key here"), Some(help))
    }

    fn mapping<'n>(&mut self, node: &'n Node, what: &str) -> Result<&'n Entries, Told> {
        match &node.value {
            Value::Mapping(entries) => Ok(entries),
            other => {
                let message = format!("{what}: a mapping is expected, not {}", other.name());
                Err(self.wrong(node, message, None::<String>))
            }
        }
    }

    fn sequence<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
    ) -> Result<&'n [std::rc::Rc<Node>], Told> {
        match &node.value {
            Value::Sequence(elements) => Ok(elements),
            Value::Null => Ok(&[]),
            other => {
                let message = format!("{what}: a list is expected, not {}", other.name());
                Err(self.wrong(node, message, None::<String>))
            }
        }
    }
}

type Entries = Vec<(std::rc::Rc<Node>, std::rc::Rc<Node>)>;
