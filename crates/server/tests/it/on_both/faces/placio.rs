//! Contract 001: the payments of every workspace, for staff.

use crate::fixtures::harness::{Answer, TestApp};
use crate::fixtures::seeds::{self, at, id};
use crate::fixtures::world::{World, received};
use billing::catalog::Category;
use billing::changes::{Change, Row};
use billing::credential::Bearer;
use billing::currency::Currency;
use billing::customer::Customer;
use billing::id::Id;
use billing::payment::{Payment, PaymentKind, PaymentStatus};
use engine::At;
use http::Method;
use server::spelling::hex24;

const TARGET: &str = "/api/v1/admin/payments";
const UNAUTHORIZED: &str = "401 {\"statusCode\":401,\"message\":\"Unauthorized\"}";
const NOT_FOUND: &str = "404 {\"message\":\"Payment not found\",\"error\":\"Not Found\",\"statusCode\":404}";

fn invalid(messages: &[&str]) -> String {
    let list: Vec<String> = messages.iter().map(|message| format!("\"{message}\"")).collect();
    format!("400 {{\"statusCode\":400,\"message\":[{}],\"error\":\"Bad Request\"}}", list.join(","))
}

fn forbidden(message: &str) -> String {
    format!("403 {{\"message\":\"{message}\",\"error\":\"Forbidden\",\"statusCode\":403}}")
}

async fn post(test: &TestApp, token: &str, body: &str) -> Answer {
    test.write(Method::POST, TARGET, token, &[], body).await
}

fn cash(workspace: &Customer, amount: &str) -> String {
    format!(
        "{{\"workspaceId\":\"{}\",\"paymentType\":\"subscription\",\"amount\":{amount},\
         \"paymentMethod\":\"cash\"}}",
        hex24(workspace.id.raw())
    )
}

#[tokio::test]
async fn who_is_not_let_in() {
    let World { test, ours, .. } = World::new().await;
    let get = async |headers: &[(&str, &str)]| test.send(Method::GET, TARGET, headers, "").await;
    let bare = get(&[]).await;
    assert_eq!(bare.line(), UNAUTHORIZED);
    assert_eq!(bare.header("www-authenticate"), "Bearer");
    for value in ["Bearer", "Bearer x", "Bearer a.b.c", "Bearer a b", "jwt a"] {
        assert_eq!(get(&[("authorization", value)]).await.line(), UNAUTHORIZED, "{value}");
    }
    assert_eq!(test.get(TARGET, &ours.merchant_key).await.line(), UNAUTHORIZED);
    let no_view = forbidden("Admin does not have payments.view permission");
    assert_eq!(test.get(TARGET, &ours.payer_token).await.line(), no_view);
    assert_eq!(test.get(TARGET, &ours.guest).await.line(), no_view);
    assert_eq!(test.get("/api/v1/admin/payments/stats", &ours.guest).await.line(), no_view);
    let no_manage = forbidden("Admin does not have payments.manage permission");
    for (method, target) in [
        (Method::POST, TARGET.to_owned()),
        (Method::PATCH, format!("{TARGET}/507f1f77bcf86cd799439011")),
        (Method::DELETE, format!("{TARGET}/507f1f77bcf86cd799439011")),
    ] {
        for token in [&ours.viewer, &ours.payer_token] {
            assert_eq!(test.write(method.clone(), &target, token, &[], "{}").await.line(), no_manage);
        }
    }
    let disabled =
        billing::customer::Staff { disabled: true, ..seeds::staff(ours.books.number, id(9_999), "owner") };
    let bearer = Bearer::Staff(disabled.id);
    test.commit(vec![Change::insert(disabled)]).await;
    assert_eq!(test.get(TARGET, &test.token(ours.books.number, bearer).await.0).await.line(), UNAUTHORIZED);
    let credential = test.app().authenticate(&ours.viewer).await.unwrap().credential;
    test.set_now(test.now().plus_days(2).unwrap());
    assert_eq!(test.get(TARGET, &ours.viewer).await.line(), UNAUTHORIZED);
    test.set_now(test.now().plus_days(-2).unwrap());
    assert_eq!(test.get(TARGET, &ours.viewer).await.status, 200);
    test.engine.revoke_credential(At::new(test.now(), ours.books.number), credential).await.unwrap();
    assert_eq!(test.get(TARGET, &ours.viewer).await.line(), UNAUTHORIZED);
}

