//! Contract 002, Flowglad, and the merchant API that follows its conventions.

pub mod error;

use crate::app::App;
use axum::Router;

/// Its routes.
pub fn routes() -> Router<App> {
    Router::new()
}
