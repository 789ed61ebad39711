//! What follows from an attempt that failed: the next one, or the end that the policy sets.
//!
//! Owns when an open invoice is tried again and when it is given up. The policy's days are counted from the
//! failure, and retries, not attempts, use them up. A subscription that was ended is no longer asked for.

use crate::changes::Changes;
use crate::customer_account::CustomerAccount;
use crate::environment::DunningEnd;
use crate::id::Ctx;
use crate::invoice::in_context::InvoiceInContext;
use crate::invoice::settle::write_off;
use crate::invoice::{Invoice, InvoiceKind, InvoiceStatus};
use crate::purchase::PurchaseStatus;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::subscription::cancel::end_now;
use crate::subscription::due::next_due;
use crate::subscription::{Status, Subscription};
use crate::timestamp::Timestamp;

/// An attempt has failed for a reason: the policy says when the next one is, or what happens in the end.
/// An invoice that was settled meanwhile stays as it is.
pub(super) fn plan_next(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &CustomerAccount,
    bill: &mut InvoiceInContext,
    failure: &str,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    if bill.invoice.status != InvoiceStatus::Open {
        return Ok(());
    }
    bill.invoice.last_failure = Some(failure.to_owned());
    bill.invoice.updated_at = ctx.now;
    if let Some(purchase) = &mut bill.purchase
        && purchase.status == PurchaseStatus::Open
    {
        purchase.status = PurchaseStatus::Failed;
        purchase.updated_at = ctx.now;
    }
    let policy = &rules.environment.dunning;
    let next = usize::try_from(bill.invoice.retry_count).ok().and_then(|n| policy.retry_days.get(n));
    match next {
        Some(days) if is_collected(bill) => {
            bill.invoice.next_attempt_at = Some(ctx.now.plus_days(*days)?);
            mark_past_due(ctx, rules, bill)
        }
        Some(_) => Ok(()),
        None => give_up(ctx, rules, payer, bill, policy.end, changes),
    }
}

/// Plans an attempt at an invoice that is owed again because the money that had paid it was taken back.
/// The days until then leave time to write it down anew; an invoice that was never to be charged by itself
/// is not charged now.
pub(super) fn resume(
    now: Timestamp,
    rules: &Rules,
    invoice: &mut Invoice,
    subscription: Option<&Subscription>,
) -> Result<(), Refusal> {
    let is_charged = invoice.kind != InvoiceKind::Standalone || invoice.attempt_count > 0;
    if is_charged && subscription.is_none_or(|subscription| subscription.status.is_collected()) {
        let days = &rules.environment.dunning.retry_days;
        let next = usize::try_from(invoice.retry_count).ok().and_then(|n| days.get(n)).or(days.last());
        invoice.next_attempt_at = Some(now.plus_days(next.copied().unwrap_or(0))?);
    }
    Ok(())
}

/// Whether the policy asks for the invoice.
pub(super) fn is_collected(bill: &InvoiceInContext) -> bool {
    bill.subscription.as_ref().is_none_or(|subscription| subscription.status.is_collected())
}

/// Notes that the last invoice of a subscription that runs is not paid.
pub(super) fn mark_past_due(ctx: &Ctx, rules: &Rules, bill: &mut InvoiceInContext) -> Result<(), Refusal> {
    let Some(subscription) = &mut bill.subscription else { return Ok(()) };
    if matches!(subscription.status, Status::Incomplete | Status::Active) {
        subscription.status = Status::PastDue;
        subscription.updated_at = ctx.now;
        subscription.due_at = next_due(subscription, rules)?;
    }
    Ok(())
}

/// Nothing helped: the policy's end.
fn give_up(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &CustomerAccount,
    bill: &mut InvoiceInContext,
    end: DunningEnd,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    bill.invoice.next_attempt_at = None;
    match end {
        DunningEnd::LeavePastDue => mark_past_due(ctx, rules, bill)?,
        DunningEnd::MarkUnpaid => {
            if let Some(subscription) = &mut bill.subscription
                && !subscription.status.is_terminal()
            {
                subscription.status = Status::Unpaid;
                subscription.updated_at = ctx.now;
                subscription.due_at = next_due(subscription, rules)?;
            }
        }
        DunningEnd::Cancel => {
            if let Some(subscription) = &mut bill.subscription
                && !subscription.status.is_terminal()
            {
                end_now(ctx, subscription, &[], ctx.now, changes)?;
                subscription.updated_at = ctx.now;
                subscription.due_at = None;
            }
            write_off(ctx, payer, &mut bill.invoice, changes)?;
        }
    }
    Ok(())
}
