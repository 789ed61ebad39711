//! The answer no: a rule of the business forbids what was asked.
//!
//! Owns the ways to say it. A refusal is no failure of the machine and is never repeated by itself. It names
//! things of the domain; how a contract calls the field, and where it stands in a request, is known to that
//! contract's face.

use crate::money::MoneyError;
use crate::timestamp::CalendarError;
use std::fmt;

/// What a refused value was given for. A face says by which name of its own that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The country of a customer's address.
    AddressCountry,
    /// How much: of a payment, or what a discount takes off.
    Amount,
    /// What a subscription charges if that is gone.
    BackupPaymentMethod,
    /// When a subscription is to be canceled.
    CancelDate,
    /// The catalog that is meant.
    Catalog,
    /// The clock of an environment.
    Clock,
    /// The time to which a clock is set.
    ClockTime,
    /// The word that gets a discount.
    Code,
    /// The country of a tax rate.
    Country,
    /// The currency of the lines of an invoice.
    Currency,
    /// What a subscription charges.
    DefaultPaymentMethod,
    /// The discount that is asked for, by its code.
    Discount,
    /// For how many payments a discount is.
    DiscountPayments,
    /// How long a discount lasts.
    Duration,
    /// An e-mail address.
    Email,
    /// The merchant's own id for a customer.
    ExternalId,
    /// A customer's domain-like name.
    Handle,
    /// The interval that a subscription is asked to have.
    Interval,
    /// How many units an interval has.
    IntervalCount,
    /// What an interval is counted in.
    IntervalUnit,
    /// The lines of an invoice.
    InvoiceLines,
    /// Whether something is the default.
    IsDefault,
    /// What a subscription is to hold instead.
    Items,
    /// The name of something.
    Name,
    /// After how many periods a subscription is complete.
    PeriodCount,
    /// When a period is to end.
    PeriodEnd,
    /// The price of what is subscribed to or bought.
    Price,
    /// How a price is charged.
    PriceKind,
    /// The product that is meant.
    Product,
    /// How many units.
    Quantity,
    /// How much is to be given back.
    RefundAmount,
    /// The role of a person of the seller.
    Role,
    /// What is charged once, with the first paid period.
    SetupFee,
    /// The merchant's own short name for something sold.
    Slug,
    /// When a subscription begins.
    Start,
    /// The kind of a tax.
    TaxKind,
    /// How much a tax rate takes.
    TaxPercentage,
    /// The gateway's token for a payment method.
    Token,
    /// Days without charge at the start.
    TrialDays,
    /// What one unit costs.
    UnitPrice,
    /// A time zone.
    Zone,
}

crate::text_enum!(Field {
    AddressCountry = "address country",
    Amount = "amount",
    BackupPaymentMethod = "backup payment method",
    CancelDate = "cancel date",
    Catalog = "catalog",
    Clock = "clock",
    ClockTime = "clock time",
    Code = "code",
    Country = "country",
    Currency = "currency",
    DefaultPaymentMethod = "default payment method",
    Discount = "discount",
    DiscountPayments = "discount payments",
    Duration = "duration",
    Email = "email",
    ExternalId = "external id",
    Handle = "handle",
    Interval = "interval",
    IntervalCount = "interval count",
    IntervalUnit = "interval unit",
    InvoiceLines = "invoice lines",
    IsDefault = "is default",
    Items = "items",
    Name = "name",
    PeriodCount = "period count",
    PeriodEnd = "period end",
    Price = "price",
    PriceKind = "price kind",
    Product = "product",
    Quantity = "quantity",
    RefundAmount = "refund amount",
    Role = "role",
    SetupFee = "setup fee",
    Slug = "slug",
    Start = "start",
    TaxKind = "tax kind",
    TaxPercentage = "tax percentage",
    Token = "token",
    TrialDays = "trial days",
    UnitPrice = "unit price",
    Zone = "zone",
});

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rule of the business that forbids what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A value cannot be.
    #[error("{field}: {problem}")]
    Invalid {
        /// What it was given for.
        field: Field,
        /// What would be right.
        problem: String,
    },
    /// A value of one of the lines of an invoice cannot be.
    #[error("line {line}: {field}: {problem}")]
    InvalidLine {
        /// Which line, from 0.
        line: usize,
        /// What it was given for.
        field: Field,
        /// What would be right.
        problem: String,
    },
    /// A value is not what a price has.
    #[error("{field}: the price has {has}")]
    NotOfPrice {
        /// What it was given for.
        field: Field,
        /// What the price has.
        has: String,
    },
    /// What a price costs, and for what, stays: subscribers hold it.
    #[error("{0} of a price never changes")]
    PriceFixed(Field),
    /// Only money that was written down by hand is changed by hand.
    #[error("Payment is not a manual payment")]
    AutomaticPayment,
    /// The state of something forbids it.
    #[error("{0}")]
    State(String),
    /// An amount or an instant is beyond what the books can hold.
    #[error("the amount or time is beyond what the books can hold")]
    OutOfRange,
}

impl Refusal {
    /// Refuses a value.
    pub fn invalid(field: Field, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }
}

impl From<MoneyError> for Refusal {
    fn from(_: MoneyError) -> Self {
        Self::OutOfRange
    }
}

impl From<CalendarError> for Refusal {
    fn from(_: CalendarError) -> Self {
        Self::OutOfRange
    }
}
