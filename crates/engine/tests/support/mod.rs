//! A small world to test use cases in: books, customers, prices, and a gateway that does as it is told.
#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test whose world cannot be set up has failed")]

use billing::catalog::{NewPrice, ProductEdit};
use billing::customer::CustomerEdit;
use billing::payment::{NewManualPayment, Outcome};
use billing::{
    Category, Credit, Currency, CustomerId, Id, Ids, IntervalUnit, Invoice, Money, Payment, PaymentChannel,
    PaymentId, PaymentMethod, Price, PriceId, Request, Staff, Subscription, SubscriptionId, TaxBehavior,
    Timestamp,
};
use engine::{At, Engine, NewBooks, NewLine, Of, Subscribe, SubscribeItem};
use gateway::{Answer, ChargeRequest, Gateway, NoOutcome, RefundRequest, Sandbox};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use store::Options;
use store::pages::Window;
use testbed::{Books, Wire};
use tokio::sync::Semaphore;

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The sandbox, with a memory of what was charged under which key, a door that can be shut and a list of
/// charges that nobody answers.
#[derive(Default)]
pub(crate) struct Told {
    sandbox: Sandbox,
    door: Mutex<Option<Arc<Semaphore>>>,
    pub(crate) silent: Mutex<BTreeSet<PaymentId>>,
    pub(crate) all_silent: Mutex<bool>,
    pub(crate) asked: Mutex<Vec<PaymentId>>,
    known: Mutex<BTreeMap<String, (Money, Outcome)>>,
}

impl Told {
    /// Shuts the door: every charge waits for one permit of the answer.
    pub(crate) fn shut(&self) -> Arc<Semaphore> {
        let door = Arc::new(Semaphore::new(0));
        *self.door.lock().unwrap() = Some(Arc::clone(&door));
        door
    }

    /// The sums that have moved, each under its key.
    pub(crate) fn moved(&self) -> BTreeMap<String, i64> {
        let known = self.known.lock().unwrap();
        let moved = known.iter().filter(|(_, (_, outcome))| matches!(outcome, Outcome::Succeeded { .. }));
        moved.map(|(key, (money, _))| (key.clone(), money.minor())).collect()
    }

    /// Answers as it did the first time that it heard the key.
    fn answer_once(&self, request: &ChargeRequest, outcome: Outcome) -> Result<Outcome, NoOutcome> {
        let mut known = self.known.lock().unwrap();
        let (money, outcome) = known.entry(request.key.clone()).or_insert((request.amount, outcome));
        if *money == request.amount { Ok(outcome.clone()) } else { Err(NoOutcome::AmountMismatch) }
    }

    pub(crate) fn silence(&self, is_silent: bool) {
        *self.all_silent.lock().unwrap() = is_silent;
    }
}

impl Gateway for Told {
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> Answer<'a, Outcome> {
        self.asked.lock().unwrap().push(request.payment);
        let is_silent =
            *self.all_silent.lock().unwrap() || self.silent.lock().unwrap().contains(&request.payment);
        let door = self.door.lock().unwrap().clone();
        Box::pin(async move {
            if let Some(door) = door {
                door.acquire().await.unwrap().forget();
            }
            if is_silent {
                return Err(NoOutcome::TimedOut);
            }
            let outcome = self.sandbox.charge(request).await?;
            self.answer_once(request, outcome)
        })
    }

    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Answer<'a, billing::payment::RefundOutcome> {
        match *self.all_silent.lock().unwrap() {
            true => Box::pin(async { Err(NoOutcome::TimedOut) }),
            false => self.sandbox.refund(request),
        }
    }

    fn accepts(&self, token: &str) -> bool {
        self.sandbox.accepts(token)
    }
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) gateway: Arc<Told>,
    pub(crate) environment: i64,
    pub(crate) staff: Staff,
    pub(crate) start: Timestamp,
    pub(crate) books: Books,
}

/// An engine over some books, with a gateway of its own: what another process would be.
pub(crate) async fn open(books: &Books, seed: u64) -> (Engine, Arc<Told>) {
    let options = Options { readers: 2, ..Options::default() };
    let gateway = Arc::new(Told::default());
    let asked: Arc<dyn Gateway> = gateway.clone();
    (Engine::new(books.open_with(options).await, asked, Ids::seeded(seed)), gateway)
}

