//! Reading a column as what it means. What means nothing is [`Error::Corrupt`].

use crate::{Error, Row};
use billing::{
    Currency, DiscountAmount, DiscountDuration, DunningEnd, DunningPolicy, Id, Interval, IntervalUnit, Money,
    Period, Rate, Timestamp,
};

#[cold]
fn corrupt(at: usize, what: &str) -> Error {
    Error::Corrupt(format!("column {at} is not {what}"))
}

pub(crate) fn id<T: Id>(row: &Row<'_>, at: usize) -> Result<T, Error> {
    Ok(T::from_raw(row.id(at)?))
}

pub(crate) fn opt_id<T: Id>(row: &Row<'_>, at: usize) -> Result<Option<T>, Error> {
    Ok(row.opt_id(at)?.map(T::from_raw))
}

pub(crate) fn time(row: &Row<'_>, at: usize) -> Result<Timestamp, Error> {
    Ok(Timestamp::from_micros(row.int(at)?))
}

pub(crate) fn opt_time(row: &Row<'_>, at: usize) -> Result<Option<Timestamp>, Error> {
    Ok(row.opt_int(at)?.map(Timestamp::from_micros))
}

pub(crate) fn currency(row: &Row<'_>, at: usize) -> Result<Currency, Error> {
    Currency::parse(row.text(at)?).map_err(|_| corrupt(at, "a currency"))
}

pub(crate) fn word<T>(row: &Row<'_>, at: usize, parse: fn(&str) -> Option<T>) -> Result<T, Error> {
    parse(row.text(at)?).ok_or_else(|| corrupt(at, "a known word"))
}

pub(crate) fn opt_word<T>(
    row: &Row<'_>,
    at: usize,
    parse: fn(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let Some(text) = row.opt_text(at)? else { return Ok(None) };
    parse(text).map(Some).ok_or_else(|| corrupt(at, "a known word"))
}

pub(crate) fn rate(row: &Row<'_>, at: usize) -> Result<Rate, Error> {
    Rate::parse(row.text(at)?).map_err(|_| corrupt(at, "a rate"))
}

pub(crate) fn opt_money(row: &Row<'_>, at: usize, currency_at: usize) -> Result<Option<Money>, Error> {
    let Some(minor) = row.opt_int(at)? else { return Ok(None) };
    Ok(Some(Money::new(minor, currency(row, currency_at)?)))
}

/// Unit and count from two columns.
pub(crate) fn interval(row: &Row<'_>, at: usize) -> Result<Interval, Error> {
    let unit = IntervalUnit::parse(row.text(at)?).map_err(|_| corrupt(at, "an interval"))?;
    let count = u32::try_from(row.int(at + 1)?).map_err(|_| corrupt(at + 1, "a count"))?;
    Ok(Interval::new(unit, count))
}

/// Unit and count from two columns that may both be null.
pub(crate) fn opt_interval(row: &Row<'_>, at: usize) -> Result<Option<Interval>, Error> {
    if row.opt_text(at)?.is_none() { Ok(None) } else { interval(row, at).map(Some) }
}

/// Start and end from two columns.
pub(crate) fn period(row: &Row<'_>, at: usize) -> Result<Period, Error> {
    Ok(Period { start: time(row, at)?, end: time(row, at + 1)? })
}

/// Start and end from two columns that may both be null.
pub(crate) fn opt_period(row: &Row<'_>, at: usize) -> Result<Option<Period>, Error> {
    if row.opt_int(at)?.is_none() { Ok(None) } else { period(row, at).map(Some) }
}

/// Days and end from two columns.
pub(crate) fn dunning(row: &Row<'_>, at: usize) -> Result<DunningPolicy, Error> {
    let retry_days = DunningPolicy::parse_days(row.text(at)?).ok_or_else(|| corrupt(at, "a list of days"))?;
    Ok(DunningPolicy { retry_days, end: word(row, at + 1, DunningEnd::parse)? })
}

/// Percent, fixed amount and currency from three columns.
pub(crate) fn discount_amount(row: &Row<'_>, at: usize) -> Result<DiscountAmount, Error> {
    match (row.opt_int(at)?, opt_money(row, at + 1, at + 2)?) {
        (Some(percent), None) => Ok(DiscountAmount::Percent(percent)),
        (None, Some(money)) => Ok(DiscountAmount::Fixed(money)),
        _ => Err(corrupt(at, "one kind of discount")),
    }
}

pub(crate) fn discount_duration(row: &Row<'_>, at: usize) -> Result<DiscountDuration, Error> {
    Ok(match row.opt_int(at)? {
        None => DiscountDuration::Forever,
        Some(1) => DiscountDuration::Once,
        Some(payments) => DiscountDuration::NumberOfPayments(payments),
    })
}
