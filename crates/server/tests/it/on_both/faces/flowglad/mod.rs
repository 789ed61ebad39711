//! Contract 002 and the merchant API beside it.

mod billing;
mod document;
mod failures;
mod hostile;
mod lists;
mod resources;
mod tenant_isolation;

use crate::fixtures::harness::{Answer, TestApp};
use ::billing::credential::KeyScope;
use ::billing::environment::Environment;
use http::{Method, StatusCode};
use serde_json::Value;

/// A merchant with test books whose clock stands at New Year 2026, and its key.
pub(crate) struct Merchant {
    pub(crate) test: TestApp,
    pub(crate) books: Environment,
    pub(crate) key: String,
}

impl Merchant {
    pub(crate) async fn new() -> Self {
        let test = TestApp::new().await;
        let books = test.books("Acme", Some("2026-01-01T00:00:00Z")).await;
        let key = test.key(books.number, &[KeyScope::Merchant]).await;
        Self { test, books, key }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.test.get(&format!("/api/v1/{path}"), &self.key).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.write(Method::POST, path, &[], &body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.write(Method::PUT, path, &[], &body.to_string()).await
    }

    pub(crate) async fn write(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.test.write(method, &format!("/api/v1/{path}"), &self.key, headers, body).await
    }

    /// What a write that succeeds answers.
    pub(crate) async fn made(&self, path: &str, body: Value) -> Value {
        let answer = self.post(path, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer.json()
    }

    /// What a read that succeeds answers.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer.json()
    }

    /// A new customer.
    pub(crate) async fn customer(&self, external_id: &str) -> Value {
        let body = serde_json::json!({"customer": {
            "externalId": external_id, "name": "Ada Lovelace", "email": "ada@example.com"}});
        self.made("customers", body).await["data"]["customer"].clone()
    }

    /// A new product with a monthly price, whose id is answered.
    pub(crate) async fn monthly(&self, slug: &str, minor: i64, currency: &str) -> String {
        let body = serde_json::json!({
            "product": {"name": slug, "slug": slug},
            "price": {"type": "subscription", "unitPrice": minor, "currency": currency,
                      "intervalUnit": "month", "slug": format!("{slug}-monthly"), "isDefault": true}});
        text(&self.made("products", body).await["product"]["defaultPrice"]["id"])
    }

    /// Gives a customer a card and makes it the default.
    pub(crate) async fn card(&self, external_id: &str, token: &str) -> String {
        let body = serde_json::json!({"paymentMethod": {
            "customerExternalId": external_id, "token": token, "default": true}});
        text(&self.made("payment-methods", body).await["paymentMethod"]["id"])
    }

    /// Moves the books' clock.
    pub(crate) async fn until(&self, now: &str) {
        self.made("clock", serde_json::json!({"now": now})).await;
    }
}

/// The text that a value is.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}
