//! Numbered changes of the schema, applied in order.

use crate::Error;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its place in the order, from 1.
    pub number: u32,
    /// What it is about, as in its file name.
    pub name: &'static str,
    pub(crate) sql: &'static str,
}

macro_rules! migrations {
    ($($number:literal $digits:literal $name:literal),* $(,)?) => {
        /// The whole schema on SQLite. A migration that was published is never edited: add another.
        pub(crate) const SQLITE: &[Migration] = migrations![in "sqlite": $($number $digits $name),*];
        /// The whole schema on PostgreSQL: the same numbers and names.
        pub(crate) const POSTGRES: &[Migration] = migrations![in "postgres": $($number $digits $name),*];
    };
    (in $folder:literal: $($number:literal $digits:literal $name:literal),*) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../../../migrations/", $folder, "/", $digits, "_", $name, ".sql")),
        }),*]
    };
}

migrations![
    1 "0001" "books",
    2 "0002" "counted_lists",
    3 "0003" "credentials",
    4 "0004" "processes",
    5 "0005" "settings",
    6 "0006" "watchers",
];

/// The migrations that the database still lacks, oldest first.
pub(crate) fn pending<'m>(connection: &Connection, known: &'m [Migration]) -> Result<&'m [Migration], Error> {
    lacking(&applied(connection)?, known)
}

/// What is known and was not applied, oldest first.
pub(crate) fn lacking<'m>(
    applied: &[(u32, String)],
    known: &'m [Migration],
) -> Result<&'m [Migration], Error> {
    if let Some((found, _)) = applied.get(known.len()) {
        let known = known.last().map_or(0, |migration| migration.number);
        return Err(Error::NewerSchema { found: *found, known });
    }
    for ((number, name), migration) in applied.iter().zip(known) {
        if *number != migration.number || name != migration.name {
            let expected = format!("{:04}_{}", migration.number, migration.name);
            return Err(Error::Corrupt(format!(
                "migration {number:04}_{name} stands where {expected} should"
            )));
        }
    }
    Ok(&known[applied.len()..])
}

/// Brings the schema up to date, each migration in a transaction of its own.
pub(crate) fn migrate(connection: &mut Connection, known: &[Migration]) -> Result<(), Error> {
    for migration in pending(connection, known)? {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another starter may have applied it while this one waited for the lock.
        if pending(&tx, known)?.first().map(|next| next.number) != Some(migration.number) {
            continue;
        }
        tx.execute_batch(
            "create table if not exists migrations (number bigint primary key, name text not null)",
        )?;
        tx.execute_batch(migration.sql)?;
        tx.execute(
            "insert into migrations (number, name) values (?1, ?2)",
            params![migration.number, migration.name],
        )?;
        tx.commit()?;
        tracing::info!(number = migration.number, name = migration.name, "migrated");
    }
    Ok(())
}

fn applied(connection: &Connection) -> Result<Vec<(u32, String)>, Error> {
    let any: Option<String> = connection
        .query_row("select name from sqlite_schema order by name = 'migrations' desc limit 1", [], |row| {
            row.get(0)
        })
        .optional()?;
    match any.as_deref() {
        None => Ok(Vec::new()),
        Some("migrations") => {
            let mut statement = connection.prepare("select number, name from migrations order by number")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        }
        Some(_) => Err(Error::Corrupt("this is a database of another program".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Migration = Migration { number: 1, name: "first", sql: "create table t (a bigint)" };
    const SECOND: Migration =
        Migration { number: 2, name: "second", sql: "insert into t values (7); alter table t add b text" };
    const BROKEN: Migration =
        Migration { number: 3, name: "broken", sql: "create table kept (a bigint); create nonsense" };

    fn numbers(connection: &Connection, known: &[Migration]) -> Vec<u32> {
        pending(connection, known).unwrap().iter().map(|migration| migration.number).collect()
    }

    fn tables(connection: &Connection) -> i64 {
        connection
            .query_row("select count(*) from sqlite_schema where type = 'table'", [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn migrations_run_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(numbers(&connection, &[FIRST, SECOND]), [1, 2]);
        migrate(&mut connection, &[FIRST]).unwrap();
        assert_eq!(numbers(&connection, &[FIRST, SECOND]), [2]);
        migrate(&mut connection, &[FIRST, SECOND]).unwrap();
        migrate(&mut connection, &[FIRST, SECOND]).unwrap();
        assert_eq!(numbers(&connection, &[FIRST, SECOND]), [0; 0]);
        let rows: i64 = connection.query_row("select count(b is null) from t", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn a_failing_migration_leaves_nothing_behind() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert!(matches!(migrate(&mut connection, &[FIRST, SECOND, BROKEN]), Err(Error::Database(_))));
        assert_eq!(numbers(&connection, &[FIRST, SECOND, BROKEN]), [3]);
        assert_eq!(tables(&connection), 2);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST, SECOND]).unwrap();
        let refused = migrate(&mut connection, &[FIRST]).unwrap_err();
        assert_eq!(refused, Error::NewerSchema { found: 2, known: 1 });
        assert_eq!(
            refused.to_string(),
            "the books have schema 2, this program knows up to 1: run a newer version"
        );
    }

    #[test]
    fn another_history_or_program_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST]).unwrap();
        let other = Migration { name: "other", ..FIRST };
        assert!(matches!(migrate(&mut connection, &[other, SECOND]), Err(Error::Corrupt(_))));
        let mut foreign = Connection::open_in_memory().unwrap();
        foreign.execute_batch("create table wines (name text)").unwrap();
        assert!(matches!(migrate(&mut foreign, &[FIRST]), Err(Error::Corrupt(_))));
        assert_eq!(tables(&foreign), 1);
    }

    #[test]
    fn published_migrations_ascend_and_apply() {
        assert!(SQLITE.is_sorted_by(|a, b| a.number < b.number));
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, SQLITE).unwrap();
        assert_eq!(numbers(&connection, SQLITE), [0; 0]);
    }
}
