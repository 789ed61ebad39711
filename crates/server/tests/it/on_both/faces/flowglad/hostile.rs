//! Bodies as a careless or a hostile client sends them.

use super::{Merchant, text};
use http::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_body_that_is_no_utf8() {
    use http_body_util::BodyExt;
    let m = Merchant::new().await;
    let request = http::Request::post("/api/v1/customers")
        .header("authorization", &m.key)
        .header("content-type", "application/json")
        .body(server::body::Body::from(b"{\"customer\":{\"name\":\"\xff\"}}".to_vec()))
        .unwrap();
    let response = m.test.service.respond(request).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(br#"{"error":"Invalid JSON in request body: "#));
}

/// Every value that a careless or a hostile client may put where another is meant.
fn evil() -> Vec<Value> {
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(1e308),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(""),
        json!(" "),
        json!("null"),
        json!("\u{0}"),
        json!("\u{202e}\u{feff}💥"),
        json!("x".repeat(70_000)),
        json!("2026-01-01T00:00:00Z"),
        json!("9999-12-31T23:59:59Z"),
        json!("cust_7n42DGM5Tflk9n8mt7Fhc7"),
        json!([]),
        json!({}),
        json!([null]),
        json!([{}]),
        deep,
    ]
}

/// All bodies that differ from a sound one in a single value, wherever it is.
fn mutants(body: &Value) -> Vec<Value> {
    let mut all = evil();
    match body {
        Value::Object(map) => {
            for key in map.keys() {
                for inner in mutants(&map[key]) {
                    let mut changed = map.clone();
                    changed[key] = inner;
                    all.push(Value::Object(changed));
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                for inner in mutants(item) {
                    let mut changed = items.clone();
                    changed[at] = inner;
                    all.push(Value::Array(changed));
                }
            }
        }
        _ => {}
    }
    all
}

#[tokio::test]
async fn no_body_makes_the_server_fail() {
    let m = Merchant::new().await;
    m.customer("c").await;
    let card = m.card("c", "tok_visa").await;
    let price = m.monthly("pro", 1_000, "USD").await;
    let made = m.made("subscriptions", json!({"customerExternalId": "c", "priceId": price})).await;
    let subscription = text(&made["subscription"]["id"]);
    let payment = text(&m.read("payments").await["data"][0]["id"]);
    let product = text(&m.read("products").await["data"][0]["id"]);
    let address =
        json!({"name": "A", "phone": "1", "address": {"line1": "1", "state": "S", "country": "US"}});
    let mut count = 0;
    for (method, path, body) in [
        (
            Method::POST,
            "customers".to_owned(),
            json!({"customer": {"externalId": "n", "name": "N",
            "email": "a@b", "archived": false, "zone": "UTC", "handle": "n", "logoURL": "https://x.y",
            "catalogId": null, "userId": "u", "billingAddress": address}}),
        ),
        (Method::PUT, "customers/c".to_owned(), json!({"customer": {"name": "N"}})),
        (
            Method::POST,
            "customers/c/tokens".to_owned(),
            json!({"email": "a@b", "name": "N",
            "expiresInSeconds": 100}),
        ),
        (
            Method::POST,
            "products".to_owned(),
            json!({"product": {"name": "P", "slug": "p", "default": false,
            "displayFeatures": [{"enabled": true, "label": "l", "details": "d"}], "category": "sms"},
            "price": {"type": "subscription", "unitPrice": 5, "currency": "USD", "intervalUnit": "day",
                "intervalCount": 3, "trialPeriodDays": 2, "setupFeeAmount": 1, "periodCount": 9,
                "isDefault": true, "active": true, "taxInclusive": true, "slug": "s"}}),
        ),
        (
            Method::POST,
            "prices".to_owned(),
            json!({"price": {"type": "single_payment", "unitPrice": 5,
            "productId": product}}),
        ),
        (Method::PUT, format!("prices/{price}"), json!({"price": {"name": "N", "slug": "s2"}})),
        (
            Method::POST,
            "discounts".to_owned(),
            json!({"discount": {"name": "D", "code": "D",
            "amountType": "fixed", "amount": 5, "currency": "USD", "duration": "number_of_payments",
            "numberOfPayments": 2}}),
        ),
        (
            Method::POST,
            "tax-rates".to_owned(),
            json!({"taxRate": {"taxType": "vat", "country": "DE",
            "state": "BE", "category": "sms", "percentage": "19"}}),
        ),
        (
            Method::POST,
            "payment-methods".to_owned(),
            json!({"paymentMethod": {"customerExternalId": "c",
            "token": "tok_mastercard", "type": "card", "default": false, "metadata": {"a": 1},
            "billingDetails": {"name": "A", "address": address}}}),
        ),
        (Method::PUT, format!("payment-methods/{card}"), json!({"paymentMethod": {"default": true}})),
        (
            Method::POST,
            "subscriptions".to_owned(),
            json!({"customerExternalId": "c", "name": "N",
            "items": [{"priceId": price, "quantity": 2}], "startDate": "2025-12-31T00:00:00Z",
            "trialEnd": 1_767_312_000_000_i64, "metadata": {"a": 1}, "defaultPaymentMethodId": card}),
        ),
        (
            Method::POST,
            format!("subscriptions/{subscription}/adjust"),
            json!({"adjustment": {
            "timing": "immediately", "prorateCurrentBillingPeriod": true,
            "newSubscriptionItems": [{"priceId": price, "quantity": 3}]}}),
        ),
        (
            Method::POST,
            format!("subscriptions/{subscription}/cancel"),
            json!({"cancellation": {
            "timing": "at_future_date", "endDate": "2026-06-01T00:00:00Z"}}),
        ),
        (
            Method::POST,
            "invoices".to_owned(),
            json!({"charge": false, "invoice": {"customerExternalId": "c",
            "currency": "USD", "memo": "M"}, "invoiceLineItems": [{"price": 5, "quantity": 2,
            "description": "d", "category": "sms", "taxInclusive": false, "priceId": price}]}),
        ),
        (
            Method::POST,
            "purchases".to_owned(),
            json!({"purchase": {"customerExternalId": "c",
            "priceId": price, "quantity": 1, "discountCode": "D"}}),
        ),
        (Method::POST, format!("payments/{payment}/refund"), json!({"partialAmount": 1, "reason": "r"})),
        (Method::POST, "catalogs".to_owned(), json!({"catalog": {"name": "C", "isDefault": false}})),
    ] {
        for mutant in mutants(&body) {
            let answer = m.write(method.clone(), &path, &[], &mutant.to_string()).await;
            let shown: String = mutant.to_string().chars().take(300).collect();
            assert!(!answer.status.is_server_error(), "{method} {path} {shown}: {}", answer.line());
            if answer.status.is_client_error() {
                let failure = answer.json();
                assert!(failure["message"].as_str().is_some_and(|text| !text.is_empty()), "{shown}");
                assert_eq!(failure["error"], failure["message"]);
            }
            count += 1;
        }
    }
    assert!(count > 1_000, "{count} bodies");
    assert_eq!(m.get("customers/c/billing").await.status, StatusCode::OK);
}
