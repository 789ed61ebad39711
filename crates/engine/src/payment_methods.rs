//! What customers can be charged with.

use crate::at::At;
use crate::customer_ref::CustomerRef;
use crate::decide::Basis;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::latest::Latest;
use billing::changes::{Changes, Version};
use billing::customer::PaymentMethod;
use billing::customer::edit::{NewPaymentMethod, new_payment_method};
use billing::id::{CustomerId, PaymentMethodId};
use billing::refusal::{Field, Refusal};
use billing::timestamp::Timestamp;
use store::Snapshot;

/// A customer's payment methods.
struct Methods {
    customer: CustomerId,
    version: Version,
    methods: Vec<PaymentMethod>,
}

impl Latest for Methods {
    fn latest(&self) -> Option<Timestamp> {
        self.methods.latest()
    }
}

impl Basis for Methods {
    fn changes(&self) -> Changes {
        Changes::of(self.customer, self.version)
    }
}

impl Engine {
    /// Gives a customer something to be charged with. The same token again gives what it gave before.
    ///
    /// # Errors
    /// If there is no such customer, the gateway does not know the token, or the token stands for
    /// something else already.
    pub fn create_payment_method(
        &self,
        at: At,
        customer: impl Into<CustomerRef>,
        new: NewPaymentMethod,
    ) -> Fut<'_, PaymentMethod> {
        let (environment, customer) = (at.environment, customer.into());
        self.decide(
            at,
            move |s| {
                Box::pin(async move {
                    let customer = customer.find(s, environment).await?;
                    load_methods(s, environment, customer).await
                })
            },
            move |ctx, Methods { customer, methods: known, .. }, changes| {
                let mut method = new_payment_method(ctx, environment, customer, &new)?;
                if !self.gateway.accepts(&new.token) {
                    return Err(
                        Refusal::invalid(Field::Token, "a token that the payment gateway knows").into()
                    );
                }
                if let Some(same) = known.iter().find(|known| known.token == new.token) {
                    let is_same = same.kind == new.kind
                        && same.billing_details == new.billing_details
                        && same.metadata == new.metadata;
                    return if is_same {
                        Ok((same.clone(), same.id))
                    } else {
                        Err(Error::Taken { field: "token" })
                    };
                }
                method.is_default = method.is_default || known.is_empty();
                changes.insert(method.clone());
                if method.is_default {
                    demote(&known, method.id, ctx.now, changes);
                }
                Ok((method.clone(), method.id))
            },
        )
    }

    /// Makes a payment method the one that is charged when nothing else is said.
    ///
    /// # Errors
    /// If there is no such payment method.
    pub fn set_default_payment_method(&self, at: At, id: PaymentMethodId) -> Fut<'_, PaymentMethod> {
        let environment = at.environment;
        self.decide(
            at,
            move |s| {
                Box::pin(async move {
                    let customer = one(s, environment, id).await?.customer_id;
                    load_methods(s, environment, customer).await
                })
            },
            move |ctx, Methods { methods: known, .. }, changes| {
                let before = known.iter().find(|method| method.id == id);
                let before = before.ok_or_else(|| Error::not_found(id))?;
                let mut after = before.clone();
                if !before.is_default {
                    demote(&known, id, ctx.now, changes);
                    after.is_default = true;
                    after.updated_at = ctx.now;
                    changes.update(before.clone(), after.clone());
                }
                Ok((after, id))
            },
        )
    }

    /// A payment method.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn payment_method(&self, environment: i64, id: PaymentMethodId) -> Fut<'_, PaymentMethod> {
        self.read(move |s| Box::pin(one(s, environment, id)))
    }
}

async fn one(s: &mut Snapshot, environment: i64, id: PaymentMethodId) -> Result<PaymentMethod, Error> {
    store::customers::payment_method(s, environment, id).await?.ok_or_else(|| Error::not_found(id))
}

/// The payment methods of a customer.
async fn load_methods(s: &mut Snapshot, environment: i64, customer: CustomerId) -> Result<Methods, Error> {
    let found = store::customers::by_id(s, environment, customer).await?;
    let (_, version) = found.ok_or_else(|| Error::not_found(customer))?;
    let methods = store::customers::payment_methods(s, customer).await?;
    Ok(Methods { customer, version, methods })
}

/// Makes all but one no longer the default.
fn demote(known: &[PaymentMethod], except: PaymentMethodId, now: Timestamp, changes: &mut Changes) {
    for before in known.iter().filter(|method| method.is_default && method.id != except) {
        let after = PaymentMethod { is_default: false, updated_at: now, ..before.clone() };
        changes.update(before.clone(), after);
    }
}
