//! How rows are written and read: one codec for every table, and nothing else that knows its columns.

#[macro_use]
mod columns;
pub(crate) mod catalog;
pub(crate) mod customers;
pub(crate) mod environments;
pub(crate) mod get;
pub(crate) mod invoices;
pub(crate) mod ledger;
pub(crate) mod payments;
pub(crate) mod subscriptions;
