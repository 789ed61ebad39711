//! Invoices: their numbers and their seals.

use crate::numbers::Numbers;
use crate::records::Record;
use crate::{Error, Tx};
use billing::changes::{Change, Row};
use billing::id::InvoiceId;
use billing::invoice::{Invoice, InvoiceLine, InvoiceTax, canonical_text};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The lines and taxes of the invoices of a commit.
#[derive(Default)]
pub(super) struct Contents<'c> {
    lines: BTreeMap<InvoiceId, Vec<&'c InvoiceLine>>,
    taxes: BTreeMap<InvoiceId, Vec<&'c InvoiceTax>>,
}

impl<'c> Contents<'c> {
    /// What changes hold of them.
    pub(super) fn of(changes: &[&'c Change]) -> Contents<'c> {
        let mut contents = Contents::default();
        for change in changes {
            if let Change::Insert(Row::InvoiceLine(line)) = change {
                contents.lines.entry(line.invoice_id).or_default().push(line);
            } else if let Change::Insert(Row::InvoiceTax(tax)) = change {
                contents.taxes.entry(tax.invoice_id).or_default().push(tax);
            }
        }
        contents
    }
}

/// Numbers, seals and writes invoices.
pub(super) async fn insert(
    tx: &mut Tx,
    rows: &[&Row],
    numbers: &mut Numbers,
    contents: &Contents<'_>,
    issued: &mut Vec<Invoice>,
) -> Result<(), Error> {
    let first = issued.len();
    for row in rows {
        let Row::Invoice(row) = row else { continue };
        let mut invoice = Invoice::clone(row);
        invoice.ordinal = numbers.next(invoice.environment, "invoices")?;
        invoice.number = numbers.invoice_number(tx, &invoice).await?;
        let lines = contents.lines.get(&invoice.id).into_iter().flatten().copied();
        let taxes = contents.taxes.get(&invoice.id).into_iter().flatten().copied();
        invoice.content_hash = seal(&invoice, lines, taxes);
        issued.push(invoice);
    }
    let records: Vec<_> = issued[first..].iter().map(|invoice| invoice as &dyn Record).collect();
    super::rows::insert(tx, &records, numbers).await
}

/// The seal of a finalized invoice: SHA-256 of its canonical text.
pub fn seal<'i>(
    invoice: &Invoice,
    lines: impl IntoIterator<Item = &'i InvoiceLine>,
    taxes: impl IntoIterator<Item = &'i InvoiceTax>,
) -> Vec<u8> {
    Sha256::digest(canonical_text(invoice, lines, taxes).as_bytes()).to_vec()
}
