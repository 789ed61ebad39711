//! What must hold after every step, whatever was asked: watched on the rows, one file for each matter.

mod charges;
mod ledger;
mod numbers;
mod periods;

use crate::auditor::Auditor;
use billing::id::CustomerId;
use store::audit::{AuditedEntry, Holdings};

/// Everything that is watched.
#[derive(Debug, Default)]
pub struct Watch {
    charges: charges::Charges,
    ledger: ledger::Ledger,
    numbers: numbers::Numbers,
    periods: periods::Periods,
}

impl Watch {
    /// Looks at what a customer has; says what does not hold.
    pub fn look(&mut self, customer: CustomerId, held: &Holdings, breaches: &mut Vec<String>) {
        self.periods.look(held, breaches);
        self.numbers.look(customer, held, breaches);
        self.charges.look(held, breaches);
        self.ledger.take_rows(customer, held);
    }

    /// Looks at the entries of a step, once all its customers were looked at.
    pub fn conclude(&mut self, entries: &[AuditedEntry], auditor: &Auditor, breaches: &mut Vec<String>) {
        self.numbers.conclude(breaches);
        self.ledger.conclude(entries, auditor, breaches);
    }
}
