//! What can be written, and that writing it again changes nothing.

use super::{Merchant, text};
use http::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_customer_is_made_read_changed_and_put_away() {
    let m = Merchant::new().await;
    let made = m.customer("c").await;
    let keys: Vec<_> = made.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys.join(" "),
        "id createdAt updatedAt livemode organizationId email name invoiceNumberBase archived logoURL iconURL \
         domain billingAddress externalId userId catalogId handle zone"
    );
    assert_eq!(made["createdAt"], "2026-01-01T00:00:00.000Z");
    let base = text(&made["invoiceNumberBase"]);
    assert!(base.len() == 7 && base.bytes().all(|b| b"ABCDEF0123456789".contains(&b)), "{base}");
    let edit = json!({"customer": {"name": "Ada King", "zone": "Europe/London", "handle": "ada.example",
        "logoURL": "https://example.com/l.png"}});
    let changed = m.put("customers/c", &edit).await.json()["customer"].clone();
    assert_eq!((&changed["name"], &changed["zone"]), (&json!("Ada King"), &json!("Europe/London")));
    assert_eq!((&changed["id"], &changed["email"]), (&made["id"], &made["email"]));
    let cleared = m.put("customers/c", &json!({"customer": {"logoURL": null}})).await.json();
    assert_eq!(cleared["customer"]["logoURL"], Value::Null);
    assert_eq!(cleared["customer"]["handle"], "ada.example");
    assert_eq!(m.made("customers/c/archive", json!({})).await["customer"]["archived"], true);
    assert_eq!(m.read("customers/c").await["customer"]["archived"], true);
}

#[tokio::test]
async fn creates_are_safe_to_repeat_by_their_natural_keys() {
    let m = Merchant::new().await;
    m.customer("c").await;
    let product = json!({"product": {"name": "Pro", "slug": "pro"},
        "price": {"type": "subscription", "unitPrice": 5, "intervalUnit": "month", "slug": "pro-monthly"}});
    let id = text(&m.made("products", product.clone()).await["product"]["id"]);
    let yearly = json!({"price": {"type": "subscription", "unitPrice": 50, "intervalUnit": "year",
        "slug": "pro-yearly", "productId": id}});
    let card = json!({"paymentMethod": {"customerExternalId": "c", "token": "tok_visa"}});
    let discount = json!({"discount": {"name": "D", "code": "D", "amountType": "fixed", "amount": 5,
        "duration": "once"}});
    let rate = json!({"taxRate": {"taxType": "vat", "country": "de", "percentage": "19"}});
    for (path, body, other) in [
        (
            "customers",
            json!({"customer": {"externalId": "c", "name": "Ada Lovelace", "email": "ada@example.com"}}),
            json!({"customer": {"externalId": "c", "name": "Bob", "email": "ada@example.com"}}),
        ),
        (
            "catalogs",
            json!({"catalog": {"name": "Next"}}),
            json!({"catalog": {"name": "Next", "isDefault": true}}),
        ),
        ("products", product.clone(), json!({"product": {"name": "Other", "slug": "pro"}})),
        (
            "prices",
            yearly.clone(),
            json!({"price": {"type": "subscription", "unitPrice": 51, "intervalUnit": "year",
                "slug": "pro-yearly", "productId": id}}),
        ),
        (
            "payment-methods",
            card.clone(),
            json!({"paymentMethod": {"customerExternalId": "c", "token": "tok_visa", "metadata": {"a": 1}}}),
        ),
        (
            "discounts",
            discount.clone(),
            json!({"discount": {"name": "D", "code": "D", "amountType": "fixed", "amount": 6, "duration": "once"}}),
        ),
        (
            "tax-rates",
            rate.clone(),
            json!({"taxRate": {"taxType": "vat", "country": "DE", "percentage": "20"}}),
        ),
    ] {
        let first = m.made(path, body.clone()).await;
        m.until("2026-01-01T00:00:01Z").await;
        assert_eq!(m.made(path, body.clone()).await, first, "{path}");
        let answer = m.post(path, &other).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{path}: {}", answer.body);
        assert_eq!(answer.header("x-should-retry"), "false");
        assert_eq!(answer.json()["code"], "CONFLICT");
    }
    for (list, total) in [("customers", 1), ("products", 1), ("prices", 2), ("payment-methods", 1)] {
        assert_eq!(m.read(list).await["total"], total, "{list}");
    }
}

