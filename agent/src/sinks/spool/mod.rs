//! What waits on the disk to be delivered: a bounded queue that outlives the agent.
//!
//! Entries come out in the order in which they came in. When there is no room, the
//! oldest of the least urgent go, counted by urgency; a file that was damaged is put
//! aside, counted, and the others go on. It never knows what an entry says or who gets
//! it.

mod index;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use index::{Index, Place};
use segment::Segment;

pub use index::URGENCIES;

/// Files that a spool is divided into, about.
const SEGMENTS: u64 = 16;
/// A database grows from this by doubling, bytes.
const FILE_MIN: u64 = 1 << 20;
/// Of a file the hundredth parts that are filled, so that it does not grow further: a
/// text takes up to twice its bytes, as it has pages of a power of two for itself.
const FILLED: u64 = 45;
/// The file of an entry that is in none yet.
const NOWHERE: u64 = u64::MAX;
/// How a file's name ends.
const EXTENSION: &str = "spool";
/// How that of a damaged one ends.
const DAMAGED: &str = "damaged";

/// Why a spool does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// A file of it.
    #[error("{}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: Box<redb::Error>,
    },
    /// The folder, or a file as a whole.
    #[error("{}: {reason}", .path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong with it.
        reason: io::Error,
    },
}

impl SpoolError {
    fn file(path: &Path, reason: redb::Error) -> Self {
        Self::File { path: path.to_owned(), reason: Box::new(reason) }
    }

    fn folder(path: &Path, reason: io::Error) -> Self {
        Self::Folder { path: path.to_owned(), reason }
    }
}

/// Whether an error says that a file is not what was written.
fn is_damage(error: &redb::Error) -> bool {
    match error {
        redb::Error::Io(error) => {
            matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
        }
        redb::Error::DatabaseAlreadyOpen | redb::Error::PreviousIo => false,
        _ => true,
    }
}

/// Something to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<T = Vec<u8>> {
    /// How urgent it is: 0 is dropped last, [`URGENCIES`]` - 1` first; higher ones count
    /// as that.
    pub urgency: u8,
    /// What it says.
    pub text: T,
}

/// What became of the entries of a spool since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Entries that wait.
    pub entries: u64,
    /// Their texts and what comes with each, bytes.
    pub bytes: u64,
    /// Dropped for want of room, or with a file that was damaged, by urgency.
    pub dropped: [u64; URGENCIES],
    /// Lost, as the disk did not take them.
    pub unwritten: u64,
    /// Files that were put aside, as they could not be read.
    pub damaged: u64,
}

/// A queue in a folder of its own.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    /// Bytes of texts at most, in all and in one file.
    room: u64,
    segment_room: u64,
    segments: BTreeMap<u64, Segment>,
    index: Index,
    next: u64,
    dropped: [u64; URGENCIES],
    unwritten: u64,
    damaged: u64,
}

impl Spool {
    /// Opens what is in a folder, which is made when missing. Only one may have it open.
    /// `disk`: bytes that its files may have together.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, read or written. Files that are damaged are no
    /// error.
    pub fn open(folder: &Path, disk: u64) -> Result<Self, SpoolError> {
        fs::create_dir_all(folder).map_err(|error| SpoolError::folder(folder, error))?;
        let file = (disk / SEGMENTS).max(FILE_MIN);
        let file = FILE_MIN << (file / FILE_MIN).ilog2();
        let mut spool = Self {
            folder: folder.to_owned(),
            // The half, as a file is only written anew when half of it is left.
            room: disk * FILLED / 100 / 2,
            segment_room: file * FILLED / 100,
            segments: BTreeMap::new(),
            index: Index::default(),
            next: 0,
            dropped: [0; URGENCIES],
            unwritten: 0,
            damaged: 0,
        };
        for id in spool.ids()? {
            let path = spool.path(id);
            match Segment::open(path.clone()) {
                Ok((segment, found)) => spool.take(id, segment, found),
                Err(SpoolError::File { reason, .. }) if is_damage(&reason) => {
                    spool.put_aside(&path, &reason)?;
                }
                // Another agent has it, or the disk does not answer: it may be sound.
                Err(error) => return Err(error),
            }
        }
        if let Err(error) = spool.tidy(None) {
            // There is less room on the disk than there should be, and no more than that.
            tracing::warn!(%error, "a queue cannot be tidied");
        }
        Ok(spool)
    }

