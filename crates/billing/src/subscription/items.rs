//! The items of a subscription: what can be one, and the rows they become.
//!
//! Owns that all items of a subscription share one interval and one currency. What they cost together is in
//! `bill_period`. An item counts from `ctx.now`, or from the subscription's start if that is later.

use crate::calendar::Interval;
use crate::catalog::{Price, PriceKind, Product};
use crate::currency::Currency;
use crate::id::{Ctx, Id};
use crate::invoice::AMOUNT_MAX;
use crate::invoice::totals::Charge;
use crate::refusal::{Field, Refusal};
use crate::subscription::{Item, Subscription};

/// One thing to subscribe to.
#[derive(Debug, Clone)]
pub struct NewItem {
    /// By which price.
    pub price: Price,
    /// Of which product.
    pub product: Product,
    /// How many units, at least 1.
    pub quantity: i64,
}

impl NewItem {
    /// Whether new subscribers can have it.
    pub(super) fn is_sold(&self) -> bool {
        self.price.active && self.product.active
    }
}

/// Checks that an item can be one of a subscription with an interval and a currency.
pub(super) fn check_item(
    field: Field,
    item: &NewItem,
    interval: Option<Interval>,
    currency: Currency,
) -> Result<(), Refusal> {
    if item.price.kind != PriceKind::Subscription || item.price.interval.is_none() {
        return Err(Refusal::invalid(field, "only a price of type subscription can be subscribed to"));
    }
    if item.price.interval != interval || item.price.unit_price.currency() != currency {
        return Err(Refusal::invalid(field, "all items share one interval and one currency"));
    }
    if item.quantity < 1 {
        return Err(Refusal::invalid(Field::Quantity, "a whole number of at least 1"));
    }
    match item.price.unit_price.checked_mul_int(item.quantity)?.minor() {
        ..=AMOUNT_MAX => Ok(()),
        _ => Err(Refusal::OutOfRange),
    }
}

/// The rows of the items.
pub(super) fn items_of(ctx: &mut Ctx, subscription: &Subscription, new: &[NewItem]) -> Vec<Item> {
    let shard = subscription.customer_id.shard();
    new.iter()
        .map(|item| Item {
            id: ctx.id(shard),
            environment: subscription.environment,
            subscription_id: subscription.id,
            customer_id: subscription.customer_id,
            price_id: item.price.id,
            product_id: item.product.id,
            category: item.product.category,
            name: format!("{} x {}", item.price.name.as_deref().unwrap_or(&item.product.name), item.quantity),
            unit_price: item.price.unit_price,
            tax_behavior: item.price.tax_behavior,
            quantity: item.quantity,
            pending: None,
            added_at: ctx.now.max(subscription.started_at),
            created_at: ctx.now,
            updated_at: ctx.now,
        })
        .collect()
}

/// What is charged once, with the first paid period.
pub fn setup_fees(items: &[NewItem]) -> Vec<Charge> {
    items
        .iter()
        .filter_map(|item| {
            let fee = item.price.setup_fee.filter(|fee| fee.is_positive())?;
            Some(Charge {
                description: format!("{}: setup fee", item.product.name),
                product_id: Some(item.product.id),
                price_id: None,
                category: item.product.category,
                quantity: 1,
                amount: fee,
                tax_behavior: item.price.tax_behavior,
            })
        })
        .collect()
}
