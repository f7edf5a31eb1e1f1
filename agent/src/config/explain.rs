//! From what the libraries say about a wrong value to an error that points at it.

use figment::error::Kind as Cause;
use figment::value::Value;
use figment::{Figment, Metadata};

use crate::config::error::{ConfigError, closest, found, named};
use crate::config::file::Source;
use crate::config::keys::{KEYS, Key, Kind, dotted, is_secret, keys_below};
use crate::config::sinks::SinkProblem;
use crate::config::yaml::Place;
use crate::identity::tenant::{LabelProblem, TenantRuleError};

/// Name of the layer that has lines to point at.
pub(super) const FILE_LAYER: &str = "file";

/// Why the layers do not have the shape of a configuration.
pub(super) fn explain(
    error: &figment::Error,
    source: Option<&Source>,
    layers: &Figment,
) -> ConfigError {
    let path = error.path.as_slice();
    let origin = Origin { source, layer: error.metadata.as_ref() };
    match &error.kind {
        Cause::UnknownField(name, _) => {
            let above = path.split_last().map_or(path, |(_, above)| above);
            origin.key(path, &unknown_key(name, above)).help(meant(name, above))
        }
        Cause::MissingField(name) => {
            let problem = format!("{} has no `{name}`", subject(path));
            let expected = keys_at(path, name).map(|key| key.kind.expectation());
            origin.value(path, &problem).help(expected.map(|text| format!("expected {text}")))
        }
        cause => match Key::at(path) {
            Some(key) => wrong_value(key, path, &origin, layers),
            None => {
                let below = keys_below(path);
                let problem = if may_be_secret(path) {
                    format!("{}: expected a text, found another value", subject(path))
                } else if below.is_empty() {
                    cause.to_string()
                } else {
                    let found = origin.found(path, layers);
                    format!("{}: expected {}, found {found}", subject(path), mapping_of(&below))
                };
                origin.value(path, &problem)
            }
        },
    }
}

/// A value of the right type that its key does not admit. `path`: with list indices.
pub(super) fn out_of_bounds(
    key: &Key,
    path: &[String],
    source: Option<&Source>,
    layers: &Figment,
) -> ConfigError {
    // A list is from one layer as a whole.
    let layer = key.name.split("[]").next().unwrap_or(key.name);
    let origin = Origin { source, layer: layers.find_metadata(layer) };
    wrong_value(key, path, &origin, layers)
}

/// A tenant rule that cannot be used.
pub(super) fn wrong_rule(
    error: &TenantRuleError,
    source: Option<&Source>,
    layers: &Figment,
) -> ConfigError {
    let mut path = vec!["tenants".to_owned(), error.index.to_string()];
    path.extend(error.part.keys().iter().map(|key| (*key).to_owned()));
    let origin = Origin { source, layer: layers.find_metadata("tenants") };
    let problem = format!("{}: {}", subject(&path), error.problem);
    let help = error.problem.choices().map(|(name, known)| {
        let meant = closest(name, known.iter().copied());
        meant.map_or_else(|| one_of(&known), |word| format!("did you mean `{word}`?"))
    });
    origin.value(&path, &problem).help(help)
}

/// A sink that cannot be used.
pub(super) fn wrong_sink(
    problem: &SinkProblem,
    source: Option<&Source>,
    layers: &Figment,
) -> ConfigError {
    let path = &problem.path;
    let is_of_list = path.first().is_some_and(|first| first == "sinks");
    let layer = if is_of_list { "sinks".to_owned() } else { path.join(".") };
    let origin = Origin { source, layer: layers.find_metadata(&layer) };
    let found = origin.found(path, layers);
    origin.value(path, &format!("{}: expected {}, found {found}", subject(path), problem.expected))
}

/// An element of `tenant_labels` that is no key.
pub(super) fn wrong_label(index: usize, source: Option<&Source>, layers: &Figment) -> ConfigError {
    let path = ["tenant_labels".to_owned(), index.to_string()];
    let origin = Origin { source, layer: layers.find_metadata("tenant_labels") };
    let found = origin.found(&path, layers);
    origin.value(&path, &format!("`tenant_labels`: {found} is {}", LabelProblem::Key))
}

fn wrong_value(key: &Key, path: &[String], origin: &Origin<'_>, layers: &Figment) -> ConfigError {
    let value = origin.get(path, layers);
    let found = origin.found(path, layers);
    let problem = format!("{}: expected {}, found {found}", subject(path), key.kind.expectation());
    let help = match (&key.kind, &value) {
        (Kind::Duration(..), Some(Value::Num(..))) => {
            Some(format!("did you mean `{}s`?", found.replace('`', "")))
        }
        (kind, Some(Value::String(_, text))) if kind.read(text).as_str().is_none() => {
            Some("write it without quotes".to_owned())
        }
        (kind, Some(Value::String(_, text))) => {
            closest(text, kind.words()).map(|word| format!("did you mean `{word}`?"))
        }
        _ => None,
    };
    origin.value(path, &problem).help(help)
}