#[tokio::test]
async fn what_is_made_by_several_at_once_is_made_once() {
    let m = Merchant::new().await;
    let customer = json!({"customer": {"externalId": "c", "name": "Ada", "email": "a@b"}});
    let (a, b, c, d) = tokio::join!(
        m.made("customers", customer.clone()),
        m.made("customers", customer.clone()),
        m.made("customers", customer.clone()),
        m.made("customers", customer.clone()),
    );
    assert!(a == b && b == c && c == d);
    let product = |name: &str| json!({"product": {"name": name, "slug": "same", "default": true}});
    let (one, two) = (product("One"), product("Two"));
    let (one, two) = tokio::join!(m.post("products", &one), m.post("products", &two));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let catalog = |name: &str| json!({"catalog": {"name": name, "isDefault": true}});
    let (one, two, three) = (catalog("One"), catalog("Two"), catalog("Three"));
    tokio::join!(m.made("catalogs", one), m.made("catalogs", two), m.made("catalogs", three));
    let catalogs = m.read("catalogs").await["data"].clone();
    let defaults = catalogs.as_array().unwrap().iter().filter(|row| row["isDefault"] == true).count();
    assert_eq!(defaults, 1);
    let card =
        |token: &str| json!({"paymentMethod": {"customerExternalId": "c", "token": token, "default": true}});
    let (one, two) = (card("tok_visa"), card("tok_mastercard"));
    tokio::join!(m.made("payment-methods", one), m.made("payment-methods", two));
    let methods = m.read("payment-methods").await["data"].clone();
    assert_eq!(methods.as_array().unwrap().iter().filter(|row| row["default"] == true).count(), 1);
}

