//! Two decisions at once: each has its effect once, and none is lost.

use crate::fixtures::{World, at, open};
use billing::invoice::InvoiceStatus;
use billing::payment::PaymentStatus;
use billing::subscription::Status;
use billing::subscription::cancel::CancelAt;
use billing::subscription::change::ChangeTiming;
use engine::{Adjust, At, Engine, Error, Subscribe, SubscribeItem};
use std::sync::Arc;
use testbed::until;

/// Another process over the same books.
async fn other(world: &World) -> Engine {
    open(&world.books, 99).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn manual_payments_at_once_all_count() {
    let world = Arc::new(World::new("2024-01-01T00:00:00Z").await);
    let ada = world.customer("ada", None).await;
    world.bill(ada, 1000, false, world.start).await;
    world.bill(ada, 1000, false, world.start).await;
    // More than a decision is tried again: those who are beaten stand in line.
    let writing = (0..100).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.write_down(ada, 25, world.start).await })
    });
    for written in writing.collect::<Vec<_>>() {
        written.await.unwrap();
    }
    assert_eq!(world.payments(ada).await.len(), 100);
    let paid = world.invoices(ada).await.iter().filter(|i| i.status == InvoiceStatus::Paid).count();
    assert_eq!((paid, world.balance(ada).await), (2, 500));
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_request_that_comes_twice_at_once_subscribes_once() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let price = world.price(1000, |_| {}).await;
    let new =
        Subscribe { items: vec![SubscribeItem { price: price.id, quantity: 1 }], ..Subscribe::default() };
    let twice = [world.engine.clone(), other(&world).await].map(|engine| {
        let (new, request) = (new.clone(), world.request("once"));
        let (environment, now) = (world.environment, world.start);
        tokio::spawn(async move {
            engine.subscribe(At::new(now, environment).answering(Some(request)), ada, new).await
        })
    });
    let mut made = 0;
    for outcome in twice {
        match outcome.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert_eq!(error, Error::KeyReused),
        }
    }
    assert_eq!((made, world.invoices(ada).await.len(), world.payments(ada).await.len()), (1, 1, 1));
    world.audit().await;
}

