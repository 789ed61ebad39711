//! Looking at what a customer has: what is new must have been expected, what is old must still hold.

use super::totals::Totals;
use super::{Auditor, Bill, For, Plan, Reopened};
use billing::currency::Currency;
use billing::id::{CustomerId, Id, PeriodId, SubscriptionId};
use billing::invoice::{Invoice, InvoiceKind, InvoiceLine, InvoiceStatus};
use billing::subscription::{BillingPeriod, Item, Subscription};
use billing::timestamp::Timestamp;
use std::collections::BTreeMap;
use store::audit::Holdings;

/// The invoices that moved, by the period that they are for.
type ByPeriod<'h> = BTreeMap<PeriodId, Vec<(&'h Invoice, &'h [InvoiceLine])>>;

impl Auditor {
    /// Compares what a customer has with what it must have by now.
    pub fn observe(&mut self, customer: CustomerId, held: &Holdings, now: Timestamp) {
        let mut billed: ByPeriod<'_> = BTreeMap::new();
        for (invoice, lines, _) in &held.invoices {
            if let Some(period) = invoice.period_id {
                billed.entry(period).or_default().push((invoice, lines));
            }
        }
        for (subscription, items) in &held.subscriptions {
            let Some(mut plan) = self.plans.remove(&subscription.id) else {
                self.breach(format!("nobody asked for subscription {:?}", subscription.id));
                continue;
            };
            self.take_periods(&mut plan, subscription, held, &billed, now);
            self.compare_items(&plan, subscription, items);
            self.plans.insert(subscription.id, plan);
        }
        for payment in &held.payments {
            self.payments.insert(payment.id, payment.clone());
        }
        for (invoice, lines, _) in &held.invoices {
            self.take_invoice(invoice, lines);
        }
        for refund in &held.refunds {
            self.refunds.insert(refund.id, refund.clone());
        }
        let remaining = held.credits.iter().map(|credit| (credit.currency, credit.remaining)).collect();
        self.remaining.insert(customer, remaining);
        for (subscription, _) in &held.subscriptions {
            self.compare_status(subscription, now);
        }
        for (invoice, ..) in &held.invoices {
            self.compare_collecting(invoice);
        }
        self.compare_money(customer);
        self.corrected.retain(|(corrected, _)| *corrected != customer);
    }

    /// Takes the periods that have begun since the last look, one after another.
    fn take_periods(
        &mut self,
        plan: &mut Plan,
        subscription: &Subscription,
        held: &Holdings,
        billed: &ByPeriod<'_>,
        now: Timestamp,
    ) {
        let name = subscription.id;
        let mut last = None;
        for row in held.periods.iter().filter(|period| period.subscription_id == subscription.id) {
            let is_known = plan.seen > 0 && row.period.start <= plan.period.start;
            if is_known {
                last = Some(row);
                continue;
            }
            if plan.seen > 0 {
                // What was not renewed because it was owed goes on from when it was paid.
                if row.period.start > plan.period.end && self.was_settled(name, row.period.start, held) {
                    plan.go_on_from(row.period.start);
                }
                if let Some(previous) = last.filter(|previous| previous.period.start == plan.period.start) {
                    self.same(
                        &format!("the end of a period of {name:?}"),
                        previous.period.end,
                        plan.period.end,
                    );
                }
                if !plan.renews() {
                    self.breach(format!("{name:?} was renewed, though it is {plan:?}"));
                }
            }
            let is_first = plan.seen == 0 || plan.in_trial;
            if plan.seen > 0
                && let Err(error) = plan.begin_next()
            {
                self.breach(format!("the calendar of {name:?}: {error}"));
            }
            self.take_period(plan, row, is_first, billed, now);
            last = Some(row);
        }
        if plan.seen == 0 {
            self.breach(format!("{name:?} has no period"));
        }
        let is_stretched = subscription.anchor != plan.anchor && subscription.anchor > plan.period.end;
        if is_stretched && self.was_settled(subscription.id, subscription.anchor, held) {
            plan.go_on_from(subscription.anchor);
        }
        if !subscription.status.is_terminal() {
            self.same(&format!("the period of {name:?}"), subscription.period, plan.period);
        }
        self.same(&format!("the anchor of {name:?}"), subscription.anchor, plan.anchor);
        self.same(&format!("the period's place of {name:?}"), subscription.period_index, plan.index);
        self.same(&format!("the periods left of {name:?}"), subscription.periods_left, plan.left);
        let left = plan.discount.as_ref().and_then(|(_, left)| *left);
        self.same(&format!("the discount left of {name:?}"), subscription.discount_payments_left, left);
    }

