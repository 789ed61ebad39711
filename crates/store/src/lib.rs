//! The books on disk: one consistent snapshot to read from, one commit to write with.

#![deny(clippy::wildcard_enum_match_arm)]

#[macro_use]
mod records;

mod address;
pub mod audit;
pub mod backup;
pub mod billing_view;
mod books;
pub mod catalog;
mod commit;
pub mod copy;
pub mod counted_list;
pub mod credentials;
pub mod customers;
pub mod discounts;
pub mod environments;
mod erased;
mod error;
mod faults;
pub mod idempotency;
pub mod invoices;
mod leases;
mod lock;
mod migrate;
mod numbers;
pub mod offers;
pub mod pages;
pub mod payers;
pub mod payments;
mod postgres;
pub mod purchases;
mod received_payments;
pub mod settings;
mod snapshot;
mod sqlite;
pub mod subscriptions;
mod tallies;
mod trace;
mod value;
mod versions;
pub mod views;

pub use address::{address_label, is_url};
pub use books::Store;
pub use commit::{Committed, seal};
pub use erased::BoxFuture;
pub use error::Error;
pub use faults::{FaultPoint, Faults};
pub use leases::{Holding, Node};
pub use lock::ServerLock;
pub use migrate::Migration;
pub use received_payments::{received, received_lists};
pub use snapshot::{Snapshot, Tx};
pub use sqlite::{Options, Synchronous};
pub use trace::STATEMENTS;
pub use value::{Param, Row};
pub use versions::Scope;
