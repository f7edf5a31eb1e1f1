//! Medians, ranges and ratios of paired samples. Pure.

use serde::Serialize;

/// The least, the middle and the greatest of some figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The least.
    pub(crate) min: f64,
    /// The middle; the mean of the two middle ones of an even number.
    pub(crate) median: f64,
    /// The greatest.
    pub(crate) max: f64,
}

impl Spread {
    /// The spread of `figures`; `None` of none.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self { min, median, max })
    }
}

/// What was added to `base`, pair by pair of the same round.
pub(crate) fn added(with: &[f64], base: &[f64]) -> Option<Spread> {
    Spread::of(with.iter().zip(base).map(|(with, base)| with - base))
}

/// What became of `base`, as a ratio, pair by pair of the same round.
pub(crate) fn ratio(with: &[f64], base: &[f64]) -> Option<Spread> {
    Spread::of(with.iter().zip(base).map(|(with, base)| with / base))
}

/// How much two samples of the same thing differ as a rule: the median of the
/// differences without their signs.
pub(crate) fn noise(one: &[f64], other: &[f64]) -> Option<f64> {
    let differences = one.iter().zip(other).map(|(one, other)| (one - other).abs());
    Spread::of(differences).map(|spread| spread.median)
}

#[cfg(test)]
mod tests {
    use super::{Spread, added, noise, ratio};

    fn check(figures: &[f64], expected: Option<(f64, f64, f64)>) {
        let expected = expected.map(|(min, median, max)| Spread { min, median, max });
        assert_eq!(Spread::of(figures.iter().copied()), expected, "{figures:?}");
    }

    #[test]
    fn spread_of_figures_in_any_order() {
        check(&[3.0, 1.0, 2.0], Some((1.0, 2.0, 3.0)));
        check(&[4.0, 1.0, 2.0, 3.0], Some((1.0, 2.5, 4.0)));
        check(&[7.0], Some((7.0, 7.0, 7.0)));
        check(&[], None);
    }

    #[test]
    fn pairs_are_compared_within_their_round() {
        // The machine was twice as slow in the second round.
        let (base, with) = ([100.0, 200.0, 100.0], [150.0, 300.0, 160.0]);
        assert_eq!(added(&with, &base).map(|spread| spread.median), Some(60.0));
        assert_eq!(ratio(&with, &base).map(|spread| spread.median), Some(1.5));
        assert_eq!(ratio(&with, &[]), None);
    }

    #[test]
    fn noise_has_no_sign() {
        assert_eq!(noise(&[100.0, 90.0, 110.0], &[95.0, 100.0, 100.0]), Some(10.0));
        assert_eq!(noise(&[1.0], &[]), None);
    }
}
