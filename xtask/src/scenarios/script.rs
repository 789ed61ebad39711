//! What is given and what happens, read into a script.

use std::collections::BTreeMap;

use billing::calendar::{Interval, IntervalUnit, Zone};
use billing::currency::Currency;
use billing::money::Money;
use billing::pricing::{BlockTier, Pricing, Tier};
use billing::rate::Rate;
use billing::scenario::{Align, Billed, Component, Level, Plan, Runs, Script, Step, Usage, Verb, When};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::fields::{
    MONTH, billing_day, date, decimal, integer, interval, interval_in, interval_of, list, object,
    optional_text, time, unknown,
};
use super::{rules, text};

/// A case that can be run.
pub(super) struct Read {
    pub(super) script: Script,
    /// What of the case was not understood.
    pub(super) unread: Vec<String>,
    /// A rule of theirs that is on purpose not ours.
    pub(super) other_rule: Option<&'static str>,
}

const GIVEN: [&str; 12] = [
    "bcd",
    "plans",
    "timezone",
    "tax_percent",
    "tiers",
    "metric",
    "seats",
    "period",
    "grace_days",
    "threshold",
    "anchor",
    "billed",
];
const STEP: [&str; 15] = [
    "at",
    "do",
    "plan",
    "to",
    "when",
    "day",
    "quantity",
    "effective",
    "qty",
    "for_",
    "item",
    "seats",
    "note",
    "local_day",
    "billing",
];
const PLAN: [&str; 12] = [
    "price",
    "unit_price",
    "trial_days",
    "billed",
    "anchor",
    "period",
    "period_months",
    "fixed_term_years",
    "usage_unit",
    "minimum",
    "unit",
    "tiers",
];

/// The name of the plan of a case that prices seats without naming a plan.
const SEATS: &str = "seats";

/// Reads a case of amounts. Errors with what cannot be run at all.
pub(super) fn read(case: &Value) -> Result<Read, String> {
    let given = object(case.get("given"));
    let mut rule = rules::read(text(case, "rule"));
    rule.unread.extend(unknown(&given, &GIVEN, "the given"));
    let currency = Currency::parse(text(case, "currency")).map_err(|error| error.to_string())?;
    let zone = match optional_text(given.get("timezone"))? {
        Some(name) => Zone::parse(name).map_err(|error| error.to_string())?,
        None => Zone::utc(),
    };
    let mut terms = rule.terms;
    match given.get("bcd") {
        None => {}
        // The billing day that the rule has by itself.
        Some(Value::String(words)) if words.starts_with("unset") => {}
        Some(day) => terms.alignment = Align::BillingDay(billing_day(day)?),
    }
    if let Some(percent) = given.get("tax_percent") {
        terms.tax = Rate::new(decimal(percent)?).map_err(|error| error.to_string())?;
    }
    let mut script = Script {
        currency,
        zone,
        terms,
        plans: BTreeMap::new(),
        opening: Vec::new(),
        steps: Vec::new(),
        until: None,
    };
    let names = read_plans(case, &given, &mut script, &mut rule.unread)?;
    read_steps(case, &given, &names, &mut script, &mut rule.unread)?;
    for entry in list(case, "expected") {
        let on = optional_text(entry.get("on"))?.map(|day| time(day, &script.zone)).transpose()?;
        script.until = script.until.max(on);
    }
    Ok(Read { script, unread: rule.unread, other_rule: rule.other })
}

/// Reads the plans, and returns their names in the order of the case.
fn read_plans(
    case: &Value,
    given: &Map<String, Value>,
    script: &mut Script,
    unread: &mut Vec<String>,
) -> Result<Vec<String>, String> {
    let words = format!("{} {}", text(case, "rule"), text(case, "title"));
    let mut names = Vec::new();
    for (name, plan) in &object(given.get("plans")) {
        let plan = plan.as_object().ok_or_else(|| format!("plan {name:?} is no object"))?;
        let plan = read_plan(name, plan, given, &words, script, unread)?;
        script.plans.insert(name.clone(), plan);
        names.push(name.clone());
    }
    if let (Some(tiers), true) = (given.get("tiers"), names.is_empty()) {
        let fields = Map::from_iter([("tiers".to_owned(), tiers.clone())]);
        let plan = read_plan(SEATS, &fields, given, &words, script, unread)?;
        script.plans.insert(SEATS.to_owned(), plan);
        names.push(SEATS.to_owned());
    }
    Ok(names)
}

