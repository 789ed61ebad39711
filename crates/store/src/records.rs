//! Tables, each declared once.
//!
//! A `record!` names a table, the type of its rows, its columns in groups (what finds a row, what is
//! written once, what may change), each with the [codec](codecs) by which it is written and read. From
//! that follow its INSERT, UPDATE and DELETE, its select list, its reading, its tally, what the audit
//! counts, and its pages. What comes first in [`billing::changes::Row`] is referred to by what comes after it.
//!
//! A row that is declared in the domain and not here does not compile, and the other way round.

pub(crate) mod codecs;
pub(crate) mod sql;

#[macro_use]
mod declare;

#[macro_use]
pub(crate) mod catalog;
#[macro_use]
pub(crate) mod credentials;
#[macro_use]
pub(crate) mod customers;
#[macro_use]
pub(crate) mod environments;
#[macro_use]
pub(crate) mod invoices;
#[macro_use]
pub(crate) mod ledger;
#[macro_use]
pub(crate) mod payments;
#[macro_use]
pub(crate) mod subscriptions;

pub(crate) use declare::{Read, Record, Table, Tallied};

use billing::changes::Row;

/// The table of the rows that a kind of [`Row`] holds.
const fn table_of<T: Read>(_: fn(Box<T>) -> Row) -> &'static Table {
    T::TABLE
}

/// Lists what [`Row`] can be.
macro_rules! tables {
    ($($(#[$doc:meta])* $row:ident),+ $(,)?) => {
        /// The tables of everything that a decision can write, but for the journal.
        pub(crate) const TABLES: &[&Table] = &[$(table_of(Row::$row)),+];

        /// What a row of the domain is in the books.
        pub(crate) fn record(row: &Row) -> &dyn Record {
            match row { $(Row::$row(row) => &**row),+ }
        }
    };
}

billing::each_row!(tables);
