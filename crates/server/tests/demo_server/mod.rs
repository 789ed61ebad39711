//! A server without a socket over the books of a demo.
#![allow(dead_code, reason = "every test file uses a part of it")]

use billing::{Bearer, CustomerId, CustomerUserId, Id, Ids, Timestamp};
use engine::Engine;
use gateway::Sandbox;
use http::{Method, Request};
use http_body_util::BodyExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use server::app::{App, AppParts, Clock, Limits};
use server::body::Body;
use server::demo::passes::issue;
use server::demo::plan::DemoPlan;
use server::demo::story::build;
use server::demo::subjects;
use server::middleware::Service;
use server::router;
use std::sync::Arc;
use std::time::Duration;
use store::Options;
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

/// The real clock of all of them.
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// The books of a demo with a server over them.
pub(crate) struct DemoServer {
    service: Service,
    /// What `quittance demo --json` would print.
    pub(crate) passes: Value,
    environment: i64,
    books: Books,
}

/// A person of a customer.
pub(crate) struct Member {
    pub(crate) external_id: String,
    pub(crate) handle: Option<String>,
    pub(crate) token: String,
}

impl DemoServer {
    /// Builds a demo and serves it.
    pub(crate) async fn new(months: u32, customers: u32, seed: u64) -> Self {
        Self::over(Books::new().await, months, customers, seed).await
    }

    /// Builds a demo in these books and serves it.
    pub(crate) async fn over(books: Books, months: u32, customers: u32, seed: u64) -> Self {
        let plan = DemoPlan::new(months, customers, seed).unwrap();
        let store = books.open_with(Options { readers: 2, ..Options::default() }).await;
        let engine = Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(plan.seed()));
        build(&engine, plan, &|_, _| {}).await.unwrap();
        let shown = subjects::find(&engine, plan).await.unwrap();
        let environment = shown.environment.number;
        let app = App::new(AppParts {
            engine,
            clock: Clock { now: Arc::new(|| NOW), since: Arc::new(|| Duration::ZERO) },
            entropy: Arc::new(|bytes| bytes.fill(7)),
            jwt_key: b"a key for tests".to_vec(),
            pepper: b"a pepper for tests".to_vec(),
            limits: Limits::default(),
        });
        let state = std::cell::Cell::new(seed);
        let entropy = |bytes: &mut [u8]| {
            for byte in bytes {
                state.set(state.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
                *byte = (state.get() >> 56) as u8;
            }
        };
        let passes = issue(&app.engine, &app.authenticator, &entropy, NOW, plan, &shown).await.unwrap();
        let passes = serde_json::from_str(&passes.json("http://127.0.0.1", "books.db")).unwrap();
        Self { service: router::service(app), passes, environment, books }
    }

    pub(crate) fn app(&self) -> &App {
        self.service.app()
    }

    /// A credential or a name that goes with one.
    pub(crate) fn pass(&self, name: &str) -> String {
        self.passes["credentials"][name].as_str().unwrap().to_owned()
    }

    /// The text of an answer with status 200.
    pub(crate) async fn text(&self, target: &str, headers: &[(&str, &str)]) -> String {
        let mut request = Request::builder().method(Method::GET).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.service.respond(request.body(Body::empty()).unwrap()).await;
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(status, 200, "{target}: {text}");
        text
    }

    /// An answer with status 200, as JSON.
    pub(crate) async fn get(&self, target: &str, headers: &[(&str, &str)]) -> Value {
        serde_json::from_str(&self.text(target, headers).await).unwrap()
    }

    /// An answer of the merchant API.
    pub(crate) async fn merchant(&self, target: &str) -> Value {
        self.get(target, &[("authorization", &self.pass("merchantApiKey"))]).await
    }

    /// A person of every customer, the archived ones too.
    pub(crate) async fn members(&self) -> Vec<Member> {
        let (customer, user) = match testbed::is_url(self.books.address()) {
            true => ("replace(c.id::text, '-', '')", "replace(u.id::text, '-', '')"),
            false => ("hex(c.id)", "hex(u.id)"),
        };
        let sql = format!(
            "select c.external_id, c.handle, {customer}, {user} from customers c
             join customer_users u on u.customer_id = c.id order by c.id"
        );
        let raw = |hex: &Option<String>| u128::from_str_radix(hex.as_deref().unwrap(), 16).unwrap();
        let mut ids = self.app().engine.ctx(NOW).ids;
        let mut members = Vec::new();
        for row in self.books.texts(&sql).await {
            let (external_id, handle) = (row[0].clone().unwrap(), row[1].clone());
            let customer = CustomerId::from_raw(raw(&row[2]));
            let user = CustomerUserId::from_raw(raw(&row[3]));
            let end = NOW.plus_days(1).unwrap();
            let bearer = Bearer::CustomerUser(customer, user);
            let (id, number) = (ids.next(NOW, 0), self.environment);
            let issued = self.app().authenticator.token(NOW, id, number, bearer, "test", end);
            self.app().engine.issue_credential(issued.credential).await.unwrap();
            members.push(Member { external_id, handle, token: issued.secret });
        }
        members
    }

    /// Every answer that is asked for, in a fixed order, with who asked for what.
    pub(crate) async fn answers(&self) -> Vec<(String, String)> {
        let (key, periods) = (self.pass("merchantApiKey"), self.pass("periodsToken"));
        let staff = self.pass("readOnlyStaffToken");
        let members = self.members().await;
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
            let text = self.text(&target, &headers).await;
            answers.push((target, text));
        }
        answers
    }
}
