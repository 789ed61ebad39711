//! A customer's invoices in one currency, each with the subscription and the plan that it is for.

use super::OffsetPage;
use crate::records::codecs::{Bool, Codec, Every, Id, Int, OneColumn, Opt, Span, Text, Time, Word};
use crate::{Error, Row, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::calendar::{Interval, Period};
use billing::currency::Currency;
use billing::id::{CustomerId, Id as _, InvoiceId, PeriodId, PriceId, PurchaseId, SubscriptionId};
use billing::invoice::InvoiceStatus;
use billing::subscription::Status;
use billing::timestamp::Timestamp;
use std::collections::BTreeMap;

/// An invoice with the subscription and the plan that it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerInvoiceRow {
    /// Its id.
    pub id: InvoiceId,
    /// Its place among the environment's invoices, from 1.
    pub ordinal: i64,
    /// The subscription that it is for.
    pub subscription_id: Option<SubscriptionId>,
    /// The purchase that it is for.
    pub purchase_id: Option<PurchaseId>,
    /// How many invoices its subscription had before it; 0 without a subscription.
    pub earlier: i64,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// What is to be paid, in minor units.
    pub total: i64,
    /// How much has been given back, in minor units.
    pub refunded: i64,
    /// The time that it is for.
    pub period: Option<Period>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// What it is for, if that is a subscription.
    pub subscribed: Option<Subscribed>,
}

/// The subscription of an invoice, in the period that the invoice charged.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscribed {
    /// The subscription's place among the environment's, from 1.
    pub number: i64,
    /// Where the subscription stands.
    pub status: Status,
    /// The period, ended early if it was.
    pub period: Period,
    /// Whether the subscription is in that period or ended in it.
    pub is_last_period: bool,
    /// The instant from which periods are counted.
    pub anchor: Timestamp,
    /// The zone in which they are counted.
    pub zone: String,
    /// How long a period is.
    pub interval: Interval,
    /// The number of the subscription's last period.
    pub period_index: i64,
    /// When the subscription is or was to be canceled.
    pub cancel_scheduled_at: Option<Timestamp>,
    /// What was charged by.
    pub plan: Plan,
}

/// A price with its product, as far as customers see them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The price's place among the environment's, from 1.
    pub price_number: i64,
    /// The price's name.
    pub price_name: Option<String>,
    /// What one unit costs, in minor units.
    pub unit_price: i64,
    /// The product's place among the environment's, from 1.
    pub product_number: i64,
    /// The product's name.
    pub product_name: String,
    /// Whether customers get it when they have bought nothing.
    pub is_default: bool,
}

/// A page of a customer's invoices in one currency, newest first, with how many there are and the
/// customer's own zone.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerInvoiceRows {
    /// The zone, if the customer has one.
    pub zone: Option<String>,
    /// How many invoices there are.
    pub total: i64,
    /// The page.
    pub rows: Vec<CustomerInvoiceRow>,
}

/// An invoice's place among all cannot be lower than among those in its currency, and is higher by at
/// most the number of those in others: so what is walked is the page and those.
const STATEMENTS: &str = "with owner as materialized (
       select c.zone,
         (select i.customer_ordinal from invoices i where i.shard = $1 and i.customer_id = $2
          order by i.customer_ordinal desc limit 1) as newest,
         (select i.currency_ordinal from invoices i
          where i.shard = $1 and i.customer_id = $2 and i.currency = $4
          order by i.customer_ordinal desc limit 1) as total
       from customers c where c.shard = $1 and c.id = $2 and c.environment = $3)
     select o.zone, coalesce(o.total, 0) as invoices,
       i.id, i.ordinal, i.subscription_id, i.purchase_id, i.status, i.total, i.refunded,
       i.period_start, i.period_end, i.created_at, i.updated_at,
       p.id as charged_id, p.period_start, p.period_end, p.price_id
     from owner o
     left join invoices i on i.shard = $1 and i.customer_id = $2 and i.currency = $4
       and i.customer_ordinal between o.total - $5 - $6 + 1 and o.newest - $5
       and i.currency_ordinal between o.total - $5 - $6 + 1 and o.total - $5
     left join periods p on p.shard = $1 and p.id = i.period_id
     order by i.customer_ordinal desc";
const SUBSCRIPTION: &str = "select period_id, price_id, number, status, period_start, period_end, anchor,
       zone, interval_unit, interval_count, period_index, cancel_scheduled_at
     from subscriptions where shard = $1 and id = $2";
const EARLIER: &str = "select count(*) from invoices where shard = $1 and subscription_id = $2 and id < $3";
const PLAN: &str =
    "select r.number as price_number, r.name as price_name, r.unit_price, d.number as product_number,
       d.name as product_name, d.is_default
     from prices r join products d on d.id = r.product_id where r.id = $1";

const SPAN: &[&str] = &["period_start", "period_end"];

/// A page of the invoices of an environment's customer in one currency; none if it has no such customer.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn page(
    s: &mut Snapshot,
    environment: i64,
    customer: CustomerId,
    currency: Currency,
    offset_page: OffsetPage,
) -> Result<Option<CustomerInvoiceRows>, Error> {
    let params = [
        customer.shard().into(),
        customer.raw().into(),
        environment.into(),
        currency.code().into(),
        offset_page.skip().into(),
        offset_page.limit.into(),
    ];
    let mut found: Option<CustomerInvoiceRows> = None;
    let mut charged: Vec<Option<Charged>> = Vec::new();
    s.each(STATEMENTS, &params, |row| {
        let (zone, total) = (Opt::<Text>::of(row, "zone")?, Int::of(row, "invoices")?);
        let found = found.get_or_insert(CustomerInvoiceRows { zone, total, rows: Vec::new() });
        if !row.next_is_null()? {
            found.rows.push(read(row)?);
            charged.push(charged_period(row)?);
        }
        Ok(())
    })
    .await?;
    let Some(mut found) = found else { return Ok(None) };
    explain(s, &mut found.rows, &charged).await?;
    Ok(Some(found))
}

