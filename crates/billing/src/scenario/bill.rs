//! One bill: lines, coupons stacked on them, and tax per rate.

use std::collections::BTreeMap;

use crate::currency::Currency;
use crate::money::{Money, MoneyError, Rounding};
use crate::rate::Rate;

/// Something that takes money off some of the lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// How much.
    pub amount: CouponAmount,
    /// The places of the lines that it is for, from 0.
    pub lines: Vec<usize>,
}

/// How much a coupon takes off.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CouponAmount {
    /// A fixed amount, at most what is left of its lines.
    Fixed(Money),
    /// So many percent of what is left of its lines.
    Percent(Rate),
}

/// What lines come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The sum of the lines before coupons.
    pub lines: Money,
    /// What the coupons take off each line.
    pub off: Vec<Money>,
    /// For each rate what it is on, coupons taken off, and the tax.
    pub taxes: BTreeMap<Rate, (Money, Money)>,
    /// What is to be paid.
    pub total: Money,
}

/// Adds up lines of net amounts and rates. Each coupon is shared out over what earlier ones have left of its
/// lines, in whole minor units that sum to it; tax is rounded once per rate, on the sum of the rounded nets,
/// as EN 16931 asks. Errors on another currency and on overflow.
pub fn bill(currency: Currency, lines: &[(Money, Rate)], coupons: &[Coupon]) -> Result<Bill, MoneyError> {
    let mut left: Vec<Money> = lines.iter().map(|(net, _)| *net).collect();
    for coupon in coupons {
        let weight = |index: usize| {
            let mine = coupon.lines.contains(&index);
            if mine { left[index].minor().max(0).unsigned_abs() } else { 0 }
        };
        let weights: Vec<u64> = (0..left.len()).map(weight).collect();
        let whole = left.iter().zip(&weights).filter(|(_, weight)| **weight > 0).map(|(left, _)| *left);
        let whole = Money::sum(currency, whole)?;
        let off = match coupon.amount {
            CouponAmount::Fixed(amount) => amount.min(whole)?,
            CouponAmount::Percent(rate) => rate.of(whole, Rounding::HalfUp)?.min(whole)?,
        };
        if off.is_positive() {
            for (left, part) in left.iter_mut().zip(off.allocate(&weights)?) {
                *left = left.checked_sub(part)?;
            }
        }
    }
    let mut taxes = BTreeMap::new();
    for ((_, rate), left) in lines.iter().zip(&left) {
        let (taxable, _) = taxes.entry(*rate).or_insert((Money::zero(currency), Money::zero(currency)));
        *taxable = taxable.checked_add(*left)?;
    }
    for (rate, (taxable, tax)) in &mut taxes {
        *tax = rate.of(*taxable, Rounding::HalfUp)?;
    }
    let net = Money::sum(currency, left.iter().copied())?;
    let tax = Money::sum(currency, taxes.values().map(|(_, tax)| *tax))?;
    let off = lines.iter().zip(&left).map(|((net, _), left)| net.checked_sub(*left));
    Ok(Bill {
        lines: Money::sum(currency, lines.iter().map(|(net, _)| *net))?,
        off: off.collect::<Result<_, _>>()?,
        taxes,
        total: net.checked_add(tax)?,
    })
}
