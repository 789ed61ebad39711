//! Finishing everything that is due: "due and not yet done" is what is selected, so that after any
//! outage nothing is lost, and a second run finds nothing.

use crate::charging::{Intent, bill_of, conclude_one};
use crate::{Engine, Error};
use billing::payment::{Asking, try_again};
use billing::subscription::{Due, NewItem, PendingItem, Status, renew, setup_fees};
use billing::{Bill, Changes, CustomerId, Payer, Payment, Rules, Subscription, SubscriptionId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use store::Snapshot;

/// How many subscriptions or invoices are decided and committed together.
pub(crate) const BATCH: i64 = 500;

/// After how many seconds of silence the gateway is asked again.
pub(crate) const PATIENCE_SECONDS: i64 = 60;

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
    pub async fn run_due(&self, environment: i64, now: Timestamp) -> Result<Done, Error> {
        let _one_at_a_time = self.running.lock().await;
        self.run_due_unlocked(environment, now).await
    }

    pub(crate) async fn run_due_unlocked(&self, environment: i64, now: Timestamp) -> Result<Done, Error> {
        let mut done = Done { recovered: self.recover(environment, now).await?, ..Done::default() };
        let mut refused = BTreeSet::new();
        loop {
            let round = Done {
                subscription_steps: self.step_subscriptions(environment, now, &mut refused).await?,
                retries: self.retry_invoices(environment, now).await?,
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
        let silent = after.plus_seconds(-PATIENCE_SECONDS).map_err(billing::Refusal::from)?;
        self.store
            .read(move |s| {
                Box::pin(async move {
                    let waiting = [
                        store::payments::oldest_processing(s, environment, 0, silent).await?,
                        store::payments::oldest_processing_refund(s, environment, 0, silent).await?,
                    ];
                    let mut due = vec![
                        store::subscriptions::next_due(s, environment, 0, after).await?,
                        store::invoices::next_due(s, environment, 0, after).await?,
                    ];
                    for since in waiting.into_iter().flatten() {
                        due.push(Some(since.plus_seconds(PATIENCE_SECONDS).map_err(billing::Refusal::from)?));
                    }
                    Ok(due.into_iter().flatten().min())
                })
            })
            .await
    }

    /// Takes one step of every subscription of which something is due; returns how many.
    ///
    /// A subscription whose step is refused (an amount beyond what the books can hold) is reported and
    /// passed over for this run; it never keeps the others from being billed.
    async fn step_subscriptions(
        &self,
        environment: i64,
        now: Timestamp,
        refused: &mut BTreeSet<SubscriptionId>,
    ) -> Result<u64, Error> {
        let mut size = BATCH;
        loop {
            let passed_over = refused.clone();
            let (rules, batch) = self
                .store
                .read(move |s| {
                    Box::pin(async move { load_due(s, environment, now, size, &passed_over).await })
                })
                .await?;
            if batch.dues.is_empty() {
                return Ok(0);
            }
            let steps = batch.dues.len() as u64;
            let first = batch.dues[0].subscription.id;
            match self.step_batch(now, &rules, batch).await {
                Ok(()) => return Ok(steps),
                Err(Step::Refused(id, refusal)) => {
                    tracing::error!(subscription = ?id, %refusal, "a due subscription cannot be stepped");
                    refused.insert(id);
                }
                // Somebody was faster with one of the customers, or one row cannot be: take fewer at a time.
                Err(Step::Failed(error)) if error.is_of_one() && size > 1 => size = (size / 8).max(1),
                Err(Step::Failed(error)) if error.is_of_one() => {
                    tracing::error!(subscription = ?first, %error, "a due subscription cannot be stepped");
                    refused.insert(first);
                }
                Err(Step::Failed(error)) => return Err(error),
            }
        }
    }

    async fn step_batch(&self, now: Timestamp, rules: &Rules, batch: DueBatch) -> Result<(), Step> {
        let DueBatch { dues, mut payers } = batch;
        let mut ctx = self.ctx(now);
        let decided_on = payers.values().map(|payer| (payer.id(), payer.version)).collect();
        let mut changes = Changes { decided_on, ..Changes::default() };
        let mut started: Vec<(Payment, Bill)> = Vec::new();
        for due in dues {
            let customer = due.subscription.customer_id;
            let payer = payers.get_mut(&customer).ok_or_else(|| Error::not_found("customer", ""))?;
            let id = due.subscription.id;
            let step = renew(&mut ctx, rules, payer, due, &mut changes)
                .map_err(|refusal| Step::Refused(id, refusal))?;
            if let (Some(payment), Some(invoice)) = (step.payment, step.invoice) {
                let subscription = Some(step.subscription);
                started.push((payment, Bill { invoice, subscription, purchase: None, owes_more: false }));
            }
        }
        let committed = self.store.commit(changes).await.map_err(Error::from)?;
        let mut numbered: BTreeMap<_, _> =
            committed.invoices.into_iter().map(|invoice| (invoice.id, invoice)).collect();
        for payer in payers.values_mut() {
            payer.version += 1;
        }
        for (_, bill) in &mut started {
            if let Some(invoice) = numbered.remove(&bill.invoice.id) {
                bill.invoice = invoice;
            }
        }
        Ok(self.charge_batch(now, rules, payers, started).await?)
    }

    /// Asks the gateway for payments that were committed together, and writes the answers together.
    async fn charge_batch(
        &self,
        now: Timestamp,
        rules: &Rules,
        mut payers: BTreeMap<CustomerId, Payer>,
        started: Vec<(Payment, Bill)>,
    ) -> Result<(), Error> {
        let environment = rules.environment.number;
        let mut changes = Changes::default();
        let mut answered = Vec::new();
        for (payment, mut bill) in started {
            let Some(payer) = payers.get(&payment.customer_id).cloned() else { continue };
            let revives = bill.subscription.as_ref().is_some_and(|subscription| {
                matches!(subscription.status, Status::Incomplete | Status::PastDue | Status::Unpaid)
            });
            if revives {
                bill = self.fresh_bill(environment, bill).await?;
            }
            let mut intent = Intent { payment, payer, bill };
            let Some(outcome) = self.ask(&intent).await else { continue };
            let decided = changes.rows.len();
            if let Err(error) = conclude_one(self, now, rules, &mut intent, &outcome, &mut changes) {
                // It stays in doubt, and keeps none of the others from being written down.
                tracing::error!(payment = ?intent.payment.id, %error, "an answer cannot be written down");
                changes.rows.truncate(decided);
                continue;
            }
            let customer = intent.payer.id();
            if !changes.decided_on.iter().any(|(decided, _)| *decided == customer) {
                changes.decided_on.push((customer, intent.payer.version));
            }
            answered.push((intent.payment, outcome));
            payers.insert(customer, intent.payer);
        }
        match self.store.commit(changes).await {
            Ok(_) => Ok(()),
            Err(store::Error::Conflict) => {
                for (payment, outcome) in answered {
                    self.conclude_afresh(now, environment, &payment, &outcome).await?;
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn fresh_bill(&self, environment: i64, bill: Bill) -> Result<Bill, Error> {
        let invoice = bill.invoice;
        self.store.read(move |s| Box::pin(async move { bill_of(s, environment, invoice).await })).await
    }

    /// Makes the attempts that the dunning policy has planned; returns how many.
    async fn retry_invoices(&self, environment: i64, now: Timestamp) -> Result<u64, Error> {
        let due = self
            .store
            .read(move |s| {
                Box::pin(
                    async move { Ok::<_, Error>(store::invoices::due(s, environment, 0, now, BATCH).await?) },
                )
            })
            .await?;
        let mut retries = 0;
        for invoice in due {
            match self.retry(now, environment, invoice.id, Asking::Policy, None).await {
                Ok((_, is_made)) => retries += u64::from(is_made),
                Err(error) if error.is_of_one() => {
                    tracing::error!(invoice = ?invoice.id, %error, "a due payment cannot be tried again");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(retries)
    }

    /// Makes another attempt at an invoice. The policy's attempt is made only while it is due.
    pub(crate) async fn retry(
        &self,
        now: Timestamp,
        environment: i64,
        id: billing::InvoiceId,
        asking: Asking,
        request: Option<billing::Request>,
    ) -> Result<(Option<Payment>, bool), Error> {
        let started = crate::deciding(async || {
            let (rules, mut payer, bill, in_flight) = self
                .store
                .read(move |s| Box::pin(async move { load_retry(s, environment, id).await }))
                .await?;
            let is_due = bill.invoice.next_attempt_at.is_some_and(|at| at <= now);
            if asking == Asking::Policy && (!is_due || in_flight) {
                return Ok(None);
            }
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let mut changes = payer.changes();
            changes.answers(&ctx, id);
            let payment = try_again(&mut ctx, &rules, &mut payer, &bill, in_flight, asking, &mut changes)?;
            self.store.commit(changes).await?;
            Ok(Some(payment))
        })
        .await?;
        match started {
            None => Ok((None, false)),
            Some(None) => Ok((None, true)),
            Some(Some(payment)) => Ok((Some(self.charge(now, environment, &payment).await?), true)),
        }
    }
}

async fn load_retry(
    s: &mut Snapshot,
    environment: i64,
    id: billing::InvoiceId,
) -> Result<(Rules, Payer, Bill, bool), Error> {
    let invoice =
        store::invoices::one(s, environment, id).await?.ok_or_else(|| Error::not_found("invoice", ""))?;
    let (rules, payer) = crate::load(s, environment, invoice.customer_id).await?;
    let in_flight = store::payments::in_flight(s, id).await?;
    let bill = bill_of(s, environment, invoice).await?;
    Ok((rules, payer, bill, in_flight))
}

/// Why a batch was not committed.
enum Step {
    /// One of the subscriptions cannot take its step.
    Refused(SubscriptionId, billing::Refusal),
    /// The store or the gateway failed.
    Failed(Error),
}

impl From<Error> for Step {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Subscriptions of which something is due, with their customers.
pub(crate) struct DueBatch {
    dues: Vec<Due>,
    payers: BTreeMap<CustomerId, Payer>,
}

async fn load_due(
    s: &mut Snapshot,
    environment: i64,
    now: Timestamp,
    size: i64,
    passed_over: &BTreeSet<SubscriptionId>,
) -> Result<(Rules, DueBatch), Error> {
    let rules = crate::rules(s, environment).await?;
    let size = size.saturating_add(i64::try_from(passed_over.len()).unwrap_or(i64::MAX));
    let mut subscriptions = store::subscriptions::due(s, environment, 0, now, size).await?;
    subscriptions.retain(|subscription| !passed_over.contains(&subscription.id));
    let ids: Vec<_> = subscriptions.iter().map(|subscription| subscription.id).collect();
    let mut customers: Vec<_> = subscriptions.iter().map(|subscription| subscription.customer_id).collect();
    customers.sort_unstable();
    customers.dedup();
    let payers: BTreeMap<_, _> = store::payers::load(s, environment, &customers)
        .await?
        .into_iter()
        .map(|payer| (payer.id(), payer))
        .collect();
    let items = store::subscriptions::items(s, &ids).await?;
    let mut dues = Vec::with_capacity(subscriptions.len());
    for (subscription, items) in subscriptions.into_iter().zip(items) {
        dues.push(load_one_due(s, environment, now, subscription, items).await?);
    }
    Ok((rules, DueBatch { dues, payers }))
}

/// What a due subscription needs beside its items: most need nothing.
async fn load_one_due(
    s: &mut Snapshot,
    environment: i64,
    now: Timestamp,
    subscription: Subscription,
    items: Vec<billing::Item>,
) -> Result<Due, Error> {
    let mut due =
        Due { subscription, items, discount: None, setup_fees: Vec::new(), open_invoices: Vec::new() };
    let subscription = &due.subscription;
    if let Some(id) = subscription.discount_id.filter(|_| subscription.discount_payments_left != Some(0)) {
        due.discount = store::subscriptions::discount(s, environment, id).await?;
    }
    if subscription.status == Status::Trialing {
        let mut offers = Vec::with_capacity(due.items.len());
        for item in due.items.iter().filter(|item| item.pending != Some(PendingItem::Remove)) {
            if let Some((price, product)) = store::subscriptions::offer(s, environment, item.price_id).await?
            {
                offers.push(NewItem { price, product, quantity: item.quantity });
            }
        }
        due.setup_fees = setup_fees(&offers);
    }
    let ends = subscription.cancel_scheduled_at.is_some_and(|at| at <= now);
    if ends || subscription.status == Status::Incomplete {
        let (customer, id) = (subscription.customer_id, subscription.id);
        due.open_invoices = store::invoices::open_of_subscription(s, customer, id).await?;
    }
    Ok(due)
}
