//! Money in whole minor units, with checked arithmetic and no float anywhere.
//!
//! Owns sums, ratios and the one rounding of each. Percentages and prices below a minor unit are in `rate`.
//! Two currencies never meet in one sum, nothing wraps, and shares add up to what was shared.

use std::fmt;

use crate::currency::Currency;

/// Why a sum of money could not be computed or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two sums of different currencies met.
    #[error("{left} and {right} cannot be put together")]
    CurrencyMismatch {
        /// The currency on the left.
        left: Currency,
        /// The currency on the right.
        right: Currency,
    },
    /// The result does not fit 64 bits of minor units.
    #[error("the sum of money is too large")]
    Overflow,
    /// The text is not an amount, or has more decimals than the currency.
    #[error("{0:?} is not an amount")]
    MalformedAmount(String),
    /// The text is not a percentage of zero or more.
    #[error("{0:?} is not a percentage")]
    MalformedRate(String),
    /// A ratio's denominator was not positive.
    #[error("a ratio needs a positive denominator")]
    ZeroDenominator,
    /// There was nothing to allocate by: no weights, or all of them zero.
    #[error("an amount cannot be allocated over weights that sum to zero")]
    NothingToAllocateBy,
}

/// A sum of money: minor units (cents of USD, yen, fils of KWD) of one currency.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// How a fraction of a minor unit becomes whole.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the nearest; ties away from zero for both signs, so that a reversal mirrors what it reverses.
    HalfUp,
    /// To the nearest; ties to the even neighbour.
    HalfEven,
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

/// An exact ratio in lowest terms with a positive denominator.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    num: i64,
    den: i64,
}

impl Money {
    /// So many minor units of the currency.
    pub const fn new(minor: i64, currency: Currency) -> Money {
        Money { minor, currency }
    }

    /// Nothing, in the currency.
    pub const fn zero(currency: Currency) -> Money {
        Money { minor: 0, currency }
    }

