//! What customers can be charged with.

use crate::{Engine, Error};
use billing::customer::{NewPaymentMethod, new_payment_method};
use billing::refusal::Field;
use billing::{Change, Changes, CustomerId, PaymentMethod, PaymentMethodId, Refusal, Request, Timestamp};

impl Engine {
    /// Gives a customer something to be charged with. The same token again gives what it gave before.
    ///
    /// # Errors
    /// If there is no such customer, the gateway does not know the token, or the token stands for
    /// something else already.
    pub async fn create_payment_method(
        &self,
        now: Timestamp,
        environment: i64,
        customer: CustomerId,
        new: NewPaymentMethod,
        request: Option<Request>,
    ) -> Result<PaymentMethod, Error> {
        self.deciding(environment, async || {
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let mut method = new_payment_method(&mut ctx, environment, customer, &new)?;
            if !self.gateway().accepts(&new.token) {
                return Err(Refusal::invalid(Field::Token, "a token that the payment gateway knows").into());
            }
            let (version, known) = self.load_methods(environment, customer).await?;
            let mut changes = Changes::of(customer, version);
            if let Some(same) = known.iter().find(|known| known.token == new.token) {
                let is_same = same.kind == new.kind
                    && same.billing_details == new.billing_details
                    && same.metadata == new.metadata;
                if !is_same {
                    return Err(Error::Taken { field: "token" });
                }
                changes.answers(&ctx, same.id);
                self.store().commit(changes).await?;
                return Ok(same.clone());
            }
            method.is_default = method.is_default || known.is_empty();
            changes.push(Change::InsertPaymentMethod(method.clone()));
            if method.is_default {
                demote(&known, method.id, now, &mut changes);
            }
            changes.answers(&ctx, method.id);
            self.store().commit(changes).await?;
            Ok(method)
        })
        .await
    }

    /// Makes a payment method the one that is charged when nothing else is said.
    ///
    /// # Errors
    /// If there is no such payment method.
    pub async fn set_default_payment_method(
        &self,
        now: Timestamp,
        environment: i64,
        id: PaymentMethodId,
        request: Option<Request>,
    ) -> Result<PaymentMethod, Error> {
        self.deciding(environment, async || {
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let customer = self.payment_method(environment, id).await?.customer_id;
            let (version, known) = self.load_methods(environment, customer).await?;
            let Some(method) = known.iter().find(|method| method.id == id) else {
                return Err(Error::not_found("payment method", ""));
            };
            let mut changes = Changes::of(customer, version);
            let mut after = method.clone();
            if !method.is_default {
                demote(&known, id, now, &mut changes);
                after.is_default = true;
                after.updated_at = now;
                changes.push(Change::UpdatePaymentMethod(after.clone()));
            }
            changes.answers(&ctx, id);
            self.store().commit(changes).await?;
            Ok(after)
        })
        .await
    }

    /// A payment method.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub async fn payment_method(
        &self,
        environment: i64,
        id: PaymentMethodId,
    ) -> Result<PaymentMethod, Error> {
        self.store()
            .read(move |s| {
                Box::pin(async move { store::customers::payment_method(s, environment, id).await })
            })
            .await?
            .ok_or_else(|| Error::not_found("payment method", ""))
    }

    async fn load_methods(
        &self,
        environment: i64,
        customer: CustomerId,
    ) -> Result<(billing::Version, Vec<PaymentMethod>), Error> {
        self.store()
            .read(move |s| {
                Box::pin(async move {
                    let (_, version) = store::customers::by_id(s, environment, customer)
                        .await?
                        .ok_or_else(|| Error::not_found("customer", ""))?;
                    Ok((version, store::customers::payment_methods(s, customer).await?))
                })
            })
            .await
    }
}

/// Makes all but one no longer the default.
fn demote(known: &[PaymentMethod], except: PaymentMethodId, now: Timestamp, changes: &mut Changes) {
    for method in known.iter().filter(|method| method.is_default && method.id != except) {
        let after = PaymentMethod { is_default: false, updated_at: now, ..method.clone() };
        changes.push(Change::UpdatePaymentMethod(after));
    }
}
