//! What falls due in a subscription, one step at a time: its end, its next period, its announcement.
//!
//! Owns which of these comes first. It takes one step however late it is: calling it until nothing is due
//! catches up period by period. The period begins when it was due; what is written is of `ctx.now`.

use crate::catalog::Discount;
use crate::changes::Changes;
use crate::customer_account::CustomerAccount;
use crate::id::{Ctx, Id};
use crate::invoice::in_context::InvoiceInContext;
use crate::invoice::totals::Charge;
use crate::invoice::{Invoice, OpenInvoice};
use crate::payment::Payment;
use crate::payment::collect::fail_missing_method;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::subscription::bill_period::{PeriodBasis, bill_period};
use crate::subscription::cancel::end_now;
use crate::subscription::due::{expire, next_due};
use crate::subscription::{Item, PendingItem, PeriodReminder, Status, Subscription};
use crate::timestamp::Timestamp;

/// A subscription of which something is due, with all that the step may need.
#[derive(Debug, Clone)]
pub struct Due {
    /// The subscription.
    pub subscription: Subscription,
    /// All its items, pending ones too.
    pub items: Vec<Item>,
    /// Its discount.
    pub discount: Option<Discount>,
    /// What is charged once when the trial ends.
    pub setup_fees: Vec<Charge>,
    /// Its open invoices, oldest first; needed where it ends.
    pub open_invoices: Vec<OpenInvoice>,
}

/// What came of a step.
#[derive(Debug, Clone)]
pub struct Step {
    /// The subscription, moved on.
    pub subscription: Subscription,
    /// The invoice of the new period, if one began.
    pub invoice: Option<Invoice>,
    /// The payment to ask for, once the changes are committed.
    pub payment: Option<Payment>,
}

/// Takes the first step that is due by now. Calling it until nothing is due catches up period by period.
///
/// # Errors
/// If it does not run, or a date or an amount is out of range.
pub fn step(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut CustomerAccount,
    due: Due,
    changes: &mut Changes,
) -> Result<Step, Refusal> {
    let Due { mut subscription, items, discount, setup_fees, open_invoices } = due;
    let before = subscription.clone();
    subscription.updated_at = ctx.now;
    let mut step = Step { subscription: subscription.clone(), invoice: None, payment: None };
    if let Some(at) = ends_at(&subscription, ctx.now) {
        end_now(ctx, &mut subscription, &open_invoices, at, changes)?;
    } else if subscription.status == Status::Incomplete {
        expire(ctx, &mut subscription, &open_invoices, changes)?;
    } else if !is_renewed(&subscription) {
        return Err(Refusal::State("a subscription that does not run is not renewed".into()));
    } else if subscription.period.end <= ctx.now {
        if subscription.periods_left == Some(0) {
            subscription.status = Status::Completed;
            subscription.ended_at = Some(subscription.period.end);
        } else {
            let items = take_up_pending(ctx, &mut subscription, items, changes);
            let renewal = subscription.status != Status::Trialing;
            let fees: &[Charge] = if renewal { &[] } else { &setup_fees };
            begin_next_period(ctx, &mut subscription)?;
            let discount = discount.as_ref();
            let basis = PeriodBasis { items: &items, setup_fees: fees, discount, is_renewal: renewal };
            let issued = bill_period(ctx, rules, payer, &mut subscription, &basis, changes)?;
            if subscription.status == Status::Trialing {
                subscription.status = Status::Active;
            }
            let mut invoice = issued.invoice;
            if invoice.owed() > 0 && issued.payment.is_none() {
                (subscription, invoice) =
                    fail_first_attempt(ctx, rules, payer, subscription, invoice, changes)?;
            }
            step.invoice = Some(invoice);
            step.payment = issued.payment;
        }
    } else {
        subscription.reminded_at = Some(ctx.now);
        changes.update(PeriodReminder::of(&before), PeriodReminder::of(&subscription));
    }
    subscription.due_at = next_due(&subscription, rules)?;
    changes.update(before, subscription.clone());
    step.subscription = subscription;
    Ok(step)
}

/// When the subscription ends, if that is what is due: whole periods before its end are billed first.
fn ends_at(subscription: &Subscription, now: Timestamp) -> Option<Timestamp> {
    let end = subscription.cancel_scheduled_at.filter(|at| *at <= now)?;
    (end <= subscription.period.end || !is_renewed(subscription)).then_some(end)
}

/// Whether one period of it follows another.
fn is_renewed(subscription: &Subscription) -> bool {
    matches!(subscription.status, Status::Trialing | Status::Active | Status::PastDue)
}

/// Moves the subscription to the next period of its schedule that is not empty.
fn begin_next_period(ctx: &mut Ctx, subscription: &mut Subscription) -> Result<(), Refusal> {
    let (index, period) = subscription.schedule()?.next_nonempty(subscription.period_index + 1)?;
    subscription.period_index = index;
    subscription.period = period;
    subscription.period_id = ctx.id(subscription.customer_id.shard());
    subscription.reminded_at = None;
    Ok(())
}

/// Begins to collect a new period's invoice where there is nothing to charge: the first attempt has failed.
fn fail_first_attempt(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &CustomerAccount,
    subscription: Subscription,
    invoice: Invoice,
    changes: &mut Changes,
) -> Result<(Subscription, Invoice), Refusal> {
    let description = subscription.name.clone();
    let mut bill = InvoiceInContext {
        invoice: invoice.clone(),
        subscription: Some(subscription.clone()),
        purchase: None,
        has_other_open_invoices: false,
    };
    fail_missing_method(ctx, rules, payer, &mut bill, &description, false, changes)?;
    changes.update(invoice, bill.invoice.clone());
    Ok((bill.subscription.unwrap_or(subscription), bill.invoice))
}

/// Drops the items that were to go and takes up those that were to come.
fn take_up_pending(
    ctx: &Ctx,
    subscription: &mut Subscription,
    items: Vec<Item>,
    changes: &mut Changes,
) -> Vec<Item> {
    let changed = items.iter().any(|item| item.pending.is_some());
    let mut kept = Vec::with_capacity(items.len());
    for mut item in items {
        match item.pending {
            Some(PendingItem::Remove) => changes.delete(item),
            Some(PendingItem::Add) => {
                let before = item.clone();
                item.pending = None;
                item.added_at = subscription.period.end;
                item.updated_at = ctx.now;
                changes.update(before, item.clone());
                kept.push(item);
            }
            None => kept.push(item),
        }
    }
    if changed && let Some(first) = kept.first() {
        subscription.price_id = first.price_id;
        subscription.product_id = first.product_id;
        subscription.category = first.category;
    }
    kept
}