    /// The amount in minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether nothing.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether less than nothing.
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// Whether more than nothing.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// The sum. Errors on another currency and on overflow.
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_add(other.minor))
    }

    /// The difference. Errors on another currency and on overflow.
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_sub(other.minor))
    }

    /// The same amount with the other sign. Errors on overflow.
    pub fn checked_neg(self) -> Result<Money, MoneyError> {
        self.with(self.minor.checked_neg())
    }

    /// So many times the amount. Errors on overflow.
    pub fn checked_mul_int(self, times: i64) -> Result<Money, MoneyError> {
        self.with(self.minor.checked_mul(times))
    }

    /// The lesser of two amounts. Errors on another currency.
    pub fn min(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        Ok(if other.minor < self.minor { other } else { self })
    }

    /// The sum of many amounts, in the currency. Errors on another currency and on overflow.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Money>) -> Result<Money, MoneyError> {
        amounts.into_iter().try_fold(Money::zero(currency), Money::checked_add)
    }

    /// The share of the amount, with one division and one rounding. Errors on overflow.
    pub fn prorate(self, share: Ratio, rounding: Rounding) -> Result<Money, MoneyError> {
        let product = i128::from(self.minor) * i128::from(share.num);
        Money::from_i128(divide(product, i128::from(share.den), rounding), self.currency)
    }

    /// Splits the amount in proportion to the weights by largest remainder: the parts always sum to the
    /// whole, no part is off by a minor unit or more, and of equal remainders the first goes first. Errors
    /// when the weights sum to zero.
    pub fn allocate(self, weights: &[u64]) -> Result<Vec<Money>, MoneyError> {
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        if total == 0 {
            return Err(MoneyError::NothingToAllocateBy);
        }
        let whole = u128::from(self.minor.unsigned_abs());
        let shares = weights.iter().map(|weight| {
            let product = whole * u128::from(*weight);
            (product / total, product % total)
        });
        let (mut parts, remainders): (Vec<u128>, Vec<u128>) = shares.unzip();
        let left = whole - parts.iter().sum::<u128>();
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(remainders[*index]));
        for (index, _) in order.into_iter().zip(0..left) {
            parts[index] += 1;
        }
        let signed = parts.into_iter().map(|part| {
            let part = i128::try_from(part).map_err(|_| MoneyError::Overflow)?;
            Money::from_i128(if self.minor < 0 { -part } else { part }, self.currency)
        });
        signed.collect()
    }

    /// The amount in major units with exactly the currency's decimals: `1357.35`, JPY `1500`, KWD `1.234`.
    pub fn to_major_string(self) -> String {
        let decimals = self.currency.exponent() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let magnitude = self.minor.unsigned_abs();
        if decimals == 0 {
            return format!("{sign}{magnitude}");
        }
        let per_major = 10_u64.pow(self.currency.exponent());
        format!("{sign}{}.{:0decimals$}", magnitude / per_major, magnitude % per_major)
    }

    /// Reads an amount in major units: an optional sign, digits, and at most the currency's decimals.
    /// Errors on anything else and on overflow; nothing is ever rounded.
    pub fn parse_major(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let malformed = || MoneyError::MalformedAmount(text.chars().take(40).collect());
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let exponent = currency.exponent() as usize;
        let bare_dot = unsigned.contains('.') && fraction.is_empty();
        let digits_only = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || bare_dot || !digits_only || fraction.len() > exponent {
            return Err(malformed());
        }
        let digits = format!("{whole}{fraction:0<exponent$}");
        let significant = digits.trim_start_matches('0');
        if significant.len() > 20 {
            return Err(MoneyError::Overflow);
        }
        let magnitude: i128 = format!("0{significant}").parse().map_err(|_| malformed())?;
        Money::from_i128(if negative { -magnitude } else { magnitude }, currency)
    }

    pub(crate) fn from_i128(minor: i128, currency: Currency) -> Result<Money, MoneyError> {
        let minor = i64::try_from(minor).map_err(|_| MoneyError::Overflow)?;
        Ok(Money { minor, currency })
    }

    fn with(self, minor: Option<i64>) -> Result<Money, MoneyError> {
        Ok(Money { minor: minor.ok_or(MoneyError::Overflow)?, currency: self.currency })
    }

    fn same_currency(self, other: Money) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_major_string(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Ratio {
    /// Nothing of the whole.
    pub const ZERO: Ratio = Ratio { num: 0, den: 1 };
    /// All of the whole.
    pub const ONE: Ratio = Ratio { num: 1, den: 1 };

    /// The ratio in lowest terms. Errors when the denominator is not positive.
    pub fn new(num: i64, den: i64) -> Result<Ratio, MoneyError> {
        if den <= 0 {
            return Err(MoneyError::ZeroDenominator);
        }
        let divisor = greatest_common_divisor(num.unsigned_abs().into(), den.unsigned_abs().into());
        let divisor = i64::try_from(divisor).map_err(|_| MoneyError::Overflow)?;
        Ok(Ratio { num: num / divisor, den: den / divisor })
    }

    /// The numerator, in lowest terms.
    pub const fn num(self) -> i64 {
        self.num
    }

    /// The denominator, in lowest terms: always positive.
    pub const fn den(self) -> i64 {
        self.den
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// One division, rounded once. The denominator is positive.
pub(crate) fn divide(num: i128, den: i128, rounding: Rounding) -> i128 {
    let quotient = num / den;
    let remainder = num % den;
    if remainder == 0 {
        return quotient;
    }
    // Twice the remainder is not formed: it could overflow where the remainder does not.
    let remainder = remainder.abs();
    let beyond_half = remainder.cmp(&(den - remainder));
    let away = match rounding {
        Rounding::Down => false,
        Rounding::Up => true,
        Rounding::HalfUp => beyond_half.is_ge(),
        Rounding::HalfEven => beyond_half.is_gt() || (beyond_half.is_eq() && quotient % 2 != 0),
    };
    if away { quotient + num.signum() } else { quotient }
}

/// The sum of amounts in minor units of one currency, checked.
pub(crate) fn sum(amounts: impl Iterator<Item = i64>) -> Result<i64, MoneyError> {
    let mut total: i64 = 0;
    for amount in amounts {
        total = total.checked_add(amount).ok_or(MoneyError::Overflow)?;
    }
    Ok(total)
}

const fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
