//! Cases without a subscription: one bill, a price list, a level over time.

use billing::calendar::{Interval, IntervalUnit, add_days, days_between};
use billing::currency::Currency;
use billing::cycle::{Alignment, Cycle};
use billing::money::Money;
use billing::rate::Rate;
use billing::scenario::{Coupon, CouponAmount, Level, bill};
use serde_json::Value;

use super::fields::{date, decimal, integer, list, optional_text};
use super::script::read_tiers;
use super::{Verdict, rules, text};

/// Judges a case if it is of one of these forms.
pub(super) fn judge(case: &Value) -> Option<Result<Verdict, String>> {
    let given = case.get("given")?;
    let steps = list(case, "steps");
    let all = |verb: &str| !steps.is_empty() && steps.iter().all(|step| text(step, "do") == verb);
    if given.get("lines").is_some() && all("invoice") {
        return Some(judge_bill(case, given));
    }
    if given.get("plans").is_none() && given.get("tiers").is_some() && all("usage") {
        return Some(judge_prices(case, given));
    }
    if given.get("price_per_unit").is_some() && all("level_change") {
        return Some(judge_level(case, given));
    }
    None
}

fn currency(case: &Value) -> Result<Currency, String> {
    Currency::parse(text(case, "currency")).map_err(|error| error.to_string())
}

fn differs(expected: String, got: String) -> Verdict {
    Verdict::Differs { expected, got }
}

/// The amount of the first line of a kind, or of any kind.
fn amount_of(entry: &Value, kind: &str) -> Result<Option<i64>, String> {
    let line = list(entry, "lines").iter().find(|line| text(line, "kind") == kind);
    line.and_then(|line| line.get("amount")).map(integer).transpose()
}

/// One invoice of given lines, coupons and taxes.
fn judge_bill(case: &Value, given: &Value) -> Result<Verdict, String> {
    let currency = currency(case)?;
    let lines = list(given, "lines").iter().map(|line| {
        let net = integer(line.get("net").ok_or("a line without a net amount")?)?;
        let percent = line.get("tax_percent").map_or(Ok(Default::default()), decimal)?;
        Ok((Money::new(net, currency), Rate::new(percent).map_err(|error| error.to_string())?))
    });
    let lines = lines.collect::<Result<Vec<_>, String>>()?;
    let coupons = list(given, "coupons").iter().map(|coupon| read_coupon(coupon, lines.len(), currency));
    let coupons = coupons.collect::<Result<Vec<_>, String>>()?;
    let bill = bill(currency, &lines, &coupons).map_err(|error| error.to_string())?;
    let off: i64 = bill.off.iter().map(|off| off.minor()).sum();
    let tax: i64 = bill.taxes.values().map(|(_, tax)| tax.minor()).sum();
    let ours = [("lines", bill.lines.minor()), ("coupons", -off), ("tax", tax)];
    let got =
        || format!("lines {}, coupons {}, tax {tax}, total {}", bill.lines.minor(), -off, bill.total.minor());
    for entry in list(case, "expected").iter().filter(|entry| text(entry, "type") == "invoice") {
        let total = entry.get("total").map(integer).transpose()?;
        let wrong = ours.iter().find_map(|(kind, ours)| {
            let expected = amount_of(entry, kind).ok().flatten()?;
            (expected != *ours).then(|| format!("{kind} {expected}"))
        });
        let wrong = wrong
            .or(total.filter(|total| *total != bill.total.minor()).map(|total| format!("total {total}")));
        let Some(expected) = wrong else { continue };
        return Ok(match rules::read(text(case, "rule")).other {
            Some(rule) => Verdict::NotSupported(format!(
                "our rule differs: {rule} (expected {expected}, ours {})",
                got()
            )),
            None => differs(expected, got()),
        });
    }
    Ok(Verdict::Pass)
}

fn read_coupon(coupon: &Value, lines: usize, currency: Currency) -> Result<Coupon, String> {
    let amount = match (coupon.get("amount"), coupon.get("percent")) {
        (Some(amount), None) => CouponAmount::Fixed(Money::new(integer(amount)?, currency)),
        (None, Some(percent)) => {
            CouponAmount::Percent(Rate::new(decimal(percent)?).map_err(|error| error.to_string())?)
        }
        _ => return Err("a coupon of neither an amount nor a percentage".to_owned()),
    };
    let applies = optional_text(coupon.get("applies_to"))?.unwrap_or("all");
    let unread = || format!("a coupon for {applies:?}");
    if applies == "all" {
        return Ok(Coupon { amount, lines: (0..lines).collect() });
    }
    let range = applies.trim_start_matches("lines").trim_start_matches("line").trim();
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    let (from, to): (usize, usize) =
        (from.trim().parse().map_err(|_| unread())?, to.trim().parse().map_err(|_| unread())?);
    let first = from.checked_sub(1).ok_or_else(unread)?;
    Ok(Coupon { amount, lines: (first..to).collect() })
}

/// What is used adds up; each step's price is that of all of it so far.
fn judge_prices(case: &Value, given: &Value) -> Result<Verdict, String> {
    let words = format!("{} {}", text(case, "rule"), text(case, "title"));
    let pricing = read_tiers(list(given, "tiers"), &words)?;
    let mut used = 0;
    for (step, entry) in list(case, "steps").iter().zip(list(case, "expected")) {
        used += integer(step.get("qty").ok_or("no quantity")?)?;
        let got = pricing.amount(used, currency(case)?).map_err(|error| error.to_string())?.minor();
        let expected = amount_of(entry, "usage")?.ok_or("expecting something other than use")?;
        if got != expected {
            return Ok(differs(format!("{expected} for {used}"), got.to_string()));
        }
    }
    Ok(Verdict::Pass)
}

/// A level by the month, each day at what it was after its changes.
fn judge_level(case: &Value, given: &Value) -> Result<Verdict, String> {
    let price = decimal(given.get("price_per_unit").ok_or("no price")?)?;
    let (mut level, mut changes) = (0, Vec::new());
    for step in list(case, "steps") {
        level += integer(step.get("delta").ok_or("no delta")?)?;
        changes.push((date(text(step, "at"))?, level));
    }
    let level = Level { price, initial: 0, changes };
    let months = Cycle::new(Interval::new(IntervalUnit::Month, 1), Alignment::Calendar);
    for entry in list(case, "expected") {
        let after = add_days(date(text(entry, "on"))?, 1).map_err(|error| error.to_string())?;
        let to = months.first_whole(after).map_err(|error| error.to_string())?;
        let from = months.boundary(to, -1).map_err(|error| error.to_string())?;
        let got = level.amount(from, to, days_between(from, to), currency(case)?);
        let got = got.map_err(|error| error.to_string())?.minor();
        let expected = amount_of(entry, "usage")?.ok_or("expecting something other than use")?;
        if got != expected {
            return Ok(differs(
                format!("{expected} for the month of {}", text(entry, "on")),
                got.to_string(),
            ));
        }
    }
    Ok(Verdict::Pass)
}
