//! Invoices that the merchant writes, one-off sales, and withdrawing an invoice.

use crate::charging::bill_of;
use crate::subscriptions::{SubscribeItem, load_discount, load_items};
use crate::{Engine, Error};
use billing::invoice::{Charge, Collect, InvoiceFor, InvoiceKind, issue};
use billing::payment::{Initiator, void_invoice};
use billing::purchase::{Sale, sell};
use billing::refusal::Field;
use billing::{
    Category, CustomerId, Invoice, InvoiceId, InvoiceStatus, Money, Payment, PriceId, ProductId, Purchase,
    Refusal, Request, TaxBehavior, Timestamp,
};
use store::Snapshot;

/// A line of an invoice that the merchant writes.
#[derive(Debug, Clone)]
pub struct NewLine {
    /// What it says.
    pub description: String,
    /// The price that it follows from.
    pub price_id: Option<PriceId>,
    /// The product that it is for.
    pub product_id: Option<ProductId>,
    /// What it is for.
    pub category: Category,
    /// How many units, at least 1.
    pub quantity: i64,
    /// What one unit costs.
    pub unit_price: Money,
    /// Whether tax is inside that.
    pub tax_behavior: TaxBehavior,
}

impl Engine {
    /// Issues an invoice with the merchant's own lines. It is charged only if `charge` says so.
    ///
    /// # Errors
    /// If the customer or what a line names does not exist, there is no line, or an amount is out of range.
    pub async fn issue_invoice(
        &self,
        now: Timestamp,
        environment: i64,
        customer: CustomerId,
        lines: Vec<NewLine>,
        memo: Option<String>,
        charge: bool,
        request: Option<Request>,
    ) -> Result<Invoice, Error> {
        let charges = lines.iter().map(charge_of).collect::<Result<Vec<_>, _>>()?;
        let named: Vec<_> = lines.iter().map(|line| (line.price_id, line.product_id)).collect();
        let (invoice, payment) = self
            .deciding(environment, async || {
                let named = named.clone();
                let (rules, mut payer) = self
                    .store
                    .read(move |s| {
                        Box::pin(async move {
                            check_sold(s, environment, &named).await?;
                            crate::load(s, environment, customer).await
                        })
                    })
                    .await?;
                payer.customer.ensure_not_archived()?;
                let mut ctx = self.ctx(now);
                ctx.request = request.clone();
                let mut changes = payer.changes();
                let what = InvoiceFor {
                    kind: InvoiceKind::Standalone,
                    subscription_id: None,
                    period_id: None,
                    purchase_id: None,
                    period: None,
                    memo: memo.clone(),
                    collect: if charge { Collect::Now([None, None]) } else { Collect::Later },
                };
                let issued = issue(&mut ctx, &rules, &mut payer, what, &charges, None, &mut changes)?;
                changes.answers(&ctx, issued.invoice.id);
                self.store.commit(changes).await?;
                Ok((issued.invoice, issued.payment))
            })
            .await?;
        self.charge_if(now, environment, payment).await?;
        self.invoice(environment, invoice.id).await
    }

    async fn charge_if(
        &self,
        now: Timestamp,
        environment: i64,
        payment: Option<Payment>,
    ) -> Result<(), Error> {
        if let Some(payment) = payment {
            self.charge(now, environment, &payment).await?;
        }
        Ok(())
    }

