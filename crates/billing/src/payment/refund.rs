//! Giving money back: asked of the gateway like a payment, booked when it has gone.
//!
//! Owns refunds of automatic payments. Never more is given back than has come and is not under way; what
//! lies on the balance goes first. Nothing is booked before the gateway has said that the money has gone;
//! then it is, at `ctx.now`.

use crate::changes::Changes;
use crate::customer_account::CustomerAccount;
use crate::id::Ctx;
use crate::invoice::in_context::InvoiceInContext;
use crate::ledger::{Account, EntryKind, JournalEntry, Posting};
use crate::money::MoneyError;
use crate::payment::{Credit, GATEWAY, Payment, PaymentKind, PaymentStatus, Refund, RefundStatus};
use crate::refusal::{Field, Refusal};

/// What cannot be given back of a payment any more, beside what was, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// The sum of its refunds that are under way.
    pub pending: i64,
    /// What it left on the balance and other invoices were paid with.
    pub spent: i64,
}

/// Asks for a refund of an automatic payment, in whole or in part.
///
/// # Errors
/// If the payment has not succeeded, is manual, or less than the amount is left of it.
pub fn request_refund(
    ctx: &mut Ctx,
    payer: &CustomerAccount,
    payment: &Payment,
    taken: Taken,
    amount: Option<i64>,
    reason: Option<String>,
    changes: &mut Changes,
) -> Result<Refund, Refusal> {
    if payment.kind == PaymentKind::Manual {
        return Err(Refusal::State("a manual payment is corrected by editing or deleting it".into()));
    }
    if payment.status != PaymentStatus::Succeeded {
        return Err(Refusal::State("only a payment that has succeeded can be refunded".into()));
    }
    let left = payment.amount - payment.refunded - taken.pending - taken.spent;
    if left < 1 {
        return Err(Refusal::State("nothing is left of the payment to refund".into()));
    }
    let amount = amount.unwrap_or(left);
    if amount < 1 || amount > left {
        return Err(Refusal::invalid(Field::RefundAmount, format!("a whole number from 1 to {left}")));
    }
    let refund = Refund {
        id: ctx.id(payer.shard()),
        environment: payment.environment,
        customer_id: payment.customer_id,
        payment_id: payment.id,
        invoice_id: payment.invoice_id,
        amount,
        currency: payment.currency,
        reason,
        status: RefundStatus::Processing,
        failure_message: None,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    changes.insert(refund.clone());
    Ok(refund)
}

/// What the gateway said of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The money has gone back.
    Succeeded,
    /// The gateway said no, in these words.
    Failed(String),
}

/// A refund with what its outcome moves.
#[derive(Debug, Clone, Copy)]
pub struct RefundInContext<'a> {
    /// The refund.
    pub refund: &'a Refund,
    /// The payment that is given back.
    pub payment: &'a Payment,
    /// What the payment left on the balance.
    pub credit: Option<&'a Credit>,
    /// The invoice that the payment paid.
    pub bill: Option<&'a InvoiceInContext>,
}

/// Writes down what the gateway said of a refund. Said twice, the second time changes nothing.
///
/// What the payment left on the balance (`credit`) is given back before what it paid.
///
/// # Errors
/// If a sum is out of range.
pub fn conclude_refund(
    ctx: &mut Ctx,
    payer: &CustomerAccount,
    what: RefundInContext<'_>,
    outcome: &RefundOutcome,
    changes: &mut Changes,
) -> Result<Refund, Refusal> {
    let RefundInContext { refund, payment, credit, bill } = what;
    if refund.status != RefundStatus::Processing {
        return Ok(refund.clone());
    }
    let (before, mut refund) = (refund.clone(), refund.clone());
    refund.updated_at = ctx.now;
    match outcome {
        RefundOutcome::Failed(message) => {
            refund.status = RefundStatus::Failed;
            refund.failure_message = Some(message.clone());
        }
        RefundOutcome::Succeeded => {
            refund.status = RefundStatus::Succeeded;
            let mut after = payment.clone();
            after.refunded = after.refunded.checked_add(refund.amount).ok_or(MoneyError::Overflow)?;
            after.updated_at = ctx.now;
            changes.update(payment.clone(), after);
            let from_balance = credit.map_or(0, |credit| credit.remaining.min(refund.amount));
            if let Some(credit) = credit.filter(|_| from_balance > 0) {
                let remaining = credit.remaining - from_balance;
                changes.update(credit.clone(), Credit { remaining, ..credit.clone() });
            }
            let from_invoice = refund.amount - from_balance;
            if let Some(bill) = bill.filter(|_| from_invoice > 0) {
                give_back(ctx, bill, from_invoice, changes)?;
            }
            let entry = JournalEntry {
                id: ctx.id(payer.shard()),
                environment: refund.environment,
                customer_id: refund.customer_id,
                kind: EntryKind::Refund,
                currency: refund.currency,
                invoice_id: refund.invoice_id,
                payment_id: Some(refund.payment_id),
                at: ctx.now,
                postings: vec![
                    Posting { account: Account::CustomerBalance, amount: from_balance },
                    Posting { account: Account::Refunds, amount: from_invoice },
                    Posting { account: Account::Cash(GATEWAY.into()), amount: -refund.amount },
                ],
            };
            changes.post(entry.balanced()?);
        }
    }
    changes.update(before, refund.clone());
    Ok(refund)
}

/// What a refund does to the paid invoice and its purchase.
fn give_back(ctx: &Ctx, bill: &InvoiceInContext, amount: i64, changes: &mut Changes) -> Result<(), Refusal> {
    let mut after = bill.clone();
    let invoice = &mut after.invoice;
    invoice.refunded = invoice.refunded.checked_add(amount).ok_or(MoneyError::Overflow)?;
    invoice.updated_at = ctx.now;
    if invoice.is_paid() {
        invoice.status = invoice.paid_status();
    }
    if let Some(purchase) = &mut after.purchase {
        purchase.follow(&after.invoice, ctx.now);
    }
    after.write(bill, changes);
    Ok(())
}
