//! Holders, and the cells that say which address each has since when.

use std::collections::BTreeSet;
use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::doubt::Doubts;
use super::holder::{Bits, Kind, NONE, Owner, Texts, Who, bits};
use super::past::{Interval, Past};
use super::shared::Slots;
use super::{Claim, Figures, Found, Limits};

const SECOND_NS: u64 = 1_000_000_000;

/// Something that has addresses.
#[derive(Clone, Copy, Debug)]
struct Holder {
    who: Who,
    /// Seconds since 1970, 0 if not said.
    started_s: u32,
    /// Its first cell, or [`NONE`].
    first: u32,
    /// Whether it has addresses or ports that are not its alone.
    has_outer: bool,
}

impl Holder {
    fn started_ns(&self) -> u64 {
        u64::from(self.started_s) * SECOND_NS
    }

    /// When it had started for certain.
    fn certain_ns(&self) -> u64 {
        if self.started_s == 0 { 0 } else { self.started_ns() + SECOND_NS }
    }
}

/// An address that somebody has.
#[derive(Clone, Copy, Debug)]
struct Cell {
    bits: Bits,
    from_ns: u64,
    holder: u32,
    /// The next cell of the same holder, or [`NONE`].
    next: u32,
}

#[derive(Debug)]
pub(super) struct Table {
    texts: Texts,
    holders: Slots<Holder>,
    by_name: HashTable<u32>,
    cells: Slots<Cell>,
    by_address: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Claims to what another has who started no earlier; there are hardly ever any.
    waiting: Vec<(u32, Bits)>,
    past: Past,
    limits: Limits,
    forgotten: u64,
    refused: u64,
    pub(super) doubts: Doubts,
}

