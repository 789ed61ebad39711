//! Subscribing, changing, canceling.

use crate::at::At;
use crate::customer_ref::CustomerRef;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::full::FullSubscription;
use crate::latest::Latest;
use crate::load::{self, CustomerState};
use billing::catalog::Discount;
use billing::changes::Changes;
use billing::customer_account::CustomerAccount;
use billing::id::{Ctx, CustomerId, PaymentMethodId, PriceId, SubscriptionId};
use billing::invoice::OpenInvoice;
use billing::refusal::{Field, Refusal};
use billing::subscription::cancel::{CancelAt, cancel, uncancel};
use billing::subscription::change::{
    Billed, ChangeBasis, ChangeTiming, ItemChange, change, reschedule_renewal,
};
use billing::subscription::create::{NewSubscription, create};
use billing::subscription::items::NewItem;
use billing::subscription::{Item, Status, Subscription};
use billing::timestamp::Timestamp;
use store::Snapshot;

/// One thing to subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscribeItem {
    /// By which price.
    pub price: PriceId,
    /// How many units, at least 1.
    pub quantity: i64,
}

/// What to subscribe to, and how.
#[derive(Debug, Clone, Default)]
pub struct Subscribe {
    /// The items; the first one names the subscription.
    pub items: Vec<SubscribeItem>,
    /// Its name; made from the first item if none.
    pub name: Option<String>,
    /// When it began; now if none.
    pub start: Option<Timestamp>,
    /// When its trial ends; the price's trial days count if none.
    pub trial_end: Option<Timestamp>,
    /// What is charged.
    pub default_payment_method: Option<PaymentMethodId>,
    /// What is charged if that is gone.
    pub backup_payment_method: Option<PaymentMethodId>,
    /// The code of a discount.
    pub discount_code: Option<String>,
    /// The merchant's own data as JSON text.
    pub metadata: Option<String>,
    /// The interval that the first price is believed to have.
    pub expected_interval: ExpectedInterval,
}

/// What an interval is believed to be. What is none is not spoken of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedInterval {
    /// The word for what it is counted in.
    pub unit: Option<String>,
    /// How many of that it has.
    pub count: Option<i64>,
}

/// What a subscription shall hold instead.
#[derive(Debug, Clone)]
pub struct Adjust {
    /// The new items.
    pub items: Vec<SubscribeItem>,
    /// When.
    pub when: ChangeTiming,
}

/// What is subscribed to, and whether the customer has a subscription already.
struct Joinable {
    items: Vec<NewItem>,
    discount: Option<Discount>,
    has_current: bool,
}

impl Latest for Joinable {
    fn latest(&self) -> Option<Timestamp> {
        None
    }
}

/// A subscription with what its verbs need.
pub(crate) struct Loaded {
    pub(crate) subscription: Subscription,
    items: Vec<Item>,
    open_invoices: Vec<OpenInvoice>,
}

impl Latest for Loaded {
    fn latest(&self) -> Option<Timestamp> {
        self.subscription.latest().max(self.items.latest()).max(self.open_invoices.latest())
    }
}

/// A subscription with what changing its items needs.
struct Adjustable {
    loaded: Loaded,
    billed: Vec<Billed>,
    discount: Option<Discount>,
    items: Vec<NewItem>,
}

impl Latest for Adjustable {
    fn latest(&self) -> Option<Timestamp> {
        self.loaded.latest()
    }
}

