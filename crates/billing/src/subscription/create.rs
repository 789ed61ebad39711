//! Creating a subscription: its trial or its first period, invoice and payment.
//!
//! Owns the first state. Later periods are of `step`, also those that lie between a start in the past and
//! now. The anchor is the end of the trial, or the start; it may lie before `ctx.now`, but not ten years.

use crate::calendar::{Period, Schedule, Zone};
use crate::catalog::Discount;
use crate::changes::Changes;
use crate::customer_account::CustomerAccount;
use crate::id::{Ctx, PaymentMethodId};
use crate::invoice::Invoice;
use crate::invoice::issue::Issued;
use crate::payment::Payment;
use crate::refusal::{Field, Refusal};
use crate::rules::Rules;
use crate::subscription::bill_period::{PeriodBasis, bill_period, period_row};
use crate::subscription::due::next_due;
use crate::subscription::items::{NewItem, check_item, items_of, setup_fees};
use crate::subscription::{Status, Subscription};
use crate::timestamp::Timestamp;

/// How long ago a new subscription may have begun: ten years.
const BACKDATED_DAYS_MAX: i64 = 3_660;

/// What to subscribe to, and how.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    /// The items; the first one names it and says how long a period is.
    pub items: Vec<NewItem>,
    /// Its name; made from the first item if none.
    pub name: Option<String>,
    /// When it began; not after now. Periods between then and now are billed one by one.
    pub start: Timestamp,
    /// When its trial ends; the price's trial days count if none.
    pub trial_end: Option<Timestamp>,
    /// What is charged.
    pub default_payment_method_id: Option<PaymentMethodId>,
    /// What is charged if that is gone.
    pub backup_payment_method_id: Option<PaymentMethodId>,
    /// What takes money off.
    pub discount: Option<Discount>,
    /// The merchant's own data as JSON text.
    pub metadata: Option<String>,
    /// Whether the customer has another one that runs.
    pub has_current: bool,
}

/// A subscription that was made, and what is to be asked of the gateway for it.
#[derive(Debug, Clone)]
pub struct Created {
    /// The subscription.
    pub subscription: Subscription,
    /// Its first invoice; none in a trial.
    pub invoice: Option<Invoice>,
    /// The payment to ask for, once the changes are committed.
    pub payment: Option<Payment>,
}

/// Creates a subscription.
///
/// # Errors
/// If there is no item, an item cannot be subscribed to, intervals or currencies differ, the start is
/// in the future, or the customer has another one and the books allow only one.
pub fn create(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut CustomerAccount,
    new: NewSubscription,
    changes: &mut Changes,
) -> Result<Created, Refusal> {
    let first = check(ctx, rules, payer, &new)?;
    let mut subscription = new_row(ctx, rules, payer, &new, first)?;
    let items = items_of(ctx, &subscription, &new.items);
    let mut created = Created { subscription: subscription.clone(), invoice: None, payment: None };
    let setup_fees = setup_fees(&new.items);
    if subscription.trial_end.is_none() {
        let discount = new.discount.as_ref();
        let basis = PeriodBasis { items: &items, setup_fees: &setup_fees, discount, is_renewal: false };
        let issued = bill_period(ctx, rules, payer, &mut subscription, &basis, changes)?;
        subscription.status = first_status(&issued);
        created.invoice = Some(issued.invoice);
        created.payment = issued.payment;
    } else {
        subscription.status = Status::Trialing;
        let free = period_row(ctx, &subscription, &items, None, false);
        changes.insert(free);
    }
    subscription.due_at = next_due(&subscription, rules)?;
    changes.insert(subscription.clone());
    items.into_iter().for_each(|item| changes.insert(item));
    created.subscription = subscription;
    Ok(created)
}

/// The subscription's row before anything of it was billed: in its trial, or in its first paid period.
fn new_row(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &CustomerAccount,
    new: &NewSubscription,
    first: &NewItem,
) -> Result<Subscription, Refusal> {
    let Some(interval) = first.price.interval else {
        return Err(Refusal::invalid(Field::Price, "a price of type subscription has an interval"));
    };
    let zone = payer.zone(rules).to_owned();
    let trial_end = match (new.trial_end, first.price.trial_days) {
        (Some(end), _) => Some(end),
        (None, Some(days)) if days > 0 => Some(new.start.plus_days(days)?),
        (None, _) => None,
    };
    let trial_end = trial_end.filter(|end| *end > new.start);
    let anchor = trial_end.unwrap_or(new.start);
    let schedule = Schedule::new(anchor, Zone::parse(&zone)?, interval);
    let (period_index, period) = match trial_end {
        Some(end) => (-1, Period { start: new.start, end }),
        None => schedule.next_nonempty(0)?,
    };
    Ok(Subscription {
        id: ctx.id(payer.shard()),
        environment: rules.environment.number,
        number: 0,
        customer_id: payer.id(),
        price_id: first.price.id,
        product_id: first.product.id,
        category: first.product.category,
        name: new.name.clone().unwrap_or_else(|| name_of(first)),
        status: Status::Incomplete,
        currency: first.price.unit_price.currency(),
        interval,
        anchor,
        zone,
        period_index,
        period_id: ctx.id(payer.shard()),
        period,
        periods_left: first.price.period_count,
        trial_end,
        default_payment_method_id: new.default_payment_method_id,
        backup_payment_method_id: new.backup_payment_method_id,
        discount_id: new.discount.as_ref().map(|discount| discount.id),
        discount_payments_left: new.discount.as_ref().and_then(|discount| discount.duration.payments()),
        cancel_scheduled_at: None,
        canceled_at: None,
        ended_at: None,
        reminded_at: None,
        due_at: None,
        metadata: new.metadata.clone(),
        started_at: new.start,
        created_at: ctx.now,
        updated_at: ctx.now,
    })
}

fn check<'a>(
    ctx: &Ctx,
    rules: &Rules,
    payer: &CustomerAccount,
    new: &'a NewSubscription,
) -> Result<&'a NewItem, Refusal> {
    let first =
        new.items.first().ok_or_else(|| Refusal::invalid(Field::Price, "at least one item is needed"))?;
    payer.customer.ensure_not_archived()?;
    if new.has_current && !rules.environment.multiple_subscriptions {
        return Err(Refusal::State(
            "the customer already has an active subscription, and these books allow one at a time".into(),
        ));
    }
    if new.start > ctx.now {
        return Err(Refusal::invalid(Field::Start, "a subscription starts now or has started already"));
    }
    // Every period since then is billed one by one: a slip of the pen must not make thousands.
    if new.start < ctx.now.plus_days(-BACKDATED_DAYS_MAX)? {
        return Err(Refusal::invalid(Field::Start, "at most ten years ago"));
    }
    if let Some(discount) = &new.discount {
        discount.check_currency(first.price.unit_price.currency())?;
    }
    for item in &new.items {
        check_item(Field::Price, item, first.price.interval, first.price.unit_price.currency())?;
        if !item.is_sold() {
            return Err(Refusal::invalid(Field::Price, "the price or its product is not active"));
        }
    }
    Ok(first)
}

fn name_of(item: &NewItem) -> String {
    match &item.price.name {
        Some(price) => format!("{} - {}", item.product.name, price),
        None => item.product.name.clone(),
    }
}

/// Where a subscription stands after an invoice whose payment has not been asked for yet.
///
/// Without anything to charge, and something owed, it waits for its first payment.
fn first_status(issued: &Issued) -> Status {
    if issued.invoice.owed() == 0 { Status::Active } else { Status::Incomplete }
}
