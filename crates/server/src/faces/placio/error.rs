//! Failures in Placio's envelope, which is that of NestJS.

use crate::auth::refused::Refused;
use crate::body::Body;
use crate::faces::reply::{NOT_NOW, json, still_running};
use crate::idempotency::error::RequestError;
use crate::json::object;
use axum::response::{IntoResponse, Response};
use billing::refusal::Refusal;
use http::{HeaderValue, StatusCode, header};
use std::borrow::Cow;

/// A failure.
#[derive(Debug)]
pub enum Error {
    /// Fields or parameters cannot be: one text for each.
    Invalid(Vec<String>),
    /// Nobody is let in.
    Unauthorized,
    /// Everything else.
    Other(StatusCode, Cow<'static, str>),
}

impl Error {
    /// One field or parameter cannot be.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(vec![message.into()])
    }

    /// Who asks may not.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Other(StatusCode::FORBIDDEN, message.into())
    }

    /// There is no such payment in these books.
    pub fn no_payment() -> Self {
        Self::Other(StatusCode::NOT_FOUND, "Payment not found".into())
    }
}

/// A failure that has no more to say than its status.
pub fn plain(status: StatusCode) -> Response<Body> {
    Error::Other(status, status.canonical_reason().unwrap_or("Error").into()).into_response()
}

impl IntoResponse for Error {
    fn into_response(self) -> Response<Body> {
        match self {
            Self::Invalid(messages) => {
                let body = object(|o| {
                    o.put("statusCode", 400_i64);
                    o.array("message", |list| {
                        for message in &messages {
                            list.put(message);
                        }
                    });
                    o.put("error", "Bad Request");
                });
                json(StatusCode::BAD_REQUEST, body)
            }
            Self::Unauthorized => {
                let body = object(|o| {
                    o.put("statusCode", 401_i64).put("message", "Unauthorized");
                });
                let mut response = json(StatusCode::UNAUTHORIZED, body);
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                response
            }
            Self::Other(status, message) => {
                let reason = status.canonical_reason().unwrap_or("Error");
                let body = object(|o| {
                    o.put("message", message);
                    o.put("error", reason).put("statusCode", i64::from(status.as_u16()));
                });
                match status {
                    StatusCode::CONFLICT => still_running(json(status, body)),
                    status => json(status, body),
                }
            }
        }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Store(error) => error.into(),
            _ => Self::Unauthorized,
        }
    }
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        match error {
            engine::Error::Refused(Refusal::Invalid { field, problem }) => {
                Self::invalid(format!("{field} must be {problem}"))
            }
            engine::Error::Refused(
                refusal @ (Refusal::InvalidLine { .. }
                | Refusal::NotOfPrice { .. }
                | Refusal::PriceFixed(_)
                | Refusal::OutOfRange),
            ) => Self::invalid(refusal.to_string()),
            engine::Error::Refused(refusal @ Refusal::AutomaticPayment) => {
                Self::forbidden(refusal.to_string())
            }
            engine::Error::Refused(Refusal::State(why)) => Self::forbidden(why),
            engine::Error::NotFound(..) => Self::no_payment(),
            engine::Error::Taken { .. } | engine::Error::KeyReused => {
                Self::Other(StatusCode::UNPROCESSABLE_ENTITY, error.to_string().into())
            }
            engine::Error::Busy => Self::Other(StatusCode::SERVICE_UNAVAILABLE, error.to_string().into()),
            engine::Error::Store(error) => error.into(),
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        tracing::error!(%error, "placio");
        if error.passes() {
            return Self::Other(StatusCode::SERVICE_UNAVAILABLE, NOT_NOW.into());
        }
        Self::Other(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error".into())
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        let status = match &error {
            RequestError::BadKey | RequestError::BrokenOff => return Self::invalid(error.to_string()),
            RequestError::OtherRequest => StatusCode::UNPROCESSABLE_ENTITY,
            RequestError::StillRunning => StatusCode::CONFLICT,
            RequestError::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            RequestError::Store(error) => return error.clone().into(),
        };
        Self::Other(status, error.to_string().into())
    }
}
