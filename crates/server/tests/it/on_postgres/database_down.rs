//! A database that takes connections and says nothing, and one that is away: every face says so in time,
//! and goes on when it is back.

use crate::fixtures::harness::serve;
use crate::fixtures::harness::{Answer, TestApp};
use crate::fixtures::world::World;
use billing::id::Id;
use http::{Method, StatusCode};
use server::app::Limits;
use server::serve::ServeOptions;
use server::spelling::hex24;
use std::time::Duration;
use testbed::{Books, Wire, until};

/// Long before work gives up looking for a database: half a minute, and three times that for one that is
/// silent.
const SOON: Duration = Duration::from_secs(20);

async fn world() -> (World, Wire) {
    let books = Books::postgres().await;
    let wire = Wire::to(books.address());
    (World::on(TestApp::on(books.by_way_of(&wire)).await).await, wire)
}

/// A question to each of the five faces.
async fn ask_all(test: &TestApp, world: &World) -> Vec<Answer> {
    let ours = &world.ours;
    let member = format!("jwt {}", ours.payer_token);
    let member = [("authorization", member.as_str()), ("org-handle", ours.payer.handle.as_deref().unwrap())];
    let billing = format!("/api/v1/customers/{}/billing", ours.payer.external_id);
    let (own, all, view, periods, issued) = tokio::join!(
        test.get("/api/v1/profile/payments", &ours.payer_token),
        test.get("/api/v1/admin/payments", &ours.owner),
        test.get(&billing, &ours.merchant_key),
        test.get("/v1/periods", &ours.periods_key),
        test.send(Method::GET, "/api/v2/platform/organisation/billing/", &member, ""),
    );
    vec![own, all, view, periods, issued]
}

async fn all_are_given(test: &TestApp, world: &World) -> bool {
    ask_all(test, world).await.iter().all(|answer| answer.status == 200)
}

#[tokio::test]
async fn a_database_that_falls_silent_is_told_in_time_by_every_face() {
    told_in_time(Wire::silence).await;
}

#[tokio::test]
async fn a_database_that_is_away_is_told_in_time_by_every_face() {
    told_in_time(Wire::take_down).await;
}

async fn told_in_time(hinder: fn(&Wire, bool)) {
    let (world, wire) = world().await;
    // One process has asked all of it before, the other one has to connect yet.
    assert!(all_are_given(&world.test, &world).await);
    let limits = Limits { request_time: Duration::from_millis(500), ..Limits::default() };
    let [warm, cold] =
        [world.test.restarted_with(limits.clone()).await, world.test.restarted_with(limits).await];
    until("it has asked all of it", async || all_are_given(&warm, &world).await).await;
    hinder(&wire, true);
    for test in [&warm, &cold] {
        let answers = ask_all(test, &world).await;
        let told: Vec<String> = answers.iter().map(Answer::line).collect();
        assert_eq!(
            told,
            [
                "503 {\"code\":503,\"message\":\"Service Unavailable\"}",
                "503 {\"message\":\"Service Unavailable\",\"error\":\"Service Unavailable\",\"statusCode\":503}",
                "503 {\"error\":\"Service Unavailable\",\"code\":\"SERVICE_UNAVAILABLE\",\
                 \"message\":\"Service Unavailable\"}",
                "503 {\"http_status\":\"service_unavailable\",\"type\":\"service_unavailable\",\
                 \"code\":\"service_unavailable\",\"message\":\"Service Unavailable\",\
                 \"validation_errors\":[]}",
                "503 {\"status_code\":503,\"message\":\"Service Unavailable\"}",
            ]
        );
        assert!(answers.iter().all(|answer| matches!(answer.header("retry-after"), "1" | "2")));
        assert_eq!(test.send(Method::GET, "/healthz", &[], "").await.status, StatusCode::OK);
        assert_eq!(test.send(Method::GET, "/readyz", &[], "").await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    hinder(&wire, false);
    for test in [&warm, &cold] {
        until("it goes on", async || all_are_given(test, &world).await).await;
    }
}

#[tokio::test]
async fn a_write_into_silence_can_be_repeated_and_has_one_effect() {
    let (world, wire) = world().await;
    let limits = Limits { request_time: Duration::from_millis(500), ..Limits::default() };
    let hasty = world.test.restarted_with(limits).await;
    let target = "/api/v1/admin/payments";
    let body = format!(
        "{{\"workspaceId\":\"{}\",\"paymentType\":\"sms\",\"amount\":5,\"paymentMethod\":\"cash\"}}",
        hex24(world.ours.payer.id.raw())
    );
    let write = async |test: &TestApp| {
        let headers = [("idempotency-key", "once")];
        test.write(Method::POST, target, &world.ours.owner, &headers, &body).await
    };
    wire.silence(true);
    let told = write(&hasty).await;
    assert_eq!((told.status.as_u16(), told.header("retry-after")), (503, "2"));
    wire.silence(false);
    let made = write(&world.test).await;
    assert_eq!(made.status, 201, "{}", made.line());
    // Whatever the first one had sent has arrived by now, or never will.
    let again = write(&world.test).await;
    assert_eq!((again.line(), again.header("idempotency-replayed")), (made.line(), "true"));
    let list = world.test.get(&format!("{target}?isManual=true"), &world.ours.viewer).await.json();
    assert_eq!(list["pagination"]["total"], 1);
}

#[tokio::test]
async fn a_database_that_falls_silent_holds_up_no_server_that_is_to_stop() {
    stopped_in_time(Wire::silence).await;
}

#[tokio::test]
async fn a_database_that_is_away_holds_up_no_server_that_is_to_stop() {
    stopped_in_time(Wire::take_down).await;
}

async fn stopped_in_time(hinder: fn(&Wire, bool)) {
    let (world, wire) = world().await;
    let options = ServeOptions { parting: Duration::from_secs(1), ..ServeOptions::default() };
    let (serving, stop) = serve(&world.test, options).await;
    let store = world.test.engine.store();
    until("it has leases to give back", async || !store.holdings().await.unwrap().is_empty()).await;
    // Its use is yet to be noted, too.
    assert_eq!(world.test.get("/v1/periods", &world.ours.periods_key).await.status, StatusCode::OK);
    hinder(&wire, true);
    stop.send(()).unwrap();
    let stopped = tokio::time::timeout(SOON, serving).await;
    assert!(matches!(stopped, Ok(Ok(Ok(())))), "it waits for the database: {stopped:?}");
}
