//! The whole URL space.

use crate::app::App;
use crate::face::Face;
use crate::faces::{appexperts, flowglad, placio, plain, surecart, unpod};
use crate::middleware::Service;
use crate::web::operations;
use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::{get, patch};

/// All faces, with what is around every request.
pub fn service(app: App) -> Service {
    Service::new(app.clone(), router(app), plain::error)
}

/// Every route of every face.
pub fn router(app: App) -> Router {
    Router::new()
        // 000: what a customer's person sees of its payments.
        .route("/api/v1/profile/payments", get(appexperts::payments::list).post(appexperts::payments::list))
        // 001: the payments of every workspace, for staff.
        .route("/api/v1/admin/payments", get(placio::payments::list).post(placio::payments::create))
        .route("/api/v1/admin/payments/stats", get(placio::stats::read))
        .route(
            "/api/v1/admin/payments/{id}",
            patch(placio::payments::update).delete(placio::payments::delete),
        )
        // 002 and the merchant API.
        .merge(flowglad::routes())
        // 003: billing periods.
        .route("/v1/periods", get(surecart::periods::list))
        .route("/v1/periods/{id}", get(surecart::periods::read).patch(surecart::periods::update))
        .route("/v1/periods/{id}/retry_payment", patch(surecart::periods::retry_payment))
        // 004: an organisation's invoices.
        .route("/api/v2/platform/organisation/billing", get(unpod::invoices::list))
        .route("/api/v2/platform/organisation/billing/", get(unpod::invoices::list))
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
    plain::error(Face::of(uri.path()), StatusCode::NOT_FOUND)
}

/// A method that the path does not know. The router adds `Allow`.
async fn no_method(request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        return response;
    }
    plain::error(Face::of(request.uri().path()), StatusCode::METHOD_NOT_ALLOWED)
}
