//! Failures in AppExperts' envelope: `{"code":401,"message":"…"}`.

use crate::auth::refused::Refused;
use crate::body::Body;
use crate::faces::reply::{NOT_NOW, json};
use crate::idempotency::error::RequestError;
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

    /// Who asks may not.
    pub fn forbidden(message: &'static str) -> Self {
        Self { status: StatusCode::FORBIDDEN, message: message.into() }
    }
}

/// A failure that has no more to say than its status.
pub fn plain(status: StatusCode) -> Response<Body> {
    let message = status.canonical_reason().unwrap_or("Error").into();
    Error { status, message }.into_response()
}

impl IntoResponse for Error {
    fn into_response(self) -> Response<Body> {
        let body = object(|o| {
            o.put("code", i64::from(self.status.as_u16())).put("message", self.message);
        });
        let mut response = json(self.status, body);
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        let message = match refused {
            Refused::Missing => "JWT Token not found",
            Refused::Expired => "Expired JWT Token",
            Refused::Malformed(_) | Refused::Unknown | Refused::Revoked | Refused::Gone => {
                "Invalid JWT Token"
            }
            Refused::Store(error) => return error.into(),
        };
        Self { status: StatusCode::UNAUTHORIZED, message: message.into() }
    }
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        let status = match &error {
            engine::Error::Refused(_) => StatusCode::BAD_REQUEST,
            engine::Error::NotFound(..) => StatusCode::NOT_FOUND,
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
        tracing::error!(%error, "appexperts");
        if error.passes() {
            return Self { status: StatusCode::SERVICE_UNAVAILABLE, message: NOT_NOW.into() };
        }
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, message: "Internal Server Error".into() }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        let status = match &error {
            RequestError::BadKey | RequestError::BrokenOff => StatusCode::BAD_REQUEST,
            RequestError::OtherRequest | RequestError::StillRunning => StatusCode::CONFLICT,
            RequestError::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            RequestError::Store(error) => return error.clone().into(),
        };
        Self { status, message: error.to_string().into() }
    }
}
