//! Pages of what the books hold, oldest first.

use crate::engine::{Engine, Fut};
use crate::error::Error;
use billing::{
    Catalog, CustomerId, Discount, Interval, Invoice, InvoiceId, InvoiceLine, InvoiceLineId, InvoiceStatus,
    Item, Payment, PaymentId, PaymentMethod, PaymentMethodKind, Price, Product, ProductId, Purchase,
    PurchaseId, RefundStatus, Subscription, SubscriptionId, TaxRate, Timestamp,
};
use store::Snapshot;
use store::billing_view::{FullInvoice, full_invoices};
use store::pages::{self, Page, Window};

/// Whose rows are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The whole environment's.
    All,
    /// One customer's.
    Customer(CustomerId),
    /// One subscription's.
    Subscription(SubscriptionId),
}

/// A subscription with its items.
pub type SubscriptionItems = (Subscription, Vec<Item>);

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
    async fn of(s: &mut Snapshot, payment: Payment) -> Result<Self, store::Error> {
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

/// Lists that need nothing but their page.
macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident: $row:ty, $read:ident;)+) => {impl Engine {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// If the store fails.
        pub fn $name(&self, environment: i64, window: Window) -> Fut<'_, Page<$row>> {
            self.read(move |s| Box::pin(async move { Ok(pages::$read(s, environment, window).await?) }))
        }
    )+}};
}

plain! {
    /// The catalogs.
    catalogs: Catalog, catalogs;
    /// The discounts.
    discounts: Discount, discounts;
    /// The tax rates.
    tax_rates: TaxRate, tax_rates;
}

