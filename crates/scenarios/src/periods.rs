//! Cases about where periods lie: how many are billed, on which days, and which dates cannot be.

use crate::driver::{Books, Document, Failure, Offer, Opening, Product};
use crate::fields::{billing_day, date, interval, interval_in, list, object, only, optional_text, text};
use crate::setting::check_billing_day;
use crate::verdict::Verdict;
use billing::calendar::{Date, Interval, IntervalUnit, Zone};
use billing::currency::Currency;
use billing::id::SubscriptionId;
use billing::money::Money;
use billing::subscription::cancel::CancelAt;
use billing::timestamp::CalendarError;
use serde_json::Value;

/// What a period costs, so that minor units are the ninth decimals of periods.
const PRICE: i64 = 1_000_000_000;
const PLACES: usize = 9;

/// A subscription of one price, and until when it is looked at.
struct Course {
    start: Date,
    end: Option<Date>,
    interval: Interval,
    through: Date,
}

impl Course {
    /// Opens books and subscribes their customer.
    async fn begin<'a>(&self, product: &'a Product) -> Result<(Books<'a>, SubscriptionId), Failure> {
        let (currency, zone) = (Currency::USD, Zone::utc());
        let at = zone.start_of_day(self.start).map_err(|error| Failure::Broken(error.to_string()))?;
        let books = product.books(Opening { currency, zone, tax: None, at }).await?;
        let offer = Offer {
            name: "Plan".to_owned(),
            unit_price: Money::new(PRICE, currency),
            interval: self.interval,
            trial_days: None,
            period_count: None,
        };
        let price = books.offer(offer).await?;
        let id = books.subscribe(&[(price, 1)]).await?;
        Ok((books, id))
    }

    /// Ends the subscription where it shall end, and lets it run its course.
    async fn run(&self, books: &mut Books<'_>, id: SubscriptionId) -> Result<Vec<Document>, Failure> {
        let broken = |error: CalendarError| Failure::Broken(error.to_string());
        if let Some(end) = self.end {
            let end = Zone::utc().start_of_day(end).map_err(broken)?;
            books.cancel(id, CancelAt::Date(end)).await?;
        }
        let next = self.through.tomorrow().map_err(|_| broken(CalendarError::OutOfRange))?;
        let through = Zone::utc().start_of_day(next).and_then(|next| next.plus_micros(-1)).map_err(broken)?;
        books.advance(through).await?;
        books.documents().await
    }
}

/// The one step of a case about periods.
fn step_of(case: &Value) -> Result<&Value, Verdict> {
    match list(case, "steps") {
        [step] => {
            let known = ["start", "end", "bill_through", "bill_to", "billing_day", "period"];
            only(&object(Some(step)), &known, "the step")?;
            Ok(step)
        }
        _ => Err(Verdict::not_yet("several steps in a case about periods")),
    }
}

fn course_of(step: &Value) -> Result<Course, Verdict> {
    let name = text(step, "period");
    Ok(Course {
        start: date(text(step, "start"))?,
        end: optional_text(step.get("end"))?.map(date).transpose()?,
        interval: interval(name).ok_or_else(|| Verdict::not_yet(format!("periods of {name:?}")))?,
        through: date(text(step, "bill_through"))?,
    })
}

/// How many periods are billed, and which part each of them is of a whole one.
pub(crate) async fn judge_count(product: &Product, case: &Value) -> Result<Verdict, Verdict> {
    let step = step_of(case)?;
    if step.get("bill_to").is_some() {
        return Err(Verdict::not_yet("a billing day of its own, with a shorter first period"));
    }
    let course = course_of(step)?;
    check_billing_day(
        course.interval,
        billing_day(step.get("billing_day").unwrap_or(&Value::Null))?,
        course.start,
    )?;
    let expected = case.get("expected").ok_or_else(|| Verdict::not_yet("a case that expects nothing"))?;
    let parts = list(expected, "parts").iter().map(price_of).collect::<Result<Vec<i64>, Verdict>>()?;
    let (mut books, id) = course.begin(product).await?;
    let documents = course.run(&mut books, id).await?;
    let totals: Vec<i64> = documents.iter().map(|document| document.total).collect();
    let sum: i64 = totals.iter().sum();
    let got = format!("{}.{:0PLACES$}", sum / PRICE, sum % PRICE);
    if got == text(expected, "cycles") && totals == parts {
        return Ok(Verdict::Agrees);
    }
    let shown = list(expected, "parts").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" + ");
    Ok(Verdict::Differs {
        expected: format!("{} periods ({shown})", text(expected, "cycles")),
        got: format!("{got} periods in {} invoices", totals.len()),
    })
}

