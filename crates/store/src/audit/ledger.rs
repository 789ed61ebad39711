//! Journal entries with their postings, in the order of their keys.

use super::after::After;
use crate::records::codecs::{Int, OneColumn, Text};
use crate::{Error, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::id::{Id, shard_of};
use billing::ledger::JournalEntry;

/// An entry with its postings as they stand in the table.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditedEntry {
    /// The entry; its own list of postings is empty.
    pub entry: JournalEntry,
    /// The account's name and the amount of each posting.
    pub postings: Vec<(String, i64)>,
}

/// A part of the journal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EntryPage {
    /// The entries.
    pub entries: Vec<AuditedEntry>,
    /// The raw ids that postings name and no entry has.
    pub strays: Vec<u128>,
    /// Whether the journal ends here.
    pub is_last: bool,
}

const ENTRIES: &str = concat!(
    "select ",
    journal_entry_columns!("j"),
    " from journal_entries j where (j.shard, j.id) > ($1, $2) order by j.shard, j.id limit $3"
);
const POSTINGS: &str = "select p.entry_id, p.account, p.amount from postings p
     where (p.shard, p.entry_id) > ($1, $2) and (p.shard, p.entry_id) <= ($3, $4)
     order by p.shard, p.entry_id, p.position";

/// The entries after a key, with every posting up to the last of them.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn entries(s: &mut Snapshot, after: After, limit: i64) -> Result<EntryPage, Error> {
    let first = [after.shard.into(), after.id.into(), limit.into()];
    let mut entries = s
        .rows(ENTRIES, &first, |row| Ok(AuditedEntry { entry: row.record()?, postings: Vec::new() }))
        .await?;
    let is_last = i64::try_from(entries.len()).is_ok_and(|read| read < limit);
    let until = match entries.last() {
        Some(last) if !is_last => After::row(last.entry.id),
        _ => After { shard: i64::from(i16::MAX), id: u128::MAX },
    };
    let range = [after.shard.into(), after.id.into(), until.shard.into(), until.id.into()];
    let (mut at, mut strays) = (0, Vec::new());
    let key = |id: u128| (shard_of(id), id);
    s.each(POSTINGS, &range, |row| {
        let id = row.id(row.take("entry_id")?)?;
        while entries.get(at).is_some_and(|known| key(known.entry.id.raw()) < key(id)) {
            at += 1;
        }
        match entries.get_mut(at).filter(|known| known.entry.id.raw() == id) {
            Some(known) => known.postings.push((Text::of(row, "account")?, Int::of(row, "amount")?)),
            None => strays.push(id),
        }
        Ok(())
    })
    .await?;
    Ok(EntryPage { entries, strays, is_last })
}
