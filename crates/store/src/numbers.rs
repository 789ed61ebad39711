//! The numbers that a commit gives out: gapless, because they are steps of counters in the same commit.

use crate::{Error, Tx};
use billing::{Change, Id, Invoice, Numbering};
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
            for (environment, kind, n) in counted(change).into_iter().flatten() {
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
        |row| Ok((crate::rows::get::word(row, 0, Numbering::parse)?, row.text(1)?.to_owned())),
    )
    .await?
    .ok_or(Error::ForeignKey)
}

/// What a change adds to which tallies.
fn counted(change: &Change) -> [Option<(i64, &'static str, i64)>; 2] {
    let one = |environment: i64, kind: &'static str| [Some((environment, kind, 1)), None];
    match change {
        Change::InsertCatalog(row) => one(row.environment, "catalogs"),
        Change::InsertProduct(row) => one(row.environment, "products"),
        Change::InsertPrice(row) => one(row.environment, "prices"),
        Change::InsertDiscount(row) => one(row.environment, "discounts"),
        Change::InsertTaxRate(row) => one(row.environment, "tax_rates"),
        Change::InsertCustomer(row) => one(row.environment, "customers"),
        Change::InsertPaymentMethod(row) => one(row.environment, "payment_methods"),
        Change::InsertSubscription(row) => one(row.environment, "subscriptions"),
        Change::InsertPeriod(row) => one(row.environment, "periods"),
        Change::InsertPayment(row) => one(row.environment, "payments"),
        Change::UpdatePayment(before, after) if before.deleted_at.is_none() && after.deleted_at.is_some() => {
            [Some((after.environment, "payments", -1)), None]
        }
        Change::InsertRefund(row) => one(row.environment, "refunds"),
        Change::InsertPurchase(row) => one(row.environment, "purchases"),
        Change::InsertInvoice(invoice, lines, _) => {
            let lines = i64::try_from(lines.len()).unwrap_or(i64::MAX);
            [Some((invoice.environment, "invoices", 1)), Some((invoice.environment, "invoice_lines", lines))]
        }
        _ => [None, None],
    }
}