/// Payments of every category, manual ones among them, beside the one of the subscription.
async fn filled(world: &World) {
    let (payer, debtor) = (&world.ours.payer, &world.ours.debtor);
    let manual = |change: Change| match change {
        Change::Insert(Row::Payment(payment)) => {
            Change::insert(Payment { kind: PaymentKind::Manual, ..*payment })
        }
        other => other,
    };
    let rows = vec![
        received(payer, 2, Category::AiTools, "2026-03-02T00:00:00Z"),
        received(payer, 3, Category::Credits, "2026-03-03T00:00:00.123456Z"),
        manual(received(debtor, 4, Category::Sms, "2026-03-04T23:59:59.999Z")),
        received(debtor, 5, Category::Storage, "2026-03-05T00:00:00Z"),
        manual(received(debtor, 6, Category::AddOn, "2026-03-06T00:00:00Z")),
    ];
    let unsettled = |status| {
        Change::insert(Payment { status, ..seeds::payment(payer, 7 + status as u128, 1, at("2026-03-07")) })
    };
    let rupees = Payment { currency: Currency::INR, ..seeds::payment(payer, 20, 999, at("2026-03-08")) };
    let gone =
        Payment { deleted_at: Some(at("2026-03-09")), ..seeds::payment(payer, 21, 999, at("2026-03-09")) };
    let mut rows = rows;
    rows.extend([
        unsettled(PaymentStatus::Failed),
        unsettled(PaymentStatus::Processing),
        unsettled(PaymentStatus::RequiresAction),
        Change::insert(rupees),
        Change::insert(gone),
    ]);
    world.test.commit(rows).await;
}

#[tokio::test]
async fn only_settled_us_dollars_and_six_filters() {
    let world = World::new().await;
    filled(&world).await;
    let amounts = async |query: &str| {
        let answer = world.test.get(&format!("{TARGET}?{query}"), &world.ours.viewer).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        let json = answer.json();
        let rows = json["payments"].as_array().unwrap();
        let amounts: Vec<String> = rows.iter().map(|row| row["amount"].to_string()).collect();
        assert_eq!(json["pagination"]["total"], rows.len(), "{query}");
        amounts.join(" ")
    };
    assert_eq!(amounts("").await, "6.0 5.0 4.0 3.0 2.0 15.0");
    assert_eq!(amounts("unknown=1&paymentType=subscription").await, "6.0 15.0");
    assert_eq!(amounts("paymentType=ai-tools").await, "3.0 2.0");
    assert_eq!(amounts("paymentType=sms").await, "4.0");
    assert_eq!(amounts("paymentType=storage").await, "5.0");
    assert_eq!(amounts("isManual=true").await, "6.0 4.0");
    assert_eq!(amounts("isManual=false&paymentType=subscription").await, "15.0");
    assert_eq!(amounts("startDate=2026-03-04").await, "6.0 5.0 4.0");
    assert_eq!(
        amounts("startDate=2026-03-04&endDate=2026-03-04").await,
        amounts("startDate=2026-03-04&endDate=2026-03-04T23:59:59.999Z").await
    );
    assert_eq!(amounts("endDate=9999-12-31").await, amounts("").await);
    assert_eq!(amounts("endDate=2026-03-04").await, "4.0 3.0 2.0 15.0");
    assert_eq!(amounts("startDate=2026-03-04&endDate=2026-03-04").await, "4.0");
    assert_eq!(amounts("startDate=2026-03-03T00:00:00.123Z&endDate=2026-03-03T00:00:00.123Z").await, "3.0");
    assert_eq!(
        amounts("startDate=2026-03-05T02:00:00%2B02:00&endDate=2026-03-05T02:00:00+02:00").await,
        "5.0"
    );
    assert_eq!(amounts("startDate=2026-03-05T00:00:00").await, "6.0 5.0");
    assert_eq!(amounts("startDate=2026-03-06&endDate=2026-03-01").await, "");
    let (payer, debtor) = (hex24(world.ours.payer.id.raw()), hex24(world.ours.debtor.id.raw()));
    assert_eq!(amounts(&format!("workspaceId={payer}")).await, "3.0 2.0 15.0");
    assert_eq!(amounts(&format!("workspaceId={}&isManual=true", debtor.to_uppercase())).await, "6.0 4.0");
    let query = format!("workspaceId={debtor}&startDate=2026-03-05&endDate=2026-03-05&paymentType=storage");
    assert_eq!(amounts(&query).await, "5.0");
    assert_eq!(amounts("workspaceId=507f1f77bcf86cd799439011").await, "");
    assert_eq!(amounts(&format!("workspaceId={}", hex24(world.theirs.payer.id.raw()))).await, "");
}

