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
mod group_commit;
mod migrate;
mod partitions;
mod pool;
mod ready;
mod rows;
pub(crate) mod session;
pub(crate) mod shared_reads;
mod statements;
mod tls;
mod tries;
mod unpanicked;
mod versions;
mod write;

use crate::erased::{Work, erased};
use crate::faults::Faults;
use crate::migrate::Migration;
use crate::snapshot::{self, Snapshot, Tx};
use crate::{Committed, Error, Scope, commit, settings};
use address::Address;
use billing::changes::Changes;
use billing::sharding::ShardKey;
use failure::{Failure, Remedy};
use group_commit::GroupCommit;
use pool::Pool;
use session::Session;
use shared_reads::{Reader, SharedReads};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tries::Tries;
use unpanicked::unpanicked;
use versions::Lookups;
use write::Writing;

/// A database that several processes may use at once; clones share their connections.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    writing: Arc<Writing>,
    shared_reads: Arc<SharedReads>,
    group_commit: GroupCommit,
    /// Whether customers of one organization are in one shard.
    is_by_organization: AtomicBool,
}

impl Database {
    pub(crate) async fn open(
        url: &str,
        faults: Option<Arc<dyn Faults>>,
        known: &[Migration],
    ) -> Result<Database, Error> {
        let pool = Arc::new(Pool::new(Address::parse(url)?));
        migrate::migrate(&pool, known, None).await?;
        let shared_reads = SharedReads::new(pool.clone(), Session::reading);
        let writing = Arc::new(Writing { lookups: Lookups::new(pool.clone()), pool, faults });
        let is_by_organization = AtomicBool::default();
        let group_commit = GroupCommit::default();
        let shared = Arc::new(Shared { writing, shared_reads, group_commit, is_by_organization });
        let database = Database { shared };
        if known.last().is_some_and(|last| last.number >= 5) {
            database.look_at_spread().await?;
        }
        Ok(database)
    }

    /// Looks how many shards there are, and how customers are spread over them.
    pub(crate) async fn look_at_spread(&self) -> Result<(), Error> {
        let (work, answer) = erased(|s: &mut Snapshot| {
            Box::pin(async move {
                let shards = s.row("select count(*) from shards", &[], |row| row.int(0)).await?;
                Ok::<_, Error>((shards.unwrap_or(1), settings::spread_by(s).await?))
            })
        });
        let (shards, by): (i64, ShardKey) = answer.of(self.read(work).await)?;
        self.shared.writing.pool.shards.store(shards, Ordering::Relaxed);
        self.shared.is_by_organization.store(by == ShardKey::Organization, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn spread_by(&self) -> ShardKey {
        let is_by_organization = self.shared.is_by_organization.load(Ordering::Relaxed);
        if is_by_organization { ShardKey::Organization } else { ShardKey::Customer }
    }

    pub(crate) fn shards(&self) -> i64 {
        self.shared.writing.pool.shards.load(Ordering::Relaxed)
    }

    /// Runs work on a snapshot; once more from its beginning on another one where the database was lost
    /// meanwhile.
    pub(crate) async fn read(&self, mut work: Work<Snapshot>) -> Result<(), Error> {
        let Shared { writing, shared_reads, .. } = &*self.shared;
        let mut tries = Tries::new();
        let mut is_dedicated = false;
        loop {
            let mut snapshot = Snapshot::from(shared_reads.reader(tries.left()));
            if is_dedicated {
                snapshot.dedicated();
            }
            let outcome = unpanicked(|| work(&mut snapshot)).await.ok_or(Error::Panicked);
            let (failure, is_shared) = ended(snapshot.session).await;
            let Some(failure) = failure.filter(|_| outcome != Ok(true)) else { return outcome.map(|_| ()) };
            // It may have been another's statement that failed, or that takes long.
            let is_by_another = is_shared && (failure.is_of_a_statement() || failure.is_slowness());
            is_dedicated |= is_by_another;
            if failure.passes() {
                // Another connection has another snapshot: all of it is read again.
                tracing::debug!(error = %failure.error, "a snapshot was lost and is read again");
                if failure.remedy == Remedy::Reconnect {
                    writing.pool.forget_idle();
                }
                if !tries.again().await {
                    return outcome.map(|_| ());
                }
            } else if is_by_another {
                tracing::debug!(error = %failure.error, "a shared snapshot failed and is read again alone");
            } else {
                return outcome.map(|_| ());
            }
        }
    }

    /// Runs work in a transaction until it stands or cannot.
    pub(crate) async fn write(&self, work: Work<Tx>) -> Result<(), Error> {
        self.shared.writing.write(work).await
    }

    /// Writes all of the changes, with others that may go together with them where one is under way.
    pub(crate) async fn commit(&self, changes: Arc<Changes>) -> Result<Committed, Error> {
        match commit::together_in(&changes) {
            Some(environment) => {
                self.shared.group_commit.commit(&self.shared.writing, environment, changes).await
            }
            None => self.shared.writing.run(move |tx| commit::alone(tx, &changes)).await,
        }
    }

    pub(crate) async fn version(&self, scopes: &[Scope]) -> Result<u64, Error> {
        self.shared.writing.lookups.version(scopes).await
    }

    pub(crate) async fn close(&self) {
        self.shared.writing.pool.close().await;
    }
}

pub(crate) async fn pending(url: &str, known: &'static [Migration]) -> Result<Vec<Migration>, Error> {
    let pool = Pool::new(Address::parse(url)?);
    let lacking = migrate::pending(&pool, known).await;
    pool.close().await;
    lacking
}

/// Makes the schema in an empty database, its tables of customers in so many partitions.
pub(crate) async fn make_partitioned(
    url: &str,
    known: &'static [Migration],
    partitions: u32,
) -> Result<(), Error> {
    let pool = Pool::new(Address::parse(url)?);
    let made = migrate::migrate(&pool, known, Some(partitions)).await;
    pool.close().await;
    made
}

/// What ended a snapshot, and whether others shared it.
async fn ended(session: snapshot::Session) -> (Option<Failure>, bool) {
    if let snapshot::Session::Shared(reader) = session {
        return (reader.failure().cloned(), true);
    }
    let session = session.into_postgres();
    let failure = session.failure.clone();
    session.roll_back().await;
    (failure, false)
}

impl From<Reader> for Snapshot {
    fn from(reader: Reader) -> Snapshot {
        Snapshot { session: snapshot::Session::Shared(reader) }
    }
}

impl From<Session> for Snapshot {
    fn from(session: Session) -> Snapshot {
        Snapshot { session: snapshot::Session::Postgres(session) }
    }
}
