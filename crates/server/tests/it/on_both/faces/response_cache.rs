//! Answers that are given again: never one that is older than a write whose writer was told.

use crate::fixtures::harness::TestApp;
use crate::fixtures::seeds::at;
use crate::fixtures::world::World;
use billing::changes::Change;
use billing::id::Id;
use engine::At;
use http::Method;
use server::app::Limits;
use server::spelling::{hex24, uuid};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

const LIST: &str = "/api/v1/admin/payments";

#[tokio::test]
async fn an_answer_is_given_again_until_something_changes() {
    let World { test, ours, theirs } = World::new().await;
    let first = test.get(LIST, &ours.viewer).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() > 10);
    assert_eq!(first.header("cache-control"), "private, no-cache");
    let (hits, misses) = test.app().response_cache.counts();
    let again = test.get(LIST, &ours.viewer).await;
    assert_eq!((again.line(), again.header("etag")), (first.line(), tag.as_str()));
    assert_eq!(test.app().response_cache.counts(), (hits + 1, misses));
    // Another person with the permission gets the same, one without it is still refused.
    assert_eq!(test.get(LIST, &ours.owner).await.header("etag"), tag);
    assert_eq!(test.get(LIST, &ours.guest).await.status, 403);
    // What others do changes nothing.
    let cash = |house: &crate::fixtures::world::House| {
        format!(
            "{{\"workspaceId\":\"{}\",\"paymentType\":\"sms\",\"amount\":1,\"paymentMethod\":\"cash\"}}",
            hex24(house.payer.id.raw())
        )
    };
    assert_eq!(test.write(Method::POST, LIST, &theirs.owner, &[], &cash(&theirs)).await.status, 201);
    assert_eq!(test.get(LIST, &ours.viewer).await.header("etag"), tag);
    assert_eq!(test.write(Method::POST, LIST, &ours.owner, &[], &cash(&ours)).await.status, 201);
    let changed = test.get(LIST, &ours.viewer).await;
    assert_ne!(changed.header("etag"), tag);
    assert_eq!(changed.json()["pagination"]["total"], 2);
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let World { test, ours, .. } = World::new().await;
    let tag = test.get(LIST, &ours.viewer).await.header("etag").to_owned();
    let authorization = format!("Bearer {}", ours.viewer);
    let ask = async |method: Method, target: &str, tags: &str| {
        let headers = [("authorization", authorization.as_str()), ("if-none-match", tags)];
        test.send(method, target, &headers, "").await
    };
    for tags in [tag.clone(), format!("\"x\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
        let known = ask(Method::GET, LIST, &tags).await;
        assert_eq!((known.line(), known.header("etag")), ("304 ".to_owned(), tag.as_str()), "{tags}");
    }
    assert_eq!(ask(Method::GET, LIST, "\"x\"").await.status, 200);
    // The tag of one page says nothing about another, nor about another process.
    assert_eq!(ask(Method::GET, &format!("{LIST}?page=2"), &tag).await.status, 200);
    let headers = [("authorization", authorization.as_str()), ("if-none-match", tag.as_str())];
    assert_eq!(test.restarted().await.send(Method::GET, LIST, &headers, "").await.status, 200);
    let head = ask(Method::HEAD, LIST, "\"x\"").await;
    assert_eq!((head.line(), head.header("etag")), ("200 ".to_owned(), tag.as_str()));
    assert_ne!(head.header("content-length"), "0");
}

#[tokio::test]
async fn a_change_of_the_catalog_or_the_clock_is_seen() {
    let test = TestApp::new().await;
    let books = test.books("Test", Some("2026-03-20T12:00:00Z")).await;
    let window = store::pages::CursorPage { after: None, limit: 1 };
    let catalog = test.engine.catalogs(books.number, window).await.unwrap().rows[0].id;
    let product = crate::fixtures::seeds::product(books.number, 1, catalog);
    let price = crate::fixtures::seeds::price(&product, 2, 1_500, billing::currency::Currency::USD);
    let customer = crate::fixtures::seeds::customer(books.number, crate::fixtures::seeds::id(3));
    test.commit(vec![
        Change::insert(product.clone()),
        Change::insert(price.clone()),
        Change::insert(customer.clone()),
        Change::insert(crate::fixtures::world::card(&customer, 4, "tok_visa")),
    ])
    .await;
    let items = vec![engine::SubscribeItem { price: price.id, quantity: 1 }];
    let new = engine::Subscribe { items, ..Default::default() };
    let now = at("2026-03-20T12:00:00Z");
    let subscription = test.engine.subscribe(At::new(now, books.number), customer.id, new).await.unwrap();
    let token = test.customer_token(books.number, customer.id).await;
    let newest = async || {
        test.get("/api/v1/profile/payments", &token).await.json()["data"]["items"][0]["subscription_log"]
            .clone()
    };
    let log = newest().await;
    assert_eq!(
        (&log["is_expired"], &log["subscription_plan"]["plan_name"]),
        (&false.into(), &"Professional Plan".into())
    );
    test.commit(vec![Change::update(
        price.clone(),
        billing::catalog::Price { name: Some("Renamed".into()), ..price },
    )])
    .await;
    assert_eq!(newest().await["subscription_plan"]["plan_name"], "Renamed");
    let at_once = billing::subscription::cancel::CancelAt::Now;
    test.engine.cancel(At::new(now, books.number), subscription.subscription.id, at_once).await.unwrap();
    assert_eq!(
        (newest().await["is_period_expired"].clone(), newest().await["is_expired"].clone()),
        (true.into(), false.into())
    );
    test.engine.advance_clock(books.number, at("2026-03-23T12:00:00Z")).await.unwrap();
    assert_eq!(newest().await["is_expired"], true);
}

