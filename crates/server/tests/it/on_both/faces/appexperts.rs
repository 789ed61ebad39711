//! Contract 000: what a customer's person sees of its payments.

use crate::fixtures::seeds::{self, at};
use crate::fixtures::world::World;
use billing::changes::Change;
use billing::credential::Bearer;
use billing::currency::Currency;
use billing::customer::Customer;
use billing::id::Id;
use billing::invoice::{Invoice, InvoiceStatus};
use engine::At;
use http::Method;
use server::spelling::uuid;

const TARGET: &str = "/api/v1/profile/payments";

#[tokio::test]
async fn who_is_not_let_in() {
    let World { test, ours, .. } = World::new().await;
    let get = async |headers: &[(&str, &str)]| test.send(Method::GET, TARGET, headers, "").await;
    let bare = get(&[]).await;
    assert_eq!(bare.line(), "401 {\"code\":401,\"message\":\"JWT Token not found\"}");
    assert_eq!(bare.header("www-authenticate"), "Bearer");
    let invalid = "401 {\"code\":401,\"message\":\"Invalid JWT Token\"}";
    for value in ["bearer", "bearer x", "bearer a.b.c", "bearer a b", "Basic abc", "x"] {
        assert_eq!(get(&[("authorization", value)]).await.line(), invalid, "{value}");
    }
    assert_eq!(test.get(TARGET, &ours.merchant_key).await.line(), invalid);
    assert_eq!(
        test.get(TARGET, &ours.owner).await.line(),
        "403 {\"code\":403,\"message\":\"The token is not one of a customer's user\"}"
    );
    let ghost = Bearer::CustomerUser(ours.payer.id, seeds::id(9_999));
    assert_eq!(test.get(TARGET, &test.token(ours.books.number, ghost).await.0).await.line(), invalid);
    for method in [Method::GET, Method::POST] {
        for scheme in ["bearer", "Bearer", "BEARER"] {
            let value = format!("{scheme} {}", ours.payer_token);
            let answer = test.send(method.clone(), TARGET, &[("authorization", &value)], "").await;
            assert_eq!(answer.status, 200);
        }
    }
    let credential = test.app().authenticate(&ours.payer_token).await.unwrap().credential;
    test.set_now(test.now().plus_days(2).unwrap());
    let expired = "401 {\"code\":401,\"message\":\"Expired JWT Token\"}";
    assert_eq!(test.get(TARGET, &ours.payer_token).await.line(), expired);
    test.set_now(test.now().plus_days(-2).unwrap());
    test.engine.revoke_credential(At::new(test.now(), ours.books.number), credential).await.unwrap();
    assert_eq!(test.get(TARGET, &ours.payer_token).await.line(), invalid);
}

#[tokio::test]
async fn only_us_dollars_newest_first() {
    let World { test, ours, .. } = World::new().await;
    let customer = &ours.payer;
    // The customer's second to tenth invoices: every third in rupees.
    let mut in_dollars = 1;
    let mut rows = Vec::new();
    for n in 2..=10_i64 {
        let (currency, place) = if n % 3 == 0 {
            (Currency::INR, n / 3)
        } else {
            in_dollars += 1;
            (Currency::USD, in_dollars)
        };
        let invoice = seeds::invoice(customer, 5_000 + n as u128, n, 100 * n, currency);
        let invoice = Invoice { currency_ordinal: place, ..invoice };
        rows.push(Change::insert(invoice));
    }
    test.commit(rows).await;
    let totals = async |query: &str| {
        let json = test.get(&format!("{TARGET}?{query}"), &ours.payer_token).await.json();
        let items = json["data"]["items"].as_array().unwrap().clone();
        assert!(items.iter().all(|item| item["currency"] == "usd"));
        let totals: Vec<i64> = items.iter().map(|item| item["total"].as_i64().unwrap()).collect();
        let data = &json["data"];
        let flags = (data["has_previous_page"] == true, data["has_next_page"] == true);
        assert_eq!(
            (&data["total_items"], &data["total_pages"]),
            (&7.into(), &if totals.len() > 3 { 1 } else { 3 }.into())
        );
        (totals, flags)
    };
    assert_eq!(totals("").await, (vec![1_000, 800, 700, 500, 400, 200, 1_500], (false, false)));
    assert_eq!(totals("limit=3").await, (vec![1_000, 800, 700], (false, true)));
    assert_eq!(totals("limit=3&page=2").await, (vec![500, 400, 200], (true, true)));
    assert_eq!(totals("page_limit=3&page=3").await, (vec![1_500], (true, false)));
    assert_eq!(totals("limit=3&page=4").await, (vec![], (true, false)));
}

