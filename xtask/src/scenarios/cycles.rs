//! Cases about where periods lie: how many are billed, on which days, and which dates cannot be.

use billing::calendar::{Date, Interval, IntervalUnit, add_days};
use billing::cycle::{Alignment, Cycle, Part, periods};
use billing::money::Ratio;
use billing::proration::{DayCount, ProrationError};
use rust_decimal::Decimal;
use serde_json::Value;

use super::fields::{billing_day, date, interval, interval_in, list, optional_text, texts};
use super::{Verdict, text};

/// How many periods are billed, and of how many days the partial ones are.
pub(super) fn judge_cycles(case: &Value) -> Result<Verdict, String> {
    let mut parts = Vec::new();
    for step in list(case, "steps") {
        parts.extend(lay_out(step)?.map_err(|error| error.to_string())?);
    }
    let expected = case.get("expected").ok_or("nothing is expected")?;
    let cycles = text(expected, "cycles");
    let places = cycles.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let places = u32::try_from(places).map_err(|error| error.to_string())?;
    let sum = worth(&parts, places, text(case, "unit").contains("scale"))?;
    let shown: Vec<String> = parts.iter().map(show).collect();
    let named = texts(list(expected, "parts"))?;
    let same_parts = expected.get("parts").is_none_or(Value::is_null) || shown == named;
    if sum == cycles && same_parts {
        return Ok(Verdict::Pass);
    }
    Ok(Verdict::Differs {
        expected: format!("{cycles} periods ({})", named.join(" + ")),
        got: format!("{sum} periods ({})", shown.join(" + ")),
    })
}

/// How many periods the parts are worth: exactly and then rounded, or each rounded where the case's unit is of
/// a scale.
fn worth(parts: &[Part], places: u32, each: bool) -> Result<String, String> {
    let rounded = |share: Ratio| share.to_decimal_string(places).map_err(|error| error.to_string());
    if !each {
        return rounded(periods(parts, DayCount::Actual).map_err(|error| error.to_string())?);
    }
    let zero = Decimal::new(0, places);
    let sum = parts.iter().try_fold(zero, |sum, part| {
        let share = rounded(part.share(DayCount::Actual))?;
        Ok::<_, String>(sum + Decimal::from_str_exact(&share).map_err(|error| error.to_string())?)
    })?;
    Ok(sum.to_string())
}

/// Which dates are refused, and with what word.
pub(super) fn judge_validation(case: &Value) -> Result<Verdict, String> {
    let expected = case.get("expected").map(|expected| text(expected, "error")).unwrap_or_default();
    let steps: Result<Vec<_>, String> = list(case, "steps").iter().map(lay_out).collect();
    let error = steps?.into_iter().find_map(Result::err).map(|error| error.to_string());
    Ok(match error {
        Some(error) if error == expected => Verdict::Pass,
        other => Verdict::Differs {
            expected: expected.to_owned(),
            got: other.unwrap_or_else(|| "no error".to_owned()),
        },
    })
}

fn show(part: &Part) -> String {
    let (days, whole) = part.days(DayCount::Actual);
    if days == whole { "1".to_owned() } else { format!("{days}/{whole}") }
}

fn lay_out(step: &Value) -> Result<Result<Vec<Part>, ProrationError>, String> {
    let start = date(text(step, "start"))?;
    let end = optional_text(step.get("end"))?.map(date).transpose()?;
    let name = text(step, "period");
    let interval = interval(name).ok_or_else(|| format!("periods of {name:?}"))?;
    if let Some(until) = optional_text(step.get("bill_to"))? {
        // Up to a day without a billing day: periods are counted from the start, the last cut off there.
        let until = date(until)?;
        let last = add_days(until, -1).map_err(|error| error.to_string())?;
        let end = end.map_or(until, |end| end.min(until));
        return Ok(Cycle::new(interval, Alignment::Anchor(start)).parts(start, Some(end), last));
    }
    let through = date(text(step, "bill_through"))?;
    let day = billing_day(step.get("billing_day").unwrap_or(&Value::Null))?;
    Ok(Cycle::new(interval, Alignment::BillingDay(day)).parts(start, end, through))
}

/// On which days a subscription is billed.
pub(super) fn judge_dates(case: &Value) -> Result<Verdict, String> {
    let subscribed = list(case, "steps").iter().find(|step| text(step, "do") == "subscribe");
    let start = date(text(subscribed.ok_or("nothing is subscribed to")?, "at"))?;
    let cycle = dates_cycle(case, start)?;
    for entry in list(case, "expected") {
        let expected = texts(list(entry, "billing_days"))?;
        let (Some(first), Some(last)) = (expected.first(), expected.last()) else {
            return Err("expecting something other than billing days".to_owned());
        };
        let got = billing_days(&cycle, start, date(first)?, date(last)?)?;
        if got != expected {
            return Ok(Verdict::Differs { expected: expected.join(" "), got: got.join(" ") });
        }
    }
    Ok(Verdict::Pass)
}

/// The days between two dates on which a period begins.
fn billing_days(cycle: &Cycle, start: Date, from: Date, to: Date) -> Result<Vec<String>, String> {
    let base = cycle.first_whole(start).map_err(|error| error.to_string())?;
    let mut days = Vec::new();
    for n in 0.. {
        let day = cycle.boundary(base, n).map_err(|error| error.to_string())?;
        if day > to {
            break;
        }
        if day >= from {
            days.push(day.to_string());
        }
    }
    Ok(days)
}

/// A day of the month recurs monthly, a month and a day yearly, unless the case names a period.
fn dates_cycle(case: &Value, start: Date) -> Result<Cycle, String> {
    let given = case.get("given").cloned().unwrap_or_default();
    let named = match optional_text(given.get("period").or(given.get("interval")))? {
        Some(name) => Some(interval(name).ok_or_else(|| format!("periods of {name:?}"))?),
        None => None,
    };
    let known = ["anchor_day", "anchor", "period", "interval"];
    let unread = given.as_object().and_then(|given| given.keys().find(|key| !known.contains(&key.as_str())));
    if let Some(key) = unread {
        return Err(format!("{key:?} of the given"));
    }
    if let Some(day) = given.get("anchor_day").map(billing_day).transpose()? {
        let interval = named.unwrap_or_else(|| interval_in(text(case, "title")));
        return Ok(Cycle::new(interval, Alignment::BillingDay(day)));
    }
    let anchor = text(&given, "anchor");
    let yearly = anchor.len() == 5 && date(&format!("2000-{anchor}")).is_ok();
    let interval = match named {
        Some(interval) => interval,
        None if yearly => Interval::new(IntervalUnit::Year, 1),
        None => interval_in(text(case, "title")),
    };
    let calendar = anchor.starts_with("calendar");
    Ok(Cycle::new(interval, if calendar { Alignment::Calendar } else { Alignment::Anchor(start) }))
}
