//! Invoices with what hangs on them, as paying them moves it.

use crate::error::Error;
use billing::invoice::Invoice;
use billing::invoice::in_context::InvoiceInContext;
use billing::payment::Payment;
use store::Snapshot;

/// The invoice of a payment with what hangs on it.
pub(crate) async fn of_payment(
    s: &mut Snapshot,
    environment: i64,
    payment: &Payment,
) -> Result<InvoiceInContext, Error> {
    let id =
        payment.invoice_id.ok_or_else(|| store::Error::Corrupt("a charge without its invoice".into()))?;
    let invoice = store::invoices::one(s, environment, id).await?.ok_or_else(|| Error::not_found(id))?;
    of_invoice(s, environment, invoice).await
}

/// An invoice with what hangs on it.
pub(crate) async fn of_invoice(
    s: &mut Snapshot,
    environment: i64,
    invoice: Invoice,
) -> Result<InvoiceInContext, Error> {
    let mut bill =
        InvoiceInContext { invoice, subscription: None, purchase: None, has_other_open_invoices: false };
    if let Some(id) = bill.invoice.subscription_id {
        bill.subscription = store::subscriptions::one(s, environment, id).await?;
        bill.has_other_open_invoices =
            store::invoices::has_other_open_invoices(s, bill.invoice.customer_id, id, bill.invoice.id)
                .await?;
    }
    if let Some(id) = bill.invoice.purchase_id {
        bill.purchase = store::purchases::one(s, environment, id).await?;
    }
    Ok(bill)
}
