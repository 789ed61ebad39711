//! The tables of the books in the order of their references, with the statements that copy them. They
//! are read out of the schema itself, so that none can be forgotten.

use crate::{Error, migrate};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// How many rows are copied at a time.
pub(super) const BATCH: usize = 500;

/// A table and the statements about it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// Where the columns of the primary key stand among all columns, in the order of the key.
    pub(super) key: Vec<usize>,
    /// Answers the first rows by key.
    pub(super) read_first: String,
    /// Answers the rows after a key.
    pub(super) read_after: String,
    /// Answers the greatest key.
    pub(super) last: String,
    /// Answers how many rows there are.
    pub(super) count: String,
    /// Writes a row.
    pub(super) insert: String,
}

/// All tables of the books.
pub(super) fn tables() -> Result<&'static [Table], Error> {
    static TABLES: OnceLock<Result<Vec<Table>, Error>> = OnceLock::new();
    TABLES.get_or_init(derive).as_ref().map(Vec::as_slice).map_err(Clone::clone)
}

fn derive() -> Result<Vec<Table>, Error> {
    let schema = Connection::open_in_memory()?;
    for migration in migrate::SQLITE {
        schema.execute_batch(migration.sql)?;
    }
    let names = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'";
    let mut left = Vec::new();
    for name in texts(&schema, names, [])? {
        let to = texts(&schema, "select \"table\" from pragma_foreign_key_list(?1)", [&name])?;
        left.push((Table::of(&schema, name)?, BTreeSet::from_iter(to)));
    }
    ordered(left)
}

/// Each table after those that it refers to.
fn ordered(mut left: Vec<(Table, BTreeSet<String>)>) -> Result<Vec<Table>, Error> {
    let mut tables: Vec<Table> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_next =
            |to: &BTreeSet<String>| to.iter().all(|name| tables.iter().any(|table| table.name == *name));
        let Some(next) = left.iter().position(|(_, to)| is_next(to)) else {
            return Err(Error::Misuse("tables that refer to each other have no order".to_owned()));
        };
        tables.push(left.remove(next).0);
    }
    Ok(tables)
}

impl Table {
    fn of(schema: &Connection, name: String) -> Result<Table, Error> {
        let columns = texts(schema, "select name from pragma_table_info(?1) order by cid", [&name])?;
        let key = texts(schema, "select name from pragma_table_info(?1) where pk > 0 order by pk", [&name])?;
        if key.is_empty() {
            return Err(Error::Misuse(format!("{name} has no key")));
        }
        let places = key.iter().filter_map(|part| columns.iter().position(|column| column == part));
        let (all, by) = (columns.join(", "), key.join(", "));
        let wanted = |n: usize| (1..=n).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
        let backwards = key.iter().map(|part| format!("{part} desc")).collect::<Vec<_>>().join(", ");
        Ok(Table {
            read_first: format!("select {all} from {name} order by {by} limit {BATCH}"),
            read_after: format!(
                "select {all} from {name} where ({by}) > ({}) order by {by} limit {BATCH}",
                wanted(key.len())
            ),
            last: format!("select {by} from {name} order by {backwards} limit 1"),
            count: format!("select count(*) from {name}"),
            insert: format!("insert into {name} ({all}) values ({})", wanted(columns.len())),
            key: places.collect(),
            columns,
            name,
        })
    }
}

fn texts<P: rusqlite::Params>(schema: &Connection, sql: &str, params: P) -> Result<Vec<String>, Error> {
    let mut statement = schema.prepare(sql)?;
    let found = statement.query_map(params, |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> &'static Table {
        tables().unwrap().iter().find(|table| table.name == name).unwrap()
    }

    #[test]
    fn a_table_comes_after_those_that_it_refers_to() {
        let place = |name| tables().unwrap().iter().position(|table| table.name == name).unwrap();
        for (table, to) in [
            ("environments", "organizations"),
            ("customers", "environments"),
            ("subscriptions", "customers"),
            ("periods", "invoices"),
            ("refunds", "payments"),
            ("postings", "journal_entries"),
        ] {
            assert!(place(table) > place(to), "{table} before {to}");
        }
    }

    #[test]
    fn statements_go_by_the_key() {
        let lists = table("items");
        assert_eq!(lists.key, [0, 1, 2]);
        assert!(lists.read_after.ends_with(
            "where (shard, subscription_id, id) > ($1, $2, $3) order by shard, subscription_id, id limit 500"
        ));
        assert!(lists.last.ends_with("order by shard desc, subscription_id desc, id desc limit 1"));
        assert_eq!(
            table("roles").insert,
            "insert into roles (environment, name, permissions) values ($1, $2, $3)"
        );
    }

    #[test]
    fn tables_in_a_circle_have_no_order() {
        let schema = Connection::open_in_memory().unwrap();
        schema
            .execute_batch("create table a (id bigint primary key); create table b (id bigint primary key)")
            .unwrap();
        let of = |name: &str, to: &str| {
            (Table::of(&schema, name.to_owned()).unwrap(), BTreeSet::from([to.to_owned()]))
        };
        assert!(matches!(ordered(vec![of("a", "b"), of("b", "a")]), Err(Error::Misuse(_))));
        assert!(matches!(ordered(vec![of("a", "a")]), Err(Error::Misuse(_))));
    }
}
