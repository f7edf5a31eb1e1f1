//! What is read when, and when new rules count.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::config::{self, Overrides};

const A: &str = "tenants: [{ match: { path: '^/' }, tenant: a }]\n";
const B: &str = "tenants: [{ match: { path: '^/' }, tenant: b }]\n";

fn loaded(path: &Path, yaml: &str) -> Config {
    fs::write(path, yaml).unwrap();
    config::load(Some(path), &Overrides::default()).unwrap()
}

/// The names that rules give.
fn names(rules: &TenantRules) -> String {
    rules.specs().iter().map(|spec| spec.tenant.as_str()).collect::<Vec<_>>().join(",")
}

#[test]
fn what_a_reading_comes_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("landlord.yaml");
    let config = loaded(&path, A);
    let (rules, mut news) = watch::channel(config.tenants.clone());
    let sinks = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&sinks);
    let take_sinks = move |sinks: &Sinks| {
        *told.lock().unwrap() = sinks.list.iter().map(|sink| sink.name.clone()).collect();
        Vec::new()
    };
    let reader = Reader::new(config, Arc::default(), rules, Arc::new(take_sinks));
    let mut check = |what: &str, always: bool, expected: (&str, bool, u64, u64)| {
        reader.read(always);
        let is_news = news.has_changed().unwrap();
        let says = names(&news.borrow_and_update());
        let is = (says.as_str(), is_news, reader.reloads.ok(), reader.reloads.failed());
        assert_eq!(is, expected, "{what}");
    };
    check("the same", false, ("a", false, 0, 0));
    check("the same, asked for", true, ("a", false, 1, 0));
    fs::write(&path, B).unwrap();
    check("another tenant", false, ("b", true, 2, 0));
    fs::write(&path, format!("interval: 9s\n{B}")).unwrap();
    check("another interval", false, ("b", false, 3, 0));
    fs::write(&path, "tenants: [{ match: { path: '(' }, tenant: c }]\n").unwrap();
    check("a mistake", false, ("b", false, 3, 1));
    check("a mistake is told once", false, ("b", false, 3, 1));
    fs::write(&path, "").unwrap();
    check("nothing", false, ("b", false, 3, 2));
    fs::remove_file(&path).unwrap();
    check("no file", false, ("b", false, 3, 3));
    fs::write(&path, format!("tenant_labels: [cost]\n{B}")).unwrap();
    check("other labels", false, ("b", true, 4, 3));
    fs::write(&path, A).unwrap();
    check("as at first", false, ("a", true, 5, 3));
    let file = |name| format!("sinks: [{{ name: {name}, kind: file, to: /var/log/{name} }}]\n");
    fs::write(&path, file("one") + A).unwrap();
    check("a sink", false, ("a", false, 6, 3));
    assert_eq!(*sinks.lock().unwrap(), ["one"]);
    fs::write(&path, "sinks: [{ name: '-', kind: none }]\n").unwrap();
    check("a sink that cannot be", false, ("a", false, 6, 4));
    assert_eq!(*sinks.lock().unwrap(), ["one"]);
}

#[test]
fn a_configmap_that_is_swapped_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("..one")).unwrap();
    std::os::unix::fs::symlink("..one", at("..data")).unwrap();
    fs::write(at("..one/landlord.yaml"), A).unwrap();
    std::os::unix::fs::symlink("..data/landlord.yaml", at("landlord.yaml")).unwrap();
    let config = config::load(Some(&at("landlord.yaml")), &Overrides::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let (sender, taken) = std::sync::mpsc::channel();
    let take_rules = move |rules: TenantRules| {
        drop(sender.send(names(&rules)));
        std::future::ready(())
    };
    let _file = ConfigFile::follow(&config, &Arc::default(), None, take_rules, |_| Vec::new());
    fs::create_dir(at("..two")).unwrap();
    fs::write(at("..two/landlord.yaml"), B).unwrap();
    std::os::unix::fs::symlink("..two", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    assert_eq!(taken.recv_timeout(Duration::from_secs(60)).unwrap(), "b");
}

/// Rules that ask for annotations.
fn asking(annotations: &[&str]) -> TenantRules {
    let rules = annotations.iter().map(|annotation| {
        serde_json::json!({"match": {"namespace_annotation": annotation}, "tenant": annotation})
    });
    let specs = rules.map(|rule| serde_json::from_value(rule).unwrap()).collect();
    TenantRules::compile(specs).unwrap()
}

fn keys(keys: &[&str]) -> Keys {
    keys.iter().map(|key| Box::from(*key)).collect()
}

#[test]
fn rules_wait_for_the_annotations_they_ask_for() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (rules, news) = watch::channel(asking(&["one"]));
        let (wanted, mut wants) = watch::channel(keys(&["one"]));
        let (told, tells) = watch::channel(keys(&["one"]));
        let (sender, mut taken) = tokio::sync::mpsc::unbounded_channel();
        let annotations = Some(Annotations::new(wanted, tells));
        let task = tokio::spawn(take_up(news, annotations, move |rules| {
            drop(sender.send(names(&rules)));
            std::future::ready(())
        }));
        // Nothing is asked for that is not told already.
        rules.send_replace(asking(&[]));
        assert_eq!(taken.recv().await.unwrap(), "");
        wants.wait_for(|keys| keys.is_empty()).await.unwrap();
        rules.send_replace(asking(&["two"]));
        wants.wait_for(|wanted| **wanted == *keys(&["two"])).await.unwrap();
        assert!(taken.try_recv().is_err());
        // What waits is given up for what is newer.
        rules.send_replace(asking(&["three"]));
        wants.wait_for(|wanted| **wanted == *keys(&["two", "three"])).await.unwrap();
        told.send_replace(keys(&["two"]));
        tokio::task::yield_now().await;
        assert!(taken.try_recv().is_err());
        told.send_replace(keys(&["two", "three"]));
        assert_eq!(taken.recv().await.unwrap(), "three");
        wants.wait_for(|wanted| **wanted == *keys(&["three"])).await.unwrap();
        drop(rules);
        task.await.unwrap();
    });
}
