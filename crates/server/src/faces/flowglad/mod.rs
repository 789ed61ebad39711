//! Contract 002, Flowglad, and the merchant API that follows its conventions.

mod billing;
mod catalogs;
mod clock;
mod customers;
mod discounts;
pub mod error;
mod fields;
mod invoices;
mod list;
mod merchant;
mod offers;
mod payment_methods;
mod payments;
mod products;
mod purchases;
mod spell;
mod subscriptions;
mod tokens;

use crate::app::App;
use axum::Router;
use axum::routing::{get, post, put};

/// Its routes. What stands for an external id is taken from the raw path and decoded once.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/customers", post(customers::create).get(customers::list))
        .route("/api/v1/customers/{externalId}", get(customers::retrieve).put(customers::update))
        .route("/api/v1/customers/{externalId}/billing", get(billing::retrieve))
        .route("/api/v1/customers/{externalId}/archive", post(customers::archive))
        .route("/api/v1/customers/{externalId}/tokens", post(tokens::create))
        .route("/api/v1/products", post(products::create).get(products::list))
        .route("/api/v1/products/{id}", get(products::retrieve).put(products::update))
        .route("/api/v1/prices", post(products::create_price).get(products::list_prices))
        .route("/api/v1/prices/{id}", get(products::retrieve_price).put(products::update_price))
        .route("/api/v1/discounts", post(discounts::create).get(discounts::list))
        .route("/api/v1/discounts/{id}", get(discounts::retrieve).put(discounts::update))
        .route("/api/v1/tax-rates", post(discounts::create_rate).get(discounts::list_rates))
        .route("/api/v1/payment-methods", post(payment_methods::create).get(payment_methods::list))
        .route("/api/v1/payment-methods/{id}", get(payment_methods::retrieve).put(payment_methods::update))
        .route("/api/v1/subscriptions", post(subscriptions::create).get(subscriptions::list))
        .route("/api/v1/subscriptions/{id}", get(subscriptions::retrieve))
        .route("/api/v1/subscriptions/{id}/adjust", post(subscriptions::adjust))
        .route("/api/v1/subscriptions/{id}/cancel", post(subscriptions::cancel))
        .route("/api/v1/subscriptions/{id}/uncancel", post(subscriptions::uncancel))
        .route("/api/v1/invoices", post(invoices::create).get(invoices::list))
        .route("/api/v1/invoices/{id}", get(invoices::retrieve))
        .route("/api/v1/invoices/{id}/void", post(invoices::void))
        .route("/api/v1/invoice-line-items", get(invoices::list_lines))
        .route("/api/v1/invoice-line-items/{id}", get(invoices::retrieve_line))
        .route("/api/v1/payments", get(payments::list))
        .route("/api/v1/payments/{id}", get(payments::retrieve))
        .route("/api/v1/payments/{id}/refund", post(payments::refund))
        .route("/api/v1/purchases", post(purchases::create).get(purchases::list))
        .route("/api/v1/purchases/{id}", get(purchases::retrieve))
        .route("/api/v1/clock", get(clock::retrieve).post(clock::advance))
        .route("/api/v1/utils/ping", get(clock::ping))
        .merge(catalog_routes("/api/v1/catalogs"))
        .merge(catalog_routes("/api/v1/pricing-models"))
}

fn catalog_routes(all: &str) -> Router<App> {
    Router::new()
        .route(all, post(catalogs::create).get(catalogs::list))
        .route(&format!("{all}/default"), get(catalogs::retrieve_default))
        .route(&format!("{all}/{{id}}"), put(catalogs::update).get(catalogs::retrieve))
        .route(&format!("{all}/{{id}}/clone"), post(catalogs::copy))
}
