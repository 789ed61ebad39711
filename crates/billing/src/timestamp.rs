//! Instants: microseconds since the Unix epoch, in UTC.
//!
//! Owns reading, writing and moving them within the years ±9998, and what can go wrong with times. Zones and
//! calendars are in `calendar`. Nothing here asks what time it is.

use std::fmt;
use std::str::FromStr;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_MILLI: i64 = 1_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Why a time or a period could not be computed or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The text is neither an RFC 3339 instant nor a date.
    #[error("{0:?} is not a time")]
    MalformedTime(String),
    /// The name is not in the IANA list.
    #[error("{0:?} is not an IANA time zone")]
    UnknownZone(String),
    /// The text is none of day, week, month and year.
    #[error("{0:?} is not an interval: use day, week, month or year")]
    UnknownInterval(String),
    /// An interval of zero units has no periods.
    #[error("an interval needs a count of at least 1")]
    EmptyInterval,
    /// The result lies outside of the years ±9998.
    #[error("the time is out of range")]
    OutOfRange,
}

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Timestamp = Timestamp(0);
    /// The first instant that arithmetic may reach: the start of the year −9998.
    pub const MIN: Timestamp = Timestamp::from_seconds(-377_673_580_800);
    /// The last instant that arithmetic may reach: the end of the year 9998.
    pub const MAX: Timestamp = Timestamp(253_370_764_799 * MICROS_PER_SECOND + 999_999);

    /// The instant this many microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Timestamp {
        Timestamp(micros)
    }

    /// The instant this many milliseconds after the epoch. Panics beyond ±292,000 years; what comes from
    /// outside goes through [`Timestamp::try_from_millis`].
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis * MICROS_PER_MILLI)
    }

    /// The instant this many seconds after the epoch. Panics beyond ±292,000 years; what comes from
    /// outside goes through [`Timestamp::try_from_seconds`].
    pub const fn from_seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds * MICROS_PER_SECOND)
    }

    /// As [`Timestamp::from_millis`], for numbers from outside. Errors outside of the years ±9998.
    pub fn try_from_millis(millis: i64) -> Result<Timestamp, CalendarError> {
        Timestamp::in_range(millis.checked_mul(MICROS_PER_MILLI))
    }

    /// As [`Timestamp::from_seconds`], for numbers from outside. Errors outside of the years ±9998.
    pub fn try_from_seconds(seconds: i64) -> Result<Timestamp, CalendarError> {
        Timestamp::in_range(seconds.checked_mul(MICROS_PER_SECOND))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(MICROS_PER_MILLI)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// Reads RFC 3339 / ISO 8601 with `Z` or an offset, or a bare date, which is its midnight in UTC. What is
    /// finer than a microsecond is cut off. Errors on anything else.
    pub fn parse(text: &str) -> Result<Timestamp, CalendarError> {
        let malformed = || CalendarError::MalformedTime(text.chars().take(40).collect());
        if text.len() == 10 {
            let date: jiff::civil::Date = text.parse().map_err(|_| malformed())?;
            let instant = jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_err(|_| malformed())?;
            return Ok(Timestamp(instant.as_microsecond()));
        }
        // An annotation such as `[Africa/Cairo]` would name a second authority for the offset.
        if text.contains('[') {
            return Err(malformed());
        }
        let instant: jiff::Timestamp = text.parse().map_err(|_| malformed())?;
        let micros = instant.as_nanosecond().div_euclid(1_000);
        Timestamp::in_range(i64::try_from(micros).ok())
    }

    /// This instant and so many seconds. Errors outside of the years ±9998.
    pub fn plus_seconds(self, seconds: i64) -> Result<Timestamp, CalendarError> {
        self.plus_micros(seconds.checked_mul(MICROS_PER_SECOND).ok_or(CalendarError::OutOfRange)?)
    }

    /// This instant and so many times 24 hours. Errors outside of the years ±9998.
    pub fn plus_days(self, days: i64) -> Result<Timestamp, CalendarError> {
        self.plus_micros(days.checked_mul(MICROS_PER_DAY).ok_or(CalendarError::OutOfRange)?)
    }

    /// This instant and so many microseconds. Errors outside of the years ±9998.
    pub fn plus_micros(self, micros: i64) -> Result<Timestamp, CalendarError> {
        Timestamp::in_range(self.0.checked_add(micros))
    }

    fn in_range(micros: Option<i64>) -> Result<Timestamp, CalendarError> {
        let instant = Timestamp(micros.ok_or(CalendarError::OutOfRange)?);
        if instant < Timestamp::MIN || instant > Timestamp::MAX {
            return Err(CalendarError::OutOfRange);
        }
        Ok(instant)
    }

    /// The instant as jiff has it. Jiff holds the years ±9999; what lies beyond is taken as the edge.
    pub(crate) fn to_jiff(self) -> jiff::Timestamp {
        let clamped = self.0.clamp(Timestamp::MIN.0, Timestamp::MAX.0);
        jiff::Timestamp::from_microsecond(clamped).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        let micros = self.0.rem_euclid(MICROS_PER_SECOND);
        write_civil(f, seconds)?;
        if micros != 0 {
            write!(f, ".{micros:06}")?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Timestamp {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Timestamp, CalendarError> {
        Timestamp::parse(text)
    }
}

/// Writes `YYYY-MM-DDTHH:MM:SS` of a count of seconds since 1970-01-01T00:00:00, whatever the zone.
pub(crate) fn write_civil(f: &mut impl fmt::Write, seconds: i64) -> fmt::Result {
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    if !(0..=9999).contains(&year) {
        f.write_char(if year < 0 { '-' } else { '+' })?;
    }
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    write!(f, "{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", year.abs())
}

/// Howard Hinnant's `civil_from_days`: the Gregorian year, month and day so many days after 1970-01-01.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_the_usual_spellings() {
        for (text, micros, shown) in [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("2023-03-15T13:11:50+02:00", 1_678_878_710_000_000, "2023-03-15T11:11:50Z"),
            ("2023-11-07T05:31:56.123Z", 1_699_335_116_123_000, "2023-11-07T05:31:56.123000Z"),
            ("2025-06-30T09:12:34.123456Z", 1_751_274_754_123_456, "2025-06-30T09:12:34.123456Z"),
            ("2025-06-30T09:12:34.1234569Z", 1_751_274_754_123_456, "2025-06-30T09:12:34.123456Z"),
            ("2024-02-29", 1_709_164_800_000_000, "2024-02-29T00:00:00Z"),
            ("1969-12-31T23:59:59.999999Z", -1, "1969-12-31T23:59:59.999999Z"),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
        ] {
            let parsed = Timestamp::parse(text).unwrap();
            assert_eq!((parsed.micros(), parsed.to_string().as_str()), (micros, shown), "{text}");
            assert_eq!(Timestamp::parse(&parsed.to_string()).unwrap(), parsed);
        }
    }

    #[test]
    fn refuses_what_is_not_an_instant() {
        for text in [
            "",
            "now",
            "2023-02-30",
            "2023-03-15T13:11:50",
            "2023-03-15 ",
            "1678878710",
            "2023-3-15",
            "20230315T",
            "2023-03-15T25:00:00Z",
            "2023-03-15T13:11:50+02:00[Africa/Cairo]",
            "+010000-01-01T00:00:00Z",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn counts_of_milliseconds_and_seconds_are_floored() {
        assert_eq!((Timestamp::from_micros(-1).millis(), Timestamp::from_micros(-1).seconds()), (-1, -1));
        assert_eq!(
            (Timestamp::from_micros(1_999).millis(), Timestamp::from_micros(1_999_999).seconds()),
            (1, 1)
        );
        assert_eq!(Timestamp::from_millis(5), Timestamp::from_micros(5_000));
        assert_eq!(Timestamp::from_seconds(5), Timestamp::from_micros(5_000_000));
    }

    #[test]
    fn arithmetic_stops_at_the_edge() {
        assert_eq!(Timestamp::EPOCH.plus_days(1).unwrap().to_string(), "1970-01-02T00:00:00Z");
        assert_eq!(Timestamp::EPOCH.plus_seconds(-1).unwrap().to_string(), "1969-12-31T23:59:59Z");
        assert!(Timestamp::MAX.plus_seconds(1).is_err());
        assert!(Timestamp::MIN.plus_days(-1).is_err());
        assert!(Timestamp::EPOCH.plus_days(i64::MAX).is_err());
        assert!(Timestamp::try_from_millis(i64::MAX).is_err());
        assert_eq!(Timestamp::try_from_seconds(7).unwrap(), Timestamp::from_seconds(7));
        assert_eq!(Timestamp::MIN.to_string(), "-9998-01-01T00:00:00Z");
        assert_eq!(Timestamp::MAX.to_string(), "9998-12-31T23:59:59.999999Z");
    }
}
