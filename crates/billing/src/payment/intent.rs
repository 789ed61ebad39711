//! The intent to ask a gateway for money, which is committed before it is asked.
//!
//! Owns the row of a payment that is under way and its count on the invoice. Between this commit and that of
//! the outcome nobody knows whether money moved, which is why it is asked again under the same key.

use crate::customer::{PaymentMethod, PaymentMethodKind};
use crate::id::{Ctx, Id};
use crate::invoice::Invoice;
use crate::payment::{Payment, PaymentChannel, PaymentKind, PaymentStatus};

/// The payment that is about to be asked of the gateway, counted on its invoice; without a method nobody
/// can be asked.
pub(crate) fn intent(
    ctx: &mut Ctx,
    invoice: &mut Invoice,
    method: Option<&PaymentMethod>,
    description: &str,
    discount_percent: i64,
    is_retry: bool,
) -> Payment {
    invoice.attempt_count += 1;
    invoice.next_attempt_at = None;
    invoice.updated_at = ctx.now;
    Payment {
        id: ctx.id(invoice.customer_id.shard()),
        environment: invoice.environment,
        customer_id: invoice.customer_id,
        invoice_id: Some(invoice.id),
        attempt: Some(invoice.attempt_count),
        is_retry,
        payment_method_id: method.map(|method| method.id),
        kind: PaymentKind::Automatic,
        means: match method.map(|method| method.kind) {
            Some(PaymentMethodKind::Card) => PaymentChannel::Card,
            Some(PaymentMethodKind::UsBankAccount | PaymentMethodKind::SepaDebit) => {
                PaymentChannel::BankTransfer
            }
            None => PaymentChannel::Other,
        },
        category: invoice.category,
        amount: invoice.owed(),
        currency: invoice.currency,
        refunded: 0,
        status: PaymentStatus::Processing,
        paid_at: ctx.now,
        failure_code: None,
        failure_message: None,
        gateway_reference: None,
        description: Some(description.to_owned()),
        notes: None,
        receipt_image: None,
        created_by: None,
        price_id: invoice.price_id,
        discount_percent,
        created_at: ctx.now,
        updated_at: ctx.now,
        deleted_at: None,
    }
}
