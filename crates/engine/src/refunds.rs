//! Giving money back.

use crate::charging::load_bill;
use crate::{Engine, Error};
use billing::Id;
use billing::payment::{RefundInContext, RefundOutcome, Taken, conclude_refund, request_refund};
use billing::{
    Credit, CustomerAccount, InvoiceInContext, Payment, PaymentId, Refund, RefundId, RefundStatus, Request,
    Timestamp,
};
use gateway::RefundRequest;
use store::Snapshot;

impl Engine {
    /// Refunds an automatic payment, in whole or in part (`amount` in minor units).
    ///
    /// # Errors
    /// If there is no such payment, it cannot be refunded, or less is left of it.
    pub async fn refund(
        &self,
        now: Timestamp,
        environment: i64,
        id: PaymentId,
        amount: Option<i64>,
        reason: Option<String>,
        request: Option<Request>,
    ) -> Result<Refund, Error> {
        let refund = self
            .deciding(environment, async || {
                let (payer, payment, taken) = self
                    .store
                    .read(move |s| Box::pin(async move { load_refundable(s, environment, id).await }))
                    .await?;
                let mut ctx = self.ctx(now);
                ctx.request = request.clone();
                let mut changes = payer.changes();
                changes.answers(&ctx, id);
                let refund =
                    request_refund(&mut ctx, &payer, &payment, taken, amount, reason.clone(), &mut changes)?;
                self.store.commit(changes).await?;
                Ok(refund)
            })
            .await?;
        self.give_back(now, environment, &refund).await
    }

    /// Asks the gateway for a committed refund and writes down what it said.
    pub(crate) async fn give_back(
        &self,
        now: Timestamp,
        environment: i64,
        refund: &Refund,
    ) -> Result<Refund, Error> {
        let id = refund.id;
        let state =
            self.store.read(move |s| Box::pin(async move { load_refund(s, environment, id).await })).await?;
        let request = RefundRequest {
            refund: id,
            charge: state.payment.gateway_reference.clone().unwrap_or_default(),
            amount: billing::Money::new(refund.amount, refund.currency),
        };
        let outcome = match self.gateway.refund(&request).await {
            Ok(outcome) => outcome,
            Err(silence) => {
                tracing::warn!(refund = format_args!("{:032x}", id.raw()), %silence, "no answer from the gateway");
                return Ok(refund.clone());
            }
        };
        self.conclude_refund(now, environment, id, &outcome).await
    }

    async fn conclude_refund(
        &self,
        now: Timestamp,
        environment: i64,
        id: RefundId,
        outcome: &RefundOutcome,
    ) -> Result<Refund, Error> {
        self.deciding(environment, async || {
            let state = self
                .store
                .read(move |s| Box::pin(async move { load_refund(s, environment, id).await }))
                .await?;
            if state.refund.status != RefundStatus::Processing {
                return Ok(state.refund);
            }
            let mut ctx = self.ctx(now);
            let mut changes = state.payer.changes();
            let concluded = conclude_refund(
                &mut ctx,
                &state.payer,
                RefundInContext {
                    refund: &state.refund,
                    payment: &state.payment,
                    credit: state.credit.as_ref(),
                    bill: state.bill.as_ref(),
                },
                outcome,
                &mut changes,
            )?;
            self.store.commit(changes).await?;
            Ok(concluded)
        })
        .await
    }
}

struct Refunding {
    refund: Refund,
    payment: Payment,
    payer: CustomerAccount,
    credit: Option<Credit>,
    bill: Option<InvoiceInContext>,
}

async fn load_refundable(
    s: &mut Snapshot,
    environment: i64,
    id: PaymentId,
) -> Result<(CustomerAccount, Payment, Taken), Error> {
    let payment =
        store::payments::one(s, environment, id).await?.ok_or_else(|| Error::not_found("payment", ""))?;
    let (_, payer) = crate::load(s, environment, payment.customer_id).await?;
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
    Ok((payer, payment, Taken { pending, spent }))
}

async fn load_refund(s: &mut Snapshot, environment: i64, id: RefundId) -> Result<Refunding, Error> {
    let refund = store::payments::refund(s, id).await?.ok_or_else(|| Error::not_found("refund", ""))?;
    let payment = store::payments::one(s, environment, refund.payment_id)
        .await?
        .ok_or_else(|| Error::not_found("payment", "of the refund"))?;
    let (_, payer) = crate::load(s, environment, refund.customer_id).await?;
    let bill = match payment.invoice_id {
        Some(_) => Some(load_bill(s, environment, &payment).await?),
        None => None,
    };
    let credit = store::payments::credit_of(s, payment.id).await?.map(|(credit, _)| credit);
    Ok(Refunding { refund, payment, payer, credit, bill })
}
