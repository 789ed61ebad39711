//! Billing periods with how far they are collected.

use super::OffsetPage;
use crate::records::codecs::{Id, Int, OneColumn, Opt, Text, Time, Word};
use crate::{Error, Row, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::id::{Id as _, PeriodId, SubscriptionId};
use billing::invoice::InvoiceStatus;
use billing::subscription::BillingPeriod;
use billing::timestamp::Timestamp;

/// A period with what its invoice says.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodRow {
    /// The period.
    pub period: BillingPeriod,
    /// Its invoice; none in a trial.
    pub invoice: Option<Collecting>,
}

/// How far an invoice is collected.
#[derive(Debug, Clone, PartialEq)]
pub struct Collecting {
    /// Where it stands.
    pub status: InvoiceStatus,
    /// How many times the gateway was asked.
    pub attempt_count: i64,
    /// How many of those were made by the dunning policy.
    pub retry_count: i64,
    /// When it will be asked next.
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_failure: Option<String>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

macro_rules! collected_columns {
    () => {
        concat!(
            period_columns!("p"),
            ", i.status, i.attempt_count, i.retry_count, i.next_attempt_at, i.last_failure, i.updated_at"
        )
    };
}

const PAGE: &str = concat!(
    "with periods_ever as materialized (select n from tallies where environment = $1 and kind = 'periods')
     select e.n, ",
    collected_columns!(),
    " from periods_ever e
     left join periods p on p.environment = $1 and p.number between e.n - $2 - $3 + 1 and e.n - $2
     left join invoices i on i.shard = p.shard and i.id = p.invoice_id
     order by p.number desc"
);
const ONE: &str = concat!(
    "select ",
    collected_columns!(),
    " from periods p left join invoices i on i.shard = p.shard and i.id = p.invoice_id
     where p.shard = $1 and p.id = $2 and p.environment = $3"
);
const OF_SUBSCRIPTION: &str = "select number, id from periods
     where shard = $1 and subscription_id = $2 and environment = $3";

/// A page of an environment's periods, newest first, and how many there are. One statement.
#[boxed]
pub async fn page(
    s: &mut Snapshot,
    environment: i64,
    offset_page: OffsetPage,
) -> Result<(i64, Vec<PeriodRow>), Error> {
    let (mut total, mut rows) = (0, Vec::new());
    s.each(PAGE, &[environment.into(), offset_page.skip().into(), offset_page.limit.into()], |row| {
        total = Int::of(row, "n")?;
        if !row.next_is_null()? {
            rows.push(read(row)?);
        }
        Ok(())
    })
    .await?;
    Ok((total, rows))
}

/// A period of an environment.
#[boxed]
pub async fn one(s: &mut Snapshot, environment: i64, id: PeriodId) -> Result<Option<PeriodRow>, Error> {
    s.row(ONE, &[id.shard().into(), id.raw().into(), environment.into()], read).await
}

/// A page of the periods that are among `ids` and belong to one of `subscriptions`, where those are
/// given; newest first, and how many there are. Walks the periods of the subscriptions that are named.
#[boxed]
pub async fn chosen(
    s: &mut Snapshot,
    environment: i64,
    ids: Option<&[PeriodId]>,
    subscriptions: Option<&[SubscriptionId]>,
    offset_page: OffsetPage,
) -> Result<(i64, Vec<PeriodRow>), Error> {
    let mut rows = match (ids, subscriptions) {
        (Some(ids), subscriptions) => {
            let mut rows = of_ids(s, environment, ids).await?;
            rows.retain(|row| {
                subscriptions.is_none_or(|wanted| wanted.contains(&row.period.subscription_id))
            });
            rows.sort_by_key(|row| std::cmp::Reverse(row.period.number));
            rows
        }
        (None, Some(subscriptions)) => {
            return of_subscriptions(s, environment, subscriptions, offset_page).await;
        }
        (None, None) => return page(s, environment, offset_page).await,
    };
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let skip = usize::try_from(offset_page.skip()).unwrap_or(usize::MAX).min(rows.len());
    rows.drain(..skip);
    rows.truncate(usize::try_from(offset_page.limit).unwrap_or(0));
    Ok((total, rows))
}

async fn of_ids(s: &mut Snapshot, environment: i64, ids: &[PeriodId]) -> Result<Vec<PeriodRow>, Error> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let keys = ids.iter().map(|id| [id.shard().into(), id.raw().into(), environment.into()]);
    let mut rows = Vec::with_capacity(ids.len());
    s.each_for(ONE, keys, |_, row| {
        rows.push(read(row)?);
        Ok(())
    })
    .await?;
    Ok(rows)
}

async fn of_subscriptions(
    s: &mut Snapshot,
    environment: i64,
    subscriptions: &[SubscriptionId],
    offset_page: OffsetPage,
) -> Result<(i64, Vec<PeriodRow>), Error> {
    let mut subscriptions = subscriptions.to_vec();
    subscriptions.sort_unstable();
    subscriptions.dedup();
    let keys = subscriptions.iter().map(|id| [id.shard().into(), id.raw().into(), environment.into()]);
    let mut found: Vec<(i64, PeriodId)> = Vec::new();
    s.each_for(OF_SUBSCRIPTION, keys, |_, row| {
        found.push((Int::of(row, "number")?, Id::of(row, "id")?));
        Ok(())
    })
    .await?;
    found.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let skip = usize::try_from(offset_page.skip()).unwrap_or(usize::MAX).min(found.len());
    let limit = usize::try_from(offset_page.limit).unwrap_or(0);
    let on_page: Vec<PeriodId> = found.into_iter().skip(skip).take(limit).map(|(_, id)| id).collect();
    let mut rows = of_ids(s, environment, &on_page).await?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.period.number));
    Ok((total, rows))
}

fn read(row: &Row<'_>) -> Result<PeriodRow, Error> {
    let period = row.record()?;
    let invoice = match Opt::<Word>::of(row, "status")? {
        None => None,
        Some(status) => Some(Collecting {
            status,
            attempt_count: Int::of(row, "attempt_count")?,
            retry_count: Int::of(row, "retry_count")?,
            next_attempt_at: Opt::<Time>::of(row, "next_attempt_at")?,
            last_failure: Opt::<Text>::of(row, "last_failure")?,
            updated_at: Time::of(row, "updated_at")?,
        }),
    };
    Ok(PeriodRow { period, invoice })
}