    /// Whether an invoice of a subscription was paid or withdrawn at an instant.
    fn was_settled(&self, id: SubscriptionId, at: Timestamp, held: &Holdings) -> bool {
        held.invoices.iter().map(|(invoice, ..)| invoice).any(|invoice| {
            let is_void = invoice.status == InvoiceStatus::Void && invoice.updated_at == at;
            invoice.subscription_id == Some(id) && (invoice.paid_at == Some(at) || is_void)
        })
    }

    fn take_period(
        &mut self,
        plan: &mut Plan,
        row: &BillingPeriod,
        is_first: bool,
        billed: &ByPeriod<'_>,
        now: Timestamp,
    ) {
        let name = row.subscription_id;
        plan.seen += 1;
        plan.billed.clear();
        self.same(&format!("the start of a period of {name:?}"), row.period.start, plan.period.start);
        if row.period.end > plan.period.end || row.created_at > now {
            self.breach(format!("a period of {name:?} is {row:?}, predicted {:?}", plan.period));
        }
        if plan.in_trial {
            self.same(&format!("the invoice of the trial of {name:?}"), row.invoice_id, None);
            return;
        }
        if row.created_at < row.period.start {
            self.breach(format!("a period of {name:?} was billed before it began: {row:?}"));
        }
        let invoices = billed.get(&row.id).map_or(&[][..], Vec::as_slice);
        let Some((invoice, lines)) = invoices.iter().find(|(invoice, _)| Some(invoice.id) == row.invoice_id)
        else {
            self.breach(format!("a period of {name:?} has no invoice: {row:?}"));
            return;
        };
        self.same(&format!("the renewal of {name:?}"), row.renewal, !is_first);
        let predicted =
            plan.charges(is_first).and_then(|charges| self.totals(plan.customer, &charges, plan.discount()));
        self.compare_totals(&format!("an invoice of {name:?}"), invoice, lines, predicted);
        self.same(&format!("the time that an invoice of {name:?} is for"), invoice.period, Some(plan.period));
        plan.count_invoice();
        if plan.seen == 1 {
            plan.first = Some(invoice.id);
        }
        plan.invoices.insert(invoice.id);
        plan.keep_billed(invoice, lines);
    }

    fn compare_totals(
        &mut self,
        what: &str,
        invoice: &Invoice,
        lines: &[InvoiceLine],
        predicted: Result<Totals, billing::money::MoneyError>,
    ) {
        let books = Totals {
            currency: invoice.currency,
            lines: lines.iter().map(|line| line.amount).collect(),
            subtotal: invoice.subtotal,
            tax: invoice.tax,
            total: invoice.total,
        };
        match predicted {
            Ok(predicted) => self.same(&format!("{what} ({})", invoice.number), books, predicted),
            Err(error) => self.breach(format!("{what} cannot be predicted: {error}")),
        }
    }

    fn compare_items(&mut self, plan: &Plan, subscription: &Subscription, items: &[Item]) {
        use billing::subscription::PendingItem;
        let of = |wanted: &dyn Fn(Option<PendingItem>) -> bool| -> Vec<_> {
            let some = items.iter().filter(|item| wanted(item.pending));
            some.map(|item| (item.price_id, item.quantity, item.unit_price.minor())).collect()
        };
        let parts = |parts: &[super::Part]| -> Vec<_> {
            parts.iter().map(|part| (part.price, part.quantity, part.unit.minor())).collect()
        };
        let name = subscription.id;
        let (held, coming) = (of(&|p| p != Some(PendingItem::Add)), of(&|p| p == Some(PendingItem::Add)));
        self.same(&format!("the items of {name:?}"), held, parts(&plan.items));
        let pending = plan.pending.as_deref().unwrap_or_default();
        self.same(&format!("the coming items of {name:?}"), coming, parts(pending));
        let first = plan.items.first().and_then(|part| self.shop.offer(part.price)).cloned();
        if let Some(first) = first {
            self.same(&format!("the price of {name:?}"), subscription.price_id, first.price.id);
            self.same(&format!("the product of {name:?}"), subscription.product_id, first.product);
            self.same(&format!("the category of {name:?}"), subscription.category, first.category);
        }
        if plan.ended.is_none() && !subscription.status.is_terminal() {
            self.same(
                &format!("the cancellation of {name:?}"),
                subscription.cancel_scheduled_at,
                plan.cancel_at,
            );
        }
    }

    /// Takes an invoice that moved: a new one must have been expected, an old one moves as it may.
    fn take_invoice(&mut self, invoice: &Invoice, lines: &[InvoiceLine]) {
        match self.bills.get(&invoice.id).cloned() {
            None => self.take_new_invoice(invoice, lines),
            Some(before) => self.compare_move(&before, invoice),
        }
        if invoice.status == InvoiceStatus::Void
            && let Some(plan) = invoice.subscription_id.and_then(|id| self.plans.get_mut(&id))
        {
            plan.billed.retain(|line| line.invoice != invoice.id);
        }
        let reopened = self.reopened(invoice);
        self.bills.insert(invoice.id, Bill { invoice: invoice.clone(), reopened });
    }

