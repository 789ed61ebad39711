//! Payments: every attempt to move money, what came of it, and money that is given back.
//!
//! Owns payments, refunds, credits and their allocations as rows; each verb has a file. Invoices are of
//! `invoice`, gateways of a crate of their own. What is left of a credit is its amount less its allocations
//! and what was given back. A payment says when it was made, and when its money came.

pub mod collect;
pub(crate) mod dunning;
pub(crate) mod intent;
pub mod key;
pub mod manual;
pub mod refund;
pub mod void;

use crate::catalog::Category;
use crate::currency::Currency;
use crate::id::{
    AllocationId, CreditId, CustomerId, InvoiceId, PaymentId, PaymentMethodId, PriceId, RefundId, StaffId,
};
use crate::money::Money;
use crate::timestamp::Timestamp;

/// The name under which the ledger keeps the gateway's money.
pub(crate) const GATEWAY: &str = "sandbox";

/// How a payment came into the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentKind {
    /// The system charged a payment method.
    Automatic,
    /// A person wrote down money that came another way.
    Manual,
}

crate::text_enum!(PaymentKind { Automatic = "automatic", Manual = "manual" });

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentStatus {
    /// The gateway may or may not have been asked; it will be asked, again if need be, with the same [`key`].
    Processing,
    /// The money has come.
    Succeeded,
    /// The gateway said no.
    Failed,
    /// The customer must confirm it; until then it counts as failed for dunning.
    RequiresAction,
}

crate::text_enum!(PaymentStatus {
    Processing = "processing",
    Succeeded = "succeeded",
    Failed = "failed",
    RequiresAction = "requires_action",
});

/// By what means money came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentChannel {
    /// Coins and notes.
    Cash,
    /// A transfer between banks.
    BankTransfer,
    /// A card.
    Card,
    /// Something else.
    Other,
}

crate::text_enum!(PaymentChannel {
    Cash = "cash",
    BankTransfer = "bank_transfer",
    Card = "card",
    Other = "other",
});

/// One attempt to move money from a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Whose money.
    pub customer_id: CustomerId,
    /// The invoice that it is for; none for a manual payment.
    pub invoice_id: Option<InvoiceId>,
    /// Which attempt at that invoice, from 1.
    pub attempt: Option<i64>,
    /// Whether the dunning policy made it.
    pub is_retry: bool,
    /// What is charged; none for a manual payment.
    pub payment_method_id: Option<PaymentMethodId>,
    /// How it came into the books.
    pub kind: PaymentKind,
    /// By what means.
    pub means: PaymentChannel,
    /// What it is for.
    pub category: Category,
    /// How much, in minor units, above 0.
    pub amount: i64,
    /// In which currency.
    pub currency: Currency,
    /// How much of it has been given back, in minor units.
    pub refunded: i64,
    /// Where it stands.
    pub status: PaymentStatus,
    /// When the money came; for an attempt that has not succeeded, when it was made.
    pub paid_at: Timestamp,
    /// The gateway's code of the failure.
    pub failure_code: Option<String>,
    /// The gateway's words for it.
    pub failure_message: Option<String>,
    /// The gateway's own id of it.
    pub gateway_reference: Option<String>,
    /// What it says.
    pub description: Option<String>,
    /// What staff noted.
    pub notes: Option<String>,
    /// A picture of the receipt as JSON text.
    pub receipt_image: Option<String>,
    /// The staff who wrote it down.
    pub created_by: Option<StaffId>,
    /// The price that it pays for.
    pub price_id: Option<PriceId>,
    /// Whole percent that a discount took off, 0 if none.
    pub discount_percent: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When staff took it back; it is no longer shown from then on.
    pub deleted_at: Option<Timestamp>,
}

impl Payment {
    /// Its amount as money.
    pub fn money(&self) -> Money {
        Money::new(self.amount, self.currency)
    }
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStatus {
    /// The gateway may or may not have been asked.
    Processing,
    /// The money has gone back.
    Succeeded,
    /// The gateway said no.
    Failed,
}

crate::text_enum!(RefundStatus { Processing = "processing", Succeeded = "succeeded", Failed = "failed" });

/// Money that is given back.
#[derive(Debug, Clone, PartialEq)]
pub struct Refund {
    /// Its id, which is also the gateway's idempotency key.
    pub id: RefundId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Whose money.
    pub customer_id: CustomerId,
    /// The payment that is given back.
    pub payment_id: PaymentId,
    /// The invoice that was paid by it.
    pub invoice_id: Option<InvoiceId>,
    /// How much, in minor units, above 0.
    pub amount: i64,
    /// In which currency.
    pub currency: Currency,
    /// Why.
    pub reason: Option<String>,
    /// Where it stands.
    pub status: RefundStatus,
    /// The gateway's words if it failed.
    pub failure_message: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Money on a customer's balance, from one source.
#[derive(Debug, Clone, PartialEq)]
pub struct Credit {
    /// Its id.
    pub id: CreditId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Whose balance.
    pub customer_id: CustomerId,
    /// The payment that it came with; none if it was granted.
    pub payment_id: Option<PaymentId>,
    /// How much came, in minor units.
    pub amount: i64,
    /// How much of that is left.
    pub remaining: i64,
    /// In which currency.
    pub currency: Currency,
    /// When it came.
    pub created_at: Timestamp,
}

/// The use of a credit for an invoice. Taken back by removing it.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// Its id.
    pub id: AllocationId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Whose.
    pub customer_id: CustomerId,
    /// What is used.
    pub credit_id: CreditId,
    /// What it is used for.
    pub invoice_id: InvoiceId,
    /// How much, in minor units.
    pub amount: i64,
    /// When.
    pub created_at: Timestamp,
}
