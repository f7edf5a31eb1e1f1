//! Patterns as fnmatch(3) reads them without flags, byte by byte: `*` crosses `/`,
//! a backslash takes the next byte as it is.
//!
//! What POSIX leaves open is read as the GNU library reads it: `[^…]` negates like
//! `[!…]`, and a bracket that nobody closes is an ordinary byte.

/// A pattern, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    tokens: Box<[Token]>,
    fold: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// This byte.
    Byte(u8),
    /// Any one byte.
    One,
    /// Any bytes, or none.
    Many,
    /// One of these bytes: a bit for each.
    Set(Box<[u64; 4]>),
    /// Nothing: a backslash at the end.
    Never,
}

impl Glob {
    /// Takes a pattern apart; `fold` disregards ASCII case.
    pub(crate) fn new(pattern: &[u8], fold: bool) -> Self {
        let mut tokens = Vec::new();
        let mut rest = pattern;
        while let Some((&first, mut after)) = rest.split_first() {
            let token = match first {
                b'*' => Token::Many,
                b'?' => Token::One,
                b'[' => match bracket(after, fold) {
                    Bracket::Closed(set, behind) => {
                        after = behind;
                        Token::Set(Box::new(set))
                    }
                    Bracket::Open => Token::Byte(b'['),
                    Bracket::Broken => Token::Never,
                },
                b'\\' => match after.split_first() {
                    Some((&escaped, behind)) => {
                        after = behind;
                        Token::Byte(folded(escaped, fold))
                    }
                    None => Token::Never,
                },
                byte => Token::Byte(folded(byte, fold)),
            };
            if token != Token::Many || tokens.last() != Some(&Token::Many) {
                tokens.push(token);
            }
            rest = after;
        }
        Self { tokens: tokens.into(), fold }
    }

    /// Whether the pattern is all of this text. Takes time by the product of both
    /// lengths at worst, and no memory.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let (mut token, mut at) = (0, 0);
        // Where to go on if it does not fit: behind the last `*`, which takes one
        // more byte each time.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let fits = match (self.tokens.get(token), text.get(at)) {
                (None, None) => return true,
                (Some(Token::Many), _) => {
                    retry = Some((token + 1, at));
                    token += 1;
                    continue;
                }
                (None, Some(_)) => false,
                (Some(_), None) => return false,
                (Some(wanted), Some(&byte)) => wanted.takes(folded(byte, self.fold)),
            };
            if fits {
                (token, at) = (token + 1, at + 1);
                continue;
            }
            let Some((behind, from)) = retry else { return false };
            retry = Some((behind, from + 1));
            (token, at) = (behind, from + 1);
        }
    }
}

impl Token {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Byte(wanted) => *wanted == byte,
            Self::One => true,
            Self::Set(set) => set[usize::from(byte / 64)] & (1 << (byte % 64)) != 0,
            Self::Many | Self::Never => false,
        }
    }
}

fn folded(byte: u8, fold: bool) -> u8 {
    if fold { byte.to_ascii_lowercase() } else { byte }
}

/// What follows a `[`.
enum Bracket<'pattern> {
    /// The bytes it stands for, and the pattern behind its `]`.
    Closed([u64; 4], &'pattern [u8]),
    /// There is no `]`.
    Open,
    /// It ends within a range or an escape, or names a class that does not exist.
    Broken,
}

/// Reads what follows a `[` up to and with its `]`.
fn bracket(pattern: &[u8], fold: bool) -> Bracket<'_> {
    let mut set = [0_u64; 4];
    let negated = matches!(pattern.first(), Some(b'!' | b'^'));
    let mut rest = if negated { &pattern[1..] } else { pattern };
    let mut first = true;
    loop {
        match rest {
            [] => return Bracket::Open,
            [b']', behind @ ..] if !first => {
                rest = behind;
                break;
            }
            [b'[', after @ ..] if is_class(after) => {
                let Some((class, behind)) = class(after) else { return Bracket::Broken };
                (0..=u8::MAX).filter(|byte| class(*byte)).for_each(|byte| insert(&mut set, byte));
                rest = behind;
            }
            _ => {
                let Some((low, after)) = bracket_byte(rest) else { return Bracket::Broken };
                let (high, after) = match after {
                    [b'-'] => return Bracket::Broken,
                    [b'-', end, ..] if *end != b']' => match bracket_byte(&after[1..]) {
                        Some(read) => read,
                        None => return Bracket::Broken,
                    },
                    _ => (low, after),
                };
                rest = after;
                // The ends are folded, not what is between them.
                (folded(low, fold)..=folded(high, fold)).for_each(|byte| insert(&mut set, byte));
            }
        }
        first = false;
    }
    if negated {
        set.iter_mut().for_each(|word| *word = !*word);
    }
    Bracket::Closed(set, rest)
}

/// Whether a class is named: what follows the inner `[` of `[[:name:]]`.
fn is_class(pattern: &[u8]) -> bool {
    let end = |name: &[u8]| name.windows(2).any(|end| end == b":]");
    pattern.split_first().is_some_and(|(colon, name)| *colon == b':' && end(name))
}

/// One byte within brackets: escaped, as `[.x.]` or `[=x=]`, or plain.
fn bracket_byte(pattern: &[u8]) -> Option<(u8, &[u8])> {
    match pattern {
        [b'\\', byte, after @ ..]
        | [b'[', b'.', byte, b'.', b']', after @ ..]
        | [b'[', b'=', byte, b'=', b']', after @ ..] => Some((*byte, after)),
        [b'\\'] | [] => None,
        [byte, after @ ..] => Some((*byte, after)),
    }
}

