//! Reading payments, refunds and balances.

use crate::records::codecs::{OneColumn, Opt, Time};
use crate::{Error, Param, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::id::{Id, InvoiceId, PaymentId};
use billing::payment::{Allocation, Credit, Payment, Refund};
use billing::timestamp::Timestamp;

const ONE: &str =
    concat!("select ", payment_columns!("p"), " from payments p where p.shard = $1 and p.id = $2");
const PROCESSING: &str = concat!(
    "select ",
    payment_columns!("p"),
    " from payments p where p.environment = $1 and p.shard = $2 and p.status = 'processing'
     and p.updated_at <= $3 and p.id > $4 order by p.id limit $5"
);
const OLDEST_PROCESSING: &str = "select min(updated_at) as since from payments
     where environment = $1 and shard = $2 and status = 'processing' and updated_at > $3";
const IN_FLIGHT: &str = "select count(*) from payments
     where shard = $1 and invoice_id = $2 and status = 'processing'";

/// A payment of an environment that was not taken back.
#[boxed]
pub async fn one(s: &mut Snapshot, environment: i64, id: PaymentId) -> Result<Option<Payment>, Error> {
    let found: Option<Payment> =
        s.row(ONE, &[id.shard().into(), id.raw().into()], |row| row.record()).await?;
    Ok(found.filter(|payment| payment.environment == environment && payment.deleted_at.is_none()))
}

/// The payments of a shard whose gateway has not answered since an instant, from after one on.
#[boxed]
pub async fn processing(
    s: &mut Snapshot,
    environment: i64,
    shard: i64,
    since: Timestamp,
    after: Option<PaymentId>,
    limit: i64,
) -> Result<Vec<Payment>, Error> {
    let after = Param::Id(after.map_or(0, Id::raw));
    let params = [environment.into(), shard.into(), since.micros().into(), after, limit.into()];
    s.rows(PROCESSING, &params, |row| row.record()).await
}

/// Since when the gateway has not answered the longest waiting payment of a shard, of those that wait
/// since after an instant.
#[boxed]
pub async fn oldest_processing(
    s: &mut Snapshot,
    environment: i64,
    shard: i64,
    after: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let params = [environment.into(), shard.into(), after.micros().into()];
    Ok(s.row(OLDEST_PROCESSING, &params, |row| Opt::<Time>::of(row, "since")).await?.flatten())
}

/// Whether a payment of an invoice is under way.
#[boxed]
pub async fn in_flight(s: &mut Snapshot, invoice: InvoiceId) -> Result<bool, Error> {
    let params = [invoice.shard().into(), invoice.raw().into()];
    Ok(s.row(IN_FLIGHT, &params, |row| row.int(0)).await?.unwrap_or(0) > 0)
}

const REFUND: &str =
    concat!("select ", refund_columns!("r"), " from refunds r where r.shard = $1 and r.id = $2");
const REFUNDS_OF: &str = concat!(
    "select ",
    refund_columns!("r"),
    " from refunds r where r.shard = $1 and r.payment_id = $2 order by r.id"
);
const PROCESSING_REFUNDS: &str = concat!(
    "select ",
    refund_columns!("r"),
    " from refunds r where r.environment = $1 and r.shard = $2 and r.status = 'processing'
     and r.updated_at <= $3 and r.id > $4 order by r.id limit $5"
);
const OLDEST_PROCESSING_REFUND: &str = "select min(updated_at) as since from refunds
     where environment = $1 and shard = $2 and status = 'processing' and updated_at > $3";

/// A refund.
#[boxed]
pub async fn refund(s: &mut Snapshot, id: billing::id::RefundId) -> Result<Option<Refund>, Error> {
    s.row(REFUND, &[id.shard().into(), id.raw().into()], |row| row.record()).await
}

/// The refunds of a payment, the oldest first.
#[boxed]
pub async fn refunds_of(s: &mut Snapshot, payment: PaymentId) -> Result<Vec<Refund>, Error> {
    s.rows(REFUNDS_OF, &[payment.shard().into(), payment.raw().into()], |row| row.record()).await
}

/// The refunds of a shard whose gateway has not answered since an instant, from after one on.
#[boxed]
pub async fn processing_refunds(
    s: &mut Snapshot,
    environment: i64,
    shard: i64,
    since: Timestamp,
    after: Option<billing::id::RefundId>,
    limit: i64,
) -> Result<Vec<Refund>, Error> {
    let after = Param::Id(after.map_or(0, Id::raw));
    let params = [environment.into(), shard.into(), since.micros().into(), after, limit.into()];
    s.rows(PROCESSING_REFUNDS, &params, |row| row.record()).await
}

/// Since when the gateway has not answered the longest waiting refund of a shard, of those that wait
/// since after an instant.
#[boxed]
pub async fn oldest_processing_refund(
    s: &mut Snapshot,
    environment: i64,
    shard: i64,
    after: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let params = [environment.into(), shard.into(), after.micros().into()];
    Ok(s.row(OLDEST_PROCESSING_REFUND, &params, |row| Opt::<Time>::of(row, "since")).await?.flatten())
}

const CREDIT_OF: &str =
    concat!("select ", credit_columns!("c"), " from credits c where c.shard = $1 and c.payment_id = $2");
const ALLOCATIONS_OF: &str = concat!(
    "select ",
    allocation_columns!("a"),
    " from allocations a where a.shard = $1 and a.credit_id = $2 order by a.id"
);

/// The money that came with a payment onto the balance, and what it was used for.
#[boxed]
pub async fn credit_of(
    s: &mut Snapshot,
    payment: PaymentId,
) -> Result<Option<(Credit, Vec<Allocation>)>, Error> {
    let shard = payment.shard();
    let credit: Option<Credit> =
        s.row(CREDIT_OF, &[shard.into(), payment.raw().into()], |row| row.record()).await?;
    let Some(credit) = credit else { return Ok(None) };
    let params = [shard.into(), credit.id.raw().into()];
    let allocations = s.rows(ALLOCATIONS_OF, &params, |row| row.record()).await?;
    Ok(Some((credit, allocations)))
}
