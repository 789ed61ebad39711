//! Which process finishes what is due in which shard.
//!
//! A process holds the lease of a shard until an instant, renews it long before, and lets go of some
//! when there are more processes than before. The lease of one that died passes on when it is over. Two
//! that work on one shard by mistake waste time, no more: whatever they decide is guarded by versions
//! and unique keys.

use crate::{Error, Param, Snapshot, Store, Tx, settings};
use async_recursion::async_recursion as boxed;
use billing::sharding::ShardPlacement;
use billing::timestamp::Timestamp;

/// A process that shares the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Tells it from all others.
    pub id: u128,
    /// What people call it.
    pub name: String,
}

/// What a process holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The process.
    pub node: Node,
    /// When it was last seen.
    pub seen_at: Timestamp,
    /// Whether it bills, and does not answer only.
    pub bills: bool,
    /// The shards that it has leased, each with the end of its lease, which may be over.
    pub shards: Vec<(i64, Timestamp)>,
}

impl Holding {
    /// Whether the process was seen within so many seconds, or has a lease that is not over.
    pub fn is_there(&self, now: Timestamp, seconds: i64) -> bool {
        let since = now.plus_seconds(-seconds).unwrap_or(now);
        self.seen_at > since || self.held(now).next().is_some()
    }

    /// The shards whose lease is not over.
    pub fn held(&self, now: Timestamp) -> impl Iterator<Item = (i64, Timestamp)> {
        self.shards.iter().copied().filter(move |(_, until)| *until > now)
    }
}

const SEEN: &str = "insert into nodes (id, name, seen_at, bills) values ($1, $2, $3, $4)
     on conflict (id) do update set seen_at = excluded.seen_at";
const LIVE: &str = "select count(*) from nodes where seen_at >= $1 and coalesce(bills, true)";
const FORGET: &str = "delete from nodes where seen_at < $1";
const RENEW: &str = "update shards set until = $2 where node_id = $1 returning shard";
const LET_GO: &str = "update shards set node_id = null, until = 0 where node_id = $1 and shard = $2";
const CLAIM: &str = "update shards set node_id = $1, until = $2 where until < $3 and shard in
     (select shard from shards where until < $3 order by shard limit $4) returning shard";
const SHARDS: &str = "select count(*) from shards";
const NODES: &str = "select id, name, seen_at, coalesce(bills, true) from nodes order by name, id";
const HELD: &str = "select shard, until from shards where node_id = $1 order by shard";
const ANY_CUSTOMER: &str = "select count(*) from tallies where kind = 'customers' and n > 0";
const ADD_SHARD: &str = "insert into shards (shard, until) values ($1, 0)";

/// How many lease times a process may be silent before it is forgotten.
const FORGOTTEN_AFTER: i64 = 100;

impl Store {
    /// How many shards customers are spread over: one in a file, unless the books came from a database that
    /// has more.
    pub fn shards(&self) -> i64 {
        match self {
            Store::Sqlite(database) => database.shards(),
            Store::Postgres(database) => database.shards(),
        }
    }

    /// How customers that are yet to come are spread over the shards.
    pub fn spreading(&self) -> ShardPlacement {
        let by = match self {
            Store::Sqlite(database) => database.spread_by(),
            Store::Postgres(database) => database.spread_by(),
        };
        ShardPlacement { shards: self.shards(), by }
    }

    /// Spreads the customers that are yet to come over so many shards: a power of two up to 1024. Processes
    /// that have the books open go on as before.
    ///
    /// # Errors
    /// [`Error::Misuse`] if there are customers already, the books are in a file, or the number is none
    /// of those.
    #[boxed]
    pub async fn spread(&self, spread: ShardPlacement) -> Result<(), Error> {
        let Store::Postgres(database) = self else {
            let refused = "books in a file have one shard".to_owned();
            return if spread == self.spreading() { Ok(()) } else { Err(Error::Misuse(refused)) };
        };
        if !(1..=1024).contains(&spread.shards) || spread.shards.count_ones() != 1 {
            return Err(Error::Misuse("the number of shards is a power of two up to 1024".to_owned()));
        }
        self.write(move |tx| Box::pin(spread_new(tx, spread))).await?;
        database.look_at_spread().await
    }

