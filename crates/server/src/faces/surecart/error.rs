//! Failures in SureCart's envelope.

use crate::auth::refused::Refused;
use crate::body::Body;
use crate::faces::reply::{NOT_NOW, json, still_running};
use crate::idempotency::error::RequestError;
use crate::json::object;
use axum::response::{IntoResponse, Response};
use billing::refusal::{Field, Refusal};
use http::{HeaderValue, StatusCode, header};
use std::borrow::Cow;

/// A failure.
#[derive(Debug)]
pub struct Error {
    status: StatusCode,
    /// The last part of the code: `not_found` of `period.not_found`.
    kind: &'static str,
    code: Cow<'static, str>,
    message: Cow<'static, str>,
    /// The attribute that is wrong, if one is.
    attribute: Option<&'static str>,
    /// What else is wrong.
    others: Vec<Error>,
}

impl Error {
    /// An attribute or parameter cannot be.
    pub fn invalid(
        attribute: &'static str,
        kind: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            kind,
            code: format!("period.{attribute}.{kind}").into(),
            message: message.into(),
            attribute: Some(attribute),
            others: Vec::new(),
        }
    }

    /// The same, with what else is wrong.
    pub fn and(mut self, others: impl IntoIterator<Item = Self>) -> Self {
        self.others.extend(others);
        self
    }

    /// What is asked cannot be done in the state that things are in.
    pub fn state(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            kind: "invalid",
            code: "period.invalid".into(),
            message: message.into(),
            attribute: None,
            others: Vec::new(),
        }
    }

    /// Something that the request must hold is not there.
    pub fn missing(parameter: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "blank",
            code: format!("{parameter}.blank").into(),
            message: format!("The required parameter '{parameter}' is missing").into(),
            attribute: None,
            others: Vec::new(),
        }
    }

    /// The body is not JSON.
    pub fn not_json() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "invalid",
            code: "request.body.invalid".into(),
            message: "The request body is not valid JSON".into(),
            attribute: None,
            others: Vec::new(),
        }
    }

    /// There is no such period in these books.
    pub fn no_period(id: &str) -> Self {
        let id: String = id.chars().take(100).collect();
        Self {
            status: StatusCode::NOT_FOUND,
            kind: "not_found",
            code: "period.not_found".into(),
            message: format!("Unable to find period with id='{id}'").into(),
            attribute: None,
            others: Vec::new(),
        }
    }

    /// The key does not open periods.
    pub fn forbidden() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            kind: "forbidden",
            code: "forbidden".into(),
            message: "The API token does not have the periods scope".into(),
            attribute: None,
            others: Vec::new(),
        }
    }

    fn unauthorized() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            kind: "unauthorized",
            code: "unauthorized".into(),
            message: "Invalid API token provided".into(),
            attribute: None,
            others: Vec::new(),
        }
    }

    fn of_status(status: StatusCode, message: Cow<'static, str>) -> Self {
        let kind = symbol(status);
        Self { status, kind, code: kind.into(), message, attribute: None, others: Vec::new() }
    }
}

/// A failure that has no more to say than its status.
pub fn plain(status: StatusCode) -> Response<Body> {
    Error::of_status(status, status.canonical_reason().unwrap_or("Error").into()).into_response()
}

/// The name that Rails has for a status.
fn symbol(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "bad_request",
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::CONFLICT => "conflict",
        StatusCode::PAYLOAD_TOO_LARGE => "payload_too_large",
        StatusCode::UNPROCESSABLE_ENTITY => "unprocessable_entity",
        StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
        StatusCode::SERVICE_UNAVAILABLE => "service_unavailable",
        _ => "internal_server_error",
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response<Body> {
        let body = object(|o| {
            o.put("http_status", symbol(self.status)).put("type", self.kind);
            o.put("code", &self.code).put("message", &self.message);
            o.array("validation_errors", |list| {
                for error in std::iter::once(&self).chain(&self.others) {
                    let Some(attribute) = error.attribute else { continue };
                    list.object(|o| {
                        o.put("attribute", attribute).put("type", error.kind).put("code", &error.code);
                        o.object("options", |_| {}).put("message", &error.message);
                    });
                }
            });
        });
        let mut response = json(self.status, body);
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::CONFLICT { still_running(response) } else { response }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Store(error) => error.into(),
            _ => Self::unauthorized(),
        }
    }
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        match error {
            engine::Error::Refused(Refusal::Invalid { field: Field::PeriodEnd, problem }) => {
                let kind = "greater_than_or_equal_to";
                Self::invalid("end_at", kind, format!("End at must be {problem}"))
            }
            engine::Error::Refused(refusal) => Self::state(refusal.to_string()),
            engine::Error::NotFound(_, name) => Self::no_period(&name.to_string()),
            engine::Error::Taken { .. } | engine::Error::KeyReused => {
                Self::of_status(StatusCode::UNPROCESSABLE_ENTITY, error.to_string().into())
            }
            engine::Error::Busy => Self::of_status(StatusCode::SERVICE_UNAVAILABLE, error.to_string().into()),
            engine::Error::Store(error) => error.into(),
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        tracing::error!(%error, "surecart");
        if error.passes() {
            return Self::of_status(StatusCode::SERVICE_UNAVAILABLE, NOT_NOW.into());
        }
        Self::of_status(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error".into())
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        let status = match &error {
            RequestError::BadKey | RequestError::BrokenOff => StatusCode::BAD_REQUEST,
            RequestError::OtherRequest => StatusCode::UNPROCESSABLE_ENTITY,
            RequestError::StillRunning => StatusCode::CONFLICT,
            RequestError::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            RequestError::Store(error) => return error.clone().into(),
        };
        Self::of_status(status, error.to_string().into())
    }
}
