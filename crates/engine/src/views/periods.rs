//! Billing periods with how far they are collected, and what people do with them.

use crate::{Engine, Error};
use billing::{PeriodId, Refusal, Request, SubscriptionId, Timestamp};
use store::views::Sheet;
use store::views::periods::{self, Collected};

impl Engine {
    /// A page of an environment's periods, newest first, and how many there are: all, or those that are
    /// among the ids and belong to one of the subscriptions, where those are given.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn periods(
        &self,
        environment: i64,
        ids: Option<Vec<PeriodId>>,
        subscriptions: Option<Vec<SubscriptionId>>,
        sheet: Sheet,
    ) -> Result<(i64, Vec<Collected>), Error> {
        if ids.is_none() && subscriptions.is_none() {
            return Ok(self.store.read(move |s| Box::pin(periods::page(s, environment, sheet))).await?);
        }
        let found = self.store.read(move |s| {
            Box::pin(async move {
                periods::chosen(s, environment, ids.as_deref(), subscriptions.as_deref(), sheet).await
            })
        });
        Ok(found.await?)
    }

    /// A period.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub async fn period(&self, environment: i64, id: PeriodId) -> Result<Collected, Error> {
        self.store
            .read(move |s| Box::pin(periods::one(s, environment, id)))
            .await?
            .ok_or_else(|| Error::not_found("period", ""))
    }

    /// Moves the end of a period, which is the renewal of its subscription.
    ///
    /// # Errors
    /// If there is no such period, it is not the current one of a subscription that runs, or the end is
    /// not after now.
    pub async fn move_period_end(
        &self,
        now: Timestamp,
        environment: i64,
        id: PeriodId,
        end: Timestamp,
        request: Option<Request>,
    ) -> Result<(), Error> {
        let period = self.period(environment, id).await?.period;
        let subscription = self.subscription(environment, period.subscription_id).await?;
        if subscription.period_id != id {
            return Err(Refusal::State("only the current period's end can be moved".into()).into());
        }
        self.reschedule_renewal(now, environment, subscription.id, end, request).await.map(|_| ())
    }

    /// Asks once more for the payment of a period, because a person wants it.
    ///
    /// # Errors
    /// If there is no such period, nothing is owed for it, or there is nothing to charge.
    pub async fn retry_period(
        &self,
        now: Timestamp,
        environment: i64,
        id: PeriodId,
        request: Option<Request>,
    ) -> Result<(), Error> {
        let invoice = self.period(environment, id).await?.period.invoice_id;
        let invoice = invoice.ok_or_else(|| Refusal::State("nothing is owed for the period".into()))?;
        self.retry_payment(now, environment, invoice, request).await.map(|_| ())
    }
}
