//! Letting a subscription run again when nothing is owed of it any more.
//!
//! Owns the way back to active, and that time in which it was not renewed is not billed afterwards.

use crate::changes::Changes;
use crate::id::Ctx;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::subscription::due::{move_end, next_due};
use crate::subscription::{Status, Subscription};

/// Makes a subscription active of which nothing is owed any more, if it was waiting for that.
///
/// Time in which it was not renewed is not billed afterwards: the period that ended while it waited
/// stretches to now, and the next one begins now. Periods that were over when it was made are billed.
///
/// # Errors
/// If a date is out of range.
pub(crate) fn reactivate(
    ctx: &Ctx,
    rules: &Rules,
    subscription: &mut Subscription,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    match subscription.status {
        Status::PastDue => {}
        Status::Incomplete | Status::Unpaid => {
            let was_over = subscription.status == Status::Incomplete
                && subscription.period.end <= subscription.created_at;
            if !was_over && subscription.period.end < ctx.now && subscription.periods_left != Some(0) {
                move_end(ctx, subscription, ctx.now, changes);
            }
        }
        Status::IncompleteExpired
        | Status::Trialing
        | Status::Active
        | Status::Canceled
        | Status::Completed => return Ok(()),
    }
    subscription.status = Status::Active;
    subscription.updated_at = ctx.now;
    subscription.due_at = next_due(subscription, rules)?;
    Ok(())
}
