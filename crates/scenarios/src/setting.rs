//! What is given: currency, zone, tax, and what plans cost and where their periods lie.

use crate::fields::{
    billing_day, integer, interval, interval_in, interval_of, list, object, only, optional_text, text,
};
use crate::verdict::Verdict;
use billing::calendar::{Date, Interval, IntervalUnit, Zone, add_days};
use billing::currency::Currency;
use billing::rate::Rate;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a case gives.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) currency: Currency,
    /// The customer's zone.
    pub(crate) zone: Zone,
    /// The tax on everything.
    pub(crate) tax: Option<Rate>,
    /// The plans, each with what of it cannot be sold yet.
    plans: BTreeMap<String, Result<Plan, Verdict>>,
    /// The plan that is named first.
    pub(crate) first_plan: Option<String>,
    /// How many seats are taken where a step does not say.
    pub(crate) seats: i64,
}

/// A plan: what it costs a period, and where its periods lie.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) components: Vec<Component>,
    pub(crate) interval: Interval,
    pub(crate) alignment: Alignment,
    pub(crate) trial_days: i64,
    /// After how many periods it is over.
    pub(crate) period_count: Option<i64>,
}

/// A part of a plan with a price of its own.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub(crate) name: String,
    /// In minor units.
    pub(crate) price: i64,
    /// Whether it is priced for each unit of the subscription's quantity.
    pub(crate) by_quantity: bool,
}

/// Where periods lie on the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alignment {
    /// They are counted from the first paid day.
    FirstPaidDay,
    /// They begin on a day of the month.
    BillingDay(i8),
    /// They begin on Mondays, firsts of the month and firsts of the year.
    Calendar,
}

/// What a case may give that is not built yet.
const NOT_BUILT: [(&str, &str); 8] = [
    ("tiers", "tiers"),
    ("metric", "usage"),
    ("price_per_unit", "usage"),
    ("threshold", "invoices when usage passes a threshold"),
    ("coupons", "several coupons on one invoice"),
    ("lines", "taxes of several rates on the lines of one invoice"),
    ("overdue_states", "overdue states that block billing"),
    ("grace_days", "invoices that stay drafts for some days"),
];
const GIVEN: [&str; 7] = ["bcd", "plans", "timezone", "tax_percent", "seats", "period", "billed"];
const PLAN: [&str; 8] =
    ["price", "unit_price", "trial_days", "billed", "anchor", "period", "period_months", "fixed_term_years"];
/// What a plan may have that is not built yet.
const PLAN_NOT_BUILT: [(&str, &str); 4] =
    [("usage_unit", "usage"), ("unit", "usage"), ("tiers", "tiers"), ("minimum", "minimum spends")];

/// Reads what a case gives.
pub(crate) fn read(case: &Value) -> Result<Setting, Verdict> {
    let given = object(case.get("given"));
    not_built(&given, &NOT_BUILT)?;
    only(&given, &GIVEN, "the given")?;
    if text(case, "rule").contains("30-day month") {
        return Err(Verdict::not_yet("months that are counted as 30 days"));
    }
    let zone = match optional_text(given.get("timezone"))? {
        Some(name) => Zone::parse(name).map_err(|error| Verdict::not_yet(error.to_string()))?,
        None => Zone::utc(),
    };
    let plans = object(given.get("plans"));
    Ok(Setting {
        currency: Currency::parse(text(case, "currency"))
            .map_err(|error| Verdict::not_yet(error.to_string()))?,
        zone,
        tax: given.get("tax_percent").map(rate).transpose()?,
        first_plan: plans.keys().next().cloned(),
        plans: plans.iter().map(|(name, plan)| (name.clone(), read_plan(case, &given, name, plan))).collect(),
        seats: given.get("seats").map(integer).transpose()?.unwrap_or(1),
    })
}

fn not_built(fields: &Map<String, Value>, missing: &[(&str, &str)]) -> Result<(), Verdict> {
    match missing.iter().find(|(key, _)| fields.contains_key(*key)) {
        Some((_, what)) => Err(Verdict::not_yet(*what)),
        None => Ok(()),
    }
}

/// A percentage, as a number or as text.
fn rate(value: &Value) -> Result<Rate, Verdict> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Rate::parse(&text).map_err(|error| Verdict::not_yet(error.to_string()))
}

impl Setting {
    /// The plan of a name.
    pub(crate) fn plan(&self, name: &str) -> Result<Plan, Verdict> {
        let undescribed = || Verdict::not_yet(format!("the plan {name:?}, of which the case gives nothing"));
        self.plans.get(name).cloned().unwrap_or_else(|| Err(undescribed()))
    }
}

