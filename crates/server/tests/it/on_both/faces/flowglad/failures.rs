//! Every failure in its envelope, naming what is wrong and what would be right.

use super::Merchant;
use billing::credential::KeyScope;
use engine::At;
use http::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn nobody_is_let_in_without_a_key_of_the_merchant_api() {
    let m = Merchant::new().await;
    let customer = m.customer("c").await;
    let path = "/api/v1/customers/c/billing";
    let periods = m.test.key(m.books.number, &[KeyScope::Periods]).await;
    let staff = m.test.staff_token(m.books.number, "owner").await;
    let user = m.test.engine.customer(m.books.number, "c").await.unwrap();
    let user = m.test.customer_token(m.books.number, user.id).await;
    let id = m.test.app().authenticate(&m.key).await.unwrap().credential;
    let mut lines = Vec::new();
    let long = "x".repeat(4_000);
    for (name, value) in [
        ("none", None),
        ("empty", Some("")),
        ("scheme without key", Some("Bearer ")),
        ("another scheme", Some("Basic abc")),
        ("a space in the key", Some("Bearer a b")),
        ("unknown", Some("qk_test_0000000000000000000000000000")),
        ("very long", Some(long.as_str())),
        ("another scope", Some(periods.as_str())),
        ("staff's token", Some(staff.as_str())),
        ("customer's token", Some(user.as_str())),
    ] {
        let headers: Vec<_> = value.map(|value| ("authorization", value)).into_iter().collect();
        let answer = m.test.send(Method::GET, path, &headers, "").await;
        lines.push(format!("{name}: {} {}", answer.line(), answer.header("www-authenticate")));
    }
    m.test.engine.revoke_credential(At::new(m.test.now(), m.books.number), id).await.unwrap();
    lines.push(format!("revoked: {}", m.get("customers/c/billing").await.line()));
    insta::assert_snapshot!(lines.join("\n"));
    assert!(customer["id"].is_string());
}

