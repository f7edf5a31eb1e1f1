//! What processes did last, as far as the rules were shown it: what alerts tell of the
//! time before them.
//!
//! Memory is bounded: by the number of deeds of a process, and in all by forgetting those
//! processes first that have done nothing for longest. What is forgotten is counted.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::event::Deed;
use crate::event::deed::Object;
use crate::process::Ancestor;

/// Bytes of all deeds that are kept, at most.
const BYTES: usize = 8 << 20;
/// Bytes that a process takes beside its deeds.
const OF_PROCESS: usize = 96;
/// Deeds that one alert tells of at most, those of the nearest processes first.
const OF_ALERT: usize = 64;

/// Id and start of a process.
type Key = (u32, u64);

/// What one process did last.
#[derive(Debug, Default)]
struct Trail {
    deeds: VecDeque<Deed>,
    /// Older ones that are forgotten.
    dropped: u32,
}

impl Trail {
    /// Takes out the oldest deed, but not which program the process became last: all that
    /// follows is to be read with it, and a program that is begun opens many files.
    fn forget(&mut self) -> Option<Deed> {
        let is_program = |deed: &Deed| matches!(deed.object, Object::Program(_));
        let is_last = self.deeds.front().is_some_and(is_program)
            && !self.deeds.iter().skip(1).any(is_program);
        self.deeds.remove(usize::from(is_last && self.deeds.len() > 1))
    }
}

/// What was forgotten, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Forgotten {
    /// As its process did so many others since.
    pub(super) of_process: u64,
    /// For want of room.
    pub(super) of_room: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Deeds {
    most: usize,
    half: usize,
    /// Those of the last time that half of the room was filled, and those of before.
    young: HashMap<Key, Trail>,
    old: HashMap<Key, Trail>,
    young_bytes: usize,
    forgotten: Forgotten,
}

impl Deeds {
    /// `most`: deeds of a process; 0: none.
    pub(super) fn new(most: usize) -> Self {
        Self::within(most, BYTES)
    }

    fn within(most: usize, bytes: usize) -> Self {
        Self {
            most,
            half: bytes / 2,
            young: HashMap::new(),
            old: HashMap::new(),
            young_bytes: 0,
            forgotten: Forgotten::default(),
        }
    }

    /// Keeps so many of each process from now on; 0: none.
    pub(super) fn keep(&mut self, most: usize) {
        if most == 0 {
            *self = Self { forgotten: self.forgotten, ..Self::within(0, 2 * self.half) };
            return;
        }
        self.most = most;
        for trail in self.young.values_mut().chain(self.old.values_mut()) {
            while trail.deeds.len() > most && trail.forget().is_some() {
                trail.dropped = trail.dropped.saturating_add(1);
                self.forgotten.of_process += 1;
            }
        }
        let bytes = |trail: &Trail| OF_PROCESS + trail.deeds.iter().map(Deed::bytes).sum::<usize>();
        self.young_bytes = self.young.values().map(bytes).sum();
    }

    /// Whether any are kept.
    pub(super) const fn are_kept(&self) -> bool {
        self.most > 0
    }

    /// What was forgotten.
    pub(super) const fn forgotten(&self) -> Forgotten {
        self.forgotten
    }

    /// Remembers what a process did.
    pub(super) fn note(&mut self, who: Key, deed: Deed) {
        if self.most == 0 {
            return;
        }
        let (old, bytes) = (&mut self.old, &mut self.young_bytes);
        let trail = self.young.entry(who).or_insert_with(|| {
            let trail = old.remove(&who).unwrap_or_default();
            *bytes += OF_PROCESS + trail.deeds.iter().map(Deed::bytes).sum::<usize>();
            trail
        });
        if let Some(last) = trail.deeds.back_mut().filter(|last| last.is_like(&deed)) {
            last.time_unix_ns = deed.time_unix_ns;
            last.times = last.times.saturating_add(1);
            return;
        }
        if trail.deeds.len() == self.most
            && let Some(first) = trail.forget()
        {
            *bytes -= first.bytes();
            trail.dropped = trail.dropped.saturating_add(1);
            self.forgotten.of_process += 1;
        }
        *bytes += deed.bytes();
        trail.deeds.push_back(deed);
        if self.young_bytes > self.half {
            let young = std::mem::take(&mut self.young);
            let lost = std::mem::replace(&mut self.old, young);
            self.young_bytes = 0;
            let lost = lost.values().map(|trail| trail.deeds.len() as u64);
            self.forgotten.of_room += lost.sum::<u64>();
        }
    }

