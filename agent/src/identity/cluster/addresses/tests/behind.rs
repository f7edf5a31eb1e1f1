//! What is behind Services and is no pod.

use super::*;
use crate::identity::cluster::object::EndpointSlice;

/// `namespace/name` of a slice and the Service that it is of.
fn slice(path: &str, service: &str, addresses: &str) -> EndpointSlice {
    let (namespace, name) = path.split_once('/').unwrap();
    EndpointSlice {
        namespace: namespace.into(),
        name: name.into(),
        service: Some(service.into()),
        ips: ips(addresses),
    }
}

fn put_slice(slice: EndpointSlice) -> AddressChange {
    AddressChange::EndpointSlices(Update::Put(slice))
}

fn gone_slice(slice: EndpointSlice) -> AddressChange {
    AddressChange::EndpointSlices(Update::Gone(slice))
}

/// The same, and all sources have told all there is, since the beginning.
fn synced(news: impl IntoIterator<Item = (u64, AddressChange)>) -> Addresses {
    let mut known = addresses(news);
    for source in Source::OF_ADDRESSES {
        known.health(source, &Health::Synced, 0);
    }
    known
}

#[test]
fn an_address_is_behind_a_service_for_as_long_as_a_slice_says_so() {
    let mut known = synced([
        (10, put_slice(slice("shop/db-1", "db", "192.0.2.8 2001:db8::8"))),
        (20, put_slice(slice("shop/db-1", "db", "192.0.2.8 192.0.2.9"))),
        (30, gone_slice(slice("shop/db-1", "db", ""))),
        (40, put_slice(slice("shop/db-1", "other", "192.0.2.8"))),
    ]);
    let check = |known: &Addresses, address: &str, at: u64, expected: &str| {
        assert_eq!(told(known, address, at * SECOND), expected, "{address} at {at}");
        assert!(!known.is_outside(ips(address)[0], at * SECOND), "{address} at {at}");
    };
    for (at, expected) in
        [(9, "-"), (10, "shop/db"), (29, "shop/db"), (30, "-"), (39, "-"), (40, "shop/other")]
    {
        check(&known, "192.0.2.8", at, expected);
        check(&known, "::ffff:192.0.2.8", at, expected);
    }
    check(&known, "2001:db8::8", 19, "shop/db");
    check(&known, "2001:db8::8", 20, "-");
    check(&known, "192.0.2.9", 19, "-");
    check(&known, "192.0.2.9", 20, "shop/db");
    assert!(known.is_outside(ips("192.0.2.10")[0], 40 * SECOND));
    let figures = known.figures();
    assert_eq!((figures.holders, figures.addresses, figures.past), (1, 1, 3));
    // What a list does not have any more has ended, and so has what is of no Service.
    let of_none = EndpointSlice { service: None, ..slice("shop/db-1", "", "192.0.2.8") };
    known.apply(&put_slice(slice("a/kept", "kept", "192.0.2.20")), 50 * SECOND);
    known.apply(&put_slice(slice("a/gone", "gone", "192.0.2.21")), 50 * SECOND);
    let all = vec![slice("a/kept", "kept", "192.0.2.20"), of_none];
    known.apply(&AddressChange::EndpointSlices(Update::All(all)), 60 * SECOND);
    check(&known, "192.0.2.20", 70, "a/kept");
    check(&known, "192.0.2.21", 70, "-");
    check(&known, "192.0.2.21", 59, "a/gone");
    check(&known, "192.0.2.8", 70, "-");
    // After ten minutes nobody asks any more.
    known.apply(&AddressChange::EndpointSlices(Update::All(Vec::new())), 700 * SECOND);
    known.apply(&AddressChange::EndpointSlices(Update::All(Vec::new())), 1301 * SECOND);
    assert_eq!(known.figures(), super::super::Figures::default());
    assert_eq!(known.endpoints.texts(), 0, "all texts were released");
    assert!(known.is_outside(ips("192.0.2.8")[0], 1301 * SECOND));
}

