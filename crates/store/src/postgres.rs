//! The books in PostgreSQL: several processes, each with a bounded pool of connections.
//!
//! A snapshot is a transaction that only reads; a write runs in one that sees what others have committed
//! (what was decided before it is guarded by versions and unique keys), and is run again when it
//! collides with another or its connection is lost. What happened to a commit whose connection was lost
//! is looked up, so that nothing is done twice.

mod address;
mod bind;
mod bulk;
mod failure;
mod migrate;
mod pool;
mod rows;
mod session;
mod statements;
mod tls;
mod versions;
mod write;

pub(crate) use session::Session;

use crate::faults::Faults;
use crate::migrate::Migration;
use crate::snapshot::{self, BoxFuture, Snapshot, Tx};
use crate::{Error, Scope};
use address::Address;
use pool::Pool;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;
use versions::Lookups;

/// How long work looks for a database that answers, through a failover for instance.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it waits before it tries again, at first and at most.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// A database that several processes may use at once; clones share their connections.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    pool: Arc<Pool>,
    lookups: Arc<Lookups>,
    faults: Option<Arc<dyn Faults>>,
}

/// Whether an address is one of a PostgreSQL database.
pub(crate) fn is_address(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

impl Database {
    pub(crate) async fn open(
        url: &str,
        faults: Option<Arc<dyn Faults>>,
        known: &[Migration],
    ) -> Result<Database, Error> {
        let pool = Arc::new(Pool::new(Address::parse(url)?));
        migrate::migrate(&pool, known).await?;
        let lookups = Arc::new(Lookups::new(pool.clone()));
        let database = Database { shared: Arc::new(Shared { pool, lookups, faults }) };
        if known.last().is_some_and(|last| last.number >= 4) {
            database.count_shards().await?;
        }
        Ok(database)
    }

    /// Looks how many shards there are.
    pub(crate) async fn count_shards(&self) -> Result<(), Error> {
        let counted = self.read(|s| {
            Box::pin(async move { s.row("select count(*) from shards", &[], |row| row.int(0)).await })
        });
        let counted: Option<i64> = counted.await?;
        self.shared.pool.shards.store(counted.unwrap_or(1), Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn shards(&self) -> i64 {
        self.shared.pool.shards.load(Ordering::Relaxed)
    }

    pub(crate) async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'a> FnOnce(&'a mut Snapshot) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    {
        let session = Session::reading(self.shared.pool.clone(), PATIENCE);
        let mut snapshot = Snapshot::from(session);
        let outcome = unpanicked(|| f(&mut snapshot)).await;
        snapshot.into_postgres().roll_back().await;
        outcome.unwrap_or_else(|| Err(Error::Panicked.into()))
    }

    pub(crate) async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'a> FnMut(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    {
        let shared = self.shared.clone();
        // A task of its own: a caller who stops waiting must not leave a commit half said.
        let written = tokio::spawn(async move { write::write(&shared, f).await }).await;
        written.unwrap_or_else(|_| Err(Error::Panicked.into()))
    }

    pub(crate) async fn version(&self, scopes: &[Scope]) -> Result<u64, Error> {
        self.shared.lookups.version(scopes).await
    }

    pub(crate) async fn close(&self) {
        self.shared.pool.close().await;
    }
}

pub(crate) async fn pending(url: &str, known: &'static [Migration]) -> Result<Vec<Migration>, Error> {
    let pool = Pool::new(Address::parse(url)?);
    let lacking = migrate::pending(&pool, known).await;
    pool.close().await;
    lacking
}

/// What a future made of statements comes to; none if it panicked.
async fn unpanicked<'a, T>(start: impl FnOnce() -> BoxFuture<'a, T>) -> Option<T> {
    let mut future = catch_unwind(AssertUnwindSafe(start)).ok()?;
    poll_fn(move |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(None),
    })
    .await
}

impl From<Session> for Snapshot {
    fn from(session: Session) -> Snapshot {
        Snapshot { session: snapshot::Session::Postgres(session) }
    }
}
