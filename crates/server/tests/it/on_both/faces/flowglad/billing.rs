//! `GET /api/v1/customers/{externalId}/billing` over books that the merchant API filled.

use super::{Merchant, text};
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// The answer with every id replaced by its kind and the order in which it first comes.
fn readable(body: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    let mut seen: Vec<String> = Vec::new();
    let mut out = String::new();
    for part in pretty.split_inclusive('"') {
        let word = part.trim_end_matches('"');
        let is_id = word.rsplit_once('_').is_some_and(|(kind, digits)| {
            digits.len() == 22 && kind.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        });
        if !is_id {
            out.push_str(part);
            continue;
        }
        let kind = word.rsplit_once('_').unwrap().0;
        if !seen.iter().any(|known| known == word) {
            seen.push(word.to_owned());
        }
        let of_kind = seen.iter().filter(|known| known.rsplit_once('_').unwrap().0 == kind);
        let place = of_kind.clone().position(|known| known == word).unwrap();
        out.push_str(&format!("{kind}_{}\"", place + 1));
    }
    out
}

/// A customer with an Indian address, a card, two subscriptions, a purchase and two refunds.
async fn rich() -> Merchant {
    let m = Merchant::new().await;
    m.made("tax-rates", json!({"taxRate": {"taxType": "gst", "country": "IN", "percentage": 18}})).await;
    let body = json!({"customer": {
        "externalId": "u 1/é", "name": "Ada \"the first\" Lovelace", "email": "ada@example.com",
        "domain": "ada.example", "zone": "Asia/Kolkata", "userId": "user-7",
        "billingAddress": {"firstName": "Ada", "lastName": "Lovelace", "phone": "+91 1",
            "address": {"line1": "1 MG Road", "city": "Bengaluru", "state": "KA",
                        "postal_code": "560001", "country": "in"}}}});
    m.made("customers", body).await;
    m.card("u 1/é", "tok_visa").await;
    let pro = m.monthly("pro", 10_000, "INR").await;
    let team = m.monthly("team", 3_333, "INR").await;
    let once = json!({
        "product": {"name": "Setup", "category": "add_on", "description": "Once",
            "displayFeatures": [{"enabled": true, "label": "By hand", "details": null}],
            "singularQuantityLabel": "hour", "pluralQuantityLabel": "hours"},
        "price": {"type": "single_payment", "unitPrice": 5_000, "currency": "INR"}});
    let once = text(&m.made("products", once).await["product"]["defaultPrice"]["id"]);
    let discount = json!({"discount": {"name": "Welcome", "code": "WELCOME", "amountType": "percent",
        "amount": 25, "duration": "number_of_payments", "numberOfPayments": 1}});
    m.made("discounts", discount).await;
    let both = json!({"customerExternalId": "u 1/é", "discountCode": "WELCOME", "metadata": {"seat": [1, null]},
        "items": [{"priceId": pro, "quantity": 1}, {"priceId": team, "quantity": 3}]});
    let first = m.made("subscriptions", both).await["subscription"].clone();
    let trial = json!({"customerExternalId": "u 1/é", "priceId": team, "trialEnd": "2026-03-10T00:00:00Z"});
    let second = m.made("subscriptions", trial).await["subscription"].clone();
    let sold = json!({"purchase": {"customerExternalId": "u 1/é", "priceId": once, "quantity": 2}});
    m.made("purchases", sold).await;
    m.until("2026-02-15T00:00:00Z").await;
    let cancel = json!({"cancellation": {"timing": "at_end_of_current_billing_period"}});
    m.made(&format!("subscriptions/{}/cancel", text(&second["id"])), cancel).await;
    let payments = m.read("payments?customerExternalId=u%201%2F%C3%A9").await;
    let paid = text(&payments["data"][0]["id"]);
    m.made(&format!("payments/{paid}/refund"), json!({"partialAmount": 100})).await;
    assert_eq!(first["status"], "active");
    m
}

const BILLING: &str = "customers/u%201%2F%C3%A9/billing";

#[tokio::test]
async fn everything_that_a_customer_has_and_owes() {
    let m = rich().await;
    let answer = m.get(BILLING).await;
    assert_eq!(answer.status, StatusCode::OK);
    insta::assert_snapshot!(readable(&answer.body));
}

