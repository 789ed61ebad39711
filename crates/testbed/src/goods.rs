//! What most tests sell, and what most of their customers pay with.

use billing::calendar::{Interval, IntervalUnit};
use billing::catalog::edit::NewPrice;
use billing::catalog::{PriceKind, TaxBehavior};
use billing::currency::Currency;
use billing::customer::PaymentMethodKind;
use billing::customer::edit::NewPaymentMethod;
use billing::money::Money;

/// A price of so many cents for each unit of time.
pub fn price_each(unit: IntervalUnit, minor: i64) -> NewPrice {
    NewPrice {
        kind: PriceKind::Subscription,
        name: None,
        slug: None,
        unit_price: Money::new(minor, Currency::USD),
        interval: Some(Interval::new(unit, 1)),
        trial_days: None,
        setup_fee: None,
        period_count: None,
        tax_behavior: TaxBehavior::Exclusive,
        is_default: false,
        active: true,
    }
}

/// A card by the sandbox's name for it, charged from now on.
pub fn card(token: &str) -> NewPaymentMethod {
    NewPaymentMethod {
        kind: PaymentMethodKind::Card,
        token: token.to_owned(),
        is_default: true,
        billing_details: "{}".to_owned(),
        data: "{}".to_owned(),
        metadata: None,
    }
}
