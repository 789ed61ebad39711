//! Invoices, their lines and their taxes.

use super::get;
use crate::{Error, Param, Row};
use billing::{Category, Id, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, InvoiceTax, Timestamp};

pub(crate) const INSERT_INVOICE: &str = "insert into invoices (
     shard, id, environment, ordinal, customer_ordinal, currency_ordinal, number, customer_id, kind,
     subscription_id, period_id, purchase_id, product_id, price_id, category, currency, subtotal,
     tax, total, invoice_date, due_date, period_start, period_end, memo, content_hash, status,
     settled, refunded, paid_at, attempt_count, retry_count, next_attempt_at, last_failure,
     created_at, updated_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
     $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35)";

/// The parameters of [`INSERT_INVOICE`].
pub(crate) fn insert_invoice<'a>(row: &'a Invoice) -> [Param<'a>; 35] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.environment.into(),
        row.ordinal.into(),
        row.customer_ordinal.into(),
        row.currency_ordinal.into(),
        (&row.number).into(),
        row.customer_id.raw().into(),
        row.kind.as_str().into(),
        row.subscription_id.map(Id::raw).into(),
        row.period_id.map(Id::raw).into(),
        row.purchase_id.map(Id::raw).into(),
        row.product_id.map(Id::raw).into(),
        row.price_id.map(Id::raw).into(),
        row.category.as_str().into(),
        row.currency.code().into(),
        row.subtotal.into(),
        row.tax.into(),
        row.total.into(),
        row.invoice_date.micros().into(),
        row.due_date.micros().into(),
        row.period.map(|period| period.start.micros()).into(),
        row.period.map(|period| period.end.micros()).into(),
        row.memo.as_deref().into(),
        (&row.content_hash).into(),
        row.status.as_str().into(),
        row.settled.into(),
        row.refunded.into(),
        row.paid_at.map(Timestamp::micros).into(),
        row.attempt_count.into(),
        row.retry_count.into(),
        row.next_attempt_at.map(Timestamp::micros).into(),
        row.last_failure.as_deref().into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

pub(crate) const UPDATE_INVOICE: &str = "update invoices set
     status = $3, settled = $4, refunded = $5, paid_at = $6, attempt_count = $7, retry_count = $8,
     next_attempt_at = $9, last_failure = $10, updated_at = $11
     where shard = $1 and id = $2";

/// The parameters of [`UPDATE_INVOICE`].
pub(crate) fn update_invoice<'a>(row: &'a Invoice) -> [Param<'a>; 11] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.status.as_str().into(),
        row.settled.into(),
        row.refunded.into(),
        row.paid_at.map(Timestamp::micros).into(),
        row.attempt_count.into(),
        row.retry_count.into(),
        row.next_attempt_at.map(Timestamp::micros).into(),
        row.last_failure.as_deref().into(),
        row.updated_at.micros().into(),
    ]
}

/// Reads the columns of `invoice_columns!` from column `at` on.
pub(crate) fn invoice(row: &Row<'_>, at: usize) -> Result<Invoice, Error> {
    Ok(Invoice {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        ordinal: row.int(at + 2)?,
        customer_ordinal: row.int(at + 3)?,
        currency_ordinal: row.int(at + 4)?,
        number: row.text(at + 5)?.to_owned(),
        customer_id: get::id(row, at + 6)?,
        kind: get::word(row, at + 7, InvoiceKind::parse)?,
        subscription_id: get::opt_id(row, at + 8)?,
        period_id: get::opt_id(row, at + 9)?,
        purchase_id: get::opt_id(row, at + 10)?,
        product_id: get::opt_id(row, at + 11)?,
        price_id: get::opt_id(row, at + 12)?,
        category: get::word(row, at + 13, Category::parse)?,
        currency: get::currency(row, at + 14)?,
        subtotal: row.int(at + 15)?,
        tax: row.int(at + 16)?,
        total: row.int(at + 17)?,
        invoice_date: get::time(row, at + 18)?,
        due_date: get::time(row, at + 19)?,
        period: get::opt_period(row, at + 20)?,
        memo: row.opt_text(at + 22)?.map(str::to_owned),
        content_hash: row.bytes(at + 23)?.to_vec(),
        status: get::word(row, at + 24, InvoiceStatus::parse)?,
        settled: row.int(at + 25)?,
        refunded: row.int(at + 26)?,
        paid_at: get::opt_time(row, at + 27)?,
        attempt_count: row.int(at + 28)?,
        retry_count: row.int(at + 29)?,
        next_attempt_at: get::opt_time(row, at + 30)?,
        last_failure: row.opt_text(at + 31)?.map(str::to_owned),
        created_at: get::time(row, at + 32)?,
        updated_at: get::time(row, at + 33)?,
    })
}

pub(crate) const INSERT_INVOICE_LINE: &str = "insert into invoice_lines (
     shard, invoice_id, position, id, environment, description, price_id, category, quantity,
     amount, created_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// The parameters of [`INSERT_INVOICE_LINE`].
pub(crate) fn insert_invoice_line<'a>(row: &'a InvoiceLine) -> [Param<'a>; 11] {
    [
        row.id.shard().into(),
        row.invoice_id.raw().into(),
        row.position.into(),
        row.id.raw().into(),
        row.environment.into(),
        (&row.description).into(),
        row.price_id.map(Id::raw).into(),
        row.category.as_str().into(),
        row.quantity.into(),
        row.amount.into(),
        row.created_at.micros().into(),
    ]
}

/// Reads the columns of `invoice_line_columns!` from column `at` on.
pub(crate) fn invoice_line(row: &Row<'_>, at: usize) -> Result<InvoiceLine, Error> {
    Ok(InvoiceLine {
        invoice_id: get::id(row, at)?,
        position: row.int(at + 1)?,
        id: get::id(row, at + 2)?,
        environment: row.int(at + 3)?,
        description: row.text(at + 4)?.to_owned(),
        price_id: get::opt_id(row, at + 5)?,
        category: get::word(row, at + 6, Category::parse)?,
        quantity: row.int(at + 7)?,
        amount: row.int(at + 8)?,
        created_at: get::time(row, at + 9)?,
    })
}

pub(crate) const INSERT_INVOICE_TAX: &str = "insert into invoice_taxes (
     shard, invoice_id, position, category, kind, country, state, rate, taxable, amount)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// The parameters of [`INSERT_INVOICE_TAX`].
pub(crate) fn insert_invoice_tax<'a>(row: &'a InvoiceTax, text: &'a str) -> [Param<'a>; 10] {
    [
        row.invoice_id.shard().into(),
        row.invoice_id.raw().into(),
        row.position.into(),
        row.category.as_str().into(),
        (&row.kind).into(),
        (&row.country).into(),
        row.state.as_deref().into(),
        text.into(),
        row.taxable.into(),
        row.amount.into(),
    ]
}

/// Reads the columns of `invoice_tax_columns!` from column `at` on.
pub(crate) fn invoice_tax(row: &Row<'_>, at: usize) -> Result<InvoiceTax, Error> {
    Ok(InvoiceTax {
        invoice_id: get::id(row, at)?,
        position: row.int(at + 1)?,
        category: get::word(row, at + 2, Category::parse)?,
        kind: row.text(at + 3)?.to_owned(),
        country: row.text(at + 4)?.to_owned(),
        state: row.opt_text(at + 5)?.map(str::to_owned),
        rate: get::rate(row, at + 6)?,
        taxable: row.int(at + 7)?,
        amount: row.int(at + 8)?,
    })
}