fn read_plan(
    name: &str,
    fields: &Map<String, Value>,
    given: &Map<String, Value>,
    words: &str,
    script: &mut Script,
    unread: &mut Vec<String>,
) -> Result<Plan, String> {
    let whole = |key: &str| fields.get(key).map(integer).transpose();
    let billed = optional_text(fields.get("billed").or(given.get("billed")))?.unwrap_or("advance");
    if billed.contains("bill run ahead") {
        script.terms.runs = Runs::OnRequest;
    }
    let mut usage = None;
    let mut components = Vec::new();
    let recurring = fields.get("price").or(fields.get("unit_price"));
    if let Some(price) = recurring {
        components.push(component("price", Pricing::PerUnit(decimal(price)?), true));
    }
    if let Some(tiers) = fields.get("tiers").and_then(Value::as_array) {
        let pricing = read_tiers(tiers, words)?;
        if matches!(pricing, Pricing::Blocks(_)) || fields.contains_key("unit") {
            usage = Some(pricing);
        } else {
            components.push(component(SEATS, pricing, true));
        }
    }
    if let Some(price) = fields.get("usage_unit") {
        usage = Some(Pricing::PerUnit(decimal(price)?));
    }
    if components.is_empty() && usage.is_none() {
        // A plan without a price of its own is the sum of what it lists.
        for (part, price) in fields.iter().filter(|(key, _)| !PLAN.contains(&key.as_str())) {
            let by_quantity =
                part.starts_with("seat") || part.starts_with("user") || part.starts_with("licen");
            components.push(component(part, Pricing::PerUnit(decimal(price)?), by_quantity));
        }
    } else {
        unread.extend(unknown(fields, &PLAN, &format!("plan {name:?}")));
    }
    let interval = match (plan_interval(name, fields)?, components.is_empty()) {
        (Some(interval), _) => interval,
        (None, false) => interval_in(words),
        (None, true) => MONTH,
    };
    let anchor = fields.get("anchor").or(given.get("anchor"));
    // Where a rule goes by the calendar, a title may say that this case does not.
    let by_calendar = script.terms.alignment == Align::Calendar;
    let told_alignment = (by_calendar && words.contains("anniversary")).then_some(Align::Anniversary);
    let money = |minor: Option<i64>| minor.map(|minor| Money::new(minor, script.currency));
    let (minimum, threshold) =
        (money(whole("minimum")?), money(given.get("threshold").map(integer).transpose()?));
    Ok(Plan {
        components,
        interval,
        alignment: optional_text(anchor)?.and_then(alignment).or(told_alignment),
        billed: if billed.contains("arrears") { Billed::Arrears } else { Billed::Advance },
        trial_days: whole("trial_days")?.unwrap_or(0),
        term: whole("fixed_term_years")?.map(|years| count(IntervalUnit::Year, years)).transpose()?,
        usage: usage.map(|pricing| Usage { pricing, minimum, threshold }),
        levels: given.get("metric").map(read_level).transpose()?.into_iter().collect(),
    })
}

fn component(name: &str, pricing: Pricing, by_quantity: bool) -> Component {
    Component { name: name.to_owned(), pricing, by_quantity }
}

fn count(unit: IntervalUnit, count: i64) -> Result<Interval, String> {
    Ok(Interval::new(unit, u32::try_from(count).map_err(|_| format!("{count} {unit}s"))?))
}

