//! Books that are brought back to an earlier time, and a gateway that remembers what it was asked since.

use crate::fixtures::{World, at};
use billing::id::{CustomerId, Ids, PriceId, SubscriptionId};
use billing::invoice::InvoiceStatus;
use billing::payment::{Payment, PaymentStatus};
use billing::subscription::change::ChangeTiming;
use billing::timestamp::Timestamp;
use engine::{Adjust, At, Engine, SubscribeItem};
use gateway::Gateway;
use std::sync::Arc;
use testbed::Books;

impl World {
    /// The books as they are now, to be brought back later.
    async fn backup(&mut self) -> Books {
        self.engine.store().close().await.unwrap();
        let backup = self.books.copy().await;
        self.engine = self.opened(&self.books, 2).await;
        backup
    }

    /// The same organization with other books and the gateway that it has.
    async fn with(self, books: Books) -> World {
        self.engine.store().close().await.unwrap();
        World { engine: self.opened(&books, 3).await, books, ..self }
    }

    async fn opened(&self, books: &Books, seed: u64) -> Engine {
        let gateway: Arc<dyn Gateway> = self.gateway.clone();
        Engine::new(books.open().await, gateway, Ids::seeded(seed))
    }

    async fn hold(
        &self,
        id: SubscriptionId,
        price: PriceId,
        quantity: i64,
        when: ChangeTiming,
        now: Timestamp,
    ) {
        let adjust = Adjust { items: vec![SubscribeItem { price, quantity }], when };
        self.engine.adjust(At::new(now, self.environment), id, adjust).await.unwrap();
    }

    /// What came of each attempt at a customer's invoices, and under which reference.
    async fn attempts(&self, customer: CustomerId) -> Vec<(i64, PaymentStatus, Option<String>)> {
        let told = |payment: Payment| (payment.amount, payment.status, payment.gateway_reference);
        self.payments(customer).await.into_iter().map(told).collect()
    }
}

#[tokio::test]
async fn what_was_charged_since_is_charged_to_nobody_again() {
    let mut world = World::new("2024-01-01T00:00:00Z").await;
    let price = world.price(1000, |_| {}).await;
    let mut customers = Vec::new();
    for (name, token) in [("ada", "tok_visa"), ("bob", "tok_decline_once"), ("cyd", "tok_decline_twice")] {
        let customer = world.customer(name, Some(token)).await;
        world.subscribe(customer, price.id, world.start).await;
        customers.push(customer);
    }
    // An invoice for no period, of which the first attempt has failed.
    let advice = world.bill(customers[1], 500, true, world.start).await;
    let backup = world.backup().await;
    world.advance("2024-03-20T00:00:00Z").await;
    let moved = world.gateway.moved();
    assert_eq!(moved.len(), 3 * 3 + 1, "three periods of three customers, and the advice");
    let mut before = Vec::new();
    for customer in &customers {
        before.push(world.attempts(*customer).await);
    }

    let world = world.with(backup).await;
    for (customer, before) in customers.iter().zip(&before) {
        assert!(world.attempts(*customer).await.len() < before.len(), "they are brought back");
    }
    // Everything that fell due since is due at once, and the retries come after it.
    world.run("2024-03-10T00:00:00Z").await;
    world.advance("2024-03-30T00:00:00Z").await;
    assert_eq!(world.gateway.moved(), moved);
    for (customer, before) in customers.iter().zip(before) {
        let mut after = world.attempts(*customer).await;
        let mut before = before;
        before.sort_by(|a, b| a.2.cmp(&b.2));
        after.sort_by(|a, b| a.2.cmp(&b.2));
        assert_eq!(after, before);
        let invoices = world.invoices(*customer).await;
        assert!(invoices.iter().all(|invoice| invoice.status == InvoiceStatus::Paid), "{invoices:?}");
    }
    assert!(world.invoices(customers[1]).await.iter().any(|invoice| invoice.id == advice.id));
    world.audit().await;
}

#[tokio::test]
async fn a_sum_that_differs_from_what_was_charged_stays_in_doubt() {
    let mut world = World::new("2024-01-01T00:00:00Z").await;
    let price = world.price(1000, |_| {}).await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let bob = world.customer("bob", Some("tok_visa")).await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    world.subscribe(bob, price.id, world.start).await;
    let backup = world.backup().await;
    world.hold(id, price.id, 3, ChangeTiming::PeriodEnd, world.start).await;
    world.advance("2024-02-10T00:00:00Z").await;
    let moved = world.gateway.moved();
    assert_eq!(moved.values().sum::<i64>(), 1000 + 3000 + 2 * 1000);

    // The change is lost with the books: what is billed again comes to less.
    let world = world.with(backup).await;
    world.advance("2024-02-10T00:00:00Z").await;
    world.advance("2024-02-20T00:00:00Z").await;
    assert_eq!(world.gateway.moved(), moved, "nothing is charged on top");
    let last = world.payments(ada).await.pop().unwrap();
    assert_eq!((last.amount, last.status), (1000, PaymentStatus::Processing));
    assert!(world.payments(bob).await.iter().all(|payment| payment.status == PaymentStatus::Succeeded));
    world.audit().await;
}

#[tokio::test]
async fn a_change_at_the_start_of_a_period_is_charged_beside_the_period() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let price = world.price(1000, |_| {}).await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let id = world.subscribe(ada, price.id, world.start).await.id;
    world.hold(id, price.id, 2, ChangeTiming::Now, world.start).await;
    world.hold(id, price.id, 3, ChangeTiming::Now, world.start).await;
    world.advance("2024-02-01T00:00:00Z").await;
    world.hold(id, price.id, 4, ChangeTiming::Now, at("2024-02-01T00:00:00Z")).await;
    let mut moved: Vec<i64> = world.gateway.moved().into_values().collect();
    moved.sort_unstable();
    assert_eq!(moved, [1000, 1000, 1000, 1000, 3000]);
    world.audit().await;
}