fn read_plan(case: &Value, given: &Map<String, Value>, name: &str, plan: &Value) -> Result<Plan, Verdict> {
    let fields = object(Some(plan));
    not_built(&fields, &PLAN_NOT_BUILT)?;
    let whole = |key: &str| fields.get(key).map(integer).transpose();
    let billed = optional_text(fields.get("billed").or(given.get("billed")))?.unwrap_or("advance");
    if billed != "advance" {
        return Err(Verdict::not_yet(format!("plans that are billed in {billed}")));
    }
    let components = match fields.get("price").or(fields.get("unit_price")) {
        Some(price) => {
            only(&fields, &PLAN, &format!("the plan {name:?}"))?;
            vec![Component { name: name.to_owned(), price: integer(price)?, by_quantity: true }]
        }
        // A plan without a price of its own is the sum of what it lists.
        None => parts(name, &fields)?,
    };
    let words = format!("{} {}", text(case, "rule"), text(case, "title"));
    let interval = match whole("period_months")? {
        Some(months) => many(IntervalUnit::Month, months)?,
        None => match optional_text(fields.get("period"))? {
            Some(period) => {
                interval(period).ok_or_else(|| Verdict::not_yet(format!("periods of {period:?}")))?
            }
            None => interval_of(name).unwrap_or_else(|| interval_in(&words)),
        },
    };
    Ok(Plan {
        components,
        interval,
        alignment: alignment(case, given, &fields, &words)?,
        trial_days: whole("trial_days")?.unwrap_or(0),
        period_count: whole("fixed_term_years")?.map(|years| period_count(years, interval)).transpose()?,
    })
}

fn parts(name: &str, fields: &Map<String, Value>) -> Result<Vec<Component>, Verdict> {
    let parts = fields.iter().filter(|(key, _)| !PLAN.contains(&key.as_str())).map(|(part, price)| {
        let by_quantity = ["seat", "user", "licen"].iter().any(|word| part.starts_with(word));
        Ok(Component { name: format!("{name} {part}"), price: integer(price)?, by_quantity })
    });
    let parts = parts.collect::<Result<Vec<_>, Verdict>>()?;
    if parts.is_empty() {
        Err(Verdict::not_yet(format!("the plan {name:?} without a price")))
    } else {
        Ok(parts)
    }
}

fn many(unit: IntervalUnit, count: i64) -> Result<Interval, Verdict> {
    let counted =
        u32::try_from(count).map_err(|_| Verdict::not_yet(format!("periods of {count} {unit}s")))?;
    Ok(Interval::new(unit, counted))
}

/// How many periods there are in a term of years.
fn period_count(years: i64, interval: Interval) -> Result<i64, Verdict> {
    let months = match interval.unit {
        IntervalUnit::Month => i64::from(interval.count),
        IntervalUnit::Year => 12 * i64::from(interval.count),
        IntervalUnit::Day | IntervalUnit::Week => 0,
    };
    match years.checked_mul(12).and_then(|term| Some((term.checked_rem(months)?, term / months))) {
        Some((0, count)) => Ok(count),
        Some(_) | None => Err(Verdict::not_yet("a term that ends in the middle of a period")),
    }
}

fn alignment(
    case: &Value,
    given: &Map<String, Value>,
    plan: &Map<String, Value>,
    words: &str,
) -> Result<Alignment, Verdict> {
    let told = list(case, "steps").iter().map(|step| text(step, "billing")).find(|told| !told.is_empty());
    let anchor = optional_text(plan.get("anchor"))?.or(told).unwrap_or_default();
    if anchor.starts_with("calendar") {
        return Ok(Alignment::Calendar);
    }
    match given.get("bcd") {
        // The billing day that the rule has by itself.
        Some(Value::String(told)) if told.starts_with("unset") => Ok(Alignment::FirstPaidDay),
        Some(day) => Ok(Alignment::BillingDay(billing_day(day)?)),
        // Where a rule goes by the calendar, a title may say that this case does not.
        None if words.contains("days counted inclusively")
            && !anchor.starts_with("anniversary")
            && !words.contains("anniversary") =>
        {
            Ok(Alignment::Calendar)
        }
        None => Ok(Alignment::FirstPaidDay),
    }
}

/// The interval that a subscription says it has: `anniversary, 30-day period`.
pub(crate) fn interval_told(step: &Value) -> Option<Interval> {
    text(step, "billing").split(',').find_map(|word| interval(word.trim().trim_end_matches("period")))
}

impl Plan {
    /// Holds a subscription that begins on a day to what is built: periods begin on the first paid day, so that
    /// any other day on which they should begin must be the same.
    pub(crate) fn check_start(&self, start: Date) -> Result<(), Verdict> {
        let paid = add_days(start, self.trial_days).map_err(|error| Verdict::not_yet(error.to_string()))?;
        match self.alignment {
            Alignment::FirstPaidDay => Ok(()),
            Alignment::BillingDay(day) => check_billing_day(self.interval, day, paid),
            Alignment::Calendar if begins_on_calendar(self.interval, paid) => Ok(()),
            Alignment::Calendar => Err(Verdict::not_yet("periods along the calendar")),
        }
    }
}

/// Periods begin on the day on which the first one does, and on no other that is chosen.
pub(crate) fn check_billing_day(interval: Interval, day: i8, paid: Date) -> Result<(), Verdict> {
    match interval.unit {
        IntervalUnit::Month | IntervalUnit::Year if paid.day() != day => {
            Err(Verdict::not_yet("a billing day of its own, with a shorter first period"))
        }
        IntervalUnit::Day | IntervalUnit::Week | IntervalUnit::Month | IntervalUnit::Year => Ok(()),
    }
}

fn begins_on_calendar(interval: Interval, paid: Date) -> bool {
    let months = i8::try_from(interval.count).unwrap_or(i8::MAX);
    match interval.unit {
        IntervalUnit::Day => true,
        IntervalUnit::Week => paid.weekday().to_monday_zero_offset() == 0,
        IntervalUnit::Month => paid.day() == 1 && (paid.month() - 1) % months == 0,
        IntervalUnit::Year => paid.day() == 1 && paid.month() == 1,
    }
}
