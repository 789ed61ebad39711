//! Reading discounts.

use crate::{Error, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::catalog::Discount;
use billing::id::{DiscountId, Id};

const ONE: &str = concat!("select ", discount_columns!("d"), " from discounts d where d.id = $1");

/// A discount of an environment.
#[boxed]
pub async fn one(s: &mut Snapshot, environment: i64, id: DiscountId) -> Result<Option<Discount>, Error> {
    let found: Option<Discount> = s.row(ONE, &[id.raw().into()], |row| row.record()).await?;
    Ok(found.filter(|discount| discount.environment == environment))
}

const BY_CODE: &str =
    concat!("select ", discount_columns!("d"), " from discounts d where d.environment = $1 and d.code = $2");

/// The discount of a code.
#[boxed]
pub async fn by_code(s: &mut Snapshot, environment: i64, code: &str) -> Result<Option<Discount>, Error> {
    s.row(BY_CODE, &[environment.into(), code.into()], |row| row.record()).await
}
