//! A small trade with something of everything in its books.

use billing::calendar::IntervalUnit;
use billing::catalog::edit::{DiscountEdit, NewPrice, NewTaxRate, ProductEdit};
use billing::catalog::{Category, DiscountAmount, DiscountDuration, Price, PriceKind, TaxBehavior};
use billing::credential::{Bearer, Credential, KeyScope};
use billing::currency::Currency;
use billing::customer::{Address, Customer, CustomerEdit, Staff};
use billing::environment::DunningEnd;
use billing::id::{Ids, Request};
use billing::money::Money;
use billing::payment::PaymentChannel;
use billing::payment::manual::NewManualPayment;
use billing::rate::Rate;
use billing::subscription::cancel::CancelAt;
use billing::timestamp::Timestamp;
use engine::{At, Engine, NewBooks, NewLine, Subscribe, SubscribeItem};
use gateway::Sandbox;
use std::sync::Arc;
use store::Options;
use store::pages::CursorPage;
use testbed::Books;

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(crate) async fn open(books: &Books) -> Engine {
    let options = Options { readers: 1, ..Options::default() };
    Engine::new(books.open_with(options).await, Arc::new(Sandbox::default()), Ids::seeded(1))
}

struct Trade {
    engine: Engine,
    environment: i64,
    staff: Staff,
    now: Timestamp,
    monthly: Price,
    once: Price,
    on_trial: Price,
}

fn price(kind: PriceKind, minor: i64, slug: &str) -> NewPrice {
    let is_plan = kind == PriceKind::Subscription;
    let monthly = testbed::price_each(IntervalUnit::Month, minor);
    NewPrice {
        kind,
        name: Some(slug.into()),
        slug: Some(slug.into()),
        interval: monthly.interval.filter(|_| is_plan),
        setup_fee: is_plan.then_some(500),
        ..monthly
    }
}

impl Trade {
    /// Books of their own, with three prices, a tax and a discount.
    async fn open(engine: &Engine, name: &str, end: DunningEnd) -> Self {
        let now = at("2024-01-15T08:00:00Z");
        let mut ctx = engine.ctx(now);
        let (_, books, staff) = engine.open_books(&mut ctx, NewBooks::test(name, now)).await.unwrap();
        engine.update_environment(At::new(now, books.number), |books| books.dunning.end = end).await.unwrap();
        let number = books.number;
        let product = ProductEdit { name: Some("Plans".into()), ..ProductEdit::default() };
        let (product, prices) = engine
            .create_product(
                At::new(now, number),
                None,
                product,
                Some(price(PriceKind::Subscription, 1000, "monthly")),
            )
            .await
            .unwrap();
        let once = price(PriceKind::SinglePayment, 4000, "once");
        let once = engine.create_price(At::new(now, number), product.id, once).await.unwrap();
        let on_trial = NewPrice { trial_days: Some(14), ..price(PriceKind::Subscription, 700, "on-trial") };
        let on_trial = engine.create_price(At::new(now, number), product.id, on_trial).await.unwrap();
        let tax = NewTaxRate {
            kind: "gst".into(),
            country: "IN".into(),
            state: None,
            category: None,
            rate: Rate::parse("18").unwrap(),
        };
        engine.create_tax_rate(At::new(now, number), tax).await.unwrap();
        let discount = DiscountEdit {
            name: Some("Launch".into()),
            code: Some("LAUNCH".into()),
            amount: Some(DiscountAmount::Percent(10)),
            duration: Some(DiscountDuration::Once),
            ..DiscountEdit::default()
        };
        engine.create_discount(At::new(now, number), discount).await.unwrap();
        let monthly = prices.into_iter().next().unwrap();
        Self { engine: engine.clone(), environment: number, staff, now, monthly, once, on_trial }
    }

    async fn customer(&self, name: &str, token: Option<&str>) -> Customer {
        let address = Address { text: "{}".into(), country: Some("IN".into()), state: None };
        let edit = CustomerEdit {
            external_id: Some(name.into()),
            name: Some(name.into()),
            email: Some(format!("{name}@example.com")),
            handle: Some(Some(format!("{name}.example.com"))),
            billing_address: Some(Some(address)),
            ..CustomerEdit::default()
        };
        let (engine, number) = (&self.engine, self.environment);
        let customer = engine.create_customer(At::new(self.now, number), edit).await.unwrap();
        if let Some(token) = token {
            let method = testbed::card(token);
            engine.create_payment_method(At::new(self.now, number), customer.id, method).await.unwrap();
        }
        customer
    }

