//! The books on disk: one consistent snapshot to read from, one commit to write with.

#![deny(clippy::wildcard_enum_match_arm)]

#[macro_use]
mod records;

pub mod audit;
pub mod backup;
pub mod billing_view;
pub mod catalog;
mod commit;
pub mod copy;
pub mod credentials;
pub mod customers;
pub mod environments;
mod erased;
mod error;
mod faults;
pub mod idempotency;
pub mod invoices;
mod leases;
mod lists;
mod lock;
mod migrate;
mod numbers;
pub mod pages;
pub mod payers;
pub mod payments;
mod postgres;
pub mod ranks;
pub mod settings;
mod snapshot;
mod sqlite;
pub mod subscriptions;
mod value;
mod versions;
pub mod views;

pub use commit::{Committed, seal};
pub use error::Error;
pub use faults::{FaultPoint, Faults};
pub use leases::{Holding, Node};
pub use lists::{received, received_lists};
pub use lock::ServerLock;
pub use migrate::Migration;
pub use snapshot::{BoxFuture, Snapshot, Tx};
pub use sqlite::{Options, Synchronous};
pub use value::{Param, Row};
pub use versions::Scope;

use async_recursion::async_recursion as boxed;
use std::path::Path;

/// The target of an event for each statement that a connection prepares.
pub const STATEMENTS: &str = "store::statements";

/// Whether the address of some books is a URL, and not the path of a file.
pub fn is_url(address: &str) -> bool {
    postgres::is_address(address)
}

/// The address of some books as anybody may read it: without user, password and settings.
pub fn shown(address: &str) -> String {
    // Also one that is misspelt: it may have a password all the same.
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (place, settings) = rest.split_once('?').unwrap_or((rest, ""));
    if settings.contains('@') {
        // The `?` may be of a password, or the `@` of a setting: nobody can tell where the host begins.
        return format!("{scheme}://…");
    }
    format!("{scheme}://{}", place.rsplit_once('@').map_or(place, |(_, place)| place))
}

/// The books. Cheap to clone; the last clone that is dropped closes them.
#[derive(Clone)]
pub enum Store {
    /// One SQLite file.
    Sqlite(sqlite::Database),
    /// A PostgreSQL database, which several processes may share.
    Postgres(postgres::Database),
}

impl Store {
    /// Opens a database file, makes it if it does not exist, and brings its schema up to date.
    pub fn open(path: &Path, options: Options) -> Result<Store, Error> {
        Ok(Store::Sqlite(sqlite::Database::open(path, options, migrate::SQLITE)?))
    }

    /// Opens the books at an address: `postgres://…`, or the path of a file as [`Store::open`].
    ///
    /// # Errors
    /// If the address makes no sense, the database cannot be reached or its schema is newer.
    #[boxed]
    pub async fn connect(address: &str, options: Options) -> Result<Store, Error> {
        if postgres::is_address(address) {
            let database = postgres::Database::open(address, options.faults, migrate::POSTGRES).await?;
            Ok(Store::Postgres(database))
        } else {
            Store::open(Path::new(address), options)
        }
    }

    /// Makes the schema in an empty PostgreSQL database, the tables of customers cut into so many hash
    /// partitions by their shard.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the address is a file's, the number is not from 2 to 64, or the schema is there
    /// otherwise; else as [`Store::connect`].
    #[boxed]
    pub async fn make_partitioned(address: &str, partitions: u32) -> Result<(), Error> {
        if !postgres::is_address(address) {
            return Err(Error::Misuse("books in a file have no partitions".to_owned()));
        }
        if !(2..=64).contains(&partitions) {
            return Err(Error::Misuse("tables are cut into 2 to 64 partitions".to_owned()));
        }
        postgres::make_partitioned(address, migrate::POSTGRES, partitions).await
    }

