//! One file of a spool: entries by their number.
//!
//! The file is a database of redb, whose commits are whole or not at all and whose pages
//! carry checksums; what an entry means and which is to be dropped is the spool's.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use redb::{Database, Durability, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use super::SpoolError;

/// Number → urgency and text.
const ENTRIES: TableDefinition<'_, u64, (u8, &[u8])> = TableDefinition::new("entries");
/// Memory for pages of one file. Entries are read about once, so that more helps nobody.
const CACHE: usize = 64 << 10;

/// After an error of the disk, a file is not tried again for so long: opening one means to
/// check all of it.
const AGAIN: Duration = Duration::from_secs(1);

/// One file.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    state: State,
}

#[derive(Debug)]
enum State {
    Open(Database),
    /// Closed since then, as the disk did not do what it was asked to: a database takes
    /// nothing more after that until it is opened again.
    Failed(Instant),
}

/// What is in a file, without the texts.
pub(super) type Found = Vec<(u64, u8, usize)>;

impl Segment {
    /// Makes or opens a file, and tells what is in it.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Found), SpoolError> {
        let opened = database(&path).and_then(|file| Ok((found(&file)?, file)));
        let (found, file) = opened.map_err(|error| SpoolError::file(&path, error))?;
        Ok((Self { path, state: State::Open(file) }, found))
    }

    /// Adds entries, all of them or none. They are on the disk when this returns.
    pub(super) fn put<'a>(
        &mut self,
        entries: impl IntoIterator<Item = (u64, u8, &'a [u8])>,
    ) -> Result<(), SpoolError> {
        self.write(|table| {
            for (number, urgency, text) in entries {
                table.insert(number, (urgency, text))?;
            }
            Ok(())
        })
    }

    /// Forgets entries.
    pub(super) fn remove(&mut self, numbers: &[u64]) -> Result<(), SpoolError> {
        self.write(|table| {
            for number in numbers {
                table.remove(number)?;
            }
            Ok(())
        })
    }

    fn write(
        &mut self,
        act: impl FnOnce(&mut redb::Table<'_, u64, (u8, &'static [u8])>) -> Result<(), redb::Error>,
    ) -> Result<(), SpoolError> {
        self.act(|file| {
            let mut transaction = file.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            act(&mut transaction.open_table(ENTRIES)?)?;
            Ok(transaction.commit()?)
        })
    }

    /// The texts of entries, in their order; what is not there is left out.
    pub(super) fn get(&mut self, numbers: &[u64]) -> Result<Vec<(u64, Vec<u8>)>, SpoolError> {
        self.act(|file| {
            let table = match file.begin_read()?.open_table(ENTRIES) {
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
                table => table?,
            };
            let mut texts = Vec::with_capacity(numbers.len());
            for &number in numbers {
                if let Some(entry) = table.get(number)? {
                    texts.push((number, entry.value().1.to_vec()));
                }
            }
            Ok(texts)
        })
    }

    fn act<T>(
        &mut self,
        act: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, SpoolError> {
        if let State::Failed(since) = self.state
            && since.elapsed() >= AGAIN
        {
            self.state = match database(&self.path) {
                Ok(file) => State::Open(file),
                Err(error) => return Err(self.failed(error)),
            };
        }
        let done = match &self.state {
            State::Open(file) => act(file),
            State::Failed(_) => Err(redb::Error::PreviousIo),
        };
        done.map_err(|error| self.failed(error))
    }

    fn failed(&mut self, error: redb::Error) -> SpoolError {
        if matches!(error, redb::Error::Io(_)) {
            self.state = State::Failed(Instant::now());
        }
        SpoolError::file(&self.path, error)
    }

    /// Bytes of the file.
    pub(super) fn len(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |it| it.len())
    }

    /// Removes the file.
    pub(super) fn delete(self) -> Result<(), SpoolError> {
        let Self { path, state } = self;
        drop(state);
        fs::remove_file(&path).map_err(|error| SpoolError::folder(&path, error))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn database(path: &Path) -> Result<Database, redb::Error> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
    Ok(builder.create(path)?)
}

fn found(file: &Database) -> Result<Found, redb::Error> {
    let table = match file.begin_read()?.open_table(ENTRIES) {
        Ok(table) => table,
        // Of an agent that ended before its first entry.
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Found::new()),
        Err(error) => return Err(error.into()),
    };
    let mut found = Found::new();
    for entry in table.iter()? {
        let (number, value) = entry?;
        let (urgency, text) = value.value();
        found.push((number.value(), urgency, text.len()));
    }
    Ok(found)
}
