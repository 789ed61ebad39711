//! Invoices: made from lines, final and numbered from the moment they exist, settled by payments.
//!
//! Owns what they are and the text that seals them. They are issued in `issue` and paid, given up or taken
//! back in `settle` and `void`; attempts to collect them are of `payment`. `settled` never exceeds `total`;
//! an invoice is paid when they are equal. Times: when it was issued, when it is due, the period it covers,
//! when it was paid, and when it is tried next.

pub mod in_context;
pub mod issue;
pub(crate) mod settle;
pub mod totals;
pub(crate) mod void;

use crate::calendar::Period;
use crate::catalog::Category;
use crate::currency::Currency;
use crate::id::{
    CustomerId, InvoiceId, InvoiceLineId, PeriodId, PriceId, ProductId, PurchaseId, SubscriptionId,
};
use crate::money::Money;
use crate::rate::Rate;
use crate::timestamp::Timestamp;

/// The most that an invoice or a manual payment may come to, in minor units: thousands of them still add
/// up in 64 bits.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000_000;

/// What an invoice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceKind {
    /// A period of a subscription.
    Subscription,
    /// What a change within a period of a subscription costs.
    Change,
    /// A one-off sale.
    Purchase,
    /// Lines that the merchant wrote.
    Standalone,
}

crate::text_enum!(InvoiceKind {
    Subscription = "subscription",
    Change = "change",
    Purchase = "purchase",
    Standalone = "standalone",
});

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceStatus {
    /// Something is owed.
    Open,
    /// Nothing is owed.
    Paid,
    /// Paid, and all of it given back.
    Refunded,
    /// Paid, and some of it given back.
    PartiallyRefunded,
    /// Withdrawn before anything was paid.
    Void,
    /// Owed, but no longer expected.
    Uncollectible,
}

crate::text_enum!(InvoiceStatus {
    Open = "open",
    Paid = "paid",
    Refunded = "refunded",
    PartiallyRefunded = "partially_refunded",
    Void = "void",
    Uncollectible = "uncollectible",
});

/// A bill. Everything up to `content_hash` is fixed when it is made; what follows tells how it is settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Its place among the environment's invoices, from 1, gapless; the commit fills it in.
    pub ordinal: i64,
    /// Its place among the customer's invoices, from 1, gapless.
    pub customer_ordinal: i64,
    /// Its place among the customer's invoices in its currency, from 1, gapless.
    pub currency_ordinal: i64,
    /// The number that is printed on it; the commit fills it in.
    pub number: String,
    /// Who pays.
    pub customer_id: CustomerId,
    /// What it is for.
    pub kind: InvoiceKind,
    /// The subscription that it is for.
    pub subscription_id: Option<SubscriptionId>,
    /// The period that it is for.
    pub period_id: Option<PeriodId>,
    /// The purchase that it is for.
    pub purchase_id: Option<PurchaseId>,
    /// The product of its first line, if that has one.
    pub product_id: Option<ProductId>,
    /// The price of its first line, if that has one.
    pub price_id: Option<PriceId>,
    /// What its first line is for.
    pub category: Category,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// The sum of its lines, without tax, in minor units.
    pub subtotal: i64,
    /// The sum of its taxes, in minor units.
    pub tax: i64,
    /// What is to be paid: `subtotal + tax`, in minor units.
    pub total: i64,
    /// When it was issued.
    pub invoice_date: Timestamp,
    /// When it is to be paid.
    pub due_date: Timestamp,
    /// The time that it is for.
    pub period: Option<Period>,
    /// A note to the customer.
    pub memo: Option<String>,
    /// SHA-256 of all the above and of its lines and taxes; the commit fills it in.
    pub content_hash: Vec<u8>,

    /// Where it stands.
    pub status: InvoiceStatus,
    /// How much of it has been paid or taken from the balance, in minor units.
    pub settled: i64,
    /// How much of that has been given back, in minor units.
    pub refunded: i64,
    /// When nothing was owed any more.
    pub paid_at: Option<Timestamp>,
    /// How many times the gateway was asked for it.
    pub attempt_count: i64,
    /// How many of those were made by the dunning policy.
    pub retry_count: i64,
    /// When it will be asked next; none if no attempt is planned.
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed: the gateway's code.
    pub last_failure: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Invoice {
    /// What is still owed, in minor units.
    pub fn owed(&self) -> i64 {
        match self.status {
            InvoiceStatus::Open | InvoiceStatus::Uncollectible => self.total - self.settled,
            InvoiceStatus::Paid
            | InvoiceStatus::Refunded
            | InvoiceStatus::PartiallyRefunded
            | InvoiceStatus::Void => 0,
        }
    }

    /// Whether nothing is owed because it was paid, given back or not.
    pub const fn is_paid(&self) -> bool {
        matches!(
            self.status,
            InvoiceStatus::Paid | InvoiceStatus::Refunded | InvoiceStatus::PartiallyRefunded
        )
    }

    /// Where it stands once it is paid: what was given back of it stays given back.
    pub(crate) fn paid_status(&self) -> InvoiceStatus {
        match self.refunded {
            0 => InvoiceStatus::Paid,
            refunded if refunded >= self.total => InvoiceStatus::Refunded,
            _ => InvoiceStatus::PartiallyRefunded,
        }
    }

    /// What is still owed, as money.
    pub fn owed_money(&self) -> Money {
        Money::new(self.owed(), self.currency)
    }
}

