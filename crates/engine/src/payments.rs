//! Money that staff write down, change and take back.

use crate::views::{self, CustomerName};
use crate::{Engine, Error};
use billing::payment::{ManualPaymentEdit, NewManualPayment, OpenItems, Recorded, delete, edit, record};
use billing::{
    Currency, CustomerAccount, CustomerId, Invoice, Payment, PaymentId, PaymentKind, Refusal, Request, Rules,
    Timestamp,
};
use store::Snapshot;
use store::views::payments::Received;

/// Who paid: a customer by its id or by a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaidBy {
    /// By its id.
    Id(CustomerId),
    /// As a request names it.
    Named(CustomerName),
}

impl From<CustomerId> for PaidBy {
    fn from(id: CustomerId) -> Self {
        Self::Id(id)
    }
}

impl From<CustomerName> for PaidBy {
    fn from(name: CustomerName) -> Self {
        Self::Named(name)
    }
}

impl Engine {
    /// Writes a manual payment down: it pays the oldest open invoices of its currency, and what is
    /// over goes on the balance.
    ///
    /// # Errors
    /// If the customer does not exist or the amount is not above 0.
    pub async fn record_payment(
        &self,
        now: Timestamp,
        environment: i64,
        paid_by: impl Into<PaidBy>,
        new: NewManualPayment,
        request: Option<Request>,
    ) -> Result<Received, Error> {
        let paid_by = paid_by.into();
        self.deciding(environment, async || {
            let currency = new.amount.currency();
            let paid_by = paid_by.clone();
            let (rules, payer, open_items) = self
                .store
                .read(move |s| {
                    Box::pin(async move {
                        let customer = match paid_by {
                            PaidBy::Id(id) => id,
                            PaidBy::Named(name) => views::customer(s, environment, &name)
                                .await?
                                .ok_or_else(|| Error::not_found("customer", ""))?,
                        };
                        let (rules, payer) = crate::load(s, environment, customer).await?;
                        let open_items = load_open_items(s, environment, customer, currency, &[]).await?;
                        Ok::<_, Error>((rules, payer, open_items))
                    })
                })
                .await?;
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let mut changes = payer.changes();
            let payment = record(&mut ctx, &rules, &payer, new.clone(), &open_items, &mut changes)?;
            changes.answers(&ctx, payment.id);
            self.store.commit(changes).await?;
            Ok(received(payment, payer))
        })
        .await
    }

    /// Changes a manual payment; another amount reverses what it paid and applies it anew.
    ///
    /// # Errors
    /// If there is no such payment, it is automatic, or the amount is not above 0.
    pub async fn edit_payment(
        &self,
        now: Timestamp,
        environment: i64,
        id: PaymentId,
        what: ManualPaymentEdit,
        request: Option<Request>,
    ) -> Result<Received, Error> {
        self.deciding(environment, async || {
            let (rules, payer, recorded, open_items) = self
                .store
                .read(move |s| Box::pin(async move { load_recorded(s, environment, id).await }))
                .await?;
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let mut changes = payer.changes();
            changes.answers(&ctx, id);
            let payment = edit(&mut ctx, &rules, &payer, &recorded, what.clone(), &open_items, &mut changes)?;
            self.store.commit(changes).await?;
            Ok(received(payment, payer))
        })
        .await
    }

    /// Takes a manual payment back: what it paid is owed again, and it is no longer shown.
    ///
    /// # Errors
    /// If there is no such payment, or it is automatic.
    pub async fn delete_payment(
        &self,
        now: Timestamp,
        environment: i64,
        id: PaymentId,
        request: Option<Request>,
    ) -> Result<(), Error> {
        self.deciding(environment, async || {
            let (rules, payer, recorded, open_items) = self
                .store
                .read(move |s| Box::pin(async move { load_recorded(s, environment, id).await }))
                .await?;
            let mut ctx = self.ctx(now);
            ctx.request = request.clone();
            let mut changes = payer.changes();
            changes.answers(&ctx, id);
            delete(&mut ctx, &rules, &payer, &recorded, &open_items, &mut changes)?;
            self.store.commit(changes).await?;
            Ok(())
        })
        .await
    }

    /// A payment that was not taken back.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub async fn payment(&self, environment: i64, id: PaymentId) -> Result<Payment, Error> {
        self.store
            .read(move |s| Box::pin(async move { store::payments::one(s, environment, id).await }))
            .await?
            .ok_or_else(|| Error::not_found("payment", ""))
    }
}

/// A manual payment as it is shown: it paid for no price.
fn received(payment: Payment, payer: CustomerAccount) -> Received {
    Received {
        payment,
        customer_external_id: payer.customer.external_id,
        customer_name: payer.customer.name,
        customer_email: payer.customer.email,
        plan: None,
    }
}

async fn load_recorded(
    s: &mut Snapshot,
    environment: i64,
    id: PaymentId,
) -> Result<(Rules, CustomerAccount, Recorded, OpenItems), Error> {
    let payment =
        store::payments::one(s, environment, id).await?.ok_or_else(|| Error::not_found("payment", ""))?;
    if payment.kind != PaymentKind::Manual {
        return Err(Refusal::State("Payment is not a manual payment".into()).into());
    }
    let (credit, allocations) = store::payments::credit_of(s, id)
        .await?
        .ok_or_else(|| store::Error::Corrupt("a manual payment without its credit".into()))?;
    let mut paid = Vec::with_capacity(allocations.len());
    for allocation in &allocations {
        let invoice = store::invoices::one(s, environment, allocation.invoice_id).await?;
        paid.extend(invoice);
    }
    let customer = payment.customer_id;
    let (rules, payer) = crate::load(s, environment, customer).await?;
    let open_items = load_open_items(s, environment, customer, payment.currency, &paid).await?;
    Ok((rules, payer, Recorded { payment, credit, allocations }, open_items))
}

/// What a customer owes in a currency, and the given invoices, with all that hangs on them.
async fn load_open_items(
    s: &mut Snapshot,
    environment: i64,
    customer: CustomerId,
    currency: Currency,
    paid: &[Invoice],
) -> Result<OpenItems, Error> {
    let mut invoices = store::invoices::open(s, customer).await?;
    // Those in other currencies are never paid by this money, but their subscriptions owe them.
    for invoice in paid {
        if invoices.iter().all(|open| open.id != invoice.id) {
            invoices.push(invoice.clone());
        }
    }
    invoices.sort_by_key(|invoice| invoice.customer_ordinal);
    let mut open_items = OpenItems { invoices, ..OpenItems::default() };
    for invoice in paid {
        if store::payments::in_flight(s, invoice.id).await? {
            open_items.in_flight.push(invoice.id);
        }
    }
    for index in 0..open_items.invoices.len() {
        let invoice = &open_items.invoices[index];
        if invoice.currency != currency {
            continue;
        }
        let (subscription, purchase) = (invoice.subscription_id, invoice.purchase_id);
        if let Some(id) = subscription
            && open_items.subscriptions.iter().all(|known| known.id != id)
        {
            open_items.subscriptions.extend(store::subscriptions::one(s, environment, id).await?);
        }
        if let Some(id) = purchase {
            open_items.purchases.extend(store::invoices::purchase(s, environment, id).await?);
        }
    }
    Ok(open_items)
}
