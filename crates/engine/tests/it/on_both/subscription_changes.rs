//! What a subscription holds: changed now, at the end of the period, and in a trial.

use crate::fixtures::{World, at};
use billing::catalog::edit::{DiscountEdit, PriceEdit};
use billing::catalog::{DiscountAmount, DiscountDuration, Price};
use billing::currency::Currency;
use billing::id::{CustomerId, SubscriptionId};
use billing::money::Money;
use billing::subscription::Status;
use billing::subscription::change::ChangeTiming;
use billing::timestamp::Timestamp;
use engine::{Adjust, At, Error, Subscribe, SubscribeItem};

fn to(prices: &[&Price], when: ChangeTiming) -> Adjust {
    Adjust {
        items: prices.iter().map(|price| SubscribeItem { price: price.id, quantity: 1 }).collect(),
        when,
    }
}

impl World {
    async fn adjust(&self, id: SubscriptionId, adjust: Adjust, now: Timestamp) -> Result<(), Error> {
        self.engine.adjust(At::new(now, self.environment), id, adjust).await.map(drop)
    }

    async fn subscribe_to(&self, customer: CustomerId, new: Subscribe) -> Result<SubscriptionId, Error> {
        let made = self.engine.subscribe(At::new(self.start, self.environment), customer, new).await;
        made.map(|made| made.subscription.id)
    }
}

#[tokio::test]
async fn a_change_of_product_is_one_on_the_subscription_and_on_its_invoices() {
    for when in [ChangeTiming::Now, ChangeTiming::PeriodEnd] {
        let world = World::new("2024-01-01T00:00:00Z").await;
        let ada = world.customer("ada", Some("tok_visa")).await;
        let (basic, pro) = (world.price(1000, |_| {}).await, world.price(5000, |_| {}).await);
        let id = world.subscribe(ada, basic.id, world.start).await.id;
        world.adjust(id, to(&[&pro], when), at("2024-01-16T00:00:00Z")).await.unwrap();
        world.advance("2024-02-02T00:00:00Z").await;
        let subscription = world.subscription(id).await;
        assert_eq!((subscription.price_id, subscription.product_id), (pro.id, pro.product_id), "{when:?}");
        for invoice in &world.invoices(ada).await[1..] {
            assert_eq!(
                (invoice.price_id, invoice.product_id),
                (Some(pro.id), Some(pro.product_id)),
                "{when:?}"
            );
        }
        world.audit().await;
    }
}

#[tokio::test]
async fn a_plan_that_is_left_during_the_trial_charges_no_setup_fee() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let basic = world
        .price(1000, |price| {
            price.trial_days = Some(14);
            price.setup_fee = Some(300);
        })
        .await;
    let pro = world.price(5000, |price| price.setup_fee = Some(70)).await;
    let id = world.subscribe(ada, basic.id, world.start).await.id;
    world.adjust(id, to(&[&pro], ChangeTiming::PeriodEnd), world.start).await.unwrap();
    world.advance("2024-01-16T00:00:00Z").await;
    assert_eq!(world.invoices(ada).await[0].total, 5070);
}

#[tokio::test]
async fn a_fixed_discount_is_given_for_what_is_left_of_the_period_only() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let discount = DiscountEdit {
        name: Some("Friend".into()),
        code: Some("FRIEND".into()),
        amount: Some(DiscountAmount::Fixed(Money::new(500, Currency::USD))),
        duration: Some(DiscountDuration::Forever),
        ..DiscountEdit::default()
    };
    world.engine.create_discount(At::new(world.start, world.environment), discount).await.unwrap();
    let (basic, pro) = (world.price(1000, |_| {}).await, world.price(5000, |_| {}).await);
    let new = Subscribe {
        items: vec![SubscribeItem { price: basic.id, quantity: 1 }],
        discount_code: Some("FRIEND".into()),
        ..Subscribe::default()
    };
    let id = world.subscribe_to(ada, new).await.unwrap();
    assert_eq!(world.invoices(ada).await[0].total, 500);
    // Half of January is left: half of 50.00 - 5.00, less half of the 5.00 that were billed.
    world.adjust(id, to(&[&pro], ChangeTiming::Now), at("2024-01-16T12:00:00Z")).await.unwrap();
    assert_eq!(world.invoices(ada).await[1].total, 2000);
    world.audit().await;
}

