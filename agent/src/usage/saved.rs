//! Accounts as bytes, and back.
//!
//! The bytes begin with what tells them apart from anything else: a magic, the
//! version of the format, the epoch of the kernel's maps they belong to and a
//! checksum over the rest. Whatever comes back from a damaged or foreign file is
//! a [`StateError`], never totals that were not saved.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accounts::{Accounts, Books, Limits};
use super::storage::StorageSums;

const MAGIC: &[u8; 8] = b"landlord";
/// Raised with every change of [`Books`] or what it holds.
const FORMAT: u32 = 2;
/// The format before it, which ends with the books: nothing of storage.
const WITHOUT_STORAGE: u32 = 1;
const HEADER_BYTES: usize = MAGIC.len() + size_of::<u32>() + size_of::<u64>() + size_of::<u32>();

/// Sums of storage of those that have any.
type Storage = BTreeMap<Arc<str>, StorageSums>;

/// Why saved accounts cannot be continued. The caller starts a new epoch: it
/// clears the kernel's maps and begins at zero.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StateError {
    /// Something else than saved accounts.
    #[error("not a state file of landlord")]
    Foreign,
    /// Written by a version of the agent that saved other things.
    #[error("the state file has format {found}, this agent reads format {FORMAT}")]
    Format {
        /// The file's format version.
        found: u32,
    },
    /// The kernel's maps are not those the accounts were made from.
    #[error(
        "the state file belongs to other counters (epoch {found:016x}, the kernel has {expected:016x})"
    )]
    Epoch {
        /// Epoch in the file.
        found: u64,
        /// Epoch of the kernel's maps.
        expected: u64,
    },
    /// Cut off or changed since it was written.
    #[error("the state file is damaged")]
    Damaged,
    /// The accounts did not fit the format.
    #[error("the accounts cannot be encoded: {0}")]
    Encode(#[source] postcard::Error),
}

impl Accounts {
    /// Everything that must survive the agent, for the kernel maps of `epoch`.
    ///
    /// # Errors
    ///
    /// [`StateError::Encode`], which no content of the accounts is known to cause.
    pub fn to_bytes(&self, epoch: u64) -> Result<Vec<u8>, StateError> {
        let mut payload = postcard::to_stdvec(&self.books).map_err(StateError::Encode)?;
        let storage: Storage = self.books.storage().collect();
        payload.extend(postcard::to_stdvec(&storage).map_err(StateError::Encode)?);
        let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&epoch.to_le_bytes());
        let checksum = checksum(&bytes, &payload);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes.extend_from_slice(&payload);
        Ok(bytes)
    }

    /// Accounts as they were when `bytes` was made; `limits` may differ from then.
    ///
    /// # Errors
    ///
    /// [`StateError`] when the bytes are not accounts of the maps of `epoch`.
    pub fn from_bytes(bytes: &[u8], epoch: u64, limits: Limits) -> Result<Self, StateError> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else { return Err(StateError::Foreign) };
        let (format, rest) = rest.split_first_chunk().ok_or(StateError::Damaged)?;
        let found = u32::from_le_bytes(*format);
        if ![WITHOUT_STORAGE, FORMAT].contains(&found) {
            return Err(StateError::Format { found });
        }
        let (found_epoch, rest) = rest.split_first_chunk().ok_or(StateError::Damaged)?;
        let (found_checksum, payload) = rest.split_first_chunk().ok_or(StateError::Damaged)?;
        let header = &bytes[..HEADER_BYTES - size_of::<u32>()];
        if u32::from_le_bytes(*found_checksum) != checksum(header, payload) {
            return Err(StateError::Damaged);
        }
        let format = found;
        let found = u64::from_le_bytes(*found_epoch);
        if found != epoch {
            return Err(StateError::Epoch { found, expected: epoch });
        }
        let damaged = |_| StateError::Damaged;
        let (mut books, rest) = postcard::take_from_bytes::<Books>(payload).map_err(damaged)?;
        let (storage, rest) = match format {
            WITHOUT_STORAGE => (Storage::new(), rest),
            _ => postcard::take_from_bytes::<Storage>(rest).map_err(damaged)?,
        };
        if !rest.is_empty() {
            return Err(StateError::Damaged);
        }
        books.set_storage(storage);
        Ok(Self { limits, books })
    }
}

fn checksum(header: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(payload);
    hasher.finalize()
}

/// Losses by label, so that a cause that is added or dropped by another version
/// of the agent does not change the meaning of the others.
pub(super) mod losses {
    use std::collections::BTreeMap;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::telemetry::LossCause;

    pub(in crate::usage) fn serialize<S: Serializer>(
        losses: &BTreeMap<LossCause, u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(losses.iter().map(|(cause, count)| (cause.label(), count)))
    }

    pub(in crate::usage) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<LossCause, u64>, D::Error> {
        let by_label = BTreeMap::<String, u64>::deserialize(deserializer)?;
        Ok(LossCause::ALL
            .iter()
            .filter_map(|&cause| Some((cause, *by_label.get(cause.label())?)))
            .collect())
    }
}
