//! All that a customer has and owes, on one snapshot.

use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::kind::Kind;
use billing::id::CustomerId;
use store::billing_view::BillingView;

impl Engine {
    /// The customer of the merchant's own id, without reading more of it.
    ///
    /// # Errors
    /// If there is none.
    pub fn customer_id(&self, environment: i64, external_id: &str) -> Fut<'_, CustomerId> {
        let name = external_id.to_owned();
        self.read(move |s| {
            Box::pin(async move {
                let found = store::customers::named(s, environment, "external_id", &name).await?;
                found.ok_or_else(|| Error::none_named(Kind::Customer, name))
            })
        })
    }

    /// Everything of a customer; none if there is none of this id in the environment.
    ///
    /// # Errors
    /// If the store fails.
    pub fn billing_view(&self, environment: i64, id: CustomerId) -> Fut<'_, Option<BillingView>> {
        self.read(move |s| Box::pin(async move { Ok(BillingView::of_id(s, environment, id).await?) }))
    }
}
