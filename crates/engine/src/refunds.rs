//! Giving money back.

use crate::at::At;
use crate::bills;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::full::FullPayment;
use crate::latest::Latest;
use crate::load::{self, CustomerState};
use billing::id::{Id, PaymentId, RefundId};
use billing::invoice::in_context::InvoiceInContext;
use billing::payment::refund::{RefundInContext, RefundOutcome, Taken, conclude_refund, request_refund};
use billing::payment::{Credit, Payment, Refund, RefundStatus};
use billing::timestamp::Timestamp;
use gateway::RefundRequest;
use store::Snapshot;

impl Engine {
    /// Refunds an automatic payment, in whole or in part (`amount` in minor units); returns the payment too.
    ///
    /// # Errors
    /// If there is no such payment, it cannot be refunded, or less is left of it.
    pub fn refund(
        &self,
        at: At,
        id: PaymentId,
        amount: Option<i64>,
        reason: Option<String>,
    ) -> Fut<'_, (Refund, FullPayment)> {
        Box::pin(async move {
            let environment = at.environment;
            let decided = self.decide(
                at.clone(),
                move |s| Box::pin(load_refundable(s, environment, id)),
                move |ctx, CustomerState { payer, found, .. }, changes| {
                    let Refundable { payment, taken } = found;
                    let refund =
                        request_refund(ctx, &payer, &payment, taken, amount, reason.clone(), changes)?;
                    Ok((refund, id))
                },
            );
            let refund = decided.await?;
            let refund = self.give_back(&at.follow_up(), &refund).await?;
            Ok((refund, self.full_payment(environment, id).await?))
        })
    }

    /// Asks the gateway for a committed refund and writes down what it said.
    pub(crate) async fn give_back(&self, at: &At, refund: &Refund) -> Result<Refund, Error> {
        let (environment, id) = (at.environment, refund.id);
        let state = self.read(move |s| Box::pin(load_refund(s, environment, id))).await?;
        let request = RefundRequest {
            refund: id,
            charge: state.found.payment.gateway_reference.clone().unwrap_or_default(),
            amount: billing::money::Money::new(refund.amount, refund.currency),
        };
        let outcome = match self.gateway.refund(&request).await {
            Ok(outcome) => outcome,
            Err(silence) => {
                tracing::warn!(refund = format_args!("{:032x}", id.raw()), %silence, "no answer from the gateway");
                return Ok(refund.clone());
            }
        };
        self.conclude_refund(at.clone(), id, outcome).await
    }

    fn conclude_refund(&self, at: At, id: RefundId, outcome: RefundOutcome) -> Fut<'_, Refund> {
        let environment = at.environment;
        self.decide_if_needed(
            at,
            move |s| Box::pin(load_refund(s, environment, id)),
            move |now, CustomerState { payer, found, .. }, changes| {
                let Refunding { refund, payment, credit, bill } = found;
                // Another process may have asked, and written the answer down.
                if refund.status != RefundStatus::Processing {
                    return Ok((refund, id));
                }
                let mut ctx = self.ctx(now);
                let refunding = RefundInContext {
                    refund: &refund,
                    payment: &payment,
                    credit: credit.as_ref(),
                    bill: bill.as_ref(),
                };
                let after = conclude_refund(&mut ctx, &payer, refunding, &outcome, changes)?;
                Ok((after, id))
            },
        )
    }
}

/// A payment, and what can no longer be given back of it.
struct Refundable {
    payment: Payment,
    taken: Taken,
}

impl Latest for Refundable {
    fn latest(&self) -> Option<Timestamp> {
        self.payment.latest()
    }
}

/// A refund with what its outcome moves.
struct Refunding {
    refund: Refund,
    payment: Payment,
    credit: Option<Credit>,
    bill: Option<InvoiceInContext>,
}

impl Latest for Refunding {
    fn latest(&self) -> Option<Timestamp> {
        self.refund.latest().max(self.payment.latest()).max(self.credit.latest()).max(self.bill.latest())
    }
}

async fn load_refundable(
    s: &mut Snapshot,
    environment: i64,
    id: PaymentId,
) -> Result<CustomerState<Refundable>, Error> {
    let payment = store::payments::one(s, environment, id).await?.ok_or_else(|| Error::not_found(id))?;
    let state = load::customer(s, environment, payment.customer_id).await?;
    let refunds = store::payments::refunds_of(s, id).await?;
    let pending = refunds
        .iter()
        .filter(|refund| refund.status == RefundStatus::Processing)
        .map(|refund| refund.amount)
        .sum();
    let spent = match store::payments::credit_of(s, id).await? {
        Some((_, uses)) => uses.iter().map(|allocation| allocation.amount).sum(),
        None => 0,
    };
    Ok(state.with(Refundable { payment, taken: Taken { pending, spent } }))
}

async fn load_refund(
    s: &mut Snapshot,
    environment: i64,
    id: RefundId,
) -> Result<CustomerState<Refunding>, Error> {
    let refund = store::payments::refund(s, id).await?.ok_or_else(|| Error::not_found(id))?;
    let payment = store::payments::one(s, environment, refund.payment_id)
        .await?
        .ok_or_else(|| Error::not_found(refund.payment_id))?;
    let state = load::customer(s, environment, refund.customer_id).await?;
    let bill = match payment.invoice_id {
        Some(_) => Some(bills::of_payment(s, environment, &payment).await?),
        None => None,
    };
    let credit = store::payments::credit_of(s, payment.id).await?.map(|(credit, _)| credit);
    Ok(state.with(Refunding { refund, payment, credit, bill }))
}
