//! Who may ask: an API key with the scope `periods`.

use super::error::Error;
use crate::app::App;
use crate::auth::header;
use crate::auth::principal::PrincipalKind;
use crate::auth::refused::Refused;
use axum::extract::FromRequestParts;
use billing::credential::KeyScope;
use billing::id::CredentialId;
use http::request::Parts;

/// A program that follows billing periods.
pub struct Account {
    /// The number of the environment.
    pub environment: i64,
    /// The key that it shows.
    pub key: CredentialId,
}

impl FromRequestParts<App> for Account {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let token = header::token(&parts.headers, &["bearer"])?;
        let principal = app.authenticate(token).await?;
        match &principal.kind {
            PrincipalKind::Key { .. } if principal.has_scope(KeyScope::Periods) => {
                Ok(Self { environment: principal.environment, key: principal.credential })
            }
            PrincipalKind::Key { .. } => Err(Error::forbidden()),
            PrincipalKind::CustomerUser { .. } | PrincipalKind::Staff { .. } => Err(Refused::Unknown.into()),
        }
    }
}
