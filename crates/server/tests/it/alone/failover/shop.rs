//! Books with something to sell, and what people ask of them.

use super::http::{Answer, ask};
use super::load::words;
use super::program::run;
use serde_json::{Value, json};
use std::path::Path;

/// Periods that a new subscription has behind it: the first is charged at once, the others fall due.
pub(crate) const PERIODS: i64 = 4;

/// A write, with the key under which it may be repeated.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) kind: Kind,
    /// The name by which the row can be found.
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) target: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

/// What a write makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Customer,
    Card,
    Subscription,
    Invoice,
    ManualPayment,
}

/// A question to a face: its target and headers.
type Question = (String, Vec<(&'static str, String)>);

/// The books, and how to ask about them.
pub(crate) struct Shop {
    pub(crate) servers: [String; 2],
    pub(crate) reads: Vec<Question>,
    key: String,
    staff: String,
    price: String,
    start: String,
}

impl Shop {
    /// Makes live books with one daily price, spread over shards; answers the API key.
    pub(crate) fn open(folder: &Path, database: &str, shards: &str) -> String {
        let made = run(folder, database, &["init", "--json", "--shards", shards]);
        let made: Value = serde_json::from_str(&made).unwrap();
        made["apiKey"].as_str().unwrap().to_owned()
    }

    /// What the servers of these books can be asked; new subscriptions start at an instant.
    pub(crate) async fn new(
        folder: &Path,
        database: &str,
        key: String,
        servers: [String; 2],
        start: String,
    ) -> Shop {
        let staff = run(folder, database, &["token", "staff", "--email", "owner@example.com"]);
        let staff = format!("Bearer {staff}");
        let mut shop = Shop { servers, reads: Vec::new(), key, staff, price: String::new(), start };
        let goods = json!({"product": {"name": "Passes", "slug": "passes"}, "price": {
            "type": "subscription", "unitPrice": 500, "currency": "USD", "intervalUnit": "day",
            "slug": "daily", "isDefault": true}});
        let goods = shop.made("products", &goods).await;
        shop.price = goods["product"]["defaultPrice"]["id"].as_str().unwrap().to_owned();
        let reader = json!({"customer": {"externalId": "reader", "handle": "reader.example",
            "name": "Ada", "email": "ada@example.com"}});
        shop.made("customers", &reader).await;
        let token = run(folder, database, &["token", "customer", "--external-id", "reader"]);
        let authorized = |value: String| vec![("authorization", value)];
        let mut member = authorized(format!("jwt {token}"));
        member.push(("org-handle", "reader.example".to_owned()));
        shop.reads = vec![
            ("/api/v1/profile/payments".to_owned(), authorized(format!("bearer {token}"))),
            ("/api/v1/admin/payments".to_owned(), authorized(shop.staff.clone())),
            ("/api/v1/customers/reader/billing".to_owned(), authorized(shop.key.clone())),
            ("/api/v1/subscriptions?limit=20".to_owned(), authorized(shop.key.clone())),
            ("/v1/periods".to_owned(), authorized(format!("Bearer {}", shop.key))),
            ("/api/v2/platform/organisation/billing/".to_owned(), member),
        ];
        shop
    }

    async fn made(&self, path: &str, body: &Value) -> Value {
        let headers = [("authorization", self.key.as_str())];
        let target = format!("/api/v1/{path}");
        let answer = ask(&self.servers[0], "POST", &target, &headers, &body.to_string()).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// What is asked for a new customer, in this order.
    pub(crate) fn sign_up(&self, writer: usize, number: usize) -> Vec<Ask> {
        // Contract 001 knows customers by 24 hexadecimal digits.
        let name = format!("{writer:08x}{number:016x}");
        let api = |kind, path: &str, body: Value| {
            self.ask(kind, &name, &format!("/api/v1/{path}"), self.key.clone(), &body)
        };
        let person = json!({"externalId": name, "name": "Ada Lovelace", "email": "ada@example.com"});
        let paid = json!({"workspaceId": name, "paymentType": "sms", "amount": 12.5,
            "paymentMethod": "cash", "description": name});
        vec![
            api(Kind::Customer, "customers", json!({"customer": person})),
            api(
                Kind::Card,
                "payment-methods",
                json!({"paymentMethod": {"customerExternalId": name, "token": "tok_visa", "default": true}}),
            ),
            api(
                Kind::Subscription,
                "subscriptions",
                json!({"customerExternalId": name, "priceId": self.price, "name": name,
                    "startDate": self.start}),
            ),
            api(
                Kind::Invoice,
                "invoices",
                json!({"invoice": {"customerExternalId": name, "memo": name}, "charge": true,
                    "invoiceLineItems": [{"description": "Work", "price": 700, "quantity": 1}]}),
            ),
            self.ask(Kind::ManualPayment, &name, "/api/v1/admin/payments", self.staff.clone(), &paid),
        ]
    }

    fn ask(&self, kind: Kind, name: &str, target: &str, authorization: String, body: &Value) -> Ask {
        let (name, key) = (name.to_owned(), format!("{kind:?} {name}"));
        Ask { kind, name, key, target: target.to_owned(), authorization, body: body.to_string() }
    }

    /// A refusal is in the words of its face, and says when to ask again.
    pub(crate) fn check_refusal(&self, target: &str, answer: &Answer) {
        let (said, words) = (answer.json(), words(target));
        for (name, word) in words.as_object().unwrap() {
            assert_eq!(&said[name], word, "{target}: {}", answer.body);
        }
        assert!(said["message"].is_string(), "{target}: {}", answer.body);
        let seconds: u32 = answer.header("retry-after").parse().unwrap();
        assert!((1..=5).contains(&seconds), "{target}: Retry-After {seconds}");
    }
}
