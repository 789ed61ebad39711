//! Finishing everything that is due: "due and not yet done" is what is selected, so that after any
//! outage nothing is lost, and a second run finds nothing.

use crate::at::At;
use crate::bills;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::latest::Latest;
use crate::load::{self, CustomerState};
use crate::work::{BATCH, Holds, PATIENCE_SECONDS, Work};
use billing::id::{InvoiceId, PeriodId};
use billing::invoice::in_context::InvoiceInContext;
use billing::payment::Payment;
use billing::payment::collect::{Initiator, try_again};
use billing::refusal::Refusal;
use billing::timestamp::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::Snapshot;
use tokio::task::JoinSet;

/// What a run has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Steps of subscriptions: renewals, trial ends, cancellations, reminders.
    pub subscription_steps: u64,
    /// Attempts at invoices that were due again.
    pub retries: u64,
    /// Payments and refunds whose answer had been lost.
    pub recovered: u64,
}

impl Done {
    /// Whether nothing was due.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.subscription_steps += other.subscription_steps;
        self.retries += other.retries;
        self.recovered += other.recovered;
    }
}

impl Engine {
    /// Finishes everything of an environment that is due by now. Idempotent.
    ///
    /// # Errors
    /// If the store fails. What was done until then stays done.
    pub fn run_due(&self, environment: i64, now: Timestamp) -> Fut<'_, Done> {
        self.run_due_in(environment, now, self.all_shards(), Arc::new(|_| true))
    }

    /// As [`Engine::run_due`], in some shards, each for as long as it is held: other processes have the others.
    ///
    /// # Errors
    /// If the store fails. What was done until then stays done.
    pub fn run_due_in(
        &self,
        environment: i64,
        now: Timestamp,
        shards: Vec<i64>,
        holds: Holds,
    ) -> Fut<'_, Done> {
        Box::pin(async move {
            let turn = self.running.of(environment);
            let _one_at_a_time = turn.lock().await;
            self.run_shards(environment, now, shards, holds).await
        })
    }

    pub(crate) async fn run_due_unlocked(&self, environment: i64, now: Timestamp) -> Result<Done, Error> {
        self.run_shards(environment, now, self.all_shards(), Arc::new(|_| true)).await
    }

    fn all_shards(&self) -> Vec<i64> {
        (0..self.store.shards()).collect()
    }

    async fn run_shards(
        &self,
        environment: i64,
        now: Timestamp,
        shards: Vec<i64>,
        holds: Holds,
    ) -> Result<Done, Error> {
        let mut done = Done::default();
        let silent = now.plus_seconds(-PATIENCE_SECONDS).map_err(billing::refusal::Refusal::from)?;
        let busy = self.store.read(move |s| {
            Box::pin(
                async move { store::subscriptions::busy_shards(s, environment, &shards, now, silent).await },
            )
        });
        let busy = busy.await.map_err(Error::from)?;
        let work = |shard| Work { environment, shard, now, holds: Arc::clone(&holds) };
        if let [shard] = busy[..] {
            return self.run_shard(work(shard)).await;
        }
        let mut waiting = busy.into_iter();
        let mut running = JoinSet::new();
        // One that fails ends the run; those that are under way come to an end of their own.
        let mut failed = None;
        loop {
            while failed.is_none()
                && running.len() < self.shards_at_once
                && let Some(shard) = waiting.find(|shard| holds(*shard))
            {
                let (engine, work) = (self.clone(), work(shard));
                running.spawn(async move { engine.run_shard(work).await });
            }
            match running.join_next().await {
                Some(Ok(Ok(part))) => done.add(part),
                Some(Ok(Err(error))) => failed = Some(error),
                Some(Err(_)) => failed = Some(store::Error::Panicked.into()),
                None => return failed.map_or(Ok(done), Err),
            }
        }
    }

    async fn run_shard(&self, work: Work) -> Result<Done, Error> {
        let mut done = Done { recovered: self.resolve_in_doubt(&work).await?, ..Done::default() };
        let (mut refused, mut stuck) = (BTreeSet::new(), BTreeSet::new());
        loop {
            let round = Done {
                subscription_steps: self.step_subscriptions(&work, &mut refused).await?,
                retries: self.retry_invoices(&work, &mut stuck).await?,
                recovered: 0,
            };
            if round.is_nothing() {
                return Ok(done);
            }
            done.add(round);
        }
    }

    /// When the next thing of an environment falls due after an instant; none if nothing ever will.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn next_due(
        &self,
        environment: i64,
        after: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let silent = after.plus_seconds(-PATIENCE_SECONDS).map_err(billing::refusal::Refusal::from)?;
        self.store
            .read(move |s| {
                s.dedicated();
                Box::pin(async move {
                    let mut due = Vec::new();
                    for shard in 0..s.shards() {
                        let waiting = [
                            store::payments::oldest_processing(s, environment, shard, silent).await?,
                            store::payments::oldest_processing_refund(s, environment, shard, silent).await?,
                        ];
                        due.push(store::subscriptions::next_due(s, environment, shard, after).await?);
                        due.push(store::invoices::next_due(s, environment, shard, after).await?);
                        for since in waiting.into_iter().flatten() {
                            let again = since
                                .plus_seconds(PATIENCE_SECONDS)
                                .map_err(billing::refusal::Refusal::from)?;
                            due.push(Some(again));
                        }
                    }
                    Ok(due.into_iter().flatten().min())
                })
            })
            .await
    }

    /// Makes the attempts that the dunning policy has planned; returns how many. An invoice at which none
    /// can be made is passed over for this run; however many of them there are, the others are tried.
    async fn retry_invoices(&self, work: &Work, stuck: &mut BTreeSet<InvoiceId>) -> Result<u64, Error> {
        let Work { environment, shard, now, .. } = *work;
        let mut retries = 0;
        loop {
            let most = BATCH.saturating_add(i64::try_from(stuck.len()).unwrap_or(i64::MAX));
            let mut due = self
                .store
                .read(move |s| {
                    s.dedicated();
                    Box::pin(store::invoices::due(s, environment, shard, now, most))
                })
                .await
                .map_err(Error::from)?;
            due.retain(|invoice| !stuck.contains(&invoice.id));
            if due.is_empty() {
                return Ok(retries);
            }
            for invoice in due {
                if !work.is_held() {
                    return Ok(retries);
                }
                match self
                    .retry(At::new(now, environment), Owed::Invoice(invoice.id), Initiator::Dunning)
                    .await
                {
                    Ok((_, true)) => retries += 1,
                    Ok((_, false)) => drop(stuck.insert(invoice.id)),
                    Err(error) if error.is_of_one() => {
                        tracing::error!(invoice = ?invoice.id, %error, "a due payment cannot be tried again");
                        stuck.insert(invoice.id);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// Makes another attempt at an invoice. The policy's attempt is made only while it is due.
    pub(crate) async fn retry(
        &self,
        at: At,
        owed: Owed,
        initiator: Initiator,
    ) -> Result<(Option<Payment>, bool), Error> {
        let environment = at.environment;
        let started = self.decide_if_needed(
            at.clone(),
            move |s| Box::pin(load_retry(s, environment, owed)),
            move |now, CustomerState { rules, mut payer, found: Retry { bill, in_flight } }, changes| {
                let id = bill.invoice.id;
                let is_due = bill.invoice.next_attempt_at.is_some_and(|at| at <= now);
                if initiator == Initiator::Dunning && (!is_due || in_flight) {
                    return Ok((None, id));
                }
                let mut ctx = self.ctx(now);
                let payment = try_again(&mut ctx, &rules, &mut payer, &bill, in_flight, initiator, changes)?;
                Ok((Some(payment), id))
            },
        );
        match started.await? {
            None => Ok((None, false)),
            Some(None) => Ok((None, true)),
            Some(Some(payment)) => Ok((Some(self.charge(&at.follow_up(), &payment).await?), true)),
        }
    }
}

/// What is owed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Owed {
    /// An invoice.
    Invoice(InvoiceId),
    /// The invoice of a period.
    Period(PeriodId),
}

/// An invoice of which a payment is asked for once more.
struct Retry {
    bill: InvoiceInContext,
    in_flight: bool,
}

impl Latest for Retry {
    fn latest(&self) -> Option<Timestamp> {
        self.bill.latest()
    }
}

async fn load_retry(s: &mut Snapshot, environment: i64, owed: Owed) -> Result<CustomerState<Retry>, Error> {
    let id = match owed {
        Owed::Invoice(id) => id,
        Owed::Period(id) => {
            let period = store::views::periods::one(s, environment, id).await?;
            let period = period.ok_or_else(|| Error::not_found(id))?.period;
            period.invoice_id.ok_or_else(|| Refusal::State("nothing is owed for the period".into()))?
        }
    };
    let invoice = store::invoices::one(s, environment, id).await?.ok_or_else(|| Error::not_found(id))?;
    let state = load::customer(s, environment, invoice.customer_id).await?;
    let in_flight = store::payments::in_flight(s, id).await?;
    let bill = bills::of_invoice(s, environment, invoice).await?;
    Ok(state.with(Retry { bill, in_flight }))
}