impl Engine {
    /// The products with their prices.
    ///
    /// # Errors
    /// If the store fails.
    pub fn products(&self, environment: i64, window: Window) -> Fut<'_, Page<(Product, Vec<Price>)>> {
        self.read(move |s| {
            Box::pin(async move {
                let page = pages::products(s, environment, window).await?;
                let ids: Vec<_> = page.rows.iter().map(|product| product.id).collect();
                let mut prices = store::catalog::prices_of_each(s, &ids).await?.into_iter().peekable();
                Ok(page.map(|product| {
                    let mut its = Vec::new();
                    while let Some(price) = prices.next_if(|price| price.product_id == product.id) {
                        its.push(price);
                    }
                    (product, its)
                }))
            })
        })
    }

    /// The prices, of all products or of one.
    ///
    /// # Errors
    /// If the store fails.
    pub fn prices(
        &self,
        environment: i64,
        product: Option<ProductId>,
        window: Window,
    ) -> Fut<'_, Page<Price>> {
        self.read(move |s| {
            Box::pin(async move {
                let Some(product) = product else {
                    return Ok(pages::prices(s, environment, window).await?);
                };
                match store::catalog::product(s, environment, product).await? {
                    Some(_) => Ok(pages::prices_of_product(s, product, window).await?),
                    None => Ok(Page::empty()),
                }
            })
        })
    }

    /// The payment methods, of all customers or of one.
    ///
    /// # Errors
    /// If the store fails.
    pub fn payment_methods(&self, environment: i64, of: Of, window: Window) -> Fut<'_, Page<PaymentMethod>> {
        self.read(move |s| {
            Box::pin(async move {
                Ok(match own(s, environment, of).await? {
                    Some(Of::All) => pages::payment_methods(s, environment, window).await?,
                    Some(Of::Customer(customer)) => {
                        pages::payment_methods_of_customer(s, customer, window, |_| true).await?
                    }
                    Some(Of::Subscription(_)) | None => Page::empty(),
                })
            })
        })
    }

    /// The purchases, of all customers or of one, with their prices.
    ///
    /// # Errors
    /// If the store fails.
    pub fn purchases(
        &self,
        environment: i64,
        of: Of,
        window: Window,
    ) -> Fut<'_, Page<(Purchase, Option<Price>)>> {
        self.read(move |s| {
            Box::pin(async move {
                let page = match own(s, environment, of).await? {
                    Some(Of::All) => pages::purchases(s, environment, window).await?,
                    Some(Of::Customer(customer)) => {
                        pages::purchases_of_customer(s, customer, window, |_| true).await?
                    }
                    Some(Of::Subscription(_)) | None => Page::empty(),
                };
                let ids: Vec<_> = page.rows.iter().map(|purchase| purchase.price_id).collect();
                let prices = store::catalog::prices(s, environment, &ids).await?;
                Ok(page.map(|purchase| {
                    let price = prices.iter().find(|price| price.id == purchase.price_id).cloned();
                    (purchase, price)
                }))
            })
        })
    }

    /// The payments that were not taken back, of all customers or of those of one that are wanted.
    ///
    /// # Errors
    /// If the store fails.
    pub fn payments(
        &self,
        environment: i64,
        of: Of,
        wanted: impl Fn(&Payment) -> bool + Clone + Send + 'static,
        window: Window,
    ) -> Fut<'_, Page<FullPayment>> {
        self.read(move |s| {
            Box::pin(async move {
                let page = match own(s, environment, of).await? {
                    Some(Of::All) => pages::payments(s, environment, window).await?,
                    Some(Of::Customer(customer)) => {
                        pages::payments_of_customer(s, customer, window, wanted).await?
                    }
                    Some(Of::Subscription(_)) | None => Page::empty(),
                };
                let mut rows = Vec::with_capacity(page.rows.len());
                for payment in page.rows {
                    rows.push(FullPayment::of(s, payment).await?);
                }
                Ok(Page { rows, has_more: page.has_more, total: page.total })
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

    /// The subscriptions with their items, of all customers or of those of one that are wanted, and the
    /// prices of the items.
    ///
    /// # Errors
    /// If the store fails.
    pub fn subscriptions(
        &self,
        environment: i64,
        of: Of,
        wanted: impl Fn(&Subscription) -> bool + Clone + Send + 'static,
        window: Window,
    ) -> Fut<'_, (Page<SubscriptionItems>, Vec<Price>)> {
        self.read(move |s| {
            Box::pin(async move {
                let page = match own(s, environment, of).await? {
                    Some(Of::All) => pages::subscriptions(s, environment, window).await?,
                    Some(Of::Customer(customer)) => {
                        pages::subscriptions_of_customer(s, customer, window, wanted).await?
                    }
                    Some(Of::Subscription(_)) | None => Page::empty(),
                };
                let ids: Vec<SubscriptionId> = page.rows.iter().map(|row| row.id).collect();
                let items = store::subscriptions::items(s, &ids).await?;
                let mut wanted: Vec<_> = items.iter().flatten().map(|item| item.price_id).collect();
                wanted.sort_unstable();
                wanted.dedup();
                let prices = store::catalog::prices(s, environment, &wanted).await?;
                let mut items = items.into_iter();
                Ok((page.map(|row| (row, items.next().unwrap_or_default())), prices))
            })
        })
    }

    /// The invoices with their lines and taxes, of all customers, of one or of a subscription, in all
    /// states or in one.
    ///
    /// # Errors
    /// If the store fails.
    pub fn invoices(
        &self,
        environment: i64,
        of: Of,
        status: Option<InvoiceStatus>,
        window: Window,
    ) -> Fut<'_, Page<FullInvoice>> {
        self.read(move |s| {
            Box::pin(async move {
                let wanted = move |invoice: &Invoice| status.is_none_or(|s| s == invoice.status);
                let page = match own(s, environment, of).await? {
                    Some(Of::All) => pages::invoices(s, environment, window).await?,
                    Some(Of::Customer(id)) => pages::invoices_of_customer(s, id, window, wanted).await?,
                    Some(Of::Subscription(id)) => {
                        pages::invoices_of_subscription(s, id, window, wanted).await?
                    }
                    None => Page::empty(),
                };
                let Page { rows, has_more, total } = page;
                Ok(Page { rows: full_invoices(s, rows).await?, has_more, total })
            })
        })
    }

    /// How often what each of the invoices is for is billed, and from when on that is counted.
    ///
    /// # Errors
    /// If the store fails.
    pub fn cycles(
        &self,
        environment: i64,
        invoices: &[FullInvoice],
    ) -> Fut<'_, Vec<Option<(Interval, Timestamp)>>> {
        let mut of = Vec::with_capacity(invoices.len());
        of.extend(invoices.iter().map(|full| (full.invoice.subscription_id, full.invoice.purchase_id)));
        self.read(move |s| {
            Box::pin(async move {
                let mut cycles = Vec::with_capacity(of.len());
                for (subscription, purchase) in of {
                    cycles.push(match (subscription, purchase) {
                        (Some(id), _) => store::subscriptions::one(s, environment, id)
                            .await?
                            .map(|subscription| (subscription.interval, subscription.anchor)),
                        (None, Some(id)) => purchase_cycle(s, environment, id).await?,
                        (None, None) => None,
                    });
                }
                Ok(cycles)
            })
        })
    }

    /// The lines of invoices, of all or of one.
    ///
    /// # Errors
    /// If the store fails.
    pub fn invoice_lines(
        &self,
        environment: i64,
        invoice: Option<InvoiceId>,
        window: Window,
    ) -> Fut<'_, Page<InvoiceLine>> {
        self.read(move |s| {
            Box::pin(async move {
                let Some(invoice) = invoice else {
                    return Ok(pages::invoice_lines(s, environment, window).await?);
                };
                match store::invoices::one(s, environment, invoice).await? {
                    Some(_) => Ok(pages::lines_of_invoice(s, invoice, window).await?),
                    None => Ok(Page::empty()),
                }
            })
        })
    }

    /// An invoice with its lines and taxes.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn full_invoice(&self, environment: i64, id: InvoiceId) -> Fut<'_, FullInvoice> {
        self.read(move |s| {
            Box::pin(async move {
                let invoice = store::invoices::one(s, environment, id).await?;
                let invoice = invoice.ok_or_else(|| Error::not_found(id))?;
                let full = full_invoices(s, vec![invoice]).await?.pop();
                full.ok_or_else(|| Error::not_found(id))
            })
        })
    }

    /// A line of an invoice.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn invoice_line(&self, environment: i64, id: InvoiceLineId) -> Fut<'_, InvoiceLine> {
        self.read(move |s| {
            Box::pin(async move {
                let found = pages::invoice_line(s, environment, id).await?;
                found.ok_or_else(|| Error::not_found(id))
            })
        })
    }

    /// A subscription with its items, those that are to come too.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn full_subscription(
        &self,
        environment: i64,
        id: SubscriptionId,
    ) -> Fut<'_, (Subscription, Vec<Item>, Vec<Price>)> {
        self.read(move |s| {
            Box::pin(async move {
                let subscription = store::subscriptions::one(s, environment, id).await?;
                let subscription = subscription.ok_or_else(|| Error::not_found(id))?;
                let items = store::subscriptions::items(s, &[id]).await?.pop().unwrap_or_default();
                let ids: Vec<_> = items.iter().map(|item| item.price_id).collect();
                let prices = store::catalog::prices(s, environment, &ids).await?;
                Ok((subscription, items, prices))
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

async fn purchase_cycle(
    s: &mut Snapshot,
    environment: i64,
    id: PurchaseId,
) -> Result<Option<(Interval, Timestamp)>, store::Error> {
    let Some(purchase) = store::purchases::one(s, environment, id).await? else { return Ok(None) };
    let price = store::catalog::price(s, environment, purchase.price_id).await?;
    Ok(price.and_then(|price| purchase.cycle(&price)))
}

/// Whose rows, if they are of the environment; none if they are not.
async fn own(s: &mut Snapshot, environment: i64, of: Of) -> Result<Option<Of>, store::Error> {
    let is_own = match of {
        Of::All => true,
        Of::Customer(id) => store::customers::by_id(s, environment, id).await?.is_some(),
        Of::Subscription(id) => store::subscriptions::one(s, environment, id).await?.is_some(),
    };
    Ok(is_own.then_some(of))
}
