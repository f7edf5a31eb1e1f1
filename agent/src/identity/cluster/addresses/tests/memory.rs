//! What a pod costs that anybody in the cluster has, and what is behind a Service.

use super::*;
use crate::identity::cluster::object::EndpointSlice;

/// Bytes that stay after this many pods were told, for each.
fn bytes_per_pod(count: usize, families: usize) -> u64 {
    let mut kept = None;
    let news: Vec<RemotePod> = (0..count)
        .map(|n| {
            let namespace = format!("tenant-{:03}-production", n % 200);
            let name = format!("backend-{:03}-{:010x}-{:05x}", n / 4 % 700, n / 4 * 977, n * 31);
            let (high, low) = (n / 250, n % 250);
            let addresses =
                [format!("10.{}.{}.{low}", high / 250, high % 250), format!("fd00::{n:x}")];
            pod(&format!("{namespace}/{name}"), &addresses[..families].join(" "), 1_700_000_000)
        })
        .collect();
    let used = allocation_counter::measure(|| {
        let mut known = Addresses::new(Limits::default());
        // One by one, as it grows over months: a list would size it exactly.
        for pod in &news {
            known.apply(&put(pod.clone()), 1_700_000_001 * SECOND);
        }
        kept = Some(known);
    });
    assert_eq!(kept.unwrap().figures().addresses, count * families);
    u64::try_from(used.bytes_current).unwrap() / u64::try_from(count).unwrap()
}

#[test]
fn a_pod_of_another_node_costs_few_bytes() {
    let check = |count: usize, families: usize| {
        let bytes = bytes_per_pod(count, families);
        println!("{count} pods, {families} addresses each: {bytes} bytes a pod");
        assert!(bytes <= 200, "{bytes}");
    };
    // Tables double: just before and just after they do.
    for count in [10_000, 14_000, 14_500, 29_000] {
        check(count, 1);
        check(count, 2);
    }
}

/// Bytes that stay for each address, with so many in a slice.
fn bytes_per_endpoint(count: usize, in_slice: usize) -> u64 {
    let news: Vec<EndpointSlice> = (0..count / in_slice)
        .map(|n| {
            let first = n * in_slice;
            let of = |n: usize| format!("172.{}.{}.{}", n / 62_500, n / 250 % 250, n % 250);
            EndpointSlice {
                namespace: format!("tenant-{:03}-production", n % 200).into(),
                name: format!("database-{:03}-{:05x}", n % 700, n * 31).into(),
                service: Some(format!("database-{:03}", n % 700).into()),
                ips: (first..first + in_slice).map(|n| of(n).parse().unwrap()).collect(),
            }
        })
        .collect();
    let mut kept = None;
    let used = allocation_counter::measure(|| {
        let mut known = Addresses::new(Limits::default());
        for slice in &news {
            let change = AddressChange::EndpointSlices(Update::Put(slice.clone()));
            known.apply(&change, 1_700_000_001 * SECOND);
        }
        kept = Some(known);
    });
    assert_eq!(kept.unwrap().figures().addresses, count);
    u64::try_from(used.bytes_current).unwrap() / u64::try_from(count).unwrap()
}

#[test]
fn what_is_behind_a_service_costs_few_bytes() {
    let check = |in_slice: usize, most: u64| {
        let bytes = bytes_per_endpoint(10_000, in_slice);
        println!("{in_slice} in a slice: {bytes} bytes an address");
        assert!(bytes <= most, "{bytes}");
    };
    check(1, 300);
    check(100, 100);
}
