//! The schema of a database that several processes may be about to bring up to date.
//!
//! Each migration is a transaction that first takes the lease, a row that only one can hold, until it
//! commits or its connection ends; then it looks again what is lacking. No statement is kept between two
//! transactions, which a pooler may send to two connections.
//!
//! A server that does not answer is given up after a while; the lease and the migration itself may take as
//! long as they do.

use super::failure::Failure;
use super::partitions;
use super::pool::{Connection, Pool};
use super::session::{WRITE, answered};
use super::tries::{BACKOFF_MIN, PATIENCE};
use crate::Error;
use crate::migrate::{Migration, lacking};
use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

const LEDGER: &str = "create table if not exists migrations (number bigint primary key, name text not null);
     create table if not exists migration_lease (id smallint primary key, holder text not null);
     insert into migration_lease (id, holder) values (1, '') on conflict (id) do nothing";
/// The tables of the schema, but for those of extensions.
const TABLES: &str = "select cast(t.relname as text)
     from pg_catalog.pg_class t
     join pg_catalog.pg_namespace n on n.oid = t.relnamespace
     where n.nspname = current_schema() and t.relkind in ('r', 'p')
       and not exists (select 1 from pg_catalog.pg_depend d
                       where d.classid = cast('pg_catalog.pg_class' as regclass) and d.objid = t.oid
                         and d.deptype = 'e')";
const LEASE: &str = "update migration_lease set holder = $1 where id = 1";

/// What takes longer than this is said.
const SLOW: Duration = Duration::from_secs(2);

/// Brings the schema up to date, each migration in a transaction of its own. If the tables of customers are
/// to be in so many partitions, the database must have no schema, or just that.
pub(super) async fn migrate(pool: &Pool, known: &[Migration], wanted: Option<u32>) -> Result<(), Error> {
    let until = Instant::now() + PATIENCE;
    loop {
        match try_migrate(pool, known, wanted).await {
            Ok(()) => return Ok(()),
            Err(failure) if failure.passes() && Instant::now() < until => {
                tracing::debug!(error = %failure.error, "the schema cannot be read yet");
                tokio::time::sleep(BACKOFF_MIN * 4).await;
            }
            Err(failure) => return Err(failure.error),
        }
    }
}

/// The migrations that the database still lacks, oldest first.
pub(super) async fn pending(pool: &Pool, known: &[Migration]) -> Result<Vec<Migration>, Error> {
    let found = async {
        let mut connection = pool.take(PATIENCE).await?;
        let client = connection.line()?.client.clone();
        let applied = applied(&client).await?;
        let found = lacking(&applied, known).map_err(Failure::lasting)?.to_vec();
        pool.give_back(connection);
        Ok(found)
    };
    found.await.map_err(|failure: Failure| failure.error)
}

async fn try_migrate(pool: &Pool, known: &[Migration], wanted: Option<u32>) -> Result<(), Failure> {
    let mut connection: Connection = pool.take(PATIENCE).await?;
    let client = connection.line()?.client.clone();
    let there = applied(&client).await?;
    if !lacking(&there, known).map_err(Failure::lasting)?.is_empty() {
        // Two that make the same table at once collide, and one of them looks again.
        answered(async { Ok(client.batch_execute(LEDGER).await.map_err(colliding)) }).await??;
        while apply_next(&client, known, wanted).await? {}
    }
    if wanted.is_some() && partitions::count(&client).await? != wanted {
        let refused = "the schema is there, in other partitions: make them in an empty database".to_owned();
        return Err(Failure::lasting(Error::Misuse(refused)));
    }
    pool.give_back(connection);
    Ok(())
}

/// Applies the next migration; false if there is none.
async fn apply_next(client: &Arc<Client>, known: &[Migration], wanted: Option<u32>) -> Result<bool, Failure> {
    let say = async |sql| answered(client.batch_execute(sql)).await;
    say(WRITE).await?;
    // Another's migration, or a dump that reads what is to be altered, may take its time.
    say("set local lock_timeout = 0").await?;
    let holder = std::process::id().to_string();
    let waits = || tracing::info!("another process migrates the schema: waiting for it");
    finished(client.execute_typed(LEASE, &[(&holder, Type::TEXT)]), waits).await?;
    let there = applied(client).await?;
    let Some(next) = lacking(&there, known).map_err(Failure::lasting)?.first().copied() else {
        say("rollback").await?;
        return Ok(false);
    };
    // Tables that come later are cut like those that are there.
    let partitions = if there.is_empty() { wanted } else { partitions::count(client).await? };
    let sql = partitions.map_or(next.sql.into(), |count| Cow::from(partitions::cut(next.sql, count)));
    let Migration { number, name, .. } = next;
    let is_slow = || tracing::info!(number, name, "migrating takes long, or waits for a lock");
    finished(client.batch_execute(&sql), is_slow).await?;
    let insert = "insert into migrations (number, name) values ($1, $2)";
    let key = i64::from(number);
    answered(client.execute_typed(insert, &[(&key, Type::INT8), (&name, Type::TEXT)])).await?;
    say("commit").await?;
    tracing::info!(number, name, "migrated");
    Ok(true)
}

/// Waits for what may take long, and says so once if it does.
async fn finished<T>(
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    say: impl FnOnce(),
) -> Result<T, Failure> {
    let mut work = pin!(work);
    match tokio::time::timeout(SLOW, &mut work).await {
        Ok(done) => Ok(done?),
        Err(_) => {
            say();
            Ok(work.await?)
        }
    }
}

fn colliding(error: tokio_postgres::Error) -> Failure {
    // The database finds the other's table, its type, or its row in the catalog, whichever comes first.
    let made_twice = [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];
    let is_made_twice = error.code().is_some_and(|code| made_twice.contains(code));
    if is_made_twice { Failure::lost("another process makes the schema") } else { error.into() }
}

async fn applied(client: &Arc<Client>) -> Result<Vec<(u32, String)>, Failure> {
    let tables = answered(client.query_typed(TABLES, &[])).await?;
    let tables: Vec<String> = tables.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    if !tables.iter().any(|table| table == "migrations") {
        return Err(Failure::lasting(Error::Corrupt("this is a database of another program".to_owned())));
    }
    let known = "select number, name from migrations order by number";
    let rows = answered(client.query_typed(known, &[])).await?;
    rows.iter()
        .map(|row| {
            let number: i64 = row.try_get(0)?;
            Ok((u32::try_from(number).unwrap_or(u32::MAX), row.try_get(1)?))
        })
        .collect()
}
