//! What is around every request: unknown routes and methods, limits, panics, counters.

use crate::fixtures::harness::TestApp;
use crate::fixtures::world::World;
use http::Method;
use server::app::Limits;
use server::body::Body;
use server::face::Face;
use server::faces::plain;
use server::middleware::Service;
use std::time::Duration;

#[tokio::test]
async fn each_face_answers_for_its_paths() {
    let test = TestApp::new().await;
    let ask = async |method: Method, target: &str| test.send(method, target, &[], "").await;
    for (target, line) in [
        ("/api/v1/profile/other", "404 {\"code\":404,\"message\":\"Not Found\"}"),
        ("/api/v1/profile", "404 {\"code\":404,\"message\":\"Not Found\"}"),
        (
            "/api/v1/admin/payments/a/b",
            "404 {\"message\":\"Not Found\",\"error\":\"Not Found\",\"statusCode\":404}",
        ),
        (
            "/v1/other",
            "404 {\"http_status\":\"not_found\",\"type\":\"not_found\",\"code\":\"not_found\",\
             \"message\":\"Not Found\",\"validation_errors\":[]}",
        ),
        ("/api/v2/other", "404 {\"status_code\":404,\"message\":\"Not found.\"}"),
        ("/other", "404 Not Found\n"),
        ("/v1x", "404 Not Found\n"),
    ] {
        assert_eq!(ask(Method::GET, target).await.line(), line, "{target}");
    }
    let wrong = ask(Method::DELETE, "/api/v1/profile/payments").await;
    assert_eq!(wrong.line(), "405 {\"code\":405,\"message\":\"Method Not Allowed\"}");
    assert_eq!(wrong.header("allow"), "GET,HEAD,POST");
    let wrong = ask(Method::POST, "/v1/periods").await;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, "GET,HEAD"));
    assert_eq!(wrong.json()["http_status"], "method_not_allowed");
    let wrong = ask(Method::PUT, "/api/v1/admin/payments").await;
    assert_eq!((wrong.status.as_u16(), wrong.json()["statusCode"].as_i64()), (405, Some(405)));
    let wrong = ask(Method::PATCH, "/api/v2/platform/organisation/billing/").await;
    assert_eq!(wrong.line(), "405 {\"status_code\":405,\"message\":\"Method Not Allowed\"}");
    let options = ask(Method::OPTIONS, "/api/v1/admin/payments").await;
    assert_eq!((options.line(), options.header("allow")), ("204 ".to_owned(), "GET,HEAD,POST"));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let world = World::new().await;
    let limits = Limits { body_bytes: 100, ..Limits::default() };
    let small = TestApp::with_limits(limits).await;
    let books = small.books("Small", None).await;
    let owner = small.staff_token(books.number, "owner").await;
    let key = small.key(books.number, &[billing::credential::KeyScope::Periods]).await;
    let long = format!("{{\"description\":\"{}\"}}", "x".repeat(100));
    let refused = small.write(Method::POST, "/api/v1/admin/payments", &owner, &[], &long).await;
    assert_eq!(
        refused.line(),
        "413 {\"message\":\"the body is longer than 100 bytes\",\"error\":\"Payload Too Large\",\"statusCode\":413}"
    );
    let target = "/v1/periods/58947505-6474-4baa-8a6f-fcb895a8e57e";
    let refused = small.write(Method::PATCH, target, &key, &[], &long).await;
    assert_eq!((refused.status.as_u16(), refused.json()["code"].as_str()), (413, Some("payload_too_large")));
    let customer = crate::fixtures::seeds::customer(books.number, crate::fixtures::seeds::id(1));
    small.commit(vec![billing::changes::Change::insert(customer.clone())]).await;
    let token = small.customer_token(books.number, customer.id).await;
    let refused = small.write(Method::POST, "/api/v1/profile/payments", &token, &[], &long).await;
    assert_eq!(refused.line(), "413 {\"code\":413,\"message\":\"the body is longer than 100 bytes\"}");
    // Who is not let in is told so first.
    let refused = world.test.write(Method::POST, "/api/v1/admin/payments", "x", &[], &long).await;
    assert_eq!(refused.status, 401);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let test = TestApp::with_limits(Limits { request_time: Duration::ZERO, ..Limits::default() }).await;
    let routes = axum::Router::new().route("/v1/periods", axum::routing::get(std::future::pending::<()>));
    let service = Service::new(test.app().clone(), routes, plain::error);
    let request = http::Request::get("/v1/periods").body(Body::empty()).unwrap();
    let response = service.respond(request).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn a_panic_is_one_answer_and_nothing_more() {
    let test = TestApp::new().await;
    let panics = || async {
        if true {
            panic!("a bug of ours")
        }
    };
    let routes = axum::Router::new().route("/v1/periods", axum::routing::get(panics));
    let service = Service::new(test.app().clone(), routes, plain::error);
    for _ in 0..2 {
        let request = http::Request::get("/v1/periods").body(Body::empty()).unwrap();
        let response = service.respond(request).await;
        assert_eq!(response.status(), 500);
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        assert_eq!(
            body,
            "{\"http_status\":\"internal_server_error\",\"type\":\"internal_server_error\",\
             \"code\":\"internal_server_error\",\"message\":\"Internal Server Error\",\
             \"validation_errors\":[]}"
        );
    }
    let metrics = test.send(Method::GET, "/metrics", &[], "").await;
    assert!(metrics.body.contains("quittance_panics_total 2\n"));
}

#[tokio::test]
async fn a_face_can_fail_in_its_own_words() {
    for (face, wanted) in [
        (Face::AppExperts, "{\"code\":500,\"message\":\"Internal Server Error\"}"),
        (
            Face::Placio,
            "{\"message\":\"Internal Server Error\",\"error\":\"Internal Server Error\",\"statusCode\":500}",
        ),
        (Face::Unpod, "{\"status_code\":500,\"message\":\"Internal Server Error\"}"),
        (Face::Web, "Internal Server Error\n"),
    ] {
        let response = plain::error(face, http::StatusCode::INTERNAL_SERVER_ERROR);
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        assert_eq!(body, wanted);
    }
}

#[tokio::test]
async fn the_operator_is_told() {
    let World { test, ours, .. } = World::new().await;
    test.get("/v1/periods", &ours.periods_key).await;
    test.get("/v1/periods", "x").await;
    let ask = async |target: &str| test.send(Method::GET, target, &[], "").await;
    assert_eq!(ask("/healthz").await.line(), "200 ok\n");
    assert_eq!(ask("/readyz").await.line(), "200 ready\n");
    let metrics = ask("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    for line in [
        "quittance_requests_total{face=\"surecart\",status=\"2xx\"} 1",
        "quittance_requests_total{face=\"surecart\",status=\"4xx\"} 1",
        "quittance_request_seconds_count{face=\"surecart\"} 2",
        "quittance_request_seconds_bucket{face=\"surecart\",le=\"0.0001\"} 2",
        "quittance_answers_made_total 1",
        "quittance_panics_total 0",
    ] {
        assert!(metrics.body.lines().any(|found| found == line), "{line} is missing in\n{}", metrics.body);
    }
    assert!(!metrics.body.contains(&ours.periods_key));
    let ids =
        [ask("/healthz").await, ask("/healthz").await].map(|answer| answer.header("x-request-id").to_owned());
    assert_ne!(ids[0], ids[1]);
}
