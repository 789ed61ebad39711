//! Reading invoices and what settles them.

use crate::records::codecs::{AccountName, Int, OneColumn, Opt, Time};
use crate::{Error, Param, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::id::{CustomerId, Id, InvoiceId, SubscriptionId};
use billing::invoice::{Invoice, InvoiceLine, InvoiceTax, OpenInvoice};
use billing::ledger::{JournalEntry, Posting};
use billing::timestamp::Timestamp;

const ONE: &str =
    concat!("select ", invoice_columns!("i"), " from invoices i where i.shard = $1 and i.id = $2");
const DUE: &str = concat!(
    "select ",
    invoice_columns!("i"),
    " from invoices i where i.environment = $1 and i.shard = $2 and i.next_attempt_at <= $3
     order by i.next_attempt_at, i.id limit $4"
);
const NEXT_DUE: &str = "select min(next_attempt_at) as next_at from invoices
     where environment = $1 and shard = $2 and next_attempt_at > $3";
const OPEN: &str = concat!(
    "select ",
    invoice_columns!("i"),
    " from invoices i where i.shard = $1 and i.customer_id = $2 and i.status = 'open'
     order by i.customer_ordinal"
);
const OWES: &str = "select count(*) from invoices
     where shard = $1 and customer_id = $2 and status = 'open' and subscription_id = $3 and id <> $4";

/// An invoice of an environment.
#[boxed]
pub async fn one(s: &mut Snapshot, environment: i64, id: InvoiceId) -> Result<Option<Invoice>, Error> {
    let found: Option<Invoice> =
        s.row(ONE, &[id.shard().into(), id.raw().into()], |row| row.record()).await?;
    Ok(found.filter(|invoice| invoice.environment == environment))
}

/// The invoices of a shard at which an attempt is due, the longest due first.
#[boxed]
pub async fn due(
    s: &mut Snapshot,
    environment: i64,
    shard: i64,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Invoice>, Error> {
    let params = [environment.into(), shard.into(), now.micros().into(), limit.into()];
    s.rows(DUE, &params, |row| row.record()).await
}

/// When the next attempt in a shard falls due after an instant.
#[boxed]
pub async fn next_due(
    s: &mut Snapshot,
    environment: i64,
    shard: i64,
    after: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let params = [environment.into(), shard.into(), after.micros().into()];
    Ok(s.row(NEXT_DUE, &params, |row| Opt::<Time>::of(row, "next_at")).await?.flatten())
}

/// The open invoices of a customer, the oldest first.
#[boxed]
pub async fn open(s: &mut Snapshot, customer: CustomerId) -> Result<Vec<Invoice>, Error> {
    s.rows(OPEN, &[customer.shard().into(), customer.raw().into()], |row| row.record()).await
}

const OF_PERIOD: &str = concat!(
    "select ",
    invoice_columns!("i"),
    " from invoices i where i.shard = $1 and i.subscription_id = $2 and i.period_id = $3
     and i.status <> 'void' order by i.customer_ordinal"
);

/// The invoices of a period of a subscription that were not withdrawn, the oldest first.
#[boxed]
pub async fn of_period(
    s: &mut Snapshot,
    subscription: SubscriptionId,
    period: billing::id::PeriodId,
) -> Result<Vec<Invoice>, Error> {
    let params = [subscription.shard().into(), subscription.raw().into(), period.raw().into()];
    s.rows(OF_PERIOD, &params, |row| row.record()).await
}

/// Whether a subscription has open invoices beside one.
#[boxed]
pub async fn has_other_open_invoices(
    s: &mut Snapshot,
    customer: CustomerId,
    subscription: SubscriptionId,
    beside: InvoiceId,
) -> Result<bool, Error> {
    let params =
        [customer.shard().into(), customer.raw().into(), subscription.raw().into(), beside.raw().into()];
    Ok(s.row(OWES, &params, |row| row.int(0)).await?.unwrap_or(0) > 0)
}

const ISSUE_ENTRY: &str = concat!(
    "select ",
    journal_entry_columns!("j"),
    " from journal_entries j where j.shard = $1 and j.invoice_id = $2 and j.kind = 'invoice'"
);
const POSTINGS: &str =
    "select account, amount from postings where shard = $1 and entry_id = $2 order by position";

/// The open invoices of a subscription with the entries that were posted for them.
#[boxed]
pub async fn open_of_subscription(
    s: &mut Snapshot,
    customer: CustomerId,
    subscription: SubscriptionId,
) -> Result<Vec<OpenInvoice>, Error> {
    let mut found = Vec::new();
    for invoice in open(s, customer).await? {
        if invoice.subscription_id == Some(subscription) {
            found.push(issued(s, invoice).await?);
        }
    }
    Ok(found)
}

/// An invoice with the entry that was posted for it.
#[boxed]
pub async fn issued(s: &mut Snapshot, invoice: Invoice) -> Result<OpenInvoice, Error> {
    let shard = invoice.id.shard();
    let mut entry: JournalEntry = s
        .row(ISSUE_ENTRY, &[shard.into(), invoice.id.raw().into()], |row| row.record())
        .await?
        .ok_or_else(|| Error::Corrupt(format!("invoice {} has no entry", invoice.number)))?;
    entry.postings = s
        .rows(POSTINGS, &[shard.into(), entry.id.raw().into()], |row| {
            Ok(Posting { account: AccountName::of(row, "account")?, amount: Int::of(row, "amount")? })
        })
        .await?;
    Ok(OpenInvoice { invoice, issued: entry })
}

const LINES: &str = concat!(
    "select ",
    invoice_line_columns!("l"),
    " from invoice_lines l where l.shard = $1 and l.invoice_id = $2 order by l.position"
);
const TAXES: &str = concat!(
    "select ",
    invoice_tax_columns!("t"),
    " from invoice_taxes t where t.shard = $1 and t.invoice_id = $2 order by t.position"
);

/// The lines of invoices, for each in the order of the ids.
#[boxed]
pub async fn lines(s: &mut Snapshot, ids: &[InvoiceId]) -> Result<Vec<Vec<InvoiceLine>>, Error> {
    let keys = ids.iter().map(|id| [id.shard().into(), Param::Id(id.raw())]);
    let mut found = vec![Vec::new(); ids.len()];
    s.each_for(LINES, keys, |n, row| {
        found[n].push(row.record()?);
        Ok(())
    })
    .await?;
    Ok(found)
}

/// The taxes of invoices, for each in the order of the ids.
#[boxed]
pub async fn taxes(s: &mut Snapshot, ids: &[InvoiceId]) -> Result<Vec<Vec<InvoiceTax>>, Error> {
    let keys = ids.iter().map(|id| [id.shard().into(), Param::Id(id.raw())]);
    let mut found = vec![Vec::new(); ids.len()];
    s.each_for(TAXES, keys, |n, row| {
        found[n].push(row.record()?);
        Ok(())
    })
    .await?;
    Ok(found)
}
