//! How a request says which customer it means.

use crate::error::Error;
use crate::kind::Kind;
use crate::views::payments::{CustomerName, find_customer};
use billing::id::CustomerId;
use store::Snapshot;

/// Which customer is meant. Whoever decides about it finds it on the snapshot that is decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerRef {
    /// The one of an id.
    Id(CustomerId),
    /// The one of the merchant's own id.
    ExternalId(String),
    /// The one of the merchant's own id, or of ours in a shorter spelling.
    Spelled(CustomerName),
}

impl CustomerRef {
    /// Its id, if it was named by one; then nobody has looked whether there is such a customer.
    ///
    /// # Errors
    /// If nobody has the name.
    pub(crate) async fn find(&self, s: &mut Snapshot, environment: i64) -> Result<CustomerId, Error> {
        match self {
            Self::Id(id) => Ok(*id),
            Self::ExternalId(name) => store::customers::named(s, environment, "external_id", name)
                .await?
                .ok_or_else(|| Error::none_named(Kind::Customer, name)),
            Self::Spelled(name) => find_customer(s, environment, name)
                .await?
                .ok_or_else(|| Error::none_named(Kind::Customer, &name.external_id)),
        }
    }
}

impl From<CustomerId> for CustomerRef {
    fn from(id: CustomerId) -> Self {
        Self::Id(id)
    }
}

impl From<CustomerName> for CustomerRef {
    fn from(name: CustomerName) -> Self {
        Self::Spelled(name)
    }
}
