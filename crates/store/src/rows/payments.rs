//! Payments, refunds, balances and purchases.

use super::get;
use crate::{Error, Param, Row};
use billing::{
    Allocation, Category, Credit, Id, Payment, PaymentChannel, PaymentKind, PaymentStatus, Purchase,
    PurchaseStatus, Refund, RefundStatus, Timestamp,
};

pub(crate) const INSERT_PAYMENT: &str = "insert into payments (
     shard, id, environment, customer_id, invoice_id, attempt, is_retry, payment_method_id, kind,
     means, category, amount, currency, refunded, status, paid_at, failure_code, failure_message,
     gateway_reference, description, notes, receipt_image, created_by, price_id, discount_percent,
     created_at, updated_at, deleted_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
     $22, $23, $24, $25, $26, $27, $28)";

/// The parameters of [`INSERT_PAYMENT`].
pub(crate) fn insert_payment<'a>(row: &'a Payment) -> [Param<'a>; 28] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.environment.into(),
        row.customer_id.raw().into(),
        row.invoice_id.map(Id::raw).into(),
        row.attempt.into(),
        row.is_retry.into(),
        row.payment_method_id.map(Id::raw).into(),
        row.kind.as_str().into(),
        row.means.as_str().into(),
        row.category.as_str().into(),
        row.amount.into(),
        row.currency.code().into(),
        row.refunded.into(),
        row.status.as_str().into(),
        row.paid_at.micros().into(),
        row.failure_code.as_deref().into(),
        row.failure_message.as_deref().into(),
        row.gateway_reference.as_deref().into(),
        row.description.as_deref().into(),
        row.notes.as_deref().into(),
        row.receipt_image.as_deref().into(),
        row.created_by.map(Id::raw).into(),
        row.price_id.map(Id::raw).into(),
        row.discount_percent.into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
        row.deleted_at.map(Timestamp::micros).into(),
    ]
}

pub(crate) const UPDATE_PAYMENT: &str = "update payments set
     means = $3, amount = $4, refunded = $5, status = $6, paid_at = $7, failure_code = $8, failure_message = $9,
     gateway_reference = $10, description = $11, notes = $12, receipt_image = $13, updated_at = $14,
     deleted_at = $15
     where shard = $1 and id = $2";

/// The parameters of [`UPDATE_PAYMENT`].
pub(crate) fn update_payment<'a>(row: &'a Payment) -> [Param<'a>; 15] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.means.as_str().into(),
        row.amount.into(),
        row.refunded.into(),
        row.status.as_str().into(),
        row.paid_at.micros().into(),
        row.failure_code.as_deref().into(),
        row.failure_message.as_deref().into(),
        row.gateway_reference.as_deref().into(),
        row.description.as_deref().into(),
        row.notes.as_deref().into(),
        row.receipt_image.as_deref().into(),
        row.updated_at.micros().into(),
        row.deleted_at.map(Timestamp::micros).into(),
    ]
}

/// How many columns [`payment`] reads.
pub(crate) const PAYMENT_WIDTH: usize = 27;
/// Where `kind` and `category` are among them.
pub(crate) const PAYMENT_KIND: usize = 7;
pub(crate) const PAYMENT_CATEGORY: usize = 9;

/// Reads the columns of `payment_columns!` from column `at` on.
pub(crate) fn payment(row: &Row<'_>, at: usize) -> Result<Payment, Error> {
    Ok(Payment {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        customer_id: get::id(row, at + 2)?,
        invoice_id: get::opt_id(row, at + 3)?,
        attempt: row.opt_int(at + 4)?,
        is_retry: row.bool(at + 5)?,
        payment_method_id: get::opt_id(row, at + 6)?,
        kind: get::word(row, at + 7, PaymentKind::parse)?,
        means: get::word(row, at + 8, PaymentChannel::parse)?,
        category: get::word(row, at + 9, Category::parse)?,
        amount: row.int(at + 10)?,
        currency: get::currency(row, at + 11)?,
        refunded: row.int(at + 12)?,
        status: get::word(row, at + 13, PaymentStatus::parse)?,
        paid_at: get::time(row, at + 14)?,
        failure_code: row.opt_text(at + 15)?.map(str::to_owned),
        failure_message: row.opt_text(at + 16)?.map(str::to_owned),
        gateway_reference: row.opt_text(at + 17)?.map(str::to_owned),
        description: row.opt_text(at + 18)?.map(str::to_owned),
        notes: row.opt_text(at + 19)?.map(str::to_owned),
        receipt_image: row.opt_text(at + 20)?.map(str::to_owned),
        created_by: get::opt_id(row, at + 21)?,
        price_id: get::opt_id(row, at + 22)?,
        discount_percent: row.int(at + 23)?,
        created_at: get::time(row, at + 24)?,
        updated_at: get::time(row, at + 25)?,
        deleted_at: get::opt_time(row, at + 26)?,
    })
}

pub(crate) const INSERT_REFUND: &str = "insert into refunds (
     shard, id, environment, customer_id, payment_id, invoice_id, amount, currency, reason, status,
     failure_message, created_at, updated_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

/// The parameters of [`INSERT_REFUND`].
pub(crate) fn insert_refund<'a>(row: &'a Refund) -> [Param<'a>; 13] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.environment.into(),
        row.customer_id.raw().into(),
        row.payment_id.raw().into(),
        row.invoice_id.map(Id::raw).into(),
        row.amount.into(),
        row.currency.code().into(),
        row.reason.as_deref().into(),
        row.status.as_str().into(),
        row.failure_message.as_deref().into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

pub(crate) const UPDATE_REFUND: &str = "update refunds set
     status = $3, failure_message = $4, updated_at = $5
     where shard = $1 and id = $2";

/// The parameters of [`UPDATE_REFUND`].
pub(crate) fn update_refund<'a>(row: &'a Refund) -> [Param<'a>; 5] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.status.as_str().into(),
        row.failure_message.as_deref().into(),
        row.updated_at.micros().into(),
    ]
}

