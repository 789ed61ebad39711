//! A gateway that takes its time, as those out in the world do.

use billing::payment::collect::Outcome;
use billing::payment::refund::RefundOutcome;
use gateway::{Answer, ChargeRequest, Gateway, RefundRequest, Sandbox};
use std::time::Duration;

/// The sandbox, each of whose answers comes after a while.
#[derive(Debug)]
pub(crate) struct Slow {
    inner: Sandbox,
    latency: Duration,
}

impl Slow {
    /// A sandbox with so much latency.
    pub(crate) fn new(latency: Duration) -> Slow {
        Slow { inner: Sandbox::default(), latency }
    }

    async fn wait(&self) {
        // The clock of the timer knows whole milliseconds only, so that no time would be one.
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
    }
}

impl Gateway for Slow {
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> Answer<'a, Outcome> {
        Box::pin(async move {
            self.wait().await;
            self.inner.charge(request).await
        })
    }

    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Answer<'a, RefundOutcome> {
        Box::pin(async move {
            self.wait().await;
            self.inner.refund(request).await
        })
    }

    fn accepts(&self, token: &str) -> bool {
        self.inner.accepts(token)
    }
}
