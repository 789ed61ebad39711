//! Who may ask: the token of a customer's person.

use super::error::Error;
use crate::app::App;
use crate::auth::header;
use crate::auth::principal::PrincipalKind;
use crate::auth::refused::Refused;
use axum::extract::FromRequestParts;
use billing::id::CustomerId;
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
        let token = header::token(&parts.headers, &["bearer"])?;
        let principal = app.authenticate(token).await?;
        match principal.kind {
            PrincipalKind::CustomerUser { customer, .. } => {
                Ok(Self { environment: principal.environment, customer })
            }
            PrincipalKind::Staff { .. } => Err(Error::forbidden("The token is not one of a customer's user")),
            PrincipalKind::Key { .. } => Err(Refused::Unknown.into()),
        }
    }
}
