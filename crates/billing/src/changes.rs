//! What a decision returns: rows to write, as data, so that one decision or five hundred are
//! committed the same way.

use crate::invoice::{Invoice, InvoiceLine, InvoiceTax};
use crate::subscription::{BillingPeriod, Item, Subscription};
use crate::{
    Allocation, AllocationId, Catalog, Credit, Customer, CustomerId, CustomerUser, Discount, Environment,
    ItemId, JournalEntry, Organization, Payment, PaymentMethod, PeriodId, Price, Product, Purchase, Refund,
    Staff, SubscriptionId, TaxRate, Timestamp,
};

/// One row to write. An update writes every column that may change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new seller.
    InsertOrganization(Organization),
    /// New books.
    InsertEnvironment(Environment),
    /// Changed policies; the clock stays as it is.
    UpdateEnvironment(Environment),
    /// The time of an environment's clock.
    SetClock(i64, Timestamp),
    /// A new person of the seller.
    InsertStaff(Staff),
    /// A new customer.
    InsertCustomer(Customer),
    /// A changed customer.
    UpdateCustomer(Customer),
    /// A new person of a customer.
    InsertCustomerUser(CustomerUser),
    /// A new payment method.
    InsertPaymentMethod(PaymentMethod),
    /// A changed payment method.
    UpdatePaymentMethod(PaymentMethod),
    /// A new catalog.
    InsertCatalog(Catalog),
    /// A changed catalog.
    UpdateCatalog(Catalog),
    /// A new product.
    InsertProduct(Product),
    /// A changed product.
    UpdateProduct(Product),
    /// A new price.
    InsertPrice(Price),
    /// A changed price.
    UpdatePrice(Price),
    /// A new discount.
    InsertDiscount(Discount),
    /// A changed discount.
    UpdateDiscount(Discount),
    /// A new tax rate.
    InsertTaxRate(TaxRate),
    /// A new subscription.
    InsertSubscription(Subscription),
    /// A changed subscription.
    UpdateSubscription(Subscription),
    /// A new item.
    InsertItem(Item),
    /// A changed item.
    UpdateItem(Item),
    /// An item that is gone from its subscription.
    DeleteItem(SubscriptionId, ItemId),
    /// A new period.
    InsertPeriod(BillingPeriod),
    /// A period whose end moved: customer, period, new end, now.
    EndPeriod(CustomerId, PeriodId, Timestamp, Timestamp),
    /// A period whose end was announced: customer, period, now.
    RemindPeriod(CustomerId, PeriodId, Timestamp),
    /// A new invoice, final at once: the commit gives it its number.
    InsertInvoice(Box<Invoice>, Vec<InvoiceLine>, Vec<InvoiceTax>),
    /// What an invoice's settlement has come to. Its content is never written again.
    SettleInvoice(Box<Invoice>),
    /// A new payment.
    InsertPayment(Box<Payment>),
    /// A changed payment: `before` and `after`.
    UpdatePayment(Box<Payment>, Box<Payment>),
    /// A new refund.
    InsertRefund(Refund),
    /// A changed refund.
    UpdateRefund(Refund),
    /// New money on a balance.
    InsertCredit(Credit),
    /// Money on a balance of which more or less is left.
    UpdateCredit(Credit),
    /// A use of the balance.
    InsertAllocation(Allocation),
    /// A use of the balance that is taken back.
    DeleteAllocation(CustomerId, AllocationId),
    /// A new sale.
    InsertPurchase(Purchase),
    /// A changed sale.
    UpdatePurchase(Purchase),
    /// A movement of money.
    Post(JournalEntry),
}

