//! Reading subscriptions, their items, and those of which something is due.

use crate::records::codecs::{Id, OneColumn, Opt, Time};
use crate::{Error, Param, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::id::{CustomerId, Id as _, SubscriptionId};
use billing::subscription::{Item, Subscription};
use billing::timestamp::Timestamp;

const ONE: &str =
    concat!("select ", subscription_columns!("s"), " from subscriptions s where s.shard = $1 and s.id = $2");
const DUE: &str = "select id, customer_id from subscriptions
     where environment = $1 and shard = $2 and due_at <= $3 order by due_at, id limit $4";
const NEXT_DUE: &str = "select min(due_at) as next_at from subscriptions
     where environment = $1 and shard = $2 and due_at > $3";
const ITEMS: &str = concat!(
    "select ",
    item_columns!("i"),
    " from items i where i.shard = $1 and i.subscription_id = $2 order by i.id"
);
const OF_CUSTOMER: &str = concat!(
    "select ",
    subscription_columns!("s"),
    " from subscriptions s where s.shard = $1 and s.customer_id = $2 order by s.id"
);

/// A subscription of an environment.
#[boxed]
pub async fn one(
    s: &mut Snapshot,
    environment: i64,
    id: SubscriptionId,
) -> Result<Option<Subscription>, Error> {
    let found: Option<Subscription> =
        s.row(ONE, &[id.shard().into(), id.raw().into()], |row| row.record()).await?;
    Ok(found.filter(|subscription| subscription.environment == environment))
}

/// The subscriptions of these ids that are of the environment, in the order of the ids.
#[boxed]
pub async fn many(
    s: &mut Snapshot,
    environment: i64,
    ids: &[SubscriptionId],
) -> Result<Vec<Subscription>, Error> {
    let keys = ids.iter().map(|id| [id.shard().into(), Param::Id(id.raw())]);
    let mut found: Vec<Subscription> = Vec::with_capacity(ids.len());
    s.each_for(ONE, keys, |_, row| {
        found.push(row.record()?);
        Ok(())
    })
    .await?;
    found.retain(|subscription| subscription.environment == environment);
    Ok(found)
}

/// The subscriptions of a shard of which something is due and their customers, the longest due first.
#[boxed]
pub async fn due(
    s: &mut Snapshot,
    environment: i64,
    shard: i64,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(SubscriptionId, CustomerId)>, Error> {
    let params = [environment.into(), shard.into(), now.micros().into(), limit.into()];
    s.rows(DUE, &params, |row| Ok((Id::of(row, "id")?, Id::of(row, "customer_id")?))).await
}

const BUSY: &str = "select 1 where
     exists (select 1 from subscriptions s where s.environment = $1 and s.shard = $2 and s.due_at <= $3)
     or exists (select 1 from invoices i where i.environment = $1 and i.shard = $2 and i.next_attempt_at <= $3)
     or exists (select 1 from payments p where p.environment = $1 and p.shard = $2
       and p.status = 'processing' and p.updated_at <= $4)
     or exists (select 1 from refunds r where r.environment = $1 and r.shard = $2
       and r.status = 'processing' and r.updated_at <= $4)";

/// Those of some shards in which something is due, or a gateway has not answered since `silent`.
#[boxed]
pub async fn busy_shards(
    s: &mut Snapshot,
    environment: i64,
    shards: &[i64],
    now: Timestamp,
    silent: Timestamp,
) -> Result<Vec<i64>, Error> {
    let sets = shards
        .iter()
        .map(|shard| [environment.into(), (*shard).into(), now.micros().into(), silent.micros().into()]);
    let mut busy = Vec::new();
    s.each_for(BUSY, sets, |n, _| {
        busy.push(shards[n]);
        Ok(())
    })
    .await?;
    Ok(busy)
}

/// When the next subscription of a shard falls due after an instant.
#[boxed]
pub async fn next_due(
    s: &mut Snapshot,
    environment: i64,
    shard: i64,
    after: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let params = [environment.into(), shard.into(), after.micros().into()];
    Ok(s.row(NEXT_DUE, &params, |row| Opt::<Time>::of(row, "next_at")).await?.flatten())
}

/// The items of subscriptions, for each in the order of the ids.
#[boxed]
pub async fn items(s: &mut Snapshot, ids: &[SubscriptionId]) -> Result<Vec<Vec<Item>>, Error> {
    let keys = ids.iter().map(|id| [id.shard().into(), Param::Id(id.raw())]);
    let mut found = vec![Vec::new(); ids.len()];
    s.each_for(ITEMS, keys, |n, row| {
        found[n].push(row.record()?);
        Ok(())
    })
    .await?;
    Ok(found)
}

/// All subscriptions of a customer, the oldest first.
#[boxed]
pub async fn of_customer(s: &mut Snapshot, customer: CustomerId) -> Result<Vec<Subscription>, Error> {
    let params = [customer.shard().into(), customer.raw().into()];
    s.rows(OF_CUSTOMER, &params, |row| row.record()).await
}
