//! The limit of any run: all rows in which the books after it differ from those before, written table by table
//! and without anything that decides. In files, prepared statements insert, update and delete them; in
//! PostgreSQL, `COPY` inserts those that are new, and the others are left out.

use crate::asking::connect;
use crate::failure::Failure;
use crate::place::Place;
use crate::report::Taken;
use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::collections::BTreeMap;
use std::pin::pin;
use tokio_postgres::Client;

/// How many rows are committed together: about as many as a batch of the engine writes.
const TOGETHER: usize = 10_000;

/// A statement and the parameters of all its executions.
type Step = (String, Vec<Vec<Value>>);

/// What a run wrote, to be written again as fast as the database can.
pub(crate) enum Difference {
    /// Statements of SQLite.
    Statements(Vec<Step>),
    /// Commands to copy, each with its rows.
    Copies(Vec<(String, Vec<Bytes>)>),
}

impl Difference {
    /// Compares books at two addresses. The second ones are thrown away.
    pub(crate) async fn of(place: &Place, before: &str, after: &str) -> Result<Difference, Failure> {
        Ok(match place.is_server() {
            true => Difference::Copies(new_rows(before, after).await?),
            false => Difference::Statements(changed_rows(before, after)?),
        })
    }

    /// Writes all of it; so many operations it was.
    pub(crate) async fn play(
        &self,
        place: &Place,
        address: &str,
        operations: usize,
    ) -> Result<Taken, Failure> {
        match self {
            Difference::Statements(steps) => execute(steps, place, address, operations),
            Difference::Copies(copies) => {
                let client = connect(address).await?;
                let meter = place.meter();
                for (sql, rows) in copies {
                    for part in rows.chunks(TOGETHER) {
                        let mut sink = pin!(client.copy_in::<_, Bytes>(sql).await?);
                        sink.send(Bytes::from(part.concat())).await?;
                        sink.finish().await?;
                    }
                }
                Ok(meter.taken(operations))
            }
        }
    }
}

fn execute(steps: &[Step], place: &Place, path: &str, operations: usize) -> Result<Taken, Failure> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "pragma synchronous = full; pragma wal_autocheckpoint = 10000; pragma foreign_keys = on;
         pragma journal_size_limit = 268435456; pragma cache_size = -65536; pragma mmap_size = 1099511627776;
         pragma temp_store = memory",
    )?;
    let meter = place.meter();
    let mut written = 0;
    connection.execute_batch("begin immediate")?;
    for (sql, sets) in steps {
        let mut statement = connection.prepare(sql)?;
        for set in sets {
            if statement.execute(params_from_iter(set))? != 1 {
                return Err(format!("one row was to be written: {sql}").into());
            }
            written += 1;
            if written % TOGETHER == 0 {
                connection.execute_batch("commit; begin immediate")?;
            }
        }
    }
    connection.execute_batch("commit")?;
    Ok(meter.taken(operations))
}

/// A table with its columns and those that name a row.
struct Table {
    name: String,
    columns: Vec<String>,
    key: Vec<String>,
}

impl Table {
    /// The condition that two rows are of the same name.
    fn same(&self, one: &str, other: &str) -> String {
        let pairs: Vec<String> =
            self.key.iter().map(|column| format!("{one}.{column} = {other}.{column}")).collect();
        pairs.join(" and ")
    }

    /// The condition that a row is the one of these parameters, from a number on.
    fn found(&self, from: usize) -> String {
        let pairs: Vec<String> =
            (from..).zip(&self.key).map(|(n, column)| format!("{column} = ?{n}")).collect();
        pairs.join(" and ")
    }
}

/// The tables in the order in which they were made, which is that of their references.
fn tables(connection: &Connection) -> Result<Vec<Table>, Failure> {
    let names = "select name from main.sqlite_master where type = 'table' and name not like 'sqlite_%'
         order by rowid";
    let mut names = connection.prepare(names)?;
    let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut tables = Vec::with_capacity(names.len());
    for name in names {
        let mut of = connection.prepare(&format!("pragma main.table_info({name})"))?;
        let columns: Vec<(String, i64)> =
            of.query_map([], |row| Ok((row.get(1)?, row.get(5)?)))?.collect::<Result<_, _>>()?;
        let mut key: Vec<&(String, i64)> = columns.iter().filter(|(_, at)| *at > 0).collect();
        key.sort_by_key(|(_, at)| *at);
        let key: Vec<String> = key.into_iter().map(|(column, _)| column.clone()).collect();
        if !key.is_empty() {
            tables.push(Table { name, columns: columns.into_iter().map(|(name, _)| name).collect(), key });
        }
    }
    Ok(tables)
}

