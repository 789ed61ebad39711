//! Journal entries.

use super::get;
use crate::{Error, Param, Row};
use billing::{EntryKind, Id, JournalEntry};

pub(crate) const INSERT_JOURNAL_ENTRY: &str = "insert into journal_entries (
     shard, id, environment, customer_id, kind, currency, invoice_id, payment_id, at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// The parameters of [`INSERT_JOURNAL_ENTRY`].
pub(crate) fn insert_journal_entry<'a>(row: &'a JournalEntry) -> [Param<'a>; 9] {
    [
        row.id.shard().into(),
        row.id.raw().into(),
        row.environment.into(),
        row.customer_id.raw().into(),
        row.kind.as_str().into(),
        row.currency.code().into(),
        row.invoice_id.map(Id::raw).into(),
        row.payment_id.map(Id::raw).into(),
        row.at.micros().into(),
    ]
}

/// How many columns [`journal_entry`] reads.
pub(crate) const JOURNAL_ENTRY_WIDTH: usize = 8;

/// Reads the columns of `journal_entry_columns!` from column `at` on.
pub(crate) fn journal_entry(row: &Row<'_>, at: usize) -> Result<JournalEntry, Error> {
    Ok(JournalEntry {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        customer_id: get::id(row, at + 2)?,
        kind: get::word(row, at + 3, EntryKind::parse)?,
        currency: get::currency(row, at + 4)?,
        invoice_id: get::opt_id(row, at + 5)?,
        payment_id: get::opt_id(row, at + 6)?,
        at: get::time(row, at + 7)?,
        postings: Vec::new(),
    })
}
