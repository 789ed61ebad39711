//! Customers with a card who pay for each week, month or day.

use billing::catalog::ProductEdit;
use billing::customer::CustomerEdit;
use billing::{CustomerId, IntervalUnit, PriceId, Timestamp};
use engine::{Engine, Subscribe, SubscribeItem};

/// A price for each unit of time, of a product of its own.
pub(crate) async fn price(engine: &Engine, number: i64, now: Timestamp, unit: IntervalUnit) -> PriceId {
    let product = ProductEdit { name: Some(format!("{unit:?}")), ..ProductEdit::default() };
    let new = testbed::price_each(unit, 1900);
    let (_, prices) = engine.create_product(now, number, None, product, Some(new), None).await.unwrap();
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
    let customer = engine.create_customer(now, number, edit, None).await.unwrap().id;
    engine.create_payment_method(now, number, customer, testbed::card("tok_visa"), None).await.unwrap();
    let new = Subscribe { items: vec![SubscribeItem { price, quantity: 1 }], ..Subscribe::default() };
    engine.subscribe(now, number, customer, new, None).await.unwrap();
    customer
}
