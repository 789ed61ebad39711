//! Payments and credits in the order of their keys, and the counted lists that payments are in.

use super::after::After;
use crate::counted_list::CountedList;
use crate::received_payments;
use crate::records::codecs::{Bool, Id, Int, OneColumn, Opt, Word};
use crate::{Error, Param, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::id::{Id as _, InvoiceId, PaymentId};
use billing::payment::{Credit, Payment, PaymentKind, RefundStatus};

const PAYMENTS: &str = concat!(
    "select ",
    payment_columns!("p"),
    " from payments p where (p.shard, p.id) > ($1, $2) order by p.shard, p.id limit $3"
);

/// The payments after a key, those that were taken back among them.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn payments(s: &mut Snapshot, after: After, limit: i64) -> Result<Vec<Payment>, Error> {
    let params = [after.shard.into(), after.id.into(), limit.into()];
    s.rows(PAYMENTS, &params, |row| row.record()).await
}

const REFUNDS: &str = "select r.status, r.amount, r.invoice_id from refunds r
     where r.shard = $1 and r.payment_id = $2 order by r.id";

/// The refunds of payments (status, amount and invoice), for each payment in the order of the ids.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn refunds(
    s: &mut Snapshot,
    ids: &[PaymentId],
) -> Result<Vec<Vec<(RefundStatus, i64, Option<InvoiceId>)>>, Error> {
    let mut found = vec![Vec::new(); ids.len()];
    let keys = ids.iter().map(|id| [id.shard().into(), Param::Id(id.raw())]);
    s.each_for(REFUNDS, keys, |n, row| {
        let (status, amount) = (Word::of(row, "status")?, Int::of(row, "amount")?);
        found[n].push((status, amount, Opt::<Id>::of(row, "invoice_id")?));
        Ok(())
    })
    .await?;
    Ok(found)
}

const CREDITS_OF: &str = "select cast(sum(c.amount) as bigint) from credits c
     where c.shard = $1 and c.payment_id = $2 group by c.payment_id";

/// What payments put on the balance, in minor units, for each in the order of the ids; none for one
/// without a credit.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn credits_of(s: &mut Snapshot, ids: &[PaymentId]) -> Result<Vec<Option<i64>>, Error> {
    let mut found = vec![None; ids.len()];
    let keys = ids.iter().map(|id| [id.shard().into(), Param::Id(id.raw())]);
    s.each_for(CREDITS_OF, keys, |n, row| {
        found[n] = Some(row.int(0)?);
        Ok(())
    })
    .await?;
    Ok(found)
}

const LISTED: &str = "select e.amount from list_entries e where e.shard = $1 and e.environment = $2
     and e.ranking = $3 and e.list = $4 and e.at = $5 and e.id = $6";

/// The counted list that each payment should be in and the amount with which it stands there.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn listed(
    s: &mut Snapshot,
    payments: &[Payment],
) -> Result<Vec<(Option<CountedList>, Option<i64>)>, Error> {
    let places: Vec<_> = payments.iter().map(received_payments::place).collect();
    let mut found: Vec<(Option<CountedList>, Option<i64>)> =
        places.iter().map(|place| (place.map(|(ranking, _)| ranking), None)).collect();
    let there: Vec<_> =
        places.iter().enumerate().filter_map(|(n, place)| place.map(|place| (n, place))).collect();
    let keys = there.iter().map(|(_, (ranking, entry))| {
        [
            ranking.shard.into(),
            ranking.environment.into(),
            ranking.number.into(),
            entry.list.into(),
            entry.at.into(),
            Param::Id(entry.id),
        ]
    });
    s.each_for(LISTED, keys, |n, row| {
        found[there[n].0].1 = Some(row.int(0)?);
        Ok(())
    })
    .await?;
    Ok(found)
}

/// All counted lists of which anything is stored.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn counted_lists(s: &mut Snapshot) -> Result<Vec<CountedList>, Error> {
    const SQL: &str = "select shard, environment, ranking from list_entries
         union select shard, environment, ranking from list_nodes order by 1, 2, 3";
    s.rows(SQL, &[], |row| {
        Ok(CountedList { shard: row.int(0)?, environment: row.int(1)?, number: row.int(2)? })
    })
    .await
}

/// A credit with what was drawn on it and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// The credit.
    pub credit: Credit,
    /// The sum of its allocations, in minor units.
    pub allocated: i64,
    /// The payment that it came with: its kind, how much of it was refunded, and whether it is the
    /// same customer's and in the same currency.
    pub payment: Option<(PaymentKind, i64, bool)>,
}

const CREDITS: &str = concat!(
    "select ",
    credit_columns!("c"),
    ", cast(coalesce((select sum(a.amount) from allocations a
         where a.shard = c.shard and a.credit_id = c.id), 0) as bigint) as allocated,
     p.kind, p.refunded,
     case when p.customer_id = c.customer_id and p.currency = c.currency then 1 else 0 end as fits
     from credits c left join payments p on p.shard = c.shard and p.id = c.payment_id
     where (c.shard, c.id) > ($1, $2) order by c.shard, c.id limit $3"
);

/// The credits after a key.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn credits(s: &mut Snapshot, after: After, limit: i64) -> Result<Vec<Drawn>, Error> {
    let params = [after.shard.into(), after.id.into(), limit.into()];
    s.rows(CREDITS, &params, |row| {
        let (credit, allocated) = (row.record()?, Int::of(row, "allocated")?);
        let payment = match Opt::<Word>::of(row, "kind")? {
            Some(kind) => Some((kind, Int::of(row, "refunded")?, Bool::of(row, "fits")?)),
            None => None,
        };
        Ok(Drawn { credit, allocated, payment })
    })
    .await
}
