//! Texts inside JSON, and alerts on one line: the same escapes.

/// Appends the text as JSON writes it, without quotes around it.
///
/// Quotes, backslashes and control characters are escaped, everything else stays as
/// it is; bytes that are not UTF-8 become U+FFFD. So what a process called a file
/// can neither end a line nor begin another.
pub(super) fn escaped(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for chunk in text.utf8_chunks() {
        for &byte in chunk.valid().as_bytes() {
            let short = match byte {
                b'"' | b'\\' => byte,
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                0x08 => b'b',
                0x0c => b'f',
                0x00..=0x1f => {
                    out.extend_from_slice(b"\\u00");
                    out.push(HEX[usize::from(byte >> 4)]);
                    out.push(HEX[usize::from(byte & 0xf)]);
                    continue;
                }
                _ => {
                    out.push(byte);
                    continue;
                }
            };
            out.extend_from_slice(&[b'\\', short]);
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

/// Appends the text as a JSON string.
pub(super) fn string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    escaped(text, out);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::{escaped, string};

    #[test]
    fn escapes() {
        let check = |text: &[u8], expected: &str| {
            let mut out = Vec::new();
            escaped(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        };
        check(b"cat /etc/shadow", "cat /etc/shadow");
        check(b"a\nb\tc\rd\x08\x0c", r"a\nb\tc\rd\b\f");
        check(b"\x1b[31m\x00\x7f", "\\u001b[31m\\u0000\u{7f}");
        check(br#"say "x" \ y"#, r#"say \"x\" \\ y"#);
        check("grüße 日本".as_bytes(), "grüße 日本");
        check(b"a\x80z \xff\xfe", "a\u{fffd}z \u{fffd}\u{fffd}");
        check(b"", "");
    }

    #[test]
    fn strings_are_json() {
        let every_byte: Vec<u8> = (0..=255).collect();
        let mut out = Vec::new();
        string(&every_byte, &mut out);
        let read: String = serde_json::from_slice(&out).unwrap();
        assert_eq!(read, String::from_utf8_lossy(&every_byte));
    }
}
