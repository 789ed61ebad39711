//! The journal: entry by entry, and summed up by customer and currency.

use super::check::{Check, Findings};
use super::label::label;
use super::{Audit, PAGE};
use crate::error::Error;
use billing::currency::Currency;
use billing::id::{CustomerId, Id};
use billing::ledger::Account;
use std::collections::HashMap;
use store::audit::{After, AuditedEntry};

/// What the ledger says of one customer in one currency: debits positive, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) receivable: i128,
    pub(super) balance: i128,
    pub(super) gateway_cash: i128,
    pub(super) manual_cash: i128,
    pub(super) refunds: i128,
    /// Revenue less discounts.
    pub(super) revenue: i128,
    pub(super) tax: i128,
    pub(super) bad_debt: i128,
}

impl Sums {
    fn add(&mut self, account: &Account, amount: i64) {
        let sum = match account {
            Account::Receivable => &mut self.receivable,
            Account::CustomerBalance => &mut self.balance,
            Account::Revenue(_) | Account::Discounts => &mut self.revenue,
            Account::TaxPayable(_) => &mut self.tax,
            Account::Cash(gateway) if gateway == "manual" => &mut self.manual_cash,
            Account::Cash(_) => &mut self.gateway_cash,
            Account::Refunds => &mut self.refunds,
            Account::BadDebt => &mut self.bad_debt,
        };
        *sum += i128::from(amount);
    }
}

/// The ledger by customer and currency.
pub(super) type Ledger = HashMap<(CustomerId, Currency), Sums>;

/// Customers between two keys: after the first, up to the second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    pub(super) after: After,
    pub(super) until: After,
}

impl Audit<'_> {
    /// Sums up what the journal says of a slice of the customers. The first slice has every entry
    /// looked at by itself too.
    pub(super) async fn ledger_of(&mut self, slice: Slice, is_first: bool) -> Result<Ledger, Error> {
        let mut ledger = Ledger::new();
        let mut after = After::NOTHING;
        loop {
            let page = store::audit::entries(self.s, after, 10 * PAGE).await?;
            for audited in &page.entries {
                if !self.covers(audited.entry.environment) {
                    continue;
                }
                if is_first {
                    check_entry(&mut self.findings, audited);
                }
                let customer = audited.entry.customer_id;
                let key = After::row(customer);
                if slice.after < key && key <= slice.until {
                    let sums = ledger.entry((customer, audited.entry.currency)).or_default();
                    for (account, amount) in &audited.postings {
                        if let Some(account) = Account::parse(account) {
                            sums.add(&account, *amount);
                        }
                    }
                }
            }
            if is_first {
                for stray in &page.strays {
                    let subject = || format!("a posting of entry {stray:032x}");
                    self.findings.look(Check::Entries, None, &subject).holds("its entry exists", false);
                }
            }
            self.report_progress("journal entries", page.entries.len());
            match page.entries.last() {
                Some(last) if !page.is_last => after = After::row(last.entry.id),
                _ => return Ok(ledger),
            }
        }
    }
}

fn check_entry(findings: &mut Findings, audited: &AuditedEntry) {
    let AuditedEntry { entry, postings } = audited;
    let subject = || label(&format!("the {} entry", entry.kind.as_str()), entry.id);
    let sum: i128 = postings.iter().map(|(_, amount)| i128::from(*amount)).sum();
    let unknown = postings.iter().find(|(account, _)| Account::parse(account).is_none());
    findings
        .look(Check::Entries, entry.environment, &subject)
        .same("the sum of its postings", sum, 0)
        .holds("having postings", !postings.is_empty())
        .same("an account that does not exist", unknown.map(|(account, _)| account.as_str()), None)
        .holds("its shard is its customer's", entry.id.shard() == entry.customer_id.shard());
}
