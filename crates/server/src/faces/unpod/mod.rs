//! Contract 004, Unpod: an organisation's invoices.

pub mod auth;
pub mod error;
pub mod invoices;
mod page;
