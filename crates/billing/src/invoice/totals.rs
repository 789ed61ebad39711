//! What charges come to: discount, taxes and their sums, before there is an invoice.
//!
//! Owns the arithmetic. It writes nothing and knows no time. One discount is rounded once and shared out
//! without a remainder; one tax is rounded once for each category and rate; lines and taxes add up to the
//! total exactly.

use crate::catalog::{Category, Discount, DiscountAmount, TaxBehavior, TaxRate};
use crate::customer_account::CustomerAccount;
use crate::id::{PriceId, ProductId};
use crate::money::{Money, MoneyError, Ratio, Rounding, sum};
use crate::refusal::Refusal;
use crate::tax;

/// Something to put on an invoice.
#[derive(Debug, Clone)]
pub struct Charge {
    /// What the line says.
    pub description: String,
    /// The product that it is for.
    pub product_id: Option<ProductId>,
    /// The price that it follows from.
    pub price_id: Option<PriceId>,
    /// What it is for.
    pub category: Category,
    /// How many units, at least 1.
    pub quantity: i64,
    /// What it comes to, before discount, with or without tax as `tax_behavior` says.
    pub amount: Money,
    /// Whether tax is inside the amount.
    pub tax_behavior: TaxBehavior,
}

/// What charges come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// The lines without ids: charge index, amount without tax, and whether it is the discount on it.
    pub lines: Vec<TotalLine>,
    /// The taxes: category, index into the given rates, taxable sum and tax, in minor units.
    pub taxes: Vec<(Category, TaxRate, i64, i64)>,
    /// The sum of the lines, in minor units.
    pub subtotal: i64,
    /// The sum of the taxes, in minor units.
    pub tax: i64,
    /// Both together.
    pub total: i64,
}

/// A line of [`Totals`].
#[derive(Debug, Clone, PartialEq)]
pub struct TotalLine {
    /// The charge that it comes from.
    pub charge: usize,
    /// Whether it is what the discount takes off that charge.
    pub is_discount: bool,
    /// Without tax, in minor units.
    pub net: i64,
}

/// What charges come to, with a discount and the customer's taxes.
///
/// # Errors
/// If the currencies differ or a sum is beyond what the books can hold.
pub fn total(
    rates: &[TaxRate],
    payer: &CustomerAccount,
    charges: &[Charge],
    discount: Option<&Discount>,
) -> Result<Totals, Refusal> {
    let off = discount_parts(charges, discount)?;
    let mut lines = Vec::with_capacity(charges.len());
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (index, charge) in charges.iter().enumerate() {
        let rate = tax::rate_for(rates, &payer.customer, charge.category);
        let net = tax::net(charge.amount, rate, charge.tax_behavior)?;
        lines.push(TotalLine { charge: index, is_discount: false, net: net.minor() });
        let mut gross = charge.amount;
        let mut net_sum = net;
        if let Some(off) = off.as_ref().map(|off| off[index]).filter(|off| !off.is_zero()) {
            let off_net = tax::net(off, rate, charge.tax_behavior)?;
            lines.push(TotalLine { charge: index, is_discount: true, net: off_net.checked_neg()?.minor() });
            gross = gross.checked_sub(off)?;
            net_sum = net_sum.checked_sub(off_net)?;
        }
        if let Some(rate) = rate {
            Group::add(&mut groups, charge, rate, gross, net_sum)?;
        }
    }
    let mut taxes = Vec::with_capacity(groups.len());
    for group in &groups {
        let tax = tax::on_group(group.rate, group.exclusive_net, group.inclusive_gross, group.inclusive_net)?;
        let taxable = group.exclusive_net.checked_add(group.inclusive_net)?;
        taxes.push((group.category, group.rate.clone(), taxable.minor(), tax.minor()));
    }
    let subtotal = sum(lines.iter().map(|line| line.net))?;
    let tax = sum(taxes.iter().map(|tax| tax.3))?;
    let total = subtotal.checked_add(tax).ok_or(MoneyError::Overflow)?;
    Ok(Totals { lines, taxes, subtotal, tax, total })
}

/// The sums of one category at one rate.
struct Group<'a> {
    category: Category,
    rate: &'a TaxRate,
    exclusive_net: Money,
    inclusive_gross: Money,
    inclusive_net: Money,
}

impl<'a> Group<'a> {
    fn add(
        groups: &mut Vec<Group<'a>>,
        charge: &Charge,
        rate: &'a TaxRate,
        gross: Money,
        net: Money,
    ) -> Result<(), MoneyError> {
        let known = groups.iter().position(|g| g.category == charge.category && g.rate.id == rate.id);
        let index = known.unwrap_or_else(|| {
            let zero = Money::zero(charge.amount.currency());
            groups.push(Group {
                category: charge.category,
                rate,
                exclusive_net: zero,
                inclusive_gross: zero,
                inclusive_net: zero,
            });
            groups.len() - 1
        });
        let group = &mut groups[index];
        match charge.tax_behavior {
            TaxBehavior::Exclusive => group.exclusive_net = group.exclusive_net.checked_add(net)?,
            TaxBehavior::Inclusive => {
                group.inclusive_gross = group.inclusive_gross.checked_add(gross)?;
                group.inclusive_net = group.inclusive_net.checked_add(net)?;
            }
        }
        Ok(())
    }
}

/// What a discount takes off each charge: one amount, rounded once, shared out by the charges' amounts.
fn discount_parts(charges: &[Charge], discount: Option<&Discount>) -> Result<Option<Vec<Money>>, Refusal> {
    let (Some(discount), Some(first)) = (discount, charges.first()) else { return Ok(None) };
    let mut whole = Money::zero(first.amount.currency());
    let mut weights = Vec::with_capacity(charges.len());
    for charge in charges {
        let part = charge.amount.minor().max(0);
        whole = whole.checked_add(Money::new(part, charge.amount.currency()))?;
        weights.push(part.unsigned_abs());
    }
    let off = match discount.amount {
        DiscountAmount::Percent(percent) => {
            whole.prorate(Ratio::new(percent.clamp(0, 100), 100)?, Rounding::HalfUp)?
        }
        DiscountAmount::Fixed(amount) if amount.currency() == whole.currency() => {
            Money::new(amount.minor().min(whole.minor()), whole.currency())
        }
        DiscountAmount::Fixed(_) => return Ok(None),
    };
    if off.is_zero() {
        return Ok(None);
    }
    Ok(Some(off.allocate(&weights)?))
}
