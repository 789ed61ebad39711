//! Changing what a subscription holds: at the end of the period, or now with the difference in price.
//!
//! Owns the new items, what is charged for the rest of the period, and the moving of a renewal. A change now
//! never leaves a credit: it is refused. Shares are of the seconds left at `ctx.now`.

use crate::calendar::Period;
use crate::catalog::{Discount, TaxBehavior};
use crate::changes::{Change, Changes};
use crate::customer_account::CustomerAccount;
use crate::id::{Ctx, PriceId};
use crate::invoice::issue::{InvoiceFor, Issued, issue};
use crate::invoice::totals::{Charge, total};
use crate::invoice::{Invoice, InvoiceKind, InvoiceLine};
use crate::money::{Money, Rounding};
use crate::proration::{credit, share_by_seconds};
use crate::refusal::{Field, Refusal};
use crate::rules::Rules;
use crate::subscription::bill_period::collect_of;
use crate::subscription::due::{move_end, next_due};
use crate::subscription::items::{NewItem, check_item, items_of};
use crate::subscription::{Item, PendingItem, Status, Subscription};
use crate::timestamp::Timestamp;

/// When a change happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeTiming {
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
    pub when: ChangeTiming,
}

/// A line by which an item of the current period was billed, less the discount on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Billed {
    /// The price of the item.
    pub price_id: PriceId,
    /// The time that the line covers.
    pub period: Period,
    /// What it came to, without tax.
    pub net: Money,
    /// Whether the subscription's discount was taken off.
    pub is_discounted: bool,
}

impl Billed {
    /// What an invoice of a period billed, item by item. A discount's line follows the line it is on.
    pub fn lines_of(invoice: &Invoice, lines: &[InvoiceLine]) -> Vec<Self> {
        let Some(period) = invoice.period else { return Vec::new() };
        let mut billed: Vec<Self> = Vec::new();
        // Whether the line before was an item's: a discount belongs to the line that it follows.
        let mut follows_item = false;
        for line in lines {
            match (line.price_id, billed.last_mut()) {
                (Some(price_id), _) => {
                    let net = Money::new(line.amount, invoice.currency);
                    billed.push(Self { price_id, period, net, is_discounted: false });
                    follows_item = true;
                }
                (None, Some(last)) if follows_item && line.amount < 0 => {
                    let net = last.net.minor().saturating_add(line.amount);
                    last.net = Money::new(net, invoice.currency);
                    last.is_discounted = true;
                }
                (None, _) => follows_item = false,
            }
        }
        billed.retain(|line| line.net.is_positive());
        billed
    }
}

/// What a change is decided on, beside the customer.
#[derive(Debug, Clone)]
pub struct ChangeBasis<'a> {
    /// The subscription.
    pub subscription: &'a Subscription,
    /// All its items, pending ones too.
    pub items: &'a [Item],
    /// What was billed for the current period, the oldest first.
    pub billed: &'a [Billed],
    /// The subscription's discount.
    pub discount: Option<&'a Discount>,
}

/// Changes the items of a subscription.
///
/// # Errors
/// If the subscription does not run, the new items have another interval or currency or are not sold, or
/// a change now has nothing to charge or would leave a credit: that one is to be made at the end of the
/// period.
pub fn change(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut CustomerAccount,
    basis: &ChangeBasis<'_>,
    change: &ItemChange,
    changes: &mut Changes,
) -> Result<(Subscription, Option<Issued>), Refusal> {
    payer.customer.ensure_not_archived()?;
    check(basis, change)?;
    let mut subscription = basis.subscription.clone();
    subscription.updated_at = ctx.now;
    // A change that was to come and is replaced by this one is forgotten.
    let mut current = Vec::new();
    for item in basis.items {
        match item.pending {
            Some(PendingItem::Add) => changes.delete(item.clone()),
            Some(PendingItem::Remove) | None => current.push(item.clone()),
        }
    }
    let mut new = items_of(ctx, &subscription, &change.items);
    let mut issued = None;
    match change.when {
        ChangeTiming::PeriodEnd => {
            for item in current {
                let after = Item { pending: Some(PendingItem::Remove), updated_at: ctx.now, ..item.clone() };
                changes.update(item, after);
            }
            new.iter_mut().for_each(|item| item.pending = Some(PendingItem::Add));
        }
        ChangeTiming::Now => {
            if subscription.status != Status::Trialing {
                issued = difference(ctx, rules, payer, basis, &current, &new, changes)?;
            }
            current.into_iter().for_each(|item| changes.delete(item));
            if let Some(first) = change.items.first() {
                subscription.price_id = first.price.id;
                subscription.product_id = first.product.id;
                subscription.category = first.product.category;
            }
        }
    }
    changes.rows.extend(new.into_iter().map(Change::insert));
    changes.update(basis.subscription.clone(), subscription.clone());
    Ok((subscription, issued))
}