#[tokio::test]
async fn pages() {
    let world = World::new().await;
    filled(&world).await;
    let debtor = hex24(world.ours.debtor.id.raw());
    let shown = async |query: &str| {
        let json = world.test.get(&format!("{TARGET}?{query}"), &world.ours.viewer).await.json();
        let rows = json["payments"].as_array().unwrap();
        let amounts: Vec<String> = rows.iter().map(|row| row["amount"].to_string()).collect();
        format!("{} of {}", amounts.join(" "), json["pagination"])
    };
    let pagination = |total: i64, page: i64, limit: i64, pages: i64| {
        format!("{{\"total\":{total},\"page\":{page},\"limit\":{limit},\"totalPages\":{pages}}}")
    };
    assert_eq!(shown("limit=4").await, format!("6.0 5.0 4.0 3.0 of {}", pagination(6, 1, 4, 2)));
    assert_eq!(shown("limit=4&page=2").await, format!("2.0 15.0 of {}", pagination(6, 2, 4, 2)));
    assert_eq!(shown("limit=4&page=3").await, format!(" of {}", pagination(6, 3, 4, 2)));
    let max = i64::MAX;
    assert_eq!(shown(&format!("limit=100&page={max}")).await, format!(" of {}", pagination(6, max, 100, 1)));
    let of_debtor = format!("workspaceId={debtor}&limit=2");
    assert_eq!(shown(&of_debtor).await, format!("6.0 5.0 of {}", pagination(3, 1, 2, 2)));
    assert_eq!(shown(&format!("{of_debtor}&page=2")).await, format!("4.0 of {}", pagination(3, 2, 2, 2)));
    assert_eq!(shown("startDate=2027-01-01").await, format!(" of {}", pagination(0, 1, 10, 0)));
}

#[tokio::test]
async fn parameters() {
    let World { test, ours, .. } = World::new().await;
    let types = "paymentType must be one of the following values: ai-tools, sms, storage, subscription";
    let start = "startDate must be a valid ISO 8601 date string";
    for (query, messages) in [
        ("page=0", &["page must not be less than 1"][..]),
        ("page=x", &["page must be an integer number"]),
        ("page=", &["page must be an integer number"]),
        ("page=1&page=1", &["page must be an integer number"]),
        ("page=99999999999999999999", &["page must be an integer number"]),
        ("limit=0", &["limit must not be less than 1"]),
        ("limit=101", &["limit must not be greater than 100"]),
        ("limit=1.5", &["limit must be an integer number"]),
        ("paymentType=rent", &[types]),
        ("paymentType=", &[types]),
        ("paymentType=sms&paymentType=sms", &[types]),
        ("startDate=yesterday", &[start]),
        ("startDate=2026-02-30", &[start]),
        ("startDate=%FF", &[start]),
        ("startDate=-9998-01-01T00:00:00Z", &[start]),
        ("endDate=1", &["endDate must be a valid ISO 8601 date string"]),
        ("isManual=1", &["isManual must be true or false"]),
        ("isManual=TRUE", &["isManual must be true or false"]),
        ("workspaceId=x", &["workspaceId must be a mongodb id"]),
        ("workspaceId=507f1f77bcf86cd79943901", &["workspaceId must be a mongodb id"]),
        ("limit=0&isManual=no", &["isManual must be true or false", "limit must not be less than 1"]),
    ] {
        let answer = test.get(&format!("{TARGET}?{query}"), &ours.viewer).await;
        assert_eq!(answer.line(), invalid(messages), "{query}");
    }
    let stats = async |query: &str| test.get(&format!("{TARGET}/stats?{query}"), &ours.viewer).await.line();
    assert_eq!(stats("paymentType=rent").await, invalid(&[types]));
    assert!(stats("page=0&limit=1000").await.starts_with("200 "), "the page is nothing to the sums");
}

