//! Local calendars: zones, intervals, and the periods of a schedule.
//!
//! Owns how an anchor, a zone and an interval become instants. It does not know what a period is for, nor
//! what a share of one costs (`proration`).
//!
//! Periods tile time without gap or overlap; boundary *n* is counted from the anchor and never from boundary
//! *n − 1*, so that a month's end is not lost on the way. It speaks of local time on the way and of instants
//! at its ends.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

pub use jiff::civil::Date;

use crate::timestamp::{CalendarError, Timestamp, write_civil};

/// What an interval is counted in.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntervalUnit {
    /// A civil day: 23, 24 or 25 hours where clocks change.
    Day,
    /// Seven civil days.
    Week,
    /// A civil month.
    Month,
    /// Twelve civil months.
    Year,
}

impl IntervalUnit {
    /// Reads `day`, `week`, `month` or `year`, in any case.
    pub fn parse(text: &str) -> Result<IntervalUnit, CalendarError> {
        [IntervalUnit::Day, IntervalUnit::Week, IntervalUnit::Month, IntervalUnit::Year]
            .into_iter()
            .find(|unit| unit.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| CalendarError::UnknownInterval(text.chars().take(40).collect()))
    }

    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            IntervalUnit::Day => "day",
            IntervalUnit::Week => "week",
            IntervalUnit::Month => "month",
            IntervalUnit::Year => "year",
        }
    }
}

impl fmt::Display for IntervalUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for IntervalUnit {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<IntervalUnit, CalendarError> {
        IntervalUnit::parse(text)
    }
}

/// So many days, weeks, months or years: the length of a schedule's periods.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// What is counted.
    pub unit: IntervalUnit,
    /// How many; a schedule refuses 0.
    pub count: u32,
}

impl Interval {
    /// So many of the unit.
    pub const fn new(unit: IntervalUnit, count: u32) -> Interval {
        Interval { unit, count }
    }

    fn step(self) -> Result<Step, CalendarError> {
        if self.count == 0 {
            return Err(CalendarError::EmptyInterval);
        }
        let count = i64::from(self.count);
        Ok(match self.unit {
            IntervalUnit::Day => Step::Days(count),
            IntervalUnit::Week => Step::Days(7 * count),
            IntervalUnit::Month => Step::Months(count),
            IntervalUnit::Year => Step::Months(12 * count),
        })
    }
}

/// An interval as what is added to a date.
#[derive(Copy, Clone)]
enum Step {
    Days(i64),
    Months(i64),
}

