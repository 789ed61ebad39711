//! What an audit checks, and what it has found.

use std::collections::BTreeMap;
use std::fmt::Debug;

/// One thing that must hold in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Each entry's postings sum to zero, on accounts that exist.
    Entries,
    /// The ledger's receivables are what is owed on open invoices.
    Receivable,
    /// The ledger's customer balances are what is left of the credits.
    CustomerBalance,
    /// The ledger's cash is what came by payments less what went back.
    Cash,
    /// The ledger's refunds are what was given back of what had been earned.
    Refunds,
    /// The ledger's revenue less discounts is the subtotals of the invoices.
    Revenue,
    /// The ledger's taxes are those of the invoices.
    Tax,
    /// The ledger's bad debt is what was owed on invoices that were given up.
    BadDebt,
    /// An invoice's subtotal, tax and total are the sums of its lines and taxes.
    InvoiceTotals,
    /// An invoice is as it was when it was finalized.
    InvoiceSeal,
    /// The entry of an invoice says what the invoice says.
    InvoiceEntry,
    /// What is settled of an invoice is what payments and the balance paid of it.
    InvoiceSettled,
    /// What is refunded of an invoice is what was given back of its payments.
    InvoiceRefunded,
    /// An invoice's status follows from what is settled and refunded.
    InvoiceStatus,
    /// The attempts at an invoice are counted from 1 without gap.
    Attempts,
    /// The invoices of an environment are numbered from 1 without gap.
    InvoiceNumbers,
    /// The invoices of a customer are numbered from 1 without gap, in all and by currency.
    CustomerOrdinals,
    /// A purchase stands where its invoice does.
    Purchases,
    /// The periods of a subscription tile its time.
    Periods,
    /// A period is billed by exactly one invoice.
    PeriodInvoices,
    /// Periods are where the schedule puts them.
    Schedule,
    /// A subscription's status fits its dates and what it owes.
    SubscriptionStatus,
    /// A subscription is due when it must be.
    SubscriptionDue,
    /// A payment's refunds are what is refunded of it.
    PaymentRefunds,
    /// A credit is used for what its allocations say.
    Credits,
    /// A received payment is in the list in which it belongs, and no other.
    PaymentLists,
    /// Counted lists count what is in them.
    Lists,
    /// Tallies count the rows.
    Tallies,
    /// Rows with places have them from 1 without gap.
    Numbers,
    /// A customer is found by its names and has a version.
    Names,
    /// A credential stands for someone.
    Credentials,
    /// An answered request is whole.
    Requests,
}

billing::text_enum!(Check {
    Entries = "journal entries balance",
    Receivable = "receivables are what open invoices owe",
    CustomerBalance = "customer balances are what is left of credits",
    Cash = "cash is payments less refunds",
    Refunds = "refunds are what payments gave back",
    Revenue = "revenue is the subtotals of invoices",
    Tax = "taxes are those of invoices",
    BadDebt = "bad debt is what given-up invoices owe",
    InvoiceTotals = "invoice totals are sums of lines and taxes",
    InvoiceSeal = "invoices are as they were finalized",
    InvoiceEntry = "invoices have the entry that they say",
    InvoiceSettled = "settled is what payments and balances paid",
    InvoiceRefunded = "refunded is what payments gave back",
    InvoiceStatus = "invoice status follows from settled and refunded",
    Attempts = "attempts are counted without gap",
    InvoiceNumbers = "invoice numbers are gapless and unique",
    CustomerOrdinals = "customers' invoices are counted without gap",
    Purchases = "purchases stand where their invoices do",
    Periods = "periods tile",
    PeriodInvoices = "each period has one invoice",
    Schedule = "periods are where the schedule puts them",
    SubscriptionStatus = "subscription status fits what is owed",
    SubscriptionDue = "subscriptions are due when they must be",
    PaymentRefunds = "payments know their refunds",
    Credits = "credits are used by their allocations",
    PaymentLists = "received payments are in their lists",
    Lists = "counted lists count what is there",
    Tallies = "tallies count the rows",
    Numbers = "numbers are given out without gap",
    Names = "customers are found by their names",
    Credentials = "credentials stand for someone",
    Requests = "answered requests are whole",
});

/// How often something was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// What was checked.
    pub check: Check,
    /// Of how many things.
    pub things: u64,
    /// How often it did not hold.
    pub disagreements: u64,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// What was checked.
    pub check: Check,
    /// In which environment; none where the row does not say.
    pub environment: Option<i64>,
    /// Of what.
    pub subject: String,
    /// Which of its values.
    pub what: String,
    /// What the books say.
    pub stored: String,
    /// What was derived.
    pub derived: String,
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(environment) = self.environment {
            write!(f, "environment {environment}, ")?;
        }
        let Self { subject, what, stored, derived, check, .. } = self;
        write!(f, "{subject}: {what} is {stored}, derived {derived} ({})", check.as_str())
    }
}

/// What an audit has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Every check, in their order.
    pub checked: Vec<Checked>,
    /// The first disagreements.
    pub disagreements: Vec<Disagreement>,
}

impl Report {
    /// Whether nothing disagrees.
    pub fn agrees(&self) -> bool {
        self.disagreements.is_empty()
    }
}

/// How many disagreements are told in full; the rest are counted.
const TOLD_MAX: usize = 100;

/// What an audit has found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    counts: BTreeMap<Check, (u64, u64)>,
    told: Vec<Disagreement>,
}

impl Findings {
    /// Looks at one more thing; `subject` tells it by name.
    pub(super) fn look<'f>(
        &'f mut self,
        check: Check,
        environment: impl Into<Option<i64>>,
        subject: &'f dyn Fn() -> String,
    ) -> Look<'f> {
        self.counts.entry(check).or_default().0 += 1;
        Look { findings: self, check, environment: environment.into(), subject }
    }

    pub(super) fn report(self) -> Report {
        let checked = Check::ALL
            .iter()
            .map(|check| {
                let (things, disagreements) = self.counts.get(check).copied().unwrap_or_default();
                Checked { check: *check, things, disagreements }
            })
            .collect();
        Report { checked, disagreements: self.told }
    }
}

/// One thing that is looked at.
pub(super) struct Look<'f> {
    findings: &'f mut Findings,
    check: Check,
    environment: Option<i64>,
    subject: &'f dyn Fn() -> String,
}

impl Look<'_> {
    /// Compares what the books say with what was derived.
    pub(super) fn same<T: PartialEq + Debug>(&mut self, what: &str, stored: T, derived: T) -> &mut Self {
        if stored != derived {
            self.disagrees(what, format!("{stored:?}"), format!("{derived:?}"));
        }
        self
    }

    /// Asks that something holds.
    pub(super) fn holds(&mut self, what: &str, holds: bool) -> &mut Self {
        self.same(what, holds, true)
    }

    fn disagrees(&mut self, what: &str, stored: String, derived: String) {
        self.findings.counts.entry(self.check).or_default().1 += 1;
        if self.findings.told.len() < TOLD_MAX {
            self.findings.told.push(Disagreement {
                check: self.check,
                environment: self.environment,
                subject: (self.subject)(),
                what: what.to_owned(),
                stored,
                derived,
            });
        }
    }
}
