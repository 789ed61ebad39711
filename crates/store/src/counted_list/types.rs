//! What counted lists are made of.

use crate::Error;
use std::ops::Add;

/// How many lists a counted list has.
pub const LISTS: usize = 12;

/// One ordered collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountedList {
    /// The shard of the customers whose entries it orders.
    pub shard: i64,
    /// The environment that it belongs to.
    pub environment: i64,
    /// Which collection of the environment it is.
    pub number: i64,
}

/// One member of a counted list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its list, below [`LISTS`].
    pub list: u8,
    /// Its time in microseconds: the first part of the sort key.
    pub at: i64,
    /// Its id: the second part of the sort key.
    pub id: u128,
    /// What is summed: minor units of money.
    pub amount: i64,
}

/// A set of lists of one counted list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lists(pub(super) u16);

impl Lists {
    /// No list.
    pub const NONE: Lists = Lists(0);
    /// Every list.
    pub const ALL: Lists = Lists((1 << LISTS) - 1);

    /// This set and one more list; numbers of [`LISTS`] and above do not exist and are ignored.
    pub const fn with(self, list: u8) -> Lists {
        if (list as usize) < LISTS { Lists(self.0 | 1 << list) } else { self }
    }

    /// Whether the list is in the set.
    pub const fn has(self, list: u8) -> bool {
        (list as usize) < LISTS && self.0 & (1 << list) != 0
    }

    pub(super) fn each(self) -> impl Iterator<Item = u8> {
        (0..LISTS as u8).filter(move |list| self.has(*list))
    }
}

/// A half-open range of time in microseconds; an end that is `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Between {
    /// The first instant inside.
    pub from: Option<i64>,
    /// The first instant after.
    pub until: Option<i64>,
}

/// How many entries there are and what they sum to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Entries.
    pub count: i64,
    /// The sum of their amounts.
    pub amount: i64,
}

impl Totals {
    pub(super) fn plus(self, other: Totals) -> Result<Totals, Error> {
        let amount = self.amount.checked_add(other.amount).ok_or_else(too_large)?;
        Ok(Totals { count: self.count + other.count, amount })
    }

    pub(super) fn minus(self, other: Totals) -> Result<Totals, Error> {
        let amount = self.amount.checked_sub(other.amount).ok_or_else(too_large)?;
        Ok(Totals { count: self.count - other.count, amount })
    }
}

fn too_large() -> Error {
    Error::Corrupt("the sum of a list does not fit 64 bits".to_owned())
}

/// A place in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) at: i64,
    pub(super) id: u128,
}

impl Key {
    pub(super) const FIRST: Key = Key { at: i64::MIN, id: 0 };
    /// After every entry.
    pub(super) const END: Key = Key { at: i64::MAX, id: u128::MAX };
}

impl Entry {
    pub(super) fn key(&self) -> Key {
        Key { at: self.at, id: self.id }
    }
}

/// What a node counts, or by how much it changes, list by list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) counts: [i64; LISTS],
    pub(super) amounts: [i64; LISTS],
}

impl Tally {
    pub(super) fn of(entry: &Entry) -> Tally {
        let mut tally = Tally::default();
        tally.counts[usize::from(entry.list)] = 1;
        tally.amounts[usize::from(entry.list)] = entry.amount;
        tally
    }

    pub(super) fn negative(mut self) -> Tally {
        for value in self.counts.iter_mut().chain(&mut self.amounts) {
            *value = -*value;
        }
        self
    }

    pub(super) fn count(&self) -> i64 {
        self.counts.iter().sum()
    }

    pub(super) fn count_in(&self, lists: Lists) -> i64 {
        lists.each().map(|list| self.counts[usize::from(list)]).sum()
    }

    pub(super) fn in_lists(&self, lists: Lists) -> Result<Totals, Error> {
        lists.each().map(usize::from).try_fold(Totals::default(), |totals, list| {
            totals.plus(Totals { count: self.counts[list], amount: self.amounts[list] })
        })
    }
}

impl Add for Tally {
    type Output = Tally;

    /// Amounts that overflow wrap here; the database and the audit refuse what comes of it.
    fn add(mut self, other: Tally) -> Tally {
        for list in 0..LISTS {
            self.counts[list] += other.counts[list];
            self.amounts[list] = self.amounts[list].wrapping_add(other.amounts[list]);
        }
        self
    }
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Tally>>(tallies: I) -> Tally {
        tallies.fold(Tally::default(), Tally::add)
    }
}
