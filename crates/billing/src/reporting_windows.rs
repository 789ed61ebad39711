//! The windows of reports: this day, this week and this month in a zone.
//!
//! Owns where they begin. A week starts on Sunday. Windows are local and half-open, and told as instants;
//! what is counted in them is asked elsewhere.

use crate::calendar::Zone;
use crate::timestamp::{CalendarError, Timestamp};

/// When the current day, week and month began, and when the day ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportingWindows {
    /// The first instant of the day.
    pub day: Timestamp,
    /// The first instant of the week, which starts on Sunday.
    pub week: Timestamp,
    /// The first instant of the month.
    pub month: Timestamp,
    /// The first instant of the next day.
    pub tomorrow: Timestamp,
}

impl ReportingWindows {
    /// The windows that hold an instant.
    ///
    /// # Errors
    /// If an instant is out of the calendar's range.
    pub fn at(now: Timestamp, zone: &Zone) -> Result<Self, CalendarError> {
        let date = zone.civil_date(now);
        let since_sunday = i64::from(date.weekday().to_sunday_zero_offset());
        let sunday =
            date.checked_sub(jiff::Span::new().days(since_sunday)).map_err(|_| CalendarError::OutOfRange)?;
        let tomorrow = date.tomorrow().map_err(|_| CalendarError::OutOfRange)?;
        Ok(Self {
            day: zone.start_of_day(date)?,
            week: zone.start_of_day(sunday)?,
            month: zone.start_of_day(date.first_of_month())?,
            tomorrow: zone.start_of_day(tomorrow)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_week_starts_on_sunday_and_days_are_local() {
        let cairo = Zone::parse("Africa/Cairo").unwrap();
        // A Saturday night in UTC is Sunday in Cairo.
        let now = Timestamp::parse("2026-01-31T22:30:00Z").unwrap();
        let found = ReportingWindows::at(now, &cairo).unwrap();
        let text = |at: Timestamp| at.to_string();
        assert_eq!(text(found.day), "2026-01-31T22:00:00Z");
        assert_eq!(text(found.week), "2026-01-31T22:00:00Z");
        assert_eq!(text(found.month), "2026-01-31T22:00:00Z");
        assert_eq!(text(found.tomorrow), "2026-02-01T22:00:00Z");
        let utc = ReportingWindows::at(now, &Zone::utc()).unwrap();
        assert_eq!(
            (text(utc.day), text(utc.week)),
            ("2026-01-31T00:00:00Z".into(), "2026-01-25T00:00:00Z".into())
        );
        assert_eq!(text(utc.month), "2026-01-01T00:00:00Z");
    }
}
