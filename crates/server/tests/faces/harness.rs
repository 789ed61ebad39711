//! A server without a socket over books of its own, with a clock that tests set.

use billing::{
    Bearer, Change, Changes, CustomerId, CustomerUserId, Environment, Id, KeyScope, Role, StaffId,
};
use billing::{Ids, Timestamp};
use engine::{Engine, NewBooks};
use gateway::Sandbox;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use server::app::{App, AppParts, Clock, Limits};
use server::body::Body;
use server::middleware::Service;
use server::router;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use store::Options;
use testbed::Books;

/// A server with its books.
pub(crate) struct TestApp {
    pub(crate) service: Service,
    pub(crate) engine: Engine,
    clock: Arc<AtomicI64>,
    // Dropped last: the books lie in it.
    books: Books,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Status and body, for a snapshot: `401 {"code":401,…}`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.body)
    }

    /// A header's text; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

impl TestApp {
    /// Empty books; the real clock stands at noon of 20 March 2026.
    pub(crate) async fn new() -> Self {
        Self::with_limits(Limits::default()).await
    }

    /// Empty books and other limits.
    pub(crate) async fn with_limits(limits: Limits) -> Self {
        let clock = Arc::new(AtomicI64::new(time("2026-03-20T12:00:00Z").micros()));
        Self::open(Books::new().await, clock, limits, 1).await
    }

    /// Empty books in a place of choice.
    pub(crate) async fn on(books: Books) -> Self {
        let clock = Arc::new(AtomicI64::new(time("2026-03-20T12:00:00Z").micros()));
        Self::open(books, clock, Limits::default(), 1).await
    }

    /// Another process on the same books: nothing of this one's memory is known to it.
    pub(crate) async fn restarted(&self) -> Self {
        self.restarted_with(self.app().limits.clone()).await
    }

    /// That, with other limits.
    pub(crate) async fn restarted_with(&self, limits: Limits) -> Self {
        Self::open(self.books.clone(), self.clock.clone(), limits, 2).await
    }

    async fn open(books: Books, clock: Arc<AtomicI64>, limits: Limits, seed: u64) -> Self {
        let store = books.open_with(Options { readers: 2, ..Options::default() }).await;
        let engine = Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(seed));
        let now = clock.clone();
        let random = AtomicU64::new(seed);
        let app = App::new(AppParts {
            engine: engine.clone(),
            clock: Clock {
                now: Arc::new(move || Timestamp::from_micros(now.load(Ordering::SeqCst))),
                since: Arc::new(|| Duration::ZERO),
            },
            entropy: Arc::new(move |bytes| {
                for byte in bytes {
                    let next = random.load(Ordering::SeqCst).wrapping_mul(6_364_136_223_846_793_005) + 1;
                    random.store(next, Ordering::SeqCst);
                    *byte = (next >> 56) as u8;
                }
            }),
            jwt_key: b"a key for tests".to_vec(),
            pepper: b"a pepper for tests".to_vec(),
            limits,
        });
        Self { service: router::service(app), engine, clock, books }
    }

    pub(crate) fn app(&self) -> &App {
        self.service.app()
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.load(Ordering::SeqCst))
    }

    /// Sets the real clock.
    pub(crate) fn set_now(&self, now: Timestamp) {
        self.clock.store(now.micros(), Ordering::SeqCst);
    }

    /// New books of an organization with the default roles: live ones, or test ones with a clock.
    pub(crate) async fn books(&self, organization: &str, clock: Option<&str>) -> Environment {
        let new = NewBooks {
            livemode: clock.is_none(),
            clock: clock.map(time),
            default_product: Some("unpod.dev".to_owned()),
            ..NewBooks::test(organization, self.now())
        };
        let mut ctx = self.engine.ctx(self.now());
        let (_, environment, _) = self.engine.open_books(&mut ctx, new).await.unwrap();
        self.engine.put_roles(Role::defaults(environment.number)).await.unwrap();
        environment
    }

    /// Writes rows as they are.
    pub(crate) async fn commit(&self, rows: Vec<Change>) {
        let changes = Changes { rows, ..Changes::default() };
        self.engine.store().commit(changes).await.unwrap();
    }

    /// Makes the next row of a kind get the number after `n`, as if so many had been there before.
    pub(crate) async fn set_tally(&self, environment: i64, kind: &str, n: i64) {
        let sql = format!(
            "insert into tallies (environment, kind, n) values ({environment}, '{kind}', {n})
             on conflict (environment, kind) do update set n = excluded.n"
        );
        self.books.tamper(&sql).await;
    }

    /// Runs a statement past the store.
    pub(crate) async fn tamper(&self, sql: &str) {
        assert!(self.books.tamper(sql).await > 0, "{sql}");
    }

    /// An API key with scopes.
    pub(crate) async fn key(&self, environment: i64, scopes: &[KeyScope]) -> String {
        let mut ids = self.engine.ctx(self.now()).ids;
        let entropy = self.app().entropy.clone();
        let issued = self.app().authenticator.api_key(
            self.now(),
            &mut ids,
            &*entropy,
            (environment, false),
            "test",
            scopes.to_vec(),
            None,
        );
        self.engine.issue_credential(issued.credential).await.unwrap();
        issued.secret
    }

    /// A token that holds for a day, and the id of its credential.
    pub(crate) async fn token(&self, environment: i64, bearer: Bearer) -> (String, billing::CredentialId) {
        let id = self.engine.ctx(self.now()).id(0);
        let end = self.now().plus_days(1).unwrap();
        let issued = self.app().authenticator.token(self.now(), id, environment, bearer, "test", end);
        self.engine.issue_credential(issued.credential).await.unwrap();
        (issued.secret, id)
    }

    /// The token of a new person of the seller with a role.
    pub(crate) async fn staff_token(&self, environment: i64, role: &str) -> String {
        let id: StaffId = self.engine.ctx(self.now()).id(0);
        self.commit(vec![Change::InsertStaff(crate::seeds::staff(environment, id, role))]).await;
        self.token(environment, Bearer::Staff(id)).await.0
    }

    /// The token of a new person of a customer.
    pub(crate) async fn customer_token(&self, environment: i64, customer: CustomerId) -> String {
        let id: CustomerUserId = self.engine.ctx(self.now()).id(customer.shard());
        self.commit(vec![Change::InsertCustomerUser(crate::seeds::customer_user(environment, id, customer))])
            .await;
        self.token(environment, Bearer::CustomerUser(customer, id)).await.0
    }

    /// `GET` with `Authorization: Bearer <token>`.
    pub(crate) async fn get(&self, target: &str, token: &str) -> Answer {
        self.send(Method::GET, target, &[("authorization", &format!("Bearer {token}"))], "").await
    }

    /// A write with `Authorization: Bearer <token>`, further headers and a JSON body.
    pub(crate) async fn write(
        &self,
        method: Method,
        target: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let authorization = format!("Bearer {token}");
        let mut all = vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(method, target, &all, body).await
    }

    /// Any request.
    pub(crate) async fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request = request.header(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let response = self.service.respond(request.body(Body::from(body.to_owned())).unwrap()).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}

/// A document's JSON without the blanks between its parts; numbers keep their spelling.
pub(crate) fn compact(text: &str) -> String {
    let (mut out, mut in_text, mut escaped) = (String::new(), false, false);
    for c in text.chars() {
        if in_text || !c.is_whitespace() {
            out.push(c);
        }
        match c {
            '"' if !escaped => in_text = !in_text,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    out
}
