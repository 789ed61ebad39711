//! Subscribing, changing, canceling.

use crate::{Engine, Error};
use billing::invoice::OpenInvoice;
use billing::refusal::Field;
use billing::subscription::{
    Billed, CancelAt, ChangeBasis, ChangeTiming, ItemChange, NewItem, NewSubscription, Status, cancel,
    change, create, reschedule_renewal, uncancel,
};
use billing::{
    Changes, Ctx, CustomerAccount, CustomerId, Discount, Item, PaymentMethodId, PriceId, Refusal, Request,
    Rules, Subscription, SubscriptionId, Timestamp,
};
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
}

/// What a subscription shall hold instead.
#[derive(Debug, Clone)]
pub struct Adjust {
    /// The new items.
    pub items: Vec<SubscribeItem>,
    /// When.
    pub when: ChangeTiming,
}

struct Joinable {
    rules: Rules,
    payer: CustomerAccount,
    items: Vec<NewItem>,
    discount: Option<Discount>,
    has_current: bool,
}

/// A subscription with what its verbs need.
struct Loaded {
    rules: Rules,
    payer: CustomerAccount,
    subscription: Subscription,
    items: Vec<Item>,
    open_invoices: Vec<OpenInvoice>,
}

impl Engine {
    /// Creates a subscription, and charges its first period.
    ///
    /// # Errors
    /// If the customer, a price, a payment method or the discount does not exist, or a rule forbids it.
    pub async fn subscribe(
        &self,
        now: Timestamp,
        environment: i64,
        customer: CustomerId,
        new: Subscribe,
        request: Option<Request>,
    ) -> Result<Subscription, Error> {
        let (subscription, payment) = self
            .deciding(environment, async || {
                let wanted = new.clone();
                let state = self
                    .store
                    .read(move |s| {
                        Box::pin(async move { load_joinable(s, environment, customer, &wanted).await })
                    })
                    .await?;
                let Joinable { rules, mut payer, items, discount, has_current } = state;
                check_methods(&payer, &new)?;
                let mut ctx = self.ctx(now);
                ctx.request = request.clone();
                let mut changes = payer.changes();
                let what = NewSubscription {
                    items,
                    name: new.name.clone(),
                    start: new.start.unwrap_or(now),
                    trial_end: new.trial_end,
                    default_payment_method_id: new.default_payment_method,
                    backup_payment_method_id: new.backup_payment_method,
                    discount,
                    metadata: new.metadata.clone(),
                    has_current,
                };
                let created = create(&mut ctx, &rules, &mut payer, what, &mut changes)?;
                changes.answers(&ctx, created.subscription.id);
                self.store.commit(changes).await?;
                Ok((created.subscription, created.payment))
            })
            .await?;
        match payment {
            None => Ok(subscription),
            Some(payment) => {
                self.charge(now, environment, &payment).await?;
                self.subscription(environment, subscription.id).await
            }
        }
    }

