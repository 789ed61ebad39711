//! What falls due: after an outage, beside what is stuck, and when it is no longer wanted.

use crate::fixtures::{World, at};
use billing::environment::{DunningEnd, DunningPolicy};
use billing::invoice::InvoiceStatus;
use billing::payment::PaymentStatus;
use billing::payment::manual::ManualPaymentEdit;
use billing::subscription::Status;
use billing::subscription::cancel::CancelAt;
use engine::At;

#[tokio::test]
async fn a_cancellation_that_was_missed_comes_after_the_periods_before_it() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let price = world.price(1000, |_| {}).await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    let until = CancelAt::Date(at("2024-03-15T00:00:00Z"));
    world.engine.cancel(At::new(world.start, world.environment), id, until).await.unwrap();
    // The server is off until long after.
    world.run("2024-06-01T00:00:00Z").await;
    let subscription = world.subscription(id).await;
    assert_eq!(subscription.status, Status::Canceled);
    assert_eq!(subscription.ended_at, Some(at("2024-03-15T00:00:00Z")));
    assert_eq!(subscription.period.start, at("2024-03-01T00:00:00Z"));
    assert_eq!(world.invoices(ada).await.len(), 3, "January, February and March");
    world.audit().await;
}

#[tokio::test]
async fn an_unpaid_subscription_that_is_paid_goes_on_from_then() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    world
        .policy(|books| books.dunning = DunningPolicy { retry_days: vec![3], end: DunningEnd::MarkUnpaid })
        .await;
    let ada = world.customer("ada", Some("tok_card_declined")).await;
    let price = world.price(1000, |_| {}).await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    world.advance("2024-06-20T00:00:00Z").await;
    assert_eq!(world.subscription(id).await.status, Status::Unpaid);
    assert_eq!(world.invoices(ada).await.len(), 1);
    let now = at("2024-06-20T00:00:00Z");
    world.card(ada, "tok_visa", now).await;
    let owed = world.invoices(ada).await[0].id;
    world.engine.retry_payment(At::new(now, world.environment), owed).await.unwrap();
    world.advance("2024-06-20T00:00:01Z").await;
    let subscription = world.subscription(id).await;
    assert_eq!(subscription.status, Status::Active);
    assert_eq!(subscription.period.start, now, "months without service are not billed");
    assert_eq!(subscription.period.end, at("2024-07-20T00:00:00Z"));
    assert_eq!(world.invoices(ada).await.len(), 2);
    world.audit().await;
}

#[tokio::test]
async fn cash_revives_an_unpaid_subscription_in_the_same_way() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    world
        .policy(|books| books.dunning = DunningPolicy { retry_days: vec![], end: DunningEnd::MarkUnpaid })
        .await;
    let ada = world.customer("ada", Some("tok_card_declined")).await;
    let price = world.price(1000, |_| {}).await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    world.advance("2024-06-20T00:00:00Z").await;
    world.write_down(ada, 1000, at("2024-06-20T00:00:00Z")).await;
    world.advance("2024-06-20T00:00:01Z").await;
    let subscription = world.subscription(id).await;
    assert_eq!(subscription.period.start, at("2024-06-20T00:00:00Z"));
    assert_eq!(world.invoices(ada).await.len(), 2);
    world.audit().await;
}

#[tokio::test]
async fn what_a_canceled_subscription_owes_is_not_asked_for_again() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    world
        .policy(|books| books.dunning = DunningPolicy { retry_days: vec![40], end: DunningEnd::Cancel })
        .await;
    let ada = world.customer("ada", Some("tok_card_declined")).await;
    let price = world.price(1000, |_| {}).await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    // January's invoice is given up on 10 February, when February's waits for its second attempt.
    world.advance("2024-02-10T00:00:00Z").await;
    assert_eq!(world.subscription(id).await.status, Status::Canceled);
    world.card(ada, "tok_visa", at("2024-02-10T00:00:00Z")).await;
    world.advance("2024-06-01T00:00:00Z").await;
    let february = &world.invoices(ada).await[1];
    assert_eq!((february.status, february.attempt_count), (InvoiceStatus::Open, 1));
    assert_eq!(february.next_attempt_at, None);
    world.audit().await;
}

#[tokio::test]
async fn the_last_instalment_is_collected_after_the_plan_is_completed() {
    use billing::calendar::{Interval, IntervalUnit};
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_decline_twice")).await;
    let price = world
        .price(1000, |price| {
            price.interval = Some(Interval::new(IntervalUnit::Day, 1));
            price.period_count = Some(1);
        })
        .await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    world.advance("2024-02-01T00:00:00Z").await;
    let subscription = world.subscription(id).await;
    assert_eq!(subscription.status, Status::Completed);
    let invoice = &world.invoices(ada).await[0];
    assert_eq!((invoice.status, invoice.attempt_count), (InvoiceStatus::Paid, 3));
    world.audit().await;
}

#[tokio::test]
async fn a_renewal_that_is_moved_is_announced_again() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let price = world.price(1000, |_| {}).await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    world.advance("2024-01-30T00:00:00Z").await;
    let announced = world.subscription(id).await.reminded_at.unwrap();
    let (now, end) = (at("2024-01-30T00:00:00Z"), at("2024-03-01T00:00:00Z"));
    world.engine.reschedule_renewal(At::new(now, world.environment), id, end).await.unwrap();
    world.advance("2024-02-29T00:00:00Z").await;
    assert!(world.subscription(id).await.reminded_at.unwrap() > announced);
    world.audit().await;
}

