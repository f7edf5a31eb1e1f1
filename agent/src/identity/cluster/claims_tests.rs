//! Objects before rules, in their order.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::identity::cluster::samples::{namespace, object, pod, selector};
use crate::identity::tenant::RuleSpec;

fn rules(json: &str) -> TenantRules {
    TenantRules::compile(serde_json::from_str::<Vec<RuleSpec>>(json).unwrap()).unwrap()
}

fn of(named: &str, name: &str, priority: i32) -> TenantObject {
    TenantObject { namespaces: vec![named.into()], ..object(name, priority) }
}

/// Objects, and rules that give every namespace called `n…` to itself.
fn tenancy(objects: Vec<TenantObject>) -> Tenancy {
    let mut tenancy =
        Tenancy::new(rules(r#"[{"match": {"namespace": "n.*"}, "tenant": "{namespace}"}]"#));
    assert_eq!(tenancy.apply(Update::All(objects)), 0);
    tenancy
}

fn told(assignment: &Assignment) -> String {
    format!("{} {}, {}", assignment.class.label(), assignment.tenant, assignment.decider)
}

#[test]
fn objects_come_before_rules() {
    let tenancy = tenancy(vec![
        of("n*", "acme", 0),
        of("n1", "first", 7),
        of("q", "acme", 0),
        TenantObject { shared: true, ..of("base", "everybody", 0) },
        of("h", "host", 0),
    ]);
    let check = |name: &str, expected: &str| {
        assert_eq!(told(&tenancy.of_namespace(&namespace(name, ""))), expected, "{name}");
    };
    check("n1", "tenant first, Tenant first");
    check("n2", "tenant n2, rule 1");
    check("q", "tenant acme, Tenant acme");
    check("base", "shared everybody, Tenant everybody");
    check("h", "tenant host~affea56f, Tenant host");
    check("other", "unassigned unassigned, no rule");
}

#[test]
fn objects_that_select_pods_come_first() {
    let of_pods = |name: &str, priority| TenantObject {
        pod_selector: Some(selector("for=b")),
        ..of("shared", name, priority)
    };
    let check = |objects: Vec<TenantObject>, of_b: &str, of_others: &str| {
        let (tenancy, namespace) = (tenancy(objects), namespace("shared", ""));
        let of = |labelled| {
            tenancy.of_pod(&pod("u", "shared/web", labelled), &namespace).tenant.to_string()
        };
        assert_eq!((of("for=b").as_str(), of("for=c").as_str()), (of_b, of_others));
        assert_eq!(tenancy.of_namespace(&namespace).tenant.as_str(), of_others);
    };
    check(vec![of("shared", "a", 0), of_pods("b", 0)], "b", "a");
    check(vec![of("shared", "a", 1), of_pods("b", 0)], "a", "a");
    check(vec![of_pods("b", 0)], "b", "unassigned");
    check(vec![of_pods("c", 0), of_pods("b", 0)], "b", "unassigned");
}

#[test]
fn news_of_objects() {
    let mut tenancy = tenancy(vec![of("n1", "a", 0)]);
    let tenant = |tenancy: &Tenancy| tenancy.of_namespace(&namespace("n1", "")).tenant.to_string();
    assert_eq!(tenant(&tenancy), "a");
    tenancy.apply(Update::Put(of("n1", "b", 1)));
    assert_eq!(tenant(&tenancy), "b");
    tenancy.apply(Update::Put(of("n9", "b", 1)));
    assert_eq!(tenant(&tenancy), "a");
    tenancy.apply(Update::Gone(of("", "a", 0)));
    assert_eq!(tenant(&tenancy), "n1");
    tenancy.apply(Update::All(Vec::new()));
    assert_eq!(tenancy.objects().count(), 0);
}

#[test]
fn conflicts_are_among_equals() {
    let check = |objects: Vec<TenantObject>, expected: Option<(&str, &[&str])>| {
        let conflict = tenancy(objects).conflict(&namespace("n1", ""));
        let is = conflict.map(|it| (it.holder.to_string(), it.others));
        let expected = expected.map(|(holder, others)| {
            (holder.to_owned(), others.iter().map(|name| Box::from(*name)).collect::<Vec<_>>())
        });
        assert_eq!(is, expected);
    };
    check(vec![], None);
    check(vec![of("n1", "a", 0)], None);
    check(vec![of("n1", "b", 0), of("n*", "a", 0)], Some(("a", &["b"])));
    check(vec![of("n1", "b", 1), of("n*", "a", 0)], None);
    check(vec![of("n1", "c", 1), of("*", "b", 1), of("*", "a", 0)], Some(("b", &["c"])));
    let of_pods = TenantObject { pod_selector: Some(selector("")), ..of("n1", "b", 0) };
    check(vec![of("n1", "a", 0), of_pods], None);
}

#[test]
fn labels_of_objects_come_before_those_of_namespaces() {
    let mut tenancy = Tenancy::new(rules("[]").carrying(["team", "owner"]));
    let own = [("team".to_owned(), "oil".to_owned()), ("cost-center".to_owned(), "7".to_owned())];
    let labels = own.into_iter().collect();
    tenancy.apply(Update::Put(TenantObject { labels, ..of("n", "acme", 0) }));
    let is = tenancy.of_namespace(&namespace("n", "team=gas,owner=jane,app=web")).labels;
    let is: Vec<_> = is.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(is, ["cost-center=7", "owner=jane", "team=oil"]);
}

proptest! {
    #[test]
    fn every_namespace_is_exactly_one_of_three(
        wanted in proptest::collection::vec(("[ab*]{0,2}", "[a-d]|host|pending", -1i32..2, 0u8..4), 0..6),
        name in "[abn]{1,3}",
    ) {
        let objects = wanted.iter().map(|(pattern, name, priority, kind)| TenantObject {
            shared: kind & 1 == 1,
            pod_selector: (kind & 2 == 2).then(|| selector("x=y")),
            ..of(pattern, name, *priority)
        });
        let objects: Vec<_> = objects.collect();
        let tenancy = tenancy(objects.clone());
        let is = tenancy.of_namespace(&namespace(&name, ""));
        prop_assert!(matches!(is.class, Class::Tenant | Class::Shared | Class::Unassigned));
        prop_assert_eq!(is.class == Class::Unassigned, is.tenant == Tenant::unassigned());
        // The order in which objects are told does not matter.
        let mut one_by_one = self::tenancy(Vec::new());
        let known: BTreeMap<_, _> = objects.into_iter().map(|it| (it.name.clone(), it)).collect();
        for object in known.into_values().rev() {
            one_by_one.apply(Update::Put(object));
        }
        prop_assert_eq!(one_by_one.of_namespace(&namespace(&name, "")), is);
    }
}