#[tokio::test]
async fn parameters() {
    let World { test, ours, .. } = World::new().await;
    let authorization = format!("bearer {}", ours.payer_token);
    let headers = [("authorization", authorization.as_str())];
    let get = async |query: &str| test.send(Method::GET, &format!("{TARGET}?{query}"), &headers, "").await;
    let post = async |body: &str| test.send(Method::POST, TARGET, &headers, body).await;
    for (query, message) in [
        ("page=0", "page must be a whole number of at least 1"),
        ("page=-1", "page must be a whole number of at least 1"),
        ("page=", "page must be a whole number of at least 1"),
        ("page=one", "page must be a whole number of at least 1"),
        ("page=99999999999999999999", "page must be a whole number of at least 1"),
        ("limit=0", "limit must be a whole number from 1 to 100"),
        ("limit=101", "limit must be a whole number from 1 to 100"),
        ("page_limit=x", "page_limit must be a whole number from 1 to 100"),
    ] {
        let wanted = format!("400 {{\"code\":400,\"message\":\"{message}\"}}");
        assert_eq!(get(query).await.line(), wanted, "{query}");
    }
    let limit = async |query: &str| get(query).await.json()["data"]["page_limit"].as_i64();
    assert_eq!(limit("limit=5&limit=6&unknown=1").await, Some(6), "the last of what is repeated counts");
    assert_eq!(limit("limit=5&page_limit=6").await, Some(5));
    assert_eq!(post("{\"limit\":4,\"page\":\"2\"}").await.json()["data"]["page_limit"], 4);
    assert_eq!(post(" ").await.json()["data"]["current_page"], 1);
    for body in ["{", "[]", "1", "page=1", "\u{0}"] {
        let wanted = "400 {\"code\":400,\"message\":\"The body must be a JSON object or empty\"}";
        assert_eq!(post(body).await.line(), wanted, "{body}");
    }
    assert_eq!(
        post("{\"page\":{}}").await.line(),
        "400 {\"code\":400,\"message\":\"page must be a whole number of at least 1\"}"
    );
    let past = get("page=9223372036854775807").await.json();
    assert_eq!(past["data"]["items"].as_array().unwrap().len(), 0);
    assert_eq!(past["data"]["current_page"], i64::MAX);
}

#[tokio::test]
async fn a_customer_without_invoices() {
    let World { test, ours, .. } = World::new().await;
    let customer = seeds::customer(ours.books.number, seeds::id(7_777));
    test.commit(vec![Change::insert(customer.clone())]).await;
    let token = test.customer_token(ours.books.number, customer.id).await;
    assert_eq!(
        test.get(TARGET, &token).await.line(),
        "200 {\"code\":200,\"message\":\"Customer payments retrieved successfully.\",\"data\":{\"items\":[],\
         \"total_items\":0,\"page_limit\":10,\"has_previous_page\":false,\"has_next_page\":false,\
         \"total_pages\":0,\"current_page\":1}}"
    );
}

#[tokio::test]
async fn flags_follow_the_clock_through_the_days_of_grace() {
    let World { test, ours, .. } = World::new().await;
    let flags = async |now: &str| {
        test.set_now(at(now));
        let token = test.customer_token(ours.books.number, ours.payer.id).await;
        // Asked twice: the second answer may come from memory.
        let first = test.get(TARGET, &token).await;
        assert_eq!(test.get(TARGET, &token).await.body, first.body);
        let log = first.json()["data"]["items"][0]["subscription_log"].clone();
        (log["is_period_expired"] == true, log["is_expired"] == true, log["end_date"].clone())
    };
    let nothing = serde_json::Value::Null;
    assert_eq!(flags("2026-03-20T12:00:00Z").await, (false, false, nothing.clone()));
    assert_eq!(flags("2026-04-01T09:59:59Z").await, (false, false, nothing));
    let ended = serde_json::Value::from("2026-04-01T00:00:00+00:00");
    assert_eq!(flags("2026-04-01T10:00:00Z").await, (true, false, ended.clone()));
    assert_eq!(flags("2026-04-04T09:59:59Z").await, (true, false, ended.clone()));
    assert_eq!(flags("2026-04-04T10:00:00Z").await, (true, true, ended));
}

#[tokio::test]
async fn the_reference_counts_the_invoices_of_a_subscription() {
    let World { test, ours, .. } = World::new().await;
    test.set_now(at("2026-06-15T00:00:00Z"));
    test.engine.run_due(ours.books.number, test.now()).await.unwrap();
    let token = test.customer_token(ours.books.number, ours.payer.id).await;
    let references = async |query: &str| -> Vec<String> {
        let json = test.get(&format!("{TARGET}?{query}"), &token).await.json();
        let items = json["data"]["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["reference"].as_str().unwrap().to_owned()).collect()
    };
    let id = uuid(ours.subscription.id.raw());
    let wanted: Vec<String> = [3, 2, 1, 0].iter().map(|n| format!("{id}-{n}")).collect();
    assert_eq!(references("").await, wanted);
    assert_eq!(references("limit=2&page=2").await, wanted[2..]);
}

#[tokio::test]
async fn what_an_invoice_without_a_subscription_shows() {
    let World { test, ours, .. } = World::new().await;
    let customer = Customer {
        zone: Some("Asia/Kolkata".into()),
        ..seeds::customer(ours.books.number, seeds::id(7_777))
    };
    let invoice = seeds::invoice(&customer, 5_001, 1, 1_234, Currency::USD);
    let invoice = Invoice { status: InvoiceStatus::PartiallyRefunded, refunded: 230, ..invoice };
    let id = invoice.id;
    test.commit(vec![Change::insert(customer.clone()), Change::insert(invoice)]).await;
    let token = test.customer_token(ours.books.number, customer.id).await;
    let body = test.get(TARGET, &token).await.body;
    let item = format!(
        "{{\"amount_due_usd\":12.34,\"amount_refunded_usd\":2.3,\"id\":3,\"reference\":\"{}-0\",\
         \"subscription_log\":null,\"status\":\"paid\",\"currency\":\"usd\",\"period_start\":null,\
         \"total\":1234,\"amount_due\":1234,\"created_at\":\"2026-01-01T05:30:00+05:30\",\
         \"updated_at\":\"2026-01-01T05:30:00+05:30\"}}",
        uuid(id.raw())
    );
    assert!(body.contains(&item), "{body}");
}
