//! How large a demo is.

use super::script::{Span, StoryRole};
use super::{cast, habits};
use billing::calendar::{Zone, add_months};
use billing::refusal::Refusal;
use billing::timestamp::Timestamp;
use engine::Error;

/// How much trade to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoPlan {
    months: u32,
    pub(super) customers: u32,
    seed: u64,
}

/// The most months that a demo can have: ten years.
pub const MONTHS_MAX: u32 = 120;

/// The most customers that a demo can have.
pub const CUSTOMERS_MAX: u32 = 20_000;

/// The first instant of every demo, in seconds since the epoch: 1 January 2024 in UTC.
const START: Timestamp = Timestamp::from_seconds(1_704_067_200);

impl DemoPlan {
    /// So many months of trade with so many customers, as the seed wants it.
    ///
    /// # Errors
    /// If a number is 0 or too large; the text says which.
    pub fn new(months: u32, customers: u32, seed: u64) -> Result<Self, String> {
        if !(1..=MONTHS_MAX).contains(&months) {
            return Err(format!("--months is a whole number from 1 to {MONTHS_MAX}, not {months}"));
        }
        if !(1..=CUSTOMERS_MAX).contains(&customers) {
            return Err(format!("--customers is a whole number from 1 to {CUSTOMERS_MAX}, not {customers}"));
        }
        Ok(Self { months, customers, seed })
    }

    /// The seed from which all ids follow.
    pub const fn seed(self) -> u64 {
        self.seed
    }

    /// The time that its story fills.
    pub(super) fn span(self) -> Result<Span, Error> {
        let utc = Zone::utc();
        let last = add_months(utc.civil_date(START), i64::from(self.months)).map_err(Refusal::from)?;
        Ok(Span { start: START, end: utc.start_of_day(last).map_err(Refusal::from)? })
    }

    /// All its customers with what they do.
    pub(super) fn roles(self, span: Span) -> Vec<StoryRole> {
        let count = i64::from(self.customers);
        let mut roles = cast::leads(self.seed, span, count);
        roles.extend((0..count - roles.len() as i64).map(|index| habits::role(self.seed, span, index)));
        roles
    }
}

impl std::fmt::Display for DemoPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let several = |n: u32| if n == 1 { "" } else { "s" };
        let (months, customers, seed) = (self.months, self.customers, self.seed);
        write!(
            f,
            "{months} month{}, {customers} customer{}, seed {seed}",
            several(months),
            several(customers)
        )
    }
}
