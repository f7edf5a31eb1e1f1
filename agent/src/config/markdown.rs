//! The documentation of the configuration, written from the table of keys.

use crate::config::keys::{KEYS, Key, Kind, VARIABLE_PREFIX};
use crate::config::resolve::DEFAULT_PATH;
use crate::config::standard::{self, Form};
use crate::identity::template::FIELDS;
use crate::identity::tenant::Tenant;

const TENANTS: &str = "tenants";

/// The text of `docs/configuration.md`.
#[must_use]
pub fn markdown() -> String {
    let mut blocks = vec!["# Configuration".to_owned()];
    blocks.extend(introduction());
    blocks.push("## Keys".to_owned());
    for key in KEYS.iter().filter(|key| !key.is_of_tenants()) {
        blocks.extend(chapter(key));
    }
    blocks.push("## Tenants".to_owned());
    blocks.extend(tenants());
    for key in KEYS.iter().filter(|key| key.is_of_tenants() && key.name != TENANTS) {
        blocks.extend(chapter(key));
    }
    blocks.extend(names());
    let mut text = blocks.join("\n\n");
    text.push('\n');
    text
}

/// Breaks a text into lines of at most `width` characters where words allow it.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn paragraph(text: &str) -> String {
    wrapped(text, 120).join("\n")
}

fn introduction() -> Vec<String> {
    let paragraphs = [
        format!(
            "Nothing has to be configured. What is, comes from four places, each winning over the \
             ones before it: the defaults, a YAML file, the environment, flags. The file is the \
             one that `--config FILE` names, or `{DEFAULT_PATH}` if it exists."
        ),
        "All keys are optional; a key that is not known is an error, and so is a value that does \
         not fit. The agent then does not start and says where the mistake is and what was \
         expected. A file may have up to 1 MiB."
            .to_owned(),
        format!(
            "A key's environment variable is its name in capitals after `{VARIABLE_PREFIX}`, its \
             flag the name after `--`. A variable that is empty counts as not set. What concerns \
             tenants can only be given in the file."
        ),
        "The agent reads the file again when it changes, also when a ConfigMap swaps it, and on \
         SIGHUP. What concerns tenants, `tenants` and `tenant_labels`, then counts without a \
         restart: use is split at that moment. So do `sinks` and `otlp`: what waits goes where the \
         file says now. Nothing else does; the log names the other keys that changed. A file with \
         errors, an empty one and a missing one change nothing: the log says what is wrong, and `landlord_config_reloads_total` counts it."
            .to_owned(),
        "The file `agent/src/config/default.yaml` has every key with its default and is a good \
         start. `configuration.schema.json` beside this page, which `landlord config schema` prints, \
         lets editors complete and check it: begin a file with `# yaml-language-server: \
         $schema=configuration.schema.json`. They and this page are written from one table, \
         `agent/src/config/keys/table.rs`."
            .to_owned(),
    ];
    paragraphs.iter().map(|text| paragraph(text)).collect()
}

/// Heading, description and facts of one key.
fn chapter(key: &Key) -> Vec<String> {
    let name = key.name.strip_prefix("tenants[].").unwrap_or(key.name);
    let mut facts = vec![format!("- Value: {}", key.kind.expectation())];
    if !key.default.is_empty() {
        facts.push(format!("- Default: `{}`", key.default));
    }
    if key.is_scalar() {
        facts.push(format!("- Variable: `{}`, flag: `--{}`", key.variable(), key.flag()));
        if let Some((variable, form)) = standard::variable_of(key.name) {
            let unit = if form == Form::Milliseconds { ", in milliseconds" } else { "" };
            facts.push(format!(
                "- Variable of OpenTelemetry, if the one above is not set: `{variable}`{unit}"
            ));
        }
    }
    vec![format!("### `{name}`"), paragraph(key.about), facts.join("\n")]
}

fn tenants() -> Vec<String> {
    let rules = KEYS.iter().filter(|key| matches!(key.kind, Kind::Rules));
    let mut blocks = Vec::new();
    for key in rules {
        blocks.push(paragraph(key.about));
        blocks.push("The default list:".to_owned());
        blocks.push(format!("```yaml\n{}:{}\n```", key.name, key.default));
    }
    blocks.push(paragraph(
        "All that a rule's `match` says must hold. An empty `match` is an error; to match every \
         cgroup, write `path: '^/'`.",
    ));
    blocks
}

fn names() -> Vec<String> {
    let mut table =
        vec!["| field | stands for | needs in `match` |".to_owned(), "|-|-|-|".to_owned()];
    table.extend(FIELDS.iter().map(|field| {
        let needs = field.needs.map_or_else(String::new, |need| format!("`{}`", need.text()));
        format!("| `{{{}}}` | {} | {needs} |", field.name, field.about)
    }));
    for key in ["path", "namespace"] {
        table.push(format!("| `{{name}}` | the group `(?<name>…)` of `match.{key}` | `{key}` |"));
    }
    let bounds = format!(
        "A name has at most {} bytes. A longer one is cut, and characters that cannot be printed \
         are replaced; either then ends in `~` and eight digits that keep it apart from others. A \
         name made of fields that comes out as `host`, `unknown`, `other`, `unassigned` or \
         `pending` gets such an ending too, because those are the agent's own tenants.",
        Tenant::MAX_BYTES
    );
    vec![
        "### Fields of a tenant's name".to_owned(),
        table.join("\n"),
        paragraph(&bounds),
        "### Nested pods and containers".to_owned(),
        paragraph(
            "The name nearest to the root counts, because whoever owns a cgroup can make any name \
             below it. What runs in a pod (Docker in Docker, kind, systemd) belongs to that pod. \
             Without a pod, what runs in a container belongs to the outermost container. The one \
             exception are pods in a container that is a Kubernetes node (kind, minikube): there \
             the pod counts. Below a user's service manager (`user@1000.service`) and in LXC, \
             nspawn and Garden containers, nothing is taken for a pod.",
        ),
        paragraph(
            "The owner of a cgroup that was delegated to a user can still make directories that \
             look like containers. On a machine where that matters, name such users first:",
        ),
        "```yaml\n\
         tenants:\n  \
         - match: { path: '^/user\\.slice/user-(?<uid>[0-9]+)\\.slice' }\n    \
         tenant: 'user-{uid}'\n\
         ```"
        .to_owned(),
    ]
}

/// Whether a generated file differs from `text`; then it is written anew, so that
/// the test that asks fails once and passes after a look at the change.
#[cfg(test)]
pub(super) fn stale(path: &std::path::Path, is: &str, text: &str) -> bool {
    if is == text {
        return false;
    }
    std::fs::write(path, text).unwrap();
    true
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{markdown, stale, wrapped};

    #[test]
    fn the_page_is_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
        let is = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(!stale(&path, &is, &markdown()), "docs/configuration.md was stale; now rewritten");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("a bc  def\n g", 4), ["a bc", "def", "g"]);
        assert_eq!(wrapped("longer than", 4), ["longer", "than"]);
        assert_eq!(wrapped("", 4), [""; 0]);
    }
}
