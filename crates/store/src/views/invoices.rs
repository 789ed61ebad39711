//! A customer's invoices.

use super::Sheet;
use crate::rows::get;
use crate::{Error, Param, Row, Snapshot};
use billing::subscription::Status;
use billing::{
    Category, Currency, CustomerId, Id, Interval, InvoiceId, InvoiceStatus, Period, ProductId, PurchaseId,
    SubscriptionId, Timestamp,
};

/// An invoice with the subscription and the plan that it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
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
#[derive(Debug, Clone, PartialEq)]
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
pub struct Statements {
    /// The zone, if the customer has one.
    pub zone: Option<String>,
    /// How many invoices there are.
    pub total: i64,
    /// The page.
    pub rows: Vec<Statement>,
}

/// An invoice's place among all cannot be lower than among those in its currency, and is higher by at
/// most the number of those in others: so what is walked is the page and those. Of the oldest invoice of
/// each subscription on the page those before it are counted.
const STATEMENTS: &str = "with owner as materialized (
       select c.zone,
         (select i.customer_ordinal from invoices i where i.shard = $1 and i.customer_id = $2
          order by i.customer_ordinal desc limit 1) as newest,
         (select i.currency_ordinal from invoices i
          where i.shard = $1 and i.customer_id = $2 and i.currency = $4
          order by i.customer_ordinal desc limit 1) as total
       from customers c where c.shard = $1 and c.id = $2 and c.environment = $3)
     select i.id, i.ordinal, i.subscription_id, i.purchase_id, i.status, i.total, i.refunded,
       i.period_start, i.period_end, i.created_at, i.updated_at,
       s.number, s.status, coalesce(p.period_start, s.period_start), coalesce(p.period_end, s.period_end),
       p.id is null or p.id = s.period_id, s.anchor, s.zone, s.interval_unit, s.interval_count,
       s.period_index, s.cancel_scheduled_at,
       r.number, r.name, r.unit_price, d.number, d.name, d.is_default,
       case when lag(i.id) over (partition by i.subscription_id order by i.customer_ordinal) is null
         then (select count(*) from invoices e
           where e.shard = $1 and e.subscription_id = i.subscription_id and e.id < i.id) end,
       o.zone, coalesce(o.total, 0)
     from owner o
     left join invoices i on i.shard = $1 and i.customer_id = $2 and i.currency = $4
       and i.customer_ordinal between o.total - $5 - $6 + 1 and o.newest - $5
       and i.currency_ordinal between o.total - $5 - $6 + 1 and o.total - $5
     left join subscriptions s on s.shard = $1 and s.id = i.subscription_id
     left join periods p on p.shard = $1 and p.id = i.period_id
     left join prices r on r.id = coalesce(p.price_id, s.price_id)
     left join products d on d.id = r.product_id
     order by i.customer_ordinal desc";

/// A page of the invoices of an environment's customer in one currency; none if it has no such customer.
/// One statement.
pub async fn statements(
    s: &mut Snapshot,
    environment: i64,
    customer: CustomerId,
    currency: Currency,
    sheet: Sheet,
) -> Result<Option<Statements>, Error> {
    let params = [
        customer.shard().into(),
        customer.raw().into(),
        environment.into(),
        currency.code().into(),
        sheet.skip().into(),
        sheet.limit.into(),
    ];
    let mut found: Option<Statements> = None;
    s.each(STATEMENTS, &params, |row| {
        if found.is_none() {
            let zone = row.opt_text(29)?.map(str::to_owned);
            found = Some(Statements { zone, total: row.int(30)?, rows: Vec::new() });
        }
        if let (Some(found), Some(_)) = (&mut found, row.opt_id(0)?) {
            found.rows.push(statement(row)?);
        }
        Ok(())
    })
    .await?;
    if let Some(found) = &mut found {
        count_up(&mut found.rows);
    }
    Ok(found)
}

/// From the oldest invoice of each subscription, which knows how many came before it, to the newer ones.
fn count_up(rows: &mut [Statement]) {
    let mut next: Vec<(SubscriptionId, i64)> = Vec::new();
    for row in rows.iter_mut().rev() {
        let Some(subscription) = row.subscription_id else { continue };
        match next.iter_mut().find(|(known, _)| *known == subscription) {
            Some((_, earlier)) => {
                *earlier += 1;
                row.earlier = *earlier;
            }
            None => next.push((subscription, row.earlier)),
        }
    }
}

fn statement(row: &Row<'_>) -> Result<Statement, Error> {
    Ok(Statement {
        id: get::id(row, 0)?,
        ordinal: row.int(1)?,
        subscription_id: get::opt_id(row, 2)?,
        purchase_id: get::opt_id(row, 3)?,
        earlier: row.opt_int(28)?.unwrap_or(0),
        status: get::word(row, 4, InvoiceStatus::parse)?,
        total: row.int(5)?,
        refunded: row.int(6)?,
        period: get::opt_period(row, 7)?,
        created_at: get::time(row, 9)?,
        updated_at: get::time(row, 10)?,
        subscribed: if row.opt_int(11)?.is_some() { Some(subscribed(row)?) } else { None },
    })
}