#[tokio::test]
async fn sums() {
    let world = World::new().await;
    filled(&world).await;
    let stats =
        async |query: &str| world.test.get(&format!("{TARGET}/stats?{query}"), &world.ours.viewer).await.body;
    world.test.set_now(at("2026-03-08T00:00:00Z"));
    let sums = |all: (&str, i64), month: (&str, i64), week: (&str, i64), day: (&str, i64)| {
        format!(
            "{{\"totalAmount\":{},\"totalCount\":{},\"thisMonthAmount\":{},\"thisMonthCount\":{},\
             \"thisWeekAmount\":{},\"thisWeekCount\":{},\"todayAmount\":{},\"todayCount\":{}}}",
            all.0, all.1, month.0, month.1, week.0, week.1, day.0, day.1
        )
    };
    let (all, none) = (("35.00", 6), ("0.00", 0));
    assert_eq!(stats("").await, sums(all, all, none, none), "a new week starts on Sunday");
    world.test.set_now(at("2026-03-06T23:59:59Z"));
    assert_eq!(stats("").await, sums(all, all, all, ("6.00", 1)));
    assert_eq!(stats("isManual=true").await, sums(("10.00", 2), ("10.00", 2), ("10.00", 2), ("6.00", 1)));
    let workspace = format!("workspaceId={}", hex24(world.ours.debtor.id.raw()));
    assert_eq!(stats(&workspace).await, sums(("15.00", 3), ("15.00", 3), ("15.00", 3), ("6.00", 1)));
    assert_eq!(stats("endDate=2026-03-05").await, sums(("29.00", 5), ("29.00", 5), ("29.00", 5), none));
    assert_eq!(stats("workspaceId=507f1f77bcf86cd799439011").await, sums(none, none, none, none));
}

