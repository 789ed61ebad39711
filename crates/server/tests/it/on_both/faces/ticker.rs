//! What a server does by itself: the books of one organization do not keep those of others waiting.

use crate::fixtures::harness::{TestApp, serve, time};
use crate::fixtures::world::{House, World};
use engine::Of;
use server::serve::ServeOptions;
use std::time::Duration;
use store::pages::CursorPage;

/// How many payments the customer who pays has made.
async fn payments(test: &TestApp, house: &House) -> usize {
    let (of, window) = (Of::Customer(house.payer.id), CursorPage { after: None, limit: 10 });
    test.engine.payments(house.books.number, of, |_| true, window).await.unwrap().rows.len()
}

#[tokio::test]
async fn books_that_cannot_be_billed_keep_no_others_waiting() {
    let World { test, ours, theirs } = World::new().await;
    assert!(ours.books.number < theirs.books.number, "ours come first");
    let state = |word: &str| {
        format!("update subscriptions set status = '{word}' where environment = {}", ours.books.number)
    };
    test.tamper(&state("of no kind")).await;
    test.set_now(time("2026-04-02T00:00:00Z"));
    let options = ServeOptions { tick: Some(Duration::from_millis(10)), ..ServeOptions::default() };
    let (serving, stop) = serve(&test, options).await;
    testbed::until("the others are billed", async || payments(&test, &theirs).await == 2).await;
    assert_eq!(payments(&test, &ours).await, 1);
    // It is tried again at each tick.
    test.tamper(&state("active")).await;
    testbed::until("ours are billed", async || payments(&test, &ours).await == 2).await;
    assert_eq!(payments(&test, &theirs).await, 2);
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
