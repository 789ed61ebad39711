//! Voiding an invoice, and what that does to its subscription.
//!
//! Owns the consequence: a subscription that waited for this invoice alone goes on or expires. The reversal
//! itself is in `invoice::void`.

use crate::changes::Changes;
use crate::id::Ctx;
use crate::invoice::in_context::InvoiceInContext;
use crate::invoice::void::void;
use crate::invoice::{Invoice, OpenInvoice};
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::subscription::Status;
use crate::subscription::due::expire;
use crate::subscription::reactivate::reactivate;

/// Withdraws an invoice of which nothing has been paid. Its subscription no longer waits for it: one that
/// runs goes on, one that never became active expires.
///
/// # Errors
/// If something has been paid, or a sum is out of range.
pub fn void_invoice(
    ctx: &mut Ctx,
    rules: &Rules,
    open: &OpenInvoice,
    bill: &InvoiceInContext,
    changes: &mut Changes,
) -> Result<Invoice, Refusal> {
    let voided = void(ctx, open, changes)?;
    if let Some(before) = bill.subscription.as_ref().filter(|_| !bill.has_other_open_invoices) {
        let mut subscription = before.clone();
        if subscription.status == Status::Incomplete {
            expire(ctx, &mut subscription, &[], changes)?;
            subscription.updated_at = ctx.now;
            subscription.due_at = None;
        } else {
            reactivate(ctx, rules, &mut subscription, changes)?;
        }
        if subscription != *before {
            changes.update(before.clone(), subscription);
        }
    }
    Ok(voided)
}
