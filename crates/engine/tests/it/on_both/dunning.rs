//! How long somebody is asked for money: without anything to charge, and after money was taken back.

use crate::fixtures::{World, at};
use billing::environment::{DunningEnd, DunningPolicy};
use billing::id::{CustomerId, SubscriptionId};
use billing::invoice::{Invoice, InvoiceStatus};
use billing::payment::PaymentStatus;
use billing::subscription::Status;
use billing::timestamp::Timestamp;
use engine::At;

const DAY: i64 = 86_400;

async fn world(retry_days: &[i64], end: DunningEnd) -> World {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let dunning = DunningPolicy { retry_days: retry_days.to_vec(), end };
    world.policy(|books| books.dunning = dunning.clone()).await;
    world
}

/// Somebody without a card whose trial of 14 days has begun.
async fn on_trial(world: &World) -> (CustomerId, SubscriptionId) {
    let ada = world.customer("ada", None).await;
    let price = world.price(1000, |price| price.trial_days = Some(14)).await;
    (ada, world.subscribe(ada, price.id, world.start).await.id)
}

/// When an invoice was tried, in days since the start of its world, with what came of it.
async fn tries(world: &World, customer: CustomerId, invoice: &Invoice) -> Vec<(i64, PaymentStatus, bool)> {
    let day = |at: Timestamp| (at.seconds() - world.start.seconds()) / DAY;
    let payments = world.payments(customer).await;
    let its_own = payments.iter().filter(|payment| payment.invoice_id == Some(invoice.id));
    its_own.map(|payment| (day(payment.created_at), payment.status, payment.is_retry)).collect()
}

const FAILED: PaymentStatus = PaymentStatus::Failed;
const SUCCEEDED: PaymentStatus = PaymentStatus::Succeeded;

#[tokio::test]
async fn without_a_card_the_policy_goes_its_way_to_its_end() {
    for (end, status, invoice_status) in [
        (DunningEnd::LeavePastDue, Status::PastDue, InvoiceStatus::Open),
        (DunningEnd::MarkUnpaid, Status::Unpaid, InvoiceStatus::Open),
        (DunningEnd::Cancel, Status::Canceled, InvoiceStatus::Uncollectible),
    ] {
        let world = world(&[3, 5], end).await;
        let (ada, id) = on_trial(&world).await;
        world.advance("2024-01-22T00:00:00Z").await;
        assert_eq!(world.subscription(id).await.status, Status::PastDue, "{end:?}");
        world.advance("2024-01-31T00:00:00Z").await;
        assert_eq!(world.subscription(id).await.status, status);
        let invoice = &world.invoices(ada).await[0];
        assert_eq!((invoice.status, invoice.next_attempt_at), (invoice_status, None));
        assert_eq!(invoice.last_failure.as_deref(), Some("no_payment_method"));
        let tried = tries(&world, ada, invoice).await;
        assert_eq!(tried, [(14, FAILED, false), (17, FAILED, true), (22, FAILED, true)]);
        assert!(world.gateway.asked.lock().unwrap().is_empty(), "there was nothing to ask for");
        world.audit().await;
    }
}

#[tokio::test]
async fn without_a_card_and_without_retries_the_end_comes_with_the_renewal() {
    let world = world(&[], DunningEnd::Cancel).await;
    let (ada, id) = on_trial(&world).await;
    world.advance("2024-01-15T00:00:00Z").await;
    let subscription = world.subscription(id).await;
    assert_eq!(subscription.status, Status::Canceled);
    assert_eq!(subscription.ended_at, Some(at("2024-01-15T00:00:00Z")));
    assert_eq!(world.invoices(ada).await[0].status, InvoiceStatus::Uncollectible);
    world.audit().await;
}

#[tokio::test]
async fn a_card_that_comes_late_is_charged_at_the_next_attempt() {
    let world = world(&[3, 5], DunningEnd::Cancel).await;
    let (ada, id) = on_trial(&world).await;
    world.advance("2024-01-19T00:00:00Z").await;
    world.card(ada, "tok_visa", at("2024-01-19T00:00:00Z")).await;
    world.advance("2024-01-24T00:00:00Z").await;
    assert_eq!(world.subscription(id).await.status, Status::Active);
    let invoice = &world.invoices(ada).await[0];
    assert_eq!((invoice.status, &invoice.last_failure), (InvoiceStatus::Paid, &None));
    let tried = tries(&world, ada, invoice).await;
    assert_eq!(tried, [(14, FAILED, false), (17, FAILED, true), (22, SUCCEEDED, true)]);
    world.audit().await;
}

