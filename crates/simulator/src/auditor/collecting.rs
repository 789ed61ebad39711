//! How an invoice must be collected: attempts as the policy plans them, and payments as the gateway
//! answered.

use super::Auditor;
use crate::acquirer::Acquirer;
use billing::environment::DunningEnd;
use billing::id::{CustomerId, Id};
use billing::invoice::{Invoice, InvoiceStatus};
use billing::payment::collect::Outcome;
use billing::payment::refund::RefundOutcome;
use billing::payment::{Payment, PaymentKind, PaymentStatus, RefundStatus};
use billing::timestamp::Timestamp;

/// How long the gateway may be silent until it is asked again, in seconds.
const PATIENCE_SECONDS: i64 = 60;

/// The reason of an attempt that found nothing to charge.
const NO_METHOD: &str = "no_payment_method";

impl Auditor {
    /// Compares what is planned for an invoice with the policy.
    pub(super) fn compare_collecting(&mut self, invoice: &Invoice) {
        let dunning = &self.shop.environment.dunning;
        let attempts = self.attempts(invoice.id);
        let retries = attempts.iter().filter(|payment| payment.is_retry).count();
        let is_charging = attempts.iter().any(|payment| payment.status == PaymentStatus::Processing);
        let plan = invoice.subscription_id.and_then(|id| self.plans.get(&id));
        // What ended before its time is no longer collected by itself.
        let ended = plan.filter(|plan| !plan.status.is_collected()).and_then(|plan| plan.ended_noted);
        let has_ended = ended.is_some();
        let late = attempts.iter().find(|p| p.is_retry && ended.is_some_and(|ended| p.created_at > ended));
        let late = late.map(|payment| format!("{payment:?} was tried after {ended:?}"));
        let next_days = dunning.retry_days.get(retries).copied();
        // What is owed again is asked for once more, even if the policy was through with it.
        let days_again = next_days.or(dunning.retry_days.last().copied()).unwrap_or(0);
        let number = invoice.number.clone();
        let last = attempts.last().map(|payment| (payment.status, payment.updated_at));
        // A refund moves the time of the last change, but not that at which the money came.
        let came = attempts.last().map(|payment| payment.paid_at);
        let has_failed = is_failing(last);
        let reopened = self.bills.get(&invoice.id).and_then(|bill| bill.reopened);
        let is_charged = is_charged_by_itself(invoice) || last.is_some();
        let planned = match (reopened, last) {
            (Some(reopened), _) => is_charged.then_some((reopened.at, days_again)),
            (None, Some((PaymentStatus::Failed | PaymentStatus::RequiresAction, at))) => {
                next_days.map(|days| (at, days))
            }
            (None, Some((PaymentStatus::Succeeded, _))) => came.map(|at| (at, days_again)),
            (None, Some((PaymentStatus::Processing, _)) | None) => None,
        };
        let planned = planned.and_then(|(at, days)| at.plus_days(days).ok());
        let is_open = invoice.status == InvoiceStatus::Open;
        let is_exhausted = last.is_some() && next_days.is_none();
        let end = dunning.end;
        let first_is_retry = attempts.first().is_some_and(|payment| payment.is_retry);
        let counted = usize::try_from(invoice.retry_count);
        self.same(&format!("the retries of {number}"), counted, Ok(retries));
        self.breaches.extend(late);
        if first_is_retry {
            self.breach(format!("the first attempt at {number} counts as a retry"));
        }
        if has_ended && is_open {
            // A planned attempt is forgotten when it falls due, if not before.
        } else if is_open && !is_charging {
            self.same(&format!("the next attempt at {number}"), invoice.next_attempt_at, planned);
            let is_over = is_exhausted && has_failed && reopened.is_none();
            if is_over && end == DunningEnd::Cancel && !has_ended {
                self.breach(format!("{number} was not given up: {invoice:?}"));
            }
        } else {
            self.same(&format!("the next attempt at {number}"), invoice.next_attempt_at, None);
        }
        if invoice.status == InvoiceStatus::Uncollectible && !(is_exhausted && end == DunningEnd::Cancel) {
            self.breach(format!("{number} was given up too early: {invoice:?}"));
        }
        if invoice.refunded > invoice.total {
            self.breach(format!("more of {number} was given back than it came to: {invoice:?}"));
        }
        self.compare_asking(invoice);
    }

