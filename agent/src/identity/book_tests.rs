//! Labels that the book is kept with, and from when on.

use super::*;
use crate::identity::cluster::change::Change;
use crate::identity::cluster::directory;
use crate::identity::cluster::object::{Labels, RemotePod};
use crate::identity::cluster::samples::{labels, namespace, object, selector};
use crate::identity::cluster::tenancy::TenantObject;
use crate::identity::tenant::TenantRules;

const SECOND: u64 = 1_000_000_000;

/// Pods labelled `app=vault` and pods labelled `tier=gold` are two tenants', all other
/// ones nobody's.
fn directory() -> Directory {
    let rules = TenantRules::compile(Vec::new()).unwrap();
    let mut directory = Directory::new(rules, directory::Limits::default());
    let objects = [("vaults", "app=vault"), ("golden", "tier=gold")].map(|(name, asked)| {
        TenantObject { pod_selector: Some(selector(asked)), ..object(name, 1) }
    });
    directory.apply(Change::Namespaces(Update::All(vec![namespace("ns", "")])), 1);
    directory.apply(Change::Tenants(Update::All(objects.into())), 1);
    directory
}

fn kept(keys: &[&str]) -> AddressChange {
    AddressChange::PodLabels(keys.iter().map(|key| Box::from(*key)).collect())
}

/// All pods: one, with those of its labels that are kept.
fn all(keys: &[&str]) -> AddressChange {
    let labels: Labels = labels("app=vault,tier=gold")
        .into_iter()
        .filter(|(key, _)| keys.contains(&&**key))
        .collect();
    AddressChange::Pods(Update::All(vec![RemotePod {
        namespace: "ns".into(),
        name: "pod".into(),
        labels,
        ips: vec!["10.0.0.1".parse().unwrap()],
        started_unix_s: Some(1),
    }]))
}

#[test]
fn a_tenant_is_certain_once_all_labels_were_told() {
    let directory = directory();
    let mut book = Book::new(Limits::default());
    let check = |book: &Book, at_s: u64, expected: (&str, bool)| {
        let peers = book.peers(&directory, at_s * SECOND);
        let found = peers.find("10.0.0.1".parse().unwrap(), at_s * SECOND);
        assert_eq!((found.tenant().unwrap(), found.is_certain), expected, "at {at_s}");
    };
    book.apply(&kept(&["app"]), 4 * SECOND);
    book.apply(&all(&["app"]), 5 * SECOND);
    check(&book, 6, ("vaults", false));
    book.apply(&kept(&["app", "tier"]), 7 * SECOND);
    // What the watch before told is still as it was.
    check(&book, 8, ("vaults", false));
    book.apply(&all(&["app", "tier"]), 9 * SECOND);
    check(&book, 8, ("vaults", false));
    check(&book, 9, ("golden", true));
    // A list after an interruption changes nothing.
    book.apply(&all(&["app", "tier"]), 12 * SECOND);
    check(&book, 10, ("golden", true));
    // One that is no longer kept is so at once.
    book.apply(&kept(&["tier"]), 14 * SECOND);
    check(&book, 15, ("golden", false));
}

#[test]
fn what_no_label_decides_is_certain_at_once() {
    let rules = TenantRules::compile(Vec::new()).unwrap();
    let mut directory = Directory::new(rules, directory::Limits::default());
    directory.apply(Change::Namespaces(Update::All(vec![namespace("ns", "")])), 1);
    let mut book = Book::new(Limits::default());
    book.apply(&all(&[]), 5 * SECOND);
    let found = book.peers(&directory, 6 * SECOND).find("10.0.0.1".parse().unwrap(), 6 * SECOND);
    assert!(found.is_certain, "{found:?}");
}
