//! For whoever runs the server: is it up, can it serve, what has it done.

use crate::app::App;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

/// Whether the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the books can be read.
pub async fn readyz(State(app): State<App>) -> Response {
    match app.engine.environments().await {
        Ok(_) => "ready\n".into_response(),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the books cannot be read\n").into_response()
        }
    }
}

/// Counters for Prometheus.
pub async fn metrics(State(app): State<App>) -> Response {
    let mut response = app.metrics.text(app.response_cache.counts()).into_response();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
