//! What a field of an event holds.

use std::net::IpAddr;

/// Type of a field's values. It decides which operators apply, how literals are
/// read and how values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A signed number.
    Int,
    /// An unsigned number.
    Uint,
    /// A fraction.
    Double,
    /// Bytes that are shown as text; not always UTF-8.
    Text,
    /// Bytes that are not text.
    Bytes,
    /// An address, IPv4 or IPv6.
    Ip,
    /// An address that is compared with networks.
    Net,
    /// A port number, 0..=65535.
    Port,
    /// A span of time in nanoseconds.
    Duration,
    /// A time in nanoseconds since 1970.
    Time,
}

impl Kind {
    /// True for what is compared by size.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(
            self,
            Self::Int | Self::Uint | Self::Double | Self::Port | Self::Duration | Self::Time
        )
    }

    /// One of its values in words, as in `an unsigned number`.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Int => "signed number",
            Self::Uint => "unsigned number",
            Self::Double => "fraction",
            Self::Text => "text",
            Self::Bytes => "byte sequence",
            Self::Ip => "address",
            Self::Net => "network address",
            Self::Port => "port",
            Self::Duration => "duration",
            Self::Time => "time",
        }
    }
}

/// One value, borrowed from its event.
///
/// [`Kind::Port`], [`Kind::Duration`] and [`Kind::Time`] come as [`Value::Uint`],
/// [`Kind::Net`] as [`Value::Ip`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'event> {
    /// A truth.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// A fraction.
    Double(f64),
    /// Text, without a closing zero byte.
    Text(&'event [u8]),
    /// Bytes.
    Bytes(&'event [u8]),
    /// An address.
    Ip(IpAddr),
}
