//! What is answered to a write.

use crate::body::{Body, JSON};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Response, StatusCode};

/// The header that tells a repeated answer from the first one.
pub const REPLAYED: &str = "idempotency-replayed";

/// What was answered to a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// JSON; empty for a status without content.
    pub body: Bytes,
    /// Whether it may be kept: one that holds a secret may not, it is made again.
    pub may_be_kept: bool,
}

impl Answer {
    /// JSON with a status.
    pub fn json(status: StatusCode, body: String) -> Self {
        Self { status, body: Bytes::from(body), may_be_kept: true }
    }

    /// Nothing but 204.
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Bytes::new(), may_be_kept: true }
    }

    /// JSON that holds a secret.
    pub fn secret(status: StatusCode, body: String) -> Self {
        Self { may_be_kept: false, ..Self::json(status, body) }
    }
}

/// An answer, and whether it had been given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// Whether the request had had its effect before.
    pub is_replayed: bool,
}

impl Answered {
    /// It as HTTP says it.
    pub fn into_response(self) -> Response<Body> {
        let Answer { status, body, .. } = self.answer;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        if !body.is_empty() {
            *response.body_mut() = Body::from(body);
            response.headers_mut().insert(CONTENT_TYPE, JSON);
        }
        if self.is_replayed {
            response
                .headers_mut()
                .insert(HeaderName::from_static(REPLAYED), HeaderValue::from_static("true"));
        }
        response
    }
}
