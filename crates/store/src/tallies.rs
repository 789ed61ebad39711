//! How many rows there are of each kind, counted by those who write them.

use crate::{Error, Snapshot};
use async_recursion::async_recursion as boxed;

/// How many rows of a kind an environment has.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn tally(snapshot: &mut Snapshot, environment: i64, kind: &str) -> Result<i64, Error> {
    const SQL: &str = "select n from tallies where environment = $1 and kind = $2";
    let n = snapshot.row(SQL, &[environment.into(), kind.into()], |row| row.int(0)).await?;
    Ok(n.unwrap_or(0))
}
