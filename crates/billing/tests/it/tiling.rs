//! Periods tile: in every IANA zone, from anchors at month ends, leap days and clock changes, for twenty years.

use billing::calendar::{Date, Interval, IntervalUnit, Schedule, Zone};
use billing::timestamp::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use proptest::prelude::*;

const YEARS: i64 = 20;
const MICROS_PER_DAY: i64 = 86_400_000_000;
const DAY: Interval = Interval::new(IntervalUnit::Day, 1);

/// Anchors on the wall clock: month ends, a leap day, the last microsecond of a day, and the eve of the days
/// that Kwajalein (1993) and Samoa (2011) left out.
const ANCHORS: [&str; 5] = [
    "1993-08-20T10:00:00",
    "2008-01-31T00:00:00",
    "2008-02-29T12:00:00",
    "2010-12-30T23:59:59.999999",
    "2011-11-29T02:30:00",
];

struct Place {
    zone: Zone,
    jiff: TimeZone,
}

fn places() -> Vec<Place> {
    let bundled = TimeZoneDatabase::bundled();
    let place = |name: String| Place { zone: Zone::parse(&name).unwrap(), jiff: bundled.get(&name).unwrap() };
    let places: Vec<Place> = Zone::names().map(place).collect();
    assert!(places.len() > 590, "{} zones", places.len());
    places
}

impl Place {
    fn instant(&self, local: DateTime) -> Timestamp {
        Timestamp::from_micros(self.jiff.to_timestamp(local).unwrap().as_microsecond())
    }

    fn wall(&self, t: Timestamp) -> DateTime {
        self.jiff.to_datetime(jiff::Timestamp::from_microsecond(t.micros()).unwrap())
    }

    /// Instants from which the next period, or the anchor itself, lies in an hour that is skipped or repeated.
    fn anchors_at_clock_changes(&self) -> Vec<Timestamp> {
        let since: jiff::Timestamp = "2009-01-01T00:00:00Z".parse().unwrap();
        let changes = self.jiff.following(since).take(2);
        let changes = changes.map(|change| Timestamp::from_micros(change.timestamp().as_microsecond()));
        changes
            .flat_map(|change| {
                let quarter = 900;
                [-86_400 + quarter, -86_400 - quarter, quarter]
                    .map(|seconds| change.plus_seconds(seconds).unwrap())
            })
            .collect()
    }
}

/// The date so many months later or, where it lacks the day, its month's last; counted by hand.
fn months_later(date: Date, months: i64) -> Date {
    let month = i64::from(date.year()) * 12 + i64::from(date.month()) - 1 + months;
    let (year, month) =
        (i16::try_from(month.div_euclid(12)).unwrap(), i8::try_from(month.rem_euclid(12)).unwrap() + 1);
    (1..=date.day()).rev().find_map(|day| Date::new(year, month, day).ok()).unwrap()
}

/// Where the wall clock should stand at a boundary.
fn expected(anchor: DateTime, interval: Interval, n: i64) -> DateTime {
    let total = n * i64::from(interval.count);
    let days = |days: i64| anchor.date().checked_add(jiff::Span::new().days(days)).unwrap();
    let date = match interval.unit {
        IntervalUnit::Day => days(total),
        IntervalUnit::Week => days(7 * total),
        IntervalUnit::Month => months_later(anchor.date(), total),
        IntervalUnit::Year => months_later(anchor.date(), 12 * total),
    };
    date.to_datetime(anchor.time())
}

fn check(place: &Place, anchor: Timestamp, interval: Interval) {
    let schedule = Schedule::new(anchor, place.zone.clone(), interval);
    let local = place.wall(anchor);
    let until = anchor.plus_days(YEARS * 365 + 5).unwrap();
    let told = |n: i64| format!("{} {interval:?} from {anchor}, period {n}", place.zone);
    let mut period = schedule.period(0).unwrap();
    assert_eq!(period.start, anchor, "{}", told(0));
    let mut usual = period.end.micros() - period.start.micros();
    for n in 0.. {
        // No overlap; and no gap, for the next period is made to start at this end below.
        assert!(period.start <= period.end, "{}", told(n));
        let wall = place.wall(period.start);
        if wall != expected(local, interval, n) {
            check_skipped(place, expected(local, interval, n), wall, &told(n));
        }
        let length = period.end.micros() - period.start.micros();
        if period.is_empty() {
            let (next, whole) = schedule.next_nonempty(n).unwrap();
            assert!(next > n && whole.start == period.end && !whole.is_empty(), "{}", told(n));
        } else if length != usual || n % 17 == 0 {
            let last = Timestamp::from_micros(period.end.micros() - 1);
            assert_eq!(schedule.index_at(period.start).unwrap(), n, "{}", told(n));
            assert_eq!(schedule.index_at(last).unwrap(), n, "{}", told(n));
        }
        usual = length;
        if period.start > until {
            break;
        }
        let next = schedule.period(n + 1).unwrap();
        assert_eq!(next.start, period.end, "{}", told(n));
        period = next;
    }
}

/// A wall clock that is not where it should be must have skipped that time, and stand later by what it skipped.
fn check_skipped(place: &Place, expected: DateTime, wall: DateTime, told: &str) {
    match place.jiff.to_ambiguous_timestamp(expected).offset() {
        AmbiguousOffset::Gap { before, after } => {
            let skipped = i64::from(after.seconds() - before.seconds());
            let late = expected.duration_until(wall).as_secs();
            assert_eq!(late, skipped, "{told}");
        }
        other => panic!("{told}: the clock stands at {wall}, expected {expected}, {other:?}"),
    }
}

