//! Pages of lists: `{data, currentCursor, nextCursor, hasMore, total}`, oldest first.
//!
//! A cursor is the id of the last row that was seen, so that it never skips or repeats a row however
//! the list grows meanwhile.

use super::error::Error;
use super::spell::{self, Spelled};
use crate::json::{Object, object};
use crate::query::Query;
use engine::Of;
use store::pages::{CursorPage, Page};

const LIMIT: i64 = 10;
const LIMIT_MAX: i64 = 100;

/// What page is asked for.
pub(super) struct ListQuery {
    pub(super) window: CursorPage,
    cursor: Option<String>,
}

impl ListQuery {
    /// Reads `limit` and `cursor` of a list of rows with this kind of id.
    ///
    /// # Errors
    /// If they cannot be.
    pub(super) fn of<T: Spelled>(query: &Query<'_>) -> Result<Self, Error> {
        let limit = match only(query, "limit")? {
            None => LIMIT,
            Some(text) => text
                .parse::<i64>()
                .ok()
                .filter(|limit| (1..=LIMIT_MAX).contains(limit) && !text.starts_with('+'))
                .ok_or_else(|| Error::must_be("limit", format!("a whole number from 1 to {LIMIT_MAX}")))?,
        };
        let cursor = only(query, "cursor")?;
        let after = match cursor {
            None => None,
            Some(text) => Some(
                spell::parse::<T>(text)
                    .ok_or_else(|| Error::must_be("cursor", "the nextCursor of a page of this list"))?
                    .raw(),
            ),
        };
        Ok(Self { window: CursorPage { after, limit }, cursor: cursor.map(str::to_owned) })
    }
}

/// The only value of a parameter; an empty one is none.
pub(super) fn only<'q>(query: &'q Query<'_>, name: &'static str) -> Result<Option<&'q str>, Error> {
    match query.only(name) {
        Ok(Some(value)) if value.contains('\0') => Err(Error::must_be(name, "a text without NUL characters")),
        Ok(value) => Ok(value.filter(|value| !value.is_empty())),
        Err(_) => Err(Error::must_be(name, "given only once")),
    }
}

/// The id that a parameter gives.
pub(super) fn id<T: Spelled>(query: &Query<'_>, name: &'static str) -> Result<Option<T>, Error> {
    match only(query, name)? {
        None => Ok(None),
        Some(text) => spell::parse(text)
            .map(Some)
            .ok_or_else(|| Error::must_be(name, format!("the id of a {}: {}_…", T::NAME, T::PREFIX))),
    }
}

/// Whose rows are asked for: one customer's with `customerId` or `customerExternalId`.
pub(super) fn customer(query: &Query<'_>) -> Result<Of, Error> {
    let given = id(query, "customerId")?;
    let external_id = only(query, "customerExternalId")?;
    if given.is_some() && external_id.is_some() {
        return Err(Error::must_be("customerExternalId", "left out where customerId is given"));
    }
    if let Some(id) = given {
        return Ok(Of::Customer(id));
    }
    Ok(external_id.map_or(Of::All, |external_id| Of::CustomerOf(external_id.to_owned())))
}

/// The state that is asked for with `status`, where the list is short enough to look through.
pub(super) fn state(
    query: &Query<'_>,
    of: &Of,
    states: &[&'static str],
) -> Result<Option<&'static str>, Error> {
    let Some(word) = only(query, "status")? else { return Ok(None) };
    let Some(state) = states.iter().find(|state| **state == word) else {
        return Err(Error::must_be("status", format!("one of {}", states.join(", "))));
    };
    if *of == Of::All {
        return Err(Error::must_be("status", "given together with customerId or subscriptionId"));
    }
    Ok(Some(state))
}

/// A page as JSON; `id` is the id of a row and `show` writes one.
pub(super) fn envelope<R, T: Spelled>(
    asked: &ListQuery,
    page: &Page<R>,
    id: impl Fn(&R) -> T,
    show: impl Fn(&mut Object<'_>, &R),
) -> String {
    let next = page.rows.last().filter(|_| page.has_more).map(|row| spell::text(id(row)));
    object(|o| {
        o.array("data", |list| {
            for row in &page.rows {
                list.object(|o| show(o, row));
            }
        });
        if let Some(cursor) = &asked.cursor {
            o.put("currentCursor", cursor);
        }
        if let Some(next) = next {
            o.put("nextCursor", next);
        }
        o.put("hasMore", page.has_more).put("total", page.total);
    })
}
