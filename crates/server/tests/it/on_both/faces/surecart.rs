//! Contract 003: billing periods.

use crate::fixtures::seeds::at;
use crate::fixtures::world::{World, joined};
use billing::id::Id;
use engine::At;
use http::Method;
use server::spelling::uuid;

const UNAUTHORIZED: &str = "401 {\"http_status\":\"unauthorized\",\"type\":\"unauthorized\",\
     \"code\":\"unauthorized\",\"message\":\"Invalid API token provided\",\"validation_errors\":[]}";

#[tokio::test]
async fn a_paid_and_a_failed_period() {
    let World { test, ours, .. } = World::new().await;
    let answer = test.get("/v1/periods", &ours.periods_key).await;
    let json = answer.json();
    assert_eq!(json["pagination"].to_string(), r#"{"count":2,"limit":20,"page":1,"url":"/v1/periods"}"#);
    let (failed, paid) = (&json["data"][0], &json["data"][1]);
    assert_eq!(paid["status"], "paid");
    assert_eq!(paid["subscription"], uuid(ours.subscription.id.raw()).to_string());
    assert_eq!(paid["price"], uuid(ours.price.id.raw()).to_string());
    assert_eq!(paid["start_at"], joined().seconds());
    assert_eq!(paid["end_at"], at("2026-04-01T10:00:00Z").seconds());
    assert_eq!(paid["next_payment_retry_at"], serde_json::Value::Null);
    assert_eq!(failed["status"], "payment_failed");
    assert_eq!(failed["subscription"], uuid(ours.owed.id.raw()).to_string());
    assert_eq!(failed["payment_retry_count"], 0);
    assert_eq!(failed["next_payment_retry_at"], at("2026-03-04T10:00:00Z").seconds());
    assert_eq!(failed["renewal"], false);
}

#[tokio::test]
async fn who_is_not_let_in() {
    let World { test, ours, .. } = World::new().await;
    let get = async |headers: &[(&str, &str)]| test.send(Method::GET, "/v1/periods", headers, "").await;
    let bare = get(&[]).await;
    assert_eq!(bare.line(), UNAUTHORIZED);
    assert_eq!(bare.header("www-authenticate"), "Bearer");
    let as_basic = format!("Basic {}", ours.periods_key);
    for value in ["Bearer", "Bearer x", "Bearer qk_test_0000000000000000000000000000", &as_basic, "x y z"] {
        assert_eq!(get(&[("authorization", value)]).await.line(), UNAUTHORIZED, "{value}");
    }
    for token in [&ours.payer_token, &ours.owner] {
        assert_eq!(test.get("/v1/periods", token).await.line(), UNAUTHORIZED);
    }
    assert_eq!(
        test.get("/v1/periods", &ours.merchant_key).await.line(),
        "403 {\"http_status\":\"forbidden\",\"type\":\"forbidden\",\"code\":\"forbidden\",\
         \"message\":\"The API token does not have the periods scope\",\"validation_errors\":[]}"
    );
    let any_case = format!("bEaReR {}", ours.periods_key);
    assert_eq!(get(&[("authorization", &any_case)]).await.status, 200);
    let id = test.app().authenticate(&ours.periods_key).await.unwrap().credential;
    test.engine.revoke_credential(At::new(test.now(), ours.books.number), id).await.unwrap();
    assert_eq!(test.get("/v1/periods", &ours.periods_key).await.line(), UNAUTHORIZED);
}

#[tokio::test]
async fn parameters() {
    let World { test, ours, theirs } = World::new().await;
    let get = async |query: &str| test.get(&format!("/v1/periods?{query}"), &ours.periods_key).await;
    let wrong = |attribute: &str, kind: &str, message: &str| {
        format!(
            "422 {{\"http_status\":\"unprocessable_entity\",\"type\":\"{kind}\",\
             \"code\":\"period.{attribute}.{kind}\",\"message\":\"{message}\",\"validation_errors\":\
             [{{\"attribute\":\"{attribute}\",\"type\":\"{kind}\",\"code\":\"period.{attribute}.{kind}\",\
             \"options\":{{}},\"message\":\"{message}\"}}]}}"
        )
    };
    let all = get("page=0&limit=0&ids[]=x&subscription_ids[]=y").await.json();
    let named: Vec<_> =
        all["validation_errors"].as_array().unwrap().iter().map(|e| &e["attribute"]).collect();
    assert_eq!(named, ["page", "limit", "ids", "subscription_ids"]);
    assert_eq!(all["code"], "period.page.inclusion");
    let limit = "limit must be a whole number from 1 to 100";
    let page = "page must be a whole number of at least 1";
    for (query, attribute, kind, message) in [
        ("limit=0", "limit", "inclusion", limit),
        ("limit=101", "limit", "inclusion", limit),
        ("limit=-1", "limit", "inclusion", limit),
        ("limit=", "limit", "not_a_number", limit),
        ("limit=ten", "limit", "not_a_number", limit),
        ("limit=1.5", "limit", "not_a_number", limit),
        ("page=0", "page", "inclusion", page),
        ("page=%FF", "page", "not_a_number", page),
        ("page=99999999999999999999", "page", "not_a_number", page),
        ("ids[]=x", "ids", "invalid", "ids[] must be UUIDs"),
        ("ids[]=", "ids", "invalid", "ids[] must be UUIDs"),
        ("subscription_ids%5B%5D=1", "subscription_ids", "invalid", "subscription_ids[] must be UUIDs"),
    ] {
        assert_eq!(get(query).await.line(), wrong(attribute, kind, message), "{query}");
    }
    let past = get("page=9223372036854775807&limit=100").await;
    assert_eq!(
        past.line(),
        "200 {\"object\":\"list\",\"pagination\":{\"count\":2,\"limit\":100,\"page\":9223372036854775807,\
         \"url\":\"/v1/periods\"},\"data\":[]}"
    );
    let count = async |query: &str| {
        let json = get(query).await.json();
        (json["pagination"]["count"].as_i64().unwrap(), json["data"].as_array().unwrap().len())
    };
    let (paid, owed) = (uuid(ours.subscription.period_id.raw()), uuid(ours.owed.period_id.raw()));
    let (subscription, theirs_) = (uuid(ours.subscription.id.raw()), uuid(theirs.subscription.id.raw()));
    assert_eq!(count("limit=7&limit=1&unknown=x").await, (2, 1), "the last of what is repeated counts");
    assert_eq!(count(&format!("ids[]={paid}&ids%5B%5D={owed}")).await, (2, 2));
    assert_eq!(count(&format!("ids[]={paid}&ids[]={paid}")).await, (1, 1));
    assert_eq!(count(&format!("ids[]={}", paid.to_string().to_uppercase())).await, (1, 1));
    assert_eq!(count(&format!("subscription_ids[]={subscription}")).await, (1, 1));
    assert_eq!(count(&format!("subscription_ids[]={subscription}&ids[]={owed}")).await, (0, 0));
    assert_eq!(
        count(&format!("subscription_ids[]={subscription}&subscription_ids[]={theirs_}")).await,
        (1, 1)
    );
    assert_eq!(count(&format!("ids[]={paid}&ids[]={owed}&limit=1&page=2")).await, (2, 1));
    assert_eq!(count(&format!("ids[]={paid}&page=5")).await, (1, 0));
}

#[tokio::test]
async fn one_period() {
    let World { test, ours, theirs } = World::new().await;
    let id = uuid(ours.subscription.period_id.raw()).to_string();
    let listed = test.get(&format!("/v1/periods?ids[]={id}"), &ours.periods_key).await.json();
    let read = test.get(&format!("/v1/periods/{id}"), &ours.periods_key).await;
    assert_eq!(read.json(), listed["data"][0]);
    let not_found = |id: &str| {
        format!(
            "404 {{\"http_status\":\"not_found\",\"type\":\"not_found\",\"code\":\"period.not_found\",\
             \"message\":\"Unable to find period with id='{id}'\",\"validation_errors\":[]}}"
        )
    };
    let foreign = uuid(theirs.subscription.period_id.raw()).to_string();
    for id in ["x", &foreign, "00000000-0000-0000-0000-000000000000"] {
        let read = test.get(&format!("/v1/periods/{id}"), &ours.periods_key).await;
        assert_eq!(read.line(), not_found(id));
    }
    let odd = test.get("/v1/periods/%22%FF", &ours.periods_key).await;
    assert_eq!(odd.line(), not_found("\\\"\u{fffd}"));
}

#[tokio::test]
async fn a_renewal_is_moved() {
    let World { test, ours, .. } = World::new().await;
    let target = format!("/v1/periods/{}", uuid(ours.subscription.period_id.raw()));
    let patch = async |body: &str| test.write(Method::PATCH, &target, &ours.periods_key, &[], body).await;
    let end = at("2026-05-15T00:00:00Z").seconds();
    let moved = patch(&format!("{{\"period\":{{\"end_at\":{end}}}}}")).await;
    assert_eq!(moved.status, 200, "{}", moved.body);
    assert_eq!(moved.json()["end_at"], end);
    let subscription = test.engine.subscription(ours.books.number, ours.subscription.id).await.unwrap();
    assert_eq!(subscription.period.end.seconds(), end);
    for (body, status, code) in [
        ("", 400, "request.body.invalid"),
        ("{", 400, "request.body.invalid"),
        ("{}", 400, "period.blank"),
        ("[]", 400, "period.blank"),
        ("{\"period\":{}}", 422, "period.end_at.blank"),
        ("{\"period\":{\"end_at\":null}}", 422, "period.end_at.blank"),
        ("{\"period\":{\"end_at\":\"tomorrow\"}}", 422, "period.end_at.not_a_number"),
        ("{\"period\":{\"end_at\":1.5}}", 422, "period.end_at.not_a_number"),
        ("{\"period\":{\"end_at\":99999999999999999}}", 422, "period.end_at.not_a_number"),
        ("{\"period\":{\"end_at\":32503680000}}", 422, "period.end_at.too_late"),
        ("{\"period\":{\"end_at\":1767225600}}", 422, "period.end_at.greater_than_or_equal_to"),
    ] {
        let refused = patch(body).await;
        assert_eq!(
            (refused.status.as_u16(), refused.json()["code"].as_str().unwrap()),
            (status, code),
            "{body}"
        );
    }
}

#[tokio::test]
async fn only_the_current_period_can_be_moved() {
    let World { test, ours, .. } = World::new().await;
    test.engine.run_due(ours.books.number, at("2026-04-02T00:00:00Z")).await.unwrap();
    let target = format!("/v1/periods/{}", uuid(ours.subscription.period_id.raw()));
    let body = format!("{{\"period\":{{\"end_at\":{}}}}}", at("2026-06-01").seconds());
    let refused = test.write(Method::PATCH, &target, &ours.periods_key, &[], &body).await;
    assert_eq!((refused.status.as_u16(), refused.json()["code"].as_str()), (422, Some("period.invalid")));
}

#[tokio::test]
async fn a_payment_is_asked_for_once_more() {
    let World { test, ours, .. } = World::new().await;
    let retry = async |id: u128| {
        let target = format!("/v1/periods/{}/retry_payment", uuid(id));
        test.write(Method::PATCH, &target, &ours.periods_key, &[], "").await
    };
    let failed = retry(ours.owed.period_id.raw()).await;
    assert_eq!(failed.status, 200, "{}", failed.body);
    let json = failed.json();
    assert_eq!(
        (json["status"].as_str(), json["payment_retry_count"].as_i64()),
        (Some("payment_failed"), Some(0))
    );
    let paid = retry(ours.subscription.period_id.raw()).await;
    assert_eq!((paid.status.as_u16(), paid.json()["code"].as_str()), (422, Some("period.invalid")));
}