    /// Compares whether an invoice was charged at all with what there was to charge.
    fn compare_asking(&mut self, invoice: &Invoice) {
        let since = self.people.get(&invoice.customer_id).and_then(|person| person.method_since);
        let has_method = |at: Timestamp| since.is_some_and(|since| since < at);
        let attempts = self.attempts(invoice.id);
        let vain = attempts.iter().find(|payment| {
            payment.failure_code.as_deref() == Some(NO_METHOD) && has_method(payment.created_at)
        });
        let vain = vain.map(|payment| format!("there was something to charge for {payment:?}"));
        let plan = invoice.subscription_id.and_then(|id| self.plans.get(&id));
        // What follows by itself is tried even without anything to charge.
        let follows = plan.is_some_and(|plan| plan.first != Some(invoice.id));
        let must = follows || is_charged_by_itself(invoice) && has_method(invoice.created_at);
        let is_reopened = self.bills.get(&invoice.id).is_some_and(|bill| bill.reopened.is_some());
        let is_untouched = invoice.created_at == invoice.updated_at && !is_reopened;
        let is_forgotten = attempts.is_empty() && invoice.status == InvoiceStatus::Open && is_untouched;
        self.breaches.extend(vain);
        if must && is_forgotten {
            self.breach(format!("{} is owed and nobody was charged: {invoice:?}", invoice.number));
        }
    }

    /// Compares the payments of a customer with what the gateway did.
    pub fn compare_with_gateway(&mut self, customer: CustomerId, acquirer: &Acquirer) {
        let mut told = Vec::new();
        for payment in self.payments.values().filter(|payment| payment.customer_id == customer) {
            if payment.kind == PaymentKind::Automatic {
                told.extend(disagreement(payment, acquirer));
            }
        }
        for refund in self.refunds.values().filter(|refund| refund.customer_id == customer) {
            let known = acquirer.refund_of(refund.id);
            let fits = match (refund.status, known) {
                (RefundStatus::Processing, _) => true,
                (_, None) => false,
                (RefundStatus::Succeeded, Some(known)) => {
                    known.is_done && known.outcome == RefundOutcome::Succeeded && {
                        known.amount.minor() == refund.amount && known.charge == refund.payment_id.raw()
                    }
                }
                (RefundStatus::Failed, Some(known)) => known.outcome != RefundOutcome::Succeeded,
            };
            if !fits {
                told.push(format!("the gateway knows another refund than {refund:?}"));
            }
        }
        self.breaches.extend(told);
    }

    /// Every charge that the gateway was asked for stands in the books.
    pub fn compare_charges(&mut self, acquirer: &Acquirer) {
        for key in acquirer.charged() {
            if !self.payments.contains_key(&key) {
                self.breach(format!("the gateway was asked for {key:?}, which is not in the books"));
            }
        }
    }

    /// After everything due by an instant was done: nothing waits for an answer that could be had.
    pub fn compare_answered(&mut self, now: Timestamp, acquirer: &Acquirer) {
        let is_late = |since: Timestamp| since.plus_seconds(PATIENCE_SECONDS).is_ok_and(|until| until <= now);
        let mut told = Vec::new();
        for payment in self.payments.values() {
            let waits = payment.status == PaymentStatus::Processing && is_late(payment.updated_at);
            if waits && !acquirer.was_silent(payment.id.raw()) {
                told.push(format!("nobody asked again for {payment:?} by {now}"));
            }
        }
        for refund in self.refunds.values() {
            let waits = refund.status == RefundStatus::Processing && is_late(refund.updated_at);
            if waits && !acquirer.was_silent(refund.id.raw()) {
                told.push(format!("nobody asked again for {refund:?} by {now}"));
            }
        }
        self.breaches.extend(told);
    }
}

/// A payment that does not agree with the gateway.
fn disagreement(payment: &Payment, acquirer: &Acquirer) -> Option<String> {
    let charge = acquirer.charge_of(payment.id);
    let fits = match (payment.status, &charge) {
        (PaymentStatus::Processing, None) => true,
        (PaymentStatus::Processing, Some(charge)) => charge.amount == payment.money(),
        (status, None) => {
            status == PaymentStatus::Failed && payment.failure_code.as_deref() == Some(NO_METHOD)
        }
        (PaymentStatus::Succeeded, Some(charge)) => {
            charge.has_moved_money() && charge.amount == payment.money()
        }
        (PaymentStatus::Failed, Some(charge)) => matches!(charge.outcome, Outcome::Declined { .. }),
        (PaymentStatus::RequiresAction, Some(charge)) => {
            matches!(charge.outcome, Outcome::RequiresAction { .. })
        }
    };
    (!fits).then(|| format!("the gateway knows {charge:?}, the books say {payment:?}"))
}

/// Whether the last attempt has failed.
fn is_failing(last: Option<(PaymentStatus, Timestamp)>) -> bool {
    matches!(last, Some((PaymentStatus::Failed | PaymentStatus::RequiresAction, _)))
}

/// Whether an invoice is charged by itself: all but those that the merchant wrote.
fn is_charged_by_itself(invoice: &Invoice) -> bool {
    invoice.kind != billing::invoice::InvoiceKind::Standalone
}
