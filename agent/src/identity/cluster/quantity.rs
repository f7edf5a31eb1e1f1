//! Kubernetes' quantities: `250m`, `1.5Gi`, `2e3`.
//!
//! Grammar: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>.
//! Exact, rounded up as Kubernetes does, and [`u64::MAX`] for what is larger.

/// The amount in whole units; `None` if it is no quantity or less than nothing.
#[must_use]
pub fn units(text: &str) -> Option<u64> {
    amount(text, 0)
}

/// The amount in thousandths; `None` if it is no quantity or less than nothing.
#[must_use]
pub fn millis(text: &str) -> Option<u64> {
    amount(text, 3)
}

/// The amount × 10^`shift`.
fn amount(text: &str, shift: i32) -> Option<u64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let (base, exponent) = scale(suffix)?;
    let (twos, tens) = if base == 2 { (exponent, shift) } else { (0, exponent + shift) };
    let places = i32::try_from(fraction.len()).ok()?;
    let digits = [whole, fraction].concat();
    let digits = digits.trim_start_matches('0');
    Some(scaled(digits, twos, tens - places))
}

/// `digits` × 2^`twos` × 10^`tens`, rounded up.
fn scaled(digits: &str, twos: i32, tens: i32) -> u64 {
    if digits.is_empty() {
        return 0;
    }
    // Twenty digits are more than a sum has room for; further ones only round up.
    let (digits, rest) = digits.split_at(digits.len().min(20));
    let tens = tens.saturating_add(i32::try_from(rest.len()).unwrap_or(i32::MAX));
    let cut = rest.bytes().any(|digit| digit != b'0');
    let Ok(mut number) = digits.parse::<u128>() else {
        return u64::MAX;
    };
    for _ in 0..twos {
        number *= 2;
    }
    let power = 10_u128.checked_pow(tens.unsigned_abs());
    let amount = match (tens < 0, power) {
        (false, Some(power)) => number.checked_mul(power),
        (false, None) => None,
        (true, Some(power)) => Some((number + u128::from(cut)).div_ceil(power)),
        (true, None) => Some(1),
    };
    amount.and_then(|amount| u64::try_from(amount).ok()).unwrap_or(u64::MAX)
}

/// Base and exponent that a suffix stands for.
fn scale(suffix: &str) -> Option<(u8, i32)> {
    Some(match suffix {
        "n" => (10, -9),
        "u" => (10, -6),
        "m" => (10, -3),
        "" => (10, 0),
        "k" => (10, 3),
        "M" => (10, 6),
        "G" => (10, 9),
        "T" => (10, 12),
        "P" => (10, 15),
        "E" => (10, 18),
        "Ki" => (2, 10),
        "Mi" => (2, 20),
        "Gi" => (2, 30),
        "Ti" => (2, 40),
        "Pi" => (2, 50),
        "Ei" => (2, 60),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            let exponent: i32 = exponent.parse().ok()?;
            (10, exponent.clamp(-1000, 1000))
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{millis, units};

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        let check = |text: &str, in_units: Option<u64>, in_millis: Option<u64>| {
            assert_eq!((units(text), millis(text)), (in_units, in_millis), "{text}");
        };
        check("0", Some(0), Some(0));
        check("1", Some(1), Some(1000));
        check("250m", Some(1), Some(250));
        check("1500m", Some(2), Some(1500));
        check("0.5", Some(1), Some(500));
        check(".5", Some(1), Some(500));
        check("2.", Some(2), Some(2000));
        check("+3", Some(3), Some(3000));
        check("100u", Some(1), Some(1));
        check("1n", Some(1), Some(1));
        check("128974848", Some(128_974_848), Some(128_974_848_000));
        check("129e6", Some(129_000_000), Some(129_000_000_000));
        check("129E6", Some(129_000_000), Some(129_000_000_000));
        check("1E", Some(10_u64.pow(18)), Some(u64::MAX));
        check("12e-1", Some(2), Some(1200));
        check("123Mi", Some(123 << 20), Some((123 << 20) * 1000));
        check("1.5Gi", Some(3 << 29), Some((3 << 29) * 1000));
        check("0.1Ki", Some(103), Some(102_400));
        check("5G", Some(5_000_000_000), Some(5_000_000_000_000));
        check("16Ei", Some(u64::MAX), Some(u64::MAX));
        check("1e400", Some(u64::MAX), Some(u64::MAX));
        check("1e-400", Some(1), Some(1));
        check("0.0000000000000000000000000001", Some(1), Some(1));
        check("1000000000000000000000000000e-27", Some(1), Some(1000));
        for text in ["", "m", ".", "1.2.3", "-1", "1 Gi", "1gi", "1KiB", "e3", "1e", "one", "1٣"] {
            check(text, None, None);
        }
    }

    proptest! {
        #[test]
        fn suffixes_are_powers(number in 0..1_000_000_u64) {
            prop_assert_eq!(units(&format!("{number}Ki")), Some(number * 1024));
            prop_assert_eq!(units(&format!("{number}k")), Some(number * 1000));
            prop_assert_eq!(millis(&format!("{number}m")), Some(number));
            prop_assert_eq!(units(&format!("{number}m")), Some(number.div_ceil(1000)));
            prop_assert_eq!(millis(&format!("{}.{:03}", number / 1000, number % 1000)), Some(number));
        }

        #[test]
        fn anything_is_read_without_a_panic(text in "[-+0-9.eEKMGTPinumk]{0,40}") {
            if let (Some(whole), Some(thousandths)) = (units(&text), millis(&text)) {
                prop_assert!(whole == u64::MAX || thousandths.div_ceil(1000) == whole || thousandths == u64::MAX);
            }
        }
    }
}
