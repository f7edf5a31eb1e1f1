//! What was shown and what arrived, held against each other. Pure.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};

/// An alert, as it was shown or as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Its id.
    pub(crate) id: String,
    /// The number of the event that it is about.
    pub(crate) number: u32,
}

/// What arrived.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// By id.
    arrived: BTreeMap<String, u32>,
    doubles: usize,
    last: Option<u32>,
}

/// The numbers that nobody told of: from the first up to, without, the second.
pub(crate) type Gap = (u32, u32);

impl Account {
    /// Takes what arrived next.
    ///
    /// # Errors
    ///
    /// An id of another alert; one that comes for the first time behind a later one.
    pub(crate) fn take(&mut self, told: Told) -> Result<()> {
        let Told { id, number } = told;
        if let Some(known) = self.arrived.get(&id) {
            ensure!(*known == number, "{id} is alert {known}, and then alert {number}");
            self.doubles += 1;
            return Ok(());
        }
        let last = self.last.replace(number);
        ensure!(last < Some(number), "alert {number} comes behind alert {last:?}");
        self.arrived.insert(id, number);
        Ok(())
    }

    pub(crate) fn arrived(&self) -> usize {
        self.arrived.len()
    }

    pub(crate) fn doubles(&self) -> usize {
        self.doubles
    }

    /// Makes sure that all of these have arrived, and tells what of `made` has not.
    ///
    /// # Errors
    ///
    /// One that was shown has not; there is more than one gap.
    pub(crate) fn close(&self, shown: &[Told], made: u32) -> Result<Option<Gap>> {
        for Told { id, number } in shown {
            let arrived = self.arrived.get(id);
            ensure!(arrived == Some(number), "alert {number} was shown and has not arrived");
        }
        let told: BTreeSet<u32> = self.arrived.values().copied().collect();
        let mut missing = (0..made).filter(|number| !told.contains(number));
        let Some(first) = missing.next() else { return Ok(None) };
        let end = told.range(first..).next().copied().unwrap_or(made);
        let other = missing.find(|number| *number >= end);
        ensure!(other.is_none(), "{first} to {end} are missing, and so is {other:?}");
        let most = told.last().context("nothing has arrived")?;
        ensure!(*most < made, "alert {most} was never made");
        Ok(Some((first, end)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Gap, Told};

    fn told(numbers: &[u32]) -> Vec<Told> {
        numbers.iter().map(|&number| Told { id: format!("id-{number}"), number }).collect()
    }

    fn check(shown: &[u32], arrived: &[u32], expected: Option<(usize, Option<Gap>)>) {
        let mut account = Account::default();
        let found = told(arrived).into_iter().try_for_each(|it| account.take(it));
        let found = found.and_then(|()| account.close(&told(shown), 6));
        assert_eq!(
            found.ok().map(|gap| (account.doubles(), gap)),
            expected,
            "shown {shown:?}, arrived {arrived:?}"
        );
    }

    #[test]
    fn what_was_shown_must_arrive_and_what_is_missing_is_one_gap() {
        check(&[0, 1, 4, 5], &[0, 1, 2, 3, 4, 5], Some((0, None)));
        check(&[0, 1, 4], &[0, 1, 4, 5], Some((0, Some((2, 4)))));
        check(&[0, 1, 4], &[0, 1, 0, 1, 4, 5], Some((2, Some((2, 4)))));
        check(&[0, 1], &[0, 1, 2, 3], Some((0, Some((4, 6)))));
        check(&[0, 1, 2], &[0, 1, 4, 5], None);
        check(&[0], &[0, 2, 4, 5], None);
        check(&[0], &[0, 1, 4, 3, 5], None);
        check(&[0], &[0, 1, 2, 3, 4, 5, 9], Some((0, None)));
    }

    #[test]
    fn an_id_is_of_one_alert() {
        let mut account = Account::default();
        account.take(Told { id: "a".to_owned(), number: 1 }).expect("the first");
        account.take(Told { id: "a".to_owned(), number: 2 }).expect_err("another one");
    }
}
