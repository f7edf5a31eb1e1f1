//! What an object selects.

use super::*;
use crate::identity::cluster::samples::{labels, namespace, object, pod, selector};

#[test]
fn names_with_stars() {
    let check = |pattern: &str, alike: &[&str], different: &[&str]| {
        for name in alike {
            assert!(is_like(name, pattern), "{name} is like {pattern}");
        }
        for name in different {
            assert!(!is_like(name, pattern), "{name} is not like {pattern}");
        }
    };
    check("acme", &["acme"], &["acme-1", "my-acme", ""]);
    check("acme-*", &["acme-", "acme-1", "acme-1-2"], &["acme", "my-acme-1"]);
    check("*-acme", &["-acme", "my-acme", "acme-acme"], &["acme"]);
    check("a*b*c", &["abc", "a-b-c", "abbcc"], &["ac", "abcd", "acb"]);
    check("a*a", &["aa", "aba"], &["a"]);
    check("*", &["", "a"], &[]);
    check("a**b", &["ab", "acb"], &["a"]);
    check("*ab*ab*", &["abab", "xabyabz"], &["ab", "aab"]);
}

#[test]
fn selectors() {
    let check = |selector: &Selector, of: &str, expected: bool| {
        assert_eq!(selector.holds_for(&labels(of)), expected, "{of}");
    };
    let ask = |operator, values: &[&str]| Selector {
        expressions: vec![Expression {
            key: "team".into(),
            operator,
            values: values.iter().map(|value| (*value).into()).collect(),
        }],
        ..selector("stage=prod")
    };
    check(&Selector::default(), "", true);
    check(&selector("team=a"), "team=a,x=y", true);
    check(&selector("team=a"), "team=b", false);
    check(&selector("team=a"), "", false);
    check(&ask(Operator::In, &["a", "b"]), "stage=prod,team=b", true);
    check(&ask(Operator::In, &["a", "b"]), "stage=prod,team=c", false);
    check(&ask(Operator::In, &["a", "b"]), "stage=prod", false);
    check(&ask(Operator::In, &["a"]), "team=a", false);
    check(&ask(Operator::NotIn, &["a"]), "stage=prod,team=b", true);
    check(&ask(Operator::NotIn, &["a"]), "stage=prod", true);
    check(&ask(Operator::NotIn, &["a"]), "stage=prod,team=a", false);
    check(&ask(Operator::Exists, &[]), "stage=prod,team=", true);
    check(&ask(Operator::Exists, &[]), "stage=prod", false);
    check(&ask(Operator::DoesNotExist, &[]), "stage=prod", true);
    check(&ask(Operator::DoesNotExist, &[]), "stage=prod,team=a", false);
}

#[test]
fn pods_are_narrowed_to_the_namespaces() {
    let oil = namespace("oil-1", "team=oil");
    let web = pod("u", "oil-1/web", "app=web");
    let check = |named: &str, selected: Option<&str>, pods: Option<&str>, takes: (bool, bool)| {
        let object = TenantObject {
            namespaces: named.split_whitespace().map(Into::into).collect(),
            namespace_selector: selected.map(selector),
            pod_selector: pods.map(selector),
            ..object("t", 0)
        };
        let is = (object.takes(&oil), object.takes_pod(&web, &oil));
        assert_eq!(is, takes, "{named:?} {selected:?} {pods:?}");
    };
    check("", None, None, (false, false));
    check("oil-*", None, None, (true, true));
    check("gas", None, None, (false, false));
    check("gas", Some("team=oil"), None, (true, true));
    check("gas", Some("team=gas"), None, (false, false));
    check("", Some(""), None, (true, true));
    check("oil-1", None, Some("app=web"), (false, true));
    check("oil-1", None, Some("app=db"), (false, false));
    check("gas", None, Some("app=web"), (false, false));
    check("", Some("team=gas"), Some("app=web"), (false, false));
    check("", None, Some("app=web"), (false, true));
}
