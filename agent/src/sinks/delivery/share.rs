//! A part of all alerts, chosen by their ids alone.
//!
//! It is the consistent sampling of OpenTelemetry: an id is taken if its last 56 bits are
//! not below a threshold. So every agent and every back-end that samples by the same
//! ratio takes the same ones, and with a greater one these and more.

/// Bits of an id that decide.
const BITS: u32 = 56;
/// Alerts of this priority or a more urgent one are always taken; it is `critical`.
const ALWAYS: u8 = 2;

/// See the module. The default takes all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    threshold: u64,
}

impl Share {
    /// So many of all: 0 (none) to 1 (all).
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is a whole number from 0 to 2^56"
    )]
    pub fn new(ratio: f64) -> Self {
        let all = (1_u64 << BITS) as f64;
        Self { threshold: ((1.0 - ratio.clamp(0.0, 1.0)) * all).round() as u64 }
    }

    /// Whether an alert is taken: its id, 32 hexadecimal digits, and its priority.
    #[must_use]
    pub fn takes(self, id: &str, priority: u8) -> bool {
        self.threshold_of(priority) <= last(u128::from_str_radix(id, 16).unwrap_or_default())
    }

    /// The same of something else that has an id, and no priority.
    #[must_use]
    pub fn takes_trace(self, id: u128) -> bool {
        self.threshold <= last(id)
    }

    /// What tells back-ends how many an alert stands for, as a state of traces.
    #[must_use]
    pub fn trace_state(self, priority: u8) -> String {
        let digits = format!("{:014x}", self.threshold_of(priority));
        let digits = digits.trim_end_matches('0');
        format!("ot=th:{}", if digits.is_empty() { "0" } else { digits })
    }

    const fn threshold_of(self, priority: u8) -> u64 {
        if priority <= ALWAYS { 0 } else { self.threshold }
    }
}

/// The bits that decide.
fn last(id: u128) -> u64 {
    u64::try_from(id & ((1 << BITS) - 1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Share;

    const NOTICE: u8 = 5;

    #[test]
    fn the_last_bits_of_the_id_decide() {
        #[track_caller]
        fn check(ratio: f64, bits: u64, expected: bool) {
            let id = format!("{:016x}{bits:016x}", u64::MAX);
            assert_eq!(Share::new(ratio).takes(&id, NOTICE), expected, "{ratio} {bits:x}");
            assert!(Share::new(ratio).takes(&id, 2), "critical");
            assert_eq!(Share::new(ratio).takes_trace(bits.into()), expected, "{ratio} {bits:x}");
        }
        check(1.0, 0, true);
        check(0.0, u64::MAX, false);
        check(0.5, 0x80_0000_0000_0000, true);
        check(0.5, 0x7f_ffff_ffff_ffff, false);
        // What is above decides nothing.
        check(0.5, 0xff7f_ffff_ffff_ffff, false);
        check(0.25, 0xc0_0000_0000_0000, true);
        check(0.25, 0xbf_ffff_ffff_ffff, false);
    }

    #[test]
    fn a_greater_ratio_takes_the_same_and_more() {
        let ids: Vec<String> = (0..4096_u64)
            .map(|it| format!("{:032x}", u128::from(it.wrapping_mul(0x9e37_79b9_7f4a_7c15))))
            .collect();
        let taken = |ratio: f64| -> Vec<&String> {
            ids.iter().filter(|id| Share::new(ratio).takes(id, NOTICE)).collect()
        };
        let (few, many) = (taken(0.1), taken(0.3));
        assert!(few.iter().all(|id| many.contains(id)));
        assert!((350..470).contains(&few.len()), "{}", few.len());
        assert!((1130..1330).contains(&many.len()), "{}", many.len());
    }

    #[test]
    fn the_state_is_as_the_specification_writes_it() {
        let check = |ratio: f64, expected: &str| {
            assert_eq!(Share::new(ratio).trace_state(NOTICE), expected, "{ratio}");
        };
        check(1.0, "ot=th:0");
        check(0.5, "ot=th:8");
        check(0.25, "ot=th:c");
        check(0.1, "ot=th:e6666666666668");
        assert_eq!(Share::new(0.1).trace_state(1), "ot=th:0");
    }
}