#[tokio::test]
async fn payments_that_nobody_answers_do_not_keep_others_from_being_asked() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let (ada, bob) =
        (world.customer("ada", Some("tok_visa")).await, world.customer("bob", Some("tok_visa")).await);
    world.gateway.silence(true);
    for _ in 0..501 {
        world.bill(ada, 1000, true, world.start).await;
    }
    let silent = world.payments(ada).await;
    world.gateway.silent.lock().unwrap().extend(silent.iter().map(|payment| payment.id));
    world.bill(bob, 1000, true, world.start).await;
    world.gateway.silence(false);
    world.run("2024-01-01T01:00:00Z").await;
    assert_eq!(world.payments(bob).await[0].status, PaymentStatus::Succeeded);
}

#[tokio::test]
async fn what_is_stuck_does_not_make_the_clock_jump() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let (ada, bob) =
        (world.customer("ada", Some("tok_visa")).await, world.customer("bob", Some("tok_visa")).await);
    world.gateway.silence(true);
    world.bill(ada, 1000, true, world.start).await;
    let silent = world.payments(ada).await[0].id;
    world.gateway.silent.lock().unwrap().insert(silent);
    world.gateway.silence(false);
    let price = world.price(1000, |_| {}).await;
    world.subscribe(bob, price.id, world.start).await;
    world.advance("2024-04-15T00:00:00Z").await;
    let dates: Vec<_> =
        world.invoices(bob).await.iter().map(|invoice| invoice.invoice_date.to_string()).collect();
    let expected =
        ["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z"];
    assert_eq!(dates, expected);
}

#[tokio::test]
async fn policies_that_are_changed_while_the_clock_moves_stay_changed() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let price = world.price(1000, |_| {}).await;
    world.subscribe(ada, price.id, world.start).await;
    let door = world.gateway.shut();
    let (engine, environment) = (world.engine.clone(), world.environment);
    let before = world.gateway.asked.lock().unwrap().len();
    let advancing =
        tokio::spawn(async move { engine.advance_clock(environment, at("2024-02-15T00:00:00Z")).await });
    while world.gateway.asked.lock().unwrap().len() == before {
        tokio::task::yield_now().await;
    }
    world.policy(|books| books.due_days = 30).await;
    door.add_permits(10);
    advancing.await.unwrap().unwrap();
    let books = world.engine.environment(world.environment).await.unwrap();
    assert_eq!((books.due_days, books.clock), (30, Some(at("2024-02-15T00:00:00Z"))));
}

#[tokio::test]
async fn a_withdrawn_invoice_is_not_owed_by_its_subscription() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_card_declined")).await;
    let price = world.price(1000, |_| {}).await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    assert_eq!(world.subscription(id).await.status, Status::PastDue);
    let invoice = world.invoices(ada).await[0].id;
    world.engine.void_invoice(At::new(world.start, world.environment), invoice).await.unwrap();
    assert_eq!(world.subscription(id).await.status, Status::Active);
    world.audit().await;
}

#[tokio::test]
async fn invoices_that_cannot_be_tried_keep_no_other_from_being_tried() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let (ada, bob) = (
        world.customer("ada", Some("tok_card_declined")).await,
        world.customer("bob", Some("tok_card_declined")).await,
    );
    for _ in 0..501 {
        world.bill(ada, 1000, true, world.start).await;
    }
    world.bill(bob, 1000, true, world.start).await;
    world.refuse("insert", "payments", "ada").await;
    world.run("2024-01-05T00:00:00Z").await;
    assert_eq!(world.payments(bob).await.len(), 2);
}

#[tokio::test]
async fn a_clock_that_jumps_back_takes_no_row_back_in_time() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let price = world.price(1000, |_| {}).await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    let (early, late) = (at("2024-02-02T00:00:00Z"), at("2024-02-03T00:00:00Z"));
    let (early_on, late_on) = (At::new(early, world.environment), At::new(late, world.environment));

    world.engine.cancel(late_on.clone(), id, CancelAt::Date(at("2024-02-20T00:00:00Z"))).await.unwrap();
    let kept = world.engine.uncancel(early_on.clone(), id).await.unwrap().subscription;
    assert_eq!(kept.updated_at, late, "a decision is not made before what it is made on");

    // What falls due is not done before that either, nor is anything that follows from it.
    world.engine.run_due(world.environment, early).await.unwrap();
    let renewed = world.subscription(id).await;
    assert_eq!(renewed.period.end, at("2024-03-01T00:00:00Z"));
    let invoice = world.invoices(ada).await.pop().unwrap();
    let payment = world.payments(ada).await.pop().unwrap();
    let written = [renewed.updated_at, invoice.created_at, invoice.updated_at, payment.updated_at];
    assert_eq!(written, [late; 4]);

    let cash = world.write_down(ada, 500, late).await;
    let edit = ManualPaymentEdit { notes: Some(Some("seen".into())), ..ManualPaymentEdit::default() };
    let edited = world.engine.edit_payment(early_on, cash.id, edit).await.unwrap();
    assert_eq!(edited.payment.updated_at, late);
    world.audit().await;
}