    /// The migrations that the database at an address lacks, oldest first; opening it applies them.
    ///
    /// # Errors
    /// As [`Store::connect`].
    #[boxed]
    pub async fn pending(address: &str) -> Result<Vec<Migration>, Error> {
        if postgres::is_address(address) {
            postgres::pending(address, migrate::POSTGRES).await
        } else {
            sqlite::pending(Path::new(address), migrate::SQLITE)
        }
    }

    /// Whether an address has any books.
    ///
    /// # Errors
    /// As [`Store::connect`].
    #[boxed]
    pub async fn is_there(address: &str) -> Result<bool, Error> {
        Ok(Store::pending(address).await?.first().is_none_or(|first| first.number > 1))
    }

    /// Runs `f` on one consistent snapshot of the books; once more from its beginning on another one where
    /// the database was lost meanwhile.
    ///
    /// On SQLite `f` runs on a reader thread, so it must wait for nothing but its statements.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'a> FnOnce(&'a mut Snapshot) -> BoxFuture<'a, Result<T, E>> + Clone + Send + 'static,
    {
        let (work, answer) = erased::erased(move |snapshot: &mut Snapshot| f.clone()(snapshot));
        answer.of(self.run_reading(work).await)
    }

    fn run_reading(&self, work: erased::Work<Snapshot>) -> BoxFuture<'_, Result<(), Error>> {
        match self {
            Store::Sqlite(database) => Box::pin(database.read(work)),
            Store::Postgres(database) => Box::pin(database.read(work)),
        }
    }

    /// Runs `f` in a transaction that is durable when this returns `Ok`, and undone when it returns
    /// an error. `f` may be run more than once before its outcome counts.
    pub(crate) async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'a> FnMut(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    {
        let (work, answer) = erased::erased(f);
        answer.of(self.run_writing(work).await)
    }

    fn run_writing(&self, work: erased::Work<Tx>) -> BoxFuture<'_, Result<(), Error>> {
        match self {
            Store::Sqlite(database) => Box::pin(database.write(work)),
            Store::Postgres(database) => Box::pin(database.write(work)),
        }
    }

    /// The sum of the versions of some scopes. Take it before the snapshot that is rendered: while it is
    /// the same, the rendering is too.
    ///
    /// # Errors
    /// If it has to be looked up and the database fails.
    #[boxed]
    pub async fn version(&self, scopes: &[Scope]) -> Result<u64, Error> {
        match self {
            Store::Sqlite(database) => {
                let versions = database.versions();
                Ok(scopes.iter().fold(0_u64, |sum, scope| sum.wrapping_add(versions.of(*scope))))
            }
            Store::Postgres(database) => database.version(scopes).await,
        }
    }

    /// Finishes what is queued, moves the log into the file and ends the threads. Later calls fail
    /// with [`Error::Closed`].
    #[boxed]
    pub async fn close(&self) -> Result<(), Error> {
        match self {
            Store::Sqlite(database) => database.close().await,
            Store::Postgres(database) => {
                database.close().await;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        let shapes = [
            ("books.db", "books.db"),
            ("/var/books@home/b?.db", "/var/books@home/b?.db"),
            ("postgres://h/b", "postgres://h/b"),
            ("postgres://u@h:1,i:2/b", "postgres://h:1,i:2/b"),
            ("postgresql://u:geheim@h/b?sslmode=disable", "postgresql://h/b"),
            ("postgres://h/b?user=u&password=geheim", "postgres://h/b"),
            ("postgres://u:ge/h@eim@h/b", "postgres://h/b"),
            ("postgres://u:ge?heim@h/b", "postgres://…"),
            ("postgres://u:ge@h?eim@h/b", "postgres://…"),
            ("postgres://u:geheim@h/b?application_name=a@b", "postgres://…"),
            ("postgres://h/b?password=ge@heim", "postgres://…"),
            ("Postgres://u:geheim@h/b", "Postgres://h/b"),
        ];
        for (address, expected) in shapes {
            assert_eq!(shown(address), expected, "{address}");
        }
    }
}
