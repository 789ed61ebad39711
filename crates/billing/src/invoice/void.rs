//! Taking an invoice back of which nothing has been paid.
//!
//! Owns the reversal of its entry. Its number stays taken. What that does to the subscription is in
//! `payment::void`.

use crate::changes::Changes;
use crate::id::Ctx;
use crate::invoice::{Invoice, InvoiceStatus, OpenInvoice};
use crate::ledger::EntryKind;
use crate::refusal::Refusal;

/// Reverses the entry of an invoice of which nothing has been paid. Its number stays taken.
pub(crate) fn void(ctx: &mut Ctx, open: &OpenInvoice, changes: &mut Changes) -> Result<Invoice, Refusal> {
    let invoice = &open.invoice;
    if invoice.settled != 0 || invoice.status != InvoiceStatus::Open {
        return Err(Refusal::State("only an open invoice of which nothing is paid can be withdrawn".into()));
    }
    let mut voided = invoice.clone();
    voided.status = InvoiceStatus::Void;
    voided.next_attempt_at = None;
    voided.updated_at = ctx.now;
    changes.post(open.issued.reversed(ctx, EntryKind::Void)?);
    changes.update(invoice.clone(), voided.clone());
    Ok(voided)
}