impl World {
    /// New books in a database of their own.
    pub(crate) async fn new(start: &str) -> Self {
        let books = Books::new().await;
        let (engine, gateway) = open(&books, 1).await;
        Self::beside(engine, gateway, books, start).await
    }

    /// New books in PostgreSQL, over a wire.
    pub(crate) async fn over_a_wire() -> (Self, Wire) {
        let books = Books::postgres().await;
        let wire = Wire::to(books.address());
        let (engine, gateway) = open(&books.by_way_of(&wire), 1).await;
        (Self::beside(engine, gateway, books, "2024-01-01T00:00:00Z").await, wire)
    }

    /// Runs a statement past the store for every customer of a name like `c3`.
    pub(crate) async fn poison(&self, statement: &str, name: &str) {
        let customer = format!("(select id from customers where external_id = '{name}')");
        assert!(self.books.tamper(&statement.replace("$customer", &customer)).await > 0, "{statement}");
    }

    /// Makes the database refuse every `insert` or `update` of a row of a table for a customer.
    pub(crate) async fn refuse(&self, event: &str, table: &str, name: &str) {
        if testbed::is_url(self.books.address()) {
            let guard = format!(
                "create function poison() returns trigger language plpgsql as $$ begin
                 if new.customer_id = (select id from customers where external_id = '{name}') then
                 raise exception 'poison'; end if; return new; end; $$"
            );
            self.books.tamper(&guard).await;
            let fire = "for each row execute function poison()";
            self.books.tamper(&format!("create trigger poison before {event} on {table} {fire}")).await;
            return;
        }
        let guard = format!(
            "create trigger poison before {event} on {table}
             when new.customer_id = (select id from customers where external_id = '{name}')
             begin select raise(abort, 'poison'); end"
        );
        self.books.tamper(&guard).await;
    }

    /// Takes back what [`World::refuse`] did.
    pub(crate) async fn refuse_no_more(&self, table: &str) {
        let of = if testbed::is_url(self.books.address()) { format!(" on {table}") } else { String::new() };
        self.books.tamper(&format!("drop trigger poison{of}")).await;
    }

    /// New books beside the others of an engine.
    pub(crate) async fn beside(engine: Engine, gateway: Arc<Told>, books: Books, start: &str) -> Self {
        let start = at(start);
        let mut ctx = engine.ctx(start);
        let (_, opened, staff) = engine.open_books(&mut ctx, NewBooks::test("Acme", start)).await.unwrap();
        Self { engine, gateway, environment: opened.number, staff, start, books }
    }

    /// Changes the policies.
    pub(crate) async fn policy(&self, change: impl Fn(&mut billing::Environment) + Send) {
        self.engine.update_environment(At::new(self.start, self.environment), change).await.unwrap();
    }

    /// A price of a product of its own; `change` says what is special about it.
    pub(crate) async fn price(&self, minor: i64, change: impl FnOnce(&mut NewPrice)) -> Price {
        let mut new = testbed::price_each(IntervalUnit::Month, minor);
        change(&mut new);
        let product = ProductEdit { name: Some(format!("Product {minor}")), ..ProductEdit::default() };
        let (_, prices) = self
            .engine
            .create_product(At::new(self.start, self.environment), None, product, Some(new))
            .await
            .unwrap();
        prices.into_iter().next().unwrap()
    }

    /// A customer with a card, if a token is given.
    pub(crate) async fn customer(&self, name: &str, token: Option<&str>) -> CustomerId {
        let edit = CustomerEdit {
            external_id: Some(name.into()),
            name: Some(name.into()),
            email: Some(format!("{name}@example.com")),
            ..CustomerEdit::default()
        };
        let customer =
            self.engine.create_customer(At::new(self.start, self.environment), edit).await.unwrap();
        if let Some(token) = token {
            self.card(customer.id, token, self.start).await;
        }
        customer.id
    }

    pub(crate) async fn card(&self, customer: CustomerId, token: &str, now: Timestamp) -> PaymentMethod {
        let method = testbed::card(token);
        self.engine.create_payment_method(At::new(now, self.environment), customer, method).await.unwrap()
    }

