//! A connection to PostgreSQL that is lost exactly at a commit: whoever asked for it is told the truth,
//! and it has its effect once.

use crate::fixtures::{World, raw};
use billing::invoice::InvoiceStatus;
use billing::payment::PaymentStatus;
use engine::{At, Error, Subscribe, SubscribeItem};
use std::collections::BTreeSet;
use std::sync::Arc;
use testbed::Cut;

/// All that one customer does in two months, every part of it once.
async fn live(world: &World, price: billing::id::PriceId, name: &str) {
    let (engine, environment, now) = (&world.engine, world.environment, world.start);
    let customer = world.customer(name, Some("tok_visa")).await;
    let new = Subscribe { items: vec![SubscribeItem { price, quantity: 1 }], ..Subscribe::default() };
    let request = world.request(name);
    let made = engine
        .subscribe(At::new(now, environment).answering(Some(request.clone())), customer, new)
        .await
        .unwrap();
    assert_eq!(engine.answered(&request).await.unwrap().unwrap().resource, raw(made.subscription.id));
    let advice = world.bill(customer, 500, true, now).await;
    let cash = world.write_down(customer, 250, now).await;
    world.run("2024-02-10T00:00:00Z").await;
    let invoices = world.invoices(customer).await;
    assert_eq!(invoices.len(), 3, "{name}");
    assert!(invoices.iter().all(|invoice| invoice.status == InvoiceStatus::Paid), "{name}: {invoices:?}");
    assert!(invoices.iter().any(|invoice| invoice.id == advice.id));
    let payments = world.payments(customer).await;
    assert!(payments.iter().all(|payment| payment.status == PaymentStatus::Succeeded), "{name}");
    assert!(payments.iter().any(|payment| payment.id == cash.id));
    let paid: i64 = payments.iter().map(|payment| payment.amount).sum();
    assert_eq!((payments.len(), paid), (4, 1000 + 500 + 1000), "{name}");
}

#[tokio::test]
async fn every_commit_has_its_effect_once_whether_it_or_its_answer_is_lost() {
    let (world, wire) = World::over_a_wire().await;
    let price = world.price(1000, |_| {}).await.id;
    for cut in [Cut::Before, Cut::Answer] {
        for n in 0.. {
            wire.cut(n, cut);
            live(&world, price, &format!("{cut:?}-{n}")).await;
            if !wire.is_cut() {
                assert!(n >= 8, "only {n} commits were tried");
                wire.leave_whole();
                break;
            }
        }
    }
    let asked = world.gateway.asked.lock().unwrap().clone();
    let keys: BTreeSet<_> = asked.iter().copied().collect();
    assert_eq!(keys.len(), asked.len(), "nothing is asked for twice");
    world.audit().await;
}

#[tokio::test]
async fn a_commit_that_never_arrives_holds_nothing_for_long() {
    let (world, wire) = World::over_a_wire().await;
    let ada = world.customer("ada", None).await;
    // The server is left with an open transaction about the customer, as by a machine that lost its power.
    wire.cut(0, Cut::Late);
    let cash = world.write_down(ada, 250, world.start).await;
    assert!(wire.is_cut());
    assert_eq!(world.payments(ada).await, [cash]);
    assert_eq!(world.balance(ada).await, 250);
    wire.let_through();
    assert_eq!(world.balance(ada).await, 250);
    world.audit().await;
}

#[tokio::test]
async fn a_commit_that_arrives_late_is_waited_for() {
    let (world, wire) = World::over_a_wire().await;
    let world = Arc::new(world);
    wire.cut(0, Cut::Late);
    let creating = tokio::spawn({
        let world = world.clone();
        async move { world.customer("ada", None).await }
    });
    let waiting = "select cast(count(*) as text) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'";
    let is_waiting = async || world.books.texts(waiting).await[0][0].as_deref() != Some("0");
    testbed::until("the commit is waited for", is_waiting).await;
    assert!(!creating.is_finished());
    wire.let_through();
    let ada = creating.await.unwrap();
    let customers = world.books.texts("select cast(id as text) from customers").await;
    assert_eq!(customers.len(), 1);
    assert_eq!(world.balance(ada).await, 0);
    world.audit().await;
}

#[tokio::test]
async fn a_commit_that_was_given_up_cannot_come_later() {
    let (world, wire) = World::over_a_wire().await;
    let world = Arc::new(world);
    let ada = world.customer("ada", None).await;
    // The next transaction waits after all of its rows are written, before it notes its commit.
    let held = world.books.hold("select 1 from scope_versions where scope = 'environment' for update").await;
    wire.cut(0, Cut::Late);
    let writing = tokio::spawn({
        let world = world.clone();
        async move { world.write_down(ada, 250, world.start).await }
    });
    let given_up = "select cast(count(*) as text) from connections where last_commit % 2 = 1";
    let is_given_up = async || world.books.texts(given_up).await[0][0].as_deref() != Some("0");
    testbed::until("the commit is given up", is_given_up).await;
    assert!(wire.is_cut());
    wire.let_through();
    drop(held);
    let cash = writing.await.unwrap();
    assert_eq!(world.payments(ada).await, [cash]);
    assert_eq!(world.balance(ada).await, 250);
    world.audit().await;
}

#[tokio::test]
async fn a_failure_among_statements_that_were_sent_together_is_told_at_once() {
    let (world, wire) = World::over_a_wire().await;
    let [ada, bob] = [world.customer("ada", None).await, world.customer("bob", None).await];
    world.write_down(bob, 250, world.start).await;
    let made = wire.made();
    // Its answer is longer than what a connection keeps of one that nobody takes.
    wire.answer_in_pieces();
    world.refuse("insert", "payments", "ada").await;
    let cash = world.cash(250, world.start);
    let refused = world.engine.record_payment(At::new(world.start, world.environment), ada, cash).await;
    assert!(
        matches!(&refused, Err(Error::Store(store::Error::Rule(why))) if why.contains("poison")),
        "{refused:?}"
    );
    assert_eq!(wire.made(), made, "no connection was given up");
    world.write_down(bob, 250, world.start).await;
    world.audit().await;
}
