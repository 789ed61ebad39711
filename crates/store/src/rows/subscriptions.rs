//! Subscriptions, their items and their periods.

use super::get;
use crate::{Error, Param, Row};
use billing::subscription::{PendingItem, Status};
use billing::{BillingPeriod, Category, Id, Item, Money, Subscription, TaxBehavior, Timestamp};

pub(crate) const INSERT_SUBSCRIPTION: &str = "insert into subscriptions (
     shard, id, environment, number, customer_id, price_id, product_id, category, name, status,
     currency, interval_unit, interval_count, anchor, zone, period_index, period_id, period_start,
     period_end, periods_left, trial_end, default_payment_method_id, backup_payment_method_id,
     discount_id, discount_payments_left, cancel_scheduled_at, canceled_at, ended_at, reminded_at,
     due_at, metadata, started_at, created_at, updated_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
     $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)";

/// The parameters of [`INSERT_SUBSCRIPTION`].
pub(crate) fn insert_subscription<'a>(row: &'a Subscription) -> [Param<'a>; 34] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.environment.into(),
        row.number.into(),
        row.customer_id.raw().into(),
        row.price_id.raw().into(),
        row.product_id.raw().into(),
        row.category.as_str().into(),
        (&row.name).into(),
        row.status.as_str().into(),
        row.currency.code().into(),
        row.interval.unit.as_str().into(),
        row.interval.count.into(),
        row.anchor.micros().into(),
        (&row.zone).into(),
        row.period_index.into(),
        row.period_id.raw().into(),
        row.period.start.micros().into(),
        row.period.end.micros().into(),
        row.periods_left.into(),
        row.trial_end.map(Timestamp::micros).into(),
        row.default_payment_method_id.map(Id::raw).into(),
        row.backup_payment_method_id.map(Id::raw).into(),
        row.discount_id.map(Id::raw).into(),
        row.discount_payments_left.into(),
        row.cancel_scheduled_at.map(Timestamp::micros).into(),
        row.canceled_at.map(Timestamp::micros).into(),
        row.ended_at.map(Timestamp::micros).into(),
        row.reminded_at.map(Timestamp::micros).into(),
        row.due_at.map(Timestamp::micros).into(),
        row.metadata.as_deref().into(),
        row.started_at.micros().into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

pub(crate) const UPDATE_SUBSCRIPTION: &str = "update subscriptions set
     price_id = $3, product_id = $4, category = $5, name = $6, status = $7, anchor = $8, period_index = $9,
     period_id = $10, period_start = $11, period_end = $12, periods_left = $13, trial_end = $14,
     default_payment_method_id = $15, backup_payment_method_id = $16, discount_id = $17,
     discount_payments_left = $18, cancel_scheduled_at = $19, canceled_at = $20, ended_at = $21,
     reminded_at = $22, due_at = $23, metadata = $24, updated_at = $25
     where shard = $1 and id = $2";

/// The parameters of [`UPDATE_SUBSCRIPTION`].
pub(crate) fn update_subscription<'a>(row: &'a Subscription) -> [Param<'a>; 25] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.price_id.raw().into(),
        row.product_id.raw().into(),
        row.category.as_str().into(),
        (&row.name).into(),
        row.status.as_str().into(),
        row.anchor.micros().into(),
        row.period_index.into(),
        row.period_id.raw().into(),
        row.period.start.micros().into(),
        row.period.end.micros().into(),
        row.periods_left.into(),
        row.trial_end.map(Timestamp::micros).into(),
        row.default_payment_method_id.map(Id::raw).into(),
        row.backup_payment_method_id.map(Id::raw).into(),
        row.discount_id.map(Id::raw).into(),
        row.discount_payments_left.into(),
        row.cancel_scheduled_at.map(Timestamp::micros).into(),
        row.canceled_at.map(Timestamp::micros).into(),
        row.ended_at.map(Timestamp::micros).into(),
        row.reminded_at.map(Timestamp::micros).into(),
        row.due_at.map(Timestamp::micros).into(),
        row.metadata.as_deref().into(),
        row.updated_at.micros().into(),
    ]
}

/// Reads the columns of `subscription_columns!` from column `at` on.
pub(crate) fn subscription(row: &Row<'_>, at: usize) -> Result<Subscription, Error> {
    Ok(Subscription {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        number: row.int(at + 2)?,
        customer_id: get::id(row, at + 3)?,
        price_id: get::id(row, at + 4)?,
        product_id: get::id(row, at + 5)?,
        category: get::word(row, at + 6, Category::parse)?,
        name: row.text(at + 7)?.to_owned(),
        status: get::word(row, at + 8, Status::parse)?,
        currency: get::currency(row, at + 9)?,
        interval: get::interval(row, at + 10)?,
        anchor: get::time(row, at + 12)?,
        zone: row.text(at + 13)?.to_owned(),
        period_index: row.int(at + 14)?,
        period_id: get::id(row, at + 15)?,
        period: get::period(row, at + 16)?,
        periods_left: row.opt_int(at + 18)?,
        trial_end: get::opt_time(row, at + 19)?,
        default_payment_method_id: get::opt_id(row, at + 20)?,
        backup_payment_method_id: get::opt_id(row, at + 21)?,
        discount_id: get::opt_id(row, at + 22)?,
        discount_payments_left: row.opt_int(at + 23)?,
        cancel_scheduled_at: get::opt_time(row, at + 24)?,
        canceled_at: get::opt_time(row, at + 25)?,
        ended_at: get::opt_time(row, at + 26)?,
        reminded_at: get::opt_time(row, at + 27)?,
        due_at: get::opt_time(row, at + 28)?,
        metadata: row.opt_text(at + 29)?.map(str::to_owned),
        started_at: get::time(row, at + 30)?,
        created_at: get::time(row, at + 31)?,
        updated_at: get::time(row, at + 32)?,
    })
}

