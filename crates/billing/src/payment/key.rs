//! The key by which a gateway tells whether it has been asked before.
//!
//! Owns what makes two requests the same. It follows from what is charged and not from when it is asked: the
//! period's start is in it and no clock.

use crate::id::Id;
use crate::invoice::{Invoice, InvoiceKind};

/// The key under which a gateway is asked for an attempt at an invoice.
///
/// It follows from what is charged. Books that were brought back to an earlier time bill again what fell
/// due since, with other ids; a subscription and the start of its period are the same.
pub fn key(invoice: &Invoice, attempt: i64) -> String {
    match (invoice.kind, invoice.subscription_id, invoice.period) {
        (InvoiceKind::Subscription, Some(subscription), Some(period)) => {
            format!("{:032x}-{:x}-{attempt}", subscription.raw(), period.start.micros())
        }
        // What somebody asked for does not fall due again: as long as the books know it, it has its id.
        _ => format!("{:032x}-{attempt}", invoice.id.raw()),
    }
}
