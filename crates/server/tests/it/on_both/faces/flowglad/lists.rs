//! Lists: oldest first, page by page, with totals.

use super::{Merchant, text};
use engine::At;
use http::StatusCode;
use serde_json::{Value, json};

/// Walks a list page by page and says the field of every row.
async fn walk(m: &Merchant, list: &str, limit: usize, field: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    let with = if list.contains('?') { '&' } else { '?' };
    loop {
        let given = cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = m.read(&format!("{list}{with}limit={limit}{given}")).await;
        assert_eq!(page.get("currentCursor").and_then(Value::as_str), cursor.as_deref());
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= limit);
        all.extend(rows.iter().map(|row| row[field].clone()));
        cursor = page.get("nextCursor").map(text);
        assert_eq!(page["hasMore"], cursor.is_some());
        if cursor.is_none() {
            assert_eq!(page["total"], all.len());
            return all;
        }
    }
}

#[tokio::test]
async fn every_row_comes_once_whatever_the_limit() {
    let m = Merchant::new().await;
    for n in 0..23 {
        m.customer(&format!("c{n}")).await;
    }
    let wanted: Vec<Value> = (0..23).map(|n| json!(format!("c{n}"))).collect();
    for limit in [1, 7, 22, 23, 24, 100] {
        assert_eq!(walk(&m, "customers", limit, "externalId").await, wanted);
    }
    let page = m.read("customers").await;
    assert_eq!((page["data"].as_array().unwrap().len(), &page["total"]), (10, &json!(23)));
    assert_eq!(
        page.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["data", "nextCursor", "hasMore", "total"]
    );
}

#[tokio::test]
async fn a_row_that_comes_meanwhile_is_not_missed() {
    let m = Merchant::new().await;
    for n in 0..4 {
        m.customer(&format!("c{n}")).await;
    }
    let page = m.read("customers?limit=3").await;
    m.customer("late").await;
    let rest = m.read(&format!("customers?limit=3&cursor={}", text(&page["nextCursor"]))).await;
    let names: Vec<_> = rest["data"].as_array().unwrap().iter().map(|row| text(&row["externalId"])).collect();
    assert_eq!(names, ["c3", "late"]);
    assert_eq!((&rest["total"], &rest["hasMore"]), (&json!(5), &json!(false)));
}