/// What a part of a period costs, such as `14/28` or `1`, rounded half-up.
fn price_of(part: &Value) -> Result<i64, Verdict> {
    let unread = || Verdict::not_yet(format!("{part} where a part of a period is expected"));
    let part = part.as_str().ok_or_else(unread)?;
    let (days, whole) = part.split_once('/').unwrap_or((part, "1"));
    let days: i64 = days.parse().map_err(|_| unread())?;
    let whole: i64 = whole.parse().ok().filter(|whole| *whole > 0).ok_or_else(unread)?;
    Ok((PRICE * days + whole / 2) / whole)
}

/// Which dates are refused. With what words is the product's own business.
pub(crate) async fn judge_refusal(product: &Product, case: &Value) -> Result<Verdict, Verdict> {
    let course = course_of(step_of(case)?)?;
    let (mut books, id) = course.begin(product).await?;
    match course.run(&mut books, id).await {
        Err(Failure::Refused(_)) => Ok(Verdict::Agrees),
        Err(failure) => Err(failure.into()),
        Ok(_) => Ok(Verdict::Differs {
            expected: "that the dates are refused".to_owned(),
            got: "no refusal".to_owned(),
        }),
    }
}

/// On which days a subscription is billed.
pub(crate) async fn judge_dates(product: &Product, case: &Value) -> Result<Verdict, Verdict> {
    let subscribed = list(case, "steps").iter().find(|step| text(step, "do") == "subscribe");
    let subscribed = subscribed.ok_or_else(|| Verdict::not_yet("a case without a subscription"))?;
    let start = date(text(subscribed, "at"))?;
    let interval = interval_of_dates(case, start)?;
    for entry in list(case, "expected") {
        only(&object(Some(entry)), &["billing_days"], "the expected")?;
        let days: Vec<&str> = list(entry, "billing_days").iter().filter_map(Value::as_str).collect();
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Err(Verdict::not_yet("a case that expects no days"));
        };
        let (first, last) = (date(first)?, date(last)?);
        let course = Course { start, end: None, interval, through: last };
        let (mut books, id) = course.begin(product).await?;
        let documents = course.run(&mut books, id).await?;
        let got = documents.iter().filter_map(|document| document.days).map(|(from, _)| from);
        let got: Vec<String> = got.filter(|day| *day >= first).map(|day| day.to_string()).collect();
        if got != days {
            return Ok(Verdict::Differs { expected: days.join(" "), got: got.join(" ") });
        }
    }
    Ok(Verdict::Agrees)
}

/// A day of the month recurs monthly, a month and a day yearly, unless the case names a period. Periods begin
/// where the subscription does, so that must be the day.
fn interval_of_dates(case: &Value, start: Date) -> Result<Interval, Verdict> {
    let given = object(case.get("given"));
    only(&given, &["anchor_day", "anchor", "period"], "the given")?;
    let named = optional_text(given.get("period"))?.and_then(interval);
    if let Some(day) = given.get("anchor_day") {
        let interval = named.unwrap_or_else(|| interval_in(text(case, "title")));
        check_billing_day(interval, billing_day(day)?, start)?;
        return Ok(interval);
    }
    let anchor = optional_text(given.get("anchor"))?.unwrap_or_default();
    match start.to_string().get(5..) {
        Some(day) if day == anchor => Ok(named.unwrap_or(Interval::new(IntervalUnit::Year, 1))),
        _ => Err(Verdict::not_yet(format!("periods anchored at {anchor:?}"))),
    }
}
