//! Rows of one table, written as it is declared.

use crate::numbers::Numbers;
use crate::records::{Record, record};
use crate::value::Sets;
use crate::{Error, Tx};
use billing::changes::Row;

/// Rows as their tables take them.
pub(super) fn records<'r>(rows: &[&'r Row]) -> Vec<&'r dyn Record> {
    rows.iter().map(|row| record(row)).collect()
}

/// Takes rows of one table away.
pub(super) async fn delete(tx: &mut Tx, rows: &[&dyn Record]) -> Result<(), Error> {
    let Some(table) = rows.first().map(|first| first.table()) else { return Ok(()) };
    let mut sets = Sets::new(table.key_width, rows.len());
    rows.iter().for_each(|row| row.write_key(sets.params()));
    tx.send_sets(table.delete, sets).await
}

/// Writes new rows of one table as it is declared, with the numbers that this commit gives.
pub(super) async fn insert(tx: &mut Tx, rows: &[&dyn Record], numbers: &mut Numbers) -> Result<(), Error> {
    let Some(table) = rows.first().map(|first| first.table()) else { return Ok(()) };
    let mut sets = Sets::new(table.width, rows.len());
    for row in rows {
        let first = sets.params().len();
        row.write(sets.params());
        if let (Some(at), Some(environment)) = (table.number, row.environment()) {
            sets.params()[first + at] = numbers.next(environment, table.name)?.into();
        }
    }
    tx.send_sets(table.insert, sets).await
}
