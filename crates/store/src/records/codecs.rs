//! How values of the domain stand in columns. What means nothing is [`Error::Corrupt`].

use crate::Error;
use crate::value::{Param, Row};
use billing::calendar::{Interval, IntervalUnit, Period};
use billing::catalog::{DiscountAmount, DiscountDuration};
use billing::credential::{Bearer, KeyScope};
use billing::currency::Currency;
use billing::environment::{DunningEnd, DunningPolicy};
use billing::id::{CustomerUserId, Id as _, StaffId};
use billing::ledger::Account;
use billing::money::Money;
use billing::rate::Rate;
use billing::text_enum::TextEnum;
use billing::timestamp::Timestamp;

/// A way to write values of a type into columns and to read them back.
pub(crate) trait Codec<T> {
    /// Adds one parameter for each column.
    fn write<'a>(value: &'a T, to: &mut Vec<Param<'a>>);

    /// Takes the columns of these names, one after another.
    fn read(row: &Row<'_>, columns: &[&str]) -> Result<T, Error>;
}

/// A way that needs one column.
pub(crate) trait OneColumn {
    /// Takes the column of a name.
    fn of<T>(row: &Row<'_>, column: &str) -> Result<T, Error>
    where
        Self: Codec<T>,
    {
        Self::read(row, &[column])
    }
}

#[cold]
fn corrupt(column: &str, what: &str) -> Error {
    Error::Corrupt(format!("{column} is not {what}"))
}

#[cold]
fn columns_wanted(wanted: usize, columns: &[&str]) -> Error {
    Error::Misuse(format!("{wanted} columns wanted, {columns:?} declared"))
}

fn one<'c>(columns: &[&'c str]) -> Result<&'c str, Error> {
    match columns {
        [column] => Ok(column),
        other => Err(columns_wanted(1, other)),
    }
}

fn two<'c>(columns: &[&'c str]) -> Result<[&'c str; 2], Error> {
    columns.try_into().map_err(|_| columns_wanted(2, columns))
}

/// Declares codecs of one column: how it is written, and how it is read from a row at a place.
macro_rules! one_column {
    ($($(#[$doc:meta])* $codec:ident: $of:ty,
        |$value:ident| $param:expr, |$row:ident, $at:ident, $name:ident| $read:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) enum $codec {}

        impl OneColumn for $codec {}

        impl Codec<$of> for $codec {
            fn write<'a>($value: &'a $of, to: &mut Vec<Param<'a>>) {
                to.push($param);
            }

            fn read($row: &Row<'_>, columns: &[&str]) -> Result<$of, Error> {
                let $name = one(columns)?;
                let $at = $row.take($name)?;
                $read
            }
        }
    )+};
}

one_column! {
    /// A whole number.
    Int: i64, |value| Param::Int(*value), |row, at, _name| row.int(at);
    /// True or false.
    Bool: bool, |value| Param::Bool(*value), |row, at, _name| row.bool(at);
    /// Text.
    Text: String, |value| value.into(), |row, at, _name| Ok(row.text(at)?.to_owned());
    /// Bytes.
    Bytes: Vec<u8>, |value| value.into(), |row, at, _name| Ok(row.bytes(at)?.to_vec());
    /// An instant, in microseconds since 1970.
    Time: Timestamp,
        |value| Param::Int(value.micros()),
        |row, at, _name| Ok(Timestamp::from_micros(row.int(at)?));
    /// A currency by its code.
    CurrencyCode: Currency,
        |value| value.code().into(),
        |row, at, name| Currency::parse(row.text(at)?).map_err(|_| corrupt(name, "a currency"));
    /// A percentage as decimal text.
    Percent: Rate,
        |value| value.to_string().into(),
        |row, at, name| Rate::parse(row.text(at)?).map_err(|_| corrupt(name, "a rate"));
    /// An account of the ledger by its name.
    AccountName: Account,
        |value| value.name().into(),
        |row, at, name| Account::parse(row.text(at)?).ok_or_else(|| corrupt(name, "an account"));
    /// An amount in minor units of the currency in the column `currency`, which was read before.
    SameCurrency: Money,
        |value| Param::Int(value.minor()),
        |row, at, name| {
            let minor = row.int(at)?;
            let code = row.text(row.taken("currency")?)?;
            Ok(Money::new(minor, Currency::parse(code).map_err(|_| corrupt(name, "of a currency"))?))
        };
    /// An HMAC-SHA-256.
    Digest: [u8; 32],
        |value| value.into(),
        |row, at, name| row.bytes(at)?.try_into().map_err(|_| corrupt(name, "32 bytes"));
    /// What an API key opens, with commas between.
    Scopes: Vec<KeyScope>,
        |value| value.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",").into(),
        |row, at, name| {
            let words = row.text(at)?.split(',').filter(|word| !word.is_empty());
            let scopes = words.map(|word| KeyScope::parse(word).ok_or_else(|| corrupt(name, "known scopes")));
            scopes.collect()
        };
    /// For how many payments a discount holds; null for ever.
    Payments: DiscountDuration,
        |value| value.payments().into(),
        |row, at, _name| Ok(match row.opt_int(at)? {
            None => DiscountDuration::Forever,
            Some(1) => DiscountDuration::Once,
            Some(payments) => DiscountDuration::NumberOfPayments(payments),
        });
}

