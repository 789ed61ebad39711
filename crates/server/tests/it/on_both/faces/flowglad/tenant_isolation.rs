//! What one merchant has is not there for another.

use super::{Merchant, text};
use billing::credential::KeyScope;
use http::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn no_id_opens_another_organizations_books() {
    let m = Merchant::new().await;
    m.customer("c").await;
    let method = m.card("c", "tok_visa").await;
    let price = m.monthly("pro", 1_000, "USD").await;
    let once = json!({"product": {"name": "Once"}, "price": {"type": "single_payment", "unitPrice": 5}});
    let once = text(&m.made("products", once).await["product"]["defaultPrice"]["id"]);
    let discount = json!({"discount": {"name": "D", "code": "D", "amountType": "percent", "amount": 5,
        "duration": "forever"}});
    let discount = text(&m.made("discounts", discount).await["discount"]["id"]);
    let made = m.made("subscriptions", json!({"customerExternalId": "c", "priceId": price})).await;
    let subscription = text(&made["subscription"]["id"]);
    let bought = json!({"purchase": {"customerExternalId": "c", "priceId": once}});
    let purchase = text(&m.made("purchases", bought).await["purchase"]["id"]);
    let customer = text(&m.read("customers/c").await["customer"]["id"]);
    let invoice = text(&m.read("invoices").await["data"][0]["id"]);
    let line = text(&m.read("invoice-line-items").await["data"][0]["id"]);
    let payment = text(&m.read("payments").await["data"][0]["id"]);
    let product = text(&m.read("products").await["data"][0]["id"]);
    let catalog = text(&m.read("catalogs").await["data"][0]["id"]);
    let before = m.get("customers/c/billing").await.body;

    let others = m.test.books("Other", Some("2026-01-01T00:00:00Z")).await;
    let key = m.test.key(others.number, &[KeyScope::Merchant]).await;
    for path in [
        "customers/c".to_owned(),
        "customers/c/billing".to_owned(),
        format!("products/{product}"),
        format!("prices/{price}"),
        format!("catalogs/{catalog}"),
        format!("discounts/{discount}"),
        format!("subscriptions/{subscription}"),
        format!("invoices/{invoice}"),
        format!("invoice-line-items/{line}"),
        format!("payments/{payment}"),
        format!("payment-methods/{method}"),
        format!("purchases/{purchase}"),
    ] {
        let answer = m.test.get(&format!("/api/v1/{path}"), &key).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.body);
    }
    for list in [
        "customers",
        "products",
        "prices",
        "discounts",
        "tax-rates",
        "subscriptions",
        "invoices",
        "invoice-line-items",
        "payments",
        "payment-methods",
        "purchases",
    ] {
        for filter in [
            String::new(),
            format!("?customerId={customer}"),
            format!("?subscriptionId={subscription}"),
            format!("?invoiceId={invoice}"),
            format!("?productId={product}"),
        ] {
            let answer = m.test.get(&format!("/api/v1/{list}{filter}"), &key).await;
            assert_eq!(answer.body, r#"{"data":[],"hasMore":false,"total":0}"#, "{list}{filter}");
        }
    }
    let cancel = json!({"cancellation": {"timing": "immediately"}});
    let adjust =
        json!({"adjustment": {"timing": "immediately", "newSubscriptionItems": [{"priceId": price}]}});
    for (method, path, body) in [
        (Method::PUT, "customers/c".to_owned(), json!({"customer": {"name": "Mine"}})),
        (Method::POST, "customers/c/archive".to_owned(), json!({})),
        (Method::POST, "customers/c/tokens".to_owned(), json!({})),
        (Method::PUT, format!("products/{product}"), json!({"product": {"name": "Mine"}})),
        (Method::PUT, format!("prices/{price}"), json!({"price": {"active": false}})),
        (Method::PUT, format!("catalogs/{catalog}"), json!({"catalog": {"name": "Mine"}})),
        (Method::POST, format!("catalogs/{catalog}/clone"), json!({"name": "Mine"})),
        (Method::PUT, format!("discounts/{discount}"), json!({"discount": {"name": "Mine"}})),
        (Method::PUT, format!("payment-methods/{method}"), json!({"paymentMethod": {"default": true}})),
        (Method::POST, format!("subscriptions/{subscription}/cancel"), cancel),
        (Method::POST, format!("subscriptions/{subscription}/uncancel"), json!({})),
        (Method::POST, format!("subscriptions/{subscription}/adjust"), adjust),
        (Method::POST, format!("invoices/{invoice}/void"), json!({})),
        (Method::POST, format!("payments/{payment}/refund"), json!({})),
    ] {
        let answer = m.test.write(method, &format!("/api/v1/{path}"), &key, &[], &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.body);
    }
    // Another organization's ids inside of a body are no ids of these books.
    let own = r#"{"customer":{"externalId":"own","name":"O","email":"o@example.com"}}"#;
    m.test.write(Method::POST, "/api/v1/customers", &key, &[], own).await;
    for (path, body) in [
        (
            "customers",
            json!({"customer": {"externalId": "n", "name": "N", "email": "n@b", "catalogId": catalog}}),
        ),
        ("products", json!({"product": {"name": "N", "catalogId": catalog}})),
        ("prices", json!({"price": {"type": "single_payment", "unitPrice": 1, "productId": product}})),
        ("subscriptions", json!({"customerExternalId": "own", "priceId": price})),
        ("subscriptions", json!({"customerId": customer, "priceId": price})),
        ("purchases", json!({"purchase": {"customerExternalId": "own", "priceId": once}})),
        ("payment-methods", json!({"paymentMethod": {"customerId": customer, "token": "tok_visa"}})),
        ("invoices", json!({"invoice": {"customerId": customer}, "invoiceLineItems": [{"price": 1}]})),
        (
            "invoices",
            json!({"invoice": {"customerExternalId": "own"},
            "invoiceLineItems": [{"price": 1, "priceId": price}]}),
        ),
    ] {
        let path = format!("/api/v1/{path}");
        let answer = m.test.write(Method::POST, &path, &key, &[], &body.to_string()).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{path} {body}: {}", answer.line());
    }
    assert_eq!(m.get("customers/c/billing").await.body, before, "nothing of it has moved");
}

#[tokio::test]
async fn the_same_external_id_is_another_customer_elsewhere() {
    let m = Merchant::new().await;
    let mine = m.customer("same").await;
    let others = m.test.books("Other", None).await;
    let key = m.test.key(others.number, &[KeyScope::Merchant]).await;
    let body = r#"{"customer":{"externalId":"same","name":"Other","email":"o@example.com"}}"#;
    let theirs = m.test.write(Method::POST, "/api/v1/customers", &key, &[], body).await.json();
    assert_ne!(theirs["data"]["customer"]["id"], mine["id"]);
    for (key, name) in [(&key, "Other"), (&m.key, "Ada Lovelace")] {
        let answer = m.test.get("/api/v1/customers/same/billing", key).await.json();
        assert_eq!(answer["customer"]["name"], name);
    }
}
