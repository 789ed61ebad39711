//! Periods: that they tile, and that they are where the schedule puts them.

use super::check::{Check, Findings};
use super::label;
use crate::error::Error;
use billing::calendar::Period;
use billing::refusal::Refusal;
use billing::subscription::Subscription;
use store::audit::Billed;

/// Each period begins where the one before it ends, the first one where the subscription does, and
/// the last one is the subscription's own.
pub(super) fn check_tiling(findings: &mut Findings, subscription: &Subscription, periods: &[Billed]) {
    let subject = || label::of_subscription(subscription);
    let mut look = findings.look(Check::Periods, subscription.environment, &subject);
    let mut at = subscription.started_at;
    for (period, _) in periods {
        let Period { start, end } = period.period;
        look.same("where a period starts", start, at)
            .holds("its periods ending after they start", start < end || subscription.status.is_terminal());
        at = end;
    }
    let last = periods.last().map(|(period, _)| (period.id, period.period));
    look.same("its period", last, Some((subscription.period_id, subscription.period)));
}

/// The periods from the anchor on follow from it; where the last one was ended early, its end does not.
pub(super) fn check_schedule(
    findings: &mut Findings,
    subscription: &Subscription,
    periods: &[Billed],
) -> Result<(), Error> {
    let schedule = subscription.schedule().map_err(Refusal::from)?;
    let subject = || label::of_subscription(subscription);
    let mut look = findings.look(Check::Schedule, subscription.environment, &subject);
    let counted: Vec<Period> = periods
        .iter()
        .map(|(period, _)| period.period)
        .filter(|period| period.start >= subscription.anchor)
        .collect();
    let mut index = -1;
    for (n, period) in counted.iter().enumerate() {
        let (next, expected) = schedule.next_nonempty(index + 1).map_err(Refusal::from)?;
        index = next;
        look.same("where a counted period starts", period.start, expected.start);
        let is_last = n + 1 == counted.len();
        if is_last && subscription.status.is_terminal() {
            look.holds("its last period not being longer than planned", period.end <= expected.end);
        } else {
            look.same("where a counted period ends", period.end, expected.end);
        }
    }
    if !subscription.status.is_terminal() || !counted.is_empty() {
        look.same("the place of its period", subscription.period_index, index);
    }
    if counted.is_empty() && !subscription.status.is_terminal() {
        look.same("where its counted periods begin", subscription.period.end, subscription.anchor);
    }
    Ok(())
}