    /// A subscription.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub async fn subscription(&self, environment: i64, id: SubscriptionId) -> Result<Subscription, Error> {
        self.store
            .read(move |s| Box::pin(async move { store::subscriptions::one(s, environment, id).await }))
            .await?
            .ok_or_else(|| Error::not_found("subscription", ""))
    }

    /// Cancels a subscription. One that has ended stays as it is.
    ///
    /// # Errors
    /// If there is no such subscription, or the date is not after now.
    pub async fn cancel(
        &self,
        now: Timestamp,
        environment: i64,
        id: SubscriptionId,
        at: CancelAt,
        request: Option<Request>,
    ) -> Result<Subscription, Error> {
        self.on_subscription(now, environment, id, request, |ctx, held, changes| {
            Ok(cancel(ctx, &held.rules, &held.payer, &held.subscription, &held.open_invoices, at, changes)?)
        })
        .await
    }

    /// Takes back a cancellation that has not happened yet.
    ///
    /// # Errors
    /// If there is no such subscription, or it has ended.
    pub async fn uncancel(
        &self,
        now: Timestamp,
        environment: i64,
        id: SubscriptionId,
        request: Option<Request>,
    ) -> Result<Subscription, Error> {
        self.on_subscription(now, environment, id, request, |ctx, held, changes| {
            Ok(uncancel(ctx, &held.rules, &held.subscription, changes)?)
        })
        .await
    }

    /// Moves the end of the current period of a subscription.
    ///
    /// # Errors
    /// If there is no such subscription, it does not run, or the end is not after now.
    pub async fn reschedule_renewal(
        &self,
        now: Timestamp,
        environment: i64,
        id: SubscriptionId,
        end: Timestamp,
        request: Option<Request>,
    ) -> Result<Subscription, Error> {
        self.on_subscription(now, environment, id, request, |ctx, held, changes| {
            Ok(reschedule_renewal(ctx, &held.rules, &held.subscription, end, changes)?)
        })
        .await
    }

    /// Changes what a subscription holds.
    ///
    /// # Errors
    /// If there is no such subscription or price, or a rule forbids it.
    pub async fn adjust(
        &self,
        now: Timestamp,
        environment: i64,
        id: SubscriptionId,
        adjust: Adjust,
        request: Option<Request>,
    ) -> Result<Subscription, Error> {
        let (subscription, payment) = self
            .deciding(environment, async || {
                let wanted = adjust.items.clone();
                let (mut held, billed, discount, items) = self
                    .store
                    .read(move |s| {
                        Box::pin(async move {
                            let held = load_held(s, environment, id).await?;
                            let billed = load_billed(s, &held.subscription).await?;
                            let discount = match held.subscription.discount_id {
                                Some(id) => store::subscriptions::discount(s, environment, id).await?,
                                None => None,
                            };
                            let items = load_items(s, environment, &wanted).await?;
                            Ok::<_, Error>((held, billed, discount, items))
                        })
                    })
                    .await?;
                let mut ctx = self.ctx(now);
                ctx.request = request.clone();
                let mut changes = held.payer.changes();
                changes.answers(&ctx, id);
                let what = ItemChange { items, when: adjust.when };
                let basis = ChangeBasis {
                    subscription: &held.subscription,
                    items: &held.items,
                    billed: &billed,
                    discount: discount.as_ref(),
                };
                let (subscription, issued) =
                    change(&mut ctx, &held.rules, &mut held.payer, &basis, &what, &mut changes)?;
                self.store.commit(changes).await?;
                Ok((subscription, issued.and_then(|issued| issued.payment)))
            })
            .await?;
        match payment {
            None => Ok(subscription),
            Some(payment) => {
                self.charge(now, environment, &payment).await?;
                self.subscription(environment, id).await
            }
        }
    }

    async fn on_subscription(
        &self,
        now: Timestamp,
        environment: i64,
        id: SubscriptionId,
        request: Option<Request>,
        decide: impl Fn(&mut Ctx, &Loaded, &mut Changes) -> Result<Subscription, Error>,
    ) -> Result<Subscription, Error> {
        self.deciding(environment, async || {
            let held = self
                .store
                .read(move |s| Box::pin(async move { load_held(s, environment, id).await }))
                .await?;
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let mut changes = held.payer.changes();
            changes.answers(&ctx, id);
            let subscription = decide(&mut ctx, &held, &mut changes)?;
            self.store.commit(changes).await?;
            Ok(subscription)
        })
        .await
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

async fn load_joinable(
    s: &mut Snapshot,
    environment: i64,
    customer: CustomerId,
    new: &Subscribe,
) -> Result<Joinable, Error> {
    let (rules, payer) = crate::load(s, environment, customer).await?;
    let items = load_items(s, environment, &new.items).await?;
    let discount = match &new.discount_code {
        None => None,
        Some(code) => Some(load_discount(s, environment, code).await?),
    };
    let has_current = !rules.environment.multiple_subscriptions && has_current(s, customer).await?;
    Ok(Joinable { rules, payer, items, discount, has_current })
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
    store::subscriptions::discount_by_code(s, environment, code)
        .await?
        .filter(|discount| discount.active)
        .ok_or_else(|| Refusal::invalid(Field::Discount, "the code of an active discount").into())
}

/// Prices with their products, as items to subscribe to or to sell.
pub(crate) async fn load_items(
    s: &mut Snapshot,
    environment: i64,
    wanted: &[SubscribeItem],
) -> Result<Vec<NewItem>, Error> {
    let mut items = Vec::with_capacity(wanted.len());
    for item in wanted {
        let (price, product) = store::subscriptions::offer(s, environment, item.price)
            .await?
            .ok_or_else(|| Refusal::invalid(Field::Price, "the id of a price"))?;
        items.push(NewItem { price, product, quantity: item.quantity });
    }
    Ok(items)
}

/// What was billed for the current period of a subscription, the oldest first.
async fn load_billed(s: &mut Snapshot, subscription: &Subscription) -> Result<Vec<Billed>, Error> {
    let invoices = store::invoices::of_period(s, subscription.id, subscription.period_id).await?;
    let ids: Vec<_> = invoices.iter().map(|invoice| invoice.id).collect();
    let lines = store::invoices::lines(s, &ids).await?;
    let billed = invoices.iter().zip(&lines);
    Ok(billed.flat_map(|(invoice, lines)| Billed::lines_of(invoice, lines)).collect())
}

async fn load_held(s: &mut Snapshot, environment: i64, id: SubscriptionId) -> Result<Loaded, Error> {
    let subscription = store::subscriptions::one(s, environment, id)
        .await?
        .ok_or_else(|| Error::not_found("subscription", ""))?;
    let (rules, payer) = crate::load(s, environment, subscription.customer_id).await?;
    let items = store::subscriptions::items(s, &[id]).await?.pop().unwrap_or_default();
    let open_invoices = store::invoices::open_of_subscription(s, subscription.customer_id, id).await?;
    Ok(Loaded { rules, payer, subscription, items, open_invoices })
}
