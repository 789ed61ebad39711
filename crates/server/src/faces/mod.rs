//! The five contracts. A face parses, makes one call to the engine, and renders; none knows another.

pub mod appexperts;
pub mod flowglad;
pub mod placio;
pub mod surecart;
pub mod unpod;

use crate::respond::{Body, JSON};
use http::{Response, StatusCode, header};

/// Whose words an answer is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// Contract 000.
    AppExperts,
    /// Contract 001.
    Placio,
    /// Contract 002 and the merchant API.
    Flowglad,
    /// Contract 003.
    SureCart,
    /// Contract 004.
    Unpod,
    /// Everything else: plain text.
    Web,
}

impl Face {
    /// Every face, in the order of the contracts.
    pub const ALL: [Face; 6] =
        [Self::AppExperts, Self::Placio, Self::Flowglad, Self::SureCart, Self::Unpod, Self::Web];

    /// The face whose paths a path is among.
    pub fn of(path: &str) -> Self {
        let is_under = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if is_under("/api/v1/profile") {
            Self::AppExperts
        } else if is_under("/api/v1/admin") {
            Self::Placio
        } else if is_under("/api/v1") {
            Self::Flowglad
        } else if is_under("/v1") {
            Self::SureCart
        } else if is_under("/api/v2") {
            Self::Unpod
        } else {
            Self::Web
        }
    }

    /// Its name in logs and counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AppExperts => "appexperts",
            Self::Placio => "placio",
            Self::Flowglad => "flowglad",
            Self::SureCart => "surecart",
            Self::Unpod => "unpod",
            Self::Web => "web",
        }
    }

    /// A failure that has no more to say than its status: no route, no method, a panic, a time-out.
    pub fn error(self, status: StatusCode) -> Response<Body> {
        match self {
            Self::AppExperts => appexperts::error::plain(status),
            Self::Placio => placio::error::plain(status),
            Self::Flowglad => flowglad::error::plain(status),
            Self::SureCart => surecart::error::plain(status),
            Self::Unpod => unpod::error::plain(status),
            Self::Web => text(status),
        }
    }
}

/// What is said when the database does not answer.
pub(crate) const NOT_NOW: &str = "The books cannot be reached at the moment; try again in a few seconds";

fn text(status: StatusCode) -> Response<Body> {
    let words = status.canonical_reason().unwrap_or("Error");
    let mut response = Response::new(Body::from(format!("{words}\n")));
    *response.status_mut() = status;
    response
}

/// A JSON answer.
pub fn json(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// The answer while the first request with the key is not done: it may be asked again soon.
pub fn still_running(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    let name = header::HeaderName::from_static("x-should-retry");
    headers.insert(name, header::HeaderValue::from_static("true"));
    response
}

/// The answer to a write.
pub fn given(given: crate::idempotency::Given) -> Response<Body> {
    let mut response = if given.answer.body.is_empty() {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = given.answer.status;
        response
    } else {
        json(given.answer.status, given.answer.body)
    };
    if given.is_replayed {
        let name = header::HeaderName::from_static(crate::idempotency::REPLAYED);
        response.headers_mut().insert(name, header::HeaderValue::from_static("true"));
    }
    response
}
