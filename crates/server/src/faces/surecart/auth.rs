//! Who may ask: an API key with the scope `periods`.

use super::error::Error;
use crate::app::App;
use crate::auth::{self, Refused, Who};
use axum::extract::FromRequestParts;
use billing::KeyScope;
use http::request::Parts;

/// A program that follows billing periods.
pub struct Account {
    /// The number of the environment.
    pub environment: i64,
}

impl FromRequestParts<App> for Account {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let token = auth::token(&parts.headers, &["bearer"])?;
        let principal = app.who(token).await?;
        match &principal.who {
            Who::Key { .. } if principal.has_scope(KeyScope::Periods) => {
                Ok(Self { environment: principal.environment })
            }
            Who::Key { .. } => Err(Error::forbidden()),
            Who::CustomerUser { .. } | Who::Staff { .. } => Err(Refused::Unknown.into()),
        }
    }
}