    /// An invoice.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub async fn invoice(&self, environment: i64, id: InvoiceId) -> Result<Invoice, Error> {
        self.store
            .read(move |s| Box::pin(async move { store::invoices::one(s, environment, id).await }))
            .await?
            .ok_or_else(|| Error::not_found("invoice", ""))
    }

    /// Sells something once and charges it.
    ///
    /// # Errors
    /// If the customer, the price or the discount does not exist, or a rule forbids it.
    pub async fn sell(
        &self,
        now: Timestamp,
        environment: i64,
        customer: CustomerId,
        item: SubscribeItem,
        name: Option<String>,
        metadata: Option<String>,
        discount_code: Option<String>,
        request: Option<Request>,
    ) -> Result<Purchase, Error> {
        let (purchase, payment) = self
            .deciding(environment, async || {
                let code = discount_code.clone();
                let (rules, mut payer, items, discount) = self
                    .store
                    .read(move |s| {
                        Box::pin(async move {
                            let (rules, payer) = crate::load(s, environment, customer).await?;
                            let items = load_items(s, environment, &[item]).await?;
                            let discount = match &code {
                                None => None,
                                Some(code) => Some(load_discount(s, environment, code).await?),
                            };
                            Ok::<_, Error>((rules, payer, items, discount))
                        })
                    })
                    .await?;
                let mut ctx = self.ctx(now);
                ctx.request = request.clone();
                let mut changes = payer.changes();
                let sale = Sale {
                    item: &items[0],
                    name: name.clone(),
                    metadata: metadata.clone(),
                    discount: discount.as_ref(),
                };
                let (purchase, issued) = sell(&mut ctx, &rules, &mut payer, sale, &mut changes)?;
                changes.answers(&ctx, purchase.id);
                self.store.commit(changes).await?;
                Ok((purchase, issued.payment))
            })
            .await?;
        self.charge_if(now, environment, payment).await?;
        let id = purchase.id;
        self.store
            .read(move |s| Box::pin(async move { store::invoices::purchase(s, environment, id).await }))
            .await?
            .ok_or_else(|| Error::not_found("purchase", ""))
    }

    /// Asks once more for the payment of an open invoice, because a person wants it.
    ///
    /// # Errors
    /// If there is no such invoice, nothing is owed on it, or there is nothing to charge.
    pub async fn retry_payment(
        &self,
        now: Timestamp,
        environment: i64,
        id: InvoiceId,
        request: Option<Request>,
    ) -> Result<Option<Payment>, Error> {
        Ok(self.retry(now, environment, id, Initiator::Person, request).await?.0)
    }

    /// Withdraws an open invoice of which nothing has been paid.
    ///
    /// # Errors
    /// If there is no such invoice, something of it is paid, or a payment of it is under way.
    pub async fn void_invoice(
        &self,
        now: Timestamp,
        environment: i64,
        id: InvoiceId,
        request: Option<Request>,
    ) -> Result<Invoice, Error> {
        self.deciding(environment, async || {
            let (rules, payer, open, bill, in_flight) = self
                .store
                .read(move |s| {
                    Box::pin(async move {
                        let invoice = store::invoices::one(s, environment, id)
                            .await?
                            .ok_or_else(|| Error::not_found("invoice", ""))?;
                        // One of nothing has moved no money, so there is no entry to reverse.
                        if invoice.status != InvoiceStatus::Open {
                            return Err(Refusal::State("only an open invoice can be withdrawn".into()).into());
                        }
                        let (rules, payer) = crate::load(s, environment, invoice.customer_id).await?;
                        let in_flight = store::payments::in_flight(s, id).await?;
                        let open = store::invoices::issued(s, invoice.clone()).await?;
                        let bill = bill_of(s, environment, invoice).await?;
                        Ok::<_, Error>((rules, payer, open, bill, in_flight))
                    })
                })
                .await?;
            if in_flight {
                return Err(Refusal::State("a payment of the invoice is being processed".into()).into());
            }
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let mut changes = payer.changes();
            changes.answers(&ctx, id);
            let voided = void_invoice(&mut ctx, &rules, &payer, &open, &bill, &mut changes)?;
            self.store.commit(changes).await?;
            Ok(voided)
        })
        .await
    }
}

/// Checks that prices and products are of the environment.
async fn check_sold(
    s: &mut Snapshot,
    environment: i64,
    named: &[(Option<PriceId>, Option<ProductId>)],
) -> Result<(), Error> {
    for (price, product) in named {
        if let Some(id) = price
            && store::catalog::price(s, environment, *id).await?.is_none()
        {
            return Err(Refusal::invalid(Field::Price, "the id of a price").into());
        }
        if let Some(id) = product
            && store::catalog::product(s, environment, *id).await?.is_none()
        {
            return Err(Refusal::invalid(Field::Product, "the id of a product").into());
        }
    }
    Ok(())
}

fn charge_of(line: &NewLine) -> Result<Charge, Error> {
    if line.quantity < 1 {
        return Err(Refusal::invalid(Field::Quantity, "a whole number of at least 1").into());
    }
    Ok(Charge {
        description: line.description.clone(),
        product_id: line.product_id,
        price_id: line.price_id,
        category: line.category,
        quantity: line.quantity,
        amount: line.unit_price.checked_mul_int(line.quantity).map_err(Refusal::from)?,
        tax_behavior: line.tax_behavior,
    })
}