fn insert(set: &mut [u64; 4], byte: u8) {
    set[usize::from(byte / 64)] |= 1 << (byte % 64);
}

/// Whether a byte is of a class.
type Class = fn(u8) -> bool;

/// Reads `:name:]`, what follows the inner `[` of `[[:name:]]`.
fn class(pattern: &[u8]) -> Option<(Class, &[u8])> {
    const CLASSES: [(&[u8], Class); 12] = [
        (b":alnum:]", |byte| byte.is_ascii_alphanumeric()),
        (b":alpha:]", |byte| byte.is_ascii_alphabetic()),
        (b":blank:]", |byte| byte == b' ' || byte == b'\t'),
        (b":cntrl:]", |byte| byte.is_ascii_control()),
        (b":digit:]", |byte| byte.is_ascii_digit()),
        (b":graph:]", |byte| byte.is_ascii_graphic()),
        (b":lower:]", |byte| byte.is_ascii_lowercase()),
        (b":print:]", |byte| byte == b' ' || byte.is_ascii_graphic()),
        (b":punct:]", |byte| byte.is_ascii_punctuation()),
        (b":space:]", |byte| byte.is_ascii_whitespace() || byte == 0x0b),
        (b":upper:]", |byte| byte.is_ascii_uppercase()),
        (b":xdigit:]", |byte| byte.is_ascii_hexdigit()),
    ];
    let known = CLASSES.iter().find(|(name, _)| pattern.starts_with(name));
    known.map(|(name, class)| (*class, &pattern[name.len()..]))
}

#[cfg(test)]
mod tests {
    use super::Glob;

    /// What fnmatch(3) of the GNU library says.
    fn check(pattern: &[u8], text: &[u8], expected: bool) {
        let shown = (pattern.escape_ascii(), text.escape_ascii());
        assert_eq!(Glob::new(pattern, false).matches(text), expected, "{shown:?}");
    }

    fn check_folded(pattern: &[u8], text: &[u8], expected: bool) {
        let shown = (pattern.escape_ascii(), text.escape_ascii());
        assert_eq!(Glob::new(pattern, true).matches(text), expected, "{shown:?}");
    }

    #[test]
    fn wildcards_take_any_bytes() {
        check(b"*/x", b"/a/b/x", true);
        check(b"**", b"", true);
        check(b"", b"", true);
        check(b"", b"a", false);
        check(b"?", b"", false);
        check(b"?", b"\xff", true);
        check(b"a*b*c", b"aXbYbZc", true);
        check(b"a*b*c", b"aXbYbZ", false);
        check(b"/proc/*/environ", b"/proc/1/task/2/environ", true);
        check(b"*aaaaaaaaaaaaaaab", &[b'a'; 4096], false);
    }

    #[test]
    fn brackets_stand_for_sets() {
        check(b"[]a]", b"]", true);
        check(b"[!]a]", b"b", true);
        check(b"[^a]", b"b", true);
        check(b"[^a]", b"^", true);
        check(b"[!a]", b"a", false);
        check(b"[a-c]", b"b", true);
        check(b"[a-]", b"-", true);
        check(b"[--0]", b".", true);
        check(b"[+--]", b",", true);
        check(b"[z-a]", b"z", false);
        check(b"[a-c-e]", b"d", false);
        check(b"[a-c-e]", b"-", true);
        check(b"[a\\-z]", b"b", false);
        check(b"[a\\-z]", b"-", true);
        check(b"[\\]]", b"]", true);
        check(b"[b-\\d]", b"c", true);
        check(b"[[]", b"[", true);
        check(b"[[x]", b"[", true);
        check(b"[[-a]", b"\\", true);
        check(b"[\xf0-\xff]", b"\xf5", true);
    }

    #[test]
    fn classes_have_names() {
        check(b"[[:digit:]]", b"5", true);
        check(b"[[:digit:]]", b"x", false);
        check(b"[[:digit:]x]", b"x", true);
        check(b"[[:digit:]-z]", b"-", true);
        check(b"[[:digit:]-z]", b"x", false);
        check(b"[[:foo:]]", b"f", false);
        check(b"[[:foo:]]", b":]", false);
        check(b"[[.a.]]", b"a", true);
        check(b"[[=a=]]", b"a", true);
        check(b"[[:upper:]]", b"a", false);
    }

    #[test]
    fn what_is_not_closed_is_ordinary() {
        check(b"a[", b"a[", true);
        check(b"a[b", b"a[b", true);
        check(b"*[", b"x[", true);
        check(b"[!", b"[!", true);
        check(b"[[:alpha", b"[[:alpha", true);
        check(b"[a-", b"[a-", false);
        check(b"[\\", b"[\\", false);
        check(b"[a\\", b"[a\\", false);
    }

    #[test]
    fn a_backslash_takes_the_next_byte_as_it_is() {
        check(b"\\*", b"*", true);
        check(b"\\*", b"x", false);
        check(b"a\\", b"a\\", false);
        check(b"a\\", b"a", false);
        check(b"\\a", b"a", true);
    }

    #[test]
    fn case_is_disregarded_when_asked() {
        check_folded(b"A*", b"ab", true);
        check_folded(b"[A-C]", b"b", true);
        check_folded(b"[!A]", b"a", false);
        check_folded(b"[Z-a]", b"q", false);
        check_folded(b"[Z-a]", b"_", false);
        check_folded(b"[[:upper:]]", b"a", false);
        check_folded(b"[^[:upper:]]", b"a", true);
        check(b"A", b"a", false);
    }
}