/// How long a plan's periods are, if it or its name says.
fn plan_interval(name: &str, fields: &Map<String, Value>) -> Result<Option<Interval>, String> {
    if let Some(months) = fields.get("period_months") {
        return Ok(Some(count(IntervalUnit::Month, integer(months)?)?));
    }
    match optional_text(fields.get("period"))? {
        Some(period) => interval(period).map(Some).ok_or_else(|| format!("periods of {period:?}")),
        None => Ok(interval_of(name)),
    }
}

fn alignment(anchor: &str) -> Option<Align> {
    if anchor.starts_with("calendar") {
        Some(Align::Calendar)
    } else if anchor.starts_with("anniversary") {
        Some(Align::Anniversary)
    } else {
        None
    }
}

/// Reads tiers: blocks by their form, graduated or volume by what the case calls them.
pub(super) fn read_tiers(tiers: &[Value], words: &str) -> Result<Pricing, String> {
    let optional =
        |tier: &Value, key: &str| tier.get(key).filter(|value| !value.is_null()).map(integer).transpose();
    let amount = |tier: &Value, key: &str| tier.get(key).map_or(Ok(Decimal::ZERO), decimal);
    if tiers.iter().all(|tier| tier.get("block").is_some()) {
        let blocks = tiers.iter().map(|tier| {
            let size = optional(tier, "block")?.unwrap_or(1);
            Ok(BlockTier { size, price: amount(tier, "price")?, blocks_max: optional(tier, "max_blocks")? })
        });
        return blocks.collect::<Result<_, String>>().map(Pricing::Blocks);
    }
    let tiers = tiers.iter().map(|tier| {
        Ok(Tier { up_to: optional(tier, "to")?, unit: amount(tier, "unit")?, flat: amount(tier, "flat")? })
    });
    let tiers = tiers.collect::<Result<Vec<_>, String>>()?;
    let words = words.to_ascii_lowercase();
    match (words.contains("volume"), words.contains("graduated")) {
        (true, false) => Ok(Pricing::Volume(tiers)),
        (false, true) => Ok(Pricing::Graduated(tiers)),
        _ => Err("tiers that are called neither volume nor graduated".to_owned()),
    }
}

/// Reads a level that is told in words: `recurring, prorated, 5 units @100`.
fn read_level(metric: &Value) -> Result<Level, String> {
    let words = metric.as_str().unwrap_or_default();
    let unread = || format!("the metric {metric}");
    if !(words.contains("recurring") && words.contains("prorated")) {
        return Err(unread());
    }
    let (quantity, price) =
        words.rsplit(',').next().and_then(|last| last.split_once('@')).ok_or_else(unread)?;
    let quantity = quantity.trim().trim_end_matches("units").trim();
    Ok(Level {
        price: Decimal::from_str_exact(price.trim()).map_err(|_| unread())?,
        initial: quantity.parse().map_err(|_| unread())?,
        changes: Vec::new(),
    })
}

fn read_steps(
    case: &Value,
    given: &Map<String, Value>,
    names: &[String],
    script: &mut Script,
    unread: &mut Vec<String>,
) -> Result<(), String> {
    let seats = given.get("seats").map(integer).transpose()?.unwrap_or(1);
    let mut steps = Vec::new();
    for step in list(case, "steps") {
        let fields = object(Some(step));
        unread.extend(unknown(&fields, &STEP, &format!("the step {:?}", text(step, "do"))));
        let at = time(text(step, "at"), &script.zone)?;
        if let (Some(billing), Some(plan)) = (optional_text(step.get("billing"))?, names.first()) {
            bill_as(billing, script.plans.get_mut(optional_text(step.get("plan"))?.unwrap_or(plan)));
        }
        steps.push(Step { at, verb: read_verb(step, names, seats)? });
    }
    steps.sort_by_key(|step| step.at);
    let first = steps.first().map(|step| step.at);
    let has = |verb: &Verb| steps.iter().any(|step| step.verb == *verb);
    // Invoicing that is switched on has been off before.
    if let (Some(at), true, false) = (first, has(&Verb::InvoicingOn), has(&Verb::InvoicingOff)) {
        steps.insert(0, Step { at, verb: Verb::InvoicingOff });
    }
    if !steps.iter().any(|step| matches!(step.verb, Verb::Subscribe { .. })) {
        open_before(names, &steps, script);
    }
    script.steps = steps;
    Ok(())
}

