//! Billing periods with how far they are collected.

use crate::engine::{Engine, Fut};
use crate::error::Error;
use billing::id::{PeriodId, SubscriptionId};
use store::views::OffsetPage;
use store::views::periods::{self, PeriodRow};

impl Engine {
    /// A page of an environment's periods, newest first, and how many there are: all, or those that are
    /// among the ids and belong to one of the subscriptions, where those are given.
    ///
    /// # Errors
    /// If the store fails.
    pub fn periods(
        &self,
        environment: i64,
        ids: Option<Vec<PeriodId>>,
        subscriptions: Option<Vec<SubscriptionId>>,
        offset_page: OffsetPage,
    ) -> Fut<'_, (i64, Vec<PeriodRow>)> {
        self.read(move |s| {
            Box::pin(async move {
                if ids.is_none() && subscriptions.is_none() {
                    return Ok(periods::page(s, environment, offset_page).await?);
                }
                let (ids, subscriptions) = (ids.as_deref(), subscriptions.as_deref());
                Ok(periods::chosen(s, environment, ids, subscriptions, offset_page).await?)
            })
        })
    }

    /// A period.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn period(&self, environment: i64, id: PeriodId) -> Fut<'_, PeriodRow> {
        self.read(move |s| {
            Box::pin(
                async move { periods::one(s, environment, id).await?.ok_or_else(|| Error::not_found(id)) },
            )
        })
    }
}
