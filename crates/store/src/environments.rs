//! Reading environments and staff.

use crate::{Error, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::customer::Staff;
use billing::environment::Environment;

const ALL: &str = concat!("select ", environment_columns!("e"), " from environments e order by e.number");
const STAFF_LIST: &str =
    concat!("select ", staff_columns!("s"), " from staff s where s.environment = $1 order by s.id");

const ONE: &str = concat!("select ", environment_columns!("e"), " from environments e where e.number = $1");

/// An environment.
#[boxed]
pub async fn one(s: &mut Snapshot, number: i64) -> Result<Option<Environment>, Error> {
    s.row(ONE, &[number.into()], |row| row.record()).await
}

/// All environments.
#[boxed]
pub async fn all(s: &mut Snapshot) -> Result<Vec<Environment>, Error> {
    s.rows(ALL, &[], |row| row.record()).await
}

/// The number of the next environment. Two makers of environments at once meet in a conflict.
#[boxed]
pub async fn next_number(s: &mut Snapshot) -> Result<i64, Error> {
    let last = s.row("select coalesce(max(number), 0) from environments", &[], |row| row.int(0)).await?;
    Ok(last.unwrap_or(0) + 1)
}

/// The people of the seller in an environment.
#[boxed]
pub async fn staff_list(s: &mut Snapshot, environment: i64) -> Result<Vec<Staff>, Error> {
    s.rows(STAFF_LIST, &[environment.into()], |row| row.record()).await
}
