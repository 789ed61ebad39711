//! Which periods are wanted: `limit`, `page`, `ids[]`, `subscription_ids[]`.

use super::error::Error;
use crate::query::Query;
use crate::spelling::parse_uuid;
use billing::Id;
use store::views::Sheet;

const LIMIT: i64 = 20;
const LIMIT_MAX: i64 = 100;

/// The page that is asked for. Of what is repeated the last one counts.
///
/// # Errors
/// If a number is out of range or none.
pub(super) fn read(query: &Query<'_>) -> Result<Sheet, Error> {
    let page = number(query, "page", i64::MAX, "page must be a whole number of at least 1")?;
    let limit = number(query, "limit", LIMIT_MAX, "limit must be a whole number from 1 to 100")?;
    Ok(Sheet { page: page.unwrap_or(1), limit: limit.unwrap_or(LIMIT) })
}

fn number(
    query: &Query<'_>,
    name: &'static str,
    max: i64,
    wanted: &'static str,
) -> Result<Option<i64>, Error> {
    let Some(text) = query.last(name) else { return Ok(None) };
    match text.parse() {
        Ok(number) if (1..=max).contains(&number) => Ok(Some(number)),
        Ok(_) => Err(Error::invalid(name, "inclusion", wanted)),
        Err(_) => Err(Error::invalid(name, "not_a_number", wanted)),
    }
}

/// The ids of a parameter that may be repeated; none if it is not there.
///
/// # Errors
/// If one is not a UUID.
pub(super) fn ids<T: Id>(
    query: &Query<'_>,
    name: &'static str,
    attribute: &'static str,
) -> Result<Option<Vec<T>>, Error> {
    let ids = query.all(name).map(|text| {
        let raw = parse_uuid(text);
        raw.map(T::from_raw)
            .ok_or_else(|| Error::invalid(attribute, "invalid", format!("{name} must be UUIDs")))
    });
    let ids: Vec<T> = ids.collect::<Result<_, _>>()?;
    Ok(Some(ids).filter(|ids| !ids.is_empty()))
}
