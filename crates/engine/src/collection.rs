//! Asking the gateway, between the commit of an intent and the commit of what came of it.
//!
//! What is in doubt is asked again with the same key, so a crash anywhere here charges nothing twice.

use crate::at::At;
use crate::bills;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::latest::Latest;
use crate::load::{self, CustomerState};
use crate::work::{BATCH, PATIENCE_SECONDS, Work};
use billing::changes::Changes;
use billing::customer_account::CustomerAccount;
use billing::id::{Id, PaymentId};
use billing::invoice::in_context::InvoiceInContext;
use billing::payment::collect::{Outcome, conclude};
use billing::payment::key::key;
use billing::payment::{Payment, PaymentStatus};
use billing::rules::Rules;
use billing::timestamp::Timestamp;
use gateway::ChargeRequest;
use store::Snapshot;

/// A payment that was committed, with the state it was committed on.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) payment: Payment,
    pub(crate) payer: CustomerAccount,
    pub(crate) bill: InvoiceInContext,
}

impl Engine {
    /// Asks again for payments and refunds whose answer was lost; returns how many were answered. What
    /// stays in doubt keeps none of the others from being asked for.
    pub(crate) async fn resolve_in_doubt(&self, work: &Work) -> Result<u64, Error> {
        let Work { environment, shard, now, .. } = *work;
        let since = now.plus_seconds(-PATIENCE_SECONDS).map_err(billing::refusal::Refusal::from)?;
        let at = At::new(now, environment);
        let (mut recovered, mut last) = (0, None);
        loop {
            let page = self
                .store
                .read(move |s| {
                    s.dedicated();
                    Box::pin(store::payments::processing(s, environment, shard, since, last, BATCH))
                })
                .await
                .map_err(Error::from)?;
            for payment in &page {
                if !work.is_held() {
                    return Ok(recovered);
                }
                let concluded = self.charge(&at, payment).await;
                recovered += count(concluded.map(|after| after.status != payment.status))?;
            }
            last = page.last().map(|payment| payment.id);
            if last.is_none() {
                break;
            }
        }
        let mut last = None;
        loop {
            let page = self
                .store
                .read(move |s| {
                    s.dedicated();
                    Box::pin(store::payments::processing_refunds(s, environment, shard, since, last, BATCH))
                })
                .await
                .map_err(Error::from)?;
            for refund in &page {
                if !work.is_held() {
                    return Ok(recovered);
                }
                let concluded = self.give_back(&at, refund).await;
                recovered += count(concluded.map(|after| after.status != refund.status))?;
            }
            last = page.last().map(|refund| refund.id);
            if last.is_none() {
                return Ok(recovered);
            }
        }
    }

    /// Asks the gateway for a committed payment and writes down what it said. Silence leaves the
    /// payment processing, for the next run to ask again.
    pub(crate) async fn charge(&self, at: &At, payment: &Payment) -> Result<Payment, Error> {
        let (environment, id) = (at.environment, payment.id);
        let state = self.read(move |s| Box::pin(load_charge(s, environment, id))).await?;
        let CustomerState { rules, payer, found: Charging { payment: current, bill } } = state;
        // Another process may have asked since the payment was read.
        if current.status != PaymentStatus::Processing {
            return Ok(current);
        }
        let intent = Intent { payment: current, payer, bill };
        let Some(outcome) = self.ask(&intent).await else { return Ok(payment.clone()) };
        if let Some(concluded) = self.conclude_on(at.now, &rules, intent, &outcome).await? {
            return Ok(concluded);
        }
        self.conclude_afresh(at.clone(), id, outcome).await
    }

