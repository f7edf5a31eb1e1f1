//! Whether a number of which only a range is known passes a test.

use crate::rules::typed::{Comparison, Literal, Test};

/// Whether some of these numbers pass, and whether some do not. They may both be told
/// where that is not known.
pub(super) fn outcomes(test: &Test, (least, most): (i128, i128)) -> (bool, bool) {
    let unknown = (true, true);
    match test {
        Test::Exists => (true, false),
        Test::In(literals) | Test::Intersects(literals) => {
            let listed = |literal: &Literal| match literal {
                Literal::Int(number) => (least..=most).contains(number),
                _ => true,
            };
            let some = literals.iter().any(listed);
            (some, !(some && least == most))
        }
        Test::Literal { operator, modifier: None, literals } => {
            let [Literal::Int(number)] = *literals.as_slice() else { return unknown };
            let within = (least..=most).contains(&number);
            match operator {
                Comparison::Eq => (within, !(within && least == most)),
                Comparison::Ne => (!(within && least == most), within),
                Comparison::Lt => (least < number, most >= number),
                Comparison::Le => (least <= number, most > number),
                Comparison::Gt => (most > number, least <= number),
                Comparison::Ge => (most >= number, least < number),
                _ => unknown,
            }
        }
        Test::Literal { .. } | Test::Operand { .. } | Test::InOperand { .. } | Test::Pmatch(_) => {
            unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::outcomes;
    use crate::rules::typed::{Comparison, Literal, Test};

    #[test]
    fn ranges_pass_fail_or_both() {
        use Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
        let check = |operator, number, range, expected| {
            let literals = vec![Literal::Int(number)];
            let test = Test::Literal { operator, modifier: None, literals };
            assert_eq!(outcomes(&test, range), expected, "{range:?} {operator:?} {number}");
        };
        let (passes, fails, both) = ((true, false), (false, true), (true, true));
        let (open, error) = ((0, 1 << 63), (-4095, -1));
        check(Ge, 0, open, passes);
        check(Ge, 0, error, fails);
        check(Ge, 1, open, both);
        check(Gt, -1, open, passes);
        check(Gt, 0, open, both);
        check(Lt, 0, open, fails);
        check(Lt, 0, error, passes);
        check(Le, 0, open, both);
        check(Le, -1, open, fails);
        check(Le, -1, error, passes);
        check(Eq, 0, open, both);
        check(Eq, -1, open, fails);
        check(Ne, -1, open, passes);
        check(Ne, -1, error, both);
        check(Eq, -1, (-1, -1), passes);
        check(Ne, -1, (-1, -1), fails);
        check(Comparison::Contains, 1, open, both);
    }

    #[test]
    fn lists_pass_if_one_does() {
        let check = |numbers: &[i128], range, expected| {
            let test = Test::In(numbers.iter().map(|number| Literal::Int(*number)).collect());
            assert_eq!(outcomes(&test, range), expected, "{range:?} in {numbers:?}");
        };
        check(&[0, 1, 2], (0, 9), (true, true));
        check(&[-1, -2], (0, 9), (false, true));
        check(&[], (0, 9), (false, true));
        check(&[-1, -2], (-1, -1), (true, false));
    }
}