#[tokio::test]
async fn a_name_that_is_taken() {
    let m = Merchant::new().await;
    for id in ["a", "b"] {
        m.customer(id).await;
        m.put(&format!("customers/{id}"), &json!({"customer": {"handle": format!("{id}.example")}})).await;
    }
    for edit in [json!({"externalId": "a"}), json!({"handle": "a.example"})] {
        let answer = m.put("customers/b", &json!({"customer": edit})).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
    }
    let own = m.put("customers/b", &json!({"customer": {"externalId": "b", "handle": "b.example"}})).await;
    assert_eq!(own.status, StatusCode::OK);
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_request() {
    let m = Merchant::new().await;
    m.customer("c").await;
    m.card("c", "tok_visa").await;
    let once = json!({"product": {"name": "Once"}, "price": {"type": "single_payment", "unitPrice": 5}});
    let once = text(&m.made("products", once).await["product"]["defaultPrice"]["id"]);
    let body = json!({"purchase": {"customerExternalId": "c", "priceId": once}}).to_string();
    let other = json!({"purchase": {"customerExternalId": "c", "priceId": once, "quantity": 2}}).to_string();
    let keyed = [("idempotency-key", "k1")];
    let first = m.write(Method::POST, "purchases", &keyed, &body).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (StatusCode::OK, ""));
    let again = m.write(Method::POST, "purchases", &keyed, &body).await;
    assert_eq!((again.line(), again.header("idempotency-replayed")), (first.line(), "true"));
    let reused = m.write(Method::POST, "purchases", &keyed, &other).await;
    assert_eq!(reused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reused.body);
    assert_eq!(reused.json()["code"], "UNPROCESSABLE_CONTENT");
    // Another process knows it from the books, and renders the same answer.
    let restarted = Merchant { test: m.test.restarted().await, books: m.books.clone(), key: m.key.clone() };
    let after = restarted.write(Method::POST, "purchases", &keyed, &body).await;
    assert_eq!((after.line(), after.header("idempotency-replayed")), (first.line(), "true"));
    let reused = restarted.write(Method::POST, "purchases", &keyed, &other).await;
    assert_eq!(reused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(m.read("purchases").await["total"], 1);
    m.write(Method::POST, "purchases", &[("idempotency-key", "k2")], &body).await;
    assert_eq!(m.read("purchases").await["total"], 2);
    for bad in ["", " ", &"k".repeat(256)] {
        let answer = m.write(Method::POST, "purchases", &[("idempotency-key", bad)], &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad:?}: {}", answer.body);
    }
    assert_eq!(m.read("purchases").await["total"], 2);
}

#[tokio::test]
async fn every_write_takes_an_idempotency_key() {
    let m = Merchant::new().await;
    m.customer("c").await;
    let price = m.monthly("pro", 1_000, "USD").await;
    let product = text(&m.read("products").await["data"][0]["id"]);
    let catalog = text(&m.read("catalogs").await["data"][0]["id"]);
    let card = json!({"paymentMethod": {"customerExternalId": "c", "token": "tok_visa"}});
    let repeat = async |n: usize, method: Method, path: &str, body: Value| {
        let key = format!("key-{n}");
        let headers = [("idempotency-key", key.as_str())];
        let first = m.write(method.clone(), path, &headers, &body.to_string()).await;
        assert_eq!(first.status, StatusCode::OK, "{path}: {}", first.body);
        let again = m.write(method.clone(), path, &headers, &body.to_string()).await;
        assert_eq!((again.line(), again.header("idempotency-replayed")), (first.line(), "true"), "{path}");
        let other = m.write(method, path, &headers, "{\"another\":1}").await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", other.body);
        first.json()
    };
    repeat(0, Method::POST, "payment-methods", card).await;
    let new = json!({"customerExternalId": "c", "priceId": price});
    let made = repeat(1, Method::POST, "subscriptions", new).await;
    let id = text(&made["subscription"]["id"]);
    let payment = text(&m.read("payments").await["data"][0]["id"]);
    let method = text(&m.read("payment-methods").await["data"][0]["id"]);
    let adjust = json!({"adjustment": {"timing": "at_end_of_current_billing_period",
        "newSubscriptionItems": [{"priceId": price, "quantity": 4}]}});
    let cancel = json!({"cancellation": {"timing": "at_end_of_current_billing_period"}});
    let discount = json!({"discount": {"name": "D", "code": "D", "amountType": "percent", "amount": 5,
        "duration": "once"}});
    let discount = text(&repeat(2, Method::POST, "discounts", discount).await["discount"]["id"]);
    let lines = json!({"invoice": {"customerExternalId": "c"}, "invoiceLineItems": [{"price": 5}]});
    let invoice = text(&repeat(3, Method::POST, "invoices", lines).await["invoice"]["id"]);
    for (n, (method, path, body)) in [
        (Method::POST, format!("subscriptions/{id}/adjust"), adjust),
        (Method::POST, format!("subscriptions/{id}/cancel"), cancel),
        (Method::POST, format!("subscriptions/{id}/uncancel"), json!({})),
        (Method::POST, format!("invoices/{invoice}/void"), json!({})),
        (Method::POST, format!("payments/{payment}/refund"), json!({"partialAmount": 5})),
        (Method::PUT, "customers/c".into(), json!({"customer": {"name": "New"}})),
        (Method::PUT, format!("products/{product}"), json!({"product": {"name": "New"}})),
        (Method::PUT, format!("prices/{price}"), json!({"price": {"name": "New"}})),
        (Method::PUT, format!("catalogs/{catalog}"), json!({"catalog": {"name": "New"}})),
        (Method::POST, format!("catalogs/{catalog}/clone"), json!({"name": "Copy"})),
        (Method::PUT, format!("discounts/{discount}"), json!({"discount": {"name": "New"}})),
        (Method::PUT, format!("payment-methods/{method}"), json!({"paymentMethod": {"default": true}})),
        (Method::POST, "customers/c/tokens".into(), json!({})),
        (
            Method::POST,
            "tax-rates".into(),
            json!({"taxRate": {"taxType": "vat", "country": "DE", "percentage": 7}}),
        ),
        (Method::POST, "customers/c/archive".into(), json!({})),
    ]
    .into_iter()
    .enumerate()
    {
        repeat(10 + n, method, &path, body).await;
    }
    let refunded = m.read(&format!("payments/{payment}")).await;
    assert_eq!(refunded["payment"]["refundedAmount"], 5, "refunded once");
}

#[tokio::test]
async fn a_subscription_lives_through_its_verbs() {
    let m = Merchant::new().await;
    m.customer("c").await;
    let card = m.card("c", "tok_visa").await;
    let price = m.monthly("pro", 3_100, "USD").await;
    let body = json!({"customerExternalId": "c", "priceId": price, "quantity": 2, "name": "Ours",
        "defaultPaymentMethodId": card, "startDate": "2026-01-01T00:00:00Z", "metadata": {"a": [1, {"b": null}]},
        "interval": "month", "intervalCount": 1});
    let made = m.made("subscriptions", body).await["subscription"].clone();
    let id = text(&made["id"]);
    assert_eq!((&made["status"], &made["name"]), (&json!("active"), &json!("Ours")));
    assert_eq!(made["metadata"], json!({"a": [1, {"b": null}]}));
    assert_eq!(made["currentBillingPeriodEnd"], "2026-02-01T00:00:00.000Z");
    assert_eq!(made["subscriptionItems"][0]["quantity"], 2);
    m.until("2026-01-16T12:00:00Z").await;
    let more = json!({"adjustment": {"timing": "immediately", "prorateCurrentBillingPeriod": true,
        "newSubscriptionItems": [{"priceId": price, "quantity": 4}]}});
    let adjusted = m.made(&format!("subscriptions/{id}/adjust"), more).await;
    assert_eq!(adjusted["subscriptionItems"][0]["quantity"], 4);
    let invoices = m.read(&format!("invoices?subscriptionId={id}")).await;
    assert_eq!(invoices["data"][1]["total"], 3_100, "half a month of two more");
    assert_eq!(invoices["data"][1]["type"], "subscription", "the contract has no other word for it");
    let less = json!({"adjustment": {"timing": "at_end_of_current_billing_period",
        "newSubscriptionItems": [{"priceId": price, "quantity": 1}]}});
    let scheduled = m.made(&format!("subscriptions/{id}/adjust"), less).await["subscription"].clone();
    assert_eq!(scheduled["subscriptionItems"][0]["quantity"], 4);
    assert_eq!(scheduled["scheduledSubscriptionItems"][0]["quantity"], 1);
    m.until("2026-02-01T00:00:00Z").await;
    let renewed = m.read(&format!("subscriptions/{id}")).await["subscription"].clone();
    assert_eq!(renewed["subscriptionItems"][0]["quantity"], 1);
    assert_eq!(renewed["scheduledSubscriptionItems"], json!([]));
    let cancel = json!({"cancellation": {"timing": "at_end_of_current_billing_period"}});
    let ending = m.made(&format!("subscriptions/{id}/cancel"), cancel.clone()).await["subscription"].clone();
    assert_eq!(ending["status"], "cancellation_scheduled");
    assert_eq!(ending["cancelScheduledAt"], "2026-03-01T00:00:00.000Z");
    assert_eq!((&ending["canceledAt"], &ending["current"]), (&Value::Null, &json!(true)));
    let kept = m.made(&format!("subscriptions/{id}/uncancel"), json!({})).await["subscription"].clone();
    assert_eq!((&kept["status"], &kept["cancelScheduledAt"]), (&json!("active"), &Value::Null));
    let date = json!({"cancellation": {"timing": "at_future_date", "endDate": "2026-02-10T00:00:00Z"}});
    m.made(&format!("subscriptions/{id}/cancel"), date).await;
    m.until("2026-03-01T00:00:00Z").await;
    let ended = m.read(&format!("subscriptions/{id}")).await["subscription"].clone();
    assert_eq!((&ended["status"], &ended["current"]), (&json!("canceled"), &json!(false)));
    assert_eq!(ended["canceledAt"], "2026-02-10T00:00:00.000Z");
    assert_eq!(m.read(&format!("invoices?subscriptionId={id}")).await["total"], 3);
}

#[tokio::test]
async fn discounts_are_percent_or_fixed_and_last_as_long_as_they_say() {
    let m = Merchant::new().await;
    let price = m.monthly("pro", 1_001, "USD").await;
    for (code, kind, amount, duration, payments, wanted) in [
        ("HALF", "percent", 50, "once", None, vec![500, 1_001, 1_001]),
        ("TWO", "fixed", 301, "number_of_payments", Some(2), vec![700, 700, 1_001]),
        ("ALL", "fixed", 5_000, "forever", None, vec![0, 0, 0]),
    ] {
        let mut discount = json!({"name": code, "code": code, "amountType": kind, "amount": amount,
            "duration": duration});
        if let Some(payments) = payments {
            discount["numberOfPayments"] = json!(payments);
        }
        m.made("discounts", json!({"discount": discount})).await;
        m.customer(code).await;
        m.card(code, "tok_visa").await;
        let new = json!({"customerExternalId": code, "priceId": price, "discountCode": code});
        m.made("subscriptions", new).await;
        assert_eq!(wanted.len(), 3);
    }
    m.until("2026-03-01T00:00:00Z").await;
    for (code, wanted) in [("HALF", [500, 1_001, 1_001]), ("TWO", [700, 700, 1_001]), ("ALL", [0, 0, 0])] {
        let invoices = m.read(&format!("invoices?customerExternalId={code}")).await;
        let totals: Vec<_> =
            invoices["data"].as_array().unwrap().iter().map(|row| row["total"].as_i64().unwrap()).collect();
        assert_eq!(totals, wanted, "{code}");
    }
}

#[tokio::test]
async fn a_catalog_is_made_copied_and_made_the_default() {
    let m = Merchant::new().await;
    m.monthly("pro", 1_000, "USD").await;
    let first = m.read("catalogs/default").await["catalog"].clone();
    let copy = m.made(&format!("catalogs/{}/clone", text(&first["id"])), json!({"name": "Copy"})).await;
    let copy = copy["catalog"].clone();
    assert_eq!((&copy["name"], &copy["isDefault"]), (&json!("Copy"), &json!(false)));
    let (of, was) = (&copy["products"][0], &first["products"][0]);
    assert_eq!((&of["name"], &of["slug"]), (&was["name"], &was["slug"]));
    assert_ne!(of["id"], was["id"]);
    assert_eq!(of["prices"][0]["unitPrice"], 1_000);
    let id = text(&copy["id"]);
    let changed = m.put(&format!("catalogs/{id}"), &json!({"catalog": {"isDefault": true}})).await;
    assert_eq!(changed.json()["catalog"]["isDefault"], true);
    assert_eq!(m.read("catalogs/default").await["catalog"]["id"], copy["id"]);
    let was = m.read(&format!("pricing-models/{}", text(&first["id"]))).await["pricingModel"].clone();
    assert_eq!(was["isDefault"], false);
    m.customer("c").await;
    assert_eq!(m.read("customers/c/billing").await["catalog"]["id"], copy["id"]);
    let own = json!({"customer": {"catalogId": first["id"]}});
    assert_eq!(m.put("customers/c", &own).await.status, StatusCode::OK);
    assert_eq!(m.read("customers/c/billing").await["catalog"]["id"], first["id"]);
}

#[tokio::test]
async fn only_one_price_is_the_default() {
    let m = Merchant::new().await;
    let first = m.monthly("pro", 1_000, "USD").await;
    let product = text(&m.read("products").await["data"][0]["id"]);
    let second = json!({"price": {"type": "subscription", "unitPrice": 9_000, "intervalUnit": "year",
        "productId": product, "isDefault": true, "currency": "JPY"}});
    let second = m.made("prices", second).await["price"].clone();
    assert_eq!(second["currency"], "JPY");
    let shown = m.read(&format!("products/{product}")).await;
    assert_eq!(shown["defaultPrice"]["id"], second["id"]);
    assert_eq!(shown["prices"][0]["isDefault"], false);
    let back = json!({"price": {"isDefault": true, "unitPrice": 1_000, "type": "subscription"}});
    assert_eq!(m.put(&format!("prices/{first}"), &back).await.status, StatusCode::OK);
    assert_eq!(m.read(&format!("products/{product}")).await["defaultPrice"]["id"], first);
}

#[tokio::test]
async fn a_customers_person_gets_a_token_that_opens_its_own_payments() {
    let m = Merchant::new().await;
    m.customer("c").await;
    let made =
        m.made("customers/c/tokens", json!({"email": "bob@example.com", "expiresInSeconds": 3_600})).await;
    let token = text(&made["token"]);
    assert_eq!((&made["tokenType"], &made["customerExternalId"]), (&json!("Bearer"), &json!("c")));
    assert_eq!(made["expiresAt"], "2026-03-20T13:00:00.000Z", "by the real clock");
    let headers = [("authorization", format!("bearer {token}"))];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let own = m.test.send(Method::GET, "/api/v1/profile/payments", &headers, "").await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.body);
    let merchant = m.test.send(Method::GET, "/api/v1/customers/c/billing", &headers, "").await;
    assert_eq!(merchant.status, StatusCode::UNAUTHORIZED);
    let again = m.made("customers/c/tokens", json!({"email": "bob@example.com"})).await;
    assert_eq!(again["userId"], made["userId"], "the same person");
    assert_ne!(again["token"], made["token"]);
}

