//! Reading JSON values: numbers, dates, times and the words of the cases.

use billing::calendar::{Date, Interval, IntervalUnit, Zone};
use billing::timestamp::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// The object, or nothing in it.
pub(super) fn object(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The list, or nothing in it.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text that may be missing. Errors when something else stands in its place.
pub(super) fn optional_text(value: Option<&Value>) -> Result<Option<&str>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("{other} where a word is expected")),
    }
}

/// Texts. Errors when one is something else.
pub(super) fn texts(values: &[Value]) -> Result<Vec<&str>, String> {
    values
        .iter()
        .map(|value| optional_text(Some(value))?.ok_or_else(|| "nothing in a list".to_owned()))
        .collect()
}

/// The keys of an object that are not among the known ones.
pub(super) fn unknown(fields: &Map<String, Value>, known: &[&str], whose: &str) -> Vec<String> {
    let unknown = fields.keys().filter(|key| !known.contains(&key.as_str()));
    unknown.map(|key| format!("{key:?} of {whose}")).collect()
}

pub(super) fn integer(value: &Value) -> Result<i64, String> {
    value.as_i64().ok_or_else(|| format!("{value} is no whole number"))
}

/// A day of the month.
pub(super) fn billing_day(value: &Value) -> Result<u8, String> {
    let day = value.as_u64().and_then(|day| u8::try_from(day).ok()).filter(|day| (1..=31).contains(day));
    day.ok_or_else(|| format!("the billing day {value}"))
}

/// A number, written as one or as text, perhaps with the unit `minor` after it.
pub(super) fn decimal(value: &Value) -> Result<Decimal, String> {
    let text = match value {
        Value::String(text) => text.trim().trim_end_matches("minor").trim().to_owned(),
        other => other.to_string(),
    };
    Decimal::from_str_exact(&text).map_err(|_| format!("{value} is no amount"))
}

pub(super) fn date(text: &str) -> Result<Date, String> {
    let day = text.get(..10).unwrap_or(text);
    day.parse().map_err(|_| format!("{text:?} is no date"))
}

/// A time; a date is the start of the local day, and a `+` at the end only says that it is after another step.
pub(super) fn time(text: &str, zone: &Zone) -> Result<Timestamp, String> {
    let text = text.trim_end_matches('+');
    if text.len() == 10 {
        return zone.start_of_day(date(text)?).map_err(|error| error.to_string());
    }
    Timestamp::parse(text).map_err(|error| error.to_string())
}

/// The length of a period by its name: an adjective, a unit, or a unit with a number before it.
pub(super) fn interval(name: &str) -> Option<Interval> {
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

/// A month, the length of a period where nothing is said of it.
pub(super) const MONTH: Interval = Interval::new(IntervalUnit::Month, 1);

/// The length of a period that a name has a word for.
pub(super) fn interval_of(name: &str) -> Option<Interval> {
    words(name).find_map(interval)
}

/// The one length of a period that a text names by an adjective, such as `weekly`; a month if it names none,
/// or several.
pub(super) fn interval_in(text: &str) -> Interval {
    let mut found: Vec<Interval> = Vec::new();
    for interval in
        words(text).filter(|word| word.ends_with('l') || word.ends_with("ly")).filter_map(interval)
    {
        if !found.contains(&interval) {
            found.push(interval);
        }
    }
    match found.as_slice() {
        [interval] => *interval,
        _ => MONTH,
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
}
