//! Answers that several faces give alike.

use crate::body::{Body, JSON};
use http::{Response, StatusCode, header};

/// What is said when the database does not answer.
pub(crate) const NOT_NOW: &str = "The books cannot be reached at the moment; try again in a few seconds";

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
