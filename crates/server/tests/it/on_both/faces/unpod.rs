//! Contract 004: an organisation's invoices.

use crate::fixtures::harness::Answer;
use crate::fixtures::seeds::{self, at};
use crate::fixtures::world::World;
use billing::changes::Change;
use billing::credential::Bearer;
use billing::currency::Currency;
use billing::invoice::{Invoice, InvoiceStatus};
use engine::At;
use http::Method;

const TARGET: &str = "/api/v2/platform/organisation/billing/";

async fn ask(world: &World, target: &str, headers: &[(&str, &str)]) -> Answer {
    world.test.send(Method::GET, target, headers, "").await
}

/// What a member of ours gets.
async fn get(world: &World, query: &str, headers: &[(&str, &str)]) -> Answer {
    let authorization = format!("jwt {}", world.ours.payer_token);
    let handle = world.ours.payer.handle.clone().unwrap();
    let mut all = vec![("authorization", authorization.as_str()), ("org-handle", handle.as_str())];
    all.extend_from_slice(headers);
    ask(world, &format!("{TARGET}{query}"), &all).await
}

#[tokio::test]
async fn with_and_without_the_last_slash() {
    let world = World::new().await;
    let handle = world.ours.payer.handle.clone().unwrap();
    let token = &world.ours.payer_token;
    let mut bodies = Vec::new();
    for target in [TARGET, TARGET.trim_end_matches('/')] {
        for scheme in ["jwt", "JWT", "bearer", "Token"] {
            let authorization = format!("{scheme} {token}");
            let headers = [("authorization", authorization.as_str()), ("org-handle", handle.as_str())];
            let answer = ask(&world, target, &headers).await;
            assert_eq!(answer.status, 200, "{target} {scheme}");
            bodies.push(answer.body);
        }
    }
    bodies.dedup();
    assert_eq!(
        bodies,
        ["{\"count\":1,\"status_code\":200,\"message\":\"Billing data fetched successfully\",\"data\":\
          [{\"invoice_number\":\"INV-00001\",\"amount\":\"15.00\",\"tax_amount\":\"0.00\",\"currency\":\"USD\",\
          \"status\":\"paid\",\"charge_type\":\"subscription\",\"invoice_date\":\"2026-03-01T10:00:00Z\",\
          \"due_date\":\"2026-03-08T10:00:00Z\",\"payment_at\":\"2026-03-01T10:00:00Z\"}]}"]
    );
}

#[tokio::test]
async fn who_is_not_let_in() {
    let world = World::new().await;
    let (test, ours) = (&world.test, &world.ours);
    let handle = ours.payer.handle.clone().unwrap();
    let with = async |authorization: &str| {
        let headers = [("authorization", authorization), ("org-handle", handle.as_str())];
        ask(&world, TARGET, &headers).await.line()
    };
    let bare = ask(&world, TARGET, &[("org-handle", &handle)]).await;
    assert_eq!(
        bare.line(),
        "401 {\"status_code\":401,\"message\":\"Authentication credentials were not provided.\"}"
    );
    assert_eq!(bare.header("www-authenticate"), "JWT realm=\"api\"");
    let refused = |message: &str| format!("401 {{\"status_code\":401,\"message\":\"{message}\"}}");
    assert_eq!(with("Basic abc").await, refused("Authentication credentials were not provided."));
    assert_eq!(with("jwt").await, refused("Invalid Authorization header. No credentials provided."));
    let spaces = "Invalid Authorization header. Credentials string should not contain spaces.";
    assert_eq!(with("jwt a b").await, refused(spaces));
    assert_eq!(with("jwt abc").await, refused("Invalid or expired token."));
    assert_eq!(with(&format!("jwt {}x", ours.payer_token)).await, refused("Invalid or expired token."));
    assert_eq!(with(&format!("jwt {}", ours.merchant_key)).await, refused("Invalid or expired token."));
    let not_a_member = "403 {\"status_code\":403,\"message\":\"Forbidden - Invalid organization handle.\"}";
    assert_eq!(with(&format!("jwt {}", ours.owner)).await, not_a_member);
    let ghost = Bearer::CustomerUser(ours.payer.id, seeds::id(9_999));
    let (ghost, _) = test.token(ours.books.number, ghost).await;
    assert_eq!(with(&format!("jwt {ghost}")).await, refused("User not found."));
    let credential = test.app().authenticate(&ours.payer_token).await.unwrap().credential;
    test.set_now(test.now().plus_days(2).unwrap());
    assert_eq!(
        with(&format!("jwt {}", ours.payer_token)).await,
        "403 {\"status_code\":403,\"message\":\"Token has expired.\"}"
    );
    test.set_now(test.now().plus_days(-2).unwrap());
    test.engine.revoke_credential(At::new(test.now(), ours.books.number), credential).await.unwrap();
    assert_eq!(with(&format!("jwt {}", ours.payer_token)).await, refused("Invalid or expired token."));
}