#[tokio::test]
async fn two_items_of_one_price_are_credited_for_what_each_was_billed() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let (basic, pro) = (world.price(1000, |_| {}).await, world.price(9000, |_| {}).await);
    let items = [1, 3].map(|quantity| SubscribeItem { price: basic.id, quantity });
    let id =
        world.subscribe_to(ada, Subscribe { items: items.to_vec(), ..Subscribe::default() }).await.unwrap();
    assert_eq!(world.invoices(ada).await[0].total, 4000);
    world.adjust(id, to(&[&pro], ChangeTiming::Now), at("2024-01-16T12:00:00Z")).await.unwrap();
    assert_eq!(world.invoices(ada).await[1].total, 4500 - 2000);
}

#[tokio::test]
async fn what_is_not_sold_any_more_cannot_be_changed_to() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let (basic, old) = (world.price(1000, |_| {}).await, world.price(5000, |_| {}).await);
    let edit = PriceEdit { active: Some(false), ..PriceEdit::default() };
    world.engine.update_price(At::new(world.start, world.environment), old.id, edit).await.unwrap();
    let id = world.subscribe(ada, basic.id, world.start).await.id;
    for when in [ChangeTiming::Now, ChangeTiming::PeriodEnd] {
        let refused = world.adjust(id, to(&[&old], when), world.start).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn an_upgrade_needs_something_to_charge() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", None).await;
    let (basic, pro) = (world.price(1000, |_| {}).await, world.price(5000, |_| {}).await);
    world.write_down(ada, 1000, world.start).await;
    let id = world.subscribe(ada, basic.id, world.start).await.id;
    assert_eq!(world.subscription(id).await.status, Status::Active);
    let refused = world.adjust(id, to(&[&pro], ChangeTiming::Now), world.start).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    assert_eq!(world.invoices(ada).await.len(), 1);
    world.write_down(ada, 4000, world.start).await;
    world.adjust(id, to(&[&pro], ChangeTiming::Now), world.start).await.unwrap();
    world.audit().await;
}

#[tokio::test]
async fn one_subscription_at_a_time_counts_one_whose_payment_is_under_way() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    world.policy(|books| books.multiple_subscriptions = false).await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let basic = world.price(1000, |_| {}).await;
    let new =
        Subscribe { items: vec![SubscribeItem { price: basic.id, quantity: 1 }], ..Subscribe::default() };
    world.gateway.silence(true);
    let first = world.subscribe_to(ada, new.clone()).await.unwrap();
    assert_eq!(world.subscription(first).await.status, Status::Incomplete);
    let refused = world.subscribe_to(ada, new).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    assert_eq!(world.invoices(ada).await.len(), 1);
}

#[tokio::test]
async fn what_was_billed_last_is_credited_whichever_process_billed_it() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let (basic, pro) = (world.price(1000, |_| {}).await, world.price(20_000, |_| {}).await);
    let to = |price: &Price, quantity| Adjust {
        items: vec![SubscribeItem { price: price.id, quantity }],
        when: ChangeTiming::Now,
    };
    // Another process makes other ids, which need not come before those of the same instant.
    let (other, _) = crate::fixtures::open(&world.books, 2).await;
    let new = Subscribe { items: to(&basic, 1).items, ..Subscribe::default() };
    let made = other.subscribe(At::new(world.start, world.environment), ada, new).await.unwrap();
    let id = made.subscription.id;
    world.engine.adjust(At::new(world.start, world.environment), id, to(&basic, 7)).await.unwrap();
    let half = at("2024-01-16T12:00:00Z");
    world.engine.adjust(At::new(half, world.environment), id, to(&pro, 1)).await.unwrap();
    let invoices = world.invoices(ada).await;
    assert!(invoices[1].id < invoices[0].id, "the ids of the two are out of order");
    assert_eq!(invoices[2].total, 10_000 - 3_500, "half of seven is credited");
    world.audit().await;
}