impl Change {
    /// The environment whose lists the change moves; none where the row does not say.
    pub fn environment(&self) -> Option<i64> {
        Some(match self {
            Self::InsertOrganization(_) => return None,
            Self::InsertEnvironment(row) | Self::UpdateEnvironment(row) => row.number,
            Self::SetClock(environment, _) => *environment,
            Self::InsertStaff(row) => row.environment,
            Self::InsertCustomer(row) | Self::UpdateCustomer(row) => row.environment,
            Self::InsertCustomerUser(row) => row.environment,
            Self::InsertPaymentMethod(row) | Self::UpdatePaymentMethod(row) => row.environment,
            Self::InsertCatalog(row) | Self::UpdateCatalog(row) => row.environment,
            Self::InsertProduct(row) | Self::UpdateProduct(row) => row.environment,
            Self::InsertPrice(row) | Self::UpdatePrice(row) => row.environment,
            Self::InsertDiscount(row) | Self::UpdateDiscount(row) => row.environment,
            Self::InsertTaxRate(row) => row.environment,
            Self::InsertSubscription(row) | Self::UpdateSubscription(row) => row.environment,
            Self::InsertItem(row) | Self::UpdateItem(row) => row.environment,
            Self::InsertPeriod(row) => row.environment,
            Self::InsertInvoice(row, ..) | Self::SettleInvoice(row) => row.environment,
            Self::InsertPayment(row) | Self::UpdatePayment(row, _) => row.environment,
            Self::InsertRefund(row) | Self::UpdateRefund(row) => row.environment,
            Self::InsertCredit(row) | Self::UpdateCredit(row) => row.environment,
            Self::InsertAllocation(row) => row.environment,
            Self::InsertPurchase(row) | Self::UpdatePurchase(row) => row.environment,
            Self::Post(row) => row.environment,
            // These always stand beside a change of their subscription, invoice or payment.
            Self::DeleteItem(..)
            | Self::EndPeriod(..)
            | Self::RemindPeriod(..)
            | Self::DeleteAllocation(..) => {
                return None;
            }
        })
    }
}

/// The version of a customer's rows: it rises with every commit that touches one of them.
pub type Version = i64;

/// Everything that one commit writes, and what it was decided on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// The customers whose rows were read, and the version at which they were.
    /// Another version at the commit is a conflict.
    pub decided_on: Vec<(CustomerId, Version)>,
    /// The environment of which what it sells was read, and the version at which it was.
    pub catalog_version: Option<(i64, Version)>,
    /// The rows, in an order in which references come after what they refer to.
    pub rows: Vec<Change>,
    /// The request that this is the effect of, if it may be repeated.
    pub idempotency: Option<Idempotency>,
}

/// What makes a repeated request find the effect of the first: kept by the commit that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The number of the environment within which the key is unique.
    pub environment: i64,
    /// The key that the caller gave the request.
    pub key: String,
    /// SHA-256 of the request: another request with the same key is a mistake.
    pub fingerprint: Vec<u8>,
    /// The raw id of what the request made or changed.
    pub resource: u128,
    /// When the request came, by the real clock.
    pub created_at: Timestamp,
}

impl Changes {
    /// Nothing to write, decided on a customer at a version.
    pub fn of(customer: CustomerId, version: Version) -> Self {
        Self { decided_on: vec![(customer, version)], ..Self::default() }
    }

    /// Adds a row.
    pub fn push(&mut self, change: Change) {
        self.rows.push(change);
    }

    /// Keeps the request's key with its effect, if it has one; `resource` is what it made or changed.
    pub fn answers<T: crate::Id>(&mut self, ctx: &crate::Ctx, resource: T) {
        self.idempotency = ctx.request.as_ref().map(|request| Idempotency {
            environment: request.environment,
            key: request.key.clone(),
            fingerprint: request.fingerprint.clone(),
            resource: resource.raw(),
            created_at: request.received_at,
        });
    }

    /// Adds all that another decision, about other customers, has decided.
    pub fn absorb(&mut self, other: Changes) {
        self.decided_on.extend(other.decided_on);
        self.catalog_version = self.catalog_version.or(other.catalog_version);
        self.rows.extend(other.rows);
    }
}
