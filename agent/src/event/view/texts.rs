//! Composed texts of one view: each is made once, and stays where it is.

use std::cell::OnceCell;

use crate::rules::field::FieldId;

/// What a text is of: a field, and which of its values.
type Key = (FieldId, usize);

/// Texts in the order in which they were asked for. There are few of them.
#[derive(Default)]
pub(super) struct Texts {
    first: OnceCell<Box<Link>>,
}

struct Link {
    key: Key,
    /// Nothing when it was found that there is none.
    text: Option<Box<[u8]>>,
    next: OnceCell<Box<Link>>,
}

impl Texts {
    /// The text of that key, composed now if it was not before; `compose` says false
    /// when there is none.
    pub(super) fn get(
        &self,
        field: FieldId,
        nth: usize,
        compose: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> Option<&[u8]> {
        let key = (field, nth);
        let mut place = &self.first;
        while let Some(link) = place.get() {
            if link.key == key {
                return link.text.as_deref();
            }
            place = &link.next;
        }
        let mut text = Vec::new();
        let text = compose(&mut text).then(|| text.into_boxed_slice());
        // Composing may have added others.
        while let Some(link) = place.get() {
            place = &link.next;
        }
        place.get_or_init(|| Box::new(Link { key, text, next: OnceCell::new() })).text.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::Texts;
    use crate::rules::field::FieldId;

    #[test]
    fn each_is_composed_once() {
        let texts = Texts::default();
        let mut made = 0;
        for _ in 0..3 {
            let text = texts.get(FieldId::FdName, 1, |out| {
                made += 1;
                out.extend_from_slice(b"a");
                // Another is needed for it.
                texts.get(FieldId::FdName, 2, |_| false).is_none()
            });
            assert_eq!(text, Some(b"a".as_slice()));
        }
        assert_eq!(made, 1);
        assert_eq!(texts.get(FieldId::FdName, 2, |_| true), None);
        assert_eq!(texts.get(FieldId::FdName, 3, |_| true), Some(b"".as_slice()));
    }
}