#[tokio::test]
async fn lines_and_tax_come_to_what_was_paid() {
    let m = rich().await;
    let billing = m.read(BILLING).await;
    let payments = m.read("payments?limit=100").await;
    let invoices = billing["invoices"].as_array().unwrap();
    assert_eq!(invoices.len(), 3, "two periods and a purchase; the trial has no invoice");
    for each in invoices {
        let number = |value: &Value| value.as_i64().unwrap();
        let lines = each["invoiceLineItems"].as_array().unwrap();
        let net: i64 = lines.iter().map(|line| number(&line["price"]) * number(&line["quantity"])).sum();
        let invoice = &each["invoice"];
        assert_eq!(net, number(&invoice["subtotal"]));
        assert_eq!((&invoice["taxType"], &invoice["taxCountry"]), (&json!("gst"), &json!("IN")));
        assert_eq!(invoice["taxRatePercentage"], "18");
        let paid = payments["data"].as_array().unwrap().iter();
        let paid = paid.filter(|payment| payment["invoiceId"] == invoice["id"]);
        let paid: i64 = paid.map(|payment| number(&payment["amount"])).sum();
        assert_eq!(net + number(&invoice["taxAmount"]), paid);
    }
    // (10000 + 3 × 3333) less 25 %, and 18 % of that.
    let first = &invoices[0]["invoice"];
    assert_eq!((&first["subtotal"], &first["taxAmount"]), (&json!(14_999), &json!(2_700)));
    assert_eq!(first["status"], "partially_refunded");
    let second = &invoices[2]["invoice"];
    assert_eq!((&second["subtotal"], &second["status"]), (&json!(19_999), &json!("paid")));
}

#[tokio::test]
async fn several_taxes_show_what_they_have_in_common() {
    let m = Merchant::new().await;
    for (category, percentage) in [("subscription", "19"), ("add_on", "7")] {
        let rate = json!({"taxType": "vat", "country": "DE", "category": category, "percentage": percentage});
        m.made("tax-rates", json!({"taxRate": rate})).await;
    }
    m.customer("c").await;
    let address = json!({"customer": {"billingAddress": {"address": {"country": "DE"}}}});
    assert_eq!(m.put("customers/c", &address).await.status, StatusCode::OK);
    let lines = json!({"invoice": {"customerExternalId": "c", "currency": "EUR"}, "invoiceLineItems": [
        {"description": "A", "price": 1_000, "quantity": 1, "category": "subscription"},
        {"description": "B", "price": 1_000, "quantity": 1, "category": "add_on"}]});
    let made = m.made("invoices", lines).await["invoice"].clone();
    assert_eq!((&made["taxAmount"], &made["total"]), (&json!(260), &json!(2_260)));
    assert_eq!((&made["taxType"], &made["taxCountry"]), (&json!("vat"), &json!("DE")));
    assert_eq!((&made["taxRatePercentage"], &made["taxState"]), (&Value::Null, &Value::Null));
    assert_eq!(made["taxes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_external_id_may_hold_anything() {
    let m = Merchant::new().await;
    for (id, path) in [
        ("plain", "plain"),
        ("u 1/é", "u%201%2F%C3%A9"),
        ("a/b/c", "a%2Fb%2Fc"),
        ("100%", "100%25"),
        ("%2F", "%252F"),
        ("a+b", "a+b"),
        ("a+b@example.com", "a%2Bb%40example.com"),
        ("..", "%2E%2E"),
        ("?x=1#y", "%3Fx%3D1%23y"),
        ("日本語", "%E6%97%A5%E6%9C%AC%E8%AA%9E"),
        ("billing", "billing"),
        ("\"quoted\"\\", "%22quoted%22%5C"),
    ] {
        if id != "a+b@example.com" {
            m.customer(id).await;
        } else {
            m.made("customers", json!({"customer": {"externalId": id, "name": "x", "email": id}})).await;
        }
        assert_eq!(m.read(&format!("customers/{path}/billing")).await["customer"]["externalId"], id);
        assert_eq!(m.read(&format!("customers/{path}")).await["customer"]["externalId"], id);
    }
}

#[tokio::test]
async fn an_answer_is_kept_until_something_of_it_changes() {
    let m = Merchant::new().await;
    m.customer("c").await;
    m.customer("other").await;
    let price = m.monthly("pro", 1_000, "USD").await;
    let tag = async || {
        let answer = m.get("customers/c/billing").await;
        (answer.header("etag").to_owned(), answer.body)
    };
    let before = tag().await;
    assert_eq!(tag().await, before);
    m.card("other", "tok_visa").await;
    assert_eq!(tag().await, before, "another customer's card");
    let known = [("if-none-match", before.0.as_str())];
    let again = m.write(Method::GET, "customers/c/billing", &known, "").await;
    assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));

    let mut last = before.1;
    let mut differs = async |what: &str| {
        let (_, body) = tag().await;
        assert_ne!(body, last, "{what}");
        last = body;
    };
    m.card("c", "tok_visa").await;
    differs("a card").await;
    m.put(&format!("prices/{price}"), &json!({"price": {"name": "New name"}})).await;
    differs("a price's name").await;
    m.made("products", json!({"product": {"name": "Another"}})).await;
    differs("a product").await;
    m.made("subscriptions", json!({"customerExternalId": "c", "priceId": price})).await;
    differs("a subscription").await;
    m.until("2026-03-15T00:00:00Z").await;
    differs("renewals").await;
    m.made("catalogs", json!({"catalog": {"name": "Next", "isDefault": true}})).await;
    differs("another default catalog").await;
}

