//! Customers, their people and their payment methods.

use super::get;
use crate::{Error, Param, Row};
use billing::{Customer, CustomerUser, Id, PaymentMethod, PaymentMethodKind};

pub(crate) const INSERT_CUSTOMER: &str = "insert into customers (
     shard, id, environment, external_id, handle, name, email, archived, invoice_number_base,
     logo_url, icon_url, domain, billing_address, country, state, user_id, catalog_id, zone,
     created_at, updated_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";

/// The parameters of [`INSERT_CUSTOMER`].
pub(crate) fn insert_customer<'a>(row: &'a Customer) -> [Param<'a>; 20] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.environment.into(),
        (&row.external_id).into(),
        row.handle.as_deref().into(),
        (&row.name).into(),
        (&row.email).into(),
        row.archived.into(),
        (&row.invoice_number_base).into(),
        row.logo_url.as_deref().into(),
        row.icon_url.as_deref().into(),
        row.domain.as_deref().into(),
        row.billing_address.as_deref().into(),
        row.country.as_deref().into(),
        row.state.as_deref().into(),
        row.user_id.as_deref().into(),
        row.catalog_id.map(Id::raw).into(),
        row.zone.as_deref().into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

pub(crate) const UPDATE_CUSTOMER: &str = "update customers set
     external_id = $3, handle = $4, name = $5, email = $6, archived = $7, logo_url = $8, icon_url = $9,
     domain = $10, billing_address = $11, country = $12, state = $13, user_id = $14, catalog_id = $15, zone = $16,
     updated_at = $17
     where shard = $1 and id = $2";

/// The parameters of [`UPDATE_CUSTOMER`].
pub(crate) fn update_customer<'a>(row: &'a Customer) -> [Param<'a>; 17] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        (&row.external_id).into(),
        row.handle.as_deref().into(),
        (&row.name).into(),
        (&row.email).into(),
        row.archived.into(),
        row.logo_url.as_deref().into(),
        row.icon_url.as_deref().into(),
        row.domain.as_deref().into(),
        row.billing_address.as_deref().into(),
        row.country.as_deref().into(),
        row.state.as_deref().into(),
        row.user_id.as_deref().into(),
        row.catalog_id.map(Id::raw).into(),
        row.zone.as_deref().into(),
        row.updated_at.micros().into(),
    ]
}

/// How many columns [`customer`] reads.
pub(crate) const CUSTOMER_WIDTH: usize = 19;

/// Reads the columns of `customer_columns!` from column `at` on.
pub(crate) fn customer(row: &Row<'_>, at: usize) -> Result<Customer, Error> {
    Ok(Customer {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        external_id: row.text(at + 2)?.to_owned(),
        handle: row.opt_text(at + 3)?.map(str::to_owned),
        name: row.text(at + 4)?.to_owned(),
        email: row.text(at + 5)?.to_owned(),
        archived: row.bool(at + 6)?,
        invoice_number_base: row.text(at + 7)?.to_owned(),
        logo_url: row.opt_text(at + 8)?.map(str::to_owned),
        icon_url: row.opt_text(at + 9)?.map(str::to_owned),
        domain: row.opt_text(at + 10)?.map(str::to_owned),
        billing_address: row.opt_text(at + 11)?.map(str::to_owned),
        country: row.opt_text(at + 12)?.map(str::to_owned),
        state: row.opt_text(at + 13)?.map(str::to_owned),
        user_id: row.opt_text(at + 14)?.map(str::to_owned),
        catalog_id: get::opt_id(row, at + 15)?,
        zone: row.opt_text(at + 16)?.map(str::to_owned),
        created_at: get::time(row, at + 17)?,
        updated_at: get::time(row, at + 18)?,
    })
}

pub(crate) const INSERT_CUSTOMER_USER: &str = "insert into customer_users (
     shard, id, environment, customer_id, email, name, created_at)
     values (
     $1, $2, $3, $4, $5, $6, $7)";

/// The parameters of [`INSERT_CUSTOMER_USER`].
pub(crate) fn insert_customer_user<'a>(row: &'a CustomerUser) -> [Param<'a>; 7] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.environment.into(),
        row.customer_id.raw().into(),
        (&row.email).into(),
        (&row.name).into(),
        row.created_at.micros().into(),
    ]
}

/// Reads the columns of `customer_user_columns!` from column `at` on.
pub(crate) fn customer_user(row: &Row<'_>, at: usize) -> Result<CustomerUser, Error> {
    Ok(CustomerUser {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        customer_id: get::id(row, at + 2)?,
        email: row.text(at + 3)?.to_owned(),
        name: row.text(at + 4)?.to_owned(),
        created_at: get::time(row, at + 5)?,
    })
}

pub(crate) const INSERT_PAYMENT_METHOD: &str = "insert into payment_methods (
     shard, id, environment, customer_id, kind, is_default, token, billing_details, data, metadata,
     created_at, updated_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// The parameters of [`INSERT_PAYMENT_METHOD`].
pub(crate) fn insert_payment_method<'a>(row: &'a PaymentMethod) -> [Param<'a>; 12] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.environment.into(),
        row.customer_id.raw().into(),
        row.kind.as_str().into(),
        row.is_default.into(),
        (&row.token).into(),
        (&row.billing_details).into(),
        (&row.data).into(),
        row.metadata.as_deref().into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

pub(crate) const UPDATE_PAYMENT_METHOD: &str = "update payment_methods set
     is_default = $3, billing_details = $4, data = $5, metadata = $6, updated_at = $7
     where shard = $1 and id = $2";

/// The parameters of [`UPDATE_PAYMENT_METHOD`].
pub(crate) fn update_payment_method<'a>(row: &'a PaymentMethod) -> [Param<'a>; 7] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.is_default.into(),
        (&row.billing_details).into(),
        (&row.data).into(),
        row.metadata.as_deref().into(),
        row.updated_at.micros().into(),
    ]
}

/// Reads the columns of `payment_method_columns!` from column `at` on.
pub(crate) fn payment_method(row: &Row<'_>, at: usize) -> Result<PaymentMethod, Error> {
    Ok(PaymentMethod {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        customer_id: get::id(row, at + 2)?,
        kind: get::word(row, at + 3, PaymentMethodKind::parse)?,
        is_default: row.bool(at + 4)?,
        token: row.text(at + 5)?.to_owned(),
        billing_details: row.text(at + 6)?.to_owned(),
        data: row.text(at + 7)?.to_owned(),
        metadata: row.opt_text(at + 8)?.map(str::to_owned),
        created_at: get::time(row, at + 9)?,
        updated_at: get::time(row, at + 10)?,
    })
}