fn subscribed(row: &Row<'_>) -> Result<Subscribed, Error> {
    Ok(Subscribed {
        number: row.int(11)?,
        status: get::word(row, 12, Status::parse)?,
        period: get::period(row, 13)?,
        is_last_period: row.bool(15)?,
        anchor: get::time(row, 16)?,
        zone: row.text(17)?.to_owned(),
        interval: get::interval(row, 18)?,
        period_index: row.int(20)?,
        cancel_scheduled_at: get::opt_time(row, 21)?,
        plan: Plan {
            price_number: row.int(22)?,
            price_name: row.opt_text(23)?.map(str::to_owned),
            unit_price: row.int(24)?,
            product_number: row.int(25)?,
            product_name: row.text(26)?.to_owned(),
            is_default: row.bool(27)?,
        },
    })
}

/// An invoice as its own document shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Issued {
    /// The number that is printed on it.
    pub number: String,
    /// What its first line is for.
    pub category: Category,
    /// The currency of its amounts.
    pub currency: Currency,
    /// What is to be paid, in minor units; tax is inside.
    pub total: i64,
    /// The sum of its taxes, in minor units.
    pub tax: i64,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// When it was issued.
    pub invoice_date: Timestamp,
    /// When it is to be paid.
    pub due_date: Timestamp,
    /// When nothing was owed any more.
    pub paid_at: Option<Timestamp>,
}

const ISSUED: &str = "with newest as materialized (
       select coalesce((select i.customer_ordinal from invoices i where i.shard = $1 and i.customer_id = $2
         order by i.customer_ordinal desc limit 1), 0) as total)
     select i.number, i.category, i.currency, i.total, i.tax, i.status, i.invoice_date, i.due_date, i.paid_at,
       n.total
     from newest n left join invoices i on i.shard = $1 and i.customer_id = $2
       and i.customer_ordinal between n.total - $3 - $4 + 1 and n.total - $3
     order by i.customer_ordinal desc";
const ISSUED_FOR: &str =
    "select number, category, currency, total, tax, status, invoice_date, due_date, paid_at
     from invoices where shard = $1 and customer_id = $2 and product_id = $3
     order by customer_ordinal desc limit $4 offset $5";
const COUNT_FOR: &str =
    "select count(*) from invoices where shard = $1 and customer_id = $2 and product_id = $3";

/// Says that a page of all of a customer's invoices will be asked for.
pub fn announce_issued(s: &mut Snapshot, customer: CustomerId, sheet: Sheet) {
    s.announce(ISSUED, &newest(customer, sheet));
}

fn newest(customer: CustomerId, sheet: Sheet) -> [Param<'static>; 4] {
    [customer.shard().into(), customer.raw().into(), sheet.skip().into(), sheet.limit.into()]
}

/// A page of a customer's invoices, newest first, with how many there are: all, or those whose first
/// line is for a product.
pub async fn issued(
    s: &mut Snapshot,
    customer: CustomerId,
    product: Option<ProductId>,
    sheet: Sheet,
) -> Result<(i64, Vec<Issued>), Error> {
    let (shard, id) = (customer.shard(), customer.raw());
    let Some(product) = product else {
        let (mut total, mut rows) = (0, Vec::new());
        let see = |row: &Row<'_>| {
            total = row.int(9)?;
            if row.opt_text(0)?.is_some() {
                rows.push(read_issued(row)?);
            }
            Ok(())
        };
        s.each(ISSUED, &newest(customer, sheet), see).await?;
        return Ok((total, rows));
    };
    let key = [shard.into(), id.into(), product.raw().into()];
    let total = s.row(COUNT_FOR, &key, |row| row.int(0)).await?.unwrap_or(0);
    let [shard, id, product] = key;
    let params = [shard, id, product, sheet.limit.into(), sheet.skip().into()];
    Ok((total, s.rows(ISSUED_FOR, &params, read_issued).await?))
}

fn read_issued(row: &Row<'_>) -> Result<Issued, Error> {
    Ok(Issued {
        number: row.text(0)?.to_owned(),
        category: get::word(row, 1, Category::parse)?,
        currency: get::currency(row, 2)?,
        total: row.int(3)?,
        tax: row.int(4)?,
        status: get::word(row, 5, InvoiceStatus::parse)?,
        invoice_date: get::time(row, 6)?,
        due_date: get::time(row, 7)?,
        paid_at: get::opt_time(row, 8)?,
    })
}
