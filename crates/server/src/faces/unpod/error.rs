//! Failures in Unpod's envelope: `{"status_code":404,"message":"…"}`.

use crate::auth::refused::{Malformed, Refused};
use crate::body::Body;
use crate::faces::reply::{NOT_NOW, json};
use crate::json::object;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use std::borrow::Cow;

/// A failure.
#[derive(Debug)]
pub struct Error {
    status: StatusCode,
    message: Cow<'static, str>,
}

impl Error {
    /// The request cannot be: says which field and what would be right.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    /// Nobody is known by that handle.
    pub fn no_organization() -> Self {
        Self { status: StatusCode::NOT_FOUND, message: "Organization not found.".into() }
    }

    /// Who asks is not one of the organization.
    pub fn not_a_member() -> Self {
        Self { status: StatusCode::FORBIDDEN, message: "Forbidden - Invalid organization handle.".into() }
    }
}

/// A failure that has no more to say than its status.
pub fn plain(status: StatusCode) -> Response<Body> {
    let message = match status {
        StatusCode::NOT_FOUND => "Not found.",
        status => status.canonical_reason().unwrap_or("Error"),
    };
    Error { status, message: message.into() }.into_response()
}

impl IntoResponse for Error {
    fn into_response(self) -> Response<Body> {
        let body = object(|o| {
            o.put("status_code", i64::from(self.status.as_u16())).put("message", self.message);
        });
        let mut response = json(self.status, body);
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("JWT realm=\"api\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        let unauthorized =
            |message: &'static str| Self { status: StatusCode::UNAUTHORIZED, message: message.into() };
        match refused {
            Refused::Missing | Refused::Malformed(Malformed::Scheme) => {
                unauthorized("Authentication credentials were not provided.")
            }
            Refused::Malformed(Malformed::NoToken) => {
                unauthorized("Invalid Authorization header. No credentials provided.")
            }
            Refused::Malformed(Malformed::Spaces) => {
                unauthorized("Invalid Authorization header. Credentials string should not contain spaces.")
            }
            Refused::Malformed(Malformed::Unreadable) => unauthorized("Invalid token."),
            Refused::Unknown | Refused::Revoked => unauthorized("Invalid or expired token."),
            Refused::Gone => unauthorized("User not found."),
            Refused::Expired => Self { status: StatusCode::FORBIDDEN, message: "Token has expired.".into() },
            Refused::Store(error) => error.into(),
        }
    }
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        let status = match &error {
            engine::Error::Refused(_) => StatusCode::BAD_REQUEST,
            engine::Error::NotFound(..) => return Self::no_organization(),
            engine::Error::Taken { .. } => StatusCode::CONFLICT,
            engine::Error::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            engine::Error::Busy => StatusCode::SERVICE_UNAVAILABLE,
            engine::Error::Store(error) => return error.clone().into(),
        };
        Self { status, message: error.to_string().into() }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        tracing::error!(%error, "unpod");
        if error.passes() {
            return Self { status: StatusCode::SERVICE_UNAVAILABLE, message: NOT_NOW.into() };
        }
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, message: "Internal server error.".into() }
    }
}
