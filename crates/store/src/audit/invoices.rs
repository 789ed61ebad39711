//! Invoices in the order of their places, with what settles them.

use crate::records::codecs::{Bool, Codec, Id, Int, OneColumn, Opt, Span, Text, Word};
use crate::{Error, Param, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::calendar::Period;
use billing::id::{CustomerId, Id as _, InvoiceId, PeriodId, PurchaseId, SubscriptionId};
use billing::invoice::Invoice;
use billing::ledger::JournalEntry;
use billing::payment::PaymentStatus;
use billing::purchase::Purchase;

use super::ledger::AuditedEntry;

const INVOICES: &str = concat!(
    "select ",
    invoice_columns!("i"),
    " from invoices i where i.environment = $1 and i.ordinal > $2 order by i.ordinal limit $3"
);

/// The invoices of an environment after a place.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn invoices(
    s: &mut Snapshot,
    environment: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<Invoice>, Error> {
    let params = [environment.into(), after.into(), limit.into()];
    s.rows(INVOICES, &params, |row| row.record()).await
}

const ISSUE_ENTRIES: &str = concat!(
    "select ",
    journal_entry_columns!("j"),
    ", p.account, p.amount from journal_entries j
     left join postings p on p.shard = j.shard and p.entry_id = j.id
     where j.shard = $1 and j.invoice_id = $2 and j.kind = 'invoice' order by j.id, p.position"
);

/// The entries that were posted when invoices were issued, for each in the order of the ids.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn issue_entries(s: &mut Snapshot, ids: &[InvoiceId]) -> Result<Vec<Vec<AuditedEntry>>, Error> {
    let mut found: Vec<Vec<AuditedEntry>> = vec![Vec::new(); ids.len()];
    s.each_for(ISSUE_ENTRIES, keys(ids), |n, row| {
        let entry: JournalEntry = row.record()?;
        if found[n].last().is_none_or(|last| last.entry.id != entry.id) {
            found[n].push(AuditedEntry { entry, postings: Vec::new() });
        }
        let account = Opt::<Text>::of(row, "account")?;
        if let (Some(last), Some(account)) = (found[n].last_mut(), account) {
            last.postings.push((account, Int::of(row, "amount")?));
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// An attempt at an invoice with what it left on the balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which attempt it is.
    pub attempt: Option<i64>,
    /// Where it stands.
    pub status: PaymentStatus,
    /// How much, in minor units.
    pub amount: i64,
    /// How much of it was given back.
    pub refunded: i64,
    /// Whether the dunning policy made it.
    pub is_retry: bool,
    /// Whose money it is.
    pub customer_id: CustomerId,
    /// Whether its currency is the invoice's.
    pub has_same_currency: bool,
    /// How much of it was left over for the balance.
    pub surplus: i64,
    /// How much of that is neither there any more nor used for invoices: it was given back.
    pub surplus_refunded: i64,
}

const ATTEMPTS: &str = "select p.attempt, p.status, p.amount, p.refunded, p.is_retry, p.customer_id,
     case when p.currency = i.currency then 1 else 0 end as fits, coalesce(c.amount, 0) as surplus,
     cast(coalesce(c.amount, 0) - coalesce(c.remaining, 0) - coalesce(
       (select sum(a.amount) from allocations a where a.shard = c.shard and a.credit_id = c.id), 0) as bigint)
       as surplus_refunded from payments p join invoices i on i.shard = p.shard and i.id = p.invoice_id
     left join credits c on c.shard = p.shard and c.payment_id = p.id
     where p.shard = $1 and p.invoice_id = $2 order by p.attempt";

/// All attempts at invoices, the first first, for each invoice in the order of the ids.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn attempts(s: &mut Snapshot, ids: &[InvoiceId]) -> Result<Vec<Vec<Attempt>>, Error> {
    let mut found = vec![Vec::new(); ids.len()];
    s.each_for(ATTEMPTS, keys(ids), |n, row| {
        found[n].push(Attempt {
            attempt: Opt::<Int>::of(row, "attempt")?,
            status: Word::of(row, "status")?,
            amount: Int::of(row, "amount")?,
            refunded: Int::of(row, "refunded")?,
            is_retry: Bool::of(row, "is_retry")?,
            customer_id: Id::of(row, "customer_id")?,
            has_same_currency: Bool::of(row, "fits")?,
            surplus: Int::of(row, "surplus")?,
            surplus_refunded: Int::of(row, "surplus_refunded")?,
        });
        Ok(())
    })
    .await?;
    Ok(found)
}

const ALLOCATED: &str = "select cast(coalesce(sum(a.amount), 0) as bigint) from allocations a
     where a.shard = $1 and a.invoice_id = $2";

/// What was taken from the balance for invoices, for each in the order of the ids.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn allocated(s: &mut Snapshot, ids: &[InvoiceId]) -> Result<Vec<i64>, Error> {
    let mut found = vec![0; ids.len()];
    s.each_for(ALLOCATED, keys(ids), |n, row| {
        found[n] = row.int(0)?;
        Ok(())
    })
    .await?;
    Ok(found)
}

const PERIOD_OWNERS: &str = "select p.subscription_id, p.invoice_id, p.period_start, p.period_end
     from periods p where p.shard = $1 and p.id = $2";

/// A period as an invoice sees it: whose it is, which invoice billed it, and when it is.
pub type PeriodOwner = (SubscriptionId, Option<InvoiceId>, Period);

/// The periods of ids, in their order; none where there is none.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn period_owners(s: &mut Snapshot, ids: &[PeriodId]) -> Result<Vec<Option<PeriodOwner>>, Error> {
    let mut found = vec![None; ids.len()];
    let keys = ids.iter().map(|id| [id.shard().into(), Param::Id(id.raw())]);
    s.each_for(PERIOD_OWNERS, keys, |n, row| {
        let (subscription, invoice) = (Id::of(row, "subscription_id")?, Opt::<Id>::of(row, "invoice_id")?);
        found[n] = Some((subscription, invoice, Span::read(row, &["period_start", "period_end"])?));
        Ok(())
    })
    .await?;
    Ok(found)
}

const PURCHASES: &str =
    concat!("select ", purchase_columns!("p"), " from purchases p where p.shard = $1 and p.id = $2");

/// Purchases, for each in the order of the ids; none where there is none.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn purchases(s: &mut Snapshot, ids: &[PurchaseId]) -> Result<Vec<Option<Purchase>>, Error> {
    let mut found = vec![None; ids.len()];
    let keys = ids.iter().map(|id| [id.shard().into(), Param::Id(id.raw())]);
    s.each_for(PURCHASES, keys, |n, row| {
        found[n] = Some(row.record()?);
        Ok(())
    })
    .await?;
    Ok(found)
}

fn keys(ids: &[InvoiceId]) -> impl Iterator<Item = [Param<'static>; 2]> {
    ids.iter().map(|id| [id.shard().into(), Param::Id(id.raw())])
}
