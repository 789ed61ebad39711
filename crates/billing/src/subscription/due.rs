//! When something of a subscription falls due, and the ends of its periods that move that.
//!
//! Owns `due_at`, the one instant by which a subscription is found again: every decision sets it anew by
//! [`next_due`]. What happens then is decided in `step`.

use crate::changes::Changes;
use crate::id::Ctx;
use crate::invoice::OpenInvoice;
use crate::invoice::void::void;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::subscription::{PeriodEnd, Status, Subscription};
use crate::timestamp::Timestamp;

/// When something of the subscription falls due; none when nothing ever will.
///
/// # Errors
/// If a date is out of range.
pub fn next_due(subscription: &Subscription, rules: &Rules) -> Result<Option<Timestamp>, Refusal> {
    let environment = &rules.environment;
    let end = match subscription.status {
        Status::IncompleteExpired | Status::Canceled | Status::Completed => return Ok(None),
        Status::Unpaid => return Ok(subscription.cancel_scheduled_at),
        Status::Incomplete => {
            let patience = environment.due_days.saturating_add(environment.grace_days);
            let expiry = subscription.created_at.plus_days(patience)?;
            return Ok(Some(subscription.cancel_scheduled_at.map_or(expiry, |at| at.min(expiry))));
        }
        Status::Trialing | Status::Active | Status::PastDue => subscription.period.end,
    };
    if let Some(at) = subscription.cancel_scheduled_at {
        return Ok(Some(at.min(end)));
    }
    let remaining = environment.remind_at_percent_remaining.clamp(0, 100);
    if remaining == 0 || subscription.reminded_at.is_some() || subscription.periods_left == Some(0) {
        return Ok(Some(end));
    }
    let length = end.micros().saturating_sub(subscription.period.start.micros());
    Ok(Some(end.plus_micros(-(length / 100 * remaining))?))
}

/// Makes the current period end at an instant, from which the periods after it are counted.
pub(crate) fn move_end(ctx: &Ctx, subscription: &mut Subscription, end: Timestamp, changes: &mut Changes) {
    end_period(ctx, subscription, end, changes);
    subscription.anchor = end;
    // The next period is number 0 of the new count; a paid period before it has a negative number.
    subscription.period_index = -1;
    // What was announced was another end.
    subscription.reminded_at = None;
    subscription.updated_at = ctx.now;
}

/// Makes the current period end at an instant.
pub(crate) fn end_period(ctx: &Ctx, subscription: &mut Subscription, end: Timestamp, changes: &mut Changes) {
    let before = PeriodEnd::of(subscription);
    changes.update(before, PeriodEnd { period_end: end, updated_at: ctx.now, ..before });
    subscription.period.end = end;
}

/// Gives up a subscription whose first payment never came.
pub(crate) fn expire(
    ctx: &mut Ctx,
    subscription: &mut Subscription,
    open_invoices: &[OpenInvoice],
    changes: &mut Changes,
) -> Result<(), Refusal> {
    subscription.status = Status::IncompleteExpired;
    subscription.ended_at = Some(ctx.now);
    let end = ctx.now.min(subscription.period.end);
    end_period(ctx, subscription, end, changes);
    for open in open_invoices.iter().filter(|open| open.invoice.settled == 0) {
        void(ctx, open, changes)?;
    }
    Ok(())
}
