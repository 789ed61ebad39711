//! The books in either kind of database.

mod requests;
mod settings;

use crate::address::is_url;
use crate::commit::{self, Committed};
use crate::erased::{self, BoxFuture};
use crate::migrate::{self, Migration};
use crate::snapshot::{Snapshot, Tx};
use crate::sqlite::Options;
use crate::versions::Scope;
use crate::{Error, postgres, sqlite};
use async_recursion::async_recursion as boxed;
use billing::changes::Changes;
use std::path::Path;
use std::sync::Arc;

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
        if is_url(address) {
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
        if !is_url(address) {
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
        if is_url(address) {
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

    /// Writes all of the changes, durably, or nothing.
    ///
    /// # Errors
    /// [`Error::Conflict`] if a customer has moved on since it was read, or something unique is taken;
    /// [`Error::KeyTaken`] if the request has had its effect.
    #[boxed]
    pub async fn commit(&self, changes: Changes) -> Result<Committed, Error> {
        let changes = Arc::new(changes);
        match self {
            Store::Sqlite(_) => self.write(move |tx| commit::alone(tx, &changes)).await,
            Store::Postgres(database) => database.commit(changes).await,
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
