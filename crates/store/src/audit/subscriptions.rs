//! What hangs on subscriptions: their periods and what they owe.

use crate::records::codecs::{Codec, Id, Int, OneColumn, Opt, Span};
use crate::{Error, Param, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::calendar::Period;
use billing::id::{Id as _, InvoiceId, PeriodId, SubscriptionId};
use billing::subscription::{BillingPeriod, Subscription};

const PERIODS: &str = concat!(
    "select ",
    period_columns!("p"),
    ", i.period_id, i.subscription_id, i.period_start, i.period_end from periods p
     left join invoices i on i.shard = p.shard and i.id = p.invoice_id
     where p.shard = $1 and p.subscription_id = $2 order by p.period_start"
);

const SPAN: &[&str] = &["period_start", "period_end"];

/// A period, and of its invoice the period, the subscription and the time that it says it is for.
pub type Billed = (BillingPeriod, Option<(Option<PeriodId>, Option<SubscriptionId>, Option<Period>)>);

/// The periods of subscriptions in the order of time, for each subscription in the order of the ids.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn periods(s: &mut Snapshot, ids: &[SubscriptionId]) -> Result<Vec<Vec<Billed>>, Error> {
    let mut found = vec![Vec::new(); ids.len()];
    let keys = ids.iter().map(|id| [id.shard().into(), Param::Id(id.raw())]);
    s.each_for(PERIODS, keys, |n, row| {
        let period = row.record()?;
        let invoice = match Opt::<Id>::of(row, "period_id")? {
            None => None,
            some => Some((some, Opt::<Id>::of(row, "subscription_id")?, Opt::<Span>::read(row, SPAN)?)),
        };
        found[n].push((period, invoice));
        Ok(())
    })
    .await?;
    Ok(found)
}

/// The open invoices of a subscription.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenInvoices {
    /// All of them.
    pub all: Vec<InvoiceId>,
    /// Those of which a payment is under way.
    pub charging: Vec<InvoiceId>,
}

const OPEN: &str = "select i.id, (select count(*) from payments p where p.shard = i.shard
       and p.invoice_id = i.id and p.status = 'processing') as charging
     from invoices i where i.shard = $1 and i.customer_id = $2 and i.status = 'open'
     and i.subscription_id = $3 order by i.id";

/// The open invoices of subscriptions, for each in their order.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn open_invoices(s: &mut Snapshot, of: &[Subscription]) -> Result<Vec<OpenInvoices>, Error> {
    let mut found = vec![OpenInvoices::default(); of.len()];
    let keys = of.iter().map(|subscription| {
        [
            subscription.id.shard().into(),
            Param::Id(subscription.customer_id.raw()),
            Param::Id(subscription.id.raw()),
        ]
    });
    s.each_for(OPEN, keys, |n, row| {
        let id = Id::of(row, "id")?;
        found[n].all.push(id);
        if Int::of::<i64>(row, "charging")? > 0 {
            found[n].charging.push(id);
        }
        Ok(())
    })
    .await?;
    Ok(found)
}
