//! Schedules by hand: month ends, daylight saving, zones that skipped a day.

use billing::calendar::{Interval, IntervalUnit, Period, Schedule, Zone};
use billing::timestamp::{CalendarError, Timestamp};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn schedule(anchor: &str, zone: &str, unit: IntervalUnit, count: u32) -> Schedule {
    Schedule::new(at(anchor), Zone::parse(zone).unwrap(), Interval::new(unit, count))
}

fn boundaries(schedule: &Schedule, indices: std::ops::Range<i64>) -> Vec<String> {
    indices.map(|n| schedule.zone.format_offset_seconds(schedule.boundary(n).unwrap())).collect()
}

#[test]
fn month_ends_are_counted_from_the_anchor() {
    let monthly = schedule("2023-01-31T09:30:00Z", "UTC", IntervalUnit::Month, 1);
    assert_eq!(
        boundaries(&monthly, -1..5),
        [
            "2022-12-31T09:30:00+00:00",
            "2023-01-31T09:30:00+00:00",
            "2023-02-28T09:30:00+00:00",
            "2023-03-31T09:30:00+00:00",
            "2023-04-30T09:30:00+00:00",
            "2023-05-31T09:30:00+00:00"
        ]
    );
    let leap = schedule("2024-02-29", "UTC", IntervalUnit::Year, 1);
    assert_eq!(
        boundaries(&leap, 1..5),
        [
            "2025-02-28T00:00:00+00:00",
            "2026-02-28T00:00:00+00:00",
            "2027-02-28T00:00:00+00:00",
            "2028-02-29T00:00:00+00:00"
        ]
    );
    let quarterly = schedule("2023-11-30", "UTC", IntervalUnit::Month, 3);
    assert_eq!(boundaries(&quarterly, 1..3), ["2024-02-29T00:00:00+00:00", "2024-05-30T00:00:00+00:00"]);
}

#[test]
fn local_time_is_kept_over_daylight_saving() {
    let monthly = schedule("2023-02-15T11:11:50.25Z", "Africa/Cairo", IntervalUnit::Month, 1);
    assert_eq!(
        boundaries(&monthly, 0..4),
        [
            "2023-02-15T13:11:50+02:00",
            "2023-03-15T13:11:50+02:00",
            "2023-04-15T13:11:50+02:00",
            "2023-05-15T13:11:50+03:00"
        ]
    );
    assert_eq!(monthly.boundary(3).unwrap(), at("2023-05-15T10:11:50.25Z"));
}

#[test]
fn an_hour_that_is_skipped_or_repeated() {
    // 02:30 does not exist in New York on 2024-03-10 and exists twice on 2024-11-03.
    let spring = schedule("2024-03-09T07:30:00Z", "America/New_York", IntervalUnit::Day, 1);
    assert_eq!(
        boundaries(&spring, 0..3),
        ["2024-03-09T02:30:00-05:00", "2024-03-10T03:30:00-04:00", "2024-03-11T02:30:00-04:00"]
    );
    let autumn = schedule("2024-11-02T05:30:00Z", "America/New_York", IntervalUnit::Day, 1);
    assert_eq!(
        boundaries(&autumn, 0..3),
        ["2024-11-02T01:30:00-04:00", "2024-11-03T01:30:00-04:00", "2024-11-04T01:30:00-05:00"]
    );
    // An anchor in the second of the two hours stays where it was put.
    let second = schedule("2024-11-03T06:30:00Z", "America/New_York", IntervalUnit::Day, 1);
    assert_eq!(
        boundaries(&second, -1..2),
        ["2024-11-02T01:30:00-04:00", "2024-11-03T01:30:00-05:00", "2024-11-04T01:30:00-05:00"]
    );
}

#[test]
fn a_switch_that_a_zones_rule_tells_of_and_its_table_does_not() {
    let daily = schedule("2023-10-28T01:15:00Z", "America/Nuuk", IntervalUnit::Day, 1);
    assert_eq!(
        boundaries(&daily, 0..3),
        ["2023-10-27T23:15:00-02:00", "2023-10-28T23:15:00-02:00", "2023-10-29T23:15:00-02:00"]
    );
}

#[test]
fn a_day_that_did_not_exist_is_nobodys_period() {
    let daily = schedule("2011-12-28T10:00:00Z", "Pacific/Apia", IntervalUnit::Day, 1);
    assert_eq!(
        boundaries(&daily, 0..5),
        [
            "2011-12-28T00:00:00-10:00",
            "2011-12-29T00:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2011-12-31T00:00:00+14:00",
            "2012-01-01T00:00:00+14:00"
        ]
    );
    assert!(daily.period(2).unwrap().is_empty());
    let (n, period) = daily.next_nonempty(2).unwrap();
    assert_eq!((n, period.seconds()), (3, 86_400));
    assert_eq!(daily.index_at(period.start).unwrap(), 3);
    assert_eq!(daily.next_nonempty(1).unwrap().0, 1);
}

