//! Requests: what a client asks of the engine's public API.

use billing::customer::edit::NewPaymentMethod;
use billing::customer::{CustomerEdit, PaymentMethodKind};
use billing::id::{CustomerId, Id, InvoiceId, PaymentId, PaymentMethodId, Request, SubscriptionId};
use billing::payment::manual::{ManualPaymentEdit, NewManualPayment};
use billing::subscription::cancel::CancelAt;
use billing::timestamp::Timestamp;
use engine::{Adjust, At, Engine, Error, NewLine, Subscribe, SubscribeItem};

/// Something that is asked of the engine.
#[derive(Debug, Clone)]
pub enum Ask {
    /// A new customer.
    Customer(CustomerEdit),
    /// Something new to charge a customer with, and whether it is the default.
    Method(CustomerId, &'static str, bool),
    /// Another default payment method.
    DefaultMethod(PaymentMethodId),
    /// A subscription.
    Subscribe(CustomerId, Subscribe),
    /// Other items.
    Adjust(SubscriptionId, Adjust),
    /// A cancellation.
    Cancel(SubscriptionId, CancelAt),
    /// No cancellation after all.
    Uncancel(SubscriptionId),
    /// Another end of the current period.
    MoveRenewal(SubscriptionId, Timestamp),
    /// A sale, with the code of a discount.
    Sell(CustomerId, SubscribeItem, Option<String>),
    /// An invoice, and whether it is charged.
    Bill(CustomerId, Vec<NewLine>, bool),
    /// An invoice to withdraw.
    Void(InvoiceId),
    /// A manual payment to write down.
    Record(CustomerId, NewManualPayment),
    /// A manual payment to change.
    Edit(PaymentId, ManualPaymentEdit),
    /// A manual payment to take back.
    Delete(PaymentId),
    /// A payment to give back, in whole or in part.
    Refund(PaymentId, Option<i64>),
    /// An invoice to charge once more.
    Retry(InvoiceId),
}

impl Ask {
    /// Asks it; the answer is the raw id of what was made or changed.
    ///
    /// # Errors
    /// Whatever the engine answers.
    pub async fn of(
        &self,
        engine: &Engine,
        now: Timestamp,
        environment: i64,
        request: Request,
    ) -> Result<u128, Error> {
        let at = At::new(now, environment).answering(request);
        Ok(match self.clone() {
            Self::Customer(new) => engine.create_customer(at, new).await?.id.raw(),
            Self::Method(customer, token, is_default) => {
                let new = method(token, is_default);
                engine.create_payment_method(at, customer, new).await?.id.raw()
            }
            Self::DefaultMethod(id) => engine.set_default_payment_method(at, id).await?.id.raw(),
            Self::Subscribe(customer, new) => {
                engine.subscribe(at, customer, new).await?.subscription.id.raw()
            }
            Self::Adjust(id, adjust) => engine.adjust(at, id, adjust).await?.subscription.id.raw(),
            Self::Cancel(id, when) => engine.cancel(at, id, when).await?.subscription.id.raw(),
            Self::Uncancel(id) => engine.uncancel(at, id).await?.subscription.id.raw(),
            Self::MoveRenewal(id, end) => engine.reschedule_renewal(at, id, end).await?.id.raw(),
            Self::Sell(customer, item, code) => {
                engine.sell(at, customer, item, None, None, code).await?.0.id.raw()
            }
            Self::Bill(customer, lines, charge) => {
                engine.issue_invoice(at, customer, lines, None, charge).await?.full.invoice.id.raw()
            }
            Self::Void(id) => engine.void_invoice(at, id).await?.full.invoice.id.raw(),
            Self::Record(customer, new) => engine.record_payment(at, customer, new).await?.payment.id.raw(),
            Self::Edit(id, edit) => engine.edit_payment(at, id, edit).await?.payment.id.raw(),
            Self::Delete(id) => {
                engine.delete_payment(at, id).await?;
                id.raw()
            }
            Self::Refund(id, amount) => {
                engine.refund(at, id, amount, None).await?;
                id.raw()
            }
            Self::Retry(id) => {
                engine.retry_payment(at, id).await?;
                id.raw()
            }
        })
    }
}

fn method(token: &str, is_default: bool) -> NewPaymentMethod {
    NewPaymentMethod {
        kind: PaymentMethodKind::Card,
        token: token.to_owned(),
        is_default,
        billing_details: "{}".to_owned(),
        data: "{}".to_owned(),
        metadata: None,
    }
}
