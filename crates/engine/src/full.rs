//! Things of the books with what hangs on them, as they are shown.

use crate::engine::{Engine, Fut};
use crate::error::Error;
use billing::calendar::Interval;
use billing::catalog::Price;
use billing::customer::PaymentMethodKind;
use billing::id::{InvoiceId, PaymentId, PriceId, PurchaseId, SubscriptionId};
use billing::invoice::Invoice;
use billing::payment::{Payment, RefundStatus};
use billing::purchase::Purchase;
use billing::subscription::{Item, Subscription};
use billing::timestamp::Timestamp;
use store::Snapshot;
use store::billing_view::{FullInvoice, full_invoices};

/// How often something is billed, and from when on that is counted.
pub type Cycle = (Interval, Timestamp);

/// A subscription with its items, those that are to come too, and their prices.
#[derive(Debug, Clone, PartialEq)]
pub struct FullSubscription {
    /// The subscription.
    pub subscription: Subscription,
    /// Its items, oldest first.
    pub items: Vec<Item>,
    /// The prices of the items.
    pub prices: Vec<Price>,
}

impl FullSubscription {
    /// The price of an item.
    pub fn price(&self, id: PriceId) -> Option<&Price> {
        self.prices.iter().find(|price| price.id == id)
    }
}

/// An invoice with all that is on it, and how often what it is for is billed.
#[derive(Debug, Clone, PartialEq)]
pub struct InvoiceWithCycle {
    /// The invoice with its lines and taxes.
    pub full: FullInvoice,
    /// How often what it is for is billed.
    pub cycle: Option<Cycle>,
}

/// A payment with what it was for and by what.
#[derive(Debug, Clone, PartialEq)]
pub struct FullPayment {
    /// The payment.
    pub payment: Payment,
    /// The invoice that it was for.
    pub invoice: Option<Invoice>,
    /// What was charged.
    pub method: Option<PaymentMethodKind>,
    /// When the last of it was given back.
    pub refunded_at: Option<Timestamp>,
}

impl FullPayment {
    pub(crate) async fn of(s: &mut Snapshot, payment: Payment) -> Result<Self, store::Error> {
        let environment = payment.environment;
        let invoice = match payment.invoice_id {
            Some(id) => store::invoices::one(s, environment, id).await?,
            None => None,
        };
        let method = match payment.payment_method_id {
            Some(id) => store::customers::payment_method(s, environment, id).await?.map(|method| method.kind),
            None => None,
        };
        let refunds = match payment.refunded {
            0 => Vec::new(),
            _ => store::payments::refunds_of(s, payment.id).await?,
        };
        let done = refunds.iter().filter(|refund| refund.status == RefundStatus::Succeeded);
        let refunded_at = done.map(|refund| refund.updated_at).max();
        Ok(Self { payment, invoice, method, refunded_at })
    }
}

impl Engine {
    /// A subscription with its items, those that are to come too.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn full_subscription(&self, environment: i64, id: SubscriptionId) -> Fut<'_, FullSubscription> {
        self.read(move |s| {
            Box::pin(async move {
                let subscription = store::subscriptions::one(s, environment, id).await?;
                let subscription = subscription.ok_or_else(|| Error::not_found(id))?;
                let items = store::subscriptions::items(s, &[id]).await?.pop().unwrap_or_default();
                let ids: Vec<_> = items.iter().map(|item| item.price_id).collect();
                let prices = store::catalog::prices(s, environment, &ids).await?;
                Ok(FullSubscription { subscription, items, prices })
            })
        })
    }

    /// An invoice with its lines and taxes, and its cycle.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn full_invoice(&self, environment: i64, id: InvoiceId) -> Fut<'_, InvoiceWithCycle> {
        self.read(move |s| {
            Box::pin(async move {
                let invoice = store::invoices::one(s, environment, id).await?;
                let invoice = invoice.ok_or_else(|| Error::not_found(id))?;
                let full = with_cycles(s, environment, vec![invoice]).await?.pop();
                full.ok_or_else(|| Error::not_found(id))
            })
        })
    }

    /// A payment that was not taken back, with what it was for.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn full_payment(&self, environment: i64, id: PaymentId) -> Fut<'_, FullPayment> {
        self.read(move |s| {
            Box::pin(async move {
                let payment = store::payments::one(s, environment, id).await?;
                let payment = payment.ok_or_else(|| Error::not_found(id))?;
                Ok(FullPayment::of(s, payment).await?)
            })
        })
    }

    /// A purchase with its price.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn purchase(&self, environment: i64, id: PurchaseId) -> Fut<'_, (Purchase, Option<Price>)> {
        self.read(move |s| {
            Box::pin(async move {
                let purchase = store::purchases::one(s, environment, id).await?;
                let purchase = purchase.ok_or_else(|| Error::not_found(id))?;
                let price = store::catalog::price(s, environment, purchase.price_id).await?;
                Ok((purchase, price))
            })
        })
    }
}

/// Invoices with all that is on them, and their cycles.
pub(crate) async fn with_cycles(
    s: &mut Snapshot,
    environment: i64,
    invoices: Vec<Invoice>,
) -> Result<Vec<InvoiceWithCycle>, store::Error> {
    let invoices = full_invoices(s, invoices).await?;
    let mut all = Vec::with_capacity(invoices.len());
    for full in invoices {
        let cycle = cycle_of(s, environment, &full.invoice).await?;
        all.push(InvoiceWithCycle { full, cycle });
    }
    Ok(all)
}

async fn cycle_of(
    s: &mut Snapshot,
    environment: i64,
    invoice: &Invoice,
) -> Result<Option<Cycle>, store::Error> {
    if let Some(id) = invoice.subscription_id {
        let subscription = store::subscriptions::one(s, environment, id).await?;
        return Ok(subscription.map(|subscription| (subscription.interval, subscription.anchor)));
    }
    let Some(id) = invoice.purchase_id else { return Ok(None) };
    let Some(purchase) = store::purchases::one(s, environment, id).await? else { return Ok(None) };
    let price = store::catalog::price(s, environment, purchase.price_id).await?;
    Ok(price.and_then(|price| purchase.cycle(&price)))
}
