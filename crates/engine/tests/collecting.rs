//! What becomes of payments: asked for once, booked once, given back once.

mod support;

use billing::PaymentStatus;
use support::{World, at, open};

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
    let (other, _) = open(&world.folder.path().join("books.db"), 2);
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
