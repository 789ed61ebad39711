//! Rows of any table on their way from one database into another.

use super::plan::Table;
use crate::snapshot::Writer;
use crate::value::{OwnedParam, Param, Value};
use crate::{Error, Row, Scope, Store, Tx};
use std::sync::Arc;

/// Rows of one table in the order of its key, value after value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    values: Vec<OwnedParam>,
}

/// The rows after a key, or the first ones; fewer than a batch if there are no more.
pub(super) async fn read(
    store: &Store,
    table: &'static Table,
    after: Option<Vec<OwnedParam>>,
) -> Result<Batch, Error> {
    store
        .read(move |s| {
            s.dedicated();
            Box::pin(async move {
                let sql = if after.is_some() { &table.read_after } else { &table.read_first };
                let key: Vec<Param<'_>> = after.iter().flatten().map(OwnedParam::param).collect();
                let mut values = Vec::new();
                s.each(sql, &key, |row| push(row, table.columns.len(), &mut values)).await?;
                Ok(Batch { values })
            })
        })
        .await
}

/// The greatest key of a table, if it has rows.
pub(super) async fn last(store: &Store, table: &'static Table) -> Result<Option<Vec<OwnedParam>>, Error> {
    store
        .read(move |s| {
            s.dedicated();
            Box::pin(async move {
                let of = |row: &Row<'_>| {
                    let mut key = Vec::with_capacity(table.key.len());
                    push(row, table.key.len(), &mut key)?;
                    Ok(key)
                };
                s.row(&table.last, &[], of).await
            })
        })
        .await
}

/// How many rows a table has.
pub(super) async fn count(store: &Store, table: &'static Table) -> Result<u64, Error> {
    let counted = store.read(move |s| {
        s.dedicated();
        Box::pin(s.row(&table.count, &[], |row| row.int(0)))
    });
    let count = counted.await?;
    Ok(count.and_then(|count: i64| u64::try_from(count).ok()).unwrap_or(0))
}

/// Inserts rows, all of them or none.
pub(super) async fn write(store: &Store, table: &'static Table, batch: Arc<Batch>) -> Result<(), Error> {
    store
        .write(move |tx| {
            let batch = Arc::clone(&batch);
            Box::pin(async move {
                let values: Vec<Param<'_>> = batch.values.iter().map(OwnedParam::param).collect();
                insert(tx, &table.insert, table.columns.len(), &values).await?;
                tx.touch(Scope::Everything);
                Ok(())
            })
        })
        .await
}

async fn insert(tx: &mut Tx, sql: &'static str, width: usize, values: &[Param<'_>]) -> Result<(), Error> {
    match tx.writer() {
        Writer::Sqlite(session) => values.chunks_exact(width).try_for_each(|row| {
            session.execute(sql, row)?;
            Ok(())
        }),
        Writer::Postgres(session) => session.send_rows(sql, width, values).await,
    }
}

/// Values as both databases can take them: a boolean is 0 or 1, and 16 bytes are an id.
fn push(row: &Row<'_>, width: usize, values: &mut Vec<OwnedParam>) -> Result<(), Error> {
    for column in 0..width {
        values.push(match row.value(column)? {
            Value::Null => OwnedParam::Null,
            Value::Bool(value) => OwnedParam::Int(value.into()),
            Value::Int(value) => OwnedParam::Int(value),
            Value::Text(value) => OwnedParam::Text(value.into()),
            Value::Id(value) => OwnedParam::Id(value),
            Value::Bytes(value) => match value.try_into() {
                Ok(id) => OwnedParam::Id(u128::from_be_bytes(id)),
                Err(_) => OwnedParam::Bytes(value.into()),
            },
            Value::Real => return Err(Error::Corrupt(format!("column {column} is a float"))),
        });
    }
    Ok(())
}

impl Batch {
    /// How many rows of the table it has.
    pub(super) fn count(&self, table: &Table) -> usize {
        self.values.len() / table.columns.len()
    }

    /// The key of its last row.
    pub(super) fn last_key(&self, table: &Table) -> Option<Vec<OwnedParam>> {
        let row = self.values.rchunks_exact(table.columns.len()).next()?;
        Some(table.key.iter().map(|place| row[*place].clone()).collect())
    }

    /// Adds its integers to the sums of their columns.
    pub(super) fn add_to(&self, sums: &mut [i128]) {
        for row in self.values.chunks_exact(sums.len()) {
            for (sum, value) in sums.iter_mut().zip(row) {
                if let OwnedParam::Int(value) = value {
                    *sum += i128::from(*value);
                }
            }
        }
    }
}
