//! The books in one SQLite file: one writer thread with group commit, readers beside it.

mod job;
mod queue;
mod reader;
pub(crate) mod session;
mod statistics;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod threads;
mod writer;

use crate::erased::Work;
use crate::faults::Faults;
use crate::migrate::{self, Migration};
use crate::snapshot::{Snapshot, Tx};
use crate::versions::Versions;
use crate::{Error, settings, snapshot};
use billing::sharding::ShardKey;
use job::Job;
use queue::Queue;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use session::Session;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use threads::{Shared, Threads};
use tokio::sync::oneshot;

/// How to open the books.
#[derive(Clone)]
pub struct Options {
    /// When a commit counts as durable.
    pub synchronous: Synchronous,
    /// Threads that read, at least one.
    pub readers: usize,
    /// Where the simulator makes commits crash.
    pub faults: Option<Arc<dyn Faults>>,
}

/// When a commit counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// When the disk has it: survives power loss.
    Full,
    /// When the operating system has it: survives the end of the process. For tests and simulations.
    Off,
}

impl Default for Options {
    fn default() -> Options {
        let readers = thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 16));
        Options { synchronous: Synchronous::Full, readers, faults: None }
    }
}

/// An open database file; clones share it.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
    // Dropped with the last clone that is outside of the threads.
    _closer: Arc<Closer>,
}

struct Closer(Arc<Shared>);

impl Database {
    pub(crate) fn open(path: &Path, options: Options, known: &[Migration]) -> Result<Database, Error> {
        let mut connection = connect_writer(path, options.synchronous)?;
        migrate::migrate(&mut connection, known)?;
        statistics::tell(&mut connection)?;
        let (shards, spread_by) = (count_shards(&connection)?, spread_by(&connection)?);
        let shared = Arc::new(Shared {
            reads: Queue::new(),
            writes: Queue::new(),
            versions: Versions::new(),
            shards,
            spread_by,
            threads: Mutex::default(),
        });
        let database = Database { shared: shared.clone(), _closer: Arc::new(Closer(shared.clone())) };
        let mut threads = Threads::default();
        for number in 0..options.readers.max(1) {
            let (session, shared) = (Session::new(connect_reader(path)?, shards), shared.clone());
            threads
                .readers
                .push(spawn(path, format!("reader-{number}"), move || reader::run(session, &shared))?);
        }
        let (session, faults) = (Session::new(connection, shards), options.faults);
        threads.writer =
            Some(spawn(path, "writer".to_owned(), move || writer::run(session, &shared, faults))?);
        *database.shared.threads.lock().unwrap_or_else(PoisonError::into_inner) = threads;
        Ok(database)
    }

    pub(crate) async fn read(&self, work: Work<Snapshot>) -> Result<(), Error> {
        let (caller, answered) = oneshot::channel();
        if self.shared.reads.push(Job::new(work, caller)).is_err() {
            return Err(Error::Closed);
        }
        answered.await.unwrap_or(Err(Error::Closed))
    }

    pub(crate) async fn write(&self, work: Work<Tx>) -> Result<(), Error> {
        let (caller, answered) = oneshot::channel();
        if self.shared.writes.push(Job::new(work, caller)).is_err() {
            return Err(Error::Closed);
        }
        answered.await.unwrap_or(Err(Error::Closed))
    }

    pub(crate) fn versions(&self) -> &Versions {
        &self.shared.versions
    }

    pub(crate) fn shards(&self) -> i64 {
        self.shared.shards
    }

    pub(crate) fn spread_by(&self) -> ShardKey {
        self.shared.spread_by
    }

    pub(crate) async fn close(&self) -> Result<(), Error> {
        let shared = self.shared.clone();
        let joined = tokio::task::spawn_blocking(move || shared.close()).await;
        joined.map_err(|_| Error::Panicked)
    }
}

impl Drop for Closer {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn spawn(path: &Path, name: String, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    thread::Builder::new()
        .name(format!("store-{name}"))
        .spawn(run)
        .map_err(|error| Error::Io { path: path.to_owned(), message: error.to_string() })
}

pub(crate) fn pending(path: &Path, known: &'static [Migration]) -> Result<Vec<Migration>, Error> {
    if !path.exists() {
        return Ok(known.to_vec());
    }
    Ok(migrate::pending(&connect_reader(path)?, known)?.to_vec())
}

/// Over how many shards customers are spread: one, unless they came from a database that has more.
fn count_shards(connection: &Connection) -> Result<i64, Error> {
    if !has_table(connection, "customers")? {
        return Ok(1);
    }
    let last: u16 =
        connection.query_row("select coalesce(max(shard), 0) from customers", [], |row| row.get(0))?;
    Ok(i64::from((u32::from(last) + 1).next_power_of_two()))
}

/// By what customers were spread in the database that they came from.
fn spread_by(connection: &Connection) -> Result<ShardKey, Error> {
    if !has_table(connection, "settings")? {
        return Ok(ShardKey::Customer);
    }
    let said = "select value from settings where name = ?1";
    let said: Option<String> =
        connection.query_row(said, [settings::SPREAD_BY], |row| row.get(0)).optional()?;
    settings::parse_spread_by(said)
}

fn has_table(connection: &Connection, name: &str) -> Result<bool, Error> {
    let is_there = "select exists (select 1 from sqlite_schema where name = ?1)";
    Ok(connection.query_row(is_there, [name], |row| row.get(0))?)
}

fn connect_writer(path: &Path, synchronous: Synchronous) -> Result<Connection, Error> {
    make_private(path)?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String = connection.query_row("pragma journal_mode = wal", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(Error::Database(format!(
            "the journal mode is {mode}: this file system cannot hold a WAL"
        )));
    }
    connection.execute_batch(match synchronous {
        Synchronous::Full => "pragma synchronous = full",
        Synchronous::Off => "pragma synchronous = off",
    })?;
    // Checkpoint seldom (each 40 MB of log), but do not keep a log that one long reader made huge.
    connection.execute_batch(
        "pragma wal_autocheckpoint = 10000; pragma journal_size_limit = 268435456; pragma foreign_keys = on",
    )?;
    Ok(connection)
}

/// Makes the file if there is none, for its owner only: it holds what customers trust the owner with.
fn make_private(path: &Path) -> Result<(), Error> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Error::Io { path: path.to_owned(), message: error.to_string() })
        }
        _ => Ok(()),
    }
}

fn connect_reader(path: &Path) -> Result<Connection, Error> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    // Each connection stays on one thread at a time, so SQLite needs no lock of its own.
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    configure(&connection)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(Duration::from_secs(10))?;
    // 64 MB of cache; map all of the file (SQLite as this repository builds it has no limit below 1 TB).
    connection.execute_batch(
        "pragma cache_size = -65536; pragma mmap_size = 1099511627776; pragma temp_store = memory",
    )?;
    // A plan that depends on the values bound would be made anew for each set of values.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(512);
    Ok(())
}

impl From<Session> for Snapshot {
    fn from(session: Session) -> Snapshot {
        Snapshot { session: snapshot::Session::Sqlite(session) }
    }
}
