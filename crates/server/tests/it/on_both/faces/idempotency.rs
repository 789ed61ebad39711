//! Writes that are repeated with their `Idempotency-Key`.

use crate::fixtures::harness::{Answer, TestApp};
use crate::fixtures::world::{House, World};
use billing::id::Id;
use http::Method;
use server::spelling::{hex24, uuid};

const TARGET: &str = "/api/v1/admin/payments";

fn body(house: &House, amount: &str) -> String {
    format!(
        "{{\"workspaceId\":\"{}\",\"paymentType\":\"sms\",\"amount\":{amount},\"paymentMethod\":\"cash\"}}",
        hex24(house.payer.id.raw())
    )
}

async fn post(test: &TestApp, token: &str, key: &str, body: &str) -> Answer {
    test.write(Method::POST, TARGET, token, &[("idempotency-key", key)], body).await
}

async fn count(test: &TestApp, house: &House) -> i64 {
    let list = test.get(&format!("{TARGET}?isManual=true"), &house.viewer).await.json();
    list["pagination"]["total"].as_i64().unwrap()
}

#[tokio::test]
async fn the_same_answer_and_one_effect() {
    let World { test, ours, theirs } = World::new().await;
    let first = post(&test, &ours.owner, "k-1", &body(&ours, "5")).await;
    assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (201, ""));
    test.set_now(test.now().plus_seconds(60).unwrap());
    for test in [&test, &test.restarted().await] {
        let again = post(test, &ours.owner, "k-1", &body(&ours, "5")).await;
        assert_eq!((again.line(), again.header("idempotency-replayed")), (first.line(), "true"));
    }
    // Saved, it is the same even when the payment has been changed since.
    assert_eq!(test.app().requests.save(&test.engine).await.unwrap(), 1);
    assert_eq!(test.app().requests.save(&test.engine).await.unwrap(), 0);
    let target = format!("{TARGET}/{}", first.json()["id"].as_str().unwrap());
    let edited = test.write(Method::PATCH, &target, &ours.owner, &[], "{\"amount\":6}").await;
    assert_eq!(edited.status, 200);
    for test in [&test, &test.restarted().await] {
        assert_eq!(post(test, &ours.owner, "k-1", &body(&ours, "5")).await.line(), first.line());
    }
    assert_eq!(count(&test, &ours).await, 1);
    // Keys of different environments have nothing to do with each other.
    assert_eq!(post(&test, &theirs.owner, "k-1", &body(&theirs, "5")).await.status, 201);
    assert_eq!(count(&test, &theirs).await, 1);
}

#[tokio::test]
async fn another_request_with_the_key_is_refused() {
    let World { test, ours, .. } = World::new().await;
    let first = post(&test, &ours.owner, "k", &body(&ours, "5")).await;
    let refused = "422 {\"message\":\"this Idempotency-Key was used for another request\",\
                   \"error\":\"Unprocessable Entity\",\"statusCode\":422}";
    for test in [&test, &test.restarted().await] {
        assert_eq!(post(test, &ours.owner, "k", &body(&ours, "5.01")).await.line(), refused);
        let target = format!("{TARGET}/{}", first.json()["id"].as_str().unwrap());
        let headers = [("idempotency-key", "k")];
        assert_eq!(test.write(Method::DELETE, &target, &ours.owner, &headers, "").await.line(), refused);
    }
    assert_eq!(count(&test, &ours).await, 1);
}

#[tokio::test]
async fn what_was_refused_may_be_tried_again() {
    let World { test, ours, .. } = World::new().await;
    let unknown = body(&ours, "5").replace(&hex24(ours.payer.id.raw()), "507f1f77bcf86cd799439011");
    assert_eq!(post(&test, &ours.owner, "k", &unknown).await.status, 404);
    assert_eq!(post(&test, &ours.owner, "k", &body(&ours, "5")).await.status, 201);
}

