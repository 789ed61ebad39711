//! Exact shares of a period, and credits that never exceed the line they reverse.
//!
//! Owns how much of a period is left at an instant. Nothing is rounded but an amount, once. Seconds are
//! those between instants; days are local ones.

use crate::calendar::{Date, Period, Zone, days_between};
use crate::money::{Money, MoneyError, Ratio, Rounding};
use crate::timestamp::{CalendarError, Timestamp};

/// What a share of a period is counted in.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ProrationUnit {
    /// Seconds: exact, whatever the zone.
    #[default]
    Second,
    /// Local days: what a person counts on a calendar.
    Day,
}

/// Who pays for the local day on which something changes. Matters only where days are counted.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum DayOwner {
    /// The day counts as used up by what was there before.
    Before,
    /// The day counts for what is there from then on.
    #[default]
    After,
}

/// How long a month is where days are counted.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum DayCount {
    /// As long as it is.
    #[default]
    Actual,
    /// Thirty days, whatever the calendar says.
    Thirty,
}

impl DayCount {
    /// The days from one date to another. Negative when the second is the earlier.
    pub fn days(self, from: Date, to: Date) -> i64 {
        match self {
            DayCount::Actual => days_between(from, to),
            DayCount::Thirty => {
                let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
                (months(to) - months(from)) * 30 + i64::from(to.day()) - i64::from(from.day())
            }
        }
    }
}

/// How much of the period is left at the instant, by whole seconds: all before its start, nothing after
/// its end.
pub fn share_by_seconds(period: Period, at: Timestamp) -> Ratio {
    share(period.end.seconds() - at.seconds(), period.seconds())
}

/// How much of the period is left at the instant, by local days, the day of the instant among them: all
/// before its start, nothing after its end.
pub fn share_by_days(zone: &Zone, period: Period, at: Timestamp) -> Ratio {
    share_by_days_owned(zone, period, at, DayOwner::After)
}

/// As [`share_by_days`], with a say in whose the day of the instant is.
pub fn share_by_days_owned(zone: &Zone, period: Period, at: Timestamp, owner: DayOwner) -> Ratio {
    let (start, end) = (zone.civil_date(period.start), zone.civil_date(period.end));
    let used = match owner {
        DayOwner::Before => 1,
        DayOwner::After => 0,
    };
    share(days_between(zone.civil_date(at), end) - used, days_between(start, end))
}

/// How much of the period is left at the instant, by the settings of whoever sells.
pub fn share_left(unit: ProrationUnit, owner: DayOwner, zone: &Zone, period: Period, at: Timestamp) -> Ratio {
    match unit {
        ProrationUnit::Second => share_by_seconds(period, at),
        ProrationUnit::Day => share_by_days_owned(zone, period, at, owner),
    }
}

/// What to give back of a billed line for a share of it: rounded half-up once, and never more than is left
/// of the line after what has been credited before. Errors on another currency and on overflow.
pub fn credit(billed_line: Money, already_credited: Money, share: Ratio) -> Result<Money, MoneyError> {
    let left = billed_line.checked_sub(already_credited)?;
    let wanted = billed_line.prorate(share, Rounding::HalfUp)?;
    let fits = if billed_line.is_negative() {
        wanted.minor() >= left.minor()
    } else {
        wanted.minor() <= left.minor()
    };
    Ok(if fits { wanted } else { left })
}

/// A ratio of two counts, brought between nothing and all. Of an empty whole, nothing is left.
pub(crate) fn share(part: i64, whole: i64) -> Ratio {
    Ratio::new(part.clamp(0, whole.max(0)), whole).unwrap_or(Ratio::ZERO)
}

/// Why a row of periods could not be laid out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProrationError {
    /// The dates are not in the order start, end, billed through.
    #[error("invalid date sequence")]
    InvalidDateSequence,
    /// The calendar could not follow.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::currency::Currency;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    fn ratio(num: i64, den: i64) -> Ratio {
        Ratio::new(num, den).unwrap()
    }

    #[test]
    fn shares_by_seconds_and_by_days() {
        let january = Period { start: at("2024-01-01"), end: at("2024-02-01") };
        let noon = at("2024-01-16T12:00:00.9Z");
        assert_eq!(share_by_seconds(january, noon), ratio(31, 62));
        assert_eq!(share_by_days(&Zone::utc(), january, noon), ratio(16, 31));
        assert_eq!(share_by_days_owned(&Zone::utc(), january, noon, DayOwner::Before), ratio(15, 31));
        // In Auckland it is the 17th already, and the period runs from 13:00 on the 1st.
        let auckland = Zone::parse("Pacific/Auckland").unwrap();
        assert_eq!(share_by_days(&auckland, january, noon), ratio(15, 31));
        for unit in [ProrationUnit::Second, ProrationUnit::Day] {
            let left = |t| share_left(unit, DayOwner::After, &Zone::utc(), january, at(t));
            assert_eq!((left("2024-01-01"), left("2024-02-01")), (Ratio::ONE, Ratio::ZERO));
            assert_eq!((left("2023-06-01"), left("2024-06-01")), (Ratio::ONE, Ratio::ZERO));
        }
    }

    #[test]
    fn a_day_of_23_hours_is_a_day() {
        let zone = Zone::parse("Europe/Berlin").unwrap();
        let march = Period { start: at("2024-02-29T23:00:00Z"), end: at("2024-03-31T22:00:00Z") };
        assert_eq!(share_by_days(&zone, march, at("2024-03-31T01:00:00Z")), ratio(1, 31));
        assert_eq!(share_by_seconds(march, at("2024-03-30T23:00:00Z")), ratio(23, 31 * 24 - 1));
    }

    #[test]
    fn nothing_is_left_of_an_empty_period() {
        let never = Period { start: at("2024-01-01"), end: at("2024-01-01") };
        assert_eq!(share_by_seconds(never, at("2024-01-01")), Ratio::ZERO);
        assert_eq!(share_by_days(&Zone::utc(), never, at("2024-01-01")), Ratio::ZERO);
    }

    #[test]
    fn a_credit_stops_at_what_is_left_of_the_line() {
        let half = ratio(1, 2);
        assert_eq!(credit(usd(999), usd(0), half), Ok(usd(500)));
        assert_eq!(credit(usd(999), usd(500), half), Ok(usd(499)));
        assert_eq!(credit(usd(999), usd(999), half), Ok(usd(0)));
        assert_eq!(credit(usd(-999), usd(-500), half), Ok(usd(-499)));
        assert_eq!(credit(usd(24_995), usd(0), ratio(27, 31)), Ok(usd(21_770)));
        assert!(credit(usd(1), Money::zero(Currency::EUR), half).is_err());
    }

    #[test]
    fn months_of_thirty_days() {
        let days = |from: &str, to: &str| DayCount::Thirty.days(from.parse().unwrap(), to.parse().unwrap());
        assert_eq!((days("2023-05-23", "2023-06-23"), days("2023-06-15", "2023-06-23")), (30, 8));
        assert_eq!((days("2023-02-23", "2023-03-15"), days("2023-01-23", "2023-02-15")), (22, 22));
        assert_eq!((days("2023-01-01", "2024-01-01"), days("2023-06-23", "2023-06-15")), (360, -8));
    }
}
