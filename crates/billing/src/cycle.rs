//! Billing-cycle days: where the periods of a subscription lie on the calendar, and the partial ones at
//! either end.

use crate::calendar::{
    CalendarError, Date, Interval, IntervalUnit, Step, add_days, add_months, days_between,
};
use crate::money::{MoneyError, Ratio};
use crate::proration::{DayCount, ProrationError, share};

/// What the periods of a subscription are lined up with.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Alignment {
    /// A day of the month, 1 to 31, moved to the month's end where it lacks the day.
    BillingDay(u8),
    /// The calendar: Mondays, firsts of the month, quarters and years from January.
    Calendar,
    /// A date, such as that on which the subscription began.
    Anchor(Date),
}

/// A row of periods on the calendar.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cycle {
    /// How long each period is.
    pub interval: Interval,
    /// Where they lie.
    pub alignment: Alignment,
}

/// A period to bill, or the part of one that the subscription's start or end leaves.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// The first day.
    pub from: Date,
    /// The first day after.
    pub to: Date,
    /// The first day of the whole period that the part is measured on.
    pub whole_from: Date,
    /// The first day after that whole period.
    pub whole_to: Date,
}

impl Part {
    /// How much of the whole period the part is.
    pub fn share(&self, count: DayCount) -> Ratio {
        self.share_of(self.from, self.to, count)
    }

    /// How much of the whole period the days between two dates are.
    pub fn share_of(&self, from: Date, to: Date, count: DayCount) -> Ratio {
        // A part that is the whole is all of it, however its days are counted.
        if (from, to) == (self.whole_from, self.whole_to) {
            return Ratio::ONE;
        }
        share(count.days(from, to), count.days(self.whole_from, self.whole_to))
    }

    /// The days of the part and of the whole, as they are counted.
    pub fn days(&self, count: DayCount) -> (i64, i64) {
        (count.days(self.from, self.to), count.days(self.whole_from, self.whole_to))
    }
}

impl Cycle {
    /// The periods of this length and alignment.
    pub const fn new(interval: Interval, alignment: Alignment) -> Cycle {
        Cycle { interval, alignment }
    }

    /// The first date on or after the start on which a whole period begins.
    pub fn first_whole(&self, start: Date) -> Result<Date, ProrationError> {
        let base = match (self.interval.step()?, self.alignment) {
            (_, Alignment::Anchor(anchor)) => anchor,
            (Step::Days(_), Alignment::BillingDay(_)) => start,
            (Step::Days(_), Alignment::Calendar) => match self.interval.unit {
                IntervalUnit::Week => monday_on_or_before(start)?,
                _ => start,
            },
            (Step::Months(_), Alignment::BillingDay(day)) => on_day(start, day),
            (Step::Months(_), Alignment::Calendar) => start.first_of_year(),
        };
        let mut n = self.estimate(base, start)? - 1;
        while self.boundary(base, n)? < start {
            n += 1;
        }
        self.boundary(base, n)
    }

    /// The date on which the period so many after the one that begins on `base` begins.
    pub fn boundary(&self, base: Date, n: i64) -> Result<Date, ProrationError> {
        let (count, months) = match self.interval.step()? {
            Step::Days(days) => (days, false),
            Step::Months(months) => (months, true),
        };
        let total = n.checked_mul(count).ok_or(CalendarError::OutOfRange)?;
        if !months {
            return Ok(add_days(base, total)?);
        }
        let moved = add_months(base.first_of_month(), total)?;
        Ok(on_day(moved, self.day_of_month()))
    }

    /// The periods that begin on or before the last day to bill, the partial ones at either end among them.
    /// Errors when the end or that day lies before the start.
    pub fn parts(&self, start: Date, end: Option<Date>, through: Date) -> Result<Vec<Part>, ProrationError> {
        if through < start || end.is_some_and(|end| end < start) {
            return Err(ProrationError::InvalidDateSequence);
        }
        let first = self.first_whole(start)?;
        let cut = |to: Date| end.map_or(to, |end| to.min(end));
        let over = |from: Date| from > through || end.is_some_and(|end| from >= end);
        let mut parts = Vec::new();
        if first > start && !over(start) {
            let whole_from = self.lead_in_from(first)?;
            parts.push(Part { from: start, to: cut(first), whole_from, whole_to: first });
        }
        for n in 0.. {
            let (from, to) = (self.boundary(first, n)?, self.boundary(first, n + 1)?);
            if over(from) {
                break;
            }
            parts.push(Part { from, to: cut(to), whole_from: from, whole_to: to });
        }
        Ok(parts)
    }

    /// The date on which the whole period begins that a partial one before `first` is measured on.
    fn lead_in_from(&self, first: Date) -> Result<Date, ProrationError> {
        match (self.interval.step()?, self.alignment) {
            // One interval back from the date itself, not from the billing day: 28 January for 28 February.
            (Step::Months(months), Alignment::BillingDay(_)) => Ok(add_months(first, -months)?),
            _ => self.boundary(first, -1),
        }
    }

    fn day_of_month(&self) -> u8 {
        match self.alignment {
            Alignment::BillingDay(day) => day,
            Alignment::Calendar => 1,
            Alignment::Anchor(anchor) => anchor.day().unsigned_abs(),
        }
    }

    fn estimate(&self, base: Date, start: Date) -> Result<i64, ProrationError> {
        let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
        Ok(match self.interval.step()? {
            Step::Days(days) => days_between(base, start).div_euclid(days),
            Step::Months(count) => (months(start) - months(base)).div_euclid(count),
        })
    }
}

/// The sum of the parts' shares: how many periods they are worth. Errors on overflow.
pub fn periods(parts: &[Part], count: DayCount) -> Result<Ratio, MoneyError> {
    parts.iter().try_fold(Ratio::ZERO, |sum, part| sum.checked_add(part.share(count)))
}

fn on_day(date: Date, day: u8) -> Date {
    let day = i8::try_from(day).unwrap_or(i8::MAX).clamp(1, date.days_in_month());
    date.with().day(day).build().unwrap_or(date)
}

fn monday_on_or_before(date: Date) -> Result<Date, ProrationError> {
    let back = i64::from(date.weekday().to_monday_zero_offset());
    Ok(add_days(date, -back)?)
}