static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// An IANA time zone of the bundled database. Cheap to clone; equal by name.
#[derive(Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// Finds a zone by its IANA name, in any case. Errors on a name that the bundled database does not hold.
    pub fn parse(name: &str) -> Result<Zone, CalendarError> {
        let unknown = || CalendarError::UnknownZone(name.chars().take(60).collect());
        let zone = Zone(BUNDLED.get(name).map_err(|_| unknown())?);
        if zone.0.iana_name().is_none() { Err(unknown()) } else { Ok(zone) }
    }

    /// Coordinated Universal Time.
    pub const fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }

    /// The names of all zones of the bundled database.
    pub fn names() -> impl Iterator<Item = String> {
        BUNDLED.available().map(|name| name.as_str().to_owned())
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// How far local time is ahead of UTC at this instant, in seconds.
    pub fn offset_seconds(&self, t: Timestamp) -> i32 {
        self.0.to_offset(t.to_jiff()).seconds()
    }

    /// The local date at this instant.
    pub fn civil_date(&self, t: Timestamp) -> Date {
        self.civil(t).date()
    }

    /// The first instant of the local day that holds this instant. Where clocks skip midnight, that is the
    /// instant at which they do.
    pub fn midnight(&self, t: Timestamp) -> Timestamp {
        self.start_of_day(self.civil_date(t)).unwrap_or(t)
    }

    /// The first instant of a local date, or of the next that exists when the zone skipped it. Errors
    /// outside of the years ±9998.
    pub fn start_of_day(&self, date: Date) -> Result<Timestamp, CalendarError> {
        let midnight = date.to_datetime(Time::midnight());
        let AmbiguousOffset::Gap { .. } = self.0.to_ambiguous_timestamp(midnight).offset() else {
            return self.instant(midnight);
        };
        // `compatible` would shift midnight by the whole gap; the day begins where the gap is.
        let after = self.instant(midnight)?.plus_seconds(1)?;
        let switch = self.0.preceding(after.to_jiff()).next();
        Ok(switch.map_or(after, |switch| Timestamp::from_micros(switch.timestamp().as_microsecond())))
    }

    /// The local time with its offset, to the second: `2023-03-15T13:11:50+02:00`.
    pub fn format_offset_seconds(&self, t: Timestamp) -> String {
        // Whole minutes only: a local mean time of +02:05:09 is written as 02:05, and names the same instant.
        let offset = i64::from(self.offset_seconds(t)) / 60 * 60;
        let mut text = String::with_capacity(25);
        // Writing to a string cannot fail.
        let _ = write_civil(&mut text, t.seconds() + offset);
        let (sign, ahead) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
        text + &format!("{sign}{:02}:{:02}", ahead / 3_600, ahead / 60 % 60)
    }

    fn civil(&self, t: Timestamp) -> DateTime {
        self.0.to_datetime(t.to_jiff())
    }

    /// The instant of a local date-time: the earlier one where clocks repeat it, and as much later as the
    /// clocks jump where they skip it.
    fn instant(&self, local: DateTime) -> Result<Timestamp, CalendarError> {
        let (offset, there) = match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => (offset, offset),
            AmbiguousOffset::Gap { before, after } => (before, after),
            AmbiguousOffset::Fold { before, .. } => (before, before),
        };
        let mut instant = offset.to_timestamp(local).map_err(|_| CalendarError::OutOfRange)?;
        // Where a zone's table gives way to its rule, the rule may tell of a switch that the table knows not
        // to have happened (America/Nuuk, 2023-10-28): the offset at the instant itself decides.
        if self.0.to_offset(instant) != there {
            instant = self.instant_by_neighbours(local).unwrap_or(instant);
        }
        Timestamp::from_micros(instant.as_microsecond()).plus_micros(0)
    }

    /// The earlier instant at which the clocks show a local date-time, by the offsets a day before and after.
    fn instant_by_neighbours(&self, local: DateTime) -> Option<jiff::Timestamp> {
        let near = Offset::UTC.to_timestamp(local).ok()?;
        let shown = |days: i64| {
            let neighbour = near.checked_add(jiff::SignedDuration::from_hours(24 * days)).ok()?;
            let offset = self.0.to_offset(neighbour);
            offset.to_timestamp(local).ok().filter(|instant| self.0.to_offset(*instant) == offset)
        };
        [shown(-1), shown(1)].into_iter().flatten().min()
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = CalendarError;

    fn from_str(name: &str) -> Result<Zone, CalendarError> {
        Zone::parse(name)
    }
}

/// A half-open span of time: `start` is in it, `end` is not.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// The first instant of the period.
    pub start: Timestamp,
    /// The first instant after the period.
    pub end: Timestamp,
}

impl Period {
    /// Whether the instant lies in the period.
    pub fn contains(&self, t: Timestamp) -> bool {
        self.start <= t && t < self.end
    }

    /// Whether no instant lies in the period.
    pub fn is_empty(&self) -> bool {
        self.end <= self.start
    }

    /// The length, in whole seconds.
    pub fn seconds(&self) -> i64 {
        self.end.seconds() - self.start.seconds()
    }
}

/// An endless row of periods, counted from an anchor in local time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Where period 0 starts.
    pub anchor: Timestamp,
    /// Whose calendar the periods follow.
    pub zone: Zone,
    /// How long each period is.
    pub interval: Interval,
}

