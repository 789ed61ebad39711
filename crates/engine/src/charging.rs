//! Asking the gateway, between the commit of an intent and the commit of what came of it.
//!
//! What is in doubt is asked again with the same key, so a crash anywhere here charges nothing twice.

use crate::due::{BATCH, PATIENCE_SECONDS, Work};
use crate::{Engine, Error};
use billing::Id;
use billing::payment::{Outcome, conclude, key};
use billing::{
    Changes, CustomerAccount, InvoiceInContext, Payment, PaymentId, PaymentStatus, Rules, Timestamp,
};
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
    pub(crate) async fn recover(&self, work: &Work) -> Result<u64, Error> {
        let Work { environment, shard, now, .. } = *work;
        let since = now.plus_seconds(-PATIENCE_SECONDS).map_err(billing::Refusal::from)?;
        let (mut recovered, mut last) = (0, None);
        loop {
            let page = self
                .store
                .read(move |s| {
                    s.apart();
                    Box::pin(store::payments::processing(s, environment, shard, since, last, BATCH))
                })
                .await
                .map_err(Error::from)?;
            for payment in &page {
                if !work.is_held() {
                    return Ok(recovered);
                }
                let concluded = self.charge(now, environment, payment).await;
                recovered += answered(concluded.map(|after| after.status != payment.status))?;
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
                    s.apart();
                    Box::pin(store::payments::processing_refunds(s, environment, shard, since, last, BATCH))
                })
                .await
                .map_err(Error::from)?;
            for refund in &page {
                if !work.is_held() {
                    return Ok(recovered);
                }
                let concluded = self.give_back(now, environment, refund).await;
                recovered += answered(concluded.map(|after| after.status != refund.status))?;
            }
            last = page.last().map(|refund| refund.id);
            if last.is_none() {
                return Ok(recovered);
            }
        }
    }

    /// Asks the gateway for a committed payment and writes down what it said. Silence leaves the
    /// payment processing, for the next run to ask again.
    pub(crate) async fn charge(
        &self,
        now: Timestamp,
        environment: i64,
        payment: &Payment,
    ) -> Result<Payment, Error> {
        let (rules, intent) = self.load_intent(environment, payment.id).await?;
        // Another process may have asked since the payment was read.
        if intent.payment.status != PaymentStatus::Processing {
            return Ok(intent.payment);
        }
        let Some(outcome) = self.ask(&intent).await else { return Ok(payment.clone()) };
        if let Some(concluded) = self.conclude_on(now, &rules, intent, &outcome).await? {
            return Ok(concluded);
        }
        self.conclude_afresh(now, environment, payment, &outcome).await
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
    pub(crate) async fn conclude_afresh(
        &self,
        now: Timestamp,
        environment: i64,
        payment: &Payment,
        outcome: &Outcome,
    ) -> Result<Payment, Error> {
        self.deciding(environment, async || {
            let (rules, mut intent) = self.load_intent(environment, payment.id).await?;
            if intent.payment.status != PaymentStatus::Processing {
                return Ok(intent.payment);
            }
            let mut changes = intent.payer.changes();
            let concluded = conclude_one(self, now, &rules, &mut intent, outcome, &mut changes)?;
            self.store.commit(changes).await?;
            Ok(concluded)
        })
        .await
    }

    /// A payment with the state that its outcome moves, all of one snapshot.
    async fn load_intent(&self, environment: i64, id: PaymentId) -> Result<(Rules, Intent), Error> {
        self.store
            .read(move |s| {
                Box::pin(async move {
                    let payment = store::payments::one(s, environment, id)
                        .await?
                        .ok_or_else(|| Error::not_found("payment", ""))?;
                    let (rules, payer) = crate::load(s, environment, payment.customer_id).await?;
                    let bill = load_bill(s, environment, &payment).await?;
                    Ok((rules, Intent { payment, payer, bill }))
                })
            })
            .await
    }
}

/// One, if a question was answered; an error that is of the one thing alone is reported.
fn answered(outcome: Result<bool, Error>) -> Result<u64, Error> {
    match outcome {
        Ok(is_answered) => Ok(u64::from(is_answered)),
        Err(error) if error.is_of_one() => {
            tracing::error!(%error, "what is in doubt cannot be finished");
            Ok(0)
        }
        Err(error) => Err(error),
    }
}

/// Decides what an outcome does.
pub(crate) fn conclude_one(
    engine: &Engine,
    now: Timestamp,
    rules: &Rules,
    intent: &mut Intent,
    outcome: &Outcome,
    changes: &mut Changes,
) -> Result<Payment, Error> {
    let mut ctx = engine.ctx(now);
    let Intent { payment, payer, bill } = intent;
    Ok(conclude(&mut ctx, rules, payer, payment, bill, outcome, changes)?)
}

/// The invoice of a payment with what hangs on it.
pub(crate) async fn load_bill(
    s: &mut Snapshot,
    environment: i64,
    payment: &Payment,
) -> Result<InvoiceInContext, Error> {
    let id = payment.invoice_id.ok_or_else(|| Error::not_found("invoice", "of a manual payment"))?;
    let invoice = store::invoices::one(s, environment, id)
        .await?
        .ok_or_else(|| Error::not_found("invoice", "of the payment"))?;
    bill_of(s, environment, invoice).await
}

/// An invoice with what hangs on it.
pub(crate) async fn bill_of(
    s: &mut Snapshot,
    environment: i64,
    invoice: billing::Invoice,
) -> Result<InvoiceInContext, Error> {
    let mut bill =
        InvoiceInContext { invoice, subscription: None, purchase: None, has_other_open_invoices: false };
    if let Some(id) = bill.invoice.subscription_id {
        bill.subscription = store::subscriptions::one(s, environment, id).await?;
        bill.has_other_open_invoices =
            store::invoices::has_other_open_invoices(s, bill.invoice.customer_id, id, bill.invoice.id)
                .await?;
    }
    if let Some(id) = bill.invoice.purchase_id {
        bill.purchase = store::invoices::purchase(s, environment, id).await?;
    }
    Ok(bill)
}
