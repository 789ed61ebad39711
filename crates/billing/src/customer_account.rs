//! The state of a customer on which decisions about its money are made.
//!
//! Owns what was read of one customer, with the version at which it was: a commit after somebody else's is a
//! conflict. Decisions move it on, so that several in a row see each other; it writes nothing by itself. Not
//! the ledger's accounts, which are in `ledger`. Money on the balance is used oldest first.

use crate::changes::{Changes, Version};
use crate::currency::Currency;
use crate::customer::{Customer, PaymentMethod};
use crate::id::{CustomerId, Id, PaymentMethodId};
use crate::payment::Credit;
use crate::rules::Rules;

/// A customer with what is needed to charge it. Decisions move it on, so that several in a row see
/// each other.
#[derive(Debug, Clone)]
pub struct CustomerAccount {
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

impl CustomerAccount {
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
