//! What people do with billing periods.

use crate::at::At;
use crate::due::Owed;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::load::CustomerState;
use crate::subscriptions::{self, Loaded};
use billing::id::PeriodId;
use billing::payment::collect::Initiator;
use billing::refusal::Refusal;
use billing::subscription::change::reschedule_renewal;
use billing::timestamp::Timestamp;
use store::Snapshot;
use store::views::periods::{self, PeriodRow};

impl Engine {
    /// Moves the end of a period, which is the renewal of its subscription.
    ///
    /// # Errors
    /// If there is no such period, it is not the current one of a subscription that runs, or the end is
    /// not after now.
    pub fn move_period_end(&self, at: At, id: PeriodId, end: Timestamp) -> Fut<'_, PeriodRow> {
        let environment = at.environment;
        let decided = self.decide(
            at,
            move |s| Box::pin(load_current(s, environment, id)),
            move |ctx, CustomerState { rules, found: Loaded { subscription, .. }, .. }, changes| {
                let after = reschedule_renewal(ctx, &rules, &subscription, end, changes)?;
                Ok(((), after.id))
            },
        );
        Box::pin(async move {
            decided.await?;
            self.period(environment, id).await
        })
    }

    /// Asks once more for the payment of a period, because a person wants it.
    ///
    /// # Errors
    /// If there is no such period, nothing is owed for it, or there is nothing to charge.
    pub fn retry_period(&self, at: At, id: PeriodId) -> Fut<'_, PeriodRow> {
        Box::pin(async move {
            let environment = at.environment;
            self.retry(at, Owed::Period(id), Initiator::Person).await?;
            self.period(environment, id).await
        })
    }
}

async fn one(s: &mut Snapshot, environment: i64, id: PeriodId) -> Result<PeriodRow, Error> {
    periods::one(s, environment, id).await?.ok_or_else(|| Error::not_found(id))
}

/// The subscription of which a period is the current one.
async fn load_current(
    s: &mut Snapshot,
    environment: i64,
    id: PeriodId,
) -> Result<CustomerState<Loaded>, Error> {
    let period = one(s, environment, id).await?.period;
    let state = subscriptions::load_one(s, environment, period.subscription_id).await?;
    if state.found.subscription.period_id != id {
        return Err(Refusal::State("only the current period's end can be moved".into()).into());
    }
    Ok(state)
}