/// Reads the columns of `refund_columns!` from column `at` on.
pub(crate) fn refund(row: &Row<'_>, at: usize) -> Result<Refund, Error> {
    Ok(Refund {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        customer_id: get::id(row, at + 2)?,
        payment_id: get::id(row, at + 3)?,
        invoice_id: get::opt_id(row, at + 4)?,
        amount: row.int(at + 5)?,
        currency: get::currency(row, at + 6)?,
        reason: row.opt_text(at + 7)?.map(str::to_owned),
        status: get::word(row, at + 8, RefundStatus::parse)?,
        failure_message: row.opt_text(at + 9)?.map(str::to_owned),
        created_at: get::time(row, at + 10)?,
        updated_at: get::time(row, at + 11)?,
    })
}

pub(crate) const INSERT_CREDIT: &str = "insert into credits (
     shard, id, environment, customer_id, payment_id, amount, remaining, currency, created_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// The parameters of [`INSERT_CREDIT`].
pub(crate) fn insert_credit<'a>(row: &'a Credit) -> [Param<'a>; 9] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.environment.into(),
        row.customer_id.raw().into(),
        row.payment_id.map(Id::raw).into(),
        row.amount.into(),
        row.remaining.into(),
        row.currency.code().into(),
        row.created_at.micros().into(),
    ]
}

pub(crate) const UPDATE_CREDIT: &str = "update credits set
     amount = $3, remaining = $4
     where shard = $1 and id = $2";

/// The parameters of [`UPDATE_CREDIT`].
pub(crate) fn update_credit<'a>(row: &'a Credit) -> [Param<'a>; 4] {
    [row.id.shard().into(), row.id.raw().into(), row.amount.into(), row.remaining.into()]
}

/// How many columns [`credit`] reads.
pub(crate) const CREDIT_WIDTH: usize = 8;

/// Reads the columns of `credit_columns!` from column `at` on.
pub(crate) fn credit(row: &Row<'_>, at: usize) -> Result<Credit, Error> {
    Ok(Credit {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        customer_id: get::id(row, at + 2)?,
        payment_id: get::opt_id(row, at + 3)?,
        amount: row.int(at + 4)?,
        remaining: row.int(at + 5)?,
        currency: get::currency(row, at + 6)?,
        created_at: get::time(row, at + 7)?,
    })
}

pub(crate) const INSERT_ALLOCATION: &str = "insert into allocations (
     shard, id, environment, customer_id, credit_id, invoice_id, amount, created_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8)";

/// The parameters of [`INSERT_ALLOCATION`].
pub(crate) fn insert_allocation<'a>(row: &'a Allocation) -> [Param<'a>; 8] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.environment.into(),
        row.customer_id.raw().into(),
        row.credit_id.raw().into(),
        row.invoice_id.raw().into(),
        row.amount.into(),
        row.created_at.micros().into(),
    ]
}

/// Reads the columns of `allocation_columns!` from column `at` on.
pub(crate) fn allocation(row: &Row<'_>, at: usize) -> Result<Allocation, Error> {
    Ok(Allocation {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        customer_id: get::id(row, at + 2)?,
        credit_id: get::id(row, at + 3)?,
        invoice_id: get::id(row, at + 4)?,
        amount: row.int(at + 5)?,
        created_at: get::time(row, at + 6)?,
    })
}

pub(crate) const INSERT_PURCHASE: &str = "insert into purchases (
     shard, id, environment, customer_id, price_id, name, status, quantity, first_invoice_value,
     price_per_cycle, currency, metadata, purchased_at, created_at, updated_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

/// The parameters of [`INSERT_PURCHASE`].
pub(crate) fn insert_purchase<'a>(row: &'a Purchase) -> [Param<'a>; 15] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.environment.into(),
        row.customer_id.raw().into(),
        row.price_id.raw().into(),
        (&row.name).into(),
        row.status.as_str().into(),
        row.quantity.into(),
        row.first_invoice_value.into(),
        row.price_per_cycle.into(),
        row.currency.code().into(),
        row.metadata.as_deref().into(),
        row.purchased_at.map(Timestamp::micros).into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

pub(crate) const UPDATE_PURCHASE: &str = "update purchases set
     status = $3, purchased_at = $4, updated_at = $5
     where shard = $1 and id = $2";

/// The parameters of [`UPDATE_PURCHASE`].
pub(crate) fn update_purchase<'a>(row: &'a Purchase) -> [Param<'a>; 5] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.status.as_str().into(),
        row.purchased_at.map(Timestamp::micros).into(),
        row.updated_at.micros().into(),
    ]
}

/// Reads the columns of `purchase_columns!` from column `at` on.
pub(crate) fn purchase(row: &Row<'_>, at: usize) -> Result<Purchase, Error> {
    Ok(Purchase {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        customer_id: get::id(row, at + 2)?,
        price_id: get::id(row, at + 3)?,
        name: row.text(at + 4)?.to_owned(),
        status: get::word(row, at + 5, PurchaseStatus::parse)?,
        quantity: row.int(at + 6)?,
        first_invoice_value: row.int(at + 7)?,
        price_per_cycle: row.opt_int(at + 8)?,
        currency: get::currency(row, at + 9)?,
        metadata: row.opt_text(at + 10)?.map(str::to_owned),
        purchased_at: get::opt_time(row, at + 11)?,
        created_at: get::time(row, at + 12)?,
        updated_at: get::time(row, at + 13)?,
    })
}