#[tokio::test]
async fn keys_that_cannot_be() {
    let World { test, ours, .. } = World::new().await;
    let long = "x".repeat(256);
    for key in ["", " ", "caf\u{e9}", &long] {
        let refused = post(&test, &ours.owner, key, &body(&ours, "5")).await;
        assert_eq!(
            refused.line(),
            "400 {\"statusCode\":400,\"message\":[\"Idempotency-Key must be 1 to 255 printable ASCII characters\"],\
             \"error\":\"Bad Request\"}"
        );
    }
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    let refused = test.write(Method::POST, TARGET, &ours.owner, &twice, &body(&ours, "5")).await;
    assert_eq!(refused.status, 400);
    assert_eq!(post(&test, &ours.owner, &"x".repeat(255), &body(&ours, "5")).await.status, 201);
}

#[tokio::test]
async fn without_a_key_every_request_counts() {
    let World { test, ours, .. } = World::new().await;
    for _ in 0..2 {
        assert_eq!(test.write(Method::POST, TARGET, &ours.owner, &[], &body(&ours, "5")).await.status, 201);
    }
    assert_eq!(count(&test, &ours).await, 2);
}

#[tokio::test]
async fn many_at_once_have_one_effect() {
    let World { test, ours, .. } = World::new().await;
    let other = test.restarted().await;
    let body = body(&ours, "5");
    let requests = (0..40).map(|n| {
        let test = if n % 2 == 0 { &test } else { &other };
        post(test, &ours.owner, "k", &body)
    });
    let answers = all(requests).await;
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty());
    assert!(made.iter().all(|answer| answer.body == made[0].body));
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(
            answer.line(),
            "409 {\"message\":\"a request with this Idempotency-Key is still being processed\",\
             \"error\":\"Conflict\",\"statusCode\":409}"
        );
        assert_eq!((answer.header("retry-after"), answer.header("x-should-retry")), ("1", "true"));
    }
    assert_eq!(count(&test, &ours).await, 1);
}

/// Waits for all futures, which go on side by side.
async fn all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        let mut pending = false;
        for (future, outcome) in &mut waiting {
            if outcome.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *outcome = Some(value),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    waiting.into_iter().filter_map(|(_, outcome)| outcome).collect()
}

#[tokio::test]
async fn edits_deletions_and_periods_too() {
    let World { test, ours, .. } = World::new().await;
    let made = post(&test, &ours.owner, "make", &body(&ours, "5")).await.json();
    let payment = format!("{TARGET}/{}", made["id"].as_str().unwrap());
    let period = format!("/v1/periods/{}", uuid(ours.subscription.period_id.raw()));
    let owed = format!("/v1/periods/{}/retry_payment", uuid(ours.owed.period_id.raw()));
    for (method, target, token, key, body) in [
        (Method::PATCH, &payment, &ours.owner, "edit", "{\"amount\":7}"),
        (Method::PATCH, &period, &ours.periods_key, "move", "{\"period\":{\"end_at\":1790000000}}"),
        (Method::PATCH, &owed, &ours.periods_key, "retry", ""),
        (Method::DELETE, &payment, &ours.owner, "delete", ""),
    ] {
        let headers = [("idempotency-key", key)];
        let first = test.write(method.clone(), target, token, &headers, body).await;
        assert!(first.status.is_success(), "{key}: {}", first.body);
        let again = test.write(method.clone(), target, token, &headers, body).await;
        assert_eq!((again.line(), again.header("idempotency-replayed")), (first.line(), "true"), "{key}");
        let restarted = test.restarted().await.write(method, target, token, &headers, body).await;
        assert_eq!(restarted.line(), first.line(), "{key}");
    }
}

#[tokio::test]
async fn keys_are_forgotten_after_a_week() {
    let World { test, ours, .. } = World::new().await;
    assert_eq!(post(&test, &ours.owner, "k", &body(&ours, "5")).await.status, 201);
    test.app().requests.save(&test.engine).await.unwrap();
    assert_eq!(test.engine.forget_requests(test.now().plus_days(6).unwrap()).await, Ok(0));
    assert_eq!(test.engine.forget_requests(test.now().plus_days(8).unwrap()).await, Ok(1));
    assert_eq!(post(&test, &ours.owner, "k", &body(&ours, "6")).await.status, 201);
}
