//! The whole URL space.

use crate::app::App;
use crate::faces::{Face, flowglad};
use crate::web::operations;
use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::get;

/// Every route of every face.
pub fn router(app: App) -> Router {
    Router::new()
        // 002 and the merchant API.
        .merge(flowglad::routes())
        // For whoever runs the server.
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(operations::metrics))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(app)
}

/// A path that nobody serves, answered by the face whose paths it is among.
async fn no_route(uri: Uri) -> Response {
    Face::of(uri.path()).error(StatusCode::NOT_FOUND)
}

/// A method that the path does not know. The router adds `Allow`.
async fn no_method(request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        return response;
    }
    Face::of(request.uri().path()).error(StatusCode::METHOD_NOT_ALLOWED)
}