    fn path(&self, id: u64) -> PathBuf {
        self.folder.join(format!("{id:016}.{EXTENSION}"))
    }

    /// The files there are.
    fn ids(&self) -> Result<Vec<u64>, SpoolError> {
        let failed = |error| SpoolError::folder(&self.folder, error);
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            if path.extension().is_some_and(|it| it == EXTENSION)
                && let Some(id) = stem.and_then(|stem| stem.parse().ok())
            {
                ids.push(id);
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    fn take(&mut self, id: u64, segment: Segment, found: segment::Found) {
        for (number, urgency, bytes) in found {
            self.next = self.next.max(number + 1);
            self.index.add(number, Place::new(id, urgency, bytes));
        }
        self.segments.insert(id, segment);
    }

    /// Keeps a damaged file for whoever wants to look at it; only the last one.
    fn put_aside(&mut self, path: &Path, reason: &redb::Error) -> Result<(), SpoolError> {
        let aside = self.folder.join(DAMAGED);
        fs::rename(path, &aside).map_err(|error| SpoolError::folder(path, error))?;
        self.damaged += 1;
        tracing::error!(file = %path.display(), %reason, "what waited in a file is lost");
        Ok(())
    }

    /// Adds entries. They are on the disk when this returns; those for which there is no
    /// room, and those that the disk does not take, are counted.
    ///
    /// # Errors
    ///
    /// When some cannot be written, or what goes for them not be removed.
    pub fn append<T: AsRef<[u8]>>(&mut self, entries: &[Entry<T>]) -> Result<(), SpoolError> {
        let first = self.next;
        for (number, entry) in (first..).zip(entries) {
            let bytes = entry.text.as_ref().len();
            self.index.add(number, Place::new(NOWHERE, entry.urgency, bytes));
        }
        self.next += entries.len() as u64;
        let mut victims = Vec::new();
        while self.index.bytes() > self.room
            && let Some((number, place)) = self.index.pop_least_urgent()
        {
            self.dropped[place.rank()] += 1;
            victims.push((number, place));
        }
        let new =
            (first..).zip(entries).map(|(it, entry)| (it, entry.urgency, entry.text.as_ref()));
        let written = self.write(new);
        if written.is_err() {
            // Those that got into no file.
            self.unwritten += self.index.remove_segment(NOWHERE).len() as u64;
        }
        self.index.forget_segment(NOWHERE);
        let forgotten = self.forget(victims.into_iter().filter(|(number, _)| *number < first));
        written.and(forgotten)
    }

    /// Writes those of entries that are still wanted. After an error they are where they
    /// were, but for those that had been written before it.
    fn write<'a>(
        &mut self,
        entries: impl Iterator<Item = (u64, u8, &'a [u8])>,
    ) -> Result<(), SpoolError> {
        let wanted: Vec<_> = entries.filter(|entry| self.index.has(entry.0)).collect();
        let mut entries = wanted.into_iter().peekable();
        while entries.peek().is_some() {
            let (id, mut room) = self.open_segment()?;
            let mut batch = Vec::new();
            while let Some(entry) = entries.next_if(|_| room > 0) {
                room = room.saturating_sub(index::cost(entry.2.len()));
                batch.push(entry);
            }
            if let Some(segment) = self.segments.get_mut(&id) {
                segment.put(batch.iter().copied())?;
            }
            for (number, ..) in batch {
                self.index.relocate(number, id);
            }
        }
        Ok(())
    }

    /// The file that is written, and what may go into it.
    fn open_segment(&mut self) -> Result<(u64, u64), SpoolError> {
        let last = self.segments.last_key_value().map(|(&id, _)| id);
        if let Some(id) = last {
            let used = self.index.written(id);
            if used < self.segment_room {
                return Ok((id, self.segment_room - used));
            }
        }
        let id = last.map_or(0, |id| id + 1);
        let (segment, _) = Segment::open(self.path(id)).inspect_err(|_| {
            // The half of a file would be taken for a damaged one; there may be none at all.
            fs::remove_file(self.path(id)).ok();
        })?;
        self.segments.insert(id, segment);
        Ok((id, self.segment_room))
    }

    /// The oldest entries: at most so many, and of at most so many bytes but at least one.
    /// They are on their way from now on, and do not go for want of room, until they are
    /// given back or asked for again: what arrives was not dropped.
    ///
    /// # Errors
    ///
    /// When a file cannot be read. The entries of one that is damaged are dropped, counted,
    /// and it is put aside, so that the next call goes on behind it.
    pub fn peek(&mut self, entries: usize, bytes: u64) -> Result<Vec<(u64, Vec<u8>)>, SpoolError> {
        self.give_back();
        let mut texts = Vec::new();
        for (id, numbers) in self.index.oldest(entries, bytes) {
            let Some(segment) = self.segments.get_mut(&id) else { continue };
            match segment.get(&numbers) {
                Ok(found) => {
                    self.miss(&numbers, &found);
                    texts.extend(found);
                }
                Err(error) => {
                    if let SpoolError::File { reason, .. } = &error
                        && is_damage(reason)
                    {
                        self.give_up(id, reason);
                    }
                    return Err(error);
                }
            }
        }
        texts.sort_unstable_by_key(|(number, _)| *number);
        self.index.lend(texts.iter().map(|(number, _)| *number));
        Ok(texts)
    }

    /// Says that nothing is on its way.
    pub fn give_back(&mut self) {
        self.index.take_back();
    }

    /// Drops what a file should have and has not.
    fn miss(&mut self, wanted: &[u64], found: &[(u64, Vec<u8>)]) {
        let is_found = |number: &&u64| found.binary_search_by_key(*number, |it| it.0).is_ok();
        for number in wanted.iter().filter(|number| !is_found(number)) {
            if let Some(place) = self.index.remove(*number) {
                self.dropped[place.rank()] += 1;
            }
        }
    }

    /// Drops a file that cannot be read any more.
    fn give_up(&mut self, id: u64, reason: &redb::Error) {
        for place in self.index.remove_segment(id) {
            self.dropped[place.rank()] += 1;
        }
        let Some(segment) = self.segments.remove(&id) else { return };
        let path = segment.path().to_owned();
        drop(segment);
        if let Err(error) = self.put_aside(&path, reason) {
            tracing::error!(%error, "a damaged file stays where it is");
        }
    }

    /// Forgets what was delivered.
    ///
    /// # Errors
    ///
    /// When that cannot be written; they will be delivered again after a restart.
    pub fn remove(&mut self, numbers: &[u64]) -> Result<(), SpoolError> {
        let gone = numbers.iter().filter_map(|&it| Some((it, self.index.remove(it)?)));
        let gone: Vec<_> = gone.collect();
        self.forget(gone.into_iter())
    }

    /// Takes what the index has forgotten out of the files.
    fn forget(&mut self, gone: impl Iterator<Item = (u64, Place)>) -> Result<(), SpoolError> {
        let mut by_segment: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (number, place) in gone {
            by_segment.entry(place.segment).or_default().push(number);
        }
        let current = self.segments.last_key_value().map(|(&id, _)| id);
        for (id, numbers) in by_segment {
            // A file that is empty goes as a whole.
            if (Some(id) == current || self.index.held(id) > 0)
                && let Some(segment) = self.segments.get_mut(&id)
            {
                segment.remove(&numbers)?;
            }
        }
        self.tidy(current)
    }

    /// Removes files in which nothing is left, and writes anew those in which there is
    /// little; not the one that is written.
    fn tidy(&mut self, current: Option<u64>) -> Result<(), SpoolError> {
        let little = |it: &u64| self.index.held(*it) * 2 <= self.index.written(*it);
        let spent: Vec<u64> =
            self.segments.keys().copied().filter(|id| Some(*id) != current && little(id)).collect();
        for id in spent {
            let numbers = self.index.numbers(id);
            if !numbers.is_empty()
                && let Some(segment) = self.segments.get_mut(&id)
            {
                let texts = segment.get(&numbers)?;
                self.miss(&numbers, &texts);
                let urgencies: Vec<u8> =
                    texts.iter().map(|(number, _)| self.index.urgency(*number)).collect();
                let moved = texts.iter().zip(urgencies);
                self.write(moved.map(|((number, text), urgency)| (*number, urgency, &**text)))?;
            }
            self.index.forget_segment(id);
            if let Some(segment) = self.segments.remove(&id) {
                segment.delete()?;
            }
        }
        Ok(())
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.len() == 0
    }

    /// Bytes of its files.
    #[must_use]
    pub fn disk(&self) -> u64 {
        self.segments.values().map(Segment::len).sum()
    }

    /// What became of its entries.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            entries: self.index.len(),
            bytes: self.index.bytes(),
            dropped: self.dropped,
            unwritten: self.unwritten,
            damaged: self.damaged,
        }
    }
}
