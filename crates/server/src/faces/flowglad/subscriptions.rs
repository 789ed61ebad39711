//! Subscriptions.

use super::customers::customer_of_body;
use super::error::Error;
use super::fields::{Fields, NAME_MAX};
use super::list::{self, envelope};
use super::merchant::{Merchant, WriteInput, id_of, ok, segment};
use super::offers;
use super::spell::{Iso, Spell};
use crate::body::Body;
use crate::json::{Object, Raw, object};
use crate::query::Query;
use axum::extract::Request;
use axum::response::Response;
use billing::catalog::Price;
use billing::environment::Environment;
use billing::id::{Id, PriceId, SubscriptionId};
use billing::subscription::cancel::CancelAt;
use billing::subscription::change::ChangeTiming;
use billing::subscription::{Item, PendingItem, Status, Subscription};
use billing::timestamp::Timestamp;
use engine::{Adjust, ExpectedInterval, FullSubscription, Subscribe, SubscribeItem};
use http::Uri;
use serde_json::Value;

const ALL: &str = "/api/v1/subscriptions/";
/// How many items a subscription may have.
const ITEMS_MAX: usize = 50;
/// How far ahead a trial may end: ten years, as far as the clock of test books may be moved.
const TRIAL_DAYS_MAX: i64 = 3_660;

/// Finds the price of an item.
pub(super) type Prices<'a> = dyn Fn(PriceId) -> Option<&'a Price> + 'a;

/// The keys of document 002, in its order.
pub(super) fn show(
    o: &mut Object<'_>,
    books: &Environment,
    subscription: &Subscription,
    items: &[Item],
    prices: &Prices<'_>,
) {
    let s = subscription;
    o.put("id", Spell(s.id)).put("createdAt", Iso(s.created_at)).put("updatedAt", Iso(s.updated_at));
    o.put("livemode", books.livemode).put("customerId", Spell(s.customer_id));
    o.put("organizationId", Spell(books.organization_id)).put("status", status(s));
    o.put("defaultPaymentMethodId", s.default_payment_method_id.map(Spell));
    o.put("backupPaymentMethodId", s.backup_payment_method_id.map(Spell));
    o.put("trialEnd", s.trial_end.map(Iso)).put("currentBillingPeriodStart", Iso(s.period.start));
    o.put("currentBillingPeriodEnd", Iso(s.period.end)).put("metadata", s.metadata.as_deref().map(Raw));
    // One that ended as planned is shown as canceled when it ended: the contract has no other word.
    o.put("canceledAt", s.canceled_at.or(s.ended_at.filter(|_| s.status == Status::Completed)).map(Iso));
    o.put("cancelScheduledAt", s.cancel_scheduled_at.map(Iso)).put("priceId", Spell(s.price_id));
    o.put("runBillingAtPeriodStart", true).put("interval", s.interval.unit.as_str());
    o.put("intervalCount", i64::from(s.interval.count)).put("billingCycleAnchorDate", Iso(s.anchor));
    o.put("name", &s.name).put("current", s.status.is_current());
    o.array("subscriptionItems", |list| {
        for item in items.iter().filter(|item| item.pending != Some(PendingItem::Add)) {
            list.object(|o| show_item(o, books, item, prices));
        }
    });
}

fn show_item(o: &mut Object<'_>, books: &Environment, item: &Item, prices: &Prices<'_>) {
    o.put("id", Spell(item.id)).put("createdAt", Iso(item.created_at));
    o.put("updatedAt", Iso(item.updated_at)).put("livemode", books.livemode);
    o.put("subscriptionId", Spell(item.subscription_id)).put("name", &item.name);
    o.put("addedDate", Iso(item.added_at)).put("priceId", Spell(item.price_id));
    o.put("unitPrice", item.unit_price.minor()).put("quantity", item.quantity);
    o.put("metadata", None::<&str>);
    match prices(item.price_id) {
        Some(price) => o.object("price", |o| offers::price(o, books, price)),
        None => o.put("price", None::<&str>),
    };
}