impl Table {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            texts: Texts::default(),
            holders: Slots::default(),
            by_name: HashTable::new(),
            cells: Slots::default(),
            by_address: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            waiting: Vec::new(),
            past: Past::default(),
            limits,
            forgotten: 0,
            refused: 0,
            doubts: Doubts::default(),
        }
    }

    pub(super) fn figures(&self) -> Figures {
        Figures {
            holders: self.by_name.len(),
            addresses: self.by_address.len(),
            past: self.past.len(),
            forgotten: self.forgotten,
            refused: self.refused,
        }
    }

    #[cfg(test)]
    pub(super) fn texts(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn owner(&self, id: u32) -> Owner<'_> {
        self.texts.owner(&self.holders[id].who)
    }

    /// Who had it then.
    pub(super) fn at(&self, bits: Bits, kind: Kind, at_ns: u64) -> Option<Found<'_>> {
        let now = self.cell(bits, kind).map(|cell| &self.cells[cell]);
        if let Some(cell) = now.filter(|cell| cell.from_ns <= at_ns) {
            let is_certain = self.holders[cell.holder].certain_ns() <= at_ns
                && self.doubts.is_certain(kind, at_ns)
                && !self.is_contested(cell);
            return Some(Found { owner: self.owner(cell.holder), is_certain });
        }
        let then = self.past.at(bits, kind, at_ns)?;
        let is_certain = then.certain_ns <= at_ns;
        Some(Found { owner: self.texts.owner(&then.who), is_certain })
    }

    /// Whether another claims it who started in the same second.
    fn is_contested(&self, cell: &Cell) -> bool {
        let started_s = self.holders[cell.holder].started_s;
        let mut claims = self.waiting.iter().filter(|(_, bits)| *bits == cell.bits);
        claims.any(|(id, _)| self.holders[*id].started_s == started_s)
    }

    /// Whether somebody has it, or is remembered to have had it.
    pub(super) fn is_remembered(&self, bits: Bits) -> bool {
        [Kind::Node, Kind::Pod, Kind::Service]
            .into_iter()
            .any(|kind| self.cell(bits, kind).is_some() || self.past.has(bits, kind))
    }

    pub(super) fn find(&self, claim: &Claim<'_>) -> Option<u32> {
        let who = self.texts.find(claim.kind, claim.namespace, claim.name)?;
        self.by_who(&who)
    }

    /// Holders of a kind that are not among these.
    pub(super) fn others(&self, kind: Kind, known: &BTreeSet<u32>) -> Vec<u32> {
        let all = self.holders.iter().filter(|(_, holder)| holder.who.kind == kind);
        all.map(|(id, _)| id).filter(|id| !known.contains(id)).collect()
    }

    pub(super) fn has_outer(&self, id: u32) -> bool {
        self.holders[id].has_outer
    }

    pub(super) fn set_outer(&mut self, id: u32, has_outer: bool) {
        self.holders[id].has_outer = has_outer;
    }

    /// Ends what the holder no longer claims, or has under other labels.
    pub(super) fn give_up(&mut self, claim: &Claim<'_>, now_ns: u64) {
        let Some(id) = self.find(claim) else { return };
        self.withdraw(id, now_ns);
        let who = self.holders[id].who;
        let wanted: Vec<Bits> = claim.addresses.iter().copied().map(bits).collect();
        let same_labels = self.texts.labels.value(who.labels) == claim.labels;
        let end_ns = self.doubts.certain_until(claim.kind, now_ns);
        for cell in self.cells_of(id) {
            if !wanted.contains(&self.cells[cell].bits) {
                self.end(cell, end_ns, now_ns);
            } else if !same_labels {
                // The same address goes on, under other labels.
                self.close(cell, now_ns, now_ns);
                self.cells[cell].from_ns = now_ns;
            }
        }
        if !same_labels {
            let labels = self.texts.labels.take(claim.labels, Clone::clone);
            self.texts.labels.release(who.labels);
            self.holders[id].who.labels = labels;
        }
        self.drop_idle(id);
    }

    /// Gives the holder what it claims; what it no longer has was ended before.
    pub(super) fn put(&mut self, claim: &Claim<'_>, has_outer: bool, now_ns: u64) -> u32 {
        let id = match self.find(claim) {
            Some(id) => id,
            None => self.add(claim),
        };
        // Not later than was said first, though a container starts again.
        if self.holders[id].first == NONE {
            let started_s = claim.started_unix_s.and_then(|time| u32::try_from(time).ok());
            self.holders[id].started_s = started_s.unwrap_or(0);
        }
        self.holders[id].has_outer = has_outer;
        for address in claim.addresses {
            self.claim(id, bits(*address), now_ns);
        }
        self.drop_idle(id);
        id
    }

    /// Ends all that it has.
    pub(super) fn remove(&mut self, claim: &Claim<'_>, now_ns: u64) {
        if let Some(id) = self.find(claim) {
            self.remove_all(id, now_ns);
        }
    }

    pub(super) fn remove_all(&mut self, id: u32, now_ns: u64) {
        self.withdraw(id, now_ns);
        let end_ns = self.doubts.certain_until(self.holders[id].who.kind, now_ns);
        for cell in self.cells_of(id) {
            self.end(cell, end_ns, now_ns);
        }
        self.holders[id].has_outer = false;
        self.drop_idle(id);
    }

    /// Gives what has become free to those who claimed it in vain.
    pub(super) fn settle(&mut self, now_ns: u64) {
        for (id, bits) in std::mem::take(&mut self.waiting) {
            self.claim(id, bits, now_ns);
        }
    }

    pub(super) fn expire(&mut self, now_ns: u64) {
        let before_ns = now_ns.saturating_sub(self.limits.keep_ns);
        while let Some((who, for_room)) = self.past.forget(before_ns, self.limits.intervals) {
            self.forgotten += u64::from(for_room);
            self.texts.release(&who);
        }
    }

    /// Since when it has the address depends on who had it before.
    fn claim(&mut self, id: u32, bits: Bits, now_ns: u64) {
        let Holder { who, started_s, .. } = self.holders[id];
        let started_ns = self.holders[id].started_ns();
        // Before it was told, if it cannot have been another's.
        let start_ns = if started_s == 0 { now_ns } else { started_ns.min(now_ns) };
        if let Some(cell) = self.cell(bits, who.kind) {
            let holder = self.cells[cell].holder;
            // Of two that claim it, who started later has it: the other's end is still
            // to be told.
            if holder == id {
                return;
            }
            if self.holders[holder].started_s >= started_s {
                self.waiting.push((id, bits));
                self.yield_to(bits, &who, start_ns);
                return;
            }
            let end_ns = start_ns.min(self.doubts.certain_until(who.kind, now_ns));
            self.end(cell, end_ns, now_ns);
            self.drop_idle(holder);
        }
        if self.by_address.len() >= self.limits.addresses {
            self.refused += 1;
            return;
        }
        let from_ns = self.yield_to(bits, &who, start_ns);
        let next = self.holders[id].first;
        let cell = self.cells.add(Cell { bits, from_ns, holder: id, next });
        self.holders[id].first = cell;
        let hash = self.hash_address(bits, who.kind);
        let (cells, holders, hasher) = (&self.cells, &self.holders, &self.hasher);
        self.by_address.insert_unique(hash, cell, |cell| {
            let cell = &cells[*cell];
            hasher.hash_one((cell.bits, holders[cell.holder].who.kind))
        });
    }

    /// Since when it has had the address for all that is remembered of others.
    fn yield_to(&mut self, bits: Bits, who: &Who, start_ns: u64) -> u64 {
        let (from_ns, emptied) = self.past.yield_to(bits, who, start_ns);
        for who in emptied {
            self.texts.release(&who);
        }
        from_ns
    }

    /// Drops what it claims in vain: it may have had that until whoever has it now
    /// started, or until now if that was in the same second.
    fn withdraw(&mut self, id: u32, now_ns: u64) {
        let Holder { who, started_s, .. } = self.holders[id];
        let dropped: Vec<_> = self.waiting.extract_if(.., |(waiting, _)| *waiting == id).collect();
        for (_, bits) in dropped {
            let Some(cell) = self.cell(bits, who.kind) else { continue };
            let holder = &self.holders[self.cells[cell].holder];
            let is_before = started_s < holder.started_s;
            let certain_ns = if is_before { holder.certain_ns().min(now_ns) } else { now_ns };
            let from_ns = &mut self.cells[cell].from_ns;
            *from_ns = certain_ns.max(*from_ns);
        }
    }

    fn add(&mut self, claim: &Claim<'_>) -> u32 {
        let who = self.texts.take(claim.kind, claim.namespace, claim.name, claim.labels);
        let holder = Holder { who, started_s: 0, first: NONE, has_outer: false };
        let id = self.holders.add(holder);
        let hash = self.hash_name(&who);
        let (holders, hasher) = (&self.holders, &self.hasher);
        self.by_name.insert_unique(hash, id, |id| hasher.hash_one(holders[*id].who.key()));
        id
    }

    /// Takes the cell from its holder, and notes until when that had it.
    fn end(&mut self, cell: u32, end_ns: u64, now_ns: u64) {
        self.close(cell, end_ns, now_ns);
        let Cell { bits, holder, next, .. } = self.cells[cell];
        let hash = self.hash_address(bits, self.holders[holder].who.kind);
        if let Ok(entry) = self.by_address.find_entry(hash, |known| *known == cell) {
            entry.remove();
        }
        let first = &mut self.holders[holder].first;
        if *first == cell {
            *first = next;
        } else {
            let before = self.cells_of(holder).into_iter().find(|id| self.cells[*id].next == cell);
            if let Some(before) = before {
                self.cells[before].next = next;
            }
        }
        self.cells.remove(cell);
    }

    fn close(&mut self, cell: u32, end_ns: u64, now_ns: u64) {
        let Cell { bits, from_ns, holder, .. } = self.cells[cell];
        let certain_ns = self.holders[holder].certain_ns();
        let who = self.texts.hold(&self.holders[holder].who);
        // Even where nothing of it is certain: that somebody had it until now is.
        let until_ns = end_ns.max(from_ns);
        self.past.add(bits, Interval { from_ns, certain_ns, until_ns, told_ns: now_ns, who });
    }

    /// Forgets a holder that has nothing.
    fn drop_idle(&mut self, id: u32) {
        let Holder { who, first, has_outer, .. } = self.holders[id];
        if first != NONE || has_outer || self.waiting.iter().any(|(waiting, _)| *waiting == id) {
            return;
        }
        if let Ok(entry) = self.by_name.find_entry(self.hash_name(&who), |known| *known == id) {
            entry.remove();
        }
        self.holders.remove(id);
        self.texts.release(&who);
    }

    fn cell(&self, bits: Bits, kind: Kind) -> Option<u32> {
        let is_it = |cell: &u32| {
            let cell = &self.cells[*cell];
            cell.bits == bits && self.holders[cell.holder].who.kind == kind
        };
        self.by_address.find(self.hash_address(bits, kind), is_it).copied()
    }

    fn by_who(&self, who: &Who) -> Option<u32> {
        let is_it = |id: &u32| self.holders[*id].who.is_same(who);
        self.by_name.find(self.hash_name(who), is_it).copied()
    }

    fn cells_of(&self, id: u32) -> Vec<u32> {
        let first = self.holders[id].first;
        let some = |cell: u32| (cell != NONE).then_some(cell);
        std::iter::successors(some(first), |cell| some(self.cells[*cell].next)).collect()
    }

    fn hash_address(&self, bits: Bits, kind: Kind) -> u64 {
        self.hasher.hash_one((bits, kind))
    }

    fn hash_name(&self, who: &Who) -> u64 {
        self.hasher.hash_one(who.key())
    }
}
