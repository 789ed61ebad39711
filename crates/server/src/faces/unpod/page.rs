//! Which page is wanted: `page` and `page_size`.

use super::error::Error;
use crate::query::Query;
use store::views::OffsetPage;

const SIZE: i64 = 20;
const SIZE_MAX: i64 = 100;

/// The page that is asked for; none for one before the first, which is empty. Of what is repeated the
/// last one counts, 0 means what nothing means, and more than 100 rows means 100.
///
/// # Errors
/// If a number is none.
pub(super) fn read(query: Option<&str>) -> Result<Option<OffsetPage>, Error> {
    let query = Query::parse(query);
    let page = number(&query, "page")?.unwrap_or(1);
    let size = number(&query, "page_size")?.unwrap_or(SIZE);
    if size < 0 {
        return Err(Error::invalid("page_size must be a whole number of at least 0."));
    }
    Ok((page > 0).then_some(OffsetPage { page, limit: size.min(SIZE_MAX) }))
}

fn number(query: &Query<'_>, name: &'static str) -> Result<Option<i64>, Error> {
    let Some(text) = query.last(name) else { return Ok(None) };
    match text.parse() {
        Ok(0) => Ok(None),
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(Error::invalid(format!("{name} must be a whole number."))),
    }
}
