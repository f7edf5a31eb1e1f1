//! Options of a command line, as Falco's `getopt` reads them: getopt(3) as POSIX has
//! it, without long options.

use super::Slice;

/// An option on a command line.
#[derive(Clone, Copy)]
pub(super) enum Found {
    /// One that takes no value: its letter.
    Plain(Slice),
    /// One with its value.
    Valued(Slice, Slice),
    /// One whose value is missing, at the end of the command line.
    Cut(Slice),
    /// One that is not described.
    Unknown,
}

/// Reports the options in the words, in their order.
///
/// The first word that is no option ends them, as `--` does. Long options are passed
/// over; what follows them is not taken for their value.
pub(super) fn options(
    bytes: &[u8],
    mut words: impl Iterator<Item = Slice>,
    described: Slice,
    mut report: impl FnMut(Found),
) {
    let described = &bytes[described.range()];
    while let Some(word) = words.next() {
        match &bytes[word.range()] {
            b"--" | b"-" => break,
            [b'-', b'-', ..] => continue,
            [b'-', ..] => {}
            _ => break,
        }
        let letters = Slice { start: word.start + 1, ..word };
        for (start, &option) in (letters.start..).zip(&bytes[letters.range()]) {
            let letter = Slice { start, end: start + 1 };
            let rest = Slice { start: start + 1, end: word.end };
            match takes_value(described, option) {
                None => report(Found::Unknown),
                Some(false) => report(Found::Plain(letter)),
                Some(true) => {
                    let value = if rest.start < rest.end { Some(rest) } else { words.next() };
                    report(value.map_or(Found::Cut(letter), |value| Found::Valued(letter, value)));
                    break;
                }
            }
        }
    }
}

/// Whether the option takes a value; nothing if it is not described. Of an option
/// that is described twice, one description with a value is enough.
fn takes_value(described: &[u8], option: u8) -> Option<bool> {
    if option == b':' {
        return None;
    }
    let places = described.iter().enumerate().filter(|(_, letter)| **letter == option);
    places.map(|(at, _)| described.get(at + 1) == Some(&b':')).max()
}