fn check(basis: &ChangeBasis<'_>, change: &ItemChange) -> Result<(), Refusal> {
    let subscription = basis.subscription;
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
        return Err(Refusal::invalid(Field::Items, "at least one item is needed"));
    }
    for item in &change.items {
        check_item(Field::Items, item, Some(subscription.interval), subscription.currency)?;
        // Who has a price keeps it when it is no longer sold.
        if !item.is_sold() && basis.items.iter().all(|held| held.price_id != item.price.id) {
            let problem = "the price or its product is not active";
            return Err(Refusal::invalid(Field::Items, problem));
        }
    }
    Ok(())
}

/// Bills what is left of the period: the new items' share of their price, less the same share of what
/// was billed for the old ones. Each line is an exact ratio of time, rounded half-up once.
fn difference(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut CustomerAccount,
    basis: &ChangeBasis<'_>,
    old: &[Item],
    new: &[Item],
    changes: &mut Changes,
) -> Result<Option<Issued>, Refusal> {
    let subscription = basis.subscription;
    if subscription.period.is_empty() {
        return Ok(None);
    }
    let share = share_by_seconds(subscription.period, ctx.now);
    let mut charges = Vec::with_capacity(old.len() + new.len());
    for item in new {
        let whole = item.unit_price.checked_mul_int(item.quantity)?;
        let amount = whole.prorate(share, Rounding::HalfUp)?;
        charges.push(part(item, amount, item.tax_behavior, "Addition of"));
    }
    let mut is_discounted = false;
    let mut lines = basis.billed.to_vec();
    for item in old {
        // Two items may share a price: each line is credited once.
        let Some(line) = lines.iter().rposition(|line| line.price_id == item.price_id) else { continue };
        let billed = lines.remove(line);
        is_discounted |= billed.is_discounted;
        let none_yet = Money::zero(billed.net.currency());
        let back = credit(billed.net, none_yet, share_by_seconds(billed.period, ctx.now))?;
        charges.push(part(item, back.checked_neg()?, TaxBehavior::Exclusive, "Removal of"));
    }
    let discount = basis.discount.filter(|_| is_discounted).map(|discount| discount.prorated(share));
    let discount = discount.transpose()?;
    let discount = discount.as_ref();
    let total = total(&rules.tax_rates, payer, &charges, discount)?.total;
    if total < 0 {
        return Err(Refusal::State(
            "the change would leave a credit; make it at the end of the current billing period".into(),
        ));
    }
    if charges.iter().all(|charge| charge.amount.is_zero()) {
        return Ok(None);
    }
    let what = InvoiceFor {
        kind: InvoiceKind::Change,
        subscription_id: Some(subscription.id),
        period_id: Some(subscription.period_id),
        purchase_id: None,
        period: Some(Period { start: ctx.now, end: subscription.period.end }),
        memo: None,
        collect: collect_of(subscription),
    };
    let issued = issue(ctx, rules, payer, what, &charges, discount, changes)?;
    if issued.invoice.owed() > 0 && issued.payment.is_none() {
        return Err(Refusal::State("the customer has no payment method to charge".into()));
    }
    Ok(Some(issued))
}

fn part(item: &Item, amount: Money, tax_behavior: TaxBehavior, verb: &str) -> Charge {
    Charge {
        description: format!("Proration: {verb} {}", item.name),
        product_id: Some(item.product_id),
        price_id: Some(item.price_id),
        category: item.category,
        quantity: 1,
        amount,
        tax_behavior,
    }
}

/// Moves the end of the current period; the periods after it are counted from the new end.
///
/// # Errors
/// If the subscription does not run or the new end is not after now and after the period's start.
pub fn reschedule_renewal(
    ctx: &mut Ctx,
    rules: &Rules,
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
        return Err(Refusal::invalid(Field::PeriodEnd, "an instant after now"));
    }
    let (before, mut subscription) = (subscription.clone(), subscription.clone());
    if subscription.status == Status::Trialing {
        subscription.trial_end = Some(end);
    }
    if let Some(at) = subscription.cancel_scheduled_at
        && at == subscription.period.end
    {
        subscription.cancel_scheduled_at = Some(end);
    }
    move_end(ctx, &mut subscription, end, changes);
    subscription.due_at = next_due(&subscription, rules)?;
    changes.update(before, subscription.clone());
    Ok(subscription)
}
