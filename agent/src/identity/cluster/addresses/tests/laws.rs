//! Whatever lives pods have, and however late news of them comes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::identity::cluster::addresses::Found;

/// A pod's life as it was, and when news of it came, milliseconds.
#[derive(Clone, Debug)]
struct Life {
    name: usize,
    address: usize,
    begins: u64,
    ends: u64,
    told: u64,
    end_told: u64,
}

/// Lives of pods on few addresses, of which each belongs to one at a time.
fn lives() -> impl Strategy<Value = Vec<Life>> {
    let life = (0..3_usize, 0..1500_u64, 1..4000_u64, 0..1500_u64, 0..3000_u64);
    proptest::collection::vec(life, 1..16).prop_map(|drawn| {
        let mut free = [10_000; 3];
        let lives =
            drawn.into_iter().enumerate().map(|(name, (address, idle, lasts, late, end_late))| {
                let begins = free[address] + idle;
                let ends = begins + lasts;
                free[address] = ends;
                let told = begins + late;
                Life { name, address, begins, ends, told, end_told: told.max(ends + end_late) }
            });
        lives.collect()
    })
}

fn address(number: usize) -> String {
    format!("10.0.0.{number}")
}

/// Whether an answer names this life's pod.
fn names(found: Found<'_>, life: &Life) -> bool {
    let Owner::Pod { name, .. } = found.owner else { return false };
    name.to_string() == life.name.to_string()
}

proptest! {
    #[test]
    fn nobody_is_given_what_another_had(lives in lives(), lists in proptest::collection::btree_set(0..40_usize, 0..4)) {
        let as_told = |life: &Life| {
            let started = i64::try_from(life.begins / 1000).unwrap();
            pod(&format!("ns/{}", life.name), &address(life.address), started)
        };
        let mut news = BTreeMap::new();
        for life in &lives {
            news.insert((life.told, 0, life.name), put(as_told(life)));
            news.insert((life.end_told, 1, life.name), gone(as_told(life)));
        }
        let moments: BTreeSet<u64> = lives
            .iter()
            .flat_map(|life| [life.begins, life.ends, life.told, life.end_told])
            .flat_map(|at| [at - 1, at, at + 1, at + 300])
            .collect();
        let truth = |number: usize, at: u64| {
            lives.iter().find(|it| it.address == number && it.begins <= at && at < it.ends)
        };
        let ask = |known: &Addresses, number: usize, at: u64| {
            let found = known.owner(address(number).parse().unwrap(), at * MILLI)?;
            Some((truth(number, at).map(|life| names(found, life)), found.is_certain))
        };
        let mut known = Addresses::new(Limits::default());
        let mut news = news.into_iter().enumerate().peekable();
        while let Some((nth, ((now, _, _), change))) = news.next() {
            known.apply(&change, now * MILLI);
            // Now and then all that is known to exist is told anew.
            if lists.contains(&nth) {
                let exist = lives.iter().filter(|life| life.told <= now && now < life.end_told);
                let all = exist.map(as_told).collect();
                known.apply(&AddressChange::Pods(Update::All(all)), now * MILLI);
            }
            if news.peek().is_some_and(|(_, ((next, _, _), _))| *next == now) {
                continue;
            }
            // What is certain is true as soon as all is told that began until then.
            let late = lives.iter().filter(|life| life.told > now).map(|life| life.begins);
            let complete = late.min().unwrap_or(u64::MAX).min(now);
            for at in moments.range(..complete) {
                for number in 0..3 {
                    prop_assert!(
                        ask(&known, number, *at) != Some((Some(false), true)),
                        "{} at {at}, asked at {now}", told(&known, &address(number), at * MILLI)
                    );
                }
            }
        }
        for at in moments {
            for number in 0..3 {
                // It is known where no other can have had it, by all that was told.
                let Some(truth) = truth(number, at) else { continue };
                let others = || lives.iter().filter(|it| it.address == number && it.name != truth.name);
                let before = others().filter(|life| life.begins < truth.begins);
                let certain = before.map(|life| life.end_told).max().unwrap_or(0);
                let is_later = |life: &Life| life.begins > truth.begins && life.begins / 1000 * 1000 <= at;
                if truth.told <= at && certain <= at && !others().any(is_later) {
                    let is_certain = at >= truth.begins / 1000 * 1000 + 1000;
                    prop_assert_eq!(ask(&known, number, at), Some((Some(true), is_certain)), "at {}", at);
                }
            }
        }
        let last = 1_000_000_000 * MILLI;
        known.apply(&AddressChange::Pods(Update::All(Vec::new())), last);
        known.apply(&AddressChange::Pods(Update::All(Vec::new())), last + 601 * SECOND);
        let figures = known.figures();
        prop_assert_eq!((figures.holders, figures.addresses, figures.past), (0, 0, 0));
        prop_assert_eq!(known.table.texts(), 0);
    }
}
