//! Customers: their versions, and the names by which they are found.

use crate::numbers::Numbers;
use crate::{Error, Param, Tx};
use billing::changes::Row;
use billing::customer::Customer;
use billing::id::Id;

const FIRST_VERSION: &str = "insert into customer_versions (shard, customer_id, version) values ($1, $2, 1)";
const INSERT_NAME: &str =
    "insert into customer_names (environment, kind, name, customer_id) values ($1, $2, $3, $4)";
const DELETE_NAME: &str =
    "delete from customer_names where environment = $1 and kind = $2 and name = $3 and customer_id = $4";

/// Writes new customers; one that brings no base for the numbers of its invoices is given one.
pub(super) async fn insert(tx: &mut Tx, rows: &[&Row], numbers: &mut Numbers) -> Result<(), Error> {
    for row in rows {
        let Row::Customer(row) = row else { continue };
        let mut row = Customer::clone(row);
        let place = numbers.next(row.environment, "customers")?;
        if row.invoice_number_base.is_empty() {
            row.invoice_number_base = crate::customers::invoice_number_base(place);
        }
        super::rows::insert(tx, &[&row], numbers).await?;
        tx.send(FIRST_VERSION, [row.id.shard().into(), row.id.raw().into()]).await?;
        name(tx, &row, "external_id", None, Some(&row.external_id)).await?;
        name(tx, &row, "handle", None, row.handle.as_deref()).await?;
    }
    Ok(())
}

/// Moves the names of a customer.
pub(super) async fn rename(tx: &mut Tx, before: &Customer, after: &Customer) -> Result<(), Error> {
    name(tx, after, "external_id", Some(&before.external_id), Some(&after.external_id)).await?;
    name(tx, after, "handle", before.handle.as_deref(), after.handle.as_deref()).await
}

/// Moves a name of a customer. A name that another customer has is a conflict.
async fn name(
    tx: &mut Tx,
    customer: &Customer,
    kind: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> Result<(), Error> {
    if before == after {
        return Ok(());
    }
    for (sql, name) in [(DELETE_NAME, before), (INSERT_NAME, after)] {
        if let Some(name) = name {
            let params =
                [customer.environment.into(), kind.into(), name.into(), Param::Id(customer.id.raw())];
            tx.send(sql, params).await?;
        }
    }
    Ok(())
}
