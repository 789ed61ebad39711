//! Reading JSON values: numbers, dates, times and the words of the cases.

use crate::verdict::Verdict;
use billing::calendar::{Date, Interval, IntervalUnit, Zone};
use billing::timestamp::Timestamp;
use serde_json::{Map, Value};

/// The text of a key, empty if there is none.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The object, or nothing in it.
pub(crate) fn object(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The list, or nothing in it.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text that may be missing.
pub(crate) fn optional_text(value: Option<&Value>) -> Result<Option<&str>, Verdict> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Verdict::not_yet(format!("{other} where a word is expected"))),
    }
}

/// Holds the keys of an object to those that are known.
pub(crate) fn only(fields: &Map<String, Value>, known: &[&str], whose: &str) -> Result<(), Verdict> {
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(Verdict::not_yet(format!("{key:?} of {whose}"))),
        None => Ok(()),
    }
}

/// A whole number.
pub(crate) fn integer(value: &Value) -> Result<i64, Verdict> {
    value.as_i64().ok_or_else(|| Verdict::not_yet(format!("{value} where a whole number is expected")))
}

/// A day of the month.
pub(crate) fn billing_day(value: &Value) -> Result<i8, Verdict> {
    let day = value.as_i64().filter(|day| (1..=31).contains(day)).and_then(|day| i8::try_from(day).ok());
    day.ok_or_else(|| Verdict::not_yet(format!("the billing day {value}")))
}

/// A date, perhaps with a time after it.
pub(crate) fn date(text: &str) -> Result<Date, Verdict> {
    let day = text.get(..10).unwrap_or(text);
    day.parse().map_err(|_| Verdict::not_yet(format!("{text:?} where a date is expected")))
}

/// A time; a date is the start of the local day, and a `+` at the end only says that it is after another step.
pub(crate) fn time(text: &str, zone: &Zone) -> Result<Timestamp, Verdict> {
    let text = text.trim_end_matches('+');
    if text.len() == 10 {
        return start_of(date(text)?, zone);
    }
    Timestamp::parse(text).map_err(|error| Verdict::not_yet(error.to_string()))
}

/// The first instant of a local day.
pub(crate) fn start_of(date: Date, zone: &Zone) -> Result<Timestamp, Verdict> {
    zone.start_of_day(date).map_err(|error| Verdict::not_yet(error.to_string()))
}

/// The last instant of a local day.
pub(crate) fn end_of(date: Date, zone: &Zone) -> Result<Timestamp, Verdict> {
    let next = date.tomorrow().map_err(|error| Verdict::not_yet(error.to_string()))?;
    start_of(next, zone)?.plus_micros(-1).map_err(|error| Verdict::not_yet(error.to_string()))
}

/// The length of a period by its name: an adjective, a unit, or a unit with a number before it.
pub(crate) fn interval(name: &str) -> Option<Interval> {
    use IntervalUnit::{Day, Month, Week, Year};
    let (unit, count) = match name.trim().to_ascii_lowercase().replace(['_', '-', ' '], "").as_str() {
        "day" | "daily" => (Day, 1),
        "week" | "weekly" => (Week, 1),
        "biweekly" | "twoweeks" => (Week, 2),
        "thirtydays" | "30day" | "30days" => (Day, 30),
        "thirtyonedays" | "31day" | "31days" => (Day, 31),
        "month" | "monthly" => (Month, 1),
        "bimestrial" => (Month, 2),
        "quarter" | "quarterly" => (Month, 3),
        "triannual" => (Month, 4),
        "biannual" | "semiannual" | "halfyearly" | "halfyear" => (Month, 6),
        "year" | "annual" | "yearly" => (Year, 1),
        "sesquiennial" => (Month, 18),
        "biennial" => (Year, 2),
        "triennial" => (Year, 3),
        _ => return None,
    };
    Some(Interval::new(unit, count))
}

/// The length of a period that a name has a word for.
pub(crate) fn interval_of(name: &str) -> Option<Interval> {
    words(name).find_map(interval)
}

/// The one length of a period that a text names by an adjective, such as `weekly`; a month if it names none,
/// or several.
pub(crate) fn interval_in(text: &str) -> Interval {
    let adjectives = words(text).filter(|word| word.ends_with('l') || word.ends_with("ly"));
    let mut found: Vec<Interval> = Vec::new();
    for interval in adjectives.filter_map(interval) {
        if !found.contains(&interval) {
            found.push(interval);
        }
    }
    match found.as_slice() {
        [interval] => *interval,
        _ => Interval::new(IntervalUnit::Month, 1),
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
}