/// Where a value came from.
struct Origin<'a> {
    source: Option<&'a Source>,
    layer: Option<&'a Metadata>,
}

impl Origin<'_> {
    /// The file, if the value is from there.
    fn file(&self) -> Option<&Source> {
        self.source.filter(|_| self.layer.is_some_and(|layer| layer.name == FILE_LAYER))
    }

    /// The value as it was written.
    fn get(&self, path: &[String], layers: &Figment) -> Option<Value> {
        match self.file() {
            Some(source) => Some(source.root.as_ref()?.find(path)?.to_value()),
            None => layers.find_value(&path.join(".")).ok(),
        }
    }

    fn found(&self, path: &[String], layers: &Figment) -> String {
        if may_be_secret(path) {
            return "another value".to_owned();
        }
        self.get(path, layers).as_ref().map_or_else(|| "nothing".to_owned(), found)
    }

    /// An error at a key.
    fn key(&self, path: &[String], problem: &str) -> ConfigError {
        let place = self.file().and_then(|source| source.root.as_ref()?.find_key(path));
        self.at(place, problem)
    }

    /// An error at a value, or at what should have held it.
    fn value(&self, path: &[String], problem: &str) -> ConfigError {
        if may_be_secret(path) {
            // Its line is not shown.
            return self.at(None, problem);
        }
        let root = self.file().and_then(|source| source.root.as_ref());
        let place = root.and_then(|root| {
            (0..=path.len())
                .rev()
                .find_map(|depth| root.find(&path[..depth]))
                .map(|node| node.place)
        });
        self.at(place, problem)
    }

    fn at(&self, place: Option<Place>, problem: &str) -> ConfigError {
        match (self.file(), place, self.layer) {
            (Some(source), Some(place), _) => ConfigError::at(source, place, problem),
            (Some(source), None, _) => ConfigError::of(&source.name, problem),
            (None, _, Some(layer)) => ConfigError::of(&layer.name, problem),
            (None, _, None) => ConfigError::of("configuration", problem),
        }
    }
}

fn may_be_secret(path: &[String]) -> bool {
    path.iter().any(|part| is_secret(part))
}

/// What a message calls the thing at a path: `` `log.level` ``, `tenant rule 2`,
/// `` `match.path` of tenant rule 2 ``.
fn subject(path: &[String]) -> String {
    let quoted = |keys: &[String]| format!("`{}`", named(&keys.join(".")));
    match path {
        [first, number, rest @ ..] if first == "tenants" => {
            let rule = number.parse::<usize>().map_or(0, |number| number + 1);
            if rest.is_empty() {
                format!("tenant rule {rule}")
            } else {
                format!("{} of tenant rule {rule}", quoted(rest))
            }
        }
        [first, number, rest @ ..] if first == "sinks" => {
            let sink = number.parse::<usize>().map_or(0, |number| number + 1);
            if rest.is_empty() {
                format!("sink {sink}")
            } else {
                format!("{} of sink {sink}", quoted(rest))
            }
        }
        _ => quoted(path),
    }
}

fn unknown_key(name: &str, above: &[String]) -> String {
    let name = named(name);
    if above.is_empty() {
        format!("unknown key `{name}`")
    } else {
        format!("unknown key `{name}` in {}", subject(above))
    }
}

/// The key that was meant: one of the same section, or one of another section.
fn meant(name: &str, above: &[String]) -> Option<String> {
    let here = keys_below(above);
    if let Some(key) = closest(name, here.iter().copied()) {
        return Some(format!("did you mean `{key}`?"));
    }
    let elsewhere = KEYS.iter().filter(|key| key.is_scalar()).find_map(|key| {
        let (section, last) = key.name.split_once('.')?;
        let same = name == last || closest(name, [key.name]).is_some();
        same.then(|| format!("did you mean `{last}` in the section `{section}`?"))
    });
    elsewhere.or_else(|| Some(one_of(&here)))
}

/// The key that a name missing at a path would have been.
fn keys_at(path: &[String], name: &str) -> Option<&'static Key> {
    let prefix = dotted(path);
    KEYS.iter().find(|key| key.name.strip_prefix(&prefix) == Some(&format!(".{name}")))
}

fn one_of(known: &[&str]) -> String {
    let known: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
    format!("expected one of {}", known.join(", "))
}

fn mapping_of(keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    format!("a mapping with the keys {}", keys.join(", "))
}
