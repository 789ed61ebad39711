//! The state of a customer on which decisions about its money are made.

use crate::invoice::Invoice;
use crate::{
    Change, Changes, Credit, Currency, Customer, CustomerId, Environment, Id, PaymentMethod, PaymentMethodId,
    TaxRate, Version,
};

/// The books' rules that hold for a decision.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The environment with its policies.
    pub environment: Environment,
    /// All its tax rates.
    pub tax_rates: Vec<TaxRate>,
}

/// A customer with what is needed to charge it. Decisions move it on, so that several in a row see
/// each other.
#[derive(Debug, Clone)]
pub struct Payer {
    /// The customer.
    pub customer: Customer,
    /// The version at which it was read.
    pub version: Version,
    /// What can be charged.
    pub methods: Vec<PaymentMethod>,
    /// Money on its balance, oldest first, but for what a refund under way may give back.
    pub credits: Vec<Credit>,
    /// How many invoices it has.
    pub invoice_count: i64,
    /// How many it has in each currency.
    pub currency_invoice_counts: Vec<(Currency, i64)>,
}

impl Payer {
    /// Its id.
    pub fn id(&self) -> CustomerId {
        self.customer.id
    }

    /// The shard of all its rows.
    pub fn shard(&self) -> i64 {
        self.customer.id.shard()
    }

    /// An empty decision about it.
    pub fn changes(&self) -> Changes {
        Changes::of(self.customer.id, self.version)
    }

    /// The zone of its periods.
    pub fn zone<'a>(&'a self, rules: &'a Rules) -> &'a str {
        self.customer.zone.as_deref().unwrap_or(&rules.environment.zone)
    }

    /// What to charge: the first of the wanted ones that exists, else the default.
    pub fn method(&self, wanted: &[Option<PaymentMethodId>]) -> Option<&PaymentMethod> {
        wanted
            .iter()
            .flatten()
            .find_map(|id| self.methods.iter().find(|method| method.id == *id))
            .or_else(|| self.methods.iter().find(|method| method.is_default))
    }

    /// Counts one more invoice and says its places among all and among those in its currency.
    pub(crate) fn number_invoice(&mut self, currency: Currency) -> (i64, i64) {
        self.invoice_count += 1;
        let index = match self.currency_invoice_counts.iter().position(|(c, _)| *c == currency) {
            Some(index) => index,
            None => {
                self.currency_invoice_counts.push((currency, 0));
                self.currency_invoice_counts.len() - 1
            }
        };
        self.currency_invoice_counts[index].1 += 1;
        (self.invoice_count, self.currency_invoice_counts[index].1)
    }
}

/// A rule of the business that forbids what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A field's value cannot be.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field, as the merchant API names it.
        field: &'static str,
        /// What would be right.
        problem: String,
    },
    /// The state of something forbids it.
    #[error("{0}")]
    State(String),
    /// An amount or an instant is beyond what the books can hold.
    #[error("the amount or time is beyond what the books can hold")]
    OutOfRange,
}

impl Refusal {
    /// Refuses a field.
    pub fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }
}

impl From<crate::MoneyError> for Refusal {
    fn from(_: crate::MoneyError) -> Self {
        Self::OutOfRange
    }
}

impl From<crate::CalendarError> for Refusal {
    fn from(_: crate::CalendarError) -> Self {
        Self::OutOfRange
    }
}

/// An invoice with the subscription and the purchase that its settlement moves.
#[derive(Debug, Clone)]
pub struct Bill {
    /// The invoice.
    pub invoice: Invoice,
    /// Its subscription.
    pub subscription: Option<crate::subscription::Subscription>,
    /// Its purchase.
    pub purchase: Option<crate::Purchase>,
    /// Whether the subscription has other open invoices.
    pub owes_more: bool,
}

impl Bill {
    /// Writes the invoice's settlement, and the purchase if it moved.
    pub(crate) fn write(&self, before: &Bill, changes: &mut Changes) {
        if self.invoice != before.invoice {
            changes.push(Change::SettleInvoice(Box::new(self.invoice.clone())));
        }
        if self.subscription != before.subscription
            && let Some(subscription) = &self.subscription
        {
            changes.push(Change::UpdateSubscription(subscription.clone()));
        }
        if self.purchase != before.purchase
            && let Some(purchase) = &self.purchase
        {
            changes.push(Change::UpdatePurchase(purchase.clone()));
        }
    }
}
