//! The use cases, end to end on a database file.

use billing::calendar::{Interval, IntervalUnit};
use billing::catalog::{Category, Price, PriceKind, Product, TaxBehavior};
use billing::changes::{Change, Changes};
use billing::currency::Currency;
use billing::customer::{Customer, PaymentMethod, PaymentMethodKind};
use billing::id::Ids;
use billing::invoice::InvoiceStatus;
use billing::money::Money;
use billing::subscription::Status;
use billing::subscription::cancel::CancelAt;
use billing::timestamp::Timestamp;
use engine::{At, Engine, NewBooks, Subscribe, SubscribeItem};
use gateway::Sandbox;
use std::sync::Arc;
use testbed::Books;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

struct World {
    engine: Engine,
    environment: i64,
    customer: Customer,
    price: Price,
    _books: Books,
}

/// Books of one organization with one customer, whose card is given, and one monthly price of 10.00.
async fn world(token: &str, now: Timestamp) -> World {
    let books = Books::new().await;
    let engine = Engine::new(books.open().await, Arc::new(Sandbox::default()), Ids::seeded(1));
    let mut ctx = engine.ctx(now);
    let (_, environment, _) = engine.open_books(&mut ctx, NewBooks::test("Acme", now)).await.unwrap();
    let catalog = billing::catalog::Catalog {
        id: ctx.id(0),
        environment: environment.number,
        name: "Plans".into(),
        is_default: false,
        created_at: now,
        updated_at: now,
    };
    let product = Product {
        id: ctx.id(0),
        environment: environment.number,
        number: 0,
        catalog_id: catalog.id,
        name: "Basic".into(),
        slug: None,
        description: None,
        image_url: None,
        category: Category::Subscription,
        is_default: false,
        active: true,
        display_features: None,
        singular_quantity_label: None,
        plural_quantity_label: None,
        created_at: now,
        updated_at: now,
    };
    let price = Price {
        id: ctx.id(0),
        environment: environment.number,
        number: 0,
        product_id: product.id,
        kind: PriceKind::Subscription,
        name: Some("Monthly".into()),
        slug: None,
        unit_price: Money::new(1000, Currency::USD),
        interval: Some(Interval::new(IntervalUnit::Month, 1)),
        trial_days: None,
        setup_fee: None,
        period_count: None,
        tax_behavior: TaxBehavior::Exclusive,
        is_default: true,
        active: true,
        created_at: now,
        updated_at: now,
    };
    let customer = Customer {
        external_id: "c1".into(),
        name: "Ada".into(),
        email: "ada@example.com".into(),
        invoice_number_base: "ABCDEF0".into(),
        ..Customer::new(ctx.id(0), environment.number, now)
    };
    let method = PaymentMethod {
        id: ctx.id(0),
        environment: environment.number,
        customer_id: customer.id,
        kind: PaymentMethodKind::Card,
        is_default: true,
        token: token.into(),
        billing_details: "{}".into(),
        data: "{}".into(),
        metadata: None,
        created_at: now,
        updated_at: now,
    };
    let mut changes = Changes::default();
    changes.push(Change::insert(catalog));
    changes.push(Change::insert(product));
    changes.push(Change::insert(price.clone()));
    changes.push(Change::insert(customer.clone()));
    changes.push(Change::insert(method));
    engine.store().commit(changes).await.unwrap();
    World { engine, environment: environment.number, customer, price, _books: books }
}

impl World {
    async fn subscribe(&self, now: Timestamp) -> billing::subscription::Subscription {
        let new = Subscribe {
            items: vec![SubscribeItem { price: self.price.id, quantity: 2 }],
            ..Subscribe::default()
        };
        self.engine
            .subscribe(At::new(now, self.environment), self.customer.id, new)
            .await
            .unwrap()
            .subscription
    }

    async fn invoices(&self) -> Vec<(String, InvoiceStatus, i64, i64)> {
        let (engine, customer) = (&self.engine, self.customer.id);
        engine
            .store()
            .read(move |s| {
                Box::pin(async move {
                    s.rows(
                        "select i.number, i.status, i.total, i.attempt_count from invoices i
                         where i.shard = $1 and i.customer_id = $2 order by i.id",
                        &[0i64.into(), billing::id::Id::raw(customer).into()],
                        |row| {
                            let status = InvoiceStatus::parse(row.text(1)?).unwrap();
                            Ok((row.text(0)?.to_owned(), status, row.int(2)?, row.int(3)?))
                        },
                    )
                    .await
                })
            })
            .await
            .map_err(|error: store::Error| error)
            .unwrap()
    }
}