/// Where no step subscribes, the customer has the first plan already, and what is only priced by use.
fn open_before(names: &[String], steps: &[Step], script: &mut Script) {
    let target = |name: &String| {
        steps.iter().any(|step| matches!(&step.verb, Verb::ChangePlan { to, .. } if to == name))
    };
    let recurs = |name: &&String| script.plans.get(*name).is_some_and(|plan| !plan.components.is_empty());
    let main = names.iter().filter(recurs).find(|name| !target(name)).or(names.iter().find(recurs));
    let only_used = names.iter().filter(|name| !recurs(name));
    script.opening = main.into_iter().chain(only_used).cloned().collect();
}

/// Reads what a subscription says of its periods: `anniversary, 30-day period`.
fn bill_as(words: &str, plan: Option<&mut Plan>) {
    let Some(plan) = plan else { return };
    for word in words.split(',').map(str::trim) {
        if let Some(align) = alignment(word) {
            plan.alignment = Some(align);
        } else if let Some(interval) = interval(word.trim_end_matches("period")) {
            plan.interval = interval;
        }
    }
}

fn read_verb(step: &Value, names: &[String], seats: i64) -> Result<Verb, String> {
    let name = |key: &str| Ok::<_, String>(optional_text(step.get(key))?.map(str::to_owned));
    let number = |key: &str| step.get(key).map(integer).transpose();
    let quantity = number("quantity")?.or(number("seats")?);
    Ok(match text(step, "do") {
        "subscribe" => {
            let plan = name("plan")?.or_else(|| names.first().cloned());
            Verb::Subscribe {
                plan: plan.ok_or("a subscription to nothing")?,
                quantity: quantity.unwrap_or(seats),
            }
        }
        verb @ ("change_plan" | "upgrade" | "downgrade") => {
            let otherwise = if verb == "downgrade" { When::PeriodEnd } else { When::Now };
            let to = name("to")?.or(name("plan")?).ok_or("a change to nothing")?;
            Verb::ChangePlan { to, quantity, when: when(step, otherwise)? }
        }
        "set_quantity" | "set_seats" => {
            Verb::SetQuantity { quantity: quantity.ok_or("no quantity")?, when: when(step, When::Now)? }
        }
        "set_billing_day" => {
            let day =
                number("day")?.and_then(|day| u8::try_from(day).ok()).filter(|day| (1..=31).contains(day));
            Verb::SetBillingDay(day.ok_or("no billing day")?)
        }
        "cancel" | "terminate" => Verb::Cancel { item: name("item")?, when: when(step, When::Now)? },
        "pause" => Verb::Pause,
        "resume" => Verb::Resume,
        "invoicing_off" => Verb::InvoicingOff,
        "invoicing_on" => Verb::InvoicingOn,
        "usage" | "late_usage" => Verb::Use {
            item: name("item")?,
            quantity: number("qty")?.or(quantity).ok_or("no quantity")?,
            on: name("for_")?.map(|day| date(&day)).transpose()?,
        },
        "bill_run" => Verb::RunBilling,
        "advance_clock" | "advance_clock_monthly" | "renew" | "bill" | "finalise" | "finalize" => Verb::Wait,
        "gateway_starts_failing" | "gateway_ok_and_pay_all" | "expect_state" => {
            return Err("overdue states, which block billing while an invoice is unpaid".to_owned());
        }
        verb => return Err(format!("the step {verb:?}")),
    })
}

fn when(step: &Value, otherwise: When) -> Result<When, String> {
    match optional_text(step.get("when").or(step.get("effective")))? {
        None => Ok(otherwise),
        Some("now" | "immediate" | "immediately") => Ok(When::Now),
        Some("end_of_term" | "period_end" | "end_of_period") => Ok(When::PeriodEnd),
        Some(day) => date(day).map(When::On).map_err(|_| format!("a change {day:?}")),
    }
}
