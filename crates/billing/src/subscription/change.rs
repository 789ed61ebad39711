//! Changing what a subscription holds: at the end of the period, or now with the difference in price.

use super::create::items_of;
use super::{Item, NewItem, PendingItem, Status, Subscription, next_due};
use crate::invoice::{Charge, Collect, Drawn, InvoiceFor, InvoiceKind, draw};
use crate::{Change, Changes, Ctx, Payer, Ratio, Refusal, Rounding, Rules, Timestamp};

/// When a change happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changing {
    /// Now; what is left of the period is charged at the new price less the old one.
    Now,
    /// When the current period ends.
    PeriodEnd,
}

/// What a subscription shall hold instead of what it holds.
#[derive(Debug, Clone)]
pub struct ItemChange {
    /// The new items.
    pub items: Vec<NewItem>,
    /// When.
    pub when: Changing,
}

/// Changes the items of a subscription.
///
/// # Errors
/// If the subscription does not run, the new items have another interval or currency, or a change now
/// would leave a credit: that one is to be made at the end of the period.
pub fn change(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut Payer,
    subscription: &Subscription,
    items: &[Item],
    change: &ItemChange,
    changes: &mut Changes,
) -> Result<(Subscription, Option<Drawn>), Refusal> {
    check(subscription, change)?;
    let mut subscription = subscription.clone();
    subscription.updated_at = ctx.now;
    // A change that was to come and is replaced by this one is forgotten.
    let mut current = Vec::new();
    for item in items {
        match item.pending {
            Some(PendingItem::Add) => changes.push(Change::DeleteItem(item.subscription_id, item.id)),
            Some(PendingItem::Remove) | None => current.push(item.clone()),
        }
    }
    let mut new = items_of(ctx, &subscription, &change.items);
    let mut drawn = None;
    match change.when {
        Changing::PeriodEnd => {
            for mut item in current {
                item.pending = Some(PendingItem::Remove);
                item.updated_at = ctx.now;
                changes.push(Change::UpdateItem(item));
            }
            new.iter_mut().for_each(|item| item.pending = Some(PendingItem::Add));
        }
        Changing::Now => {
            if subscription.status != Status::Trialing {
                drawn = difference(ctx, rules, payer, &subscription, &current, &new, changes)?;
            }
            for item in current {
                changes.push(Change::DeleteItem(item.subscription_id, item.id));
            }
            if let Some(first) = change.items.first() {
                subscription.price_id = first.price.id;
                subscription.product_id = first.product.id;
                subscription.category = first.product.category;
            }
        }
    }
    changes.rows.extend(new.into_iter().map(Change::InsertItem));
    changes.push(Change::UpdateSubscription(subscription.clone()));
    Ok((subscription, drawn))
}

fn check(subscription: &Subscription, change: &ItemChange) -> Result<(), Refusal> {
    match subscription.status {
        Status::Trialing | Status::Active | Status::PastDue => {}
        Status::Incomplete
        | Status::IncompleteExpired
        | Status::Unpaid
        | Status::Canceled
        | Status::Completed => {
            return Err(Refusal::State("only a subscription that runs can be changed".into()));
        }
    }
    if subscription.cancel_scheduled_at.is_some() {
        return Err(Refusal::State("the subscription is to be canceled; take that back first".into()));
    }
    if change.items.is_empty() {
        return Err(Refusal::invalid("newSubscriptionItems", "at least one item is needed"));
    }
    for item in &change.items {
        if item.price.interval != Some(subscription.interval)
            || item.price.unit_price.currency() != subscription.currency
        {
            return Err(Refusal::invalid(
                "newSubscriptionItems",
                "a price with the interval and the currency of the subscription",
            ));
        }
        if item.quantity < 1 {
            return Err(Refusal::invalid("quantity", "a whole number of at least 1"));
        }
    }
    Ok(())
}

/// Bills what is left of the period: the new items' share less the old items' share, each line an
/// exact ratio of seconds, rounded half-up once.
fn difference(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut Payer,
    subscription: &Subscription,
    old: &[Item],
    new: &[Item],
    changes: &mut Changes,
) -> Result<Option<Drawn>, Refusal> {
    let left = subscription.period.end.micros().saturating_sub(ctx.now.micros()).max(0);
    let whole = subscription.period.end.micros().saturating_sub(subscription.period.start.micros());
    if whole <= 0 {
        return Ok(None);
    }
    let share = Ratio::new(left.min(whole), whole)?;
    let mut charges = Vec::with_capacity(old.len() + new.len());
    for item in new {
        charges.push(part(subscription, item, share, "Addition of")?);
    }
    for item in old {
        let mut charge = part(subscription, item, share, "Removal of")?;
        charge.amount = charge.amount.checked_neg()?;
        charges.push(charge);
    }
    let mut sum = 0i64;
    for charge in &charges {
        sum = sum.checked_add(charge.amount.minor()).ok_or(Refusal::OutOfRange)?;
    }
    if sum < 0 {
        return Err(Refusal::State(
            "the change would leave a credit; make it at the end of the current billing period".into(),
        ));
    }
    if sum == 0 {
        return Ok(None);
    }
    let what = InvoiceFor {
        kind: InvoiceKind::Subscription,
        subscription_id: Some(subscription.id),
        period_id: Some(subscription.period_id),
        purchase_id: None,
        period: Some(crate::Period { start: ctx.now, end: subscription.period.end }),
        memo: None,
    };
    let collect =
        Collect::Now([subscription.default_payment_method_id, subscription.backup_payment_method_id]);
    draw(ctx, rules, payer, what, &charges, None, collect, changes).map(Some)
}

fn part(subscription: &Subscription, item: &Item, share: Ratio, verb: &str) -> Result<Charge, Refusal> {
    let whole = item.unit_price.checked_mul_int(item.quantity)?;
    Ok(Charge {
        description: format!("Proration: {verb} {}", item.name),
        product_id: Some(subscription.product_id),
        price_id: Some(item.price_id),
        category: item.category,
        quantity: 1,
        amount: whole.prorate(share, Rounding::HalfUp)?,
        tax_behavior: item.tax_behavior,
    })
}

/// Moves the end of the current period; the periods after it are counted from the new end.
///
/// # Errors
/// If the subscription does not run or the new end is not after now and after the period's start.
pub fn move_renewal(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &Payer,
    subscription: &Subscription,
    end: Timestamp,
    changes: &mut Changes,
) -> Result<Subscription, Refusal> {
    match subscription.status {
        Status::Trialing | Status::Active | Status::PastDue => {}
        Status::Incomplete
        | Status::IncompleteExpired
        | Status::Unpaid
        | Status::Canceled
        | Status::Completed => {
            return Err(Refusal::State("only a subscription that runs has a renewal to move".into()));
        }
    }
    if end <= ctx.now || end <= subscription.period.start {
        return Err(Refusal::invalid("end_at", "an instant after now"));
    }
    let mut subscription = subscription.clone();
    if subscription.status == Status::Trialing {
        subscription.trial_end = Some(end);
    }
    if let Some(at) = subscription.cancel_scheduled_at
        && at == subscription.period.end
    {
        subscription.cancel_scheduled_at = Some(end);
    }
    subscription.period.end = end;
    subscription.anchor = end;
    // The next period is number 0 of the new count; a paid period before it has a negative number.
    subscription.period_index = -1;
    subscription.updated_at = ctx.now;
    subscription.due_at = next_due(&subscription, rules)?;
    changes.push(Change::EndPeriod(payer.id(), subscription.period_id, end, ctx.now));
    changes.push(Change::UpdateSubscription(subscription.clone()));
    Ok(subscription)
}
