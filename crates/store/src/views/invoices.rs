//! A customer's invoices.

use super::OffsetPage;
use crate::records::codecs::{CurrencyCode, Int, OneColumn, Opt, Text, Time, Word};
use crate::{Error, Param, Row, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::catalog::Category;
use billing::currency::Currency;
use billing::id::{CustomerId, Id, ProductId};
use billing::invoice::InvoiceStatus;
use billing::timestamp::Timestamp;

/// An invoice as its own document shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Issued {
    /// The number that is printed on it.
    pub number: String,
    /// What its first line is for.
    pub category: Category,
    /// The currency of its amounts.
    pub currency: Currency,
    /// What is to be paid, in minor units; tax is inside.
    pub total: i64,
    /// The sum of its taxes, in minor units.
    pub tax: i64,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// When it was issued.
    pub invoice_date: Timestamp,
    /// When it is to be paid.
    pub due_date: Timestamp,
    /// When nothing was owed any more.
    pub paid_at: Option<Timestamp>,
}

const ISSUED: &str = "with newest as materialized (
       select coalesce((select i.customer_ordinal from invoices i where i.shard = $1 and i.customer_id = $2
         order by i.customer_ordinal desc limit 1), 0) as total)
     select n.total as invoices, i.number, i.category, i.currency, i.total, i.tax, i.status, i.invoice_date,
       i.due_date, i.paid_at
     from newest n left join invoices i on i.shard = $1 and i.customer_id = $2
       and i.customer_ordinal between n.total - $3 - $4 + 1 and n.total - $3
     order by i.customer_ordinal desc";
const ISSUED_FOR: &str =
    "select number, category, currency, total, tax, status, invoice_date, due_date, paid_at
     from invoices where shard = $1 and customer_id = $2 and product_id = $3
     order by customer_ordinal desc limit $4 offset $5";
const COUNT_FOR: &str =
    "select count(*) from invoices where shard = $1 and customer_id = $2 and product_id = $3";

/// Says that a page of all of a customer's invoices will be asked for.
pub fn prefetch_issued(s: &mut Snapshot, customer: CustomerId, offset_page: OffsetPage) {
    s.prefetch(ISSUED, &newest(customer, offset_page));
}

fn newest(customer: CustomerId, offset_page: OffsetPage) -> [Param<'static>; 4] {
    [customer.shard().into(), customer.raw().into(), offset_page.skip().into(), offset_page.limit.into()]
}

/// A page of a customer's invoices, newest first, with how many there are: all, or those whose first
/// line is for a product.
#[boxed]
pub async fn issued(
    s: &mut Snapshot,
    customer: CustomerId,
    product: Option<ProductId>,
    offset_page: OffsetPage,
) -> Result<(i64, Vec<Issued>), Error> {
    let (shard, id) = (customer.shard(), customer.raw());
    let Some(product) = product else {
        let (mut total, mut rows) = (0, Vec::new());
        let see = |row: &Row<'_>| {
            total = Int::of(row, "invoices")?;
            if !row.next_is_null()? {
                rows.push(read_issued(row)?);
            }
            Ok(())
        };
        s.each(ISSUED, &newest(customer, offset_page), see).await?;
        return Ok((total, rows));
    };
    let key = [shard.into(), id.into(), product.raw().into()];
    let total = s.row(COUNT_FOR, &key, |row| row.int(0)).await?.unwrap_or(0);
    let [shard, id, product] = key;
    let params = [shard, id, product, offset_page.limit.into(), offset_page.skip().into()];
    Ok((total, s.rows(ISSUED_FOR, &params, read_issued).await?))
}

fn read_issued(row: &Row<'_>) -> Result<Issued, Error> {
    Ok(Issued {
        number: Text::of(row, "number")?,
        category: Word::of(row, "category")?,
        currency: CurrencyCode::of(row, "currency")?,
        total: Int::of(row, "total")?,
        tax: Int::of(row, "tax")?,
        status: Word::of(row, "status")?,
        invoice_date: Time::of(row, "invoice_date")?,
        due_date: Time::of(row, "due_date")?,
        paid_at: Opt::<Time>::of(row, "paid_at")?,
    })
}
