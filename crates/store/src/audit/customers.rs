//! Customers, how they are found, and what their rows sum to in each currency.

use super::after::After;
use crate::records::codecs::{CurrencyCode, Id, Int, OneColumn, Opt, Word};
use crate::{Error, Param, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::currency::Currency;
use billing::customer::Customer;
use billing::id::{CustomerId, Id as _};
use billing::payment::PaymentKind;

/// A customer with what must stand beside its row.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The customer.
    pub customer: Customer,
    /// Whether it has a version.
    pub has_version: bool,
    /// To whom its external id leads.
    pub by_external_id: Option<CustomerId>,
    /// To whom its handle leads.
    pub by_handle: Option<CustomerId>,
}

const CUSTOMERS: &str = concat!(
    "select ",
    customer_columns!("c"),
    ", v.version, e.customer_id as by_external_id, h.customer_id as by_handle from customers c
     left join customer_versions v on v.shard = c.shard and v.customer_id = c.id
     left join customer_names e on e.environment = c.environment and e.kind = 'external_id'
       and e.name = c.external_id
     left join customer_names h on h.environment = c.environment and h.kind = 'handle'
       and h.name = c.handle
     where (c.shard, c.id) > ($1, $2) order by c.shard, c.id limit $3"
);

/// The customers after a key.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn named(s: &mut Snapshot, after: After, limit: i64) -> Result<Vec<Named>, Error> {
    let params = [after.shard.into(), after.id.into(), limit.into()];
    s.rows(CUSTOMERS, &params, |row| {
        Ok(Named {
            customer: row.record()?,
            has_version: row.opt_int(row.take("version")?)?.is_some(),
            by_external_id: Opt::<Id>::of(row, "by_external_id")?,
            by_handle: Opt::<Id>::of(row, "by_handle")?,
        })
    })
    .await
}

/// The key of the n-th customer after a key; none if there are fewer.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn slice_end(s: &mut Snapshot, after: After, n: i64) -> Result<Option<After>, Error> {
    const SQL: &str = "select c.shard, c.id from customers c where (c.shard, c.id) > ($1, $2)
         order by c.shard, c.id limit 1 offset $3";
    let params = [after.shard.into(), after.id.into(), (n - 1).into()];
    s.row(SQL, &params, |row| Ok(After { shard: row.int(0)?, id: row.id(1)? })).await
}

/// How many names lead to customers of an environment, by kind: external ids, then handles.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn names(s: &mut Snapshot, environment: i64) -> Result<(i64, i64), Error> {
    const SQL: &str = "select
         cast(coalesce(sum(case when kind = 'external_id' then 1 else 0 end), 0) as bigint),
         cast(coalesce(sum(case when kind = 'handle' then 1 else 0 end), 0) as bigint)
         from customer_names where environment = $1";
    let found = s.row(SQL, &[environment.into()], |row| Ok((row.int(0)?, row.int(1)?))).await?;
    Ok(found.unwrap_or_default())
}

/// What a customer's invoices in one currency come to, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvoiceSums {
    /// The currency.
    pub currency: Currency,
    /// How many there are.
    pub count: i64,
    /// How many different places they have in this currency.
    pub currency_ordinals: i64,
    /// The last of those places.
    pub currency_ordinal_max: i64,
    /// The last of their places among all invoices of the customer.
    pub customer_ordinal_max: i64,
    /// The subtotals of those that were not withdrawn.
    pub subtotal: i64,
    /// The taxes of those that were not withdrawn.
    pub tax: i64,
    /// What is owed on those that are open.
    pub owed: i64,
    /// What was owed on those that were given up.
    pub given_up: i64,
}

const INVOICE_SUMS: &str = "select i.currency, count(*) as n, count(distinct i.currency_ordinal) as ordinals,
     max(i.currency_ordinal) as last_of_currency, max(i.customer_ordinal) as last_of_all,
     cast(sum(case when i.status <> 'void' then i.subtotal else 0 end) as bigint) as subtotal,
     cast(sum(case when i.status <> 'void' then i.tax else 0 end) as bigint) as tax,
     cast(sum(case when i.status = 'open' then i.total - i.settled else 0 end) as bigint) as owed,
     cast(sum(case when i.status = 'uncollectible' then i.total - i.settled else 0 end) as bigint)
       as given_up
     from invoices i where i.shard = $1 and i.customer_id = $2 group by i.currency";

