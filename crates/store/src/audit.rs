//! What an audit reads: pages of keys in the order of the tables, with all that hangs on them.
//!
//! A page ends where the next one begins, so that no table is ever in memory as a whole.

mod after;
mod counters;
mod customers;
mod holdings;
mod invoices;
mod ledger;
mod payments;
mod subscriptions;

pub use after::After;
pub use counters::{
    Numbered, Request, count, counted_kinds, credentials, numbered, repeated_numbers, requests, tallies,
};
pub use customers::{InvoiceSums, MoneySums, Named, invoice_sums, money_sums, named, names, slice_end};
pub use holdings::{Holdings, holdings, versions};
pub use invoices::{
    Attempt, PeriodOwner, allocated, attempts, invoices, issue_entries, period_owners, purchases,
};
pub use ledger::{AuditedEntry, EntryPage, entries};
pub use payments::{Drawn, counted_lists, credits, credits_of, listed, payments, refunds};
pub use subscriptions::{Billed, OpenInvoices, open_invoices, periods};
