//! Canceling a subscription now, when its period ends or at a date, and taking that back.
//!
//! Owns the end before time. What was billed stays billed and owed, but is no longer collected by itself.
//! `at` may lie before `ctx.now` when the end fell due earlier; what is written is of `ctx.now`.

use crate::changes::Changes;
use crate::id::Ctx;
use crate::invoice::OpenInvoice;
use crate::invoice::void::void;
use crate::refusal::{Field, Refusal};
use crate::rules::Rules;
use crate::subscription::due::{end_period, next_due};
use crate::subscription::{Status, Subscription};
use crate::timestamp::Timestamp;

/// When a subscription is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAt {
    /// Now.
    Now,
    /// When the current period ends.
    PeriodEnd,
    /// At an instant after now.
    Date(Timestamp),
}

/// Cancels a subscription. One that has ended already stays as it is.
///
/// # Errors
/// If the date is not after now.
pub fn cancel(
    ctx: &mut Ctx,
    rules: &Rules,
    subscription: &Subscription,
    open_invoices: &[OpenInvoice],
    at: CancelAt,
    changes: &mut Changes,
) -> Result<Subscription, Refusal> {
    let (before, mut subscription) = (subscription.clone(), subscription.clone());
    if subscription.status.is_terminal() {
        return Ok(subscription);
    }
    subscription.updated_at = ctx.now;
    match at {
        CancelAt::Now => end_now(ctx, &mut subscription, open_invoices, ctx.now, changes)?,
        // What never became active has no period to wait for.
        CancelAt::PeriodEnd if subscription.status == Status::Incomplete => {
            end_now(ctx, &mut subscription, open_invoices, ctx.now, changes)?;
        }
        CancelAt::PeriodEnd => subscription.cancel_scheduled_at = Some(subscription.period.end),
        CancelAt::Date(date) if date <= ctx.now => {
            return Err(Refusal::invalid(Field::CancelDate, "an instant after now"));
        }
        CancelAt::Date(date) => subscription.cancel_scheduled_at = Some(date),
    }
    subscription.due_at = next_due(&subscription, rules)?;
    changes.update(before, subscription.clone());
    Ok(subscription)
}

/// Takes back a cancellation that has not happened yet. Without one nothing changes.
///
/// # Errors
/// If the subscription has ended.
pub fn uncancel(
    ctx: &mut Ctx,
    rules: &Rules,
    subscription: &Subscription,
    changes: &mut Changes,
) -> Result<Subscription, Refusal> {
    if subscription.status.is_terminal() {
        return Err(Refusal::State("the subscription has ended".into()));
    }
    let (before, mut subscription) = (subscription.clone(), subscription.clone());
    if subscription.cancel_scheduled_at.take().is_some() {
        subscription.updated_at = ctx.now;
        subscription.due_at = next_due(&subscription, rules)?;
        changes.update(before, subscription.clone());
    }
    Ok(subscription)
}

/// Ends a subscription as of an instant. What it owes stays owed, but is no longer collected by itself;
/// what it owes for a first period that never became active is withdrawn.
pub(crate) fn end_now(
    ctx: &mut Ctx,
    subscription: &mut Subscription,
    open_invoices: &[OpenInvoice],
    at: Timestamp,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    let was_incomplete = subscription.status == Status::Incomplete;
    subscription.status = Status::Canceled;
    subscription.canceled_at = Some(at);
    subscription.ended_at = Some(at);
    if at < subscription.period.end {
        let end = at.max(subscription.period.start);
        end_period(ctx, subscription, end, changes);
    }
    for open in open_invoices {
        if was_incomplete && open.invoice.settled == 0 {
            void(ctx, open, changes)?;
        } else if open.invoice.next_attempt_at.is_some() {
            let mut invoice = open.invoice.clone();
            invoice.next_attempt_at = None;
            invoice.updated_at = ctx.now;
            changes.update(open.invoice.clone(), invoice);
        }
    }
    Ok(())
}
