//! What moves an invoice after it was issued: money that came, debt that is given up or owed again, each
//! with its journal entry.
//!
//! Owns the invoice's amounts and status. What that does to a subscription or a purchase is decided by
//! `payment`. The caller writes the invoice, once, when it has done all of it. Everything happens at
//! `ctx.now`.

use crate::changes::Changes;
use crate::customer_account::CustomerAccount;
use crate::id::Ctx;
use crate::invoice::{Invoice, InvoiceStatus};
use crate::ledger::{Account, EntryKind, JournalEntry, Posting};
use crate::money::MoneyError;
use crate::refusal::Refusal;
use crate::timestamp::Timestamp;

/// An entry about an invoice, checked to balance.
pub(crate) fn entry(
    ctx: &mut Ctx,
    payer: &CustomerAccount,
    invoice: &Invoice,
    kind: EntryKind,
    postings: Vec<Posting>,
) -> Result<JournalEntry, MoneyError> {
    JournalEntry {
        id: ctx.id(payer.shard()),
        environment: invoice.environment,
        customer_id: payer.id(),
        kind,
        currency: invoice.currency,
        invoice_id: Some(invoice.id),
        payment_id: None,
        at: ctx.now,
        postings,
    }
    .balanced()
}

/// Notes that an amount of the invoice has been paid. Nothing owed any more means paid.
pub(crate) fn settle(invoice: &mut Invoice, amount: i64, now: Timestamp) -> Result<(), MoneyError> {
    invoice.settled = invoice.settled.checked_add(amount).ok_or(MoneyError::Overflow)?;
    invoice.updated_at = now;
    if invoice.settled >= invoice.total {
        invoice.status = invoice.paid_status();
        invoice.paid_at = Some(now);
        invoice.next_attempt_at = None;
        invoice.last_failure = None;
    }
    Ok(())
}

/// Gives an invoice up: what is owed becomes bad debt.
pub(crate) fn write_off(
    ctx: &mut Ctx,
    payer: &CustomerAccount,
    invoice: &mut Invoice,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    let owed = invoice.owed();
    invoice.status = InvoiceStatus::Uncollectible;
    let postings = vec![
        Posting { account: Account::BadDebt, amount: owed },
        Posting { account: Account::Receivable, amount: -owed },
    ];
    changes.post(entry(ctx, payer, invoice, EntryKind::WriteOff, postings)?);
    Ok(())
}

/// A given-up invoice that is paid after all is owed again first.
pub(crate) fn reopen(
    ctx: &mut Ctx,
    payer: &CustomerAccount,
    invoice: &mut Invoice,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    if invoice.status == InvoiceStatus::Uncollectible {
        let owed = invoice.owed();
        let postings = vec![
            Posting { account: Account::Receivable, amount: owed },
            Posting { account: Account::BadDebt, amount: -owed },
        ];
        changes.post(entry(ctx, payer, invoice, EntryKind::Recovery, postings)?);
        invoice.status = InvoiceStatus::Open;
    }
    Ok(())
}