#[tokio::test]
async fn invoices_of_ones_own_lines() {
    let m = Merchant::new().await;
    m.customer("c").await;
    let body = json!({"invoice": {"customerExternalId": "c", "currency": "KWD", "memo": "Thanks"},
        "invoiceLineItems": [{"description": "Hours", "price": 12_345, "quantity": 3, "type": "static"},
                             {"description": "Less", "price": -45}]});
    let made = m.made("invoices", body).await;
    let invoice = &made["invoice"];
    assert_eq!((&invoice["total"], &invoice["status"]), (&json!(36_990), &json!("open")));
    assert_eq!((&invoice["currency"], &invoice["memo"]), (&json!("KWD"), &json!("Thanks")));
    assert_eq!((&invoice["type"], &invoice["invoiceNumber"]), (&json!("standalone"), &json!("INV-00001")));
    assert_eq!(made["invoiceLineItems"].as_array().unwrap().len(), 2);
    let line = text(&made["invoiceLineItems"][0]["id"]);
    assert_eq!(m.read(&format!("invoice-line-items/{line}")).await["price"], 12_345);
    let id = text(&invoice["id"]);
    let void = m.made(&format!("invoices/{id}/void"), json!({})).await;
    assert_eq!(void["invoice"]["status"], "void");
    m.card("c", "tok_visa").await;
    let charged = json!({"charge": true, "invoice": {"customerExternalId": "c"},
        "invoiceLineItems": [{"price": 500}]});
    let charged = m.made("invoices", charged).await["invoice"].clone();
    assert_eq!((&charged["status"], &charged["invoiceNumber"]), (&json!("paid"), &json!("INV-00002")));
}

