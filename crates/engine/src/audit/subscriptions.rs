//! Subscriptions, one by one: their periods, their status, and when they are due.

use super::check::{Check, Findings};
use super::label::{self, label};
use super::schedule::{check_schedule, check_tiling};
use super::{Audit, PAGE};
use crate::error::Error;
use billing::rules::Rules;
use billing::subscription::due::next_due;
use billing::subscription::{Item, PendingItem, Status, Subscription};
use store::audit::{Billed, OpenInvoices};
use store::pages::CursorPage;

impl Audit<'_> {
    pub(super) async fn subscriptions(&mut self) -> Result<(), Error> {
        let books = self.books.clone();
        for rules in &books {
            let mut after = None;
            loop {
                let window = CursorPage { after, limit: PAGE };
                let number = rules.environment.number;
                let page = store::pages::subscriptions(self.s, number, window).await?;
                after = page.rows.last().map(|last| billing::id::Id::raw(last.id));
                self.subscription_page(rules, &page.rows).await?;
                self.report_progress("subscriptions", page.rows.len());
                if !page.has_more {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn subscription_page(&mut self, rules: &Rules, page: &[Subscription]) -> Result<(), Error> {
        let ids: Vec<_> = page.iter().map(|subscription| subscription.id).collect();
        let items = store::subscriptions::items(self.s, &ids).await?;
        let open = store::audit::open_invoices(self.s, page).await?;
        for ((subscription, items), open) in page.iter().zip(&items).zip(&open) {
            // Periods are read one subscription at a time: there may be thousands of each.
            let periods = store::audit::periods(self.s, &[subscription.id]).await?.pop().unwrap_or_default();
            check_tiling(&mut self.findings, subscription, &periods);
            check_schedule(&mut self.findings, subscription, &periods)?;
            check_billed(&mut self.findings, subscription, &periods);
            check_status(&mut self.findings, subscription, items, open);
            check_due(&mut self.findings, rules, subscription)?;
        }
        Ok(())
    }
}

fn check_billed(findings: &mut Findings, subscription: &Subscription, periods: &[Billed]) {
    for (n, (period, invoice)) in periods.iter().enumerate() {
        let subject = || label("period", period.id);
        let mut look = findings.look(Check::PeriodInvoices, subscription.environment, &subject);
        look.same("its customer", period.customer_id, subscription.customer_id);
        let is_trial = n == 0 && subscription.trial_end.is_some();
        if is_trial {
            look.same("the invoice of a trial", period.invoice_id, None);
            continue;
        }
        look.holds("having an invoice", period.invoice_id.is_some());
        let (of_period, of_subscription, time) = invoice.unwrap_or_default();
        look.same("the period of its invoice", of_period, Some(period.id))
            .same("the subscription of its invoice", of_subscription, Some(subscription.id))
            .same("the start of its invoice", time.map(|time| time.start), Some(period.period.start));
    }
}

fn check_status(findings: &mut Findings, subscription: &Subscription, items: &[Item], open: &OpenInvoices) {
    let status = subscription.status;
    let subject = || label::of_subscription(subscription);
    let mut look = findings.look(Check::SubscriptionStatus, subscription.environment, &subject);
    look.same("having an end", subscription.ended_at.is_some(), status.is_terminal());
    let (owed, charging) = (open.all.len(), open.charging.len());
    let what = format!("its status with {owed} open invoices, {charging} of them being charged");
    match status {
        Status::PastDue | Status::Unpaid => look.holds(&what, owed > 0),
        Status::Active => look.holds(&what, owed == charging),
        Status::Trialing => look.holds(&what, owed == 0),
        Status::Incomplete => look.holds(&what, owed == 1),
        Status::Completed => look.same("how many periods are left", subscription.periods_left, Some(0)),
        Status::Canceled => look.holds("having been canceled", subscription.canceled_at.is_some()),
        Status::IncompleteExpired => &mut look,
    };
    if !status.is_terminal() {
        look.holds("holding something", items.iter().any(|item| item.pending != Some(PendingItem::Add)));
    }
    look.holds(
        "all items being in its currency",
        items.iter().all(|item| item.unit_price.currency() == subscription.currency),
    )
    .holds("no period being left less than never", subscription.periods_left.is_none_or(|left| left >= 0));
}

fn check_due(findings: &mut Findings, rules: &Rules, subscription: &Subscription) -> Result<(), Error> {
    let derived = next_due(subscription, rules)?;
    let stored = subscription.due_at;
    let subject = || label::of_subscription(subscription);
    let mut look = findings.look(Check::SubscriptionDue, subscription.environment, &subject);
    // Patience and reminders are policies, and those may have been changed since it was planned.
    let follows_policy = match subscription.status {
        Status::Incomplete => stored.is_some_and(|at| at >= subscription.created_at),
        Status::Trialing | Status::Active | Status::PastDue => {
            let is_reminder =
                subscription.cancel_scheduled_at.is_none() && subscription.reminded_at.is_none();
            let period = subscription.period;
            is_reminder && stored.is_some_and(|at| period.start <= at && at <= period.end)
        }
        Status::Unpaid | Status::IncompleteExpired | Status::Canceled | Status::Completed => false,
    };
    if !follows_policy {
        look.same("when it is due", stored, derived);
    }
    Ok(())
}
