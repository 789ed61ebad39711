//! Invoices that the merchant writes, one-off sales, and voiding an invoice.

use crate::at::At;
use crate::bills;
use crate::customer_ref::CustomerRef;
use crate::due::Owed;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::full::InvoiceWithCycle;
use crate::latest::Latest;
use crate::load::{self, CustomerState};
use crate::subscriptions::{SubscribeItem, load_discount, load_item};
use billing::catalog::{Category, Discount, Price, TaxBehavior};
use billing::id::{InvoiceId, PriceId, ProductId};
use billing::invoice::in_context::InvoiceInContext;
use billing::invoice::issue::{Collect, InvoiceFor, issue};
use billing::invoice::totals::Charge;
use billing::invoice::{Invoice, InvoiceKind, InvoiceStatus, OpenInvoice};
use billing::money::Money;
use billing::payment::Payment;
use billing::payment::collect::Initiator;
use billing::payment::void::void_invoice;
use billing::purchase::Purchase;
use billing::purchase::sell::{Sale, sell};
use billing::refusal::{Field, Refusal};
use billing::subscription::items::NewItem;
use billing::timestamp::Timestamp;
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

/// An open invoice with what voiding it moves.
struct Voidable {
    open: OpenInvoice,
    bill: InvoiceInContext,
}

impl Latest for Voidable {
    fn latest(&self) -> Option<Timestamp> {
        self.open.latest().max(self.bill.latest())
    }
}

/// What is sold once.
struct Sold {
    item: NewItem,
    discount: Option<Discount>,
}

impl Latest for Sold {
    fn latest(&self) -> Option<Timestamp> {
        None
    }
}

impl Engine {
    /// Issues an invoice with the merchant's own lines. It is charged only if `charge` says so.
    ///
    /// # Errors
    /// If the customer or what a line names does not exist, there is no line, or an amount is out of range.
    pub fn issue_invoice(
        &self,
        at: At,
        customer: impl Into<CustomerRef>,
        lines: Vec<NewLine>,
        memo: Option<String>,
        charge: bool,
    ) -> Fut<'_, InvoiceWithCycle> {
        let customer = customer.into();
        Box::pin(async move {
            let environment = at.environment;
            let charges = lines.iter().map(charge_of).collect::<Result<Vec<_>, _>>()?;
            let decided = self.decide(
                at.clone(),
                move |s| {
                    Box::pin(async move {
                        let customer = customer.find(s, environment).await?;
                        let state = load::customer(s, environment, customer).await?;
                        check_sold(s, environment, &lines).await?;
                        state.payer.customer.ensure_not_archived()?;
                        Ok(state)
                    })
                },
                move |ctx, CustomerState { rules, mut payer, .. }, changes| {
                    let what = InvoiceFor {
                        kind: InvoiceKind::Standalone,
                        subscription_id: None,
                        period_id: None,
                        purchase_id: None,
                        period: None,
                        memo: memo.clone(),
                        collect: if charge { Collect::Now([None, None]) } else { Collect::Later },
                    };
                    let issued = issue(ctx, &rules, &mut payer, what, &charges, None, changes)?;
                    Ok(((issued.invoice.id, issued.payment), issued.invoice.id))
                },
            );
            let (id, payment) = decided.await?;
            self.charge_if(&at, payment).await?;
            self.full_invoice(environment, id).await
        })
    }

    /// Charges a payment that a request has made, if it has made one.
    pub(crate) async fn charge_if(&self, at: &At, payment: Option<Payment>) -> Result<(), Error> {
        if let Some(payment) = payment {
            self.charge(&at.follow_up(), &payment).await?;
        }
        Ok(())
    }

    /// Sells something once and charges it.
    ///
    /// # Errors
    /// If the customer, the price or the discount does not exist, or a rule forbids it.
    pub fn sell(
        &self,
        at: At,
        customer: impl Into<CustomerRef>,
        item: SubscribeItem,
        name: Option<String>,
        metadata: Option<String>,
        discount_code: Option<String>,
    ) -> Fut<'_, (Purchase, Option<Price>)> {
        let customer = customer.into();
        Box::pin(async move {
            let environment = at.environment;
            let decided = self.decide(
                at.clone(),
                move |s| {
                    Box::pin(async move {
                        load_sale(s, environment, &customer, item, discount_code.as_deref()).await
                    })
                },
                move |ctx, CustomerState { rules, mut payer, found }, changes| {
                    let sale = Sale {
                        item: &found.item,
                        name: name.clone(),
                        metadata: metadata.clone(),
                        discount: found.discount.as_ref(),
                    };
                    let (purchase, issued) = sell(ctx, &rules, &mut payer, sale, changes)?;
                    Ok(((purchase.id, issued.payment), purchase.id))
                },
            );
            let (id, payment) = decided.await?;
            self.charge_if(&at, payment).await?;
            self.purchase(environment, id).await
        })
    }

    /// Asks once more for the payment of an open invoice, because a person wants it.
    ///
    /// # Errors
    /// If there is no such invoice, nothing is owed on it, or there is nothing to charge.
    pub fn retry_payment(&self, at: At, id: InvoiceId) -> Fut<'_, Option<Payment>> {
        Box::pin(async move { Ok(self.retry(at, Owed::Invoice(id), Initiator::Person).await?.0) })
    }

    /// Voids an open invoice of which nothing has been paid.
    ///
    /// # Errors
    /// If there is no such invoice, something of it is paid, or a payment of it is under way.
    pub fn void_invoice(&self, at: At, id: InvoiceId) -> Fut<'_, InvoiceWithCycle> {
        let environment = at.environment;
        let decided = self.decide(
            at,
            move |s| Box::pin(load_voidable(s, environment, id)),
            move |ctx, CustomerState { rules, found, .. }, changes| {
                void_invoice(ctx, &rules, &found.open, &found.bill, changes)?;
                Ok((id, id))
            },
        );
        Box::pin(async move { self.full_invoice(environment, decided.await?).await })
    }
}

