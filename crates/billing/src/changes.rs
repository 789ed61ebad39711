//! What a decision returns: rows to write, as data, so that one decision or five hundred are
//! committed the same way.

use crate::catalog::{Catalog, Discount, Price, Product, TaxRate};
use crate::customer::{Customer, CustomerUser, Organization, PaymentMethod, Staff};
use crate::environment::Environment;
use crate::id::CustomerId;
use crate::invoice::{Invoice, InvoiceLine, InvoiceTax};
use crate::ledger::JournalEntry;
use crate::payment::{Allocation, Credit, Payment, Refund};
use crate::purchase::Purchase;
use crate::subscription::{BillingPeriod, Item, PeriodEnd, PeriodReminder, Subscription};
use crate::timestamp::Timestamp;

/// Declares the kinds of rows, in the order of references.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// A row of the books that a decision can write. What comes first here is referred to by what comes
        /// after it.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Row {
            $($(#[$doc])* $name(Box<$name>),)+
        }

        $(impl From<$name> for Row {
            fn from(row: $name) -> Self {
                Self::$name(Box::new(row))
            }
        })+

        impl Row {
            /// The place of its kind in the order of references.
            pub fn place(&self) -> u8 {
                enum Place { $($name),+ }
                match self { $(Self::$name(_) => Place::$name as u8),+ }
            }
        }
    };
}

/// Hands the kinds of rows to a macro, in the order of references: what is referred to comes first.
#[macro_export]
macro_rules! each_row {
    ($to:ident) => {
        $to! {
            /// A seller.
            Organization,
            /// Its live or test books.
            Environment,
            /// A person of the seller.
            Staff,
            /// A set of products.
            Catalog,
            /// Something sold.
            Product,
            /// What it costs.
            Price,
            /// What takes off of prices.
            Discount,
            /// A percentage of tax.
            TaxRate,
            /// A buyer.
            Customer,
            /// A person of a buyer.
            CustomerUser,
            /// What a buyer can be charged with.
            PaymentMethod,
            /// A sale that is charged once.
            Purchase,
            /// An agreement to pay period by period.
            Subscription,
            /// A priced part of a subscription.
            Item,
            /// A bill. The commit gives it its number; its lines and taxes stand in the same changes.
            Invoice,
            /// A line of an invoice.
            InvoiceLine,
            /// A tax on an invoice.
            InvoiceTax,
            /// A billing period.
            BillingPeriod,
            /// When a billing period ends; only ever changed.
            PeriodEnd,
            /// When a renewal was announced; only ever changed.
            PeriodReminder,
            /// An attempt to move money.
            Payment,
            /// Money that is given back.
            Refund,
            /// Money on a balance.
            Credit,
            /// A use of a balance.
            Allocation,
        }
    };
}

each_row!(rows);

/// One thing to write.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new row.
    Insert(Row),
    /// A row of which something is different; both are of one kind and have the same key. What may not
    /// change of a row is not written.
    Update {
        /// As it was read.
        before: Row,
        /// As it shall be.
        after: Row,
    },
    /// A row that is gone.
    Delete(Row),
    /// A movement of money.
    Post(JournalEntry),
}

impl Change {
    /// A new row.
    pub fn insert(row: impl Into<Row>) -> Self {
        Self::Insert(row.into())
    }

    /// A row of which something is different.
    pub fn update<T: Into<Row>>(before: T, after: T) -> Self {
        Self::Update { before: before.into(), after: after.into() }
    }
}

/// The version of a customer's rows: it rises with every commit that touches one of them.
pub type Version = i64;

/// Everything that one commit writes, and what it was decided on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// The customers whose rows were read, and the version at which they were.
    /// Another version at the commit is a conflict.
    pub decided_on: Vec<(CustomerId, Version)>,
    /// The environment of which what it sells was read, and the version at which it was.
    pub catalog_version: Option<(i64, Version)>,
    /// The rows, in an order in which references come after what they refer to.
    pub rows: Vec<Change>,
    /// The request that this is the effect of, if it may be repeated.
    pub idempotency: Option<Idempotency>,
}

/// What makes a repeated request find the effect of the first: kept by the commit that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The number of the environment within which the key is unique.
    pub environment: i64,
    /// The key that the caller gave the request.
    pub key: String,
    /// SHA-256 of the request: another request with the same key is a mistake.
    pub fingerprint: Vec<u8>,
    /// The raw id of what the request made or changed.
    pub resource: u128,
    /// When the request came, by the real clock.
    pub created_at: Timestamp,
}

impl Changes {
    /// Nothing to write, decided on a customer at a version.
    pub fn of(customer: CustomerId, version: Version) -> Self {
        Self { decided_on: vec![(customer, version)], ..Self::default() }
    }

    /// Adds a row.
    pub fn push(&mut self, change: Change) {
        self.rows.push(change);
    }

    /// Writes a new row.
    pub fn insert(&mut self, row: impl Into<Row>) {
        self.rows.push(Change::Insert(row.into()));
    }

    /// Writes what is different of a row.
    pub fn update<T: Into<Row>>(&mut self, before: T, after: T) {
        self.rows.push(Change::update(before, after));
    }

    /// Takes a row away.
    pub fn delete(&mut self, row: impl Into<Row>) {
        self.rows.push(Change::Delete(row.into()));
    }

    /// Posts a movement of money.
    pub fn post(&mut self, entry: JournalEntry) {
        self.rows.push(Change::Post(entry));
    }

    /// Adds all that another decision, about other customers, has decided.
    pub fn absorb(&mut self, other: Changes) {
        self.decided_on.extend(other.decided_on);
        self.catalog_version = self.catalog_version.or(other.catalog_version);
        self.rows.extend(other.rows);
    }
}