/// What is inserted, then what is updated, then what is deleted.
fn changed_rows(before: &str, after: &str) -> Result<Vec<Step>, Failure> {
    let connection = Connection::open(after)?;
    connection.execute("attach ?1 as old", [before])?;
    let (mut inserts, mut updates, mut deletes) = (Vec::new(), Vec::new(), Vec::new());
    for table in tables(&connection)? {
        let Table { name, columns, .. } = &table;
        let (all, same) = (columns.join(", "), table.same("o", "t"));
        let marks: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
        let new = format!(
            "select {all} from main.{name} t where not exists (select 1 from old.{name} o where {same})"
        );
        let insert = format!("insert into {name} ({all}) values ({})", marks.join(", "));
        inserts.push((insert, read(&connection, &new)?));
        updates.extend(updated(&connection, &table)?);
        let key = table.key.join(", ");
        let gone = format!(
            "select {key} from old.{name} t where not exists (select 1 from main.{name} o where {same})"
        );
        let delete = format!("delete from {name} where {}", table.found(1));
        deletes.push((delete, read(&connection, &gone)?));
    }
    inserts.extend(updates);
    inserts.extend(deletes);
    Ok(inserts)
}

/// The updates of a table, each of the columns alone that have changed.
fn updated(connection: &Connection, table: &Table) -> Result<BTreeMap<String, Vec<Vec<Value>>>, Failure> {
    let Table { name, columns, key } = table;
    let list = |of: &str| {
        let all: Vec<String> = columns.iter().map(|column| format!("{of}.{column}")).collect();
        all.join(", ")
    };
    let differs: Vec<String> = columns.iter().map(|column| format!("t.{column} is not o.{column}")).collect();
    let sql = format!(
        "select {}, {} from main.{name} t join old.{name} o on {} where {}",
        list("t"),
        list("o"),
        table.same("o", "t"),
        differs.join(" or ")
    );
    let mut updates: BTreeMap<String, Vec<Vec<Value>>> = BTreeMap::new();
    for row in read(connection, &sql)? {
        let (new, old) = row.split_at(columns.len());
        let (mut set, mut values) = (Vec::new(), Vec::new());
        for (column, (new, old)) in columns.iter().zip(new.iter().zip(old)) {
            if new != old {
                values.push(new.clone());
                set.push(format!("{column} = ?{}", values.len()));
            }
        }
        let sql = format!("update {name} set {} where {}", set.join(", "), table.found(values.len() + 1));
        for wanted in key {
            let at = columns.iter().position(|column| column == wanted).ok_or("a key without a column")?;
            values.push(new[at].clone());
        }
        updates.entry(sql).or_default().push(values);
    }
    Ok(updates)
}

fn read(connection: &Connection, sql: &str) -> Result<Vec<Vec<Value>>, Failure> {
    let mut statement = connection.prepare(sql)?;
    let width = statement.column_count();
    let rows = statement.query_map([], |row| (0..width).map(|at| row.get(at)).collect())?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The tables of a database in the order in which they were made, with the columns that name a row.
const KEYS: &str = "select c.relname::text, array_agg(a.attname::text order by k.n)
     from pg_class c join pg_index i on i.indrelid = c.oid and i.indisprimary
     cross join lateral unnest(i.indkey) with ordinality as k (at, n)
     join pg_attribute a on a.attrelid = c.oid and a.attnum = k.at
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
     group by c.oid, c.relname order by c.oid";

/// What is inserted into each table.
async fn new_rows(before: &str, after: &str) -> Result<Vec<(String, Vec<Bytes>)>, Failure> {
    let (old, new) = (connect(before).await?, connect(after).await?);
    let mut copies = Vec::new();
    for row in new.query(KEYS, &[]).await? {
        let (table, key): (String, Vec<String>) = (row.get(0), row.get(1));
        let columns = key.join(", ");
        let same: Vec<String> = key.iter().map(|column| format!("o.{column} = t.{column}")).collect();
        let known = format!("known_{table}");
        new.batch_execute(&format!("create temp table {known} as select {columns} from {table} limit 0"))
            .await?;
        let names = copied(&old, &format!("copy (select {columns} from {table}) to stdout")).await?;
        let mut sink = pin!(new.copy_in::<_, Bytes>(&format!("copy {known} from stdin")).await?);
        sink.send(Bytes::from(names.concat())).await?;
        sink.finish().await?;
        new.batch_execute(&format!("create index on {known} ({columns}); analyze {known}")).await?;
        let rows = format!(
            "copy (select t.* from {table} t
               where not exists (select 1 from {known} o where {})) to stdout",
            same.join(" and ")
        );
        copies.push((format!("copy {table} from stdin"), copied(&new, &rows).await?));
    }
    Ok(copies)
}

async fn copied(client: &Client, sql: &str) -> Result<Vec<Bytes>, Failure> {
    Ok(client.copy_out(sql).await?.try_collect().await?)
}