#[test]
fn where_services_differ_nobody_has_it() {
    let known = synced([
        (10, put_slice(slice("shop/db-1", "db", "192.0.2.1 192.0.2.2 192.0.2.3"))),
        // Of the same Service in two slices, as a port a slice.
        (10, put_slice(slice("shop/db-2", "db", "192.0.2.1"))),
        (10, put_slice(slice("shop/read", "read", "192.0.2.2"))),
        (20, put_slice(slice("bank/db", "db", "192.0.2.3"))),
        (30, gone_slice(slice("bank/db", "db", ""))),
    ]);
    let check = |address: &str, at: u64, expected: &str| {
        assert_eq!(told(&known, address, at * SECOND), expected, "{address} at {at}");
        assert!(!known.is_outside(ips(address)[0], at * SECOND), "{address} at {at}");
    };
    check("192.0.2.1", 25, "shop/db");
    check("192.0.2.2", 25, "shop/any");
    check("192.0.2.3", 19, "shop/db");
    check("192.0.2.3", 25, "-");
    check("192.0.2.3", 30, "shop/db");
}

#[test]
fn whoever_has_an_address_of_its_own_has_it() {
    let in_range =
        Node { pod_ranges: vec!["10.1.0.0/24".parse().unwrap()], ..node("n", "192.0.2.1") };
    let services = vec![
        service("shop/web", "10.96.0.1", "203.0.113.1 203.0.113.2", &[]),
        service("bank/web", "10.96.0.2", "203.0.113.2", &[]),
    ];
    let all = "192.0.2.1 10.0.0.1 10.0.0.2 10.96.0.1 203.0.113.1 203.0.113.2 10.1.0.7 192.0.2.7";
    let mut known = synced([
        (10, AddressChange::Nodes(Update::Put(in_range))),
        (10, put(pod("a/one", "10.0.0.1", 5))),
        (10, put(pod("a/two", "10.0.0.2", 5))),
        (10, AddressChange::Services(Update::All(services))),
        (10, put_slice(slice("thief/all", "all", all))),
        (20, gone(pod("a/two", "", 5))),
    ]);
    known.set_local(&ips("192.0.2.7"));
    let check = |known: &Addresses, address: &str, expected: &str| {
        assert_eq!(told(known, address, 25 * SECOND), expected, "{address}");
    };
    check(&known, "192.0.2.1", "host n");
    check(&known, "192.0.2.7", "host itself");
    check(&known, "10.0.0.1", "a/one");
    check(&known, "10.96.0.1", "shop/web");
    check(&known, "203.0.113.1", "shop/web");
    check(&known, "203.0.113.2", "-");
    // Of a pod that has ended, and of one that is still to be told.
    check(&known, "10.0.0.2", "-");
    check(&known, "10.1.0.7", "-");
    // A pod gets what was only behind a Service.
    known.apply(&put_slice(slice("b/db", "db", "10.2.0.1")), 21 * SECOND);
    check(&known, "10.2.0.1", "b/db");
    known.apply(&put(pod("a/three", "10.2.0.1", 22)), 23 * SECOND);
    check(&known, "10.2.0.1", "a/three");
}

