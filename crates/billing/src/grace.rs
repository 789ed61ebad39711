//! Whether what a period gave is over, with and without the days of grace.
//!
//! Owns that comparison and the instant at which its answer changes. It moves no subscription: grace is what
//! a customer keeps, not what it pays. Ends are exclusive, and a day of grace is 24 hours after the period's
//! end.

use crate::calendar::Period;
use crate::timestamp::{CalendarError, Timestamp};

/// How a period stands at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Whether the period has ended.
    pub is_period_over: bool,
    /// Whether the days of grace after it have ended too.
    pub is_over: bool,
    /// The next instant at which one of these becomes true; none if both are.
    pub changes_at: Option<Timestamp>,
}

/// How a period stands at an instant, when what it gave is kept for some days after it.
///
/// # Errors
/// If the end of the grace is out of the calendar's range.
pub fn expiry(period: Period, grace_days: i64, now: Timestamp) -> Result<Expiry, CalendarError> {
    let end_of_grace = period.end.plus_days(grace_days.max(0))?;
    let changes_at = [period.end, end_of_grace].into_iter().find(|at| now < *at);
    Ok(Expiry { is_period_over: now >= period.end, is_over: now >= end_of_grace, changes_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grace_only_delays() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let period = Period { start: at("2026-01-01"), end: at("2026-02-01") };
        for (now, is_period_over, is_over, changes_at) in [
            ("2026-01-31T23:59:59.999999Z", false, false, Some("2026-02-01")),
            ("2026-02-01", true, false, Some("2026-02-04")),
            ("2026-02-03T23:59:59.999999Z", true, false, Some("2026-02-04")),
            ("2026-02-04", true, true, None),
        ] {
            let found = expiry(period, 3, at(now)).unwrap();
            assert_eq!((found.is_period_over, found.is_over), (is_period_over, is_over), "{now}");
            assert_eq!(found.changes_at, changes_at.map(at), "{now}");
        }
        let without = expiry(period, 0, period.end).unwrap();
        assert!(without.is_period_over && without.is_over && without.changes_at.is_none());
    }
}