#[tokio::test]
async fn a_manual_payment_from_beginning_to_end() {
    let World { test, ours, .. } = World::new().await;
    let body = format!(
        "{{\"workspaceId\":\"{}\",\"paymentType\":\"sms\",\"amount\":20.5,\"paymentMethod\":\"bank-transfer\",\
         \"paymentDate\":\"2026-03-19T08:00:00.250Z\",\"description\":\"Credits \\\"large\\\"\",\
         \"receiptImage\":{{\"url\":\"https://e/r.png\",\"path\":\"r.png\",\"contentType\":\"image/png\",\
         \"width\":10,\"extra\":1}}}}",
        hex24(ours.payer.id.raw())
    );
    let made = post(&test, &ours.owner, &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let staff = made.json()["createdBy"].as_str().unwrap().to_owned();
    let wanted = format!(
        "{{\"id\":\"{id}\",\"workspaceId\":\"{}\",\"paymentType\":\"sms\",\"amount\":20.50,\
         \"paymentMethod\":\"bank-transfer\",\"paymentDate\":\"2026-03-19T08:00:00.250Z\",\
         \"description\":\"Credits \\\"large\\\"\",\"notes\":null,\"isManual\":true,\"createdBy\":\"{staff}\",\
         \"receiptImage\":{{\"url\":\"https://e/r.png\",\"path\":\"r.png\",\"width\":10,\"height\":null,\
         \"sizeBytes\":null,\"contentType\":\"image/png\"}},\"metadata\":{{}},\
         \"createdAt\":\"2026-03-20T12:00:00.000Z\",\"updatedAt\":\"2026-03-20T12:00:00.000Z\"}}",
        hex24(ours.payer.id.raw())
    );
    assert_eq!(made.body, wanted);
    test.set_now(at("2026-03-20T12:30:00Z"));
    let target = format!("{TARGET}/{id}");
    let patch = async |body: &str| test.write(Method::PATCH, &target, &ours.owner, &[], body).await;
    let edited = patch("{\"amount\":9,\"paymentMethod\":\"other\",\"notes\":\"n\",\"description\":null,\"receiptImage\":null}").await;
    let json = edited.json();
    assert_eq!((edited.status.as_u16(), json["amount"].to_string()), (200, "9.0".to_owned()));
    assert!(edited.body.contains("\"amount\":9.00,"), "{}", edited.body);
    assert_eq!((&json["notes"], &json["paymentMethod"]), (&"n".into(), &"other".into()));
    assert!(json["description"].is_null() && json["receiptImage"].is_null() && json["workspace"].is_null());
    assert_eq!(json["updatedAt"], "2026-03-20T12:30:00.000Z");
    assert_eq!(patch("{}").await.status, 200);
    assert_eq!(
        test.get(&format!("{TARGET}?isManual=true"), &ours.viewer).await.json()["pagination"]["total"],
        1
    );
    let deleted = test.write(Method::DELETE, &target, &ours.owner, &[], "").await;
    assert_eq!(deleted.line(), "204 ");
    assert_eq!(test.write(Method::DELETE, &target, &ours.owner, &[], "").await.line(), NOT_FOUND);
    assert_eq!(patch("{}").await.line(), NOT_FOUND);
    assert_eq!(
        test.get(&format!("{TARGET}?isManual=true"), &ours.viewer).await.json()["pagination"]["total"],
        0
    );
}

#[tokio::test]
async fn a_manual_payment_settles_what_is_owed() {
    let World { test, ours, .. } = World::new().await;
    assert_eq!(post(&test, &ours.owner, &cash(&ours.debtor, "15.00")).await.status, 201);
    let period = server::spelling::uuid(ours.owed.period_id.raw()).to_string();
    let read = test.get(&format!("/v1/periods/{period}"), &ours.periods_key).await;
    assert_eq!(read.json()["status"], "paid");
}

#[tokio::test]
async fn automatic_payments_stay_as_they_are() {
    let World { test, ours, .. } = World::new().await;
    let list = test.get(TARGET, &ours.viewer).await.json();
    let target = format!("{TARGET}/{}", list["payments"][0]["id"].as_str().unwrap());
    assert_eq!(
        test.write(Method::DELETE, &target, &ours.owner, &[], "").await.line(),
        forbidden("Payment is not a manual payment (automatic payments cannot be deleted)")
    );
    assert_eq!(
        test.write(Method::PATCH, &target, &ours.owner, &[], "{\"amount\":1}").await.line(),
        forbidden("Payment is not a manual payment (automatic payments cannot be edited)")
    );
}

#[tokio::test]
async fn what_a_write_must_be() {
    let World { test, ours, .. } = World::new().await;
    let amount = "amount must be a positive number of US dollars with at most 2 decimal places";
    let means = "paymentMethod must be one of the following values: cash, bank-transfer, card, other";
    let types = "paymentType must be one of the following values: ai-tools, sms, storage, subscription";
    let receipt = "receiptImage must be null or an object with url, path and contentType, and optionally \
                   width, height and sizeBytes";
    let object = "the body must be a JSON object";
    for body in ["", "{", "[]", "1", "\"x\"", "null"] {
        assert_eq!(post(&test, &ours.owner, body).await.line(), invalid(&[object]), "{body}");
    }
    assert_eq!(
        post(&test, &ours.owner, "{}").await.line(),
        invalid(&["workspaceId must be a mongodb id", types, amount, means])
    );
    for wrong in ["0", "-1", "1.001", "\"1\"", "null", "1e30", "{}"] {
        assert_eq!(
            post(&test, &ours.owner, &cash(&ours.payer, wrong)).await.line(),
            invalid(&[amount]),
            "{wrong}"
        );
    }
    let with = |field: &str| format!("{},{field}}}", cash(&ours.payer, "1").trim_end_matches('}'));
    for (field, message) in [
        ("\"paymentDate\":\"soon\"", "paymentDate must be a valid ISO 8601 date string"),
        ("\"paymentDate\":null", "paymentDate must be a valid ISO 8601 date string"),
        ("\"description\":1", "description must be a string"),
        ("\"notes\":[]", "notes must be a string"),
        ("\"notes\":\"a\\u0000b\"", "notes must have at most 5000 characters and no NUL among them"),
        ("\"paymentDate\":\"1899-12-31\"", "paymentDate must be a valid ISO 8601 date string"),
        ("\"paymentDate\":\"3000-01-01\"", "paymentDate must be a valid ISO 8601 date string"),
        ("\"receiptImage\":{\"url\":\"javascript:1\",\"path\":\"p\",\"contentType\":\"c\"}", receipt),
        ("\"receiptImage\":\"x\"", receipt),
        ("\"receiptImage\":{\"url\":\"u\",\"path\":\"p\"}", receipt),
        ("\"receiptImage\":{\"url\":\"u\",\"path\":\"p\",\"contentType\":\"c\",\"width\":-1}", receipt),
        ("\"paymentType\":\"rent\"", types),
        ("\"paymentMethod\":\"shells\"", means),
    ] {
        assert_eq!(post(&test, &ours.owner, &with(field)).await.line(), invalid(&[message]), "{field}");
    }
    assert_eq!(
        post(&test, &ours.owner, &cash(&seeds::customer(ours.books.number, id(9_999)), "1")).await.line(),
        "404 {\"message\":\"Workspace not found\",\"error\":\"Not Found\",\"statusCode\":404}"
    );
    for bad in ["x", "507f1f77bcf86cd79943901", "507f1f77bcf86cd7994390111", "%FF"] {
        for method in [Method::PATCH, Method::DELETE] {
            let target = format!("{TARGET}/{bad}");
            let answer = test.write(method, &target, &ours.owner, &[], "{}").await;
            assert_eq!(answer.line(), invalid(&["Invalid payment ID"]), "{bad}");
        }
    }
    let target = format!("{TARGET}/507f1f77bcf86cd799439011");
    assert_eq!(
        test.write(Method::PATCH, &target, &ours.owner, &[], "{\"workspaceId\":\"x\",\"amount\":0}")
            .await
            .line(),
        invalid(&["workspaceId cannot be changed", amount])
    );
    assert_eq!(test.write(Method::PATCH, &target, &ours.owner, &[], "{}").await.line(), NOT_FOUND);
}

#[tokio::test]
async fn a_workspace_goes_by_the_merchants_id_where_that_can_be_one() {
    let World { test, ours, .. } = World::new().await;
    let external_id = "65f1a2b3c4d5e6f708192a3b";
    let customer =
        Customer { external_id: external_id.into(), ..seeds::customer(ours.books.number, id(7_777)) };
    test.commit(vec![Change::insert(customer.clone())]).await;
    for name in [external_id.to_owned(), external_id.to_uppercase(), hex24(customer.id.raw())] {
        let body = cash(&customer, "1").replace(&hex24(customer.id.raw()), &name);
        let made = post(&test, &ours.owner, &body).await;
        assert_eq!(made.json()["workspaceId"], external_id, "{}", made.body);
    }
    let listed = test.get(&format!("{TARGET}?workspaceId={external_id}"), &ours.viewer).await.json();
    assert_eq!(listed["pagination"]["total"], 3);
    assert_eq!(listed["payments"][0]["workspace"]["id"], external_id);
}
