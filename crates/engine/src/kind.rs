//! What can be looked for in vain: the nouns of the books, and by what they were named.

use billing::id::Id;

/// A noun of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A set of products.
    Catalog,
    /// An API key or token.
    Credential,
    /// A buyer.
    Customer,
    /// A reduction of price.
    Discount,
    /// The books of a seller.
    Environment,
    /// An invoice.
    Invoice,
    /// A line of an invoice.
    InvoiceLine,
    /// One attempt to move money.
    Payment,
    /// Something that can be charged.
    PaymentMethod,
    /// A billing period of a subscription.
    Period,
    /// A price of a product.
    Price,
    /// Something sold.
    Product,
    /// A sale.
    Purchase,
    /// Money given back.
    Refund,
    /// A person of the seller.
    Staff,
    /// A subscription.
    Subscription,
    /// A tax rate.
    TaxRate,
}

impl Kind {
    /// The noun in plain English.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Credential => "credential",
            Self::Customer => "customer",
            Self::Discount => "discount",
            Self::Environment => "environment",
            Self::Invoice => "invoice",
            Self::InvoiceLine => "invoice line item",
            Self::Payment => "payment",
            Self::PaymentMethod => "payment method",
            Self::Period => "period",
            Self::Price => "price",
            Self::Product => "product",
            Self::Purchase => "purchase",
            Self::Refund => "refund",
            Self::Staff => "staff",
            Self::Subscription => "subscription",
            Self::TaxRate => "tax rate",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.noun())
    }
}

/// By what something was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// By its raw id. Each face spells it in its own way.
    Id(u128),
    /// By the text that was given.
    Text(String),
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(raw) => write!(f, "{raw:032x}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// An id that tells what it is of.
pub trait Known: Id {
    /// What it is the id of.
    const KIND: Kind;
}

macro_rules! known {
    ($($id:ident => $kind:ident;)+) => {$(
        impl Known for billing::id::$id {
            const KIND: Kind = Kind::$kind;
        }
    )+};
}

known! {
    CatalogId => Catalog;
    CredentialId => Credential;
    CustomerId => Customer;
    DiscountId => Discount;
    InvoiceId => Invoice;
    InvoiceLineId => InvoiceLine;
    PaymentId => Payment;
    PaymentMethodId => PaymentMethod;
    PeriodId => Period;
    PriceId => Price;
    ProductId => Product;
    PurchaseId => Purchase;
    RefundId => Refund;
    StaffId => Staff;
    SubscriptionId => Subscription;
    TaxRateId => TaxRate;
}