/// What the invoices of customers come to, for each in the order of the ids.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn invoice_sums(s: &mut Snapshot, ids: &[CustomerId]) -> Result<Vec<Vec<InvoiceSums>>, Error> {
    let mut found = vec![Vec::new(); ids.len()];
    s.each_for(INVOICE_SUMS, keys(ids), |n, row| {
        found[n].push(InvoiceSums {
            currency: CurrencyCode::of(row, "currency")?,
            count: Int::of(row, "n")?,
            currency_ordinals: Int::of(row, "ordinals")?,
            currency_ordinal_max: Int::of(row, "last_of_currency")?,
            customer_ordinal_max: Int::of(row, "last_of_all")?,
            subtotal: Int::of(row, "subtotal")?,
            tax: Int::of(row, "tax")?,
            owed: Int::of(row, "owed")?,
            given_up: Int::of(row, "given_up")?,
        });
        Ok(())
    })
    .await?;
    Ok(found)
}

/// What a customer's payments and balance in one currency come to, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneySums {
    /// The currency.
    pub currency: Currency,
    /// What came through gateways.
    pub charged: i64,
    /// What staff wrote down and did not take back.
    pub written_down: i64,
    /// What was given back.
    pub refunded: i64,
    /// How much of that came from the balance.
    pub refunded_from_balance: i64,
    /// What is left on the balance.
    pub remaining: i64,
}

const RECEIVED: &str = "select p.currency, p.kind,
     cast(sum(case when p.status = 'succeeded' and p.deleted_at is null then p.amount else 0 end) as bigint)
       as received, cast(sum(p.refunded) as bigint) as refunded
     from payments p where p.shard = $1 and p.customer_id = $2 group by p.currency, p.kind";
const FROM_BALANCE: &str = "select c.currency, cast(sum(c.amount - c.remaining - coalesce(
       (select sum(a.amount) from allocations a where a.shard = c.shard and a.credit_id = c.id), 0)) as bigint) as refunded
     from payments p join credits c on c.shard = p.shard and c.payment_id = p.id
     where p.shard = $1 and p.customer_id = $2 and p.kind = 'automatic' group by c.currency";
const REMAINING: &str = "select c.currency, cast(sum(c.remaining) as bigint) as remaining from credits c
     where c.shard = $1 and c.customer_id = $2 and c.remaining > 0 group by c.currency";

/// What the payments and balances of customers come to, for each in the order of the ids.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn money_sums(s: &mut Snapshot, ids: &[CustomerId]) -> Result<Vec<Vec<MoneySums>>, Error> {
    let mut found: Vec<Vec<MoneySums>> = vec![Vec::new(); ids.len()];
    s.each_for(RECEIVED, keys(ids), |n, row| {
        let sums = of_currency(&mut found[n], CurrencyCode::of(row, "currency")?);
        match Word::of(row, "kind")? {
            PaymentKind::Automatic => sums.charged = Int::of(row, "received")?,
            PaymentKind::Manual => sums.written_down = Int::of(row, "received")?,
        }
        sums.refunded += Int::of::<i64>(row, "refunded")?;
        Ok(())
    })
    .await?;
    s.each_for(FROM_BALANCE, keys(ids), |n, row| {
        let currency = CurrencyCode::of(row, "currency")?;
        of_currency(&mut found[n], currency).refunded_from_balance = Int::of(row, "refunded")?;
        Ok(())
    })
    .await?;
    s.each_for(REMAINING, keys(ids), |n, row| {
        let currency = CurrencyCode::of(row, "currency")?;
        of_currency(&mut found[n], currency).remaining = Int::of(row, "remaining")?;
        Ok(())
    })
    .await?;
    Ok(found)
}

fn of_currency(sums: &mut Vec<MoneySums>, currency: Currency) -> &mut MoneySums {
    let at = sums.iter().position(|sums| sums.currency == currency).unwrap_or_else(|| {
        sums.push(MoneySums {
            currency,
            charged: 0,
            written_down: 0,
            refunded: 0,
            refunded_from_balance: 0,
            remaining: 0,
        });
        sums.len() - 1
    });
    &mut sums[at]
}

fn keys(ids: &[CustomerId]) -> impl Iterator<Item = [Param<'static>; 2]> {
    ids.iter().map(|id| [id.shard().into(), Param::Id(id.raw())])
}