    /// Subscribes to one unit of a price.
    pub(crate) async fn subscribe(
        &self,
        customer: CustomerId,
        price: PriceId,
        now: Timestamp,
    ) -> Subscription {
        let new = Subscribe { items: vec![SubscribeItem { price, quantity: 1 }], ..Subscribe::default() };
        self.engine.subscribe(At::new(now, self.environment), customer, new).await.unwrap()
    }

    pub(crate) async fn subscription(&self, id: SubscriptionId) -> Subscription {
        self.engine.subscription(self.environment, id).await.unwrap()
    }

    pub(crate) async fn run(&self, now: &str) {
        self.engine.run_due(self.environment, at(now)).await.unwrap();
    }

    pub(crate) async fn advance(&self, to: &str) {
        self.engine.advance_clock(self.environment, at(to)).await.unwrap();
    }

    /// A customer's invoices, the oldest first.
    pub(crate) async fn invoices(&self, customer: CustomerId) -> Vec<Invoice> {
        let window = Window { after: None, limit: 1000 };
        let page =
            self.engine.invoices(self.environment, Of::Customer(customer), None, window).await.unwrap();
        let mut invoices: Vec<_> = page.rows.into_iter().map(|full| full.invoice).collect();
        invoices.sort_by_key(|invoice| invoice.customer_ordinal);
        invoices
    }

    /// A customer's payments, the oldest first.
    pub(crate) async fn payments(&self, customer: CustomerId) -> Vec<Payment> {
        let (environment, window) = (self.environment, Window { after: None, limit: 1000 });
        let page = self
            .engine
            .store()
            .read(move |s| Box::pin(async move { store::pages::payments(s, environment, window).await }))
            .await
            .unwrap();
        let mut payments = page.rows;
        payments.retain(|payment| payment.customer_id == customer);
        payments.sort_by_key(|payment| payment.id);
        payments
    }

    /// What is left on a customer's balance.
    pub(crate) async fn balance(&self, customer: CustomerId) -> i64 {
        let environment = self.environment;
        let payer = self
            .engine
            .store()
            .read(move |s| Box::pin(async move { store::payers::load_one(s, environment, customer).await }))
            .await
            .unwrap();
        payer.unwrap().credits.iter().map(|credit: &Credit| credit.remaining).sum()
    }

    /// Issues an invoice of one line, without tax.
    pub(crate) async fn bill(
        &self,
        customer: CustomerId,
        minor: i64,
        charge: bool,
        now: Timestamp,
    ) -> Invoice {
        let line = NewLine {
            description: "Advice".into(),
            price_id: None,
            product_id: None,
            category: Category::AddOn,
            quantity: 1,
            unit_price: Money::new(minor, Currency::USD),
            tax_behavior: TaxBehavior::Exclusive,
        };
        let (engine, number) = (&self.engine, self.environment);
        engine.issue_invoice(At::new(now, number), customer, vec![line], None, charge).await.unwrap()
    }

    pub(crate) fn cash(&self, minor: i64, now: Timestamp) -> NewManualPayment {
        NewManualPayment {
            category: Category::Subscription,
            amount: Money::new(minor, Currency::USD),
            means: PaymentChannel::Cash,
            paid_at: now,
            description: None,
            notes: None,
            receipt_image: None,
            created_by: self.staff.id,
        }
    }

    /// Writes down money that came in cash.
    pub(crate) async fn write_down(&self, customer: CustomerId, minor: i64, now: Timestamp) -> Payment {
        let new = self.cash(minor, now);
        self.engine.record_payment(At::new(now, self.environment), customer, new).await.unwrap().payment
    }

    pub(crate) fn request(&self, key: &str) -> Request {
        Request {
            environment: self.environment,
            key: key.into(),
            fingerprint: vec![1; 32],
            received_at: self.start,
        }
    }

    /// Fails unless the audit agrees with the books.
    pub(crate) async fn audit(&self) {
        let report = self.engine.audit(Some(self.environment), Box::new(|_| {})).await.unwrap();
        let told: Vec<_> = report.disagreements.iter().map(ToString::to_string).collect();
        assert!(report.agrees(), "{}", told.join("\n"));
    }
}

/// The raw id of a thing, for messages.
pub(crate) fn raw(id: impl Id) -> u128 {
    id.raw()
}
