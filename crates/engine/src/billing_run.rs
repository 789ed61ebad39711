//! Stepping due subscriptions in batches: load, decide, commit the intents, ask the gateway, commit what
//! it said.

use crate::at::At;
use crate::bills;
use crate::collection::{Intent, conclude_one};
use crate::engine::Engine;
use crate::error::Error;
use crate::latest::Latest;
use crate::load;
use crate::work::{BATCH, Work};
use billing::changes::Changes;
use billing::customer_account::CustomerAccount;
use billing::id::{CustomerId, PaymentId, SubscriptionId};
use billing::invoice::in_context::InvoiceInContext;
use billing::payment::Payment;
use billing::payment::collect::Outcome;
use billing::rules::Rules;
use billing::subscription::items::{NewItem, setup_fees};
use billing::subscription::step::{Due, step};
use billing::subscription::{PendingItem, Status, Subscription};
use billing::timestamp::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use store::Snapshot;

/// How many batches are planned at a time.
const BATCHES: i64 = 64;

impl Engine {
    /// Takes one step of the subscriptions that have been due the longest; returns how many.
    ///
    /// A subscription whose step is refused (an amount beyond what the books can hold) is reported and
    /// passed over for this run; it never keeps the others from being billed.
    pub(crate) async fn step_subscriptions(
        &self,
        work: &Work,
        refused: &mut BTreeSet<SubscriptionId>,
    ) -> Result<u64, Error> {
        let Work { environment, shard, now, .. } = *work;
        let mut steps = 0;
        let mut retried = BTreeSet::new();
        while steps == 0 && work.is_held() {
            let passed_over = refused.clone();
            let (rules, plan) = self
                .store
                .read(move |s| {
                    s.dedicated();
                    Box::pin(async move { plan_due(s, environment, shard, now, &passed_over).await })
                })
                .await?;
            if plan.is_empty() {
                break;
            }
            let mut plans = vec![plan];
            while let Some(plan) = plans.pop() {
                match self.step_batches(work, &rules, plan, &mut steps).await {
                    Ok(()) => {}
                    Err(Step::Refused(id, refusal)) => {
                        tracing::error!(subscription = ?id, %refusal, "a due subscription cannot be stepped");
                        refused.insert(id);
                    }
                    // Somebody was faster with one of the customers, or one row cannot be: fewer at a time.
                    Err(Step::Unwritten(batch, error)) if error.is_of_one() && batch.len() > 1 => {
                        let parts = batch.chunks(batch.len().div_ceil(8)).rev();
                        plans.extend(parts.map(|part| vec![part.to_vec()]));
                    }
                    // Alone, and others are faster all the same: once more, and then it is left for the next run.
                    Err(Step::Unwritten(batch, error)) if error.is_conflict() => {
                        if retried.insert(batch.clone()) {
                            plans.push(vec![batch]);
                        } else {
                            tracing::info!(subscription = ?batch, "others are faster with a due subscription");
                            refused.extend(batch);
                        }
                    }
                    Err(Step::Unwritten(batch, error)) if error.is_of_one() => {
                        tracing::error!(subscription = ?batch, %error, "a due subscription cannot be stepped");
                        refused.extend(batch);
                    }
                    Err(Step::Unwritten(_, error) | Step::Failed(error)) => return Err(error),
                }
            }
        }
        Ok(steps)
    }