/// An open invoice with the entry that was posted when it was issued.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenInvoice {
    /// The invoice.
    pub invoice: Invoice,
    /// Its entry.
    pub issued: crate::ledger::JournalEntry,
}

/// A line of an invoice. Its amount is without tax.
#[derive(Debug, Clone, PartialEq)]
pub struct InvoiceLine {
    /// Its id.
    pub id: InvoiceLineId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// The invoice that it is a line of.
    pub invoice_id: InvoiceId,
    /// Its place on the invoice, from 1.
    pub position: i64,
    /// What it says.
    pub description: String,
    /// The price that it follows from.
    pub price_id: Option<PriceId>,
    /// What it is for.
    pub category: Category,
    /// How many units, at least 1.
    pub quantity: i64,
    /// What it adds to the subtotal, in minor units; negative when it takes off.
    pub amount: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

impl InvoiceLine {
    /// Price and quantity whose product is the amount: the line's own quantity where it divides.
    pub fn price_and_quantity(&self) -> (i64, i64) {
        if self.quantity > 0 && self.amount % self.quantity == 0 {
            (self.amount / self.quantity, self.quantity)
        } else {
            (self.amount, 1)
        }
    }
}

/// The tax of one category at one rate, on the whole invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct InvoiceTax {
    /// The invoice that it is on.
    pub invoice_id: InvoiceId,
    /// Its place on the invoice, from 1.
    pub position: i64,
    /// What the taxed lines are for.
    pub category: Category,
    /// The kind of tax: a word of document 002's tax types.
    pub kind: String,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// The state, where the tax is one of a state.
    pub state: Option<String>,
    /// How much.
    pub rate: Rate,
    /// The sum of the taxed lines, in minor units.
    pub taxable: i64,
    /// The tax, in minor units.
    pub amount: i64,
}

/// The text whose SHA-256 proves that a finalized invoice has not been changed.
pub fn canonical_text<'i>(
    invoice: &Invoice,
    lines: impl IntoIterator<Item = &'i InvoiceLine>,
    taxes: impl IntoIterator<Item = &'i InvoiceTax>,
) -> String {
    use crate::id::Id;
    use std::fmt::Write;
    let mut text = String::with_capacity(512);
    // Writing to a String cannot fail.
    let _infallible = write!(
        text,
        "{:x}|{}|{}|{}|{}|{:x}|{}|{:x?}|{:x?}|{:x?}|{:x?}|{:x?}|{}|{}|{}|{}|{}|{}|{}|{:?}|{:?}",
        invoice.id.raw(),
        invoice.environment,
        invoice.ordinal,
        invoice.customer_ordinal,
        invoice.number,
        invoice.customer_id.raw(),
        invoice.kind.as_str(),
        invoice.subscription_id.map(Id::raw),
        invoice.period_id.map(Id::raw),
        invoice.purchase_id.map(Id::raw),
        invoice.product_id.map(Id::raw),
        invoice.price_id.map(Id::raw),
        invoice.category.as_str(),
        invoice.currency.code(),
        invoice.subtotal,
        invoice.tax,
        invoice.total,
        invoice.invoice_date.micros(),
        invoice.due_date.micros(),
        invoice.period.map(|p| (p.start.micros(), p.end.micros())),
        invoice.memo,
    );
    for line in lines {
        let _infallible = write!(
            text,
            "\n{:x}|{}|{:?}|{:x?}|{}|{}|{}",
            line.id.raw(),
            line.position,
            line.description,
            line.price_id.map(Id::raw),
            line.category.as_str(),
            line.quantity,
            line.amount,
        );
    }
    for tax in taxes {
        let _infallible = write!(
            text,
            "\n%{}|{}|{}|{}|{:?}|{}|{}|{}",
            tax.position,
            tax.category.as_str(),
            tax.kind,
            tax.country,
            tax.state,
            tax.rate,
            tax.taxable,
            tax.amount,
        );
    }
    text
}