impl Engine {
    /// Creates a subscription, and charges its first period.
    ///
    /// # Errors
    /// If the customer, a price, a payment method or the discount does not exist, or a rule forbids it.
    pub fn subscribe(
        &self,
        at: At,
        customer: impl Into<CustomerRef>,
        new: Subscribe,
    ) -> Fut<'_, FullSubscription> {
        let customer = customer.into();
        Box::pin(async move {
            let (environment, wanted) = (at.environment, new.clone());
            let decided = self.decide(
                at.clone(),
                move |s| Box::pin(async move { load_joinable(s, environment, &customer, &wanted).await }),
                move |ctx, CustomerState { rules, mut payer, found }, changes| {
                    let what = NewSubscription {
                        items: found.items,
                        name: new.name.clone(),
                        start: new.start.unwrap_or(ctx.now),
                        trial_end: new.trial_end,
                        default_payment_method_id: new.default_payment_method,
                        backup_payment_method_id: new.backup_payment_method,
                        discount: found.discount,
                        metadata: new.metadata.clone(),
                        has_current: found.has_current,
                    };
                    let created = create(ctx, &rules, &mut payer, what, changes)?;
                    let id = created.subscription.id;
                    Ok(((id, created.payment), id))
                },
            );
            let (id, payment) = decided.await?;
            self.charge_if(&at, payment).await?;
            self.full_subscription(environment, id).await
        })
    }

    /// A subscription.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn subscription(&self, environment: i64, id: SubscriptionId) -> Fut<'_, Subscription> {
        self.read(move |s| Box::pin(one(s, environment, id)))
    }

    /// Cancels a subscription. One that has ended stays as it is.
    ///
    /// # Errors
    /// If there is no such subscription, or the date is not after now.
    pub fn cancel(&self, at: At, id: SubscriptionId, when: CancelAt) -> Fut<'_, FullSubscription> {
        let environment = at.environment;
        let decided = self.decide_on(at, id, move |ctx, CustomerState { rules, found, .. }, changes| {
            Ok(cancel(ctx, &rules, &found.subscription, &found.open_invoices, when, changes)?)
        });
        Box::pin(async move { self.full_subscription(environment, decided.await?.id).await })
    }

    /// Takes back a cancellation that has not happened yet.
    ///
    /// # Errors
    /// If there is no such subscription, or it has ended.
    pub fn uncancel(&self, at: At, id: SubscriptionId) -> Fut<'_, FullSubscription> {
        let environment = at.environment;
        let decided = self.decide_on(at, id, move |ctx, CustomerState { rules, found, .. }, changes| {
            Ok(uncancel(ctx, &rules, &found.subscription, changes)?)
        });
        Box::pin(async move { self.full_subscription(environment, decided.await?.id).await })
    }

    /// Moves the end of the current period of a subscription.
    ///
    /// # Errors
    /// If there is no such subscription, it does not run, or the end is not after now.
    pub fn reschedule_renewal(&self, at: At, id: SubscriptionId, end: Timestamp) -> Fut<'_, Subscription> {
        self.decide_on(at, id, move |ctx, CustomerState { rules, found, .. }, changes| {
            Ok(reschedule_renewal(ctx, &rules, &found.subscription, end, changes)?)
        })
    }

    /// Changes what a subscription holds.
    ///
    /// # Errors
    /// If there is no such subscription or price, or a rule forbids it.
    pub fn adjust(&self, at: At, id: SubscriptionId, adjust: Adjust) -> Fut<'_, FullSubscription> {
        Box::pin(async move {
            let (environment, wanted, when) = (at.environment, adjust.items, adjust.when);
            let decided = self.decide(
                at.clone(),
                move |s| Box::pin(async move { load_adjustable(s, environment, id, &wanted).await }),
                move |ctx, CustomerState { rules, mut payer, found }, changes| {
                    let what = ItemChange { items: found.items, when };
                    let basis = ChangeBasis {
                        subscription: &found.loaded.subscription,
                        items: &found.loaded.items,
                        billed: &found.billed,
                        discount: found.discount.as_ref(),
                    };
                    let (_, issued) = change(ctx, &rules, &mut payer, &basis, &what, changes)?;
                    Ok((issued.and_then(|issued| issued.payment), id))
                },
            );
            let payment = decided.await?;
            self.charge_if(&at, payment).await?;
            self.full_subscription(environment, id).await
        })
    }

    /// Decides on a subscription with its items and open invoices.
    fn decide_on<'e>(
        &'e self,
        at: At,
        id: SubscriptionId,
        mut decision: impl FnMut(&mut Ctx, CustomerState<Loaded>, &mut Changes) -> Result<Subscription, Error>
        + Send
        + 'e,
    ) -> Fut<'e, Subscription> {
        let environment = at.environment;
        self.decide(
            at,
            move |s| Box::pin(load_one(s, environment, id)),
            move |ctx, state, changes| Ok((decision(ctx, state, changes)?, id)),
        )
    }
}

fn check_methods(payer: &CustomerAccount, new: &Subscribe) -> Result<(), Error> {
    let wanted = [
        (Field::DefaultPaymentMethod, new.default_payment_method),
        (Field::BackupPaymentMethod, new.backup_payment_method),
    ];
    for (field, id) in wanted {
        if let Some(id) = id
            && payer.methods.iter().all(|method| method.id != id)
        {
            return Err(Refusal::invalid(field, "a payment method of the customer").into());
        }
    }
    Ok(())
}

/// The interval is the first price's: who expects another one is mistaken.
async fn check_interval(s: &mut Snapshot, environment: i64, new: &Subscribe) -> Result<(), Error> {
    let ExpectedInterval { unit, count } = &new.expected_interval;
    let Some(first) = new.items.first().filter(|_| unit.is_some() || count.is_some()) else { return Ok(()) };
    let price = store::catalog::price(s, environment, first.price).await?;
    let Some(interval) = price.and_then(|price| price.interval) else { return Ok(()) };
    if unit.as_deref().is_some_and(|unit| unit != interval.unit.as_str()) {
        return Err(Refusal::NotOfPrice { field: Field::Interval, has: interval.unit.to_string() }.into());
    }
    if count.is_some_and(|count| count != i64::from(interval.count)) {
        let has = interval.count.to_string();
        return Err(Refusal::NotOfPrice { field: Field::IntervalCount, has }.into());
    }
    Ok(())
}