fn sendable<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn a_subscription_is_charged_and_renewed_on_its_anchor() {
    let world = world("tok_visa", at("2024-01-31T10:00:00Z")).await;
    let subscription = sendable(world.subscribe(at("2024-01-31T10:00:00Z"))).await;
    assert_eq!(subscription.status, Status::Active);
    assert_eq!(subscription.period.end, at("2024-02-29T10:00:00Z"));
    let done =
        sendable(world.engine.advance_clock(world.environment, at("2024-04-01T00:00:00Z"))).await.unwrap();
    assert_eq!(done.subscription_steps, 4, "two renewals, and two announcements");
    let subscription = world.engine.subscription(world.environment, subscription.id).await.unwrap();
    assert_eq!(subscription.period.start, at("2024-03-31T10:00:00Z"));
    let numbers: Vec<_> = world.invoices().await;
    let expected = |n: &str| (n.to_owned(), InvoiceStatus::Paid, 2000, 1);
    assert_eq!(numbers, [expected("INV-00001"), expected("INV-00002"), expected("INV-00003")]);
}

#[tokio::test]
async fn a_failed_payment_is_tried_again_after_3_5_and_5_days() {
    let world = world("tok_card_declined", at("2024-01-01T00:00:00Z")).await;
    let subscription = world.subscribe(at("2024-01-01T00:00:00Z")).await;
    assert_eq!(subscription.status, Status::PastDue);
    for (day, attempts) in [("03", 1), ("04", 2), ("08", 2), ("09", 3), ("13", 3), ("14", 4), ("28", 4)] {
        let now = at(&format!("2024-01-{day}T12:00:00Z"));
        world.engine.advance_clock(world.environment, now).await.unwrap();
        assert_eq!(world.invoices().await[0].3, attempts, "on day {day}");
    }
}

#[tokio::test]
async fn silence_of_the_gateway_is_asked_about_again() {
    let world = world("tok_time_out_after", at("2024-01-01T00:00:00Z")).await;
    let subscription = world.subscribe(at("2024-01-01T00:00:00Z")).await;
    assert_eq!(subscription.status, Status::Incomplete);
    world.engine.advance_clock(world.environment, at("2024-01-01T00:02:00Z")).await.unwrap();
    let subscription = world.engine.subscription(world.environment, subscription.id).await.unwrap();
    assert_eq!(subscription.status, Status::Active);
}

#[tokio::test]
async fn a_cancellation_at_the_end_of_the_period_happens_then() {
    let world = world("tok_visa", at("2024-01-01T00:00:00Z")).await;
    let now = at("2024-01-02T00:00:00Z");
    let id = world.subscribe(at("2024-01-01T00:00:00Z")).await.id;
    let canceled =
        world.engine.cancel(At::new(now, world.environment), id, CancelAt::PeriodEnd).await.unwrap();
    assert!(canceled.subscription.is_cancellation_scheduled());
    world.engine.advance_clock(world.environment, at("2024-03-02T00:00:00Z")).await.unwrap();
    let ended = world.engine.subscription(world.environment, id).await.unwrap();
    assert_eq!((ended.status, ended.ended_at), (Status::Canceled, Some(at("2024-02-01T00:00:00Z"))));
    assert_eq!(world.invoices().await.len(), 1);
}

#[tokio::test]
async fn an_upgrade_now_is_charged_for_what_is_left_less_what_was_billed() {
    use billing::subscription::change::ChangeTiming;
    let world = world("tok_visa", at("2024-01-01T00:00:00Z")).await;
    let id = world.subscribe(at("2024-01-01T00:00:00Z")).await.id;
    let now = at("2024-01-16T12:00:00Z");
    let to = |quantity, when| engine::Adjust {
        items: vec![SubscribeItem { price: world.price.id, quantity }],
        when,
    };
    let more = to(5, ChangeTiming::Now);
    world.engine.adjust(At::new(now, world.environment), id, more).await.unwrap();
    // Half of January is left: half of 50.00 less half of the 20.00 that was billed.
    assert_eq!(world.invoices().await[1].2, 1500);
    let less = to(1, ChangeTiming::Now);
    let refused = world.engine.adjust(At::new(now, world.environment), id, less).await.unwrap_err();
    assert!(matches!(refused, engine::Error::Refused(billing::refusal::Refusal::State(_))), "{refused}");
    let less = to(1, ChangeTiming::PeriodEnd);
    world.engine.adjust(At::new(now, world.environment), id, less).await.unwrap();
    world.engine.advance_clock(world.environment, at("2024-02-02T00:00:00Z")).await.unwrap();
    assert_eq!(world.invoices().await[2].2, 1000);
}

#[tokio::test]
async fn a_subscription_that_waits_for_its_first_payment_ends_when_it_was_to_be_canceled() {
    let start = at("2024-01-01T00:00:00Z");
    let world = world("tok_time_out_before", start).await;
    let id = world.subscribe(start).await.id;
    let end = at("2024-01-01T00:00:30Z");
    let waiting =
        world.engine.cancel(At::new(start, world.environment), id, CancelAt::Date(end)).await.unwrap();
    let waiting = waiting.subscription;
    assert_eq!((waiting.status, waiting.due_at), (Status::Incomplete, Some(end)));
    world.engine.advance_clock(world.environment, end).await.unwrap();
    let ended = world.engine.subscription(world.environment, id).await.unwrap();
    assert_eq!((ended.status, ended.ended_at), (Status::Canceled, Some(end)));
}
