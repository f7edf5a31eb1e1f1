//! A tenant's name.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::identity::{HOST, OTHER, PENDING, RESERVED, UNASSIGNED, UNKNOWN};

/// A tenant's name: 1 to [`Tenant::MAX_BYTES`] bytes without control or
/// direction-changing characters. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// Longest name, bytes.
    pub const MAX_BYTES: usize = 128;

    /// Makes a name fit to be a label and to be printed. Unprintable characters
    /// become `U+FFFD` and what is too long is cut; either adds `~` and eight hex
    /// digits that depend on the whole name, so that two tenants stay two. Empty
    /// is `unknown`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        if name.is_empty() {
            return Self::unknown();
        }
        if name.len() <= Self::MAX_BYTES && !name.contains(is_unprintable) {
            return Self(name.into());
        }
        Self::marked(name)
    }

    /// The tenant of everything whose owner cannot be told.
    #[must_use]
    pub fn unknown() -> Self {
        Self(UNKNOWN.into())
    }

    /// The tenant of the root cgroup.
    #[must_use]
    pub fn host() -> Self {
        Self(HOST.into())
    }

    /// The tenant that takes what exceeds `max_tenants`.
    #[must_use]
    pub fn other() -> Self {
        Self(OTHER.into())
    }

    /// The name, to be shared.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tenant of pods whose namespace no rule gives to anybody.
    #[must_use]
    pub fn unassigned() -> Self {
        Self(UNASSIGNED.into())
    }

    /// The tenant of pods whose namespace is still to be told.
    #[must_use]
    pub fn pending() -> Self {
        Self(PENDING.into())
    }

    /// The tenant of a name that somebody else than the author of the configuration
    /// chose: one of the agent's own names gets a mark, as no cgroup, namespace or
    /// label may pass for those. `None` when the name is empty.
    #[must_use]
    pub fn chosen(name: &str) -> Option<Self> {
        match name {
            "" => None,
            _ if RESERVED.contains(&name) => Some(Self::marked(name)),
            _ => Some(Self::new(name)),
        }
    }

    /// The name with a mark of its own.
    fn marked(name: &str) -> Self {
        let mark = format!("~{:08x}", fnv1a(name.as_bytes()));
        let clean = name.replace(is_unprintable, "\u{FFFD}");
        let end = clean.floor_char_boundary(Self::MAX_BYTES - mark.len());
        Self(format!("{}{mark}", &clean[..end]).into())
    }
}

/// Control characters, and those that move or hide text around them.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// FNV-1a, 32 bits: small, and the same on every machine and in every version.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for Tenant {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Tenant {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<String> for Tenant {
    fn from(name: String) -> Self {
        Self::new(&name)
    }
}

impl From<Tenant> for String {
    fn from(tenant: Tenant) -> Self {
        tenant.0.as_ref().to_owned()
    }
}
