//! How an audit names a row: what it is, and the 32 hexadecimal digits of its id.

use billing::invoice::Invoice;
use billing::payment::Payment;
use billing::subscription::Subscription;

/// The label of a row of any kind.
pub(super) fn label(what: &str, id: impl billing::id::Id) -> String {
    format!("{what} {:032x}", id.raw())
}

/// The label of a subscription, with its status.
pub(super) fn of_subscription(subscription: &Subscription) -> String {
    label(&format!("{} subscription", subscription.status.as_str()), subscription.id)
}

/// The label of an invoice, with its number.
pub(super) fn of_invoice(invoice: &Invoice) -> String {
    label(&format!("invoice {}", invoice.number), invoice.id)
}

/// The label of a payment, with its kind.
pub(super) fn of_payment(payment: &Payment) -> String {
    label(&format!("{} payment", payment.kind.as_str()), payment.id)
}