    /// Steps batches one after another, each in three stages: it is decided, its intents are committed, and
    /// what the gateway answers to them is committed. While the intents of one are written, so are the
    /// outcomes of the one before, and the next is loaded and decided. Whatever takes ids or numbers does so
    /// in one order, so that the same seed makes the same books: a batch is decided after the answers to the
    /// one before the last were looked at, and never are two stages of the same kind under way. No customer
    /// is in two batches.
    async fn step_batches(
        &self,
        work: &Work,
        rules: &Rules,
        plan: Vec<Vec<SubscriptionId>>,
        steps: &mut u64,
    ) -> Result<(), Step> {
        let (now, environment) = (work.now, rules.environment.number);
        let mut plan = plan.into_iter().take_while(|_| work.is_held());
        let mut intents = self.decide_batch(now, rules, plan.next()).await?;
        let mut started: Option<Started> = None;
        // A failure ends the run, after what was committed before it has been charged.
        let mut failed: Option<Step> = None;
        while intents.is_some() || started.is_some() {
            let is_last = intents.is_none();
            let (written, followed) = tokio::join!(
                biased;
                self.write_intents(intents.take()),
                async {
                    let outcomes = self.conclude_batch(now, rules, started.take()).await?;
                    let upcoming = if is_last { None } else { plan.next() };
                    let (written, decided) = tokio::join!(
                        biased;
                        self.write_outcomes(now, environment, outcomes),
                        self.decide_batch(now, rules, upcoming),
                    );
                    written.map(|()| decided)
                }
            );
            match written {
                Ok(written) => started = written,
                Err(error) => failed = Some(error),
            }
            let decided = followed.unwrap_or_else(|error| Err(Step::Failed(error)));
            *steps += started.as_ref().map_or(0, |started| started.steps);
            match decided {
                Ok(decided) if failed.is_none() => intents = decided,
                Ok(_) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Loads a batch and decides a step of every subscription in it.
    async fn decide_batch(
        &self,
        now: Timestamp,
        rules: &Rules,
        batch: Option<Vec<SubscriptionId>>,
    ) -> Result<Option<Intents>, Step> {
        let Some(batch) = batch else { return Ok(None) };
        let environment = rules.environment.number;
        let due = batch.clone();
        let DueBatch { dues, mut payers } = self
            .store
            .read(move |s| {
                s.dedicated();
                Box::pin(async move { load_due(s, environment, now, &due).await })
            })
            .await?;
        let mut ctx = self.ctx(now);
        let decided_on = payers.values().map(|payer| (payer.id(), payer.version)).collect();
        let mut changes = Changes { decided_on, ..Changes::default() };
        let mut bills: Vec<(Payment, InvoiceInContext)> = Vec::with_capacity(dues.len());
        let steps = dues.len() as u64;
        for due in dues {
            let customer = due.subscription.customer_id;
            let payer = payers.get_mut(&customer).ok_or_else(|| Error::not_found(customer))?;
            let id = due.subscription.id;
            // Nothing that is due is done before what it is done to, whatever the clock says.
            ctx.now = due.latest().max(payer.latest()).map_or(now, |latest| latest.max(now));
            let step = step(&mut ctx, rules, payer, due, &mut changes)
                .map_err(|refusal| Step::Refused(id, refusal))?;
            if let (Some(payment), Some(invoice)) = (step.payment, step.invoice) {
                let subscription = Some(step.subscription);
                bills.push((
                    payment,
                    InvoiceInContext {
                        invoice,
                        subscription,
                        purchase: None,
                        has_other_open_invoices: false,
                    },
                ));
            }
        }
        Ok(Some(Intents { batch, changes, started: Started { steps, payers, bills } }))
    }

    /// Commits what was decided, and takes up the numbers that the commit gave out.
    async fn write_intents(&self, intents: Option<Intents>) -> Result<Option<Started>, Step> {
        let Some(Intents { batch, changes, mut started }) = intents else { return Ok(None) };
        let committed = match self.store.commit(changes).await {
            Ok(committed) => committed,
            Err(error) => return Err(Step::Unwritten(batch, error.into())),
        };
        let mut numbered: BTreeMap<_, _> =
            committed.invoices.into_iter().map(|invoice| (invoice.id, invoice)).collect();
        for payer in started.payers.values_mut() {
            payer.version += 1;
        }
        for (_, bill) in &mut started.bills {
            if let Some(invoice) = numbered.remove(&bill.invoice.id) {
                bill.invoice = invoice;
            }
        }
        Ok(Some(started))
    }

    /// Asks the gateway for payments that were committed together, and decides what the answers do.
    async fn conclude_batch(
        &self,
        now: Timestamp,
        rules: &Rules,
        started: Option<Started>,
    ) -> Result<Option<Outcomes>, Error> {
        let Some(Started { mut payers, bills, .. }) = started else { return Ok(None) };
        let environment = rules.environment.number;
        let mut outcomes = Outcomes::default();
        let mut moved = BTreeSet::new();
        for (payment, mut bill) in bills {
            let customer = payment.customer_id;
            let revives = bill.subscription.as_ref().is_some_and(|subscription| {
                matches!(subscription.status, Status::Incomplete | Status::PastDue | Status::Unpaid)
            });
            if revives {
                bill = self.fresh_bill(environment, bill).await?;
            }
            let Some(payer) = payers.remove(&customer) else { continue };
            let mut intent = Intent { payment, payer, bill };
            if let Some(outcome) = self.ask(&intent).await {
                let changes = &mut outcomes.changes;
                let decided = changes.rows.len();
                if let Err(error) = conclude_one(self, now, rules, &mut intent, &outcome, changes) {
                    // It stays in doubt, and keeps none of the others from being written down.
                    tracing::error!(payment = ?intent.payment.id, %error, "an answer cannot be written down");
                    changes.rows.truncate(decided);
                    continue;
                }
                if moved.insert(customer) {
                    outcomes.changes.decided_on.push((customer, intent.payer.version));
                }
                outcomes.answered.push((intent.payment.id, outcome));
            }
            payers.insert(customer, intent.payer);
        }
        Ok(Some(outcomes))
    }

    /// Commits what the gateway's answers do; one by one on fresh state if somebody was faster or one of
    /// them cannot be written.
    async fn write_outcomes(
        &self,
        now: Timestamp,
        environment: i64,
        outcomes: Option<Outcomes>,
    ) -> Result<(), Error> {
        let Some(Outcomes { changes, answered }) = outcomes else { return Ok(()) };
        match self.store.commit(changes).await.map_err(Error::from) {
            Ok(_) => {}
            Err(error) if error.is_of_one() => {
                for (id, outcome) in answered {
                    match self.conclude_afresh(At::new(now, environment), id, outcome).await {
                        Err(error) if error.is_of_one() => {
                            // It stays in doubt, and keeps none of the others from being written down.
                            tracing::error!(payment = ?id, %error, "an answer cannot be written down");
                        }
                        concluded => drop(concluded?),
                    }
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn fresh_bill(&self, environment: i64, bill: InvoiceInContext) -> Result<InvoiceInContext, Error> {
        let invoice = bill.invoice;
        self.store.read(move |s| Box::pin(bills::of_invoice(s, environment, invoice))).await
    }
}

/// Why a batch was not stepped.
enum Step {
    /// One of the subscriptions cannot take its step.
    Refused(SubscriptionId, billing::refusal::Refusal),
    /// The commit of a batch failed.
    Unwritten(Vec<SubscriptionId>, Error),
    /// The store or the gateway failed.
    Failed(Error),
}

impl From<Error> for Step {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Steps that were decided and are to be committed.
struct Intents {
    batch: Vec<SubscriptionId>,
    changes: Changes,
    started: Started,
}

/// Steps that are committed, with the payments that the gateway is to be asked for.
struct Started {
    steps: u64,
    payers: BTreeMap<CustomerId, CustomerAccount>,
    bills: Vec<(Payment, InvoiceInContext)>,
}

/// What the gateway said, and what that does.
#[derive(Default)]
struct Outcomes {
    changes: Changes,
    answered: Vec<(PaymentId, Outcome)>,
}

/// Subscriptions of which something is due, with their customers.
struct DueBatch {
    dues: Vec<Due>,
    payers: BTreeMap<CustomerId, CustomerAccount>,
}

/// Shares out what is due among batches. A customer is in one of them only, so that no batch waits
/// for another to be decided on; and neighbours are together, because their rows share pages.
async fn plan_due(
    s: &mut Snapshot,
    environment: i64,
    shard: i64,
    now: Timestamp,
    passed_over: &BTreeSet<SubscriptionId>,
) -> Result<(Rules, Vec<Vec<SubscriptionId>>), Error> {
    let rules = load::rules(s, environment).await?;
    let passed = i64::try_from(passed_over.len()).unwrap_or(i64::MAX);
    let most = BATCH.saturating_mul(BATCHES).saturating_add(passed);
    let mut due = store::subscriptions::due(s, environment, shard, now, most).await?;
    due.retain(|(id, _)| !passed_over.contains(id));
    due.sort_by_key(|(_, customer)| *customer);
    let mut plan: Vec<Vec<SubscriptionId>> = Vec::new();
    for neighbours in due.chunk_by(|a, b| a.1 == b.1) {
        if plan.last().is_none_or(|batch| batch.len() as i64 >= BATCH) {
            plan.push(Vec::new());
        }
        if let Some(batch) = plan.last_mut() {
            batch.extend(neighbours.iter().map(|(id, _)| *id));
        }
    }
    Ok((rules, plan))
}

/// Loads a batch of the plan; what is no longer due is left out.
async fn load_due(
    s: &mut Snapshot,
    environment: i64,
    now: Timestamp,
    batch: &[SubscriptionId],
) -> Result<DueBatch, Error> {
    let mut subscriptions = store::subscriptions::many(s, environment, batch).await?;
    subscriptions.retain(|subscription| subscription.due_at.is_some_and(|at| at <= now));
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
    Ok(DueBatch { dues, payers })
}

/// What a due subscription needs beside its items: most need nothing.
async fn load_one_due(
    s: &mut Snapshot,
    environment: i64,
    now: Timestamp,
    subscription: Subscription,
    items: Vec<billing::subscription::Item>,
) -> Result<Due, Error> {
    let mut due =
        Due { subscription, items, discount: None, setup_fees: Vec::new(), open_invoices: Vec::new() };
    let subscription = &due.subscription;
    if let Some(id) = subscription.discount_id.filter(|_| subscription.discount_payments_left != Some(0)) {
        due.discount = store::discounts::one(s, environment, id).await?;
    }
    if subscription.status == Status::Trialing {
        let mut offers = Vec::with_capacity(due.items.len());
        for item in due.items.iter().filter(|item| item.pending != Some(PendingItem::Remove)) {
            if let Some((price, product)) =
                store::offers::price_with_product(s, environment, item.price_id).await?
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
