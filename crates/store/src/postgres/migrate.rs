//! The schema of a database that several processes may be about to bring up to date.
//!
//! Each migration is a transaction that first takes the lease, a row that only one can hold, until it
//! commits or its connection ends; then it looks again what is lacking. No statement is kept between two
//! transactions, which a pooler may send to two connections.

use super::failure::Failure;
use super::pool::{Connection, Pool};
use super::session::WRITE;
use super::{BACKOFF_MIN, PATIENCE, partitions};
use crate::Error;
use crate::migrate::{Migration, lacking};
use std::sync::Arc;
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
        client.batch_execute(LEDGER).await.map_err(colliding)?;
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
    client.batch_execute(WRITE).await?;
    // Another's migration, or a dump that reads what is to be altered, may take its time.
    client.batch_execute("set local lock_timeout = 0").await?;
    let holder = std::process::id().to_string();
    client.execute_typed(LEASE, &[(&holder, Type::TEXT)]).await?;
    let there = applied(client).await?;
    let Some(next) = lacking(&there, known).map_err(Failure::lasting)?.first().copied() else {
        client.batch_execute("rollback").await?;
        return Ok(false);
    };
    // Tables that come later are cut like those that are there.
    let partitions = if there.is_empty() { wanted } else { partitions::count(client).await? };
    match partitions {
        Some(partitions) => client.batch_execute(&partitions::cut(next.sql, partitions)).await?,
        None => client.batch_execute(next.sql).await?,
    }
    let insert = "insert into migrations (number, name) values ($1, $2)";
    client.execute_typed(insert, &[(&i64::from(next.number), Type::INT8), (&next.name, Type::TEXT)]).await?;
    client.batch_execute("commit").await?;
    tracing::info!(number = next.number, name = next.name, "migrated");
    Ok(true)
}

fn colliding(error: tokio_postgres::Error) -> Failure {
    // The database finds the other's table, its type, or its row in the catalog, whichever comes first.
    let made_twice = [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];
    let is_made_twice = error.code().is_some_and(|code| made_twice.contains(code));
    if is_made_twice { Failure::lost("another process makes the schema") } else { error.into() }
}

async fn applied(client: &Arc<Client>) -> Result<Vec<(u32, String)>, Failure> {
    let tables: Vec<String> =
        client.query_typed(TABLES, &[]).await?.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    if !tables.iter().any(|table| table == "migrations") {
        return Err(Failure::lasting(Error::Corrupt("this is a database of another program".to_owned())));
    }
    let rows = client.query_typed("select number, name from migrations order by number", &[]).await?;
    rows.iter()
        .map(|row| {
            let number: i64 = row.try_get(0)?;
            Ok((u32::try_from(number).unwrap_or(u32::MAX), row.try_get(1)?))
        })
        .collect()
}
