//! What holds for all of the books: a few texts by name.

use crate::{Error, Snapshot, Tx};
use async_recursion::async_recursion as boxed;
use billing::sharding::ShardKey;

/// By what customers are spread over shards; by customer if nothing is said.
pub(crate) const SPREAD_BY: &str = "spread_by";

const ONE: &str = "select value from settings where name = $1";
const PUT: &str = "insert into settings (name, value) values ($1, $2)
     on conflict (name) do update set value = excluded.value";

/// The value of a setting.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn one(s: &mut Snapshot, name: &str) -> Result<Option<String>, Error> {
    s.row(ONE, &[name.into()], |row| Ok(row.text(0)?.to_owned())).await
}

/// By what customers are spread over shards.
pub(crate) async fn spread_by(s: &mut Snapshot) -> Result<ShardKey, Error> {
    parse_spread_by(one(s, SPREAD_BY).await?)
}

pub(crate) fn parse_spread_by(said: Option<String>) -> Result<ShardKey, Error> {
    let Some(word) = said else { return Ok(ShardKey::Customer) };
    ShardKey::parse(&word)
        .ok_or_else(|| Error::Corrupt(format!("customers are spread by {word}, which means nothing here")))
}

pub(crate) async fn put(tx: &mut Tx, name: &str, value: &str) -> Result<(), Error> {
    tx.execute(PUT, &[name.into(), value.into()]).await.map(|_| ())
}
