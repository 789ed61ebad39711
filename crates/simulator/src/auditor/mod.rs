//! The auditor: what the books must say, predicted from what was asked and from what the gateway did,
//! and compared with what they say after every step.
//!
//! It shares with the engine only the calendar and the arithmetic of money.

mod collecting;
mod observing;
mod plan;
mod standing;
pub mod totals;

pub use plan::{Part, Plan};

use crate::ask::Ask;
use crate::shop::Shop;
use billing::currency::Currency;
use billing::id::{CustomerId, Id, InvoiceId, PaymentId, PurchaseId, RefundId, SubscriptionId};
use billing::invoice::Invoice;
use billing::payment::{Payment, Refund};
use billing::subscription::change::ChangeTiming;
use billing::timestamp::Timestamp;
use std::collections::BTreeMap;
use totals::{Charge, Place, Totals};

/// A customer.
#[derive(Debug, Clone)]
pub struct Person {
    /// The zone of its periods.
    pub zone: String,
    /// Where it pays taxes.
    pub place: Place,
    /// Since when there is something to charge.
    pub method_since: Option<Timestamp>,
}

/// An invoice as it was last seen.
#[derive(Debug, Clone)]
pub struct Bill {
    /// The invoice.
    pub invoice: Invoice,
    /// Since when it is owed again, if nobody has asked for it since.
    reopened: Option<Reopened>,
}

/// A correction of a manual payment by which a paid invoice is owed again.
#[derive(Debug, Clone, Copy)]
struct Reopened {
    at: Timestamp,
    /// How many attempts there had been by then.
    attempts: i64,
}

/// What an invoice that must come is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Invoice(InvoiceId),
    Purchase(PurchaseId),
    Change(SubscriptionId),
}

/// What the books must say.
pub struct Auditor {
    /// What is sold.
    pub shop: Shop,
    /// The customers.
    pub people: BTreeMap<CustomerId, Person>,
    /// The subscriptions.
    pub plans: BTreeMap<SubscriptionId, Plan>,
    /// The invoices that were seen.
    pub bills: BTreeMap<InvoiceId, Bill>,
    /// The payments that were seen.
    pub payments: BTreeMap<PaymentId, Payment>,
    /// The refunds that were seen.
    pub refunds: BTreeMap<RefundId, Refund>,
    /// What staff wrote down and did not take back.
    pub written_down: BTreeMap<PaymentId, (CustomerId, Currency, i64)>,
    /// What is left of the credits.
    remaining: BTreeMap<CustomerId, Vec<(Currency, i64)>>,
    expected: Vec<(For, Totals)>,
    /// The customers whose manual payments were corrected since they were last looked at, and when.
    corrected: Vec<(CustomerId, Timestamp)>,
    /// Invoices that may be withdrawn because somebody asked.
    voided: Vec<InvoiceId>,
    /// What is not as it must be.
    breaches: Vec<String>,
}

impl Auditor {
    /// An auditor of new books.
    pub fn new(shop: Shop) -> Self {
        Self {
            shop,
            people: BTreeMap::new(),
            plans: BTreeMap::new(),
            bills: BTreeMap::new(),
            payments: BTreeMap::new(),
            refunds: BTreeMap::new(),
            written_down: BTreeMap::new(),
            remaining: BTreeMap::new(),
            expected: Vec::new(),
            corrected: Vec::new(),
            voided: Vec::new(),
            breaches: Vec::new(),
        }
    }

    /// Takes what is not as it must be.
    pub fn breaches(&mut self) -> Vec<String> {
        std::mem::take(&mut self.breaches)
    }

    fn breach(&mut self, told: String) {
        self.breaches.push(told);
    }

