//! Who may ask: staff whose role permits it.

use super::error::Error;
use crate::app::App;
use crate::auth::header;
use crate::auth::principal::{Principal, PrincipalKind};
use crate::auth::refused::Refused;
use axum::extract::FromRequestParts;
use billing::id::StaffId;
use http::request::Parts;

/// Staff with `payments.view`.
pub struct Viewer {
    /// The number of the environment.
    pub environment: i64,
}

/// Staff with `payments.manage`.
pub struct Manager {
    /// The number of the environment.
    pub environment: i64,
    /// Who it is.
    pub staff: StaffId,
}

impl FromRequestParts<App> for Viewer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let (environment, _) = permitted(parts, app, "payments.view").await?;
        Ok(Self { environment })
    }
}

impl FromRequestParts<App> for Manager {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let (environment, staff) = permitted(parts, app, "payments.manage").await?;
        Ok(Self { environment, staff })
    }
}

async fn permitted(parts: &Parts, app: &App, permission: &str) -> Result<(i64, StaffId), Error> {
    let token = header::token(&parts.headers, &["bearer"])?;
    let principal = app.authenticate(token).await?;
    match &*principal {
        Principal { kind: PrincipalKind::Staff { staff, .. }, environment, .. }
            if principal.may(permission) =>
        {
            Ok((*environment, *staff))
        }
        Principal { kind: PrincipalKind::Key { .. }, .. } => Err(Refused::Unknown.into()),
        _ => Err(Error::forbidden(format!("Admin does not have {permission} permission"))),
    }
}