#[tokio::test]
async fn a_raw_key_and_a_bearer_open_the_same() {
    let m = Merchant::new().await;
    m.customer("c").await;
    for value in [m.key.clone(), format!("Bearer {}", m.key), format!("bearer {}", m.key)] {
        let headers = [("authorization", value.as_str())];
        let answer = m.test.send(Method::GET, "/api/v1/customers/c/billing", &headers, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{value}");
    }
}

#[tokio::test]
async fn what_is_not_there() {
    let m = Merchant::new().await;
    let zero = "0".repeat(22);
    let mut lines = Vec::new();
    for path in [
        "customers/nobody".to_owned(),
        "customers/nobody/billing".to_owned(),
        "customers/a%20b%2Fc/billing".to_owned(),
        "customers/%ff/billing".to_owned(),
        format!("customers/{}/billing", "x".repeat(2_000)),
        format!("products/prod_{zero}"),
        "products/prod_1".to_owned(),
        format!("prices/vrnt_{zero}"),
        format!("subscriptions/sub_{zero}"),
        format!("subscriptions/inv_{zero}"),
        format!("invoices/inv_{zero}"),
        format!("invoice-line-items/inv_li_{zero}"),
        format!("payments/pym_{zero}"),
        format!("payment-methods/pm_{zero}"),
        format!("purchases/prch_{zero}"),
        format!("discounts/discount_{zero}"),
        format!("catalogs/catalog_{zero}"),
        "nothing".to_owned(),
        "customers//billing".to_owned(),
    ] {
        let answer = m.get(&path).await;
        let shown = if path.len() > 100 { "customers/xxx…/billing" } else { &path };
        lines.push(format!("GET {shown}: {}", answer.line().replace(&"x".repeat(200), "xxx…")));
    }
    for (method, path) in
        [(Method::DELETE, "customers/c"), (Method::PATCH, "customers"), (Method::POST, "customers/c/billing")]
    {
        let answer = m.write(method.clone(), path, &[], "{}").await;
        lines.push(format!("{method} {path}: {} allow={}", answer.line(), answer.header("allow")));
    }
    let body = json!({"cancellation": {"timing": "immediately"}});
    for (path, body) in [
        (format!("subscriptions/sub_{zero}/cancel"), body.clone()),
        (format!("subscriptions/sub_{zero}/uncancel"), body.clone()),
        (format!("payments/pym_{zero}/refund"), json!({})),
        ("customers/nobody/archive".to_owned(), json!({})),
        ("customers/nobody/tokens".to_owned(), json!({})),
        (format!("catalogs/catalog_{zero}/clone"), json!({"name": "x"})),
    ] {
        lines.push(format!("POST {path}: {}", m.post(&path, &body).await.line()));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn bodies_that_cannot_be() {
    let m = Merchant::new().await;
    m.customer("c").await;
    let price = m.monthly("pro", 1_000, "USD").await;
    let long = "x".repeat(300);
    let nul = "a\u{0}b";
    let mut lines = Vec::new();
    for (path, body) in [
        ("customers", json!({})),
        ("customers", json!({"customer": null})),
        ("customers", json!({"customer": "c"})),
        ("customers", json!({"customer": {"externalId": "n"}})),
        ("customers", json!({"customer": {"externalId": "n", "name": "N"}})),
        ("customers", json!({"customer": {"externalId": "n", "name": "N", "email": "no"}})),
        ("customers", json!({"customer": {"externalId": 7, "name": "N", "email": "a@b"}})),
        ("customers", json!({"customer": {"externalId": null, "name": "N", "email": "a@b"}})),
        ("customers", json!({"customer": {"externalId": "n", "name": long, "email": "a@b"}})),
        ("customers", json!({"customer": {"externalId": nul, "name": "N", "email": "a@b"}})),
        ("customers", json!({"customer": {"externalId": "n", "name": "N", "email": "a@b", "zone": "Mars"}})),
        (
            "customers",
            json!({"customer": {"externalId": "n", "name": "N", "email": "a@b", "archived": "no"}}),
        ),
        ("customers", json!({"customer": {"externalId": "n", "name": "N", "email": "a@b", "handle": "A B"}})),
        (
            "customers",
            json!({"customer": {"externalId": "n", "name": "N", "email": "a@b", "logoURL": "x:y"}}),
        ),
        (
            "customers",
            json!({"customer": {"externalId": "n", "name": "N", "email": "a@b", "catalogId": "n"}}),
        ),
        (
            "customers",
            json!({"customer": {"externalId": "n", "name": "N", "email": "a@b",
            "catalogId": format!("catalog_{}", "0".repeat(22))}}),
        ),
        (
            "customers",
            json!({"customer": {"externalId": "n", "name": "N", "email": "a@b",
            "billingAddress": {"address": {"country": "XX"}}}}),
        ),
        (
            "customers",
            json!({"customer": {"externalId": "n", "name": "N", "email": "a@b",
            "billingAddress": "Main Street"}}),
        ),
        ("products", json!({"product": {}})),
        ("products", json!({"product": {"name": "P", "slug": "a b"}})),
        ("products", json!({"product": {"name": "P", "category": "food"}})),
        ("products", json!({"product": {"name": "P", "displayFeatures": [{}]}})),
        ("products", json!({"product": {"name": "P", "displayFeatures": {"label": "x"}}})),
        ("products", json!({"product": {"name": "P"}, "price": {"type": "subscription", "unitPrice": 1}})),
        ("products", json!({"product": {"name": "P"}, "price": {"type": "usage", "unitPrice": 1}})),
        (
            "products",
            json!({"product": {"name": "P"},
            "price": {"type": "single_payment", "unitPrice": 1, "intervalUnit": "day"}}),
        ),
        ("prices", json!({"price": {"type": "single_payment", "unitPrice": 1, "productId": "x"}})),
        (
            "products",
            json!({"product": {"name": "P"}, "price": {"type": "single_payment", "unitPrice": 1.5}}),
        ),
        ("products", json!({"product": {"name": "P"}, "price": {"type": "single_payment", "unitPrice": -1}})),
        (
            "products",
            json!({"product": {"name": "P"},
            "price": {"type": "single_payment", "unitPrice": 1, "currency": "GOLD"}}),
        ),
        (
            "discounts",
            json!({"discount": {"name": "D", "code": "D", "amountType": "percent", "amount": 101,
            "duration": "once"}}),
        ),
        (
            "discounts",
            json!({"discount": {"name": "D", "code": "D", "amountType": "fixed", "amount": 0,
            "duration": "once"}}),
        ),
        (
            "discounts",
            json!({"discount": {"name": "D", "code": "D", "amountType": "fixed", "amount": 1,
            "duration": "number_of_payments"}}),
        ),
        (
            "discounts",
            json!({"discount": {"name": "D", "code": "D", "amountType": "fixed", "amount": 1,
            "currency": "BTC", "duration": "once"}}),
        ),
        ("tax-rates", json!({"taxRate": {"taxType": "toll", "country": "IN", "percentage": "18"}})),
        ("tax-rates", json!({"taxRate": {"taxType": "gst", "country": "India", "percentage": "18"}})),
        ("tax-rates", json!({"taxRate": {"taxType": "gst", "country": "IN", "percentage": 8.875}})),
        ("tax-rates", json!({"taxRate": {"taxType": "gst", "country": "IN", "percentage": "-1"}})),
        ("tax-rates", json!({"taxRate": {"taxType": "gst", "country": "IN", "percentage": "101"}})),
        ("payment-methods", json!({"paymentMethod": {"customerExternalId": "c"}})),
        ("payment-methods", json!({"paymentMethod": {"customerExternalId": "c", "token": "tok_unknown"}})),
        (
            "payment-methods",
            json!({"paymentMethod": {"customerExternalId": "c", "token": "4242424242424242"}}),
        ),
        (
            "payment-methods",
            json!({"paymentMethod": {"customerExternalId": "c", "token": "tok_visa",
            "card": {"number": 4_242_424_242_424_242_i64}}}),
        ),
        ("payment-methods", json!({"paymentMethod": {"token": "tok_visa"}})),
        ("payment-methods", json!({"paymentMethod": {"customerExternalId": "nobody", "token": "tok_visa"}})),
        ("subscriptions", json!({"customerExternalId": "c"})),
        ("subscriptions", json!({"priceId": price})),
        ("subscriptions", json!({"customerExternalId": "c", "priceId": "price_1"})),
        ("subscriptions", json!({"customerExternalId": "c", "priceId": format!("price_{}", "0".repeat(22))})),
        ("subscriptions", json!({"customerExternalId": "c", "priceId": price, "quantity": 0})),
        ("subscriptions", json!({"customerExternalId": "c", "priceId": price, "quantity": -1})),
        ("subscriptions", json!({"customerExternalId": "c", "priceId": price, "quantity": 1.5})),
        ("subscriptions", json!({"customerExternalId": "c", "priceId": price, "quantity": "2"})),
        ("subscriptions", json!({"customerExternalId": "c", "priceId": price, "startDate": "soon"})),
        ("subscriptions", json!({"customerExternalId": "c", "priceId": price, "startDate": "2027-01-01"})),
        ("subscriptions", json!({"customerExternalId": "c", "priceId": price, "startDate": "1999-01-01"})),
        ("subscriptions", json!({"customerExternalId": "c", "priceId": price, "interval": "year"})),
        ("subscriptions", json!({"customerExternalId": "c", "priceId": price, "discountCode": "NONE"})),
        ("subscriptions", json!({"customerExternalId": "c", "priceId": price, "metadata": "x"})),
        (
            "subscriptions",
            json!({"customerExternalId": "c", "priceId": price,
            "defaultPaymentMethodId": format!("pm_{}", "0".repeat(22))}),
        ),
        ("subscriptions", json!({"customerExternalId": "c", "items": []})),
        ("subscriptions", json!({"customerExternalId": "c", "items": [{"priceId": 5}]})),
        ("purchases", json!({"purchase": {"customerExternalId": "c", "priceId": price}})),
        ("invoices", json!({"invoice": {"customerExternalId": "c"}, "invoiceLineItems": []})),
        ("invoices", json!({"invoice": {"customerExternalId": "c"}, "invoiceLineItems": [{"quantity": 1}]})),
        (
            "invoices",
            json!({"invoice": {"customerExternalId": "c"},
            "invoiceLineItems": [{"price": 9_000_000_000_000_000_000_i64}]}),
        ),
        ("invoices", json!({"invoice": {"customerExternalId": "c"}, "invoiceLineItems": [{"price": -5}]})),
        (
            "invoices",
            json!({"invoice": {"customerExternalId": "c", "type": "purchase"},
            "invoiceLineItems": [{"price": 5}]}),
        ),
        ("clock", json!({})),
        ("clock", json!({"now": "2025-01-01T00:00:00Z"})),
        ("clock", json!({"now": "9999999999999999999999"})),
        ("clock", json!({"now": "2040-01-01"})),
        ("customers/c/tokens", json!({"email": "nobody"})),
        ("customers/c/tokens", json!({"expiresInSeconds": 1})),
    ] {
        let answer = m.post(path, &body).await;
        assert!(answer.status.is_client_error(), "{path} {body}: {}", answer.line());
        let shown = body.to_string().replace(&long, "xxx…");
        lines.push(format!("{path} {shown}\n  {}", answer.line()));
    }
    insta::assert_snapshot!(lines.join("\n"));
    assert_eq!(m.read("subscriptions").await["total"], 0);
    assert_eq!(m.read("customers").await["total"], 1);
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let m = Merchant::new().await;
    let mut lines = Vec::new();
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for body in ["", "{", "[]", "\"text\"", "null", "{\"customer\":{}}x", "{\"customer\":NaN}", deep.as_str()]
    {
        let answer = m.write(Method::POST, "customers", &[], body).await;
        let shown: String = body.chars().take(20).collect();
        lines.push(format!("{shown}: {}", answer.line()));
    }
    let headers = [("authorization", m.key.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let answer = m.test.send(Method::POST, "/api/v1/customers", &headers, "customer=x").await;
    lines.push(format!("a form: {}", answer.line()));
    let long = format!("{{\"customer\":{{\"name\":\"{}\"}}}}", "x".repeat(300_000));
    lines.push(format!("too long: {}", m.write(Method::POST, "customers", &[], &long).await.line()));
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn states_that_forbid() {
    let m = Merchant::new().await;
    m.customer("c").await;
    let price = m.monthly("pro", 1_000, "USD").await;
    m.card("c", "tok_visa").await;
    let subscription = m.made("subscriptions", json!({"customerExternalId": "c", "priceId": price})).await;
    let id = super::text(&subscription["subscription"]["id"]);
    let mut lines = Vec::new();
    let cancel = |timing: &str| json!({"cancellation": {"timing": timing}});
    for body in [
        json!({}),
        cancel("tomorrow"),
        cancel("at_future_date"),
        json!({"cancellation": {"timing": "at_future_date", "endDate": "2020-01-01"}}),
    ] {
        lines.push(m.post(&format!("subscriptions/{id}/cancel"), &body).await.line());
    }
    let adjust = json!({"adjustment": {"timing": "immediately", "prorateCurrentBillingPeriod": false,
        "newSubscriptionItems": [{"priceId": price, "quantity": 2}]}});
    lines.push(m.post(&format!("subscriptions/{id}/adjust"), &adjust).await.line());
    let payment = m.read("payments").await["data"][0].clone();
    let pay = super::text(&payment["id"]);
    for amount in [json!(0), json!(-1), json!(1_001), json!("5"), json!(0.5)] {
        let body = json!({"partialAmount": amount});
        lines.push(m.post(&format!("payments/{pay}/refund"), &body).await.line());
    }
    m.made(&format!("payments/{pay}/refund"), json!({})).await;
    lines.push(m.post(&format!("payments/{pay}/refund"), &json!({})).await.line());
    m.made(&format!("subscriptions/{id}/cancel"), cancel("immediately")).await;
    let ended = m.made(&format!("subscriptions/{id}/cancel"), cancel("immediately")).await;
    assert_eq!(ended["subscription"]["status"], "canceled", "once more changes nothing");
    lines.push(m.post(&format!("subscriptions/{id}/uncancel"), &json!({})).await.line());
    m.made("customers/c/archive", json!({})).await;
    let again = m.post("subscriptions", &json!({"customerExternalId": "c", "priceId": price})).await;
    lines.push(again.line());
    lines.push(m.post("customers/c/tokens", &json!({})).await.line());
    let invoice = json!({"invoice": {"customerExternalId": "c"}, "invoiceLineItems": [{"price": 5}]});
    lines.push(m.post("invoices", &invoice).await.line());
    m.customer("d").await;
    let euros = json!({"discount": {"name": "E", "code": "E", "amountType": "fixed", "amount": 5,
        "currency": "EUR", "duration": "once"}});
    m.made("discounts", euros).await;
    for more in [
        json!({"discountCode": "E"}),
        json!({"discountId": "disc_x"}),
        json!({"trialEnd": "2020-01-01"}),
        json!({"trialEnd": "2999-01-01"}),
        json!({"items": [{"priceId": price}]}),
    ] {
        let mut new = json!({"customerExternalId": "d", "priceId": price});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        lines.push(m.post("subscriptions", &new).await.line());
    }
    assert_eq!(m.read("subscriptions?customerExternalId=d").await["total"], 0);
    let default = m.read("catalogs/default").await["catalog"]["id"].clone();
    let body = json!({"catalog": {"isDefault": false}});
    lines.push(m.put(&format!("catalogs/{}", super::text(&default)), &body).await.line());
    let fixed = json!({"price": {"unitPrice": 2_000}});
    lines.push(m.put(&format!("prices/{price}"), &fixed).await.line());
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn the_clock_of_live_books_stands_with_the_real_one() {
    let m = Merchant::new().await;
    let live = m.test.books("Live", None).await;
    let key = m.test.key(live.number, &[KeyScope::Merchant]).await;
    let clock = m.test.get("/api/v1/clock", &key).await;
    assert_eq!(
        clock.line(),
        r#"200 {"clock":{"now":"2026-03-20T12:00:00.000Z","livemode":true,"movable":false}}"#
    );
    let body = r#"{"now":"2027-01-01T00:00:00Z"}"#;
    let moved = m.test.write(Method::POST, "/api/v1/clock", &key, &[], body).await;
    assert_eq!(moved.status, StatusCode::BAD_REQUEST, "{}", moved.body);
}

#[tokio::test]
async fn a_clock_that_was_moved_on_a_key_is_not_moved_on_it_again() {
    let m = Merchant::new().await;
    let headers = [("idempotency-key", "march")];
    let body = r#"{"now":"2026-03-25T00:00:00Z"}"#;
    let first = m.write(Method::POST, "clock", &headers, body).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    let later = m.write(Method::POST, "clock", &[], r#"{"now":"2026-03-26T00:00:00Z"}"#).await;
    assert_eq!(later.status, StatusCode::OK, "{}", later.body);
    let restarted = Merchant { test: m.test.restarted().await, books: m.books.clone(), key: m.key.clone() };
    let again = restarted.write(Method::POST, "clock", &headers, body).await;
    assert_eq!((again.line(), again.header("idempotency-replayed")), (later.line(), "true"));
    let other = restarted.write(Method::POST, "clock", &headers, r#"{"now":"2026-03-27T00:00:00Z"}"#).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", other.body);
}
