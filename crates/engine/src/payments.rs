//! Money that staff write down, change and take back.

use crate::at::At;
use crate::customer_ref::CustomerRef;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::kind::Kind;
use crate::load::{self, CustomerState};
use billing::currency::Currency;
use billing::customer_account::CustomerAccount;
use billing::id::{CustomerId, PaymentId};
use billing::invoice::Invoice;
use billing::payment::manual::{
    ManualPaymentEdit, NewManualPayment, OpenItems, Recorded, delete, edit, record,
};
use billing::payment::{Payment, PaymentKind, PaymentStatus};
use billing::refusal::Refusal;
use store::Snapshot;
use store::views::payments::PaymentRow;

/// Which payment is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentRef {
    /// The one of an id.
    Id(PaymentId),
    /// The one that came in in a currency, by the first 96 bits of its id.
    Received {
        /// The bits.
        first: u128,
        /// The currency.
        currency: Currency,
    },
}

impl From<PaymentId> for PaymentRef {
    fn from(id: PaymentId) -> Self {
        Self::Id(id)
    }
}

impl PaymentRef {
    async fn find(self, s: &mut Snapshot, environment: i64) -> Result<Payment, Error> {
        match self {
            Self::Id(id) => one(s, environment, id).await,
            Self::Received { first, currency } => {
                let found = store::views::payments::spelled(s, environment, first).await?;
                let none = || Error::none_named(Kind::Payment, format_args!("{first:024x}"));
                let payment = one(s, environment, found.ok_or_else(none)?).await?;
                let has_come = payment.currency == currency && payment.status == PaymentStatus::Succeeded;
                if has_come { Ok(payment) } else { Err(none()) }
            }
        }
    }
}

impl Engine {
    /// Writes a manual payment down: it pays the oldest open invoices of its currency, and what is
    /// over goes on the balance.
    ///
    /// # Errors
    /// If the customer does not exist or the amount is not above 0.
    pub fn record_payment(
        &self,
        at: At,
        paid_by: impl Into<CustomerRef>,
        new: NewManualPayment,
    ) -> Fut<'_, PaymentRow> {
        let (environment, paid_by, currency) = (at.environment, paid_by.into(), new.amount.currency());
        self.decide(
            at,
            move |s| {
                Box::pin(async move {
                    let customer = paid_by.find(s, environment).await?;
                    let state = load::customer(s, environment, customer).await?;
                    Ok(state.with(load_open_items(s, environment, customer, currency, &[]).await?))
                })
            },
            move |ctx, CustomerState { rules, payer, found: open_items }, changes| {
                let payment = record(ctx, &rules, &payer, new.clone(), &open_items, changes)?;
                let id = payment.id;
                Ok((received(payment, payer), id))
            },
        )
    }

    /// Changes a manual payment; another amount reverses what it paid and applies it anew.
    ///
    /// # Errors
    /// If there is no such payment, it is automatic, or the amount is not above 0.
    pub fn edit_payment(
        &self,
        at: At,
        which: impl Into<PaymentRef>,
        what: ManualPaymentEdit,
    ) -> Fut<'_, PaymentRow> {
        let (environment, which) = (at.environment, which.into());
        self.decide(
            at,
            move |s| Box::pin(load_recorded(s, environment, which)),
            move |ctx, CustomerState { rules, payer, found: (recorded, open_items) }, changes| {
                let id = recorded.payment.id;
                let payment = edit(ctx, &rules, &payer, &recorded, what.clone(), &open_items, changes)?;
                Ok((received(payment, payer), id))
            },
        )
    }

    /// Takes a manual payment back: what it paid is owed again, and it is no longer shown.
    ///
    /// # Errors
    /// If there is no such payment, or it is automatic.
    pub fn delete_payment(&self, at: At, which: impl Into<PaymentRef>) -> Fut<'_, ()> {
        let (environment, which) = (at.environment, which.into());
        self.decide(
            at,
            move |s| Box::pin(load_recorded(s, environment, which)),
            move |ctx, CustomerState { rules, payer, found: (recorded, open_items) }, changes| {
                delete(ctx, &rules, &payer, &recorded, &open_items, changes)?;
                Ok(((), recorded.payment.id))
            },
        )
    }

    /// A payment that was not taken back.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn payment(&self, environment: i64, id: PaymentId) -> Fut<'_, Payment> {
        self.read(move |s| Box::pin(one(s, environment, id)))
    }
}

async fn one(s: &mut Snapshot, environment: i64, id: PaymentId) -> Result<Payment, Error> {
    store::payments::one(s, environment, id).await?.ok_or_else(|| Error::not_found(id))
}

/// A manual payment as it is shown: it paid for no price.
fn received(payment: Payment, payer: CustomerAccount) -> PaymentRow {
    PaymentRow {
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
    which: PaymentRef,
) -> Result<CustomerState<(Recorded, OpenItems)>, Error> {
    let payment = which.find(s, environment).await?;
    if payment.kind != PaymentKind::Manual {
        return Err(Refusal::AutomaticPayment.into());
    }
    let (credit, allocations) = store::payments::credit_of(s, payment.id)
        .await?
        .ok_or_else(|| store::Error::Corrupt("a manual payment without its credit".into()))?;
    let mut paid = Vec::with_capacity(allocations.len());
    for allocation in &allocations {
        let invoice = store::invoices::one(s, environment, allocation.invoice_id).await?;
        paid.extend(invoice);
    }
    let customer = payment.customer_id;
    let state = load::customer(s, environment, customer).await?;
    let open_items = load_open_items(s, environment, customer, payment.currency, &paid).await?;
    Ok(state.with((Recorded { payment, credit, allocations }, open_items)))
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
            open_items.purchases.extend(store::purchases::one(s, environment, id).await?);
        }
    }
    Ok(open_items)
}
