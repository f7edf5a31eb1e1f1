//! Addresses of the kernel's symbols, where it shows them.

use std::{fs::File, io::BufRead, io::BufReader};

/// Address of a symbol; 0 when this kernel does not tell.
pub(super) fn address(name: &str) -> u64 {
    match File::open("/proc/kallsyms") {
        Ok(file) => search(BufReader::with_capacity(1 << 16, file), name),
        Err(_) => 0,
    }
}

/// Lines are of the form `ffffffff81000000 T name [module]`.
fn search(mut symbols: impl BufRead, name: &str) -> u64 {
    let mut line = Vec::new();
    loop {
        line.clear();
        if !matches!(symbols.read_until(b'\n', &mut line), Ok(1..)) {
            return 0;
        }
        let mut words = line.split(|byte| byte.is_ascii_whitespace());
        let (address, symbol) = (words.next(), words.nth(1));
        if symbol == Some(name.as_bytes()) {
            let address = address.and_then(|digits| str::from_utf8(digits).ok());
            return address.and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::search;

    #[test]
    fn symbols() {
        let text = b"0000000000000000 A start\nffffffff81000010 D rename_lock\nx T bad\nffffffff81000020 t m [mod]\ncut";
        let check = |name, expected| assert_eq!(search(&text[..], name), expected, "{name}");
        check("rename_lock", 0xffff_ffff_8100_0010);
        check("m", 0xffff_ffff_8100_0020);
        check("start", 0);
        check("bad", 0);
        check("D", 0);
        check("absent", 0);
    }
}
