//! All that a customer has and owes, on one snapshot.

use crate::{Engine, Error};
use billing::CustomerId;
use store::billing_view::BillingView;

impl Engine {
    /// The customer of the merchant's own id, without reading more of it.
    ///
    /// # Errors
    /// If there is none.
    pub async fn customer_id(&self, environment: i64, external_id: &str) -> Result<CustomerId, Error> {
        let name = external_id.to_owned();
        self.store()
            .read(move |s| {
                Box::pin(async move { store::customers::named(s, environment, "external_id", &name).await })
            })
            .await?
            .ok_or_else(|| Error::not_found("customer", external_id))
    }

    /// Everything of a customer; none if there is none of this id in the environment.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn billing_view(&self, environment: i64, id: CustomerId) -> Result<Option<BillingView>, Error> {
        Ok(self.store().read(move |s| Box::pin(BillingView::of_id(s, environment, id))).await?)
    }
}
