//! Which page is wanted: `page` and `limit` (or `page_limit`), in the query or in a JSON body.

use super::error::Error;
use crate::query::Query;
use serde_json::{Map, Value};
use store::views::OffsetPage;

const LIMIT: i64 = 10;
const LIMIT_MAX: i64 = 100;

/// Reads the page that is asked for. What the body says goes before the query.
///
/// # Errors
/// If the body is not a JSON object, or a number is out of range or none.
pub(super) fn read(query: Option<&str>, body: &[u8]) -> Result<OffsetPage, Error> {
    let query = Query::parse(query);
    let body = object(body)?;
    let find = |names: &[&'static str]| {
        let in_body = names.iter().find_map(|name| Some((*name, text(body.get(*name)?))));
        let in_query = || names.iter().find_map(|name| Some((*name, query.last(name)?.to_owned())));
        in_body.or_else(in_query)
    };
    let page = number(find(&["page"]), 1, i64::MAX)?.unwrap_or(1);
    let limit = number(find(&["limit", "page_limit"]), 1, LIMIT_MAX)?.unwrap_or(LIMIT);
    Ok(OffsetPage { page, limit })
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Error> {
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Error::invalid("The body must be a JSON object or empty")),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn number(given: Option<(&'static str, String)>, min: i64, max: i64) -> Result<Option<i64>, Error> {
    let Some((name, text)) = given else { return Ok(None) };
    match text.parse() {
        Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
        _ if max == i64::MAX => {
            Err(Error::invalid(format!("{name} must be a whole number of at least {min}")))
        }
        _ => Err(Error::invalid(format!("{name} must be a whole number from {min} to {max}"))),
    }
}
