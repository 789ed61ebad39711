//! Customers with a card who pay for each week, month or day.

use billing::catalog::ProductEdit;
use billing::customer::CustomerEdit;
use billing::{CustomerId, IntervalUnit, PriceId, Timestamp};
use engine::{At, Engine, Subscribe, SubscribeItem};

/// A price for each unit of time, of a product of its own.
pub(crate) async fn price(engine: &Engine, number: i64, now: Timestamp, unit: IntervalUnit) -> PriceId {
    let product = ProductEdit { name: Some(format!("{unit:?}")), ..ProductEdit::default() };
    let new = testbed::price_each(unit, 1900);
    let (_, prices) = engine.create_product(At::new(now, number), None, product, Some(new)).await.unwrap();
    prices[0].id
}

/// A customer with a card who subscribes now.
pub(crate) async fn subscribed(
    engine: &Engine,
    number: i64,
    now: Timestamp,
    name: &str,
    price: PriceId,
) -> CustomerId {
    let edit = CustomerEdit { external_id: Some(name.to_owned()), ..CustomerEdit::default() };
    let edit = CustomerEdit { email: Some(format!("{name}@example.com")), name: Some("C".into()), ..edit };
    let customer = engine.create_customer(At::new(now, number), edit).await.unwrap().id;
    engine.create_payment_method(At::new(now, number), customer, testbed::card("tok_visa")).await.unwrap();
    let new = Subscribe { items: vec![SubscribeItem { price, quantity: 1 }], ..Subscribe::default() };
    engine.subscribe(At::new(now, number), customer, new).await.unwrap();
    customer
}