#[test]
fn the_index_of_an_instant() {
    let weekly = schedule("2024-01-03T12:00:00Z", "Europe/Berlin", IntervalUnit::Week, 2);
    for (t, n) in [
        ("2024-01-03T12:00:00Z", 0),
        ("2024-01-17T11:59:59.999999Z", 0),
        ("2024-01-17T12:00:00Z", 1),
        ("2024-01-03T11:59:59Z", -1),
        ("2024-04-10T11:00:00Z", 7),
        ("2024-04-10T10:59:59Z", 6),
    ] {
        assert_eq!(weekly.index_at(at(t)).unwrap(), n, "{t}");
        assert!(weekly.period(n).unwrap().contains(at(t)));
    }
}

#[test]
fn local_midnight_where_clocks_skip_or_repeat_it() {
    for (zone, t, midnight) in [
        ("UTC", "2024-05-05T13:00:00Z", "2024-05-05T00:00:00+00:00"),
        ("Asia/Kolkata", "2024-05-05T18:30:00Z", "2024-05-06T00:00:00+05:30"),
        // Cairo's clocks went from 00:00 to 01:00.
        ("Africa/Cairo", "2023-04-28T12:00:00Z", "2023-04-28T01:00:00+03:00"),
        // Toronto's went from 23:30 to 00:30, so that the day began at half past.
        ("America/Toronto", "1919-03-31T16:00:00Z", "1919-03-31T00:30:00-04:00"),
        // Havana's go from 01:00 back to 00:00.
        ("America/Havana", "2024-11-03T16:00:00Z", "2024-11-03T00:00:00-04:00"),
    ] {
        let zone = Zone::parse(zone).unwrap();
        assert_eq!(zone.format_offset_seconds(zone.midnight(at(t))), midnight, "{zone}");
    }
}

#[test]
fn zones_are_known_by_name() {
    let cairo = Zone::parse("africa/cairo").unwrap();
    assert_eq!((cairo.name(), cairo.offset_seconds(at("2023-03-15"))), ("Africa/Cairo", 7_200));
    assert_eq!(cairo, Zone::parse("Africa/Cairo").unwrap());
    assert_ne!(cairo, Zone::parse("Europe/Kyiv").unwrap());
    assert_eq!((Zone::utc().name(), Zone::parse("UTC").unwrap()), ("UTC", Zone::utc()));
    assert_eq!(cairo.civil_date(at("2023-03-15T22:00:00Z")).to_string(), "2023-03-16");
    let kathmandu = Zone::parse("Asia/Kathmandu").unwrap();
    assert_eq!(kathmandu.format_offset_seconds(at("2023-03-15T11:11:50.9Z")), "2023-03-15T16:56:50+05:45");
    let marquesas = Zone::parse("Pacific/Marquesas").unwrap();
    assert_eq!(marquesas.format_offset_seconds(at("2023-03-15T00:00:00Z")), "2023-03-14T14:30:00-09:30");
    for name in ["", "Mars/Olympus", "CET6", "../etc/passwd", "Etc/Unknown", "+02:00"] {
        assert_eq!(Zone::parse(name).unwrap_err(), CalendarError::UnknownZone(name.to_owned()));
    }
    assert!(Zone::names().count() > 500 && Zone::names().all(|name| Zone::parse(&name).is_ok()));
}

#[test]
fn what_cannot_be_is_an_error() {
    assert_eq!(
        schedule("2024-01-01", "UTC", IntervalUnit::Month, 0).boundary(1),
        Err(CalendarError::EmptyInterval)
    );
    let yearly = schedule("2024-01-01", "UTC", IntervalUnit::Year, 1);
    for n in [7_975, -20_000, i64::MAX, i64::MIN] {
        assert_eq!(yearly.boundary(n), Err(CalendarError::OutOfRange), "{n}");
    }
    assert_eq!(yearly.period(i64::MAX), Err(CalendarError::OutOfRange));
    assert_eq!(IntervalUnit::parse("Month").unwrap(), IntervalUnit::Month);
    assert!(IntervalUnit::parse("fortnight").is_err());
}

#[test]
fn a_period_is_half_open() {
    let period = Period { start: at("2024-01-01"), end: at("2024-01-02") };
    assert!(period.contains(period.start) && !period.contains(period.end));
    assert_eq!(period.seconds(), 86_400);
}
