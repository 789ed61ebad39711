//! What the planner is told of the tables, so that its plans are the same for young books and old.
//!
//! Without it, SQLite takes any first column of a key for a good one, and would read all rows of a
//! shard to get those of a customer in order. Figures that were gathered from the rows would make
//! plans depend on when they were gathered.

use crate::Error;
use rusqlite::{Connection, TransactionBehavior, params};
use std::collections::BTreeMap;

/// How many rows a table is said to have.
const ROWS: u64 = 1_000_000;

/// How many rows the index of a condition is said to have: conditions pick out what is to be done.
const ROWS_PICKED: u64 = 1_000;

type Figures = BTreeMap<(String, String), String>;

/// Tells the planner, if it has not been told the same.
pub(super) fn tell(connection: &mut Connection) -> Result<(), Error> {
    let wanted = wanted(connection)?;
    if wanted.is_empty() || told(connection)? == wanted {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Makes the table of figures; the only table that it looks at is a short one.
    tx.execute_batch("analyze migrations; delete from sqlite_stat1")?;
    for ((table, index), figures) in &wanted {
        tx.execute(
            "insert into sqlite_stat1 (tbl, idx, stat) values (?1, ?2, ?3)",
            params![table, index, figures],
        )?;
    }
    tx.commit()?;
    // Reads them.
    Ok(connection.execute_batch("analyze sqlite_schema")?)
}

/// What it was told.
fn told(connection: &Connection) -> Result<Figures, Error> {
    let is_there = "select exists (select 1 from sqlite_schema where name = 'sqlite_stat1')";
    if !connection.query_row(is_there, [], |row| row.get(0))? {
        return Ok(Figures::new());
    }
    let mut statement = connection.prepare("select tbl, idx, stat from sqlite_stat1")?;
    let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// For each index how many rows the table has, and how many share the first column, the first two, …
fn wanted(connection: &Connection) -> Result<Figures, Error> {
    let mut statement = connection.prepare(
        "select t.name, i.name, i.origin = 'pk', i.partial, c.name
         from sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c
         where t.type = 'table' and t.name not like 'sqlite_%' and t.name <> 'migrations'
         order by t.name, i.name, c.seqno",
    )?;
    let mut rows = statement.query([])?;
    let mut found: BTreeMap<(String, String), (u64, Vec<u64>)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (table, index, column): (String, String, Option<String>) =
            (row.get(0)?, row.get(1)?, row.get(4)?);
        // The key of a table without rowids is the table, and goes by its name.
        let name = if row.get(2)? { table.clone() } else { index };
        let all = if row.get(3)? { ROWS_PICKED } else { ROWS };
        let (_, sharing) = found.entry((table, name)).or_insert((all, Vec::new()));
        let before = sharing.last().copied().unwrap_or(all);
        sharing.push(before.min(rows_per(column.as_deref().unwrap_or_default())));
    }
    Ok(found
        .into_iter()
        .map(|(key, (all, sharing))| {
            let figures: Vec<String> = std::iter::once(all).chain(sharing).map(|n| n.to_string()).collect();
            (key, figures.join(" "))
        })
        .collect())
}

/// How many rows are said to share a value of a column.
fn rows_per(column: &str) -> u64 {
    match column {
        "shard" | "environment" | "kind" | "ranking" | "list" | "level" => ROWS,
        "customer_id" => 50,
        "id" | "number" | "ordinal" | "name" | "hash" | "key" => 1,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::{SQLITE, migrate};

    fn plan(connection: &Connection, sql: &str) -> String {
        let mut statement = connection.prepare(&format!("explain query plan {sql}")).unwrap();
        let lines = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_belongs_to_a_customer_is_found_by_an_index_even_where_an_order_is_asked_for() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, SQLITE).unwrap();
        tell(&mut connection).unwrap();
        for table in ["payment_methods", "subscriptions", "purchases"] {
            let sql =
                format!("select * from {table} where shard = 0 and customer_id = x'01' order by id limit 9");
            let plan = plan(&connection, &sql);
            assert!(plan.contains("(shard=? AND customer_id=?)"), "{table}: {plan}");
        }
        let open =
            "select * from invoices where shard = 0 and customer_id = x'01' and status = 'open' order by id";
        assert!(plan(&connection, open).contains("invoices_open"), "{}", plan(&connection, open));
        let waiting = "select * from payments where environment = 1 and shard = 0 and status = 'processing' order by id";
        assert!(plan(&connection, waiting).contains("payments_processing"), "{}", plan(&connection, waiting));
    }

    #[test]
    fn it_is_told_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, SQLITE).unwrap();
        tell(&mut connection).unwrap();
        assert_eq!(told(&connection).unwrap(), wanted(&connection).unwrap());
        let changes = connection.total_changes();
        tell(&mut connection).unwrap();
        assert_eq!(connection.total_changes(), changes);
    }
}
