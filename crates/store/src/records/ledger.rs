//! Journal entries.

use crate::{Error, Param, Row};
use billing::ledger::JournalEntry;

record! { ($)
    journal_entries: JournalEntry, journal_entry_columns;
    environment |row| Some(row.environment);
    shard id;
    key { id: Id }
    once {
        environment: Int,
        customer_id: Id,
        kind: Word,
        currency: CurrencyCode,
        invoice_id: Opt<Id>,
        payment_id: Opt<Id>,
        at: Time,
    }
    mutable {}
    besides { postings: Vec::new() }
}
