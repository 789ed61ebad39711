//! Giving money back: asked of the gateway like a payment, booked when it has gone.

use super::{Payment, PaymentKind, PaymentStatus, PurchaseStatus, Refund, RefundStatus};
use crate::invoice::InvoiceStatus;
use crate::ledger::{Account, EntryKind, JournalEntry, Posting};
use crate::{Bill, Change, Changes, Ctx, MoneyError, Payer, Refusal};

/// Asks for a refund of an automatic payment, in whole or in part.
///
/// # Errors
/// If the payment has not succeeded, is manual, or less than the amount is left of it; `pending` is the
/// sum of its refunds that are under way, in minor units.
pub fn request(
    ctx: &mut Ctx,
    payer: &Payer,
    payment: &Payment,
    amount: Option<i64>,
    reason: Option<String>,
    pending: i64,
    changes: &mut Changes,
) -> Result<Refund, Refusal> {
    if payment.kind == PaymentKind::Manual {
        return Err(Refusal::State("a manual payment is corrected by editing or deleting it".into()));
    }
    if payment.status != PaymentStatus::Succeeded {
        return Err(Refusal::State("only a payment that has succeeded can be refunded".into()));
    }
    let left = payment.amount - payment.refunded - pending;
    let amount = amount.unwrap_or(left);
    if amount < 1 || amount > left {
        return Err(Refusal::invalid("partialAmount", format!("a whole number from 1 to {left}")));
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
    changes.push(Change::InsertRefund(refund.clone()));
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

/// Writes down what the gateway said of a refund. Said twice, the second time changes nothing.
///
/// # Errors
/// If a sum is out of range.
pub fn conclude(
    ctx: &mut Ctx,
    payer: &Payer,
    refund: &Refund,
    payment: &Payment,
    bill: Option<&Bill>,
    outcome: &RefundOutcome,
    changes: &mut Changes,
) -> Result<Refund, Refusal> {
    if refund.status != RefundStatus::Processing {
        return Ok(refund.clone());
    }
    let mut refund = refund.clone();
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
            changes.push(Change::UpdatePayment(Box::new(payment.clone()), Box::new(after)));
            if let Some(bill) = bill {
                give_back(ctx, bill, refund.amount, changes)?;
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
                    Posting { account: Account::Refunds, amount: refund.amount },
                    Posting { account: Account::Cash("sandbox".into()), amount: -refund.amount },
                ],
            };
            changes.push(Change::Post(entry.balanced()?));
        }
    }
    changes.push(Change::UpdateRefund(refund.clone()));
    Ok(refund)
}

/// What a refund does to the paid invoice and its purchase.
fn give_back(ctx: &Ctx, bill: &Bill, amount: i64, changes: &mut Changes) -> Result<(), Refusal> {
    let mut after = bill.clone();
    let invoice = &mut after.invoice;
    invoice.refunded = invoice.refunded.checked_add(amount).ok_or(MoneyError::Overflow)?;
    invoice.updated_at = ctx.now;
    let whole = invoice.refunded >= invoice.total;
    if matches!(invoice.status, InvoiceStatus::Paid | InvoiceStatus::PartiallyRefunded) {
        invoice.status = if whole { InvoiceStatus::Refunded } else { InvoiceStatus::PartiallyRefunded };
    }
    if let Some(purchase) = &mut after.purchase {
        purchase.status = if whole { PurchaseStatus::Refunded } else { PurchaseStatus::PartialRefund };
        purchase.updated_at = ctx.now;
    }
    after.write(bill, changes);
    Ok(())
}
