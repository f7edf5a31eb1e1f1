//! Texts that are put together from several places of several files, such as a
//! condition with what was appended to it and its exceptions.

use std::cell::OnceCell;
use std::ops::Range;
use std::rc::Rc;

use super::findings::Findings;
use super::origin::Origin;
use super::source::Spot;
use super::yaml::Style;

/// A text that stands in a file.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// What it says.
    pub(super) value: Rc<str>,
    /// Where it stands.
    pub(super) spot: Spot,
    /// How it is written there.
    pub(super) style: Style,
}

/// A text made of others.
#[derive(Clone, Debug, Default)]
pub(super) struct Composed {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    /// A part of a text in a file.
    Written(Text, Range<usize>),
    /// What stands in no file; the spot is what it was made for.
    Glue(&'static str, Spot),
}

impl Piece {
    fn text(&self) -> &str {
        match self {
            Self::Written(text, part) => text.value.get(part.clone()).unwrap_or_default(),
            Self::Glue(text, _) => text,
        }
    }
}

impl Composed {
    pub(super) fn of(text: Text) -> Self {
        let mut composed = Self::default();
        composed.push(text);
        composed
    }

    /// The text without blanks around it.
    pub(super) fn trimmed(text: Text) -> Self {
        let start = text.value.len() - text.value.trim_start().len();
        let end = start + text.value.trim().len();
        Self { pieces: vec![Piece::Written(text, start..end)] }
    }

    pub(super) fn push(&mut self, text: Text) {
        let all = 0..text.value.len();
        self.pieces.push(Piece::Written(text, all));
    }

    pub(super) fn glue(&mut self, text: &'static str, spot: Spot) {
        self.pieces.push(Piece::Glue(text, spot));
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.pieces.extend(other.pieces);
    }

    /// Appends with a blank between.
    pub(super) fn append(&mut self, text: Text) {
        self.glue(" ", text.spot);
        self.push(text);
    }

    /// Bytes of the text.
    pub(super) fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text().len()).sum()
    }

    /// The text.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.len());
        self.pieces.iter().for_each(|piece| text.push_str(piece.text()));
        text
    }

    /// Where it begins.
    pub(super) fn spot(&self) -> Option<Spot> {
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Written(text, _) => Some(text.spot),
            Piece::Glue(..) => None,
        })
    }

    /// The way from offsets in the text to the files.
    pub(super) fn locator<'a>(&'a self, findings: &'a Findings) -> Locator<'a> {
        let mut at = 0;
        let pieces = self.pieces.iter().map(|piece| {
            let begin = at;
            at += piece.text().len();
            (begin, piece, OnceCell::new())
        });
        Locator { pieces: pieces.collect(), findings }
    }
}

/// Finds where parts of a [`Composed`] text stand.
pub(super) struct Locator<'a> {
    /// Each piece with the offset at which it begins.
    pieces: Vec<(usize, &'a Piece, OnceCell<Origin>)>,
    findings: &'a Findings,
}

impl Locator<'_> {
    /// The spot of a range; what goes beyond the piece where it begins is cut off.
    /// Nothing if there is no text.
    pub(super) fn locate(&self, range: &Range<usize>) -> Option<Spot> {
        let at = self.pieces.partition_point(|&(begin, ..)| begin <= range.start);
        let (begin, piece, origin) = self.pieces.get(at.checked_sub(1)?)?;
        let (text, part) = match piece {
            Piece::Glue(_, spot) => return Some(*spot),
            Piece::Written(text, part) => (text, part),
        };
        let Spot { file, start, end } = text.spot;
        let origin = origin.get_or_init(|| {
            Origin::of(self.findings.text(file), &(start..end), text.style, &text.value)
        });
        let within = |offset: usize| (offset - begin + part.start).min(part.end);
        let start = origin.locate(within(range.start));
        let end = origin.locate(within(range.end.max(range.start)));
        Some(Spot { file, start, end: end.max(start) })
    }
}