    async fn subscribe(
        &self,
        customer: &Customer,
        price: &Price,
        code: Option<&str>,
    ) -> billing::subscription::Subscription {
        let new = Subscribe {
            items: vec![SubscribeItem { price: price.id, quantity: 2 }],
            discount_code: code.map(str::to_owned),
            ..Subscribe::default()
        };
        let request = Request {
            environment: self.environment,
            key: format!("subscribe {}", customer.external_id),
            fingerprint: vec![7; 32],
            received_at: self.now,
        };
        let engine = &self.engine;
        engine
            .subscribe(At::new(self.now, self.environment).answering(Some(request)), customer.id, new)
            .await
            .unwrap()
            .subscription
    }

    async fn bill(&self, customer: &Customer, minor: i64) -> billing::invoice::Invoice {
        let line = NewLine {
            description: "Advice".into(),
            price_id: None,
            product_id: None,
            category: Category::AddOn,
            quantity: 1,
            unit_price: Money::new(minor, Currency::USD),
            tax_behavior: TaxBehavior::Inclusive,
        };
        let (engine, number) = (&self.engine, self.environment);
        let at = At::new(self.now, number);
        engine.issue_invoice(at, customer.id, vec![line], None, false).await.unwrap().full.invoice
    }

    async fn write_down(&self, customer: &Customer, minor: i64) {
        let payment = NewManualPayment {
            category: Category::AddOn,
            amount: Money::new(minor, Currency::USD),
            means: PaymentChannel::Cash,
            paid_at: self.now,
            description: None,
            notes: None,
            receipt_image: None,
            created_by: self.staff.id,
        };
        let (engine, number) = (&self.engine, self.environment);
        engine.record_payment(At::new(self.now, number), customer.id, payment).await.unwrap();
    }

    async fn trade(&self) {
        let (engine, number) = (&self.engine, self.environment);
        let ada = self.customer("ada", Some("tok_visa")).await;
        self.subscribe(&ada, &self.monthly, Some("LAUNCH")).await;
        let bob = self.customer("bob", Some("tok_card_declined")).await;
        self.subscribe(&bob, &self.monthly, None).await;
        let cyd = self.customer("cyd", None).await;
        self.bill(&cyd, 3000).await;
        self.write_down(&cyd, 5000).await;
        self.bill(&cyd, 1500).await;
        let unwanted = self.bill(&cyd, 9000).await;
        self.write_down(&cyd, 9500).await;
        let voided = self.bill(&bob, 100).await;
        engine.void_invoice(At::new(self.now, number), voided.id).await.unwrap();
        assert_ne!(unwanted.id, voided.id);
        let dan = self.customer("dan", Some("tok_visa")).await;
        let item = SubscribeItem { price: self.once.id, quantity: 1 };
        engine.sell(At::new(self.now, number), dan.id, item, None, None, None).await.unwrap();
        let all = CursorPage { after: None, limit: 100 };
        let paid = engine
            .store()
            .read(move |s| Box::pin(async move { store::pages::payments(s, number, all).await }))
            .await
            .unwrap();
        let paid: Vec<_> = paid.rows.into_iter().filter(|payment| payment.customer_id == dan.id).collect();
        engine.refund(At::new(self.now, number), paid[0].id, Some(1000), None).await.unwrap();
        let eve = self.customer("eve", Some("tok_visa")).await;
        let trial = self.subscribe(&eve, &self.on_trial, None).await;
        let later = self.now.plus_days(60).unwrap();
        engine.advance_clock(number, later).await.unwrap();
        engine.cancel(At::new(later, number), trial.id, CancelAt::Now).await.unwrap();
    }

    async fn give_keys(&self) {
        let mut ctx = self.engine.ctx(self.now);
        for (bearer, hash) in [(Bearer::Key, Some([3; 32])), (Bearer::Staff(self.staff.id), None)] {
            let is_key = hash.is_some();
            let credential = Credential {
                id: ctx.id(0),
                environment: self.environment,
                bearer,
                name: "for tests".into(),
                hint: if is_key { "qk_test".into() } else { String::new() },
                hash,
                scopes: if is_key { vec![KeyScope::Merchant] } else { Vec::new() },
                expires_at: None,
                revoked_at: None,
                last_used_at: None,
                created_at: self.now,
            };
            self.engine.issue_credential(credential).await.unwrap();
        }
    }
}

/// Books with something of everything, closed.
pub(crate) async fn make() -> Books {
    let books = Books::new().await;
    let engine = open(&books).await;
    let first = Trade::open(&engine, "First", DunningEnd::LeavePastDue).await;
    first.give_keys().await;
    first.trade().await;
    let second = Trade::open(&engine, "Second", DunningEnd::Cancel).await;
    second.trade().await;
    engine.store().close().await.unwrap();
    books
}
