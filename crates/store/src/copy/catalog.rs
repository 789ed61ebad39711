//! What tables a database has, held against the plan of a copy.

use super::failure::Failure;
use super::plan::Table;
use crate::{Error, Store};
use std::collections::{BTreeMap, BTreeSet};

/// The table that stands in a target until its copy is finished, and says what is copied there.
const MARK: &str = "unfinished_copy";

/// Tables that are not books: the list of migrations, and what processes that share a database note for
/// each other.
const NOT_BOOKS: &[&str] =
    &["migrations", "migration_lease", "scope_versions", "connections", "shards", "nodes"];

const OF_SQLITE: &str = "select t.name, c.name from sqlite_schema t, pragma_table_info(t.name) c
     where t.type = 'table' and t.name not like 'sqlite_%'";

/// Partitions are left out: they are read and written by way of their tables. So is what an extension has.
const OF_POSTGRES: &str = "select cast(t.relname as text), cast(c.attname as text)
     from pg_catalog.pg_class t
     join pg_catalog.pg_namespace n on n.oid = t.relnamespace
     join pg_catalog.pg_attribute c on c.attrelid = t.oid
     where n.nspname = current_schema() and t.relkind in ('r', 'p') and not t.relispartition
       and c.attnum > 0 and not c.attisdropped
       and not exists (select 1 from pg_catalog.pg_depend d
                       where d.classid = cast('pg_catalog.pg_class' as regclass) and d.objid = t.oid
                         and d.deptype = 'e')";

/// What was found beside the books.
pub(super) struct Catalog {
    /// Whether it is the target of an unfinished copy.
    pub(super) has_mark: bool,
}

/// Finds in a database exactly the tables and columns of the plan.
pub(super) async fn check(store: &Store, tables: &[Table]) -> Result<Catalog, Failure> {
    let mut found = columns(store).await?;
    for name in NOT_BOOKS {
        found.remove(*name);
    }
    let has_mark = found.remove(MARK).is_some();
    for table in tables {
        let planned: BTreeSet<&str> = table.columns.iter().map(String::as_str).collect();
        let there = found.remove(&table.name).unwrap_or_default();
        if !planned.iter().copied().eq(there.iter().map(String::as_str)) {
            return Err(Failure::Schema(format!("{} has other columns", table.name)));
        }
    }
    match found.into_keys().next() {
        Some(name) => Err(Failure::Schema(format!("{name} is not a table of the books"))),
        None => Ok(Catalog { has_mark }),
    }
}

/// Whether a database is the target of an unfinished copy.
pub(super) async fn has_mark(store: &Store) -> Result<bool, Error> {
    Ok(columns(store).await?.contains_key(MARK))
}

async fn columns(store: &Store) -> Result<BTreeMap<String, BTreeSet<String>>, Error> {
    let sql = match store {
        Store::Sqlite(_) => OF_SQLITE,
        Store::Postgres(_) => OF_POSTGRES,
    };
    store
        .read(move |s| {
            Box::pin(async move {
                let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
                s.each(sql, &[], |row| {
                    found.entry(row.text(0)?.to_owned()).or_default().insert(row.text(1)?.to_owned());
                    Ok(())
                })
                .await?;
                Ok(found)
            })
        })
        .await
}
