//! Every route with another organization's credentials and ids: nothing of theirs is seen or moved.

use crate::fixtures::world::World;
use billing::id::Id;
use http::Method;
use server::spelling::{hex24, uuid};

#[tokio::test]
async fn nothing_of_others_is_seen_or_moved() {
    let World { test, ours, theirs } = World::new().await;
    let recorded = test
        .write(
            Method::POST,
            "/api/v1/admin/payments",
            &theirs.owner,
            &[],
            &format!(
                "{{\"workspaceId\":\"{}\",\"paymentType\":\"sms\",\"amount\":777.77,\"paymentMethod\":\"cash\"}}",
                hex24(theirs.payer.id.raw())
            ),
        )
        .await
        .json();
    let payment = recorded["id"].as_str().unwrap();
    let before = fingerprint(&test, &theirs).await;

    // Lists hold ours only.
    let period = uuid(theirs.subscription.period_id.raw()).to_string();
    let subscription = uuid(theirs.subscription.id.raw()).to_string();
    for (target, token) in [
        ("/api/v1/profile/payments?limit=100".to_owned(), &ours.payer_token),
        ("/api/v1/admin/payments?limit=100".to_owned(), &ours.owner),
        (format!("/api/v1/admin/payments?workspaceId={}", hex24(theirs.payer.id.raw())), &ours.owner),
        ("/v1/periods?limit=100".to_owned(), &ours.periods_key),
        (format!("/v1/periods?ids[]={period}"), &ours.periods_key),
        (format!("/v1/periods?subscription_ids[]={subscription}"), &ours.periods_key),
    ] {
        let answer = test.get(&target, token).await;
        assert_eq!(answer.status, 200, "{target}");
        for secret in [&period, &subscription, payment, "777.77", &hex24(theirs.payer.id.raw())] {
            assert!(!answer.body.contains(secret as &str), "{target} shows {secret}");
        }
    }

    // Single things are not found.
    let workspace = hex24(theirs.payer.id.raw());
    let cash = format!(
        "{{\"workspaceId\":\"{workspace}\",\"paymentType\":\"sms\",\"amount\":1,\"paymentMethod\":\"cash\"}}"
    );
    let payment = format!("/api/v1/admin/payments/{payment}");
    let end = "{\"period\":{\"end_at\":1900000000}}";
    for (method, target, token, body) in [
        (Method::POST, "/api/v1/admin/payments", &ours.owner, cash.as_str()),
        (Method::PATCH, &payment, &ours.owner, "{\"amount\":1}"),
        (Method::DELETE, &payment, &ours.owner, ""),
        (Method::GET, &format!("/v1/periods/{period}"), &ours.periods_key, ""),
        (Method::PATCH, &format!("/v1/periods/{period}"), &ours.periods_key, end),
        (Method::PATCH, &format!("/v1/periods/{period}/retry_payment"), &ours.periods_key, ""),
    ] {
        let answer = test.write(method.clone(), target, token, &[], body).await;
        assert_eq!(answer.status, 404, "{method} {target}: {}", answer.body);
    }
    let authorization = format!("jwt {}", ours.payer_token);
    let headers =
        [("authorization", authorization.as_str()), ("org-handle", theirs.payer.handle.as_deref().unwrap())];
    let answer = test.send(Method::GET, "/api/v2/platform/organisation/billing/", &headers, "").await;
    assert_eq!(answer.status, 404);

    assert_eq!(fingerprint(&test, &theirs).await, before);
}

/// All that they see themselves.
async fn fingerprint(
    test: &crate::fixtures::harness::TestApp,
    house: &crate::fixtures::world::House,
) -> Vec<String> {
    let mut seen = Vec::new();
    for (target, token) in [
        ("/api/v1/profile/payments?limit=100", &house.payer_token),
        ("/api/v1/admin/payments?limit=100", &house.owner),
        ("/v1/periods?limit=100", &house.periods_key),
    ] {
        seen.push(test.get(target, token).await.line());
    }
    seen
}

#[tokio::test]
async fn one_customer_does_not_see_another() {
    let World { test, ours, .. } = World::new().await;
    let token = test.customer_token(ours.books.number, ours.debtor.id).await;
    let mine = test.get("/api/v1/profile/payments", &token).await.json();
    assert_eq!(mine["data"]["total_items"], 1);
    assert_eq!(mine["data"]["items"][0]["status"], "open");
    let others = test.get("/api/v1/profile/payments", &ours.payer_token).await.json();
    assert_eq!(others["data"]["items"][0]["status"], "paid");
}