/// An id.
pub(crate) enum Id {}

impl OneColumn for Id {}

impl<T: billing::id::Id> Codec<T> for Id {
    fn write<'a>(value: &'a T, to: &mut Vec<Param<'a>>) {
        to.push(Param::Id(value.raw()));
    }

    fn read(row: &Row<'_>, columns: &[&str]) -> Result<T, Error> {
        Ok(T::from_raw(row.id(row.take(one(columns)?)?)?))
    }
}

/// One of a closed set of words.
pub(crate) enum Word {}

impl OneColumn for Word {}

impl<T: TextEnum> Codec<T> for Word {
    fn write<'a>(value: &'a T, to: &mut Vec<Param<'a>>) {
        to.push(value.as_str().into());
    }

    fn read(row: &Row<'_>, columns: &[&str]) -> Result<T, Error> {
        let name = one(columns)?;
        T::parse(row.text(row.take(name)?)?).ok_or_else(|| corrupt(name, "a known word"))
    }
}

/// What may be null; of several columns, all are.
pub(crate) struct Opt<C>(std::marker::PhantomData<C>);

impl<C: OneColumn> OneColumn for Opt<C> {}

impl<T, C: Codec<T> + Nullable> Codec<Option<T>> for Opt<C> {
    fn write<'a>(value: &'a Option<T>, to: &mut Vec<Param<'a>>) {
        match value {
            Some(value) => C::write(value, to),
            None => to.extend(std::iter::repeat_n(Param::Null, C::WIDTH)),
        }
    }

    fn read(row: &Row<'_>, columns: &[&str]) -> Result<Option<T>, Error> {
        if !row.next_is_null()? {
            return C::read(row, columns).map(Some);
        }
        for column in columns {
            row.take(column)?;
        }
        Ok(None)
    }
}

/// How many nulls stand for nothing.
pub(crate) trait Nullable {
    /// The number of columns.
    const WIDTH: usize;
}

impl<C: OneColumn> Nullable for C {
    const WIDTH: usize = 1;
}

/// A half-open stretch of time: start and end.
pub(crate) enum Span {}

impl Nullable for Span {
    const WIDTH: usize = 2;
}

impl Codec<Period> for Span {
    fn write<'a>(value: &'a Period, to: &mut Vec<Param<'a>>) {
        to.extend([value.start.micros().into(), value.end.micros().into()]);
    }

    fn read(row: &Row<'_>, columns: &[&str]) -> Result<Period, Error> {
        let [start, end] = two(columns)?;
        Ok(Period { start: Time::of(row, start)?, end: Time::of(row, end)? })
    }
}

/// A number of calendar units: unit and count.
pub(crate) enum Every {}

impl Nullable for Every {
    const WIDTH: usize = 2;
}

impl Codec<Interval> for Every {
    fn write<'a>(value: &'a Interval, to: &mut Vec<Param<'a>>) {
        to.extend([value.unit.as_str().into(), value.count.into()]);
    }

    fn read(row: &Row<'_>, columns: &[&str]) -> Result<Interval, Error> {
        let [unit, count] = two(columns)?;
        let parsed = IntervalUnit::parse(row.text(row.take(unit)?)?);
        let parsed = parsed.map_err(|_| corrupt(unit, "an interval"))?;
        let n = u32::try_from(row.int(row.take(count)?)?).map_err(|_| corrupt(count, "a count"))?;
        Ok(Interval::new(parsed, n))
    }
}

