//! Reading what customers bought once.

use crate::{Error, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::id::{CustomerId, Id, PurchaseId};
use billing::purchase::Purchase;

const ONE: &str =
    concat!("select ", purchase_columns!("p"), " from purchases p where p.shard = $1 and p.id = $2");

/// A purchase of an environment.
#[boxed]
pub async fn one(s: &mut Snapshot, environment: i64, id: PurchaseId) -> Result<Option<Purchase>, Error> {
    let found: Option<Purchase> =
        s.row(ONE, &[id.shard().into(), id.raw().into()], |row| row.record()).await?;
    Ok(found.filter(|purchase| purchase.environment == environment))
}

/// What [`of_customer`] asks for, by shard and id.
pub(crate) const OF_CUSTOMER: &str = concat!(
    "select ",
    purchase_columns!("t"),
    " from purchases t where t.shard = $1 and t.customer_id = $2 order by t.id"
);

/// All purchases of a customer, the oldest first.
pub(crate) async fn of_customer(
    snapshot: &mut Snapshot,
    customer: CustomerId,
) -> Result<Vec<Purchase>, Error> {
    let key = [customer.shard().into(), customer.raw().into()];
    snapshot.rows(OF_CUSTOMER, &key, |row| row.record()).await
}