#[tokio::test]
async fn what_was_paid_from_the_balance_is_charged_once_that_money_is_taken_back() {
    let world = world(&[3, 5], DunningEnd::Cancel).await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let cash = world.write_down(ada, 1000, world.start).await;
    let price = world.price(1000, |_| {}).await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    let now = at("2024-01-05T00:00:00Z");
    world.advance("2024-01-05T00:00:00Z").await;
    world.engine.delete_payment(At::new(now, world.environment), cash.id).await.unwrap();
    assert_eq!(world.subscription(id).await.status, Status::PastDue);
    let invoice = &world.invoices(ada).await[0];
    assert_eq!(invoice.next_attempt_at, Some(at("2024-01-08T00:00:00Z")));
    world.advance("2024-01-09T00:00:00Z").await;
    assert_eq!(world.subscription(id).await.status, Status::Active);
    // It is the first attempt, and no retry.
    assert_eq!(tries(&world, ada, invoice).await, [(7, SUCCEEDED, false)]);
    world.audit().await;
}

#[tokio::test]
async fn what_the_policy_was_through_with_is_tried_once_more_when_money_is_taken_back() {
    let world = world(&[3], DunningEnd::MarkUnpaid).await;
    let ada = world.customer("ada", Some("tok_card_declined")).await;
    let price = world.price(1000, |_| {}).await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    world.advance("2024-01-10T00:00:00Z").await;
    assert_eq!(world.subscription(id).await.status, Status::Unpaid);
    let now = at("2024-01-10T00:00:00Z");
    let cash = world.write_down(ada, 1000, now).await;
    let invoice = &world.invoices(ada).await[0];
    assert_eq!((invoice.status, &invoice.last_failure), (InvoiceStatus::Paid, &None));
    world.engine.delete_payment(At::new(now, world.environment), cash.id).await.unwrap();
    assert_eq!(world.subscription(id).await.status, Status::PastDue);
    world.advance("2024-01-20T00:00:00Z").await;
    assert_eq!(world.subscription(id).await.status, Status::Unpaid);
    let tried = tries(&world, ada, invoice).await;
    assert_eq!(tried, [(0, FAILED, false), (3, FAILED, true), (12, FAILED, true)]);
    world.audit().await;
}

#[tokio::test]
async fn a_correction_that_leaves_the_invoice_paid_plans_nothing() {
    use billing::money::Money;
    use billing::payment::manual::ManualPaymentEdit;
    let world = world(&[3], DunningEnd::MarkUnpaid).await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let cash = world.write_down(ada, 1000, world.start).await;
    let price = world.price(1000, |_| {}).await;
    world.subscribe(ada, price.id, world.start).await;
    let edit = |minor| ManualPaymentEdit {
        amount: Some(Money::new(minor, billing::currency::Currency::USD)),
        ..ManualPaymentEdit::default()
    };
    world.engine.edit_payment(At::new(world.start, world.environment), cash.id, edit(1200)).await.unwrap();
    let invoice = &world.invoices(ada).await[0];
    assert_eq!((invoice.status, invoice.next_attempt_at), (InvoiceStatus::Paid, None));
    world.engine.edit_payment(At::new(world.start, world.environment), cash.id, edit(400)).await.unwrap();
    let invoice = &world.invoices(ada).await[0];
    assert_eq!((invoice.owed(), invoice.next_attempt_at), (600, Some(at("2024-01-04T00:00:00Z"))));
    world.audit().await;
}

#[tokio::test]
async fn what_the_merchant_did_not_want_charged_is_not_charged_after_a_correction() {
    let world = world(&[3], DunningEnd::MarkUnpaid).await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    world.bill(ada, 1000, false, world.start).await;
    let cash = world.write_down(ada, 1000, world.start).await;
    world.engine.delete_payment(At::new(world.start, world.environment), cash.id).await.unwrap();
    let invoice = &world.invoices(ada).await[0];
    assert_eq!((invoice.status, invoice.next_attempt_at), (InvoiceStatus::Open, None));
}