/// Money: minor units and currency.
pub(crate) enum Amount {}

impl Codec<Money> for Amount {
    fn write<'a>(value: &'a Money, to: &mut Vec<Param<'a>>) {
        to.extend([value.minor().into(), value.currency().code().into()]);
    }

    fn read(row: &Row<'_>, columns: &[&str]) -> Result<Money, Error> {
        let [minor, currency] = two(columns)?;
        Ok(Money::new(Int::of(row, minor)?, CurrencyCode::of(row, currency)?))
    }
}

/// What a discount takes off: percent, or fixed amount and currency.
pub(crate) enum Off {}

impl Codec<DiscountAmount> for Off {
    fn write<'a>(value: &'a DiscountAmount, to: &mut Vec<Param<'a>>) {
        let (percent, fixed) = match value {
            DiscountAmount::Percent(percent) => (Some(*percent), None),
            DiscountAmount::Fixed(money) => (None, Some(*money)),
        };
        let currency = fixed.map(|money| money.currency().code());
        to.extend([percent.into(), fixed.map(Money::minor).into(), currency.into()]);
    }

    fn read(row: &Row<'_>, columns: &[&str]) -> Result<DiscountAmount, Error> {
        let &[percent, fixed, currency] = columns else { return Err(columns_wanted(3, columns)) };
        let percent_off: Option<i64> = Opt::<Int>::of(row, percent)?;
        let minor: Option<i64> = Opt::<Int>::of(row, fixed)?;
        let code: Option<Currency> = Opt::<CurrencyCode>::of(row, currency)?;
        match (percent_off, minor, code) {
            (Some(percent), None, _) => Ok(DiscountAmount::Percent(percent)),
            (None, Some(minor), Some(currency)) => Ok(DiscountAmount::Fixed(Money::new(minor, currency))),
            (Some(_), Some(_), _) | (None, _, _) => Err(corrupt(percent, "one kind of discount")),
        }
    }
}

/// A dunning policy: days between attempts, and what happens in the end.
pub(crate) enum Dunning {}

impl Codec<DunningPolicy> for Dunning {
    fn write<'a>(value: &'a DunningPolicy, to: &mut Vec<Param<'a>>) {
        to.extend([value.days_text().into(), value.end.as_str().into()]);
    }

    fn read(row: &Row<'_>, columns: &[&str]) -> Result<DunningPolicy, Error> {
        let [days, end] = two(columns)?;
        let parsed = DunningPolicy::parse_days(row.text(row.take(days)?)?);
        let retry_days = parsed.ok_or_else(|| corrupt(days, "a list of days"))?;
        let end: DunningEnd = Word::of(row, end)?;
        Ok(DunningPolicy { retry_days, end })
    }
}

/// Whom a credential stands for: kind, customer and person.
pub(crate) enum Holder {}

impl Codec<Bearer> for Holder {
    fn write<'a>(value: &'a Bearer, to: &mut Vec<Param<'a>>) {
        let (kind, customer, person) = match value {
            Bearer::Key => ("key", None, None),
            Bearer::CustomerUser(customer, user) => ("customer_user", Some(customer.raw()), Some(user.raw())),
            Bearer::Staff(staff) => ("staff", None, Some(staff.raw())),
        };
        to.extend([kind.into(), customer.into(), person.into()]);
    }

    fn read(row: &Row<'_>, columns: &[&str]) -> Result<Bearer, Error> {
        let &[kind, customer, person] = columns else { return Err(columns_wanted(3, columns)) };
        let word = row.text(row.take(kind)?)?;
        match (word, Opt::<Id>::of(row, customer)?, row.opt_id(row.take(person)?)?) {
            ("key", None, None) => Ok(Bearer::Key),
            ("customer_user", Some(customer), Some(user)) => {
                Ok(Bearer::CustomerUser(customer, CustomerUserId::from_raw(user)))
            }
            ("staff", None, Some(staff)) => Ok(Bearer::Staff(StaffId::from_raw(staff))),
            (_, _, _) => Err(corrupt(kind, "a kind of bearer with its ids")),
        }
    }
}