async fn load_joinable(
    s: &mut Snapshot,
    environment: i64,
    customer: &CustomerRef,
    new: &Subscribe,
) -> Result<CustomerState<Joinable>, Error> {
    check_interval(s, environment, new).await?;
    let customer = customer.find(s, environment).await?;
    let state = load::customer(s, environment, customer).await?;
    let items = load_items(s, environment, &new.items).await?;
    let discount = match &new.discount_code {
        None => None,
        Some(code) => Some(load_discount(s, environment, code).await?),
    };
    let has_current = !state.rules.environment.multiple_subscriptions && has_current(s, customer).await?;
    check_methods(&state.payer, new)?;
    Ok(state.with(Joinable { items, discount, has_current }))
}

/// Whether a customer has a subscription, or one whose first payment is under way.
async fn has_current(s: &mut Snapshot, customer: CustomerId) -> Result<bool, Error> {
    let mut starting = Vec::new();
    for subscription in store::subscriptions::of_customer(s, customer).await? {
        if subscription.status.is_current() {
            return Ok(true);
        }
        if subscription.status == Status::Incomplete {
            starting.push(subscription.id);
        }
    }
    if starting.is_empty() {
        return Ok(false);
    }
    for invoice in store::invoices::open(s, customer).await? {
        let is_first = invoice.subscription_id.is_some_and(|id| starting.contains(&id));
        if is_first && store::payments::in_flight(s, invoice.id).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The active discount of a code.
pub(crate) async fn load_discount(s: &mut Snapshot, environment: i64, code: &str) -> Result<Discount, Error> {
    store::discounts::by_code(s, environment, code)
        .await?
        .filter(|discount| discount.active)
        .ok_or_else(|| Refusal::invalid(Field::Discount, "the code of an active discount").into())
}

/// Prices with their products, as items to subscribe to.
async fn load_items(
    s: &mut Snapshot,
    environment: i64,
    wanted: &[SubscribeItem],
) -> Result<Vec<NewItem>, Error> {
    let mut items = Vec::with_capacity(wanted.len());
    for item in wanted {
        items.push(load_item(s, environment, *item).await?);
    }
    Ok(items)
}

/// A price with its product, as an item to subscribe to or to sell.
pub(crate) async fn load_item(
    s: &mut Snapshot,
    environment: i64,
    wanted: SubscribeItem,
) -> Result<NewItem, Error> {
    let (price, product) = store::offers::price_with_product(s, environment, wanted.price)
        .await?
        .ok_or_else(|| Refusal::invalid(Field::Price, "the id of a price"))?;
    Ok(NewItem { price, product, quantity: wanted.quantity })
}

/// What was billed for the current period of a subscription, the oldest first.
async fn load_billed(s: &mut Snapshot, subscription: &Subscription) -> Result<Vec<Billed>, Error> {
    let invoices = store::invoices::of_period(s, subscription.id, subscription.period_id).await?;
    let ids: Vec<_> = invoices.iter().map(|invoice| invoice.id).collect();
    let lines = store::invoices::lines(s, &ids).await?;
    let billed = invoices.iter().zip(&lines);
    Ok(billed.flat_map(|(invoice, lines)| Billed::lines_of(invoice, lines)).collect())
}

async fn one(s: &mut Snapshot, environment: i64, id: SubscriptionId) -> Result<Subscription, Error> {
    store::subscriptions::one(s, environment, id).await?.ok_or_else(|| Error::not_found(id))
}

pub(crate) async fn load_one(
    s: &mut Snapshot,
    environment: i64,
    id: SubscriptionId,
) -> Result<CustomerState<Loaded>, Error> {
    let subscription = one(s, environment, id).await?;
    let state = load::customer(s, environment, subscription.customer_id).await?;
    let items = store::subscriptions::items(s, &[id]).await?.pop().unwrap_or_default();
    let open_invoices = store::invoices::open_of_subscription(s, subscription.customer_id, id).await?;
    Ok(state.with(Loaded { subscription, items, open_invoices }))
}

async fn load_adjustable(
    s: &mut Snapshot,
    environment: i64,
    id: SubscriptionId,
    wanted: &[SubscribeItem],
) -> Result<CustomerState<Adjustable>, Error> {
    let CustomerState { rules, payer, found: loaded } = load_one(s, environment, id).await?;
    let billed = load_billed(s, &loaded.subscription).await?;
    let discount = match loaded.subscription.discount_id {
        Some(id) => store::discounts::one(s, environment, id).await?,
        None => None,
    };
    let items = load_items(s, environment, wanted).await?;
    Ok(CustomerState { rules, payer, found: Adjustable { loaded, billed, discount, items } })
}