fn check_places(intervals: &[Interval], mine: impl Fn(usize) -> bool, at_clock_changes: bool) {
    for (_, place) in places().iter().enumerate().filter(|(index, _)| mine(*index)) {
        let mut anchors: Vec<Timestamp> =
            ANCHORS.iter().map(|local| place.instant(local.parse().unwrap())).collect();
        if at_clock_changes {
            anchors.extend(place.anchors_at_clock_changes());
        }
        for interval in intervals {
            for anchor in &anchors {
                check(place, *anchor, *interval);
            }
        }
    }
}

#[test]
fn days_tile_in_half_of_the_zones() {
    check_places(&[DAY], |index| index % 2 == 0, false);
}

#[test]
fn days_tile_in_the_other_half() {
    check_places(&[DAY], |index| index % 2 == 1, false);
}

#[test]
fn days_tile_from_anchors_at_clock_changes() {
    for place in &places() {
        for anchor in place.anchors_at_clock_changes() {
            let schedule = Schedule::new(anchor, place.zone.clone(), DAY);
            let mut start = schedule.boundary(0).unwrap();
            for n in 1..800 {
                let next = schedule.boundary(n).unwrap();
                assert!(start <= next, "{} from {anchor}, day {n}", place.zone);
                assert!(
                    start == next || schedule.index_at(start) == Ok(n - 1),
                    "{} from {anchor}",
                    place.zone
                );
                start = next;
            }
        }
    }
}

#[test]
fn weeks_tile() {
    check_places(&[1, 2].map(|count| Interval::new(IntervalUnit::Week, count)), |_| true, true);
}

#[test]
fn months_tile() {
    check_places(&[1, 2, 3, 6, 7].map(|count| Interval::new(IntervalUnit::Month, count)), |_| true, true);
}

#[test]
fn years_tile() {
    check_places(&[1, 2, 3].map(|count| Interval::new(IntervalUnit::Year, count)), |_| true, true);
}

#[test]
fn every_day_has_one_start() {
    let (first, last) = ("2010-12-01".parse::<Date>().unwrap(), "2012-06-01".parse::<Date>().unwrap());
    for place in &places() {
        let mut before = place.zone.start_of_day(first).unwrap();
        for date in
            first.tomorrow().unwrap().series(jiff::Span::new().days(1)).take_while(|date| *date < last)
        {
            let start = place.zone.start_of_day(date).unwrap();
            assert!(before <= start, "{} {date}", place.zone);
            // The instant before belongs to an earlier day, the instant itself to this one or, where the zone
            // left this one out, to the next.
            let eve = Timestamp::from_micros(start.micros() - 1);
            let day = place.zone.civil_date(start);
            assert!(place.zone.civil_date(eve) < day && day >= date, "{} {date}", place.zone);
            assert!(
                day == date || start == before || day == date.tomorrow().unwrap(),
                "{} {date}",
                place.zone
            );
            assert_eq!(place.zone.midnight(start), start, "{} {date}", place.zone);
            before = start;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_schedule_tiles_around_any_instant(
        zone in 0_usize..590,
        anchor in 0_i64..2_500_000_000_000_000,
        unit in prop::sample::select(vec![IntervalUnit::Day, IntervalUnit::Week, IntervalUnit::Month, IntervalUnit::Year]),
        count in 1_u32..40,
        t in 0_i64..2_500_000_000_000_000,
    ) {
        let zone = Zone::parse(&Zone::names().nth(zone).unwrap()).unwrap();
        let schedule = Schedule::new(Timestamp::from_micros(anchor), zone, Interval::new(unit, count));
        let t = Timestamp::from_micros(t);
        let n = schedule.index_at(t).unwrap();
        prop_assert!(schedule.period(n).unwrap().contains(t));
        for k in n - 3..n + 3 {
            let (period, next) = (schedule.period(k).unwrap(), schedule.period(k + 1).unwrap());
            prop_assert!(period.start <= period.end && period.end == next.start);
            prop_assert!(period.contains(t) == (k == n));
        }
    }

    #[test]
    fn midnight_is_on_the_day_and_not_after(zone in 0_usize..590, t in 0_i64..2_500_000_000_000_000) {
        let zone = Zone::parse(&Zone::names().nth(zone).unwrap()).unwrap();
        let t = Timestamp::from_micros(t);
        let midnight = zone.midnight(t);
        prop_assert!(midnight <= t && t.micros() - midnight.micros() <= 26 * MICROS_PER_DAY / 24);
        prop_assert_eq!(zone.civil_date(midnight), zone.civil_date(t));
        let text = zone.format_offset_seconds(t);
        prop_assert_eq!(Timestamp::parse(&text).unwrap().seconds(), t.seconds());
    }
}

#[test]
fn noon_is_noon() {
    // A check of the checks: the wall clock that they read is the zone's.
    let berlin = Place {
        zone: Zone::parse("Europe/Berlin").unwrap(),
        jiff: TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap(),
    };
    let noon = berlin.wall(Timestamp::parse("2024-07-01T10:00:00Z").unwrap());
    assert_eq!(
        (noon.time(), noon.date().to_string()),
        (Time::constant(12, 0, 0, 0), "2024-07-01".to_owned())
    );
}
