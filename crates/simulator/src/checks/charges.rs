//! No invoice is charged twice: what successful charges brought beyond it is on the balance.

use billing::id::{Id, InvoiceId, PaymentId};
use billing::payment::{PaymentKind, PaymentStatus};
use std::collections::BTreeMap;
use store::audit::Holdings;

/// What was charged for invoices.
#[derive(Debug, Default)]
pub(super) struct Charges {
    succeeded: BTreeMap<InvoiceId, BTreeMap<PaymentId, i64>>,
    totals: BTreeMap<InvoiceId, i64>,
}

impl Charges {
    pub(super) fn look(&mut self, held: &Holdings, breaches: &mut Vec<String>) {
        for (invoice, ..) in &held.invoices {
            self.totals.insert(invoice.id, invoice.total);
        }
        for payment in held.payments.iter().filter(|payment| payment.kind == PaymentKind::Automatic) {
            let Some(invoice) = payment.invoice_id else {
                breaches.push(format!("an automatic payment for nothing: {payment:?}"));
                continue;
            };
            if payment.status != PaymentStatus::Succeeded {
                continue;
            }
            let charges = self.succeeded.entry(invoice).or_default();
            charges.insert(payment.id, payment.amount);
            let kept = held
                .credits
                .iter()
                .filter(|credit| credit.payment_id.is_some_and(|id| charges.contains_key(&id)));
            let surplus: i64 = kept.map(|credit| credit.amount).sum();
            let charged: i64 = charges.values().sum();
            let total = self.totals.get(&invoice).copied().unwrap_or(0);
            if charged - surplus > total {
                breaches.push(format!("{charged} was charged for {:032x} of {total}", invoice.raw()));
            }
        }
    }
}
