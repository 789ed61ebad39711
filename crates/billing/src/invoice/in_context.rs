//! An invoice with what hangs on its settlement.
//!
//! Owns the three rows that move together when money comes or fails to: invoice, subscription and purchase.
//! They are read at once and written by `InvoiceInContext::write` only where they differ from before. It
//! decides nothing.

use crate::changes::Changes;
use crate::invoice::Invoice;
use crate::purchase::Purchase;
use crate::subscription::Subscription;

/// An invoice with the subscription and the purchase that its settlement moves.
#[derive(Debug, Clone)]
pub struct InvoiceInContext {
    /// The invoice.
    pub invoice: Invoice,
    /// Its subscription.
    pub subscription: Option<Subscription>,
    /// Its purchase.
    pub purchase: Option<Purchase>,
    /// Whether the subscription has other open invoices.
    pub has_other_open_invoices: bool,
}

impl InvoiceInContext {
    /// Writes the invoice's settlement, and the purchase if it moved.
    pub(crate) fn write(&self, before: &InvoiceInContext, changes: &mut Changes) {
        if self.invoice != before.invoice {
            changes.update(before.invoice.clone(), self.invoice.clone());
        }
        if let (Some(before), Some(after)) = (&before.subscription, &self.subscription)
            && before != after
        {
            changes.update(before.clone(), after.clone());
        }
        if let (Some(before), Some(after)) = (&before.purchase, &self.purchase)
            && before != after
        {
            changes.update(before.clone(), after.clone());
        }
    }
}
