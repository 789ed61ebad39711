//! Which tax a charge bears, and how much it comes to.
//!
//! Owns the choice among rates and the sums of EN 16931. It does not know where a customer is but from the
//! customer's row, and no time: the rates that it is told are those that hold.

use crate::catalog::{Category, TaxBehavior, TaxRate};
use crate::customer::Customer;
use crate::money::{Money, MoneyError, Rounding};

/// The rate that a customer bears for a category: the most specific of those of its country.
///
/// A state's rate goes before the country's, and among those one for the category before one for all.
pub fn rate_for<'a>(rates: &'a [TaxRate], customer: &Customer, category: Category) -> Option<&'a TaxRate> {
    let country = customer.country.as_deref()?;
    rates
        .iter()
        .filter(|rate| rate.country == country)
        .filter(|rate| rate.state.is_none() || rate.state == customer.state)
        .filter(|rate| rate.category.is_none_or(|only| only == category))
        .max_by_key(|rate| (rate.state.is_some(), rate.category.is_some(), rate.id))
}

/// The part of an amount that is not tax.
///
/// # Errors
/// If the amount is beyond what the books can hold.
pub fn net(amount: Money, rate: Option<&TaxRate>, behavior: TaxBehavior) -> Result<Money, MoneyError> {
    match (rate, behavior) {
        (None, _) | (Some(_), TaxBehavior::Exclusive) => Ok(amount),
        (Some(rate), TaxBehavior::Inclusive) => {
            amount.checked_sub(rate.rate.included_in(amount, Rounding::HalfUp)?)
        }
    }
}

/// The tax of one category at one rate: on the sum of the exclusive nets, rounded once as EN 16931
/// asks (BR-CO-17), and on inclusive amounts what is left of them, so that the promised price is what
/// is paid.
///
/// # Errors
/// If an amount is beyond what the books can hold.
pub fn on_group(
    rate: &TaxRate,
    exclusive_net: Money,
    inclusive_gross: Money,
    inclusive_net: Money,
) -> Result<Money, MoneyError> {
    let on_top = rate.rate.of(exclusive_net, Rounding::HalfUp)?;
    on_top.checked_add(inclusive_gross.checked_sub(inclusive_net)?)
}