#[tokio::test]
async fn the_organisation_must_be_named_and_be_ones_own() {
    let world = World::new().await;
    let authorization = format!("jwt {}", world.ours.payer_token);
    let with = async |handles: &[&str]| {
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(handles.iter().map(|handle| ("org-handle", *handle)));
        ask(&world, TARGET, &headers).await.line()
    };
    let missing = "400 {\"status_code\":400,\"message\":\"Org-Handle header is required.\"}";
    assert_eq!(with(&[]).await, missing);
    assert_eq!(with(&[" "]).await, missing);
    let unknown = "404 {\"status_code\":404,\"message\":\"Organization not found.\"}";
    assert_eq!(with(&["nobody.example"]).await, unknown);
    assert_eq!(with(&[world.theirs.payer.handle.as_deref().unwrap()]).await, unknown);
    assert_eq!(
        with(&[world.ours.debtor.handle.as_deref().unwrap()]).await,
        "403 {\"status_code\":403,\"message\":\"Forbidden - Invalid organization handle.\"}"
    );
    assert_eq!(
        with(&["a", "b"]).await,
        "400 {\"status_code\":400,\"message\":\"org-handle must be given once, in plain text.\"}"
    );
}

#[tokio::test]
async fn parameters() {
    let world = World::new().await;
    let customer = &world.ours.payer;
    let made = at("2026-03-02T00:00:00Z");
    let rows = (2..=25).map(|n| {
        let invoice = seeds::invoice(customer, 5_000 + n as u128, n, 100, Currency::USD);
        Change::insert(Invoice { invoice_date: made, ..invoice })
    });
    world.test.commit(rows.collect()).await;
    let numbers = async |query: &str| {
        let json = get(&world, query, &[]).await.json();
        assert_eq!(json["count"], 25, "{query}");
        json["data"].as_array().unwrap().len()
    };
    assert_eq!(numbers("").await, 20);
    assert_eq!(numbers("?page=2").await, 5);
    assert_eq!(numbers("?page=0&page_size=0").await, 20);
    assert_eq!(numbers("?page=-1").await, 0);
    assert_eq!(numbers("?page=3").await, 0);
    assert_eq!(numbers("?page=9223372036854775807&page_size=3").await, 0);
    assert_eq!(numbers("?page_size=101").await, 25);
    assert_eq!(numbers("?page_size=2&page_size=3&unknown=1").await, 3);
    let wrong = |message: &str| format!("400 {{\"status_code\":400,\"message\":\"{message}\"}}");
    for (query, message) in [
        ("?page=x", "page must be a whole number."),
        ("?page=", "page must be a whole number."),
        ("?page=1.0", "page must be a whole number."),
        ("?page_size=99999999999999999999", "page_size must be a whole number."),
        ("?page_size=-1", "page_size must be a whole number of at least 0."),
    ] {
        assert_eq!(get(&world, query, &[]).await.line(), wrong(message), "{query}");
    }
}

#[tokio::test]
async fn a_product_is_named_by_its_slug_or_id() {
    let world = World::new().await;
    let product = world.ours.price.product_id;
    let count = async |name: &str| get(&world, "", &[("product-id", name)]).await.json()["count"].as_i64();
    let raw = billing::id::Id::raw(product);
    let spellings = [
        "professional-1001".to_owned(),
        server::spelling::uuid(raw).to_string(),
        server::spelling::hex24(raw),
        // The default product, whose name no product bears, stands for all.
        "unpod.dev".to_owned(),
        String::new(),
    ];
    for name in spellings {
        assert_eq!(count(&name).await, Some(1), "{name}");
    }
    assert_eq!(count("another").await, Some(0));
    let foreign = server::spelling::uuid(billing::id::Id::raw(world.theirs.price.product_id)).to_string();
    assert_eq!(count(&foreign).await, Some(0));
}

#[tokio::test]
async fn every_status_and_currency() {
    let world = World::new().await;
    let customer = &world.ours.payer;
    let statuses = [
        (InvoiceStatus::Open, Currency::JPY),
        (InvoiceStatus::Paid, Currency::KWD),
        (InvoiceStatus::PartiallyRefunded, Currency::INR),
        (InvoiceStatus::Refunded, Currency::EUR),
        (InvoiceStatus::Void, Currency::USD),
        (InvoiceStatus::Uncollectible, Currency::USD),
    ];
    let rows = statuses.iter().zip(2..).map(|((status, currency), n)| {
        let invoice = seeds::invoice(customer, 5_000 + n as u128, n, 123_456, *currency);
        Change::insert(Invoice { status: *status, ..invoice })
    });
    world.test.commit(rows.collect()).await;
    let json = get(&world, "", &[]).await.json();
    let shown: Vec<String> = json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {}", row["status"], row["currency"], row["amount"]).replace('"', ""))
        .collect();
    assert_eq!(
        shown,
        [
            "failed USD 1234.56",
            "cancelled USD 1234.56",
            "refunded EUR 1234.56",
            "paid INR 1234.56",
            "paid KWD 123.456",
            "pending JPY 123456.00",
            "paid USD 15.00",
        ]
    );
}