impl Schedule {
    /// The periods of this length from the anchor on.
    pub const fn new(anchor: Timestamp, zone: Zone, interval: Interval) -> Schedule {
        Schedule { anchor, zone, interval }
    }

    /// Where period `n` starts: the anchor's local date-time and `n` intervals, a day that the month lacks
    /// moved to the month's end, made an instant last. Errors outside of the years ±9998.
    pub fn boundary(&self, n: i64) -> Result<Timestamp, CalendarError> {
        let step = self.interval.step()?;
        // An anchor in the second of two repeated hours would come back as the first.
        if n == 0 {
            return Ok(self.anchor);
        }
        let anchor = self.zone.civil(self.anchor);
        let date = match step {
            Step::Days(days) => plus_days(anchor.date(), n, days)?,
            Step::Months(months) => plus_months(anchor.date(), n, months)?,
        };
        self.zone.instant(date.to_datetime(anchor.time()))
    }

    /// Period `n`, which is empty where a zone skipped the whole of it. Errors outside of the years ±9998.
    pub fn period(&self, n: i64) -> Result<Period, CalendarError> {
        let end = n.checked_add(1).ok_or(CalendarError::OutOfRange)?;
        Ok(Period { start: self.boundary(n)?, end: self.boundary(end)? })
    }

    /// The first period from `n` on that is not empty, with its index: nobody is billed for a day that did
    /// not exist. Errors outside of the years ±9998.
    pub fn next_nonempty(&self, n: i64) -> Result<(i64, Period), CalendarError> {
        let mut n = n;
        loop {
            let period = self.period(n)?;
            if !period.is_empty() {
                return Ok((n, period));
            }
            n += 1;
        }
    }

    /// The index of the period that holds the instant. Errors outside of the years ±9998.
    pub fn index_at(&self, t: Timestamp) -> Result<i64, CalendarError> {
        let (from, to) = (self.zone.civil(self.anchor).date(), self.zone.civil(t).date());
        let mut n = match self.interval.step()? {
            Step::Days(days) => days_between(from, to).div_euclid(days),
            Step::Months(months) => (month_number(to) - month_number(from)).div_euclid(months),
        };
        while self.boundary(n)? > t {
            n -= 1;
        }
        while self.boundary(n + 1)? <= t {
            n += 1;
        }
        Ok(n)
    }
}

/// How many days the second date is after the first.
pub fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24
}

/// The date so many months later, or the last day of that month where it has no such day. Errors outside of
/// the years ±9999.
pub fn add_months(date: Date, months: i64) -> Result<Date, CalendarError> {
    plus_months(date, months, 1)
}

/// The date so many days later. Errors outside of the years ±9999.
pub fn add_days(date: Date, days: i64) -> Result<Date, CalendarError> {
    plus_days(date, days, 1)
}

fn plus_days(date: Date, n: i64, days: i64) -> Result<Date, CalendarError> {
    let total = n.checked_mul(days).ok_or(CalendarError::OutOfRange)?;
    let span = jiff::Span::new().try_days(total).map_err(|_| CalendarError::OutOfRange)?;
    date.checked_add(span).map_err(|_| CalendarError::OutOfRange)
}

fn plus_months(date: Date, n: i64, months: i64) -> Result<Date, CalendarError> {
    let total = n.checked_mul(months).and_then(|total| total.checked_add(month_number(date)));
    let total = total.ok_or(CalendarError::OutOfRange)?;
    let year = i16::try_from(total.div_euclid(12)).map_err(|_| CalendarError::OutOfRange)?;
    let month = i8::try_from(total.rem_euclid(12) + 1).map_err(|_| CalendarError::OutOfRange)?;
    let first = Date::new(year, month, 1).map_err(|_| CalendarError::OutOfRange)?;
    let day = date.day().min(first.days_in_month());
    Date::new(year, month, day).map_err(|_| CalendarError::OutOfRange)
}

fn month_number(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}
