//! Who may ask: a person of the organisation.

use super::error::Error;
use crate::app::App;
use crate::auth::header;
use crate::auth::principal::PrincipalKind;
use crate::auth::refused::Refused;
use axum::extract::FromRequestParts;
use billing::id::CustomerId;
use http::request::Parts;

/// A person of an organisation, which is a customer of the seller.
pub struct Member {
    /// The number of the environment.
    pub environment: i64,
    /// The organisation.
    pub customer: CustomerId,
}

impl FromRequestParts<App> for Member {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let token = header::token(&parts.headers, &["jwt", "bearer", "token"])?;
        let principal = app.authenticate(token).await?;
        match principal.kind {
            PrincipalKind::CustomerUser { customer, .. } => {
                Ok(Self { environment: principal.environment, customer })
            }
            PrincipalKind::Staff { .. } => Err(Error::not_a_member()),
            PrincipalKind::Key { .. } => Err(Refused::Unknown.into()),
        }
    }
}
