//! Pages of what the books hold, oldest first.

use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::full::{FullPayment, InvoiceWithCycle, with_cycles};
use billing::catalog::{Catalog, Discount, Price, Product, TaxRate};
use billing::customer::PaymentMethod;
use billing::id::{CustomerId, InvoiceId, InvoiceLineId, ProductId, SubscriptionId};
use billing::invoice::{Invoice, InvoiceLine, InvoiceStatus};
use billing::payment::Payment;
use billing::purchase::Purchase;
use billing::subscription::{Item, Subscription};
use store::Snapshot;
use store::pages::{self, CursorPage, Page};

/// Whose rows are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// The whole environment's.
    All,
    /// One customer's.
    Customer(CustomerId),
    /// The customer's that has an external id; nobody's if none has it.
    CustomerOf(String),
    /// One subscription's.
    Subscription(SubscriptionId),
}

/// A subscription with its items.
pub type SubscriptionItems = (Subscription, Vec<Item>);

/// Lists that need nothing but their page.
macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident: $row:ty, $read:ident;)+) => {impl Engine {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// If the store fails.
        pub fn $name(&self, environment: i64, window: CursorPage) -> Fut<'_, Page<$row>> {
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
    pub fn products(&self, environment: i64, window: CursorPage) -> Fut<'_, Page<(Product, Vec<Price>)>> {
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
        window: CursorPage,
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
    pub fn payment_methods(
        &self,
        environment: i64,
        of: Of,
        window: CursorPage,
    ) -> Fut<'_, Page<PaymentMethod>> {
        self.read(move |s| {
            Box::pin(async move {
                Ok(match own(s, environment, of).await? {
                    Some(Own::All) => pages::payment_methods(s, environment, window).await?,
                    Some(Own::Customer(customer)) => {
                        pages::payment_methods_of_customer(s, customer, window, |_| true).await?
                    }
                    Some(Own::Subscription(_)) | None => Page::empty(),
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
        window: CursorPage,
    ) -> Fut<'_, Page<(Purchase, Option<Price>)>> {
        self.read(move |s| {
            Box::pin(async move {
                let page = match own(s, environment, of).await? {
                    Some(Own::All) => pages::purchases(s, environment, window).await?,
                    Some(Own::Customer(customer)) => {
                        pages::purchases_of_customer(s, customer, window, |_| true).await?
                    }
                    Some(Own::Subscription(_)) | None => Page::empty(),
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
        window: CursorPage,
    ) -> Fut<'_, Page<FullPayment>> {
        self.read(move |s| {
            Box::pin(async move {
                let page = match own(s, environment, of).await? {
                    Some(Own::All) => pages::payments(s, environment, window).await?,
                    Some(Own::Customer(customer)) => {
                        pages::payments_of_customer(s, customer, window, wanted).await?
                    }
                    Some(Own::Subscription(_)) | None => Page::empty(),
                };
                let mut rows = Vec::with_capacity(page.rows.len());
                for payment in page.rows {
                    rows.push(FullPayment::of(s, payment).await?);
                }
                Ok(Page { rows, has_more: page.has_more, total: page.total })
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
        window: CursorPage,
    ) -> Fut<'_, (Page<SubscriptionItems>, Vec<Price>)> {
        self.read(move |s| {
            Box::pin(async move {
                let page = match own(s, environment, of).await? {
                    Some(Own::All) => pages::subscriptions(s, environment, window).await?,
                    Some(Own::Customer(customer)) => {
                        pages::subscriptions_of_customer(s, customer, window, wanted).await?
                    }
                    Some(Own::Subscription(_)) | None => Page::empty(),
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

    /// The invoices with their lines, taxes and cycles, of all customers, of one or of a subscription, in all
    /// states or in one.
    ///
    /// # Errors
    /// If the store fails.
    pub fn invoices(
        &self,
        environment: i64,
        of: Of,
        status: Option<InvoiceStatus>,
        window: CursorPage,
    ) -> Fut<'_, Page<InvoiceWithCycle>> {
        self.read(move |s| {
            Box::pin(async move {
                let wanted = move |invoice: &Invoice| status.is_none_or(|s| s == invoice.status);
                let page = match own(s, environment, of).await? {
                    Some(Own::All) => pages::invoices(s, environment, window).await?,
                    Some(Own::Customer(id)) => pages::invoices_of_customer(s, id, window, wanted).await?,
                    Some(Own::Subscription(id)) => {
                        pages::invoices_of_subscription(s, id, window, wanted).await?
                    }
                    None => Page::empty(),
                };
                let Page { rows, has_more, total } = page;
                Ok(Page { rows: with_cycles(s, environment, rows).await?, has_more, total })
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
        window: CursorPage,
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
}

/// Whose rows are listed, when that is known to be the environment's.
enum Own {
    All,
    Customer(CustomerId),
    Subscription(SubscriptionId),
}

/// Whose rows, if they are of the environment; none if they are not.
async fn own(s: &mut Snapshot, environment: i64, of: Of) -> Result<Option<Own>, store::Error> {
    Ok(match of {
        Of::All => Some(Own::All),
        Of::Customer(id) => store::customers::by_id(s, environment, id).await?.map(|_| Own::Customer(id)),
        Of::CustomerOf(external_id) => {
            let found = store::customers::named(s, environment, "external_id", &external_id).await?;
            found.map(Own::Customer)
        }
        Of::Subscription(id) => {
            store::subscriptions::one(s, environment, id).await?.map(|_| Own::Subscription(id))
        }
    })
}
