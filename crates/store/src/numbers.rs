//! The numbers that a commit gives out: gapless, because they are steps of counters in the same commit.

use crate::records::codecs::{OneColumn, Text, Word};
use crate::records::record;
use crate::{Error, Tx};
use billing::changes::{Change, Row};
use billing::environment::Numbering;
use billing::id::Id;
use billing::invoice::Invoice;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The numbers that a commit gives out: one step of each tally, shared out in the order of the rows.
pub(crate) struct Numbers {
    next: BTreeMap<(i64, &'static str), i64>,
    series: BTreeMap<i64, (Numbering, String)>,
}

impl Numbers {
    /// Raises the tallies by what is to be inserted.
    pub(crate) async fn count(tx: &mut Tx, rows: &[&Change]) -> Result<Self, Error> {
        let mut counts: BTreeMap<(i64, &'static str), i64> = BTreeMap::new();
        for change in rows {
            if let Some((environment, kind, n)) = counted(change) {
                *counts.entry((environment, kind)).or_default() += n;
            }
        }
        let mut numbers = Self { next: BTreeMap::new(), series: BTreeMap::new() };
        for ((environment, kind), n) in counts {
            let total = tx
                .row(
                    "insert into tallies (environment, kind, n) values ($1, $2, $3)
                     on conflict (environment, kind) do update set n = tallies.n + excluded.n returning n",
                    &[environment.into(), kind.into(), n.into()],
                    |row| row.int(0),
                )
                .await?
                .ok_or_else(|| Error::Corrupt("a tally gave no number".into()))?;
            numbers.next.insert((environment, kind), total - n + 1);
        }
        Ok(numbers)
    }

    pub(crate) fn next(&mut self, environment: i64, kind: &'static str) -> Result<i64, Error> {
        let next = self
            .next
            .get_mut(&(environment, kind))
            .ok_or_else(|| Error::Misuse(format!("{kind} were not counted")))?;
        *next += 1;
        Ok(*next - 1)
    }

    /// The number that is printed on an invoice.
    pub(crate) async fn invoice_number(&mut self, tx: &mut Tx, invoice: &Invoice) -> Result<String, Error> {
        let environment = invoice.environment;
        let series = match self.series.entry(environment) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(series_of(tx, environment).await?),
        };
        match series {
            (Numbering::Organization, prefix) => Ok(format!("{prefix}{:05}", invoice.ordinal)),
            (Numbering::Customer, _) => {
                let base = tx
                    .row(
                        "select invoice_number_base from customers where shard = $1 and id = $2",
                        &[invoice.customer_id.shard().into(), invoice.customer_id.raw().into()],
                        |row| Ok(row.text(0)?.to_owned()),
                    )
                    .await?
                    .ok_or(Error::ForeignKey)?;
                Ok(format!("{base}-{:05}", invoice.customer_ordinal - 1))
            }
        }
    }
}

/// How an environment numbers its invoices.
async fn series_of(tx: &mut Tx, environment: i64) -> Result<(Numbering, String), Error> {
    tx.row(
        "select numbering, invoice_prefix from environments where number = $1",
        &[environment.into()],
        |row| Ok((Word::of(row, "numbering")?, Text::of(row, "invoice_prefix")?)),
    )
    .await?
    .ok_or(Error::ForeignKey)
}

/// What a change adds to the tally of its table.
fn counted(change: &Change) -> Option<(i64, &'static str, i64)> {
    let counts = |row: &Row| i64::from(record(row).is_counted());
    let (row, n) = match change {
        Change::Insert(row) => (row, counts(row)),
        Change::Update { before, after } => (after, counts(after) - counts(before)),
        Change::Delete(row) => (row, -counts(row)),
        Change::Post(_) => return None,
    };
    let table = record(row).table();
    let is_tallied = table.tallied.is_some() && n != 0;
    record(row).environment().filter(|_| is_tallied).map(|environment| (environment, table.name, n))
}
