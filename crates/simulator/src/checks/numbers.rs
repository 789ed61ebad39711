//! Invoice numbers are gapless: in all, and by customer.

use billing::currency::Currency;
use billing::id::{CustomerId, InvoiceId};
use std::collections::{BTreeMap, BTreeSet};
use store::audit::Holdings;

/// The numbers that were seen.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    places: BTreeMap<i64, InvoiceId>,
    numbers: BTreeMap<String, InvoiceId>,
    of_customer: BTreeMap<(CustomerId, Option<Currency>), BTreeSet<i64>>,
}

impl Numbers {
    pub(super) fn look(&mut self, customer: CustomerId, held: &Holdings, breaches: &mut Vec<String>) {
        for (invoice, ..) in &held.invoices {
            let owners = [
                *self.places.entry(invoice.ordinal).or_insert(invoice.id),
                *self.numbers.entry(invoice.number.clone()).or_insert(invoice.id),
            ];
            if owners != [invoice.id; 2] {
                breaches.push(format!("{} has the place or number of {owners:?}", invoice.number));
            }
            for (currency, place) in
                [(None, invoice.customer_ordinal), (Some(invoice.currency), invoice.currency_ordinal)]
            {
                self.of_customer.entry((customer, currency)).or_default().insert(place);
            }
        }
        for ((whose, currency), places) in &self.of_customer {
            if *whose == customer && !is_gapless(places.len(), places.last()) {
                breaches.push(format!("the invoices of {customer:?} in {currency:?} have places {places:?}"));
            }
        }
    }

    pub(super) fn conclude(&self, breaches: &mut Vec<String>) {
        if !is_gapless(self.places.len(), self.places.keys().last()) {
            let places: Vec<_> = self.places.keys().collect();
            breaches.push(format!("invoices have the places {places:?}"));
        }
    }
}

fn is_gapless(count: usize, last: Option<&i64>) -> bool {
    usize::try_from(last.copied().unwrap_or(0)) == Ok(count)
}