/// The period that an invoice charged, as it is now.
struct Charged {
    id: PeriodId,
    period: Period,
    price_id: PriceId,
}

/// A subscription with what its invoices have in common.
struct Known {
    subscribed: Subscribed,
    period_id: PeriodId,
    price_id: PriceId,
    /// How many invoices it had before the one that is looked at.
    earlier: i64,
}

/// Adds to invoices, newest first, what they are for. Each subscription and each plan is read once.
async fn explain(
    s: &mut Snapshot,
    rows: &mut [CustomerInvoiceRow],
    charged: &[Option<Charged>],
) -> Result<(), Error> {
    let oldest: BTreeMap<SubscriptionId, InvoiceId> =
        rows.iter().filter_map(|row| Some((row.subscription_id?, row.id))).collect();
    let mut plans: BTreeMap<PriceId, Option<Plan>> =
        charged.iter().flatten().map(|charged| (charged.price_id, None)).collect();
    for (id, oldest) in &oldest {
        let key = [id.shard().into(), id.raw().into(), oldest.raw().into()];
        s.prefetch(SUBSCRIPTION, &key[..2]);
        s.prefetch(EARLIER, &key);
    }
    for price in plans.keys() {
        s.prefetch(PLAN, &[price.raw().into()]);
    }
    let mut known: BTreeMap<SubscriptionId, Known> = BTreeMap::new();
    for (id, oldest) in oldest {
        let key = [id.shard().into(), id.raw().into(), oldest.raw().into()];
        if let Some(mut found) = s.row(SUBSCRIPTION, &key[..2], read_known).await? {
            found.earlier = s.row(EARLIER, &key, |row| row.int(0)).await?.unwrap_or(0);
            plans.entry(found.price_id).or_default();
            known.insert(id, found);
        }
    }
    for (price, plan) in &mut plans {
        *plan = s.row(PLAN, &[price.raw().into()], read_plan).await?;
    }
    // From the oldest invoice of each subscription, which knows how many came before it, to the newer ones.
    for (row, charged) in rows.iter_mut().zip(charged).rev() {
        let Some(known) = row.subscription_id.and_then(|id| known.get_mut(&id)) else { continue };
        row.earlier = known.earlier;
        known.earlier += 1;
        let price = charged.as_ref().map_or(known.price_id, |charged| charged.price_id);
        let plan = plans.get(&price).cloned().flatten();
        let mut subscribed = known.subscribed.clone();
        subscribed.plan = plan.ok_or_else(|| Error::Corrupt("an invoice's price is not there".to_owned()))?;
        if let Some(charged) = charged {
            subscribed.period = charged.period;
            subscribed.is_last_period = charged.id == known.period_id;
        }
        row.subscribed = Some(subscribed);
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<CustomerInvoiceRow, Error> {
    Ok(CustomerInvoiceRow {
        id: Id::of(row, "id")?,
        ordinal: Int::of(row, "ordinal")?,
        subscription_id: Opt::<Id>::of(row, "subscription_id")?,
        purchase_id: Opt::<Id>::of(row, "purchase_id")?,
        earlier: 0,
        status: Word::of(row, "status")?,
        total: Int::of(row, "total")?,
        refunded: Int::of(row, "refunded")?,
        period: Opt::<Span>::read(row, SPAN)?,
        created_at: Time::of(row, "created_at")?,
        updated_at: Time::of(row, "updated_at")?,
        subscribed: None,
    })
}

fn charged_period(row: &Row<'_>) -> Result<Option<Charged>, Error> {
    let Some(id) = Opt::<Id>::of(row, "charged_id")? else { return Ok(None) };
    Ok(Some(Charged { id, period: Span::read(row, SPAN)?, price_id: Id::of(row, "price_id")? }))
}

fn read_known(row: &Row<'_>) -> Result<Known, Error> {
    let (period_id, price_id) = (Id::of(row, "period_id")?, Id::of(row, "price_id")?);
    let subscribed = Subscribed {
        number: Int::of(row, "number")?,
        status: Word::of(row, "status")?,
        period: Span::read(row, SPAN)?,
        is_last_period: true,
        anchor: Time::of(row, "anchor")?,
        zone: Text::of(row, "zone")?,
        interval: Every::read(row, &["interval_unit", "interval_count"])?,
        period_index: Int::of(row, "period_index")?,
        cancel_scheduled_at: Opt::<Time>::of(row, "cancel_scheduled_at")?,
        plan: Plan::default(),
    };
    Ok(Known { subscribed, period_id, price_id, earlier: 0 })
}

fn read_plan(row: &Row<'_>) -> Result<Plan, Error> {
    Ok(Plan {
        price_number: Int::of(row, "price_number")?,
        price_name: Opt::<Text>::of(row, "price_name")?,
        unit_price: Int::of(row, "unit_price")?,
        product_number: Int::of(row, "product_number")?,
        product_name: Text::of(row, "product_name")?,
        is_default: Bool::of(row, "is_default")?,
    })
}
