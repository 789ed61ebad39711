//! Books for tests, on the database that `QUITTANCE_TEST_DATABASE` names: a SQLite file unless it says
//! `postgres` (a private server is started, which ends with the process) or `postgres://…` (a server
//! that somebody else ends). Tests that need PostgreSQL whatever that says use a server that
//! `QUITTANCE_TEST_SERVER` names, or a private one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test whose books cannot be made has failed")]

mod certificates;
mod cluster;
mod databases;
mod goods;
mod keeper;
mod pooler;
mod programs;
mod server;
mod statements;
mod variables;
mod waits;
mod wire;

pub use certificates::Certificates;
pub use cluster::{Cluster, Timing};
pub use databases::{Held, Tables};
pub use goods::{card, price_each};
pub use pooler::Pooler;
pub use server::{Missing, Server};
pub use statements::{
    ELSEWHERE_VARIABLE as STATEMENTS_ELSEWHERE_VARIABLE, OVER_ARRAYS, VARIABLE as STATEMENTS_VARIABLE,
    as_written, seen, seen_elsewhere,
};
pub use variables::{
    PARTITIONS_VARIABLE, POOLER_VARIABLE, SERVER_VARIABLE, SHARDS_VARIABLE, VARIABLE, is_postgres,
};
pub use waits::until;
pub use wire::{Cut, Wire};

use std::path::Path;
use std::sync::Arc;
use store::{Options, Store, Synchronous};
use tempfile::TempDir;
use variables::shards;

/// The rows that a server's database gives to a question whose columns are texts.
pub async fn ask(address: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    databases::texts(address, sql).await
}

/// Whether an address is one of a server, and not a file's.
pub fn is_url(address: &str) -> bool {
    store::is_url(address)
}

/// A place for books of their own; it goes with the last clone.
#[derive(Clone)]
pub struct Books {
    address: String,
    folder: Arc<TempDir>,
    database: Option<Arc<databases::Database>>,
}

impl Books {
    /// A place for new books, on the database of the tests.
    pub async fn new() -> Books {
        statements::note();
        if is_postgres() { Books::postgres().await } else { Books::sqlite() }
    }

    /// A place for new books in a file.
    pub fn sqlite() -> Books {
        let folder = tempfile::tempdir().unwrap();
        let address = folder.path().join("books.db").to_str().unwrap().to_owned();
        Books { address, folder: Arc::new(folder), database: None }
    }

    /// A place for new books in PostgreSQL, with the schema already made.
    pub async fn postgres() -> Books {
        let database = databases::Database::from_template().await;
        if let Some(shards) = shards() {
            let store = Store::connect(&database.address, Options::default()).await.unwrap();
            store.spread(billing::sharding::ShardPlacement::over(shards)).await.unwrap();
            store.close().await.unwrap();
        }
        Books::of(database)
    }

    fn of(database: databases::Database) -> Books {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Books { address: database.address.clone(), folder, database: Some(Arc::new(database)) }
    }

    /// A place for new books in PostgreSQL whose customers' tables are cut into so many partitions.
    pub async fn partitioned(partitions: u32) -> Books {
        let books = Books::empty().await;
        Store::make_partitioned(books.direct(), partitions).await.unwrap();
        books
    }

    /// How PostgreSQL would execute a statement whatever its parameters are, in shard 0: one line for
    /// each step.
    pub async fn plan(&self, sql: &str) -> Vec<String> {
        databases::plan(self.direct(), sql).await
    }

    /// What PostgreSQL executes for a statement without parameters: one line for each step.
    pub async fn steps(&self, sql: &str) -> Vec<String> {
        databases::steps(self.direct(), sql).await
    }

    /// What PostgreSQL executes for a statement over arrays, made of another, with two sets of parameters
    /// in shard 0: one line for each step. It is undone.
    pub async fn steps_for_two(&self, sql: &str, of: &str, tables: Tables) -> Vec<String> {
        databases::steps_for_two(self.direct(), sql, of, tables).await
    }

    /// How PostgreSQL would execute a statement over arrays, made of another: one line for each step.
    pub async fn plan_for_two(&self, sql: &str, of: &str) -> Vec<String> {
        databases::plan_for_two(self.direct(), sql, of).await
    }

