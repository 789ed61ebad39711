//! The use cases: load on a snapshot, decide in pure code, commit.
//!
//! Only this crate opens a transaction or asks a gateway. Time and ids are given to it.

#![deny(clippy::wildcard_enum_match_arm)]

mod at;
pub mod audit;
mod billing_run;
mod billing_view;
mod bills;
mod catalog;
mod clock;
mod collection;
mod credentials;
mod customer_ref;
mod customers;
mod decide;
mod discounts;
mod due;
mod engine;
mod error;
mod full;
mod idempotency;
mod invoices;
mod kind;
mod latest;
mod lists;
mod load;
mod payment_methods;
mod payments;
mod periods;
mod refunds;
mod setup;
mod staff;
mod subscriptions;
mod tax_rates;
pub mod views;
mod work;

pub use at::{Actor, At};
pub use credentials::TokenFor;
pub use customer_ref::CustomerRef;
pub use due::Done;
pub use engine::{Engine, Fut};
pub use error::Error;
pub use full::{Cycle, FullPayment, FullSubscription, InvoiceWithCycle};
pub use invoices::NewLine;
pub use kind::{Kind, Known, Name};
pub use lists::{Of, SubscriptionItems};
pub use payments::PaymentRef;
pub use setup::NewBooks;
pub use subscriptions::{Adjust, ExpectedInterval, Subscribe, SubscribeItem};
pub use work::Holds;