async fn one(s: &mut Snapshot, environment: i64, id: InvoiceId) -> Result<Invoice, Error> {
    store::invoices::one(s, environment, id).await?.ok_or_else(|| Error::not_found(id))
}

async fn load_sale(
    s: &mut Snapshot,
    environment: i64,
    customer: &CustomerRef,
    item: SubscribeItem,
    discount_code: Option<&str>,
) -> Result<CustomerState<Sold>, Error> {
    let customer = customer.find(s, environment).await?;
    let state = load::customer(s, environment, customer).await?;
    let item = load_item(s, environment, item).await?;
    let discount = match discount_code {
        None => None,
        Some(code) => Some(load_discount(s, environment, code).await?),
    };
    Ok(state.with(Sold { item, discount }))
}

async fn load_voidable(
    s: &mut Snapshot,
    environment: i64,
    id: InvoiceId,
) -> Result<CustomerState<Voidable>, Error> {
    let invoice = one(s, environment, id).await?;
    // One of nothing has moved no money, so there is no entry to reverse.
    if invoice.status != InvoiceStatus::Open {
        return Err(Refusal::State("only an open invoice can be withdrawn".into()).into());
    }
    let state = load::customer(s, environment, invoice.customer_id).await?;
    let in_flight = store::payments::in_flight(s, id).await?;
    let open = store::invoices::issued(s, invoice.clone()).await?;
    let bill = bills::of_invoice(s, environment, invoice).await?;
    if in_flight {
        return Err(Refusal::State("a payment of the invoice is being processed".into()).into());
    }
    Ok(state.with(Voidable { open, bill }))
}

/// Checks that prices and products are of the environment.
async fn check_sold(s: &mut Snapshot, environment: i64, lines: &[NewLine]) -> Result<(), Error> {
    for (at, line) in lines.iter().enumerate() {
        let wrong =
            |field, problem: &str| Refusal::InvalidLine { line: at, field, problem: problem.to_owned() };
        if let Some(id) = line.price_id
            && store::catalog::price(s, environment, id).await?.is_none()
        {
            return Err(wrong(Field::Price, "the id of a price").into());
        }
        if let Some(id) = line.product_id
            && store::catalog::product(s, environment, id).await?.is_none()
        {
            return Err(wrong(Field::Product, "the id of a product").into());
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