#[tokio::test]
async fn little_memory_keeps_little() {
    let test = TestApp::with_limits(Limits { cache_bytes: 64 << 10, ..Limits::default() }).await;
    let books = test.books("Small", None).await;
    let viewer = test.staff_token(books.number, "viewer").await;
    for round in 0..2 {
        for page in 1..=500 {
            let answer = test.get(&format!("{LIST}?page={page}"), &viewer).await;
            assert_eq!(
                (answer.status.as_u16(), answer.json()["pagination"]["page"].as_i64()),
                (200, Some(page)),
                "{round}"
            );
        }
    }
    let none = TestApp::with_limits(Limits { cache_bytes: 0, ..Limits::default() }).await;
    let books = none.books("None", None).await;
    let viewer = none.staff_token(books.number, "viewer").await;
    for _ in 0..3 {
        assert_eq!(none.get(LIST, &viewer).await.status, 200);
    }
    assert_eq!(none.app().response_cache.counts(), (0, 3));
}

/// Writers add payments one after the other and note how many have been acknowledged; readers ask all
/// faces at the same time and must never see fewer than were acknowledged before they asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn never_stale() {
    let World { test, ours, .. } = World::new().await;
    let (test, ours) = (Arc::new(test), Arc::new(ours));
    let acknowledged = Arc::new(AtomicI64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for _ in 0..4 {
        let (test, ours) = (test.clone(), ours.clone());
        let (acknowledged, done) = (acknowledged.clone(), done.clone());
        readers.push(tokio::spawn(async move {
            let workspace = hex24(ours.debtor.id.raw());
            let targets = [
                format!("{LIST}?isManual=true&limit=1"),
                format!("{LIST}?workspaceId={workspace}&isManual=true&limit=1"),
            ];
            let mut reads = 0_i64;
            while !done.load(Ordering::SeqCst) || reads == 0 {
                for target in &targets {
                    let known = acknowledged.load(Ordering::SeqCst);
                    let seen = test.get(target, &ours.viewer).await.json();
                    let seen = seen["pagination"]["total"].as_i64().unwrap();
                    assert!(seen >= known, "{seen} seen after {known} were acknowledged");
                    reads += 1;
                }
                tokio::task::yield_now().await;
            }
            reads
        }));
    }
    let cash = format!(
        "{{\"workspaceId\":\"{}\",\"paymentType\":\"sms\",\"amount\":1,\"paymentMethod\":\"cash\"}}",
        hex24(ours.debtor.id.raw())
    );
    let period = uuid(ours.owed.period_id.raw());
    let debtor = test.customer_token(ours.books.number, ours.debtor.id).await;
    let authorization = format!("jwt {debtor}");
    let headers =
        [("authorization", authorization.as_str()), ("org-handle", ours.debtor.handle.as_deref().unwrap())];
    for n in 1..=200 {
        assert_eq!(test.write(Method::POST, LIST, &ours.owner, &[], &cash).await.status, 201);
        acknowledged.store(n, Ordering::SeqCst);
        // The fifteenth dollar pays what was owed: the period knows it in the same instant.
        let read = test.get(&format!("/v1/periods/{period}"), &ours.periods_key).await.json();
        assert_eq!(read["status"], if n < 15 { "payment_failed" } else { "paid" }, "after {n}");
        let own = test.get("/api/v1/profile/payments", &debtor).await.json();
        assert_eq!(own["data"]["items"][0]["status"], if n < 15 { "open" } else { "paid" }, "after {n}");
        let target = "/api/v2/platform/organisation/billing/";
        let issued = test.send(Method::GET, target, &headers, "").await.json();
        assert_eq!(issued["data"][0]["status"], if n < 15 { "pending" } else { "paid" }, "after {n}");
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
    let (hits, _) = test.app().response_cache.counts();
    assert!(hits > 0, "nothing was given again, so nothing was proved");
}
