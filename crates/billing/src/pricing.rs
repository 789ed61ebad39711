//! What a quantity costs: per unit, in packages, in graduated and volume tiers. Nothing sells by it yet.
//!
//! Owns the arithmetic of tiers: amounts are exact until one rounding of the whole. It knows no catalog, no tax and
//! no time.

use rust_decimal::Decimal;

use crate::currency::Currency;
use crate::money::{Money, MoneyError, Rounding, divide};

/// How a quantity is priced. Amounts are in minor units and may be fractional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pricing {
    /// The same for each unit.
    PerUnit(Decimal),
    /// So much for each package begun.
    Package {
        /// Units in a package, at least 1.
        size: i64,
        /// What a package costs.
        price: Decimal,
        /// Units that cost nothing, taken first.
        free: i64,
    },
    /// Each unit at the price of the tier that it falls in, and the flat fee of every tier reached.
    Graduated(Vec<Tier>),
    /// All units at the price of the tier that the last one falls in, and that tier's flat fee.
    Volume(Vec<Tier>),
}

/// A span of quantities with a price of its own. Tiers are in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The last quantity of the tier; the last tier has none.
    pub up_to: Option<i64>,
    /// For each unit.
    pub unit: Decimal,
    /// Once, when there is any unit.
    pub flat: Decimal,
}

impl Pricing {
    /// The price of a quantity, rounded half-up once. No units cost nothing. Errors on overflow.
    pub fn amount(&self, quantity: i64, currency: Currency) -> Result<Money, MoneyError> {
        let mut sum = Sum::default();
        if quantity > 0 {
            match self {
                Pricing::PerUnit(price) => sum.add(*price, quantity)?,
                Pricing::Package { size, price, free } => {
                    sum.add(*price, packages((quantity - free).max(0), *size))?;
                }
                Pricing::Graduated(tiers) => graduated(tiers, quantity, &mut sum)?,
                Pricing::Volume(tiers) => {
                    let tier = tiers.iter().find(|tier| tier.up_to.is_none_or(|last| quantity <= last));
                    if let Some(tier) = tier.or(tiers.last()) {
                        sum.add(tier.unit, quantity)?;
                        sum.add(tier.flat, 1)?;
                    }
                }
            }
        }
        sum.round(currency)
    }
}

fn graduated(tiers: &[Tier], quantity: i64, sum: &mut Sum) -> Result<(), MoneyError> {
    let mut below = 0;
    for (index, tier) in tiers.iter().enumerate() {
        if quantity <= below {
            break;
        }
        let last_tier = index + 1 == tiers.len();
        let top = if last_tier { quantity } else { tier.up_to.unwrap_or(quantity).min(quantity) };
        sum.add(tier.unit, (top - below).max(0))?;
        sum.add(tier.flat, 1)?;
        below = top.max(below);
    }
    Ok(())
}

fn packages(quantity: i64, size: i64) -> i64 {
    let size = size.max(1);
    quantity / size + i64::from(quantity % size > 0)
}

/// An exact sum of fractional minor units, in units of 10⁻¹².
#[derive(Default)]
struct Sum(i128);

const SUM_SCALE: u32 = 12;

impl Sum {
    fn add(&mut self, price: Decimal, times: i64) -> Result<(), MoneyError> {
        let price = price.normalize();
        let missing = SUM_SCALE.checked_sub(price.scale()).ok_or(MoneyError::Overflow)?;
        let product = price.mantissa().checked_mul(10_i128.pow(missing));
        let product = product.and_then(|product| product.checked_mul(i128::from(times)));
        self.0 = product.and_then(|product| self.0.checked_add(product)).ok_or(MoneyError::Overflow)?;
        Ok(())
    }

    fn round(self, currency: Currency) -> Result<Money, MoneyError> {
        Money::from_i128(divide(self.0, 10_i128.pow(SUM_SCALE), Rounding::HalfUp), currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(up_to: Option<i64>, unit: i64, flat: i64) -> Tier {
        Tier { up_to, unit: Decimal::from(unit), flat: Decimal::from(flat) }
    }

    fn prices(pricing: &Pricing, quantities: &[i64]) -> Vec<i64> {
        quantities.iter().map(|quantity| pricing.amount(*quantity, Currency::EUR).unwrap().minor()).collect()
    }

    #[test]
    fn per_unit_and_package() {
        let cheap = Pricing::PerUnit("0.02".parse().unwrap());
        assert_eq!(prices(&cheap, &[0, 1, 24, 25, 1_000_000]), [0, 0, 0, 1, 20_000]);
        let package = Pricing::Package { size: 100, price: Decimal::from(295), free: 50 };
        assert_eq!(prices(&package, &[0, 50, 51, 150, 151]), [0, 0, 295, 295, 590]);
    }

    #[test]
    fn volume_and_graduated() {
        let tiers = vec![tier(Some(10), 500, 10_000), tier(None, 200, 5_000)];
        // 5 × 5.00 + 100.00, 10 × 5.00 + 100.00; from the eleventh on all at 2.00 and 50.00.
        assert_eq!(
            prices(&Pricing::Volume(tiers.clone()), &[0, 5, 10, 11, 15]),
            [0, 12_500, 15_000, 7_200, 8_000]
        );
        // Ten at 5.00 and 100.00, and then 1 × 2.00 + 50.00, 5 × 2.00 + 50.00 on top.
        assert_eq!(
            prices(&Pricing::Graduated(tiers), &[0, 5, 10, 11, 15]),
            [0, 12_500, 15_000, 20_200, 21_000]
        );
    }

    #[test]
    fn the_last_tier_has_no_end() {
        let tiers = vec![tier(Some(5), 1_000, 0), tier(Some(10), 800, 0)];
        assert_eq!(prices(&Pricing::Volume(tiers.clone()), &[5, 6, 11]), [5_000, 4_800, 8_800]);
        assert_eq!(prices(&Pricing::Graduated(tiers), &[5, 6, 11]), [5_000, 5_800, 9_800]);
    }

    #[test]
    fn too_much_is_an_error() {
        let dear = Pricing::PerUnit(Decimal::from(i64::MAX));
        assert_eq!(dear.amount(2, Currency::EUR), Err(MoneyError::Overflow));
        let fine = Pricing::PerUnit("0.0000000000001".parse().unwrap());
        assert_eq!(fine.amount(1, Currency::EUR), Err(MoneyError::Overflow));
    }
}
