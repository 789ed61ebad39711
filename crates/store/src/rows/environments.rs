//! Organizations, their environments and their staff.

use super::get;
use crate::{Error, Param, Row};
use billing::{Environment, Id, Numbering, Organization, Staff, Timestamp};

pub(crate) const INSERT_ORGANIZATION: &str = "insert into organizations (
     id, name, created_at)
     values (
     $1, $2, $3)";

/// The parameters of [`INSERT_ORGANIZATION`].
pub(crate) fn insert_organization<'a>(row: &'a Organization) -> [Param<'a>; 3] {
    [row.id.raw().into(), (&row.name).into(), row.created_at.micros().into()]
}

pub(crate) const INSERT_ENVIRONMENT: &str = "insert into environments (
     number, organization_id, livemode, clock, zone, currency, numbering, invoice_prefix, due_days,
     grace_days, dunning_days, dunning_end, remind_at_percent_remaining, multiple_subscriptions,
     default_product, created_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

/// The parameters of [`INSERT_ENVIRONMENT`].
pub(crate) fn insert_environment<'a>(row: &'a Environment, text: &'a str) -> [Param<'a>; 16] {
    [
        row.number.into(),
        row.organization_id.raw().into(),
        row.livemode.into(),
        row.clock.map(Timestamp::micros).into(),
        (&row.zone).into(),
        row.currency.code().into(),
        row.numbering.as_str().into(),
        (&row.invoice_prefix).into(),
        row.due_days.into(),
        row.grace_days.into(),
        text.into(),
        row.dunning.end.as_str().into(),
        row.remind_at_percent_remaining.into(),
        row.multiple_subscriptions.into(),
        (&row.default_product).into(),
        row.created_at.micros().into(),
    ]
}

pub(crate) const UPDATE_ENVIRONMENT: &str = "update environments set
     zone = $2, currency = $3, numbering = $4, invoice_prefix = $5, due_days = $6, grace_days = $7,
     dunning_days = $8, dunning_end = $9, remind_at_percent_remaining = $10, multiple_subscriptions = $11,
     default_product = $12
     where number = $1";

/// The parameters of [`UPDATE_ENVIRONMENT`].
pub(crate) fn update_environment<'a>(row: &'a Environment, text: &'a str) -> [Param<'a>; 12] {
    [
        row.number.into(),
        (&row.zone).into(),
        row.currency.code().into(),
        row.numbering.as_str().into(),
        (&row.invoice_prefix).into(),
        row.due_days.into(),
        row.grace_days.into(),
        text.into(),
        row.dunning.end.as_str().into(),
        row.remind_at_percent_remaining.into(),
        row.multiple_subscriptions.into(),
        (&row.default_product).into(),
    ]
}

/// Reads the columns of `environment_columns!` from column `at` on.
pub(crate) fn environment(row: &Row<'_>, at: usize) -> Result<Environment, Error> {
    Ok(Environment {
        number: row.int(at)?,
        organization_id: get::id(row, at + 1)?,
        livemode: row.bool(at + 2)?,
        clock: get::opt_time(row, at + 3)?,
        zone: row.text(at + 4)?.to_owned(),
        currency: get::currency(row, at + 5)?,
        numbering: get::word(row, at + 6, Numbering::parse)?,
        invoice_prefix: row.text(at + 7)?.to_owned(),
        due_days: row.int(at + 8)?,
        grace_days: row.int(at + 9)?,
        dunning: get::dunning(row, at + 10)?,
        remind_at_percent_remaining: row.int(at + 12)?,
        multiple_subscriptions: row.bool(at + 13)?,
        default_product: row.text(at + 14)?.to_owned(),
        created_at: get::time(row, at + 15)?,
    })
}

pub(crate) const INSERT_STAFF: &str = "insert into staff (
     id, environment, email, name, role, disabled, created_at)
     values (
     $1, $2, $3, $4, $5, $6, $7)";

/// The parameters of [`INSERT_STAFF`].
pub(crate) fn insert_staff<'a>(row: &'a Staff) -> [Param<'a>; 7] {
    [
        row.id.raw().into(),
        row.environment.into(),
        (&row.email).into(),
        (&row.name).into(),
        (&row.role).into(),
        row.disabled.into(),
        row.created_at.micros().into(),
    ]
}

/// Reads the columns of `staff_columns!` from column `at` on.
pub(crate) fn staff(row: &Row<'_>, at: usize) -> Result<Staff, Error> {
    Ok(Staff {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        email: row.text(at + 2)?.to_owned(),
        name: row.text(at + 3)?.to_owned(),
        role: row.text(at + 4)?.to_owned(),
        disabled: row.bool(at + 5)?,
        created_at: get::time(row, at + 6)?,
    })
}
