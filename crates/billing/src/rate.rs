//! Percentages: exact decimals until one explicit rounding.
//!
//! Owns them and their limits. Who bears a percentage is in `tax`. A rate is never negative.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use crate::money::{Money, MoneyError, Rounding, divide};

/// A percentage of zero or more, exact: `18`, `5.5`, `23.33`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(Decimal);

impl Rate {
    /// Nothing.
    pub const ZERO: Rate = Rate(Decimal::ZERO);

    /// Reads a decimal percentage. Errors on a sign, an exponent, more than 10 decimals, more than 100,000 %.
    pub fn parse(text: &str) -> Result<Rate, MoneyError> {
        let malformed = || MoneyError::MalformedRate(text.chars().take(40).collect());
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !plain || !text.starts_with(|first: char| first.is_ascii_digit()) || text.ends_with('.') {
            return Err(malformed());
        }
        Rate::new(Decimal::from_str_exact(text).map_err(|_| malformed())?)
    }

    /// So many percent. Errors when negative, above 100,000 or with more than 10 decimals.
    pub fn new(percent: Decimal) -> Result<Rate, MoneyError> {
        let percent = percent.normalize();
        if percent.is_sign_negative() && !percent.is_zero()
            || percent.scale() > 10
            || percent > Decimal::from(100_000)
        {
            return Err(MoneyError::MalformedRate(percent.to_string()));
        }
        Ok(Rate(percent.abs()))
    }

    /// The percentage.
    pub const fn percent(self) -> Decimal {
        self.0
    }

    /// Whether nothing.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// So many percent of the amount. Errors on overflow.
    pub fn of(self, amount: Money, rounding: Rounding) -> Result<Money, MoneyError> {
        let hundred = 100 * power_of_ten(self.0.scale())?;
        self.share(amount, hundred, rounding)
    }

    /// The part of a gross amount that is tax at this rate: gross × rate / (100 + rate). Errors on overflow.
    pub fn included_in(self, gross: Money, rounding: Rounding) -> Result<Money, MoneyError> {
        let hundred = 100 * power_of_ten(self.0.scale())?;
        self.share(gross, hundred + self.0.mantissa(), rounding)
    }

    fn share(self, amount: Money, whole: i128, rounding: Rounding) -> Result<Money, MoneyError> {
        let product =
            i128::from(amount.minor()).checked_mul(self.0.mantissa()).ok_or(MoneyError::Overflow)?;
        Money::from_i128(divide(product, whole, rounding), amount.currency())
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Rate {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Rate, MoneyError> {
        Rate::parse(text)
    }
}

fn power_of_ten(exponent: u32) -> Result<i128, MoneyError> {
    10_i128.checked_pow(exponent).ok_or(MoneyError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::currency::Currency;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    #[test]
    fn a_rate_is_shown_without_trailing_zeros() {
        for (text, shown) in
            [("18", "18"), ("18.00", "18"), ("5.50", "5.5"), ("0", "0"), ("0.000", "0"), ("100", "100")]
        {
            assert_eq!(rate(text).to_string(), shown);
        }
        assert_eq!(rate("18.0"), rate("18"));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in ["", "-1", "+1", "1e2", "1_0", ".5", "5.", "1.2.3", "18 ", "100000.1", "0.12345678901"] {
            assert!(Rate::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn tax_on_top_and_tax_within() {
        // Unpod's INV-00118: 1357.35 with 207.05 of 18 % within, 1150.30 without.
        assert_eq!(rate("18").of(usd(115_030), Rounding::HalfUp).unwrap(), usd(20_705));
        assert_eq!(rate("18").included_in(usd(135_735), Rounding::HalfUp).unwrap(), usd(20_705));
        assert_eq!(rate("23.33").of(usd(2_999), Rounding::HalfUp).unwrap(), usd(700));
        assert_eq!(rate("50").of(usd(1), Rounding::HalfUp).unwrap(), usd(1));
        assert_eq!(rate("50").of(usd(-1), Rounding::HalfUp).unwrap(), usd(-1));
        assert_eq!(rate("0").included_in(usd(500), Rounding::HalfUp).unwrap(), usd(0));
        assert_eq!(rate("100000").of(usd(i64::MAX), Rounding::HalfUp), Err(MoneyError::Overflow));
    }
}
