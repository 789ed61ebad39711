//! What becomes of payments: asked for once, booked once, given back once.

use crate::fixtures::{World, at, open};
use billing::catalog::edit::DiscountEdit;
use billing::catalog::{Category, DiscountAmount, DiscountDuration, PriceKind, TaxBehavior};
use billing::currency::Currency;
use billing::environment::{DunningEnd, DunningPolicy};
use billing::invoice::InvoiceStatus;
use billing::money::Money;
use billing::payment::PaymentStatus;
use billing::payment::manual::ManualPaymentEdit;
use engine::{At, NewLine, Subscribe, SubscribeItem};

#[tokio::test]
async fn two_processes_that_ask_for_the_same_payments_book_them_once() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let (ada, bob) =
        (world.customer("ada", Some("tok_visa")).await, world.customer("bob", Some("tok_visa")).await);
    world.gateway.silence(true);
    world.bill(ada, 1000, true, world.start).await;
    world.bill(bob, 1000, true, world.start).await;
    world.gateway.silence(false);
    let now = at("2024-01-01T01:00:00Z");
    // The first process has read what is in doubt, and waits for the gateway.
    let door = world.gateway.shut();
    let (engine, environment) = (world.engine.clone(), world.environment);
    let slow = tokio::spawn(async move { engine.run_due(environment, now).await });
    while world.gateway.asked.lock().unwrap().len() < 3 {
        tokio::task::yield_now().await;
    }
    let (other, _) = open(&world.books, 2).await;
    other.run_due(world.environment, now).await.unwrap();
    door.add_permits(10);
    slow.await.unwrap().unwrap();
    for customer in [ada, bob] {
        let payments = world.payments(customer).await;
        assert_eq!(payments.len(), 1);
        assert_eq!(payments[0].status, PaymentStatus::Succeeded);
        assert_eq!(world.balance(customer).await, 0);
    }
    world.audit().await;
}

#[tokio::test]
async fn what_came_twice_is_given_back_from_the_balance_first() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    world.gateway.silence(true);
    world.bill(ada, 1000, true, world.start).await;
    world.gateway.silence(false);
    // Staff writes down cash for what the card has paid too.
    world.write_down(ada, 700, world.start).await;
    world.run("2024-01-01T01:00:00Z").await;
    assert_eq!(world.balance(ada).await, 700, "the card paid 300 that were owed, and 700 more");
    let card = world.payments(ada).await.into_iter().find(|payment| payment.invoice_id.is_some()).unwrap();
    let now = at("2024-01-01T02:00:00Z");
    world.engine.refund(At::new(now, world.environment), card.id, Some(600), None).await.unwrap();
    assert_eq!(world.balance(ada).await, 100);
    let invoice = &world.invoices(ada).await[0];
    assert_eq!((invoice.status, invoice.refunded), (InvoiceStatus::Paid, 0));
    world.engine.refund(At::new(now, world.environment), card.id, None, None).await.unwrap();
    assert_eq!(world.balance(ada).await, 0);
    let invoice = &world.invoices(ada).await[0];
    assert_eq!((invoice.status, invoice.refunded), (InvoiceStatus::PartiallyRefunded, 300));
    world.audit().await;
}

#[tokio::test]
async fn what_was_spent_from_the_balance_cannot_be_given_back() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    world.gateway.silence(true);
    world.bill(ada, 1000, true, world.start).await;
    world.gateway.silence(false);
    world.write_down(ada, 1000, world.start).await;
    world.run("2024-01-01T01:00:00Z").await;
    let now = at("2024-01-01T02:00:00Z");
    world.bill(ada, 400, false, now).await;
    assert_eq!(world.balance(ada).await, 600);
    let card = world.payments(ada).await.into_iter().find(|payment| payment.invoice_id.is_some()).unwrap();
    let refused = world.engine.refund(At::new(now, world.environment), card.id, Some(601), None).await;
    assert!(matches!(refused, Err(engine::Error::Refused(_))), "{refused:?}");
    world.engine.refund(At::new(now, world.environment), card.id, None, None).await.unwrap();
    assert_eq!(world.balance(ada).await, 0);
    world.audit().await;
}

#[tokio::test]
async fn a_manual_payment_of_a_given_up_invoice_can_be_taken_back() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    world
        .policy(|books| books.dunning = DunningPolicy { retry_days: vec![1], end: DunningEnd::Cancel })
        .await;
    let ada = world.customer("ada", Some("tok_card_declined")).await;
    world.bill(ada, 1000, true, world.start).await;
    let cash = world.write_down(ada, 400, world.start).await;
    world.advance("2024-01-03T00:00:00Z").await;
    assert_eq!(world.invoices(ada).await[0].status, InvoiceStatus::Uncollectible);
    world.audit().await;
    let now = at("2024-01-04T00:00:00Z");
    world.engine.delete_payment(At::new(now, world.environment), cash.id).await.unwrap();
    let invoice = &world.invoices(ada).await[0];
    assert_eq!((invoice.status, invoice.owed()), (InvoiceStatus::Open, 1000));
    world.audit().await;
}

