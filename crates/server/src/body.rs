//! The body of every answer.

use http::HeaderValue;

/// The body of every answer.
pub type Body = axum::body::Body;

/// The type of every JSON answer.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");
