//! Objects by a key, with a memory of those that are gone.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::change::Update;
use super::object::{Namespace, Pod};

/// What has a place on a shelf.
pub(super) trait Kept {
    /// What tells it from all others.
    fn key(&self) -> &str;

    /// Whether another state of the same says anything else of who it is.
    fn says_other_than(&self, other: &Self) -> bool;
}

impl Kept for Pod {
    fn key(&self) -> &str {
        &self.uid
    }

    fn says_other_than(&self, other: &Self) -> bool {
        Self::says_other_than(self, other)
    }
}

impl Kept for Namespace {
    fn key(&self) -> &str {
        &self.name
    }

    fn says_other_than(&self, other: &Self) -> bool {
        self != other
    }
}

/// Objects by their keys. It holds at most so many living and so many gone ones.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    entries: HashMap<Box<str>, Entry<T>>,
    /// When something went, and what, oldest first. What has come back since is still
    /// here, and no longer meant.
    gone: VecDeque<(u64, Box<str>)>,
    living: usize,
    max_living: usize,
    max_gone: usize,
}

#[derive(Debug)]
struct Entry<T> {
    object: Arc<T>,
    gone_ns: Option<u64>,
}

/// What became of news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Something is not as it was before.
    pub(super) is_news: bool,
    /// How many found no room.
    pub(super) refused: u64,
    /// How many of the gone were forgotten to make room.
    pub(super) forgotten: u64,
}

impl<T: Kept> Shelf<T> {
    pub(super) fn new(max_living: usize, max_gone: usize) -> Self {
        Self { entries: HashMap::new(), gone: VecDeque::new(), living: 0, max_living, max_gone }
    }

    /// Takes news. What is told of something at its end counts only when nothing was
    /// told of it before, so that nothing changes with the end.
    pub(super) fn apply(&mut self, update: Update<T>, now_ns: u64) -> Taken {
        let mut taken = Taken::default();
        match update {
            Update::Put(object) => self.put(object, &mut taken),
            Update::Gone(object) => {
                let key: Box<str> = object.key().into();
                if !self.entries.contains_key(&key) {
                    self.put(object, &mut taken);
                }
                self.let_go(&key, now_ns, &mut taken);
            }
            Update::All(objects) => {
                let staying: HashSet<&str> = objects.iter().map(T::key).collect();
                let mut leaving: Vec<Box<str>> = self
                    .living()
                    .map(|object| object.key())
                    .filter(|key| !staying.contains(key))
                    .map(Box::from)
                    .collect();
                leaving.sort_unstable();
                for key in leaving {
                    self.let_go(&key, now_ns, &mut taken);
                }
                for object in objects {
                    self.put(object, &mut taken);
                }
            }
        }
        taken
    }

    fn put(&mut self, object: T, taken: &mut Taken) {
        let old = self.entries.get(object.key());
        if old.is_none_or(|entry| entry.gone_ns.is_some()) {
            if self.living >= self.max_living {
                taken.refused += 1;
                return;
            }
            self.living += 1;
        }
        taken.is_news |= old.is_none_or(|entry| entry.object.says_other_than(&object));
        let key = object.key().into();
        self.entries.insert(key, Entry { object: Arc::new(object), gone_ns: None });
    }

    fn let_go(&mut self, key: &str, now_ns: u64, taken: &mut Taken) {
        let Some(entry) = self.entries.get_mut(key).filter(|entry| entry.gone_ns.is_none()) else {
            return;
        };
        entry.gone_ns = Some(now_ns);
        self.living -= 1;
        self.gone.push_back((now_ns, key.into()));
        while self.gone.len() > self.max_gone {
            taken.forgotten += u64::from(self.forget_oldest());
        }
    }

    /// Forgets what has been gone since before a time.
    pub(super) fn forget_gone_before(&mut self, time_ns: u64) {
        while self.gone.front().is_some_and(|(gone_ns, _)| *gone_ns < time_ns) {
            self.forget_oldest();
        }
    }

    /// Forgets the first of the queue. Returns false when it had come back.
    fn forget_oldest(&mut self) -> bool {
        let Some((gone_ns, key)) = self.gone.pop_front() else { return false };
        let is_meant = self.entries.get(&key).is_some_and(|it| it.gone_ns == Some(gone_ns));
        is_meant && self.entries.remove(&key).is_some()
    }

    /// The object of a key, living or gone.
    pub(super) fn get(&self, key: &str) -> Option<&Arc<T>> {
        self.entries.get(key).map(|entry| &entry.object)
    }

    /// All objects, each with whether it lives, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Arc<T>, bool)> {
        self.entries.values().map(|entry| (&entry.object, entry.gone_ns.is_none()))
    }

    /// The living, in no order.
    pub(super) fn living(&self) -> impl Iterator<Item = &Arc<T>> {
        self.all().filter(|(_, lives)| *lives).map(|(object, _)| object)
    }
}
