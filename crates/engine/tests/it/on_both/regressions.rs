//! Corrections that meet something else on its way; each was found by the simulator.

use crate::fixtures::{World, at};
use billing::environment::{DunningEnd, DunningPolicy};
use billing::invoice::InvoiceStatus;
use billing::subscription::Status;
use billing::subscription::change::ChangeTiming;
use engine::{Adjust, At, Subscribe, SubscribeItem};

#[tokio::test]
async fn a_subscription_that_began_earlier_is_billed_period_by_period() {
    let world = World::new("2024-04-15T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let price = world.price(1000, |_| {}).await;
    let new = Subscribe {
        items: vec![SubscribeItem { price: price.id, quantity: 1 }],
        start: Some(at("2024-01-10T00:00:00Z")),
        ..Subscribe::default()
    };
    let made = world.engine.subscribe(At::new(world.start, world.environment), ada, new).await;
    let made = made.unwrap().subscription;
    assert_eq!(made.period.end, at("2024-02-10T00:00:00Z"), "its first payment stretches nothing");
    world.run("2024-04-15T00:00:00Z").await;
    let subscription = world.subscription(made.id).await;
    assert_eq!(subscription.period.start, at("2024-04-10T00:00:00Z"));
    assert_eq!(world.invoices(ada).await.len(), 4);
    world.audit().await;
}

#[tokio::test]
async fn a_charge_that_is_too_small_by_now_leaves_the_subscription_past_due() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let price = world.price(1000, |_| {}).await;
    let cash = world.write_down(ada, 200, world.start).await;
    world.gateway.silence(true);
    let id = world.subscribe(ada, price.id, world.start).await.id;
    world.gateway.silence(false);
    // The balance paid a part, and the card is asked for the rest; now that part is taken back.
    world.engine.delete_payment(At::new(world.start, world.environment), cash.id).await.unwrap();
    world.run("2024-01-01T01:00:00Z").await;
    let invoice = &world.invoices(ada).await[0];
    assert_eq!((invoice.status, invoice.owed()), (InvoiceStatus::Open, 200));
    assert_eq!(world.subscription(id).await.status, Status::PastDue);
    world.audit().await;
    world.write_down(ada, 200, at("2024-01-02T00:00:00Z")).await;
    assert_eq!(world.subscription(id).await.status, Status::Active);
    world.audit().await;
}

#[tokio::test]
async fn what_was_withdrawn_is_not_credited_in_a_change() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    world
        .policy(|books| {
            books.dunning = DunningPolicy { retry_days: vec![9], end: DunningEnd::LeavePastDue };
        })
        .await;
    let ada = world.customer("ada", Some("tok_card_declined")).await;
    let (basic, pro) = (world.price(1000, |_| {}).await, world.price(3100, |_| {}).await);
    let id = world.subscribe(ada, basic.id, world.start).await.id;
    let first = world.invoices(ada).await[0].id;
    world.engine.void_invoice(At::new(world.start, world.environment), first).await.unwrap();
    assert_eq!(world.subscription(id).await.status, Status::Active);
    world.card(ada, "tok_visa", world.start).await;
    let adjust =
        Adjust { items: vec![SubscribeItem { price: pro.id, quantity: 1 }], when: ChangeTiming::Now };
    let half = at("2024-01-16T12:00:00Z");
    world.engine.adjust(At::new(half, world.environment), id, adjust).await.unwrap();
    assert_eq!(world.invoices(ada).await[1].total, 1550, "half of the new price, and nothing back");
    world.audit().await;
}

#[tokio::test]
async fn what_is_owed_again_while_it_is_being_charged_is_not_past_due_yet() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let price = world.price(1000, |_| {}).await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    world.gateway.silence(true);
    world.run("2024-02-01T00:00:00Z").await;
    world.gateway.silence(false);
    let now = at("2024-02-01T00:00:30Z");
    let cash = world.write_down(ada, 1000, now).await;
    world.engine.delete_payment(At::new(now, world.environment), cash.id).await.unwrap();
    assert_eq!(world.subscription(id).await.status, Status::Active);
    assert_eq!(world.invoices(ada).await[1].next_attempt_at, None, "one attempt is under way");
    world.run("2024-02-01T00:02:00Z").await;
    assert_eq!(world.invoices(ada).await[1].status, InvoiceStatus::Paid);
    assert_eq!(world.subscription(id).await.status, Status::Active);
    world.audit().await;
}