#[tokio::test]
async fn an_external_id_that_moves_on_is_never_answered_with_the_last_owner() {
    let m = Merchant::new().await;
    let first = m.customer("x").await;
    let second = m.customer("y").await;
    assert_eq!(m.read("customers/x/billing").await["customer"]["id"], first["id"]);
    let renamed = m.put("customers/x", &json!({"customer": {"externalId": "z"}})).await;
    assert_eq!(renamed.status, StatusCode::OK);
    assert_eq!(m.get("customers/x/billing").await.status, StatusCode::NOT_FOUND);
    assert_eq!(m.read("customers/z/billing").await["customer"]["id"], first["id"]);
    m.put("customers/y", &json!({"customer": {"externalId": "x"}})).await;
    assert_eq!(m.read("customers/x/billing").await["customer"]["id"], second["id"]);
    assert_eq!(m.get("customers/y/billing").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn states_have_the_words_of_the_document() {
    let m = Merchant::new().await;
    let price = m.monthly("pro", 1_000, "USD").await;
    let finite = json!({"product": {"name": "Course"}, "price": {"type": "subscription", "unitPrice": 500,
        "intervalUnit": "week", "intervalCount": 2, "periodCount": 2}});
    let finite = text(&m.made("products", finite).await["product"]["defaultPrice"]["id"]);
    for (id, token) in
        [("good", "tok_visa"), ("bad", "tok_card_declined"), ("gone", "tok_visa"), ("done", "tok_visa")]
    {
        m.customer(id).await;
        m.card(id, token).await;
        let price = if id == "done" { &finite } else { &price };
        m.made("subscriptions", json!({"customerExternalId": id, "priceId": price})).await;
    }
    m.customer("none").await;
    m.made("subscriptions", json!({"customerExternalId": "none", "priceId": price})).await;
    let gone = m.read("subscriptions?customerExternalId=gone").await["data"][0]["id"].clone();
    let now = json!({"cancellation": {"timing": "immediately"}});
    m.made(&format!("subscriptions/{}/cancel", text(&gone)), now).await;
    m.until("2026-01-29T00:00:00Z").await;
    let mut seen = Vec::new();
    for id in ["good", "bad", "gone", "done", "none"] {
        let billing = m.read(&format!("customers/{id}/billing")).await;
        let subscription = &billing["subscriptions"][0];
        seen.push(format!(
            "{id}: {} current={} currentSubscriptions={} canceledAt={} invoices={}",
            text(&subscription["status"]),
            subscription["current"],
            billing["currentSubscriptions"].as_array().unwrap().len(),
            subscription["canceledAt"],
            billing["invoices"]
                .as_array()
                .unwrap()
                .iter()
                .map(|each| text(&each["invoice"]["status"]))
                .collect::<Vec<_>>()
                .join(",")
        ));
    }
    insta::assert_snapshot!(seen.join("\n"));
}
