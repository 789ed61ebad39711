//! The ledger sums to zero, and says of each customer what its invoices and balance say.

use crate::auditor::Auditor;
use billing::currency::Currency;
use billing::id::{CustomerId, JournalEntryId};
use billing::invoice::InvoiceStatus;
use std::collections::{BTreeMap, BTreeSet};
use store::audit::{AuditedEntry, Holdings};

type Key = (CustomerId, Currency);

/// The ledger as it was seen to be written.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    seen: BTreeSet<JournalEntryId>,
    receivable: BTreeMap<Key, i64>,
    balance: BTreeMap<Key, i64>,
    remaining: BTreeMap<CustomerId, BTreeMap<Currency, i64>>,
    touched: BTreeSet<CustomerId>,
}

impl Ledger {
    pub(super) fn take_rows(&mut self, customer: CustomerId, held: &Holdings) {
        let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
        for credit in &held.credits {
            *sums.entry(credit.currency).or_default() += credit.remaining;
        }
        self.remaining.insert(customer, sums);
        self.touched.insert(customer);
    }

    pub(super) fn conclude(
        &mut self,
        entries: &[AuditedEntry],
        auditor: &Auditor,
        breaches: &mut Vec<String>,
    ) {
        for AuditedEntry { entry, postings } in entries {
            if !self.seen.insert(entry.id) {
                continue;
            }
            let sum: i64 = postings.iter().map(|(_, amount)| amount).sum();
            if sum != 0 || postings.is_empty() {
                breaches.push(format!("an entry that does not balance: {entry:?} {postings:?}"));
            }
            let key = (entry.customer_id, entry.currency);
            for (account, amount) in postings {
                match account.as_str() {
                    "receivable" => *self.receivable.entry(key).or_default() += amount,
                    "customer_balance" => *self.balance.entry(key).or_default() += amount,
                    _ => {}
                }
            }
        }
        for customer in std::mem::take(&mut self.touched) {
            self.compare(customer, auditor, breaches);
        }
    }

    fn compare(&self, customer: CustomerId, auditor: &Auditor, breaches: &mut Vec<String>) {
        let mut owed: BTreeMap<Currency, i64> = BTreeMap::new();
        for bill in auditor.bills.values().filter(|bill| bill.invoice.customer_id == customer) {
            let invoice = &bill.invoice;
            let open =
                if invoice.status == InvoiceStatus::Open { invoice.total - invoice.settled } else { 0 };
            *owed.entry(invoice.currency).or_default() += open;
        }
        let remaining = self.remaining.get(&customer).cloned().unwrap_or_default();
        let currencies: BTreeSet<_> = owed.keys().chain(remaining.keys()).copied().collect();
        for currency in currencies {
            let of = |sums: &BTreeMap<Currency, i64>| sums.get(&currency).copied().unwrap_or(0);
            let key = (customer, currency);
            let receivable = self.receivable.get(&key).copied().unwrap_or(0);
            let balance = self.balance.get(&key).copied().unwrap_or(0);
            if (receivable, -balance) != (of(&owed), of(&remaining)) {
                breaches.push(format!(
                    "{customer:?} in {currency}: the ledger says {receivable} owed and {} kept, the rows {} and {}",
                    -balance,
                    of(&owed),
                    of(&remaining)
                ));
            }
        }
    }
}
