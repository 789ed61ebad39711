//! An organization's live or test books, and the policies by which they are kept.
//!
//! Owns numbering, dunning, days until due, grace and zone as values; what follows from them is in
//! `invoice`, `payment` and `subscription`. Test books may have a clock of their own, which is the `ctx.now`
//! of every decision in them; live books have none.

use crate::currency::Currency;
use crate::id::OrganizationId;
use crate::timestamp::Timestamp;

/// An organization's live or test books. Every row of the books belongs to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Environment {
    /// Its number, the key of everything that belongs to it.
    pub number: i64,
    /// Whose books they are.
    pub organization_id: OrganizationId,
    /// Whether real money moves here.
    pub livemode: bool,
    /// The time of a test environment's clock; none where the real time rules.
    pub clock: Option<Timestamp>,
    /// The IANA time zone of periods and documents, unless the customer has one.
    pub zone: String,
    /// The currency of prices that name none.
    pub currency: Currency,
    /// How invoices are numbered.
    pub numbering: Numbering,
    /// The first part of invoice numbers, where they are numbered by organization.
    pub invoice_prefix: String,
    /// Days from an invoice to its due date.
    pub due_days: i64,
    /// Days that a customer keeps what it had after a period ended unpaid.
    pub grace_days: i64,
    /// How failed payments are tried again.
    pub dunning: DunningPolicy,
    /// Percent of a period that remains when its renewal is announced; 0 announces none.
    pub remind_at_percent_remaining: i64,
    /// Whether a customer may have several subscriptions that run at once.
    pub multiple_subscriptions: bool,
    /// The product that is meant where a question about products names none; all are meant if there is none.
    pub default_product: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How an environment's invoices are numbered. Either way each series is gapless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// One series for all: `INV-00001`.
    Organization,
    /// One series for every customer: `<base>-00000`.
    Customer,
}

crate::text_enum!(Numbering { Organization = "organization", Customer = "customer" });

/// When failed payments are tried again, and what happens when nothing helped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DunningPolicy {
    /// Days from each failed attempt to the next.
    pub retry_days: Vec<i64>,
    /// What happens when the last attempt has failed.
    pub end: DunningEnd,
}

impl DunningPolicy {
    /// The days as the books hold them: `3,5,5`.
    pub fn days_text(&self) -> String {
        self.retry_days.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
    }

    /// Reads what [`DunningPolicy::days_text`] wrote; none if a part is not a number from 0 to 365.
    pub fn parse_days(text: &str) -> Option<Vec<i64>> {
        text.split(',')
            .filter(|part| !part.trim().is_empty())
            .map(|part| part.trim().parse().ok().filter(|days| (0..=365).contains(days)))
            .collect()
    }
}

impl Default for DunningPolicy {
    fn default() -> Self {
        Self { retry_days: vec![3, 5, 5], end: DunningEnd::LeavePastDue }
    }
}

/// What happens to a subscription when the last attempt to collect has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DunningEnd {
    /// It is canceled and its open invoice becomes uncollectible.
    Cancel,
    /// It is marked unpaid and is no longer renewed.
    MarkUnpaid,
    /// It stays past due and goes on being renewed.
    LeavePastDue,
}

crate::text_enum!(DunningEnd { Cancel = "cancel", MarkUnpaid = "mark_unpaid", LeavePastDue = "leave_past_due" });
