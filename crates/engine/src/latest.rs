//! The newest instant at which something that was read was written.
//!
//! Clocks jump back, and processes have different ones. No decision is made before what it may change, so
//! that no row goes back in time. Policies, and what is only referred to, do not count: the books of a test
//! are made at the real time, and their clock may stand long before it.

use billing::catalog::{Discount, Price, Product, TaxRate};
use billing::customer::{Customer, PaymentMethod};
use billing::customer_account::CustomerAccount;
use billing::environment::Environment;
use billing::invoice::in_context::InvoiceInContext;
use billing::invoice::{Invoice, OpenInvoice};
use billing::payment::manual::{OpenItems, Recorded};
use billing::payment::{Credit, Payment, Refund};
use billing::purchase::Purchase;
use billing::subscription::step::Due;
use billing::subscription::{Item, Subscription};
use billing::timestamp::Timestamp;

/// What knows when it was last written.
pub(crate) trait Latest {
    /// The newest instant at which something of it was written; none if it does not say.
    fn latest(&self) -> Option<Timestamp>;
}

macro_rules! rows {
    ($($row:ident: $at:ident),+ $(,)?) => {$(
        impl Latest for $row {
            fn latest(&self) -> Option<Timestamp> {
                Some(self.$at)
            }
        }
    )+};
}

rows! {
    Credit: created_at,
    Customer: updated_at,
    Discount: updated_at,
    Invoice: updated_at,
    Item: updated_at,
    Payment: updated_at,
    PaymentMethod: updated_at,
    Price: updated_at,
    Product: updated_at,
    Purchase: updated_at,
    Refund: updated_at,
    Subscription: updated_at,
    TaxRate: created_at,
}

macro_rules! parts {
    ($($whole:ident: $($part:ident)+;)+) => {$(
        impl Latest for $whole {
            fn latest(&self) -> Option<Timestamp> {
                [$(self.$part.latest()),+].into_iter().max().flatten()
            }
        }
    )+};
}

parts! {
    InvoiceInContext: invoice subscription purchase;
    Due: subscription items open_invoices;
    OpenInvoice: invoice;
    CustomerAccount: customer methods credits;
    Recorded: payment credit;
    OpenItems: invoices subscriptions purchases;
}

impl<T: Latest> Latest for Option<T> {
    fn latest(&self) -> Option<Timestamp> {
        self.as_ref().and_then(T::latest)
    }
}

impl<T: Latest> Latest for Vec<T> {
    fn latest(&self) -> Option<Timestamp> {
        self.iter().filter_map(T::latest).max()
    }
}

impl<A: Latest, B: Latest> Latest for (A, B) {
    fn latest(&self) -> Option<Timestamp> {
        self.0.latest().max(self.1.latest())
    }
}

impl Latest for () {
    fn latest(&self) -> Option<Timestamp> {
        None
    }
}

impl Latest for Environment {
    fn latest(&self) -> Option<Timestamp> {
        None
    }
}
