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

pub use calendar::{CalendarError, Interval, IntervalUnit, Period, Schedule, Zone};
pub use catalog::{
    Catalog, Category, Discount, DiscountAmount, DiscountDuration, Price, PriceKind, Product, TaxBehavior,
    TaxRate,
};
pub use changes::{Change, Changes, Idempotency, Row, Version};
pub use credential::{Bearer, Credential, KeyScope, Role};
pub use currency::Currency;
pub use customer::{Customer, CustomerUser, Organization, PaymentMethod, PaymentMethodKind, Staff};
pub use customer_account::CustomerAccount;
pub use environment::{DunningEnd, DunningPolicy, Environment, Numbering};
pub use grace::{Expiry, expiry};
pub use id::*;
pub use invoice::in_context::InvoiceInContext;
pub use invoice::{AMOUNT_MAX, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, InvoiceTax};
pub use ledger::{Account, EntryKind, JournalEntry, Posting};
pub use money::{Money, MoneyError, Ratio, Rounding};
pub use payment::{
    Allocation, Credit, Payment, PaymentChannel, PaymentKind, PaymentStatus, Purchase, PurchaseStatus,
    Refund, RefundStatus,
};
pub use rate::Rate;
pub use refusal::Refusal;
pub use reporting_windows::ReportingWindows;
pub use rules::Rules;
pub use sharding::{ShardKey, ShardPlacement};
pub use subscription::{BillingPeriod, Item, Subscription};
pub use timestamp::Timestamp;
