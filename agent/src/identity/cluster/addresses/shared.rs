//! Values that many hold, stored once, and slots that are used again.

use std::borrow::Borrow;
use std::hash::{BuildHasher as _, Hash};
use std::ops::{Index, IndexMut};

use hashbrown::{DefaultHashBuilder, HashTable};

/// A value in [`Shared`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Symbol(u32);

/// Values, each stored once and counted.
#[derive(Debug)]
pub(super) struct Shared<T> {
    values: Slots<(T, u32)>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self {
            values: Slots::default(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl<T: Hash + Eq> Shared<T> {
    /// The value's symbol, held once more.
    pub(super) fn take<Q>(&mut self, value: &Q, own: impl FnOnce(&Q) -> T) -> Symbol
    where
        T: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if let Some(symbol) = self.find(value) {
            return self.hold(symbol);
        }
        let at = self.values.add((own(value), 1));
        let (values, hasher) = (&self.values, &self.hasher);
        let hash = hasher.hash_one(value);
        self.index.insert_unique(hash, at, |at| hasher.hash_one(values[*at].0.borrow()));
        Symbol(at)
    }

    /// The value's symbol, if anybody holds it.
    pub(super) fn find<Q>(&self, value: &Q) -> Option<Symbol>
    where
        T: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.hasher.hash_one(value);
        self.index.find(hash, |at| self.values[*at].0.borrow() == value).map(|at| Symbol(*at))
    }

    /// Holds it once more.
    pub(super) fn hold(&mut self, symbol: Symbol) -> Symbol {
        self.values[symbol.0].1 += 1;
        symbol
    }

    /// Holds it once less.
    pub(super) fn release(&mut self, symbol: Symbol) {
        let (_, holders) = &mut self.values[symbol.0];
        *holders -= 1;
        if *holders > 0 {
            return;
        }
        let hash = self.hasher.hash_one(self.values[symbol.0].0.borrow());
        if let Ok(entry) = self.index.find_entry(hash, |at| *at == symbol.0) {
            entry.remove();
        }
        self.values.remove(symbol.0);
    }

    pub(super) fn value(&self, symbol: Symbol) -> &T {
        &self.values[symbol.0].0
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }
}

/// Values by their place; a place is used again.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    pub(super) fn add(&mut self, value: T) -> u32 {
        if let Some(at) = self.free.pop() {
            self.slots[at as usize] = Some(value);
            return at;
        }
        if self.slots.len() == self.slots.capacity() {
            // Twice as much, as a vector takes by itself, may be half empty.
            self.slots.reserve_exact(self.slots.len() / 8 + 16);
        }
        self.slots.push(Some(value));
        u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 objects")
    }

    pub(super) fn remove(&mut self, at: u32) -> T {
        self.free.push(at);
        self.slots[at as usize].take().expect("a slot that is in use")
    }

    /// All that are in use.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.slots).filter_map(|(at, slot)| Some((at, slot.as_ref()?)))
    }
}

impl<T> Index<u32> for Slots<T> {
    type Output = T;

    fn index(&self, at: u32) -> &T {
        self.slots[at as usize].as_ref().expect("a slot that is in use")
    }
}

impl<T> IndexMut<u32> for Slots<T> {
    fn index_mut(&mut self, at: u32) -> &mut T {
        self.slots[at as usize].as_mut().expect("a slot that is in use")
    }
}