#[tokio::test]
async fn an_invoice_that_is_paid_again_after_a_refund_stays_refunded_in_part() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", None).await;
    world.bill(ada, 1000, false, world.start).await;
    let cash = world.write_down(ada, 400, world.start).await;
    world.card(ada, "tok_visa", world.start).await;
    let invoice = world.invoices(ada).await[0].clone();
    let card = world.engine.retry_payment(At::new(world.start, world.environment), invoice.id).await.unwrap();
    let card = card.unwrap();
    world.engine.refund(At::new(world.start, world.environment), card.id, Some(100), None).await.unwrap();
    world.engine.delete_payment(At::new(world.start, world.environment), cash.id).await.unwrap();
    world.audit().await;
    world.write_down(ada, 400, world.start).await;
    let invoice = &world.invoices(ada).await[0];
    assert_eq!((invoice.status, invoice.refunded), (InvoiceStatus::PartiallyRefunded, 100));
    world.audit().await;
}

#[tokio::test]
async fn an_invoice_of_nothing_cannot_be_withdrawn() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", None).await;
    let invoice = world.bill(ada, 0, false, world.start).await;
    let refused = world.engine.void_invoice(At::new(world.start, world.environment), invoice.id).await;
    assert!(matches!(refused, Err(engine::Error::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn sums_that_could_not_be_added_up_are_refused() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let (engine, number, now) = (&world.engine, world.environment, world.start);
    let cash = world.cash(i64::MAX / 2, now);
    let refused = engine.record_payment(At::new(now, number), ada, cash).await;
    assert!(matches!(refused, Err(engine::Error::Refused(_))), "{refused:?}");
    let most = world.write_down(ada, billing::invoice::AMOUNT_MAX, now).await;
    let edit = ManualPaymentEdit {
        amount: Some(Money::new(billing::invoice::AMOUNT_MAX + 1, Currency::USD)),
        ..ManualPaymentEdit::default()
    };
    let refused = engine.edit_payment(At::new(now, number), most.id, edit).await;
    assert!(matches!(refused, Err(engine::Error::Refused(_))), "{refused:?}");
    let trial = world.price(1_000_000, |price| price.trial_days = Some(14)).await;
    let items = vec![SubscribeItem { price: trial.id, quantity: 1 << 40 }];
    let new = Subscribe { items, ..Subscribe::default() };
    let refused = engine.subscribe(At::new(now, number), ada, new).await;
    assert!(matches!(refused, Err(engine::Error::Refused(_))), "{refused:?}");
    let line = NewLine {
        description: "A planet".into(),
        price_id: None,
        product_id: None,
        category: Category::AddOn,
        quantity: 1,
        unit_price: Money::new(billing::invoice::AMOUNT_MAX + 1, Currency::USD),
        tax_behavior: TaxBehavior::Exclusive,
    };
    let refused = engine.issue_invoice(At::new(now, number), ada, vec![line], None, true).await;
    assert!(matches!(refused, Err(engine::Error::Refused(_))), "{refused:?}");
    world.audit().await;
}

#[tokio::test]
async fn a_decline_says_nothing_of_an_invoice_that_was_paid_meanwhile() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_card_declined")).await;
    world.gateway.silence(true);
    world.bill(ada, 1000, true, world.start).await;
    world.gateway.silence(false);
    world.write_down(ada, 1000, world.start).await;
    world.run("2024-01-01T01:00:00Z").await;
    let invoice = &world.invoices(ada).await[0];
    assert_eq!((invoice.status, &invoice.last_failure), (InvoiceStatus::Paid, &None));
    assert_eq!(invoice.next_attempt_at, None);
    world.audit().await;
}

#[tokio::test]
async fn a_purchase_says_what_its_invoice_came_to() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let discount = DiscountEdit {
        name: Some("Launch".into()),
        code: Some("LAUNCH".into()),
        amount: Some(DiscountAmount::Percent(10)),
        duration: Some(DiscountDuration::Once),
        ..DiscountEdit::default()
    };
    world.engine.create_discount(At::new(world.start, world.environment), discount).await.unwrap();
    let price = world
        .price(2000, |price| {
            price.kind = PriceKind::SinglePayment;
            price.interval = None;
        })
        .await;
    let (engine, code) = (&world.engine, Some("LAUNCH".to_owned()));
    let item = SubscribeItem { price: price.id, quantity: 1 };
    let (purchase, _) =
        engine.sell(At::new(world.start, world.environment), ada, item, None, None, code).await.unwrap();
    assert_eq!(purchase.first_invoice_value, 1800);
}

#[tokio::test]
async fn a_refund_in_doubt_holds_what_it_may_give_back() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    world.gateway.silence(true);
    world.bill(ada, 1000, true, world.start).await;
    world.gateway.silence(false);
    // Cash pays 700 of it before the card pays 1000: 700 are left on the balance.
    world.write_down(ada, 700, world.start).await;
    world.run("2024-01-01T01:00:00Z").await;
    let card = world.payments(ada).await.into_iter().find(|payment| payment.invoice_id.is_some()).unwrap();
    let now = at("2024-01-01T02:00:00Z");
    let refund = async |amount| {
        world.engine.refund(At::new(now, world.environment), card.id, Some(amount), None).await
    };
    world.gateway.silence(true);
    refund(800).await.unwrap();
    let refused = refund(201).await;
    assert!(matches!(refused, Err(engine::Error::Refused(_))), "{refused:?}");
    refund(200).await.unwrap();
    assert_eq!(world.balance(ada).await, 0, "it may be gone already");
    let next = world.bill(ada, 500, false, now).await;
    assert_eq!(next.owed(), 500);
    world.gateway.silence(false);
    world.run("2024-01-01T03:00:00Z").await;
    let invoices = world.invoices(ada).await;
    assert_eq!((invoices[0].status, invoices[0].refunded), (InvoiceStatus::PartiallyRefunded, 300));
    assert_eq!((world.balance(ada).await, invoices[1].owed()), (0, 500));
    world.audit().await;
}
