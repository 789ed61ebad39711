//! The domain of subscription billing: pure, deterministic, synchronous, without IO.
//!
//! Owns what may happen to a customer's money and subscriptions, and by which rule not. It reads and writes
//! nothing: state comes in, rows to write come out, and time and ids are told by [`id::Ctx`]. What a module
//! holds is named through it.
//!
//! Reading order: [`money`], [`calendar`] and [`id`]; what there is ([`customer`], [`catalog`],
//! [`subscription`], [`invoice`], [`payment`], [`ledger`]); how a decision is returned ([`changes`]).

#![deny(clippy::float_arithmetic, clippy::wildcard_enum_match_arm)]

pub mod calendar;
pub mod catalog;
pub mod changes;
pub mod country;
pub mod credential;
pub mod currency;
pub mod customer;
pub mod customer_account;
pub mod environment;
pub mod grace;
pub mod id;
pub mod invoice;
pub mod ledger;
pub mod money;
pub mod payment;
pub mod pricing;
pub mod proration;
pub mod purchase;
pub mod rate;
pub mod refusal;
pub mod reporting_windows;
pub mod rules;
pub mod sharding;
pub mod subscription;
pub mod tax;
pub mod text_enum;
pub mod timestamp;