    /// Asks the gateway; none if it gave no answer or there is nothing left to ask about.
    pub(crate) async fn ask(&self, intent: &Intent) -> Option<Outcome> {
        let payment = &intent.payment;
        let method = payment
            .payment_method_id
            .and_then(|id| intent.payer.methods.iter().find(|method| method.id == id));
        let Some(method) = method else {
            return Some(Outcome::Declined {
                code: "no_payment_method".to_owned(),
                message: "The payment method is gone.".to_owned(),
            });
        };
        let attempt = payment.attempt.unwrap_or(1);
        let request = ChargeRequest {
            key: key(&intent.bill.invoice, attempt),
            payment: payment.id,
            amount: payment.money(),
            token: method.token.clone(),
            attempt,
        };
        tracing::debug!(
            payment = format_args!("{:032x}", payment.id.raw()),
            key = request.key,
            minor = request.amount.minor(),
            "asks the gateway"
        );
        match self.gateway.charge(&request).await {
            Ok(outcome) => Some(outcome),
            Err(silence) => {
                tracing::warn!(payment = format_args!("{:032x}", payment.id.raw()), key = request.key, %silence, "no answer from the gateway");
                None
            }
        }
    }

    /// Writes an outcome down on the state at hand; none if that has moved on.
    async fn conclude_on(
        &self,
        now: Timestamp,
        rules: &Rules,
        mut intent: Intent,
        outcome: &Outcome,
    ) -> Result<Option<Payment>, Error> {
        let mut changes = intent.payer.changes();
        let concluded = conclude_one(self, now, rules, &mut intent, outcome, &mut changes)?;
        match self.store.commit(changes).await {
            Ok(_) => Ok(Some(concluded)),
            Err(store::Error::Conflict) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes an outcome down on fresh state.
    pub(crate) fn conclude_afresh(&self, at: At, id: PaymentId, outcome: Outcome) -> Fut<'_, Payment> {
        let environment = at.environment;
        self.decide_if_needed(
            at,
            move |s| Box::pin(load_charge(s, environment, id)),
            move |now, CustomerState { rules, payer, found: Charging { payment, bill } }, changes| {
                if payment.status != PaymentStatus::Processing {
                    return Ok((payment, id));
                }
                let mut intent = Intent { payment, payer, bill };
                Ok((conclude_one(self, now, &rules, &mut intent, &outcome, changes)?, id))
            },
        )
    }
}

/// A payment with what its outcome moves.
struct Charging {
    payment: Payment,
    bill: InvoiceInContext,
}

impl Latest for Charging {
    fn latest(&self) -> Option<Timestamp> {
        self.payment.latest().max(self.bill.latest())
    }
}

/// A payment with the state that its outcome moves, all of one snapshot.
async fn load_charge(
    s: &mut Snapshot,
    environment: i64,
    id: PaymentId,
) -> Result<CustomerState<Charging>, Error> {
    let payment = store::payments::one(s, environment, id).await?.ok_or_else(|| Error::not_found(id))?;
    let state = load::customer(s, environment, payment.customer_id).await?;
    let bill = bills::of_payment(s, environment, &payment).await?;
    Ok(state.with(Charging { payment, bill }))
}

/// One, if a question was answered; an error that is of the one thing alone is reported.
fn count(outcome: Result<bool, Error>) -> Result<u64, Error> {
    match outcome {
        Ok(is_answered) => Ok(u64::from(is_answered)),
        Err(error) if error.is_of_one() => {
            tracing::error!(%error, "what is in doubt cannot be finished");
            Ok(0)
        }
        Err(error) => Err(error),
    }
}

/// Decides what an outcome does, and never before what it moves.
pub(crate) fn conclude_one(
    engine: &Engine,
    now: Timestamp,
    rules: &Rules,
    intent: &mut Intent,
    outcome: &Outcome,
    changes: &mut Changes,
) -> Result<Payment, Error> {
    let Intent { payment, payer, bill } = intent;
    let latest = payment.latest().max(payer.latest()).max(bill.latest());
    let mut ctx = engine.ctx(latest.map_or(now, |latest| latest.max(now)));
    Ok(conclude(&mut ctx, rules, payer, payment, bill, outcome, changes)?)
}