    /// An empty database in PostgreSQL, without a schema.
    pub async fn empty() -> Books {
        Books::of(databases::Database::empty().await)
    }

    /// Where they are.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The same books by another way to them.
    pub fn by_way_of(&self, wire: &Wire) -> Books {
        Books { address: wire.address().to_owned(), ..self.clone() }
    }

    /// Where they are if no pooler stands before them.
    fn direct(&self) -> &str {
        self.database.as_ref().map_or(&self.address, |database| &database.direct)
    }

    /// A folder that goes with them.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Opens them. What they hold survives the process, not the machine.
    pub async fn open(&self) -> Store {
        self.open_with(Options::default()).await
    }

    /// Opens them with faults and readers of choice.
    pub async fn open_with(&self, options: Options) -> Store {
        let options = Options { synchronous: Synchronous::Off, ..options };
        Store::connect(&self.address, options).await.unwrap()
    }

    /// Other books with the same rows; these must be closed.
    pub async fn copy(&self) -> Books {
        if let Some(database) = &self.database {
            return Books::of(database.copy().await);
        }
        let books = Books::sqlite();
        std::fs::copy(&self.address, &books.address).unwrap();
        books
    }

    /// Runs a statement past the store and all that guards the books: triggers, references and checks of
    /// values; answers how many rows it changed.
    pub async fn forge(&self, sql: &str) -> u64 {
        if self.database.is_some() {
            return databases::forge(self.direct(), sql).await;
        }
        let connection = rusqlite::Connection::open(&self.address).unwrap();
        connection.execute_batch("pragma foreign_keys = off; pragma ignore_check_constraints = on").unwrap();
        let mut guards = connection.prepare("select name from sqlite_schema where type = 'trigger'").unwrap();
        let guards: Vec<String> =
            guards.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for guard in guards {
            connection.execute_batch(&format!("drop trigger {guard}")).unwrap();
        }
        connection.execute(sql, []).unwrap() as u64
    }

    /// Runs a statement past the store, as somebody would who tampers with the books; answers how many
    /// rows it changed.
    pub async fn tamper(&self, sql: &str) -> u64 {
        if self.database.is_some() {
            databases::execute(self.direct(), sql).await
        } else {
            rusqlite::Connection::open(&self.address).unwrap().execute(sql, []).unwrap() as u64
        }
    }

    /// What a question of the test's own says for the 32 hex digits of an id, in lower case.
    pub fn hex(&self, column: &str) -> String {
        match self.database {
            Some(_) => format!("replace({column}::text, '-', '')"),
            None => format!("lower(hex({column}))"),
        }
    }

    /// Begins a transaction past the store, with a statement whose locks are held until what is returned is
    /// dropped. PostgreSQL only.
    pub async fn hold(&self, sql: &str) -> Held {
        databases::hold(self.direct(), sql).await
    }

    /// The rows that a question of the test's own is answered with; all its columns are texts.
    pub async fn texts(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        if self.database.is_some() {
            return databases::texts(self.direct(), sql).await;
        }
        let connection = rusqlite::Connection::open(&self.address).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let width = statement.column_count();
        let rows = statement.query_map([], |row| (0..width).map(|column| row.get(column)).collect());
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Every row of every table, as text, each table in an order of its own.
    pub async fn dump(&self) -> Vec<(String, Vec<String>)> {
        if self.database.is_some() {
            return databases::dump(self.direct()).await;
        }
        let connection = rusqlite::Connection::open(&self.address).unwrap();
        let names =
            "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name";
        let mut names = connection.prepare(names).unwrap();
        let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let rows_of = |name: &String| {
            let mut statement = connection.prepare(&format!("select * from {name}")).unwrap();
            let width = statement.column_count();
            let rows = statement.query_map([], |row| {
                let values: Result<Vec<rusqlite::types::Value>, _> =
                    (0..width).map(|column| row.get(column)).collect();
                values.map(|values| format!("{values:?}"))
            });
            let mut rows: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
            rows.sort();
            rows
        };
        names.iter().map(|name| (name.clone(), rows_of(name))).collect()
    }
}