#[tokio::test]
async fn the_first_payment_method_is_the_default_until_another_is() {
    let m = Merchant::new().await;
    m.customer("c").await;
    let make = async |token: &str| {
        let body = json!({"paymentMethod": {"customerExternalId": "c", "token": token,
            "billingDetails": {"name": "Ada", "address": {"country": "GB", "city": "London"}}}});
        m.made("payment-methods", body).await["paymentMethod"].clone()
    };
    let first = make("tok_visa").await;
    let second = make("tok_sepa").await;
    assert_eq!((&first["default"], &second["default"]), (&json!(true), &json!(false)));
    assert_eq!((&second["type"], &first["type"]), (&json!("sepa_debit"), &json!("card")));
    let details = json!({"name": "Ada", "email": null, "address": {"name": null, "address": {
        "line1": null, "line2": null, "city": "London", "state": null, "postal_code": null, "country": "GB"}}});
    assert_eq!(first["billingDetails"], details);
    assert!(!first.to_string().contains("tok_visa"), "the token is never shown");
    let id = text(&second["id"]);
    let changed = m.put(&format!("payment-methods/{id}"), &json!({"paymentMethod": {"default": true}})).await;
    assert_eq!(changed.json()["paymentMethod"]["default"], true);
    let list = m.read("payment-methods?customerExternalId=c").await;
    let defaults: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|row| row["default"].clone()).collect();
    assert_eq!(defaults, [json!(false), json!(true)]);
}