#[tokio::test]
async fn a_key_that_has_had_its_effect_has_none_again() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", None).await;
    let record = async || {
        let (cash, request) = (world.cash(100, world.start), world.request("cash"));
        world
            .engine
            .record_payment(At::new(world.start, world.environment).answering(Some(request)), ada, cash)
            .await
    };
    let payment = record().await.unwrap().payment;
    assert_eq!(record().await, Err(Error::KeyReused));
    let answered = world.engine.answered(&world.request("cash")).await.unwrap().unwrap();
    assert_eq!(answered.resource, crate::fixtures::raw(payment.id));
    assert_eq!(world.balance(ada).await, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cancellation_and_a_renewal_at_once_agree() {
    for round in 0..20u32 {
        let world = World::new("2024-01-01T00:00:00Z").await;
        let ada = world.customer("ada", Some("tok_visa")).await;
        let price = world.price(1000, |_| {}).await;
        let id = world.subscribe(ada, price.id, world.start).await.id;
        let now = at("2024-02-01T00:00:00Z");
        let (renewing, canceling) = (world.engine.clone(), other(&world).await);
        let environment = world.environment;
        let renewing = tokio::spawn(async move { renewing.run_due(environment, now).await });
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        canceling.cancel(At::new(now, environment), id, CancelAt::Now).await.unwrap();
        renewing.await.unwrap().unwrap();
        world.run("2024-02-01T00:02:00Z").await;
        let subscription = world.subscription(id).await;
        assert_eq!((subscription.status, subscription.ended_at), (Status::Canceled, Some(now)));
        let invoices = world.invoices(ada).await;
        assert!((1..=2).contains(&invoices.len()), "renewed once at most");
        assert!(invoices.iter().all(|invoice| invoice.status == InvoiceStatus::Paid));
        assert_eq!(world.payments(ada).await.len(), invoices.len());
        world.run("2024-05-01T00:00:00Z").await;
        assert_eq!(world.invoices(ada).await.len(), invoices.len(), "what was canceled is not renewed");
        world.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_bill_each_period_once() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let price = world.price(1000, |_| {}).await;
    let mut customers = Vec::new();
    for n in 0..30 {
        let customer = world.customer(&format!("c{n}"), Some("tok_visa")).await;
        world.subscribe(customer, price.id, world.start).await;
        customers.push(customer);
    }
    let now = at("2024-04-01T00:00:00Z");
    let environment = world.environment;
    let both = [world.engine.clone(), other(&world).await]
        .map(|engine| tokio::spawn(async move { engine.run_due(environment, now).await }));
    for run in both {
        run.await.unwrap().unwrap();
    }
    world.run("2024-04-01T00:02:00Z").await;
    for customer in customers {
        let invoices = world.invoices(customer).await;
        assert_eq!(invoices.len(), 4, "January to April");
        assert!(invoices.iter().all(|i| i.status == InvoiceStatus::Paid && i.attempt_count == 1));
        assert_eq!(world.payments(customer).await.len(), 4);
    }
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_invoice_is_tried_again_once_by_two_who_ask_at_once() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_card_declined")).await;
    let invoice = world.bill(ada, 1000, true, world.start).await;
    world.card(ada, "tok_visa", world.start).await;
    let (environment, now) = (world.environment, at("2024-01-04T00:00:00Z"));
    let (policy, person, id) = (world.engine.clone(), other(&world).await, invoice.id);
    let policy = tokio::spawn(async move { policy.run_due(environment, now).await.map(drop) });
    let person =
        tokio::spawn(async move { person.retry_payment(At::new(now, environment), id).await.map(drop) });
    policy.await.unwrap().unwrap();
    let refused = person.await.unwrap();
    assert!(matches!(refused, Ok(()) | Err(Error::Refused(_))), "{refused:?}");
    let payments = world.payments(ada).await;
    let succeeded = payments.iter().filter(|payment| payment.status == PaymentStatus::Succeeded).count();
    assert_eq!((payments.len(), succeeded), (2, 1));
    assert_eq!(world.balance(ada).await, 0);
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_payment_is_given_back_once_by_two_who_ask_at_once() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    world.bill(ada, 1000, true, world.start).await;
    let payment = world.payments(ada).await[0].id;
    let (environment, now) = (world.environment, world.start);
    let both = [world.engine.clone(), other(&world).await].map(|engine| {
        tokio::spawn(async move { engine.refund(At::new(now, environment), payment, Some(700), None).await })
    });
    let mut made = 0;
    for refund in both {
        match refund.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert!(matches!(error, Error::Refused(_)), "{error:?}"),
        }
    }
    assert_eq!((made, world.payments(ada).await[0].refunded), (1, 700));
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_upgrades_at_once_come_one_after_the_other() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let (basic, pro) = (world.price(1000, |_| {}).await, world.price(3000, |_| {}).await);
    let id = world.subscribe(ada, basic.id, world.start).await.id;
    let (environment, now) = (world.environment, at("2024-01-16T12:00:00Z"));
    let both = [world.engine.clone(), other(&world).await].map(|engine| {
        let items = vec![SubscribeItem { price: pro.id, quantity: 1 }];
        let to = Adjust { items, when: ChangeTiming::Now };
        tokio::spawn(async move { engine.adjust(At::new(now, environment), id, to).await })
    });
    for change in both {
        change.await.unwrap().unwrap();
    }
    // Half of 30.00 less half of 10.00; the second change finds what it wants and costs nothing.
    let totals: Vec<_> = world.invoices(ada).await.iter().map(|invoice| invoice.total).collect();
    assert_eq!(totals, [1000, 1000, 0]);
    let items = world.engine.full_subscription(environment, id).await.unwrap().items;
    assert_eq!(items.len(), 1);
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn policies_that_are_changed_at_once_are_all_changed() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let number = world.environment;
    let before = world.engine.environment(number).await.unwrap();
    let mut changing = Vec::new();
    for _ in 0..8 {
        let engine = other(&world).await;
        changing.push(tokio::spawn(async move {
            engine.update_environment(At::new(before.created_at, number), |books| books.due_days += 1).await
        }));
    }
    for changed in changing {
        changed.await.unwrap().unwrap();
    }
    let changed = world.engine.environment(number).await.unwrap();
    assert_eq!(changed.due_days, before.due_days + 8);
}

#[tokio::test]
async fn books_that_wait_for_the_gateway_keep_no_others_from_being_billed() {
    let ours = World::new("2024-01-01T00:00:00Z").await;
    let (engine, gateway) = (ours.engine.clone(), Arc::clone(&ours.gateway));
    let theirs = World::beside(engine, gateway, ours.books.clone(), "2024-01-01T00:00:00Z").await;
    let ada = ours.customer("ada", Some("tok_visa")).await;
    let price = ours.price(1000, |_| {}).await;
    ours.subscribe(ada, price.id, ours.start).await;
    let before = ours.gateway.asked.lock().unwrap().len();
    let door = ours.gateway.shut();
    let (engine, environment) = (ours.engine.clone(), ours.environment);
    let waiting = tokio::spawn(async move { engine.run_due(environment, at("2024-02-01T00:00:00Z")).await });
    while ours.gateway.asked.lock().unwrap().len() == before {
        tokio::task::yield_now().await;
    }
    theirs.run("2024-02-01T00:00:00Z").await;
    assert!(!waiting.is_finished());
    door.add_permits(10);
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_clock_that_two_processes_move_goes_forward_only() {
    let end = at("2024-06-01T00:00:00Z");
    for (to, stands_at) in
        [("2024-03-01T00:00:00Z", end), ("2024-12-01T00:00:00Z", at("2024-12-01T00:00:00Z"))]
    {
        let world = World::new("2024-01-01T00:00:00Z").await;
        let environment = world.environment;
        let ada = world.customer("ada", Some("tok_visa")).await;
        let price = world.price(1000, |_| {}).await;
        // Due where the clock stands.
        world.subscribe(ada, price.id, at("2023-12-01T00:00:00Z")).await;
        let (slow, gateway) = open(&world.books, 99).await;
        let door = gateway.shut();
        let slow = tokio::spawn(async move { slow.advance_clock(environment, at(to)).await });
        until("the slow one has read the clock", async || !gateway.asked.lock().unwrap().is_empty()).await;
        world.engine.advance_clock(environment, end).await.unwrap();
        door.add_permits(100);
        match slow.await.unwrap() {
            Ok(_) => assert!(at(to) >= end, "it says that the clock stands at {to}"),
            Err(error) => assert!(at(to) < end && matches!(error, Error::Refused(_)), "{error:?}"),
        }
        assert_eq!(world.engine.environment(environment).await.unwrap().clock, Some(stands_at));
        let last = world.invoices(ada).await.into_iter().map(|invoice| invoice.invoice_date).max();
        assert_eq!(last, Some(stands_at), "every month was billed, and none after the clock");
        world.audit().await;
    }
}