    /// Tells what each of a lineage did, the actor first, until a time (nanoseconds since
    /// 1970). `boot_unix_ns`: as for the lineage.
    pub(super) fn tell(&self, lineage: &mut [Ancestor], until_unix_ns: u64, boot_unix_ns: u64) {
        let mut room = OF_ALERT;
        for process in lineage {
            let key = (process.pid, process.start_unix_ns.saturating_sub(boot_unix_ns));
            let Some(trail) = self.young.get(&key).or_else(|| self.old.get(&key)) else { continue };
            let told = trail.deeds.iter().filter(|deed| deed.time_unix_ns <= until_unix_ns);
            let left_out = told.clone().count().saturating_sub(room);
            process.deeds = told.skip(left_out).cloned().collect();
            room -= process.deeds.len();
            let left_out = u32::try_from(left_out).unwrap_or(u32::MAX);
            process.deeds_dropped = trail.dropped.saturating_add(left_out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Deeds, Forgotten, OF_ALERT, OF_PROCESS};
    use crate::event::Deed;
    use crate::event::deed::{Access, Object};
    use crate::process::Ancestor;

    fn deed(time_unix_ns: u64, path: &str) -> Deed {
        Deed {
            time_unix_ns,
            event: "open".into(),
            object: Object::File { path: path.to_owned(), access: Access::default() },
            error: None,
            times: 1,
        }
    }

    fn program(time_unix_ns: u64) -> Deed {
        Deed {
            event: "execve".into(),
            object: Object::Program("/bin/sh".to_owned()),
            ..deed(time_unix_ns, "")
        }
    }

    fn process(pid: u32, start_unix_ns: u64) -> Ancestor {
        Ancestor { pid, start_unix_ns, ..Ancestor::default() }
    }

    /// Times, repeats and number of the dropped ones of each process.
    fn told(deeds: &Deeds, until: u64, pids: &[u32]) -> Vec<(Vec<(u64, u32)>, u32)> {
        let mut lineage: Vec<Ancestor> = pids.iter().map(|pid| process(*pid, 1007)).collect();
        deeds.tell(&mut lineage, until, 1000);
        let times = |it: &Deed| (it.time_unix_ns, it.times);
        lineage.iter().map(|it| (it.deeds.iter().map(times).collect(), it.deeds_dropped)).collect()
    }

    #[test]
    fn the_last_ones_of_a_process_are_told_until_a_time() {
        let mut deeds = Deeds::new(3);
        for time in 0..5 {
            deeds.note((1, 7), deed(time, &time.to_string()));
            deeds.note((2, 7), deed(time, "same"));
        }
        // Another process that had the id.
        deeds.note((1, 8), deed(9, "other"));
        let expected = [(vec![(2, 1), (3, 1)], 2), (vec![], 0), (vec![], 0)];
        assert_eq!(told(&deeds, 3, &[1, 2, 3]), expected);
        assert_eq!(told(&deeds, 4, &[2]), [(vec![(4, 5)], 0)]);
        assert_eq!(deeds.forgotten(), Forgotten { of_process: 2, of_room: 0 });
    }

    #[test]
    fn the_last_program_that_was_begun_is_not_forgotten_for_what_it_did() {
        let times = |most: usize, programs: &[u64], all: u64| {
            let mut deeds = Deeds::new(most);
            for time in 0..all {
                let is_program = programs.contains(&time);
                let deed = if is_program { program(time) } else { deed(time, &time.to_string()) };
                deeds.note((1, 7), deed);
            }
            let (told, dropped) = told(&deeds, all, &[1]).remove(0);
            assert_eq!(told.len() as u64 + u64::from(dropped), all);
            told.into_iter().map(|(time, _)| time).collect::<Vec<u64>>()
        };
        assert_eq!(times(3, &[0], 6), [0, 4, 5]);
        assert_eq!(times(3, &[0, 3], 6), [3, 4, 5]);
        assert_eq!(times(3, &[1], 4), [1, 2, 3]);
        assert_eq!(times(3, &[1], 9), [1, 7, 8]);
        assert_eq!(times(1, &[0], 2), [1]);
    }

    #[test]
    fn an_alert_tells_so_many_and_the_nearest_first() {
        let mut deeds = Deeds::new(OF_ALERT);
        for time in 0..OF_ALERT as u64 {
            deeds.note((1, 7), deed(time, &time.to_string()));
            deeds.note((2, 7), deed(time, &time.to_string()));
        }
        let found = told(&deeds, 9, &[1, 2]);
        assert_eq!((found[0].0.len(), found[1].0.len()), (10, 10));
        let found = told(&deeds, 59, &[1, 2]);
        assert_eq!((found[0].0.len(), found[0].1), (60, 0));
        assert_eq!((&found[1].0, found[1].1), (&vec![(56, 1), (57, 1), (58, 1), (59, 1)], 56));
    }

    #[test]
    fn memory_is_bounded_and_who_did_something_lately_is_remembered() {
        const BYTES: usize = 64 << 10;
        let mut deeds = Deeds::within(4, BYTES);
        for round in 0..10_000_u32 {
            deeds.note((1, 7), deed(1, &round.to_string()));
            deeds.note((10 + round, 7), deed(1, &"x".repeat(200)));
            let all = deeds.young.values().chain(deeds.old.values());
            let held: usize =
                all.flat_map(|trail| trail.deeds.iter()).map(Deed::bytes).sum::<usize>();
            assert!(held <= BYTES + 1024, "{round}: {held}");
        }
        let found = told(&deeds, 1, &[1, 10, 10_009]);
        assert_eq!((found[0].0.len(), found[0].1), (4, 9996));
        assert_eq!((found[1].0.len(), found[2].0.len()), (0, 1));
        let Forgotten { of_process, of_room } = deeds.forgotten();
        let kept = deeds.young.len() + deeds.old.len();
        assert_eq!((of_process, of_room), (9996, 10_001 - kept as u64));
    }

    #[test]
    fn others_are_kept_from_when_that_is_asked() {
        let mut deeds = Deeds::new(4);
        for time in 0..4 {
            deeds.note((1, 7), deed(time, &time.to_string()));
        }
        deeds.keep(2);
        assert_eq!(told(&deeds, 9, &[1]), [(vec![(2, 1), (3, 1)], 2)]);
        assert_eq!(deeds.young_bytes, OF_PROCESS + 2 * deed(0, "0").bytes());
        deeds.keep(3);
        deeds.note((1, 7), deed(4, "4"));
        deeds.note((1, 7), deed(5, "5"));
        assert_eq!(told(&deeds, 9, &[1]), [(vec![(3, 1), (4, 1), (5, 1)], 3)]);
        deeds.keep(0);
        deeds.note((1, 7), deed(6, "6"));
        assert!(!deeds.are_kept());
        deeds.keep(3);
        assert_eq!(told(&deeds, 9, &[1]), [(vec![], 0)]);
        assert_eq!(deeds.forgotten(), Forgotten { of_process: 3, of_room: 0 });
    }

    #[test]
    fn none_are_kept_where_nobody_asks() {
        let mut deeds = Deeds::new(0);
        deeds.note((1, 7), deed(1, "a"));
        assert!(!deeds.are_kept());
        assert_eq!(told(&deeds, 1, &[1]), [(vec![], 0)]);
    }
}
