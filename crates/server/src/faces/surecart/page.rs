//! Which periods are wanted: `limit`, `page`, `ids[]`, `subscription_ids[]`.

use super::error::Error;
use crate::query::Query;
use crate::spelling::parse_uuid;
use billing::id::{Id, PeriodId, SubscriptionId};
use store::views::OffsetPage;

const LIMIT: i64 = 20;
const LIMIT_MAX: i64 = 100;

/// What a list is asked for.
pub(super) struct PeriodQuery {
    /// Only these periods.
    pub(super) ids: Option<Vec<PeriodId>>,
    /// Only those of these subscriptions.
    pub(super) subscriptions: Option<Vec<SubscriptionId>>,
    /// The page of them.
    pub(super) offset_page: OffsetPage,
}

/// Reads the parameters; of a number that is repeated the last one counts.
///
/// # Errors
/// If a number is out of range or none, or an id is no UUID: every one that is wrong is named.
pub(super) fn read(query: &Query<'_>) -> Result<PeriodQuery, Error> {
    let page = number(query, "page", i64::MAX, "page must be a whole number of at least 1");
    let limit = number(query, "limit", LIMIT_MAX, "limit must be a whole number from 1 to 100");
    let ids = ids(query, "ids[]", "ids");
    let subscriptions = self::ids(query, "subscription_ids[]", "subscription_ids");
    match (page, limit, ids, subscriptions) {
        (Ok(page), Ok(limit), Ok(ids), Ok(subscriptions)) => {
            let offset_page = OffsetPage { page: page.unwrap_or(1), limit: limit.unwrap_or(LIMIT) };
            Ok(PeriodQuery { ids, subscriptions, offset_page })
        }
        (page, limit, ids, subscriptions) => {
            let wrong = [page.err(), limit.err(), ids.err(), subscriptions.err()];
            let all = wrong.into_iter().flatten().reduce(|first, other| first.and([other]));
            Err(all.unwrap_or_else(|| Error::state("a parameter is wrong")))
        }
    }
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
fn ids<T: Id>(
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