pub(crate) const INSERT_ITEM: &str = "insert into items (
     shard, subscription_id, id, environment, customer_id, price_id, product_id, category, name,
     unit_price, currency, tax_behavior, quantity, pending, added_at, created_at, updated_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";

/// The parameters of [`INSERT_ITEM`].
pub(crate) fn insert_item<'a>(row: &'a Item) -> [Param<'a>; 17] {
    [
        row.id.shard().into(),
        row.subscription_id.raw().into(),
        row.id.raw().into(),
        row.environment.into(),
        row.customer_id.raw().into(),
        row.price_id.raw().into(),
        row.product_id.raw().into(),
        row.category.as_str().into(),
        (&row.name).into(),
        row.unit_price.minor().into(),
        row.unit_price.currency().code().into(),
        row.tax_behavior.as_str().into(),
        row.quantity.into(),
        row.pending.map(PendingItem::as_str).into(),
        row.added_at.micros().into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

pub(crate) const UPDATE_ITEM: &str = "update items set
     quantity = $4, name = $5, pending = $6, added_at = $7, updated_at = $8
     where shard = $1 and subscription_id = $2 and id = $3";

/// The parameters of [`UPDATE_ITEM`].
pub(crate) fn update_item<'a>(row: &'a Item) -> [Param<'a>; 8] {
    [
        row.id.shard().into(),
        row.subscription_id.raw().into(),
        row.id.raw().into(),
        row.quantity.into(),
        (&row.name).into(),
        row.pending.map(PendingItem::as_str).into(),
        row.added_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

/// Reads the columns of `item_columns!` from column `at` on.
pub(crate) fn item(row: &Row<'_>, at: usize) -> Result<Item, Error> {
    Ok(Item {
        subscription_id: get::id(row, at)?,
        id: get::id(row, at + 1)?,
        environment: row.int(at + 2)?,
        customer_id: get::id(row, at + 3)?,
        price_id: get::id(row, at + 4)?,
        product_id: get::id(row, at + 5)?,
        category: get::word(row, at + 6, Category::parse)?,
        name: row.text(at + 7)?.to_owned(),
        unit_price: Money::new(row.int(at + 8)?, get::currency(row, at + 9)?),
        tax_behavior: get::word(row, at + 10, TaxBehavior::parse)?,
        quantity: row.int(at + 11)?,
        pending: get::opt_word(row, at + 12, PendingItem::parse)?,
        added_at: get::time(row, at + 13)?,
        created_at: get::time(row, at + 14)?,
        updated_at: get::time(row, at + 15)?,
    })
}

pub(crate) const INSERT_PERIOD: &str = "insert into periods (
     shard, id, environment, number, customer_id, subscription_id, period_start, period_end,
     price_id, quantity, invoice_id, renewal, reminder_sent_at, created_at, updated_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

/// The parameters of [`INSERT_PERIOD`].
pub(crate) fn insert_period<'a>(row: &'a BillingPeriod) -> [Param<'a>; 15] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.environment.into(),
        row.number.into(),
        row.customer_id.raw().into(),
        row.subscription_id.raw().into(),
        row.period.start.micros().into(),
        row.period.end.micros().into(),
        row.price_id.raw().into(),
        row.quantity.into(),
        row.invoice_id.map(Id::raw).into(),
        row.renewal.into(),
        row.reminder_sent_at.map(Timestamp::micros).into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

/// How many columns [`period`] reads.
pub(crate) const PERIOD_WIDTH: usize = 14;

/// Reads the columns of `period_columns!` from column `at` on.
pub(crate) fn period(row: &Row<'_>, at: usize) -> Result<BillingPeriod, Error> {
    Ok(BillingPeriod {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        number: row.int(at + 2)?,
        customer_id: get::id(row, at + 3)?,
        subscription_id: get::id(row, at + 4)?,
        period: get::period(row, at + 5)?,
        price_id: get::id(row, at + 7)?,
        quantity: row.int(at + 8)?,
        invoice_id: get::opt_id(row, at + 9)?,
        renewal: row.bool(at + 10)?,
        reminder_sent_at: get::opt_time(row, at + 11)?,
        created_at: get::time(row, at + 12)?,
        updated_at: get::time(row, at + 13)?,
    })
}