    /// Since when an invoice is owed again, unless it was asked for since then or is being asked for.
    fn reopened(&self, invoice: &Invoice) -> Option<Reopened> {
        let before = self.bills.get(&invoice.id).filter(|_| invoice.status == InvoiceStatus::Open)?;
        if before.invoice.status == InvoiceStatus::Open {
            return before.reopened.filter(|reopened| reopened.attempts == invoice.attempt_count);
        }
        let attempts = self.attempts(invoice.id);
        if attempts.iter().any(|payment| payment.status == billing::payment::PaymentStatus::Processing) {
            return None;
        }
        let corrected = self.corrected.iter().rev().find(|(customer, _)| *customer == invoice.customer_id);
        corrected.map(|(_, at)| Reopened { at: *at, attempts: invoice.attempt_count })
    }

    fn take_new_invoice(&mut self, invoice: &Invoice, lines: &[InvoiceLine]) {
        let known = |wanted: &For| match wanted {
            For::Invoice(id) => *id == invoice.id,
            For::Purchase(id) => Some(*id) == invoice.purchase_id,
            For::Change(id) => Some(*id) == invoice.subscription_id && invoice.kind == InvoiceKind::Change,
        };
        let is_period = invoice.subscription_id.and_then(|id| self.plans.get(&id)).is_some_and(|plan| {
            // A period's own invoice was compared with the period.
            plan.invoices.contains(&invoice.id)
        });
        if is_period {
            return;
        }
        let Some(at) = self.expected.iter().position(|(wanted, _)| known(wanted)) else {
            self.breach(format!("nobody expected invoice {invoice:?}"));
            return;
        };
        let (_, predicted) = self.expected.remove(at);
        self.compare_totals("an invoice", invoice, lines, Ok(predicted));
        if let Some(plan) = invoice.subscription_id.and_then(|id| self.plans.get_mut(&id)) {
            plan.keep_billed(invoice, lines);
        }
    }

    fn compare_move(&mut self, before: &Bill, invoice: &Invoice) {
        let old = &before.invoice;
        let (now, was) = (invoice.status, old.status);
        let is_corrected = self.corrected.iter().any(|(customer, _)| *customer == invoice.customer_id);
        if invoice.settled < old.settled && !is_corrected {
            self.breach(format!("{} lost what was settled: {old:?} became {invoice:?}", invoice.number));
        }
        let is_owed = |status| matches!(status, InvoiceStatus::Open | InvoiceStatus::Uncollectible);
        if is_owed(now) && !is_owed(was) && !is_corrected {
            self.breach(format!("{} is owed again: {old:?} became {invoice:?}", invoice.number));
        }
        if now == InvoiceStatus::Void && was != InvoiceStatus::Void {
            let asked = self.voided.iter().position(|id| *id == invoice.id);
            let never_began =
                invoice.subscription_id.and_then(|id| self.plans.get(&id)).is_some_and(|plan| {
                    plan.seen == 1 && plan.status == billing::subscription::Status::Incomplete
                });
            match asked {
                Some(at) => drop(self.voided.swap_remove(at)),
                None if never_began => {}
                None => self.breach(format!("nobody withdrew {}", invoice.number)),
            }
        }
    }

    /// All money that came is on invoices, on the balance, or was given back from there.
    fn compare_money(&mut self, customer: CustomerId) {
        let mut currencies: BTreeMap<Currency, [i64; 2]> = BTreeMap::new();
        let mut add = |currency, came: i64, kept: i64| {
            let sums = currencies.entry(currency).or_default();
            sums[0] += came;
            sums[1] += kept;
        };
        for (whose, currency, amount) in self.written_down.values() {
            if *whose == customer {
                add(*currency, *amount, 0);
            }
        }
        for payment in self.payments.values().filter(|payment| payment.customer_id == customer) {
            let has_come = payment.status == billing::payment::PaymentStatus::Succeeded;
            if has_come && payment.kind == billing::payment::PaymentKind::Automatic {
                add(payment.currency, payment.amount, payment.refunded);
            }
        }
        for bill in self.bills.values().filter(|bill| bill.invoice.customer_id == customer) {
            let invoice = &bill.invoice;
            add(invoice.currency, 0, invoice.settled - invoice.refunded);
        }
        for (currency, remaining) in self.remaining.get(&customer).into_iter().flatten() {
            add(*currency, 0, *remaining);
        }
        for (currency, [came, kept]) in currencies {
            let what = format!("the money of {:032x} in {currency}", customer.raw());
            self.same(&what, kept, came);
        }
    }
}