#[tokio::test]
async fn every_list_has_its_rows() {
    let m = Merchant::new().await;
    let price = m.monthly("pro", 1_000, "USD").await;
    m.made("catalogs", json!({"catalog": {"name": "Other"}})).await;
    m.made("tax-rates", json!({"taxRate": {"taxType": "vat", "country": "FR", "percentage": "20"}})).await;
    let discount = json!({"discount": {"name": "D", "code": "D", "amountType": "percent", "amount": 5,
        "duration": "forever"}});
    m.made("discounts", discount).await;
    let once = json!({"price": {"type": "single_payment", "unitPrice": 50, "productId":
        m.read("products").await["data"][0]["id"]}});
    let once = text(&m.made("prices", once).await["price"]["id"]);
    for id in ["a", "b"] {
        m.customer(id).await;
        m.card(id, "tok_visa").await;
        m.made("subscriptions", json!({"customerExternalId": id, "priceId": price})).await;
        m.made("purchases", json!({"purchase": {"customerExternalId": id, "priceId": once}})).await;
    }
    m.until("2026-02-02T00:00:00Z").await;
    for (list, count) in [
        ("catalogs", 2),
        ("pricing-models", 2),
        ("products", 1),
        ("prices", 2),
        ("discounts", 1),
        ("tax-rates", 1),
        ("customers", 2),
        ("payment-methods", 2),
        ("subscriptions", 2),
        ("purchases", 2),
        ("invoices", 6),
        ("invoice-line-items", 6),
        ("payments", 6),
    ] {
        let ids = walk(&m, list, 1, "id").await;
        assert_eq!(ids.len(), count, "{list}");
        let mut sorted = ids.clone();
        sorted.dedup();
        assert_eq!(sorted.len(), count, "{list} repeats a row");
        assert_eq!(walk(&m, list, 100, "id").await, ids, "{list}");
    }
    let a = m.read("customers/a").await["customer"]["id"].clone();
    let a = text(&a);
    let subscription = m.read(&format!("subscriptions?customerId={a}")).await["data"][0]["id"].clone();
    let invoice = m.read(&format!("invoices?customerId={a}")).await["data"][0]["id"].clone();
    let product = m.read("products").await["data"][0]["id"].clone();
    for (list, count) in [
        (format!("payment-methods?customerId={a}"), 1),
        (format!("subscriptions?customerId={a}"), 1),
        (format!("subscriptions?customerId={a}&status=active"), 1),
        (format!("subscriptions?customerId={a}&status=canceled"), 0),
        (format!("purchases?customerId={a}"), 1),
        (format!("invoices?customerId={a}"), 3),
        (format!("invoices?customerId={a}&status=paid"), 3),
        (format!("invoices?customerId={a}&status=draft"), 0),
        (format!("invoices?subscriptionId={}", text(&subscription)), 2),
        (format!("invoice-line-items?invoiceId={}", text(&invoice)), 1),
        (format!("payments?customerId={a}"), 3),
        (format!("payments?customerId={a}&status=succeeded"), 3),
        (format!("payments?customerId={a}&status=failed"), 0),
        ("payments?customerExternalId=b".to_owned(), 3),
        ("payments?customerExternalId=nobody".to_owned(), 0),
        (format!("prices?productId={}", text(&product)), 2),
    ] {
        assert_eq!(walk(&m, &list, 2, "id").await.len(), count, "{list}");
    }
}

#[tokio::test]
async fn a_payment_that_is_taken_back_is_not_counted() {
    let m = Merchant::new().await;
    m.customer("c").await;
    let customer = m.test.engine.customer(m.books.number, "c").await.unwrap();
    let now = m.books.clock.unwrap();
    let new = billing::payment::manual::NewManualPayment {
        category: billing::catalog::Category::Sms,
        amount: billing::money::Money::new(500, billing::currency::Currency::USD),
        means: billing::payment::PaymentChannel::Cash,
        paid_at: now,
        description: None,
        notes: None,
        receipt_image: None,
        created_by: crate::fixtures::seeds::id(77),
    };
    let recorded =
        m.test.engine.record_payment(At::new(now, m.books.number), customer.id, new).await.unwrap();
    let list = m.read("payments").await;
    let row = &list["data"][0];
    assert_eq!((&list["total"], &row["manual"], &row["amount"]), (&json!(1), &json!(true), &json!(500)));
    assert_eq!((&row["invoiceId"], &row["paymentMethod"]), (&Value::Null, &json!("cash")));
    m.test.engine.delete_payment(At::new(now, m.books.number), recorded.payment.id).await.unwrap();
    assert_eq!(m.get("payments").await.body, r#"{"data":[],"hasMore":false,"total":0}"#);
}

#[tokio::test]
async fn limits_and_cursors_that_cannot_be() {
    let m = Merchant::new().await;
    m.customer("c").await;
    let product = m.monthly("pro", 1, "USD").await;
    let mut lines = Vec::new();
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=ten",
        "limit=1.5",
        "limit=99999999999999999999",
        "limit=5&limit=6",
        "cursor=x",
        &format!("cursor={product}"),
        "cursor=%00",
        "status=active",
        "status=nothing",
        "customerId=c",
    ] {
        let answer = m.get(&format!("subscriptions?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        let shown = query.replace(&product, "price_…");
        lines.push(format!("{shown}: {}", answer.line()));
    }
    insta::assert_snapshot!(lines.join("\n"));
    for query in ["limit=100", "limit=1", "limit=", "unknown=1", ""] {
        assert_eq!(m.get(&format!("subscriptions?{query}")).await.status, StatusCode::OK, "{query}");
    }
}