    /// Says that a process is there and takes its part of the shards for some seconds; answers which it has
    /// until when. A claim that is made again, because a connection was lost, counts from then. Whoever
    /// holds a file has all of it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn claim_shards(
        &self,
        node: &Node,
        seconds: i64,
        clock: impl Fn() -> Timestamp + Send + 'static,
    ) -> Result<(Vec<i64>, Timestamp), Error> {
        let lease = move || {
            let now = clock();
            let end = now.plus_seconds(seconds).map_err(|_| Error::Misuse("a lease without an end".into()));
            Ok::<_, Error>((now, end?))
        };
        if matches!(self, Store::Sqlite(_)) {
            return Ok(((0..self.shards()).collect(), lease()?.1));
        }
        let node = node.clone();
        self.write(move |tx| {
            let (node, lease) = (node.clone(), lease());
            Box::pin(async move {
                let (now, until) = lease?;
                Ok((claim(tx, &node, now.micros(), until.micros()).await?, until))
            })
        })
        .await
    }

    /// Says that a process is there which answers and does not bill, at the time when that is written. Whoever
    /// holds a file is alone.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn heartbeat(
        &self,
        node: &Node,
        clock: impl Fn() -> Timestamp + Send + 'static,
    ) -> Result<(), Error> {
        if matches!(self, Store::Sqlite(_)) {
            return Ok(());
        }
        let node = node.clone();
        self.write(move |tx| {
            let (node, now) = (node.clone(), clock());
            Box::pin(async move { see(tx, &node, now.micros(), false).await })
        })
        .await
    }

    /// Lets go of everything that a process holds, because it ends.
    ///
    /// # Errors
    /// If the database fails.
    #[boxed]
    pub async fn release(&self, node: u128) -> Result<(), Error> {
        if matches!(self, Store::Sqlite(_)) {
            return Ok(());
        }
        self.write(move |tx| {
            Box::pin(async move {
                tx.execute("update shards set node_id = null, until = 0 where node_id = $1", &[node.into()])
                    .await?;
                tx.execute("delete from nodes where id = $1", &[node.into()]).await.map(|_| ())
            })
        })
        .await
    }

    /// The processes that share the work, and what each holds; none for books in a file.
    ///
    /// # Errors
    /// If the database fails.
    #[boxed]
    pub async fn holdings(&self) -> Result<Vec<Holding>, Error> {
        if matches!(self, Store::Sqlite(_)) {
            return Ok(Vec::new());
        }
        self.read(|s| Box::pin(holdings(s))).await
    }
}

async fn holdings(s: &mut Snapshot) -> Result<Vec<Holding>, Error> {
    let mut all = s
        .rows(NODES, &[], |row| {
            Ok(Holding {
                node: Node { id: row.id(0)?, name: row.text(1)?.to_owned() },
                seen_at: Timestamp::from_micros(row.int(2)?),
                bills: row.bool(3)?,
                shards: Vec::new(),
            })
        })
        .await?;
    for holding in &mut all {
        holding.shards = s
            .rows(HELD, &[holding.node.id.into()], |row| {
                Ok((row.int(0)?, Timestamp::from_micros(row.int(1)?)))
            })
            .await?;
    }
    Ok(all)
}

async fn see(tx: &mut Tx, node: &Node, now: i64, bills: bool) -> Result<(), Error> {
    tx.send(SEEN, [Param::Id(node.id), (&node.name).into(), now.into(), bills.into()]).await
}

async fn claim(tx: &mut Tx, node: &Node, now: i64, until: i64) -> Result<Vec<i64>, Error> {
    let lease = until - now;
    see(tx, node, now, true).await?;
    tx.send(FORGET, [(now - FORGOTTEN_AFTER * lease).into()]).await?;
    let live = tx.row(LIVE, &[(now - lease).into()], |row| row.int(0)).await?.unwrap_or(1).max(1);
    let all = tx.row(SHARDS, &[], |row| row.int(0)).await?.unwrap_or(1);
    let fair = usize::try_from((all + live - 1) / live).unwrap_or(1);
    let mut held = tx.rows(RENEW, &[node.id.into(), until.into()], |row| row.int(0)).await?;
    held.sort_unstable();
    for shard in held.split_off(fair.min(held.len())) {
        tx.send(LET_GO, [Param::Id(node.id), shard.into()]).await?;
    }
    if held.len() < fair {
        let missing = i64::try_from(fair - held.len()).unwrap_or(i64::MAX);
        let free = [node.id.into(), until.into(), now.into(), missing.into()];
        held.extend(tx.rows(CLAIM, &free, |row| row.int(0)).await?);
        held.sort_unstable();
    }
    Ok(held)
}

async fn spread_new(tx: &mut Tx, spread: ShardPlacement) -> Result<(), Error> {
    let there = ShardPlacement {
        shards: tx.row(SHARDS, &[], |row| row.int(0)).await?.unwrap_or(1),
        by: settings::spread_by(tx).await?,
    };
    if there == spread {
        return Ok(());
    }
    if there.shards > spread.shards || tx.row(ANY_CUSTOMER, &[], |row| row.int(0)).await?.unwrap_or(0) > 0 {
        let ShardPlacement { shards, by } = there;
        return Err(Error::Misuse(format!(
            "customers are spread over {shards} shards by {} already",
            by.as_str()
        )));
    }
    if there.by != spread.by {
        settings::put(tx, settings::SPREAD_BY, spread.by.as_str()).await?;
    }
    tx.execute_for(ADD_SHARD, (there.shards..spread.shards).map(|shard| [shard.into()])).await.map(|_| ())
}
