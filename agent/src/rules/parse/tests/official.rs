//! The rule files of the Falco project, where they are at hand.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::rules::parse::{self, lists::substitute};
use crate::rules::print;

/// What matters here of an item of a rule file.
#[derive(Debug, Deserialize)]
struct Item {
    list: Option<String>,
    #[serde(default)]
    items: Vec<serde_json::Value>,
    condition: Option<String>,
}

fn files() -> Vec<(PathBuf, Vec<Item>)> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/falco-rules");
    let folder = std::env::var_os("LANDLORD_FALCO_RULES").unwrap_or_else(|| beside.into());
    let Ok(folder) = std::fs::read_dir(PathBuf::from(folder)) else { return Vec::new() };
    let paths = folder.map(|entry| entry.unwrap().path());
    let yaml = paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    yaml.map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        let items = serde_saphyr::from_str(&text).unwrap();
        (path, items)
    })
    .collect()
}

#[test]
fn every_official_condition_reads_and_prints_to_the_same() {
    let files = files();
    if files.is_empty() {
        eprintln!("skipped: no rule files; name their folder in LANDLORD_FALCO_RULES");
        return;
    }
    let mut lists: HashMap<String, Vec<String>> = HashMap::new();
    for item in files.iter().flat_map(|(_, items)| items) {
        let Some(name) = &item.list else { continue };
        let text = |item: &serde_json::Value| match item {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let items = item.items.iter().map(text).flat_map(|item| match lists.get(&item) {
            Some(inner) => inner.clone(),
            None => vec![item],
        });
        let items = items.collect();
        lists.insert(name.clone(), items);
    }
    let mut read = 0;
    for (path, items) in &files {
        for text in items.iter().filter_map(|item| item.condition.as_ref()) {
            let text = substitute(text, &|name| lists.get(name).map(Vec::as_slice)).unwrap().text;
            let expr = match parse::condition(&text) {
                Ok(expr) => expr,
                Err(problems) => panic!("{}: {text}\n{problems:#?}", path.display()),
            };
            let printed = print::condition(&expr);
            let again = parse::condition(&printed).unwrap();
            assert_eq!(print::condition(&again), printed);
            read += 1;
        }
    }
    assert!(read > 100, "only {read} conditions in {} files", files.len());
}
