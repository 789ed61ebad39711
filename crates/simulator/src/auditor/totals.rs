//! What an invoice must come to: worked out anew from the rules, with money and rates only.

use crate::shop::Shop;
use billing::catalog::{Category, Discount, DiscountAmount, TaxBehavior, TaxRate};
use billing::currency::Currency;
use billing::money::{Money, MoneyError, Ratio, Rounding};

/// Something that an invoice charges.
#[derive(Debug, Clone)]
pub struct Charge {
    /// What it is for.
    pub category: Category,
    /// Before discount.
    pub amount: Money,
    /// Whether tax is inside.
    pub behavior: TaxBehavior,
}

/// What an invoice must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Its currency.
    pub currency: Currency,
    /// The amounts of its lines: each charge, followed by what the discount takes off it.
    pub lines: Vec<i64>,
    /// Without tax.
    pub subtotal: i64,
    /// The taxes together.
    pub tax: i64,
    /// What is to be paid.
    pub total: i64,
}

/// Where a customer pays taxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its country.
    pub country: Option<&'static str>,
    /// Its state.
    pub state: Option<&'static str>,
}

/// The rate of the nearest tax office, for this category before all.
fn rate(shop: &Shop, place: Place, category: Category) -> Option<&TaxRate> {
    let here = |rate: &&TaxRate, with_state: bool, with_category: bool| {
        Some(rate.country.as_str()) == place.country
            && rate.state.is_some() == with_state
            && (!with_state || rate.state.as_deref() == place.state)
            && rate.category == with_category.then_some(category)
    };
    [(true, true), (true, false), (false, true), (false, false)]
        .into_iter()
        .find_map(|(state, of_category)| shop.rates.iter().find(|rate| here(rate, state, of_category)))
}

fn without_tax(amount: Money, rate: Option<&TaxRate>, behavior: TaxBehavior) -> Result<Money, MoneyError> {
    match (rate, behavior) {
        (Some(rate), TaxBehavior::Inclusive) => {
            amount.checked_sub(rate.rate.included_in(amount, Rounding::HalfUp)?)
        }
        _ => Ok(amount),
    }
}

/// What the discount takes off each charge.
fn taken_off(
    currency: Currency,
    charges: &[Charge],
    discount: Option<&Discount>,
) -> Result<Vec<i64>, MoneyError> {
    let weights: Vec<u64> =
        charges.iter().map(|charge| charge.amount.minor().max(0).unsigned_abs()).collect();
    let whole = Money::new(charges.iter().map(|charge| charge.amount.minor().max(0)).sum(), currency);
    let off = match discount.map(|discount| discount.amount) {
        None => 0,
        Some(DiscountAmount::Percent(percent)) => {
            whole.prorate(Ratio::new(percent, 100)?, Rounding::HalfUp)?.minor()
        }
        Some(DiscountAmount::Fixed(fixed)) if fixed.currency() == currency => {
            fixed.minor().min(whole.minor())
        }
        Some(DiscountAmount::Fixed(_)) => 0,
    };
    if off == 0 {
        return Ok(vec![0; charges.len()]);
    }
    Ok(Money::new(off, currency).allocate(&weights)?.into_iter().map(Money::minor).collect())
}

/// What charges come to for a customer at a place.
///
/// # Errors
/// If a sum is out of range, which the workload avoids.
pub fn of(
    shop: &Shop,
    place: Place,
    charges: &[Charge],
    discount: Option<&Discount>,
) -> Result<Totals, MoneyError> {
    let currency = charges.first().map_or(Currency::USD, |charge| charge.amount.currency());
    let off = taken_off(currency, charges, discount)?;
    let mut lines = Vec::new();
    // Of each category and rate: the exclusive sum, what inclusive lines come to with and without tax.
    let mut groups: Vec<(Category, &TaxRate, i64, i64, i64)> = Vec::new();
    for (charge, off) in charges.iter().zip(off) {
        let rate = rate(shop, place, charge.category);
        let net = without_tax(charge.amount, rate, charge.behavior)?.minor();
        lines.push(net);
        let off_net = without_tax(Money::new(off, currency), rate, charge.behavior)?.minor();
        if off != 0 {
            lines.push(-off_net);
        }
        let Some(rate) = rate else { continue };
        let known = groups.iter().position(|g| g.0 == charge.category && g.1.id == rate.id);
        let at = known.unwrap_or_else(|| {
            groups.push((charge.category, rate, 0, 0, 0));
            groups.len() - 1
        });
        match charge.behavior {
            TaxBehavior::Exclusive => groups[at].2 += net - off_net,
            TaxBehavior::Inclusive => {
                groups[at].3 += charge.amount.minor() - off;
                groups[at].4 += net - off_net;
            }
        }
    }
    let mut tax = 0;
    for (_, rate, exclusive, gross, net) in groups {
        tax += rate.rate.of(Money::new(exclusive, currency), Rounding::HalfUp)?.minor() + gross - net;
    }
    let subtotal = lines.iter().sum();
    Ok(Totals { currency, lines, subtotal, tax, total: subtotal + tax })
}
