//! An invoice with what hangs on its settlement.

use crate::changes::{Change, Changes};
use crate::invoice::Invoice;
use crate::purchase::Purchase;
use crate::subscription::Subscription;

/// An invoice with the subscription and the purchase that its settlement moves.
#[derive(Debug, Clone)]
pub struct Bill {
    /// The invoice.
    pub invoice: Invoice,
    /// Its subscription.
    pub subscription: Option<Subscription>,
    /// Its purchase.
    pub purchase: Option<Purchase>,
    /// Whether the subscription has other open invoices.
    pub owes_more: bool,
}

impl Bill {
    /// Writes the invoice's settlement, and the purchase if it moved.
    pub(crate) fn write(&self, before: &Bill, changes: &mut Changes) {
        if self.invoice != before.invoice {
            changes.push(Change::SettleInvoice(Box::new(self.invoice.clone())));
        }
        if self.subscription != before.subscription
            && let Some(subscription) = &self.subscription
        {
            changes.push(Change::UpdateSubscription(subscription.clone()));
        }
        if self.purchase != before.purchase
            && let Some(purchase) = &self.purchase
        {
            changes.push(Change::UpdatePurchase(purchase.clone()));
        }
    }
}
