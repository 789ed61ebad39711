//! One-off sales: what they are. `sell` makes them.
//!
//! Owns the row and how it follows its invoice; nothing else moves it. It says when it was agreed and when
//! it was paid.

pub mod sell;

use crate::calendar::Interval;
use crate::catalog::Price;
use crate::currency::Currency;
use crate::id::{CustomerId, PriceId, PurchaseId};
use crate::invoice::{Invoice, InvoiceStatus};
use crate::timestamp::Timestamp;

/// Where a purchase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurchaseStatus {
    /// Agreed, not paid.
    Open,
    /// Its payment failed.
    Failed,
    /// Paid.
    Paid,
    /// Paid and given back.
    Refunded,
    /// Paid and given back in part.
    PartialRefund,
}

crate::text_enum!(PurchaseStatus {
    Open = "open",
    Failed = "failed",
    Paid = "paid",
    Refunded = "refunded",
    PartialRefund = "partial_refund",
});

/// A sale.
#[derive(Debug, Clone, PartialEq)]
pub struct Purchase {
    /// Its id.
    pub id: PurchaseId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Who bought.
    pub customer_id: CustomerId,
    /// By which price.
    pub price_id: PriceId,
    /// What was sold.
    pub name: String,
    /// Where it stands.
    pub status: PurchaseStatus,
    /// How many units, at least 1.
    pub quantity: i64,
    /// What the first invoice came to, without tax, in minor units.
    pub first_invoice_value: i64,
    /// What one period costs, in minor units; none for a sale that is charged once.
    pub price_per_cycle: Option<i64>,
    /// In which currency.
    pub currency: Currency,
    /// The merchant's own data as JSON text.
    pub metadata: Option<String>,
    /// When it was paid.
    pub purchased_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Purchase {
    /// Brings it in line with its invoice.
    pub(crate) fn follow(&mut self, invoice: &Invoice, now: Timestamp) {
        let status = match (invoice.status, self.status) {
            (InvoiceStatus::Paid, _) => PurchaseStatus::Paid,
            (InvoiceStatus::PartiallyRefunded, _) => PurchaseStatus::PartialRefund,
            (InvoiceStatus::Refunded, _) => PurchaseStatus::Refunded,
            (_, PurchaseStatus::Failed) => PurchaseStatus::Failed,
            (InvoiceStatus::Open | InvoiceStatus::Void | InvoiceStatus::Uncollectible, _) => {
                PurchaseStatus::Open
            }
        };
        if status != self.status {
            self.status = status;
            self.purchased_at = invoice.is_paid().then(|| self.purchased_at.unwrap_or(now));
            self.updated_at = now;
        }
    }

    /// How often it is billed, if its price is charged again and again, and from when on that is counted.
    pub fn cycle(&self, price: &Price) -> Option<(Interval, Timestamp)> {
        Some((price.interval?, self.purchased_at.unwrap_or(self.created_at)))
    }
}