/// The same and what else there is.
fn show_more(
    o: &mut Object<'_>,
    books: &Environment,
    subscription: &Subscription,
    items: &[Item],
    prices: &Prices<'_>,
) {
    let s = subscription;
    show(o, books, s, items, prices);
    o.put("startDate", Iso(s.started_at)).put("currency", s.currency.code()).put("zone", &s.zone);
    o.put("discountId", s.discount_id.map(Spell)).put("remainingPeriods", s.periods_left);
    o.put("endedAt", s.ended_at.map(Iso));
    o.array("scheduledSubscriptionItems", |list| {
        for item in items.iter().filter(|item| item.pending == Some(PendingItem::Add)) {
            list.object(|o| show_item(o, books, item, prices));
        }
    });
}

/// The document's word for where it stands.
fn status(subscription: &Subscription) -> &'static str {
    match subscription.status {
        _ if subscription.is_cancellation_scheduled() => "cancellation_scheduled",
        Status::Completed => "canceled",
        status => status.as_str(),
    }
}

/// `POST /api/v1/subscriptions`
pub(super) async fn create(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    async fn act(merchant: Merchant, asked: WriteInput) -> Result<FullSubscription, Error> {
        let fields = Fields::of(&asked.body)?;
        let new = new(merchant.now(), &fields)?;
        let customer = customer_of_body(&fields)?;
        Ok(merchant.engine().subscribe(merchant.at(asked.request), customer, new).await?)
    }
    merchant.write(request, act, find, render).await
}

fn new(now: Timestamp, fields: &Fields<'_>) -> Result<Subscribe, Error> {
    if fields.has("items") && fields.has("priceId") {
        return Err(fields.wrong("items", "left out where priceId is given"));
    }
    if fields.has("discountId") {
        return Err(fields.wrong("discountId", "left out: a discount is given as discountCode"));
    }
    let (start, trial_end) = (fields.time("startDate")?, fields.time("trialEnd")?);
    if let Some(end) = trial_end {
        let latest = now.plus_days(TRIAL_DAYS_MAX).unwrap_or(end);
        if end <= start.unwrap_or(now) || end > latest {
            return Err(fields.wrong("trialEnd", "an instant after the start, at most ten years ahead"));
        }
    }
    let items = match fields.objects("items", ITEMS_MAX)? {
        None => vec![item(fields)?],
        Some(items) if items.is_empty() => return Err(fields.wrong("items", "an array of at least one item")),
        Some(items) => items.iter().map(item).collect::<Result<_, _>>()?,
    };
    Ok(Subscribe {
        items,
        name: fields.short("name")?,
        start,
        trial_end,
        default_payment_method: fields.id("defaultPaymentMethodId")?,
        backup_payment_method: fields.id("backupPaymentMethodId")?,
        discount_code: fields.text("discountCode", NAME_MAX)?,
        metadata: fields.metadata("metadata")?,
        expected_interval: ExpectedInterval {
            unit: fields.text("interval", NAME_MAX)?,
            count: fields.int("intervalCount")?,
        },
    })
}

fn item(fields: &Fields<'_>) -> Result<SubscribeItem, Error> {
    Ok(SubscribeItem {
        price: fields.required("priceId", "the id of a price: price_…", |f, name| f.id(name))?,
        quantity: fields.int_in("quantity", 1, 1_000_000_000)?.unwrap_or(1),
    })
}

async fn find(merchant: Merchant, raw: u128) -> Result<FullSubscription, Error> {
    Ok(merchant.engine().full_subscription(merchant.environment(), SubscriptionId::from_raw(raw)).await?)
}

fn render(books: &Environment, full: &FullSubscription) -> String {
    object(|o| {
        o.object("subscription", |o| show_full(o, books, full));
    })
}

fn show_full(o: &mut Object<'_>, books: &Environment, full: &FullSubscription) {
    show_more(o, books, &full.subscription, &full.items, &|id| full.price(id));
}

/// `GET /api/v1/subscriptions/{id}`
pub(super) async fn retrieve(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let id: SubscriptionId = id_of(&segment(uri.path(), ALL, "")?)?;
    let full = merchant.engine().full_subscription(merchant.environment(), id).await?;
    Ok(ok(render(&merchant.books, &full)))
}

