//! Failures in Flowglad's envelope: `{"error":"…","code":"NOT_FOUND"}` and `message`.

use crate::faces::json;
use crate::json::object;
use crate::respond::Body;
use axum::response::Response;
use http::StatusCode;

/// A failure that has no more to say than its status.
pub fn plain(status: StatusCode) -> Response<Body> {
    let words = status.canonical_reason().unwrap_or("Error");
    let code = match status.as_u16() {
        400 => "BAD_REQUEST",
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        405 => "METHOD_NOT_SUPPORTED",
        409 => "CONFLICT",
        413 => "PAYLOAD_TOO_LARGE",
        503 => "TIMEOUT",
        _ => "INTERNAL_SERVER_ERROR",
    };
    let body = object(|o| {
        o.put("error", words).put("code", code).put("message", words);
    });
    json(status, body)
}
