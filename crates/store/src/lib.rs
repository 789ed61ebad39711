//! The books on disk: one consistent snapshot to read from, one commit to write with.

#[macro_use]
mod rows;

pub mod audit;
pub mod billing_view;
pub mod catalog;
mod commit;
pub mod credentials;
pub mod customers;
pub mod environments;
mod error;
mod faults;
pub mod idempotency;
pub mod invoices;
mod lists;
mod lock;
mod migrate;
mod numbers;
pub mod pages;
pub mod payers;
pub mod payments;
pub mod ranks;
mod snapshot;
mod sqlite;
pub mod subscriptions;
mod value;
mod versions;
pub mod views;

pub use commit::{Committed, seal};
pub use error::Error;
pub use faults::{FaultPoint, Faults};
pub use lists::{received, received_lists};
pub use lock::ServerLock;
pub use migrate::Migration;
pub use snapshot::{BoxFuture, Snapshot, Tx};
pub use sqlite::{Options, Synchronous};
pub use value::{Param, Row};
pub use versions::{Scope, Versions};

use std::path::Path;

/// The books. Cheap to clone; the last clone that is dropped closes them.
#[derive(Clone)]
pub enum Store {
    /// One SQLite file.
    Sqlite(sqlite::Database),
}

impl Store {
    /// Opens a database file, makes it if it does not exist, and brings its schema up to date.
    pub fn open(path: &Path, options: Options) -> Result<Store, Error> {
        Ok(Store::Sqlite(sqlite::Database::open(path, options, migrate::SQLITE)?))
    }

    /// The migrations that the database file lacks, oldest first; opening it applies them.
    pub fn pending(path: &Path) -> Result<Vec<Migration>, Error> {
        sqlite::pending(path, migrate::SQLITE)
    }

    /// Runs `f` on one consistent snapshot of the books.
    ///
    /// On SQLite `f` runs on a reader thread, so it must wait for nothing but its statements.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'a> FnOnce(&'a mut Snapshot) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    {
        match self {
            Store::Sqlite(database) => database.read(f).await,
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
        match self {
            Store::Sqlite(database) => database.write(f).await,
        }
    }

    /// The versions of what commits touch.
    pub fn versions(&self) -> &Versions {
        match self {
            Store::Sqlite(database) => database.versions(),
        }
    }

    /// Finishes what is queued, moves the log into the file and ends the threads. Later calls fail
    /// with [`Error::Closed`].
    pub async fn close(&self) -> Result<(), Error> {
        match self {
            Store::Sqlite(database) => database.close().await,
        }
    }
}
