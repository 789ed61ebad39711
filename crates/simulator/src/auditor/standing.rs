//! Where a subscription must stand, by what it owes, what was asked and what time it is.

use super::Auditor;
use billing::environment::DunningEnd;
use billing::id::SubscriptionId;
use billing::invoice::InvoiceStatus;
use billing::payment::PaymentStatus;
use billing::subscription::{Status, Subscription};
use billing::timestamp::Timestamp;

impl Auditor {
    /// Compares a subscription's status with what it owes and what was asked.
    pub(super) fn compare_status(&mut self, subscription: &Subscription, now: Timestamp) {
        let id = subscription.id;
        let Some(plan) = self.plans.get(&id) else { return };
        let (mut owed, mut charging, mut failed, mut short) = (0, 0, 0, 0);
        for bill in self.open_bills(id) {
            let attempts = self.attempts(bill.invoice.id);
            owed += 1;
            let is_charging = attempts.iter().any(|payment| payment.status == PaymentStatus::Processing);
            charging += usize::from(is_charging);
            failed += usize::from(attempts.iter().any(|payment| has_failed(payment.status)));
            // A charge that came and is not enough, because other money was taken back.
            short += usize::from(attempts.iter().any(|payment| payment.status == PaymentStatus::Succeeded));
        }
        let end = self.shop.environment.dunning.end;
        let before = plan.status;
        let fits = match subscription.status {
            Status::Trialing => plan.in_trial && owed == 0,
            Status::Active => !plan.in_trial && owed == charging,
            Status::PastDue => {
                owed > 0
                    && (before == Status::PastDue || failed > 0 || short > 0 || charging < owed || {
                        self.has_failed_lately(id)
                    })
            }
            Status::Unpaid => {
                owed > 0 && end == DunningEnd::MarkUnpaid && (failed > 0 || before == Status::Unpaid)
            }
            Status::Incomplete => before == Status::Incomplete && plan.seen == 1 && failed == 0 && owed == 1,
            Status::Canceled | Status::Completed | Status::IncompleteExpired => {
                return self.compare_end(subscription, now);
            }
        };
        if !fits || plan.ended.is_some() {
            let told = format!(
                "{id:?} is {:?} with {owed} open invoices, {charging} being charged, {failed} failed; it was {plan:?}",
                subscription.status
            );
            self.breach(told);
        }
        self.plans.entry(id).and_modify(|plan| {
            plan.status = subscription.status;
            plan.looked = now;
        });
    }

    /// Whether anything of a subscription has failed that is paid by now.
    fn has_failed_lately(&self, id: SubscriptionId) -> bool {
        self.bills
            .values()
            .filter(|bill| bill.invoice.subscription_id == Some(id))
            .any(|bill| self.attempts(bill.invoice.id).iter().any(|payment| has_failed(payment.status)))
    }

    /// Compares how and when a subscription ended with why it had to.
    fn compare_end(&mut self, subscription: &Subscription, now: Timestamp) {
        let id = subscription.id;
        let Some(plan) = self.plans.get(&id) else { return };
        let Some(ended) = subscription.ended_at else {
            return self.breach(format!("{id:?} has ended without an end"));
        };
        let is_known = plan.ended.is_some() && plan.status == subscription.status;
        let fits = is_known
            || match subscription.status {
                Status::Canceled => {
                    let by_request = plan.ended == Some(ended);
                    // What lies before the cancellation is billed first, however late it is, unless
                    // collecting was given up on the way there.
                    let can_renew =
                        matches!(plan.status, Status::Trialing | Status::Active | Status::PastDue)
                            && !self.was_marked_unpaid(id, plan.looked);
                    let by_plan = plan.cancel_at == Some(ended)
                        && ended <= now
                        && (!can_renew || ended <= plan.period.end);
                    by_request || by_plan || self.was_given_up(id, ended)
                }
                Status::Completed => plan.left == Some(0) && ended == plan.period.end && ended <= now,
                _ => {
                    let patience = self.shop.environment.due_days + self.shop.environment.grace_days;
                    let until = plan.created.plus_days(patience);
                    let is_late = until.is_ok_and(|until| until <= ended && ended <= now);
                    let is_withdrawn = self.bills.values().any(|bill| {
                        let invoice = &bill.invoice;
                        invoice.subscription_id == Some(id)
                            && invoice.status == InvoiceStatus::Void
                            && invoice.updated_at == ended
                    });
                    plan.status == Status::Incomplete && (is_late || is_withdrawn)
                }
            };
        let fits = fits && subscription.period.end <= plan.period.end;
        if !fits {
            let told = format!("{id:?} has ended as {:?} at {ended}; it was {plan:?}", subscription.status);
            self.breach(told);
        }
        self.plans.entry(id).and_modify(|plan| {
            plan.ended = Some(ended);
            plan.ended_noted.get_or_insert(subscription.updated_at);
            plan.status = subscription.status;
        });
    }

    /// Whether collecting an invoice of the subscription was given up at an instant, which cancels it.
    fn was_given_up(&self, id: SubscriptionId, at: Timestamp) -> bool {
        let days = self.shop.environment.dunning.retry_days.len();
        self.shop.environment.dunning.end == DunningEnd::Cancel
            && self.bills.values().any(|bill| {
                let invoice = &bill.invoice;
                invoice.subscription_id == Some(id)
                    && invoice.status == InvoiceStatus::Uncollectible
                    && usize::try_from(invoice.retry_count).is_ok_and(|retries| retries >= days)
                    && self.attempts(invoice.id).last().is_some_and(|last| last.updated_at == at)
            })
    }

    /// Whether the last attempt that the policy has at something still owed has failed since an instant,
    /// which is the end of renewing by that policy.
    fn was_marked_unpaid(&self, id: SubscriptionId, since: Timestamp) -> bool {
        let dunning = &self.shop.environment.dunning;
        dunning.end == DunningEnd::MarkUnpaid
            && self.open_bills(id).any(|bill| {
                let attempts = self.attempts(bill.invoice.id);
                let retries = attempts.iter().filter(|payment| payment.is_retry).count();
                let last = attempts.last().filter(|last| has_failed(last.status) && last.updated_at >= since);
                last.is_some() && retries >= dunning.retry_days.len()
            })
    }

    /// After everything due by an instant was done: nothing may be left that was due.
    pub fn compare_done(&mut self, now: Timestamp) {
        let mut told = Vec::new();
        for (id, plan) in &self.plans {
            if plan.ended.is_some() {
                continue;
            }
            let is_canceled = plan.cancel_at.is_some_and(|at| at <= now);
            let is_over = plan.period.end <= now && plan.status != Status::Unpaid;
            let patience = self.shop.environment.due_days + self.shop.environment.grace_days;
            let is_late = match plan.status {
                Status::Incomplete => plan.created.plus_days(patience).is_ok_and(|until| until <= now),
                _ => is_over,
            };
            if is_canceled || is_late {
                told.push(format!("{id:?} was due by {now} and nothing happened: {plan:?}"));
            }
        }
        for bill in self.bills.values() {
            let invoice = &bill.invoice;
            if invoice.next_attempt_at.is_some_and(|at| at <= now) {
                told.push(format!("{} was to be tried again by {now}: {invoice:?}", invoice.number));
            }
        }
        self.breaches.extend(told);
    }
}

fn has_failed(status: PaymentStatus) -> bool {
    matches!(status, PaymentStatus::Failed | PaymentStatus::RequiresAction)
}