#[test]
fn it_is_certain_only_where_everybody_else_was_told() {
    let down = || Health::Interrupted(Trouble::Unreachable(String::new()));
    let mut known = addresses([(10, put_slice(slice("shop/db", "db", "192.0.2.8")))]);
    for source in Source::OF_ADDRESSES {
        // A pod that was not told may have it.
        assert_eq!(told(&known, "192.0.2.8", 15 * SECOND), "shop/db?");
        known.health(source, &Health::Synced, 12 * SECOND);
    }
    assert_eq!(told(&known, "192.0.2.8", 15 * SECOND), "shop/db");
    for source in Source::OF_ADDRESSES {
        known.health(source, &down(), 20 * SECOND);
        assert_eq!(told(&known, "192.0.2.8", 19 * SECOND), "shop/db", "{source:?}");
        assert_eq!(told(&known, "192.0.2.8", 25 * SECOND), "shop/db?", "{source:?}");
        known.health(source, &Health::Synced, 30 * SECOND);
        assert_eq!(told(&known, "192.0.2.8", 30 * SECOND), "shop/db", "{source:?}");
    }
    // It ended while nobody told of slices.
    known.health(Source::EndpointSlices, &down(), 40 * SECOND);
    known.health(Source::EndpointSlices, &Health::Synced, 50 * SECOND);
    known.apply(&gone_slice(slice("shop/db", "db", "")), 51 * SECOND);
    assert_eq!(told(&known, "192.0.2.8", 39 * SECOND), "shop/db");
    assert_eq!(told(&known, "192.0.2.8", 45 * SECOND), "-");
}

#[test]
fn without_slices_all_goes_on() {
    let check = |trouble: Trouble, expected: bool| {
        let mut known = Addresses::new(Limits::default());
        for source in [Source::RemotePods, Source::Nodes, Source::Services] {
            known.health(source, &Health::Synced, 10 * SECOND);
        }
        known.health(Source::EndpointSlices, &Health::Interrupted(trouble), 10 * SECOND);
        let outside = |known: &Addresses| known.is_outside(ips("198.51.100.1")[0], 15 * SECOND);
        assert_eq!(outside(&known), expected);
        known.health(Source::EndpointSlices, &Health::Synced, 14 * SECOND);
        assert!(outside(&known));
    };
    check(Trouble::Forbidden(String::new()), true);
    check(Trouble::Missing(String::new()), true);
    check(Trouble::Unreachable(String::new()), false);
    check(Trouble::Unauthenticated(String::new()), false);
    // What was told before the right was taken away is in doubt.
    let mut known = synced([(10, put_slice(slice("shop/db", "db", "192.0.2.8")))]);
    let forbidden = Health::Interrupted(Trouble::Forbidden(String::new()));
    known.health(Source::EndpointSlices, &forbidden, 20 * SECOND);
    assert_eq!(told(&known, "192.0.2.8", 25 * SECOND), "shop/db?");
}

#[test]
fn they_are_bounded_in_number() {
    let limits = Limits { endpoints: 3, intervals: 2, ..Limits::default() };
    let mut known = Addresses::new(limits);
    for source in Source::OF_ADDRESSES {
        known.health(source, &Health::Synced, 0);
    }
    known.apply(&put_slice(slice("a/one", "one", "192.0.2.1 192.0.2.2")), SECOND);
    assert!(known.is_outside(ips("198.51.100.1")[0], SECOND));
    known.apply(&put_slice(slice("a/two", "two", "192.0.2.3 192.0.2.4 192.0.2.5")), SECOND);
    let figures = known.figures();
    assert_eq!((figures.addresses, figures.refused), (3, 2));
    // What found no room may be anything.
    assert!(!known.is_outside(ips("198.51.100.1")[0], SECOND));
    assert_eq!(told(&known, "192.0.2.4", 2 * SECOND), "-");
    // Whoever has room keeps it.
    known.apply(&put_slice(slice("a/one", "one", "192.0.2.6 192.0.2.2")), 5 * SECOND);
    assert_eq!(told(&known, "192.0.2.2", 2 * SECOND), "a/one?");
    for n in 0..4 {
        let other = format!("192.0.2.{}", 20 + n);
        known.apply(&put_slice(slice("a/one", "one", &other)), (10 + n) * SECOND);
    }
    known.apply(&AddressChange::EndpointSlices(Update::Gone(slice("x/x", "x", ""))), 20 * SECOND);
    let figures = known.figures();
    assert_eq!((figures.holders, figures.addresses, figures.past), (2, 2, 2));
    assert_eq!(figures.forgotten, 4);
}