/// `GET /api/v1/subscriptions`, of one customer with `customerId`, and then in one state with `status`.
pub(super) async fn list(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let query = Query::parse(uri.query());
    let asked = list::ListQuery::of::<SubscriptionId>(&query)?;
    let of = list::customer(&query)?;
    let state = list::state(&query, &of, &STATES)?;
    let wanted = move |row: &Subscription| state.is_none_or(|state| state == status(row));
    let number = merchant.environment();
    let (page, prices) = merchant.engine().subscriptions(number, of, wanted, asked.window).await?;
    let show = |o: &mut Object<'_>, (row, items): &(Subscription, Vec<Item>)| {
        show_more(o, &merchant.books, row, items, &|id| prices.iter().find(|price| price.id == id));
    };
    Ok(ok(envelope(&asked, &page, |(row, _)| row.id, show)))
}

const STATES: [&str; 9] = [
    "trialing",
    "active",
    "past_due",
    "unpaid",
    "cancellation_scheduled",
    "incomplete",
    "incomplete_expired",
    "canceled",
    "paused",
];

/// `POST /api/v1/subscriptions/{id}/cancel`
pub(super) async fn cancel(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let id: SubscriptionId = id_of(&segment(request.uri().path(), ALL, "/cancel")?)?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        let at = cancel_at(&asked.body)?;
        Ok(merchant.engine().cancel(merchant.at(asked.request), id, at).await?)
    };
    merchant.write(request, act, find, render).await
}

fn cancel_at(body: &Value) -> Result<CancelAt, Error> {
    let fields = Fields::of(body)?;
    let fields = fields.required("cancellation", "an object with timing", |f, name| f.object(name))?;
    let wanted = "immediately, at_end_of_current_billing_period, at_future_date";
    let timing = fields.required("timing", wanted, |f, name| f.word(name, wanted, timing))?;
    Ok(match timing {
        Timing::Now => CancelAt::Now,
        Timing::PeriodEnd => CancelAt::PeriodEnd,
        Timing::Date => {
            CancelAt::Date(fields.required("endDate", "when it shall end", |f, name| f.time(name))?)
        }
    })
}

enum Timing {
    Now,
    PeriodEnd,
    Date,
}

fn timing(word: &str) -> Option<Timing> {
    match word {
        // Both spellings are in use.
        "immediately" | "immediate" => Some(Timing::Now),
        "at_end_of_current_billing_period" => Some(Timing::PeriodEnd),
        "at_future_date" => Some(Timing::Date),
        _ => None,
    }
}

/// `POST /api/v1/subscriptions/{id}/uncancel`
pub(super) async fn uncancel(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let id: SubscriptionId = id_of(&segment(request.uri().path(), ALL, "/uncancel")?)?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        Ok(merchant.engine().uncancel(merchant.at(asked.request), id).await?)
    };
    merchant.write(request, act, find, render).await
}

/// `POST /api/v1/subscriptions/{id}/adjust`
pub(super) async fn adjust(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    fn render(books: &Environment, full: &FullSubscription) -> String {
        object(|o| {
            o.object("subscription", |o| show_full(o, books, full));
            o.array("subscriptionItems", |list| {
                for item in &full.items {
                    list.object(|o| show_item(o, books, item, &|id| full.price(id)));
                }
            });
        })
    }
    let id: SubscriptionId = id_of(&segment(request.uri().path(), ALL, "/adjust")?)?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        let adjust = adjustment(&asked.body)?;
        Ok(merchant.engine().adjust(merchant.at(asked.request), id, adjust).await?)
    };
    merchant.write(request, act, find, render).await
}

fn adjustment(body: &Value) -> Result<Adjust, Error> {
    let fields = Fields::of(body)?;
    let fields = fields.required("adjustment", "an object with timing", |f, name| f.object(name))?;
    let wanted = "immediately, at_end_of_current_billing_period";
    let when = fields.required("timing", wanted, |f, name| {
        f.word(name, wanted, |word| match timing(word)? {
            Timing::Now => Some(ChangeTiming::Now),
            Timing::PeriodEnd => Some(ChangeTiming::PeriodEnd),
            Timing::Date => None,
        })
    })?;
    if when == ChangeTiming::Now && fields.flag("prorateCurrentBillingPeriod")? == Some(false) {
        let problem = "true: what is left of the period is charged; change at its end to charge nothing now";
        return Err(fields.wrong("prorateCurrentBillingPeriod", problem));
    }
    let items =
        fields.required("newSubscriptionItems", "an array of items", |f, name| f.objects(name, ITEMS_MAX))?;
    Ok(Adjust { items: items.iter().map(item).collect::<Result<_, _>>()?, when })
}
