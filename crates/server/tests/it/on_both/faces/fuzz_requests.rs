//! Requests that nobody should make: whatever a client sends, it is never a failure of ours.

use crate::fixtures::world::World;
use billing::id::Id;
use http::Method;
use server::spelling::{hex24, uuid};

/// SplitMix64: the same noise every time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[(self.next() % among.len() as u64) as usize]
    }

    fn word<'a>(&mut self, among: &[&'a str]) -> &'a str {
        self.pick::<&str>(among)
    }
}

const NAMES: [&str; 16] = [
    "page",
    "limit",
    "page_limit",
    "page_size",
    "ids[]",
    "subscription_ids%5B%5D",
    "workspaceId",
    "paymentType",
    "startDate",
    "endDate",
    "isManual",
    "cursor",
    "",
    "%",
    "%FF",
    "x",
];
const VALUES: [&str; 24] = [
    "",
    "0",
    "1",
    "-1",
    "2",
    "100",
    "101",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999",
    "1e9",
    "%00",
    "%FF%FE",
    "true",
    "false",
    "sms",
    "2026-03-01",
    "2026-03-01T00:00:00+02:00",
    "9999-12-31",
    "-9998-01-01T00:00:00Z",
    "null",
    "[]",
    "507f1f77bcf86cd799439011",
    "58947505-6474-4baa-8a6f-fcb895a8e57e",
];
const BODIES: [&str; 18] = [
    "",
    " ",
    "{",
    "{}",
    "[]",
    "null",
    "0",
    "\"\\ud800\"",
    "{\"period\":{\"end_at\":9223372036854775807}}",
    "{\"period\":{\"end_at\":-9223372036854775808}}",
    "{\"period\":[]}",
    "{\"amount\":1e308}",
    "{\"amount\":0.0000000000000000000000000000001}",
    "{\"paymentDate\":\"9999-12-31T23:59:59.999Z\"}",
    "{\"paymentDate\":\"0001-01-01\"}",
    "{\"receiptImage\":{\"url\":{}}}",
    "{\"page\":\"\u{0}\",\"limit\":[[]]}",
    "{\"description\":\"\\u0000\\u001f\u{2028}\",\"amount\":92233720368547758.07}",
];

#[tokio::test]
async fn nothing_a_client_sends_is_a_failure_of_ours() {
    let World { test, ours, .. } = World::new().await;
    let list = test.get("/api/v1/admin/payments", &ours.viewer).await.json();
    let payment = list["payments"][0]["id"].as_str().unwrap().to_owned();
    let cash = format!(
        "{{\"workspaceId\":\"{}\",\"paymentType\":\"sms\",\"amount\":1,\"paymentMethod\":\"cash\"}}",
        hex24(ours.debtor.id.raw())
    );
    let manual = test.write(Method::POST, "/api/v1/admin/payments", &ours.owner, &[], &cash).await.json();
    let paths = [
        "/api/v1/profile/payments".to_owned(),
        "/api/v1/admin/payments".to_owned(),
        "/api/v1/admin/payments/stats".to_owned(),
        format!("/api/v1/admin/payments/{payment}"),
        format!("/api/v1/admin/payments/{}", manual["id"].as_str().unwrap()),
        "/api/v1/admin/payments/%2F%00".to_owned(),
        "/v1/periods".to_owned(),
        format!("/v1/periods/{}", uuid(ours.owed.period_id.raw())),
        format!("/v1/periods/{}/retry_payment", uuid(ours.owed.period_id.raw())),
        format!("/v1/periods/{}", uuid(ours.subscription.period_id.raw())),
        "/v1/periods/%F0%28%8C%28".to_owned(),
        "/api/v2/platform/organisation/billing/".to_owned(),
        "/api/v2/platform/organisation/billing".to_owned(),
        "//".to_owned(),
        "/%".to_owned(),
    ];
    let methods = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    let handle = ours.payer.handle.clone().unwrap();
    let tokens = [&ours.payer_token, &ours.owner, &ours.periods_key, &ours.merchant_key, &ours.guest];
    let mut noise = Noise(20_260_320);
    let mut statuses = std::collections::BTreeSet::new();
    for round in 0..6_000 {
        let mut target = noise.pick(&paths).clone();
        for n in 0..noise.next() % 4 {
            target.push(if n == 0 { '?' } else { '&' });
            target.push_str(noise.word(&NAMES));
            target.push('=');
            target.push_str(&noise.word(&VALUES).replace(' ', "%20"));
        }
        let scheme = noise.word(&["Bearer ", "jwt ", "bearer  ", "", "Basic ", "\t"]);
        let authorization = format!("{scheme}{}", noise.pick(&tokens));
        let key = noise.word(&["a", "b", "c", "", "\u{ff}"]);
        let mut headers = vec![("authorization", authorization.as_str())];
        match noise.next() % 4 {
            0 => headers.push(("org-handle", &handle)),
            1 => headers.extend([("org-handle", handle.as_str()), ("product-id", noise.word(&VALUES))]),
            2 => headers.push(("org-handle", noise.word(&VALUES))),
            _ => {}
        }
        if noise.next().is_multiple_of(3) {
            headers.push(("idempotency-key", key));
        }
        if noise.next().is_multiple_of(5) {
            headers.push(("if-none-match", noise.word(&["*", "\"", "W/", "\"a\", \"b\"", "\u{ff}"])));
        }
        let (method, body) = (noise.pick(&methods).clone(), noise.word(&BODIES));
        let answer = test.send(method.clone(), &target, &headers, body).await;
        let status = answer.status.as_u16();
        assert!(status < 500, "round {round}: {method} {target} {headers:?} {body}: {}", answer.line());
        statuses.insert(status);
        if !answer.body.is_empty() && answer.header("content-type") == "application/json" {
            answer.json();
        }
    }
    let wanted = [200, 204, 400, 401, 403, 404, 405, 422];
    assert!(wanted.iter().all(|status| statuses.contains(status)), "{statuses:?}");
}
