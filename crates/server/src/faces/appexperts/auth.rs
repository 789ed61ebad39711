//! Who may ask: the token of a customer's person.

use super::error::Error;
use crate::app::App;
use crate::auth::{self, Refused, Who};
use axum::extract::FromRequestParts;
use billing::CustomerId;
use http::request::Parts;

/// A customer's person, who reads that customer's books and nothing else.
pub struct Reader {
    /// The number of the environment.
    pub environment: i64,
    /// The customer.
    pub customer: CustomerId,
}

impl FromRequestParts<App> for Reader {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let token = auth::token(&parts.headers, &["bearer"])?;
        let principal = app.who(token).await?;
        match principal.who {
            Who::CustomerUser { customer, .. } => Ok(Self { environment: principal.environment, customer }),
            Who::Staff { .. } => Err(Error::forbidden("The token is not one of a customer's user")),
            Who::Key { .. } => Err(Refused::Unknown.into()),
        }
    }
}
