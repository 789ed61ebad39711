//! Exact shares of a period, and credits that never exceed the line they reverse.
//!
//! Owns how much of a period is left at an instant. Nothing is rounded but an amount, once. Seconds are
//! those between instants.

use crate::calendar::Period;
use crate::money::{Money, MoneyError, Ratio, Rounding};
use crate::timestamp::Timestamp;

/// How much of the period is left at the instant, by whole seconds: all before its start, nothing after
/// its end.
pub fn share_by_seconds(period: Period, at: Timestamp) -> Ratio {
    share(period.end.seconds() - at.seconds(), period.seconds())
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
fn share(part: i64, whole: i64) -> Ratio {
    Ratio::new(part.clamp(0, whole.max(0)), whole).unwrap_or(Ratio::ZERO)
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
    fn shares_are_counted_in_seconds() {
        let january = Period { start: at("2024-01-01"), end: at("2024-02-01") };
        let left = |t| share_by_seconds(january, at(t));
        // 15 days and a half of 31; what is left of a second is not counted.
        assert_eq!(left("2024-01-16T12:00:00.9Z"), ratio(31, 62));
        assert_eq!((left("2024-01-01"), left("2024-02-01")), (Ratio::ONE, Ratio::ZERO));
        assert_eq!((left("2023-06-01"), left("2024-06-01")), (Ratio::ONE, Ratio::ZERO));
    }

    #[test]
    fn a_day_of_23_hours_is_an_hour_shorter() {
        // March in Berlin, and its last day.
        let march = Period { start: at("2024-02-29T23:00:00Z"), end: at("2024-03-31T22:00:00Z") };
        assert_eq!(share_by_seconds(march, at("2024-03-30T23:00:00Z")), ratio(23, 31 * 24 - 1));
    }

    #[test]
    fn nothing_is_left_of_an_empty_period() {
        let never = Period { start: at("2024-01-01"), end: at("2024-01-01") };
        assert_eq!(share_by_seconds(never, at("2024-01-01")), Ratio::ZERO);
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
}
