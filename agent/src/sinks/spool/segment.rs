//! One file of a spool: entries by their number.
//!
//! The file is a database of redb, whose commits are whole or not at all and whose pages
//! carry checksums; what an entry means and which is to be dropped is the spool's.

use std::fs;
use std::path::{Path, PathBuf};

use redb::{Database, Durability, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use super::SpoolError;

/// Number → urgency and text.
const ENTRIES: TableDefinition<'_, u64, (u8, &[u8])> = TableDefinition::new("entries");
/// Memory for pages of one file. Entries are read about once, so that more helps nobody.
const CACHE: usize = 64 << 10;

/// One file.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    file: Database,
}

/// What is in a file, without the texts.
pub(super) type Found = Vec<(u64, u8, usize)>;

impl Segment {
    /// Makes or opens a file, and tells what is in it.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Found), SpoolError> {
        let failed = |error: redb::Error| SpoolError::file(&path, error);
        let file = Database::builder()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create(&path)
            .map_err(|error| failed(error.into()))?;
        let found = found(&file).map_err(failed)?;
        Ok((Self { path, file }, found))
    }

    /// Adds entries, all of them or none. They are on the disk when this returns.
    pub(super) fn put<'a>(
        &self,
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
    pub(super) fn remove(&self, numbers: &[u64]) -> Result<(), SpoolError> {
        self.write(|table| {
            for number in numbers {
                table.remove(number)?;
            }
            Ok(())
        })
    }

    fn write(
        &self,
        act: impl FnOnce(&mut redb::Table<'_, u64, (u8, &'static [u8])>) -> Result<(), redb::Error>,
    ) -> Result<(), SpoolError> {
        let write = || {
            let mut transaction = self.file.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            act(&mut transaction.open_table(ENTRIES)?)?;
            Ok(transaction.commit()?)
        };
        write().map_err(|error| SpoolError::file(&self.path, error))
    }

    /// The texts of entries, in their order; what is not there is left out.
    pub(super) fn get(&self, numbers: &[u64]) -> Result<Vec<(u64, Vec<u8>)>, SpoolError> {
        let read = || -> Result<_, redb::Error> {
            let table = self.file.begin_read()?.open_table(ENTRIES)?;
            let mut texts = Vec::with_capacity(numbers.len());
            for &number in numbers {
                if let Some(entry) = table.get(number)? {
                    texts.push((number, entry.value().1.to_vec()));
                }
            }
            Ok(texts)
        };
        read().map_err(|error| SpoolError::file(&self.path, error))
    }

    /// Bytes of the file.
    pub(super) fn len(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |it| it.len())
    }

    /// Removes the file.
    pub(super) fn delete(self) -> Result<(), SpoolError> {
        let Self { path, file } = self;
        drop(file);
        fs::remove_file(&path).map_err(|error| SpoolError::folder(&path, error))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
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
