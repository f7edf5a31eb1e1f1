//! Alerts on the disk in fewer bytes: what one says is told several times over in it.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::Message;

/// First byte of what is packed; no message begins with it.
const PACKED: u8 = 0xf4;
/// Bytes of a message at most; what claims to be more is damaged.
const MOST: usize = 16 << 20;

/// A message that is to wait. It is packed at most once, however many sinks get it.
#[derive(Debug)]
pub(super) struct Parcel<'a> {
    message: &'a Message,
    packed: OnceCell<Option<Vec<u8>>>,
}

impl<'a> Parcel<'a> {
    pub(super) const fn new(message: &'a Message) -> Self {
        Self { message, packed: OnceCell::new() }
    }

    /// What is packed.
    pub(super) const fn message(&self) -> &'a Message {
        self.message
    }

    /// As it waits; `None`: it cannot be encoded.
    pub(super) fn packed(&self) -> Option<&[u8]> {
        let packed = || self.message.encode().ok().map(|text| pack(&text));
        self.packed.get_or_init(packed).as_deref()
    }
}

/// A message as it waits.
fn pack(message: &[u8]) -> Vec<u8> {
    let most = lz4_flex::block::get_maximum_output_size(message.len());
    let mut packed = vec![0; 1 + 4 + most];
    let length = u32::try_from(message.len()).ok().filter(|_| message.len() <= MOST);
    let text = packed.get_mut(5..).unwrap_or_default();
    let (Some(length), Ok(bytes)) = (length, lz4_flex::block::compress_into(message, text)) else {
        return message.to_vec();
    };
    packed[0] = PACKED;
    packed[1..5].copy_from_slice(&length.to_le_bytes());
    packed.truncate(5 + bytes);
    packed.shrink_to_fit();
    packed
}

/// The message of what waited, which may be of an agent that packed nothing; `None` of
/// what nobody packed.
pub(super) fn unpack(kept: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some((&PACKED, rest)) = kept.split_first() else { return Some(Cow::Borrowed(kept)) };
    let (length, text) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|it| *it <= MOST)?;
    let message = lz4_flex::block::decompress(text, length).ok()?;
    (message.len() == length).then_some(Cow::Owned(message))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::message::tests::message;
    use super::{PACKED, pack, unpack};

    #[test]
    fn an_alert_gets_smaller() {
        let message = message(1).encode().unwrap();
        let packed = pack(&message);
        assert!(packed.len() * 10 < message.len() * 9, "{} of {}", packed.len(), message.len());
        assert_eq!(unpack(&packed).unwrap(), message);
        // As older agents kept it.
        assert_eq!(unpack(&message).unwrap(), message);
    }

    #[test]
    fn what_nobody_packed_is_nothing() {
        let check = |kept: &[u8]| assert_eq!(unpack(kept), None, "{kept:?}");
        check(&[PACKED]);
        check(&[PACKED, 0xff, 0xff, 0xff, 0xff, 1]);
        check(&[PACKED, 9, 0, 0, 0, 0x10, b'a']);
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
            let packed = pack(&bytes);
            prop_assert_eq!(&*unpack(&packed).unwrap(), &*bytes);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let kept = [&[PACKED], &*bytes].concat();
            unpack(&kept);
        }
    }
}