    /// Says that two things differ, if they do.
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, books: T, predicted: T) {
        if books != predicted {
            self.breach(format!("{what}: the books say {books:?}, predicted {predicted:?}"));
        }
    }

    /// Takes note of a request that has had its effect.
    ///
    /// # Errors
    /// If a prediction cannot be made, which the workload avoids.
    pub fn did(&mut self, ask: &Ask, resource: u128, now: Timestamp) -> Result<(), String> {
        let told = |error: &dyn std::fmt::Display| format!("cannot predict {ask:?}: {error}");
        match ask {
            Ask::Customer(_) | Ask::DefaultMethod(_) | Ask::Refund(..) | Ask::Retry(_) => {}
            Ask::Method(customer, ..) => {
                if let Some(person) = self.people.get_mut(customer) {
                    person.method_since.get_or_insert(now);
                }
            }
            Ask::Subscribe(customer, new) => {
                let zone = self.people.get(customer).map_or("UTC", |person| &person.zone);
                let plan = Plan::new(&self.shop, zone, *customer, new, now).map_err(|e| told(&e))?;
                if let Some(plan) = plan {
                    self.plans.entry(SubscriptionId::from_raw(resource)).or_insert(plan);
                }
            }
            Ask::Adjust(id, adjust) => {
                let parts = Part::all(&self.shop, &adjust.items).ok_or_else(|| told(&"an unknown price"))?;
                self.expect_difference(*id, &parts, adjust.when, now).map_err(|e| told(&e))?;
                if let Some(plan) = self.plans.get_mut(id) {
                    plan.adjust(parts, adjust.when);
                }
            }
            Ask::Cancel(id, at) => self.plans.entry(*id).and_modify(|plan| plan.cancel(*at, now)).discard(),
            Ask::Uncancel(id) => self.plans.entry(*id).and_modify(|plan| plan.cancel_at = None).discard(),
            Ask::MoveRenewal(id, end) => {
                self.plans.entry(*id).and_modify(|plan| plan.reschedule_renewal(*end)).discard();
            }
            Ask::Sell(customer, item, code) => {
                let parts = Part::all(&self.shop, &[*item]).ok_or_else(|| told(&"an unknown price"))?;
                let charges = one_off(&parts).map_err(|e| told(&e))?;
                let discount = code.as_ref().and_then(|code| self.discount(code));
                let totals = self.totals(*customer, &charges, discount.as_ref()).map_err(|e| told(&e))?;
                self.expected.push((For::Purchase(PurchaseId::from_raw(resource)), totals));
            }
            Ask::Bill(customer, lines, _) => {
                let mut charges = Vec::new();
                for line in lines {
                    let amount = line.unit_price.checked_mul_int(line.quantity).map_err(|e| told(&e))?;
                    charges.push(Charge { category: line.category, amount, behavior: line.tax_behavior });
                }
                let totals = self.totals(*customer, &charges, None).map_err(|e| told(&e))?;
                self.expected.push((For::Invoice(InvoiceId::from_raw(resource)), totals));
            }
            Ask::Void(id) => self.voided.push(*id),
            Ask::Record(customer, new) => {
                let kept = (*customer, new.amount.currency(), new.amount.minor());
                self.written_down.insert(PaymentId::from_raw(resource), kept);
            }
            Ask::Edit(id, edit) => {
                if let (Some(kept), Some(amount)) = (self.written_down.get_mut(id), edit.amount) {
                    kept.2 = amount.minor();
                    self.corrected.push((kept.0, now));
                }
            }
            Ask::Delete(id) => {
                if let Some(kept) = self.written_down.remove(id) {
                    self.corrected.push((kept.0, now));
                }
            }
        }
        Ok(())
    }

    /// Whether the engine was right to refuse a request, so far as that is plain.
    pub fn refused(&mut self, ask: &Ask, error: &engine::Error) {
        let engine::Error::Refused(_) = error else {
            self.breach(format!("{ask:?} failed: {error}"));
            return;
        };
        let is_plainly_possible = match ask {
            Ask::Customer(_) | Ask::Method(..) | Ask::DefaultMethod(_) | Ask::Record(..) | Ask::Delete(_) => {
                true
            }
            Ask::Uncancel(id) => self.plans.get(id).is_some_and(|plan| plan.ended.is_none()),
            Ask::Cancel(_, billing::subscription::cancel::CancelAt::Now) => true,
            Ask::Subscribe(..) => self.shop.environment.multiple_subscriptions,
            _ => false,
        };
        if is_plainly_possible {
            self.breach(format!("{ask:?} was refused: {error}"));
        }
    }

    fn discount(&self, code: &str) -> Option<billing::catalog::Discount> {
        self.shop.discounts.iter().find(|discount| discount.code == code).cloned()
    }

    fn totals(
        &self,
        customer: CustomerId,
        charges: &[Charge],
        discount: Option<&billing::catalog::Discount>,
    ) -> Result<Totals, billing::money::MoneyError> {
        let nowhere = Place { country: None, state: None };
        let place = self.people.get(&customer).map_or(nowhere, |person| person.place);
        totals::of(&self.shop, place, charges, discount)
    }

    fn expect_difference(
        &mut self,
        id: SubscriptionId,
        parts: &[Part],
        when: ChangeTiming,
        now: Timestamp,
    ) -> Result<(), billing::money::MoneyError> {
        let Some(plan) = self.plans.get(&id).filter(|_| when == ChangeTiming::Now) else { return Ok(()) };
        let Some((charges, discount)) = plan.difference(parts, now)? else { return Ok(()) };
        let totals = self.totals(plan.customer, &charges, discount.as_ref())?;
        self.expected.push((For::Change(id), totals));
        Ok(())
    }

    /// The invoices of a subscription that are owed.
    fn open_bills(&self, id: SubscriptionId) -> impl Iterator<Item = &Bill> {
        self.bills.values().filter(move |bill| {
            bill.invoice.subscription_id == Some(id)
                && bill.invoice.status == billing::invoice::InvoiceStatus::Open
        })
    }

    /// The attempts at an invoice, the first first.
    fn attempts(&self, id: InvoiceId) -> Vec<&Payment> {
        let mut attempts: Vec<_> =
            self.payments.values().filter(|payment| payment.invoice_id == Some(id)).collect();
        attempts.sort_by_key(|payment| payment.attempt);
        attempts
    }
}

fn one_off(parts: &[Part]) -> Result<Vec<Charge>, billing::money::MoneyError> {
    let mut charges = Vec::new();
    for part in parts {
        let amount = part.unit.checked_mul_int(part.quantity)?;
        charges.push(Charge { category: part.category, amount, behavior: part.behavior });
    }
    Ok(charges)
}

/// Entries of a map are changed in passing.
trait Discard {
    fn discard(self);
}

impl<K: Ord, V> Discard for std::collections::btree_map::Entry<'_, K, V> {
    fn discard(self) {}
}
