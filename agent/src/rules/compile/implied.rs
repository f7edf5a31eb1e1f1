//! What a text has to hold to match a pattern: a plain piece of it. Tables look for
//! all such pieces at once, so that patterns themselves are seldom tried.

use crate::rules::typed::{Comparison, Literal, Test};

/// Pieces of which a text holds one if it passes the test; nothing if that is not
/// known.
pub(super) fn pieces(test: &Test) -> Option<Vec<Vec<u8>>> {
    match test {
        Test::Literal { operator, modifier: None, literals } => match (operator, &**literals) {
            (Comparison::Glob, [Literal::Text(pattern)]) => Some(vec![longest(of_glob(pattern))?]),
            (Comparison::Regex, [Literal::Text(text)]) => Some(vec![longest(of_regex(text)?)?]),
            _ => None,
        },
        Test::Pmatch(paths) => {
            let of_path = |path: &[u8]| longest(path.split(|byte| *byte == b'/').map(of_component));
            paths.iter().map(|path| of_path(path)).collect()
        }
        _ => None,
    }
}

/// The longest piece that is not empty.
fn longest(pieces: impl IntoIterator<Item = Vec<u8>>) -> Option<Vec<u8>> {
    pieces.into_iter().max_by_key(Vec::len).filter(|piece| !piece.is_empty())
}

/// A component of a path without wildcards is plain, backslashes included.
fn of_component(component: &[u8]) -> Vec<u8> {
    let wild = component.iter().any(|byte| b"*?[".contains(byte));
    if wild { longest(of_glob(component)).unwrap_or_default() } else { component.to_vec() }
}

/// What stands between the wildcards of a pattern. Brackets and backslashes are not
/// looked into: what comes behind the first of them is left out.
fn of_glob(pattern: &[u8]) -> Vec<Vec<u8>> {
    let plain = pattern.iter().position(|byte| b"[\\".contains(byte)).unwrap_or(pattern.len());
    pattern[..plain].split(|byte| b"*?".contains(byte)).map(<[u8]>::to_vec).collect()
}

/// Plain pieces of an expression that are not in parentheses or brackets. Nothing if
/// there may be alternatives outside of them, or if it changes how it is read.
fn of_regex(expression: &[u8]) -> Option<Vec<Vec<u8>>> {
    if expression.windows(2).any(|pair| pair == b"(?") {
        return None;
    }
    let mut pieces = vec![Vec::new()];
    let mut rest = expression.iter().copied().peekable();
    let mut depth = 0_usize;
    while let Some(byte) = rest.next() {
        let plain = match byte {
            b'|' if depth == 0 => return None,
            b'(' => {
                depth += 1;
                None
            }
            b')' => {
                depth = depth.checked_sub(1)?;
                None
            }
            // A bracket ends at the first `]` that is not its first character; one
            // that is hard to read ends the search.
            b'[' => {
                let set: Vec<u8> = rest.by_ref().take_while(|byte| *byte != b']').collect();
                if set.is_empty() || set == b"^" || set.iter().any(|byte| b"[\\".contains(byte)) {
                    break;
                }
                None
            }
            b'\\' => match rest.next() {
                Some(escaped) if escaped.is_ascii_punctuation() => Some(escaped),
                _ => break,
            },
            b'*' | b'?' | b'{' => {
                // What comes before may be missing.
                if let Some(piece) = pieces.last_mut() {
                    piece.pop();
                }
                if byte == b'{' {
                    rest.by_ref().find(|byte| *byte == b'}')?;
                }
                None
            }
            b'+' | b'.' | b'^' | b'$' => None,
            plain if plain.is_ascii() => Some(plain),
            // Bytes of one character: a repetition would be of all of them.
            _ => None,
        };
        match plain {
            Some(plain) if depth == 0 => {
                pieces.last_mut()?.push(plain);
            }
            _ => pieces.push(Vec::new()),
        }
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::{longest, of_glob, of_regex, pieces};
    use crate::rules::typed::Test;

    #[test]
    fn a_pattern_holds_what_is_not_wild() {
        let check = |pattern: &str, expected: &str| {
            let found = longest(of_glob(pattern.as_bytes())).unwrap_or_default();
            assert_eq!(String::from_utf8(found).unwrap(), expected, "{pattern}");
        };
        check("/proc/*/environ", "/environ");
        check("/proc/*/mem", "/proc/");
        check("*", "");
        check("a?bc", "bc");
        check("ab[cdef]ghij", "ab");
        check("ab\\*cdef", "ab");
    }

    #[test]
    fn an_expression_holds_what_is_always_there() {
        let check = |expression: &str, expected: &str| {
            let found = of_regex(expression.as_bytes()).and_then(longest).unwrap_or_default();
            assert_eq!(String::from_utf8(found).unwrap(), expected, "{expression}");
        };
        check("(/host)?/proc/[0-9]+/environ", "/environ");
        check("/proc/[0-9]+/(root|cwd)/.*", "/proc/");
        check("abc|def", "");
        check("(abc|def)gh", "gh");
        check("abcd*", "abc");
        check("abcd+", "abcd");
        check("abcd?e", "abc");
        check("abcd{0,3}e", "abc");
        check("a\\.b", "a.b");
        check("a\\db", "a");
        check("aa\\.*b", "aa");
        check("[]a]bcd", "");
        check("x[^]a]bcd", "x");
        check("x[a\\]]bcd", "x");
        check("(?i)abc", "");
        check("(?m)^abc$", "");
        check("é?abc", "abc");
        check("((a)b)*c", "c");
        check(".*", "");
    }

    #[test]
    fn a_path_is_below_only_what_it_names() {
        let check = |paths: &[&str], expected: Option<&[&str]>| {
            let paths = paths.iter().map(|path| path.as_bytes().into()).collect();
            let expected = expected.map(|pieces| pieces.iter().map(|it| it.as_bytes().to_vec()));
            assert_eq!(pieces(&Test::Pmatch(paths)), expected.map(Iterator::collect));
        };
        check(&["/tmp", "/var/tmp", "/usr/lib64"], Some(&["tmp", "tmp", "lib64"]));
        check(&["/dev/sd[a-z]*"], Some(&["dev"]));
        check(&["/tmp", "/"], None);
        check(&["/*/?"], None);
        check(&[], Some(&[]));
    }
}
