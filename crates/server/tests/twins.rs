//! The same demo in a file and in PostgreSQL: the same books, byte for byte through all five contracts.

#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "it uses a part of the demo server")]

mod demo_server;

use demo_server::DemoServer;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use testbed::Books;

const LISTS: [&str; 12] = [
    "customers",
    "products",
    "prices",
    "discounts",
    "subscriptions",
    "invoices",
    "payments",
    "tax-rates",
    "payment-methods",
    "purchases",
    "invoice-line-items",
    "catalogs",
];

/// Every answer that is asked for, in a fixed order, with who asked for what.
async fn answers(server: &DemoServer) -> Vec<(String, String)> {
    let (key, periods) = (server.pass("merchantApiKey"), server.pass("periodsToken"));
    let staff = server.pass("readOnlyStaffToken");
    let members = server.members().await;
    let mut asked: Vec<(String, Vec<(&str, String)>)> = Vec::new();
    for list in LISTS {
        asked.push((format!("/api/v1/{list}?limit=100"), vec![("authorization", key.clone())]));
    }
    for page in 1..=3 {
        let target = format!("/v1/periods?limit=20&page={page}");
        asked.push((target, vec![("authorization", format!("Bearer {periods}"))]));
        let target = format!("/api/v1/admin/payments?limit=20&page={page}");
        asked.push((target, vec![("authorization", format!("Bearer {staff}"))]));
    }
    let stats = "/api/v1/admin/payments/stats".to_owned();
    asked.push((stats, vec![("authorization", format!("Bearer {staff}"))]));
    for member in &members {
        let id = utf8_percent_encode(&member.external_id, NON_ALPHANUMERIC).to_string();
        asked.push((format!("/api/v1/customers/{id}/billing"), vec![("authorization", key.clone())]));
        let own = vec![("authorization", format!("Bearer {}", member.token))];
        asked.push(("/api/v1/profile/payments?page=1&limit=20".to_owned(), own));
        if let Some(handle) = &member.handle {
            let target = "/api/v2/platform/organisation/billing/?page=1&page_size=20".to_owned();
            let headers =
                vec![("authorization", format!("jwt {}", member.token)), ("org-handle", handle.clone())];
            asked.push((target, headers));
        }
    }
    let mut answers = Vec::with_capacity(asked.len());
    for (target, headers) in asked {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let text = server.text(&target, &headers).await;
        answers.push((target, text));
    }
    answers
}

#[tokio::test]
async fn the_same_seed_makes_the_same_books_on_either_database() {
    let file = answers(&DemoServer::over(Books::sqlite(), 4, 12, 3).await).await;
    let server = answers(&DemoServer::over(Books::postgres().await, 4, 12, 3).await).await;
    assert!(file.len() > 25 && file.iter().map(|(_, text)| text.len()).sum::<usize>() > 50_000);
    for ((target, here), (_, there)) in file.iter().zip(&server) {
        assert_eq!(here, there, "{target}");
    }
}
