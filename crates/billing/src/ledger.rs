//! The ledger: every movement of money is one balanced, immutable entry.
//!
//! Owns accounts, kinds of entries and the rule that postings sum to zero, which is asserted when an entry
//! is made. What is posted when is decided where money moves. An entry is never changed; it is taken back by
//! one that reverses it. `at` is when the books learned of the movement: `ctx.now`.

use crate::catalog::Category;
use crate::currency::Currency;
use crate::id::{CustomerId, InvoiceId, JournalEntryId, PaymentId};
use crate::money::{MoneyError, sum};
use crate::timestamp::Timestamp;

/// A ledger account. Those of a customer belong to the customer of the entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// What the customer owes. Debit side.
    Receivable,
    /// What is kept for the customer. Credit side.
    CustomerBalance,
    /// What was earned. Credit side.
    Revenue(Category),
    /// What is owed to a tax office. Credit side.
    TaxPayable(String),
    /// Money at a gateway, or `manual` for money that came another way. Debit side.
    Cash(String),
    /// Money given back. Debit side.
    Refunds,
    /// What discounts took off. Debit side.
    Discounts,
    /// What was given up. Debit side.
    BadDebt,
}

impl Account {
    /// Its name in the books: `receivable`, `revenue:subscription`, `tax_payable:IN`, `cash:sandbox`.
    pub fn name(&self) -> std::borrow::Cow<'static, str> {
        match self {
            Self::Receivable => "receivable".into(),
            Self::CustomerBalance => "customer_balance".into(),
            Self::Revenue(Category::Subscription) => "revenue:subscription".into(),
            Self::Revenue(category) => format!("revenue:{}", category.as_str()).into(),
            Self::TaxPayable(jurisdiction) => format!("tax_payable:{jurisdiction}").into(),
            Self::Cash(gateway) => format!("cash:{gateway}").into(),
            Self::Refunds => "refunds".into(),
            Self::Discounts => "discounts".into(),
            Self::BadDebt => "bad_debt".into(),
        }
    }
}

impl Account {
    /// The account of a name; none if there is no such account.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.split_once(':') {
            None => match name {
                "receivable" => Self::Receivable,
                "customer_balance" => Self::CustomerBalance,
                "refunds" => Self::Refunds,
                "discounts" => Self::Discounts,
                "bad_debt" => Self::BadDebt,
                _ => return None,
            },
            Some(("revenue", category)) => Self::Revenue(Category::parse(category)?),
            Some(("tax_payable", jurisdiction)) => Self::TaxPayable(jurisdiction.to_owned()),
            Some(("cash", gateway)) => Self::Cash(gateway.to_owned()),
            Some(_) => return None,
        })
    }
}

/// What an entry tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// An invoice was issued.
    Invoice,
    /// An invoice was withdrawn.
    Void,
    /// An invoice was given up.
    WriteOff,
    /// A given-up invoice was paid after all.
    Recovery,
    /// Money came.
    Payment,
    /// A manual payment was changed or taken back.
    Reversal,
    /// The balance was used for an invoice, or what was used put back.
    Allocation,
    /// Money was given back.
    Refund,
}

crate::text_enum!(EntryKind {
    Invoice = "invoice",
    Void = "void",
    WriteOff = "write_off",
    Recovery = "recovery",
    Payment = "payment",
    Reversal = "reversal",
    Allocation = "allocation",
    Refund = "refund",
});

/// One movement on one account: debits are positive, credits negative.
#[derive(Debug, Clone, PartialEq)]
pub struct Posting {
    /// The account.
    pub account: Account,
    /// How much, in minor units of the entry's currency.
    pub amount: i64,
}

/// One movement of money. Its postings sum to zero.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalEntry {
    /// Its id.
    pub id: JournalEntryId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// The customer whose accounts it moves.
    pub customer_id: CustomerId,
    /// What it tells.
    pub kind: EntryKind,
    /// The currency of its postings.
    pub currency: Currency,
    /// The invoice that it is about.
    pub invoice_id: Option<InvoiceId>,
    /// The payment that it is about.
    pub payment_id: Option<PaymentId>,
    /// When the money moved.
    pub at: Timestamp,
    /// The movements.
    pub postings: Vec<Posting>,
}

impl JournalEntry {
    /// The entry that takes this one back.
    ///
    /// # Errors
    /// If an amount cannot be negated.
    pub(crate) fn reversed(&self, ctx: &mut crate::id::Ctx, kind: EntryKind) -> Result<Self, MoneyError> {
        use crate::id::Id;
        let mut postings = Vec::with_capacity(self.postings.len());
        for posting in &self.postings {
            let amount = posting.amount.checked_neg().ok_or(MoneyError::Overflow)?;
            postings.push(Posting { account: posting.account.clone(), amount });
        }
        Self { id: ctx.id(self.customer_id.shard()), kind, at: ctx.now, postings, ..self.clone() }.balanced()
    }

    /// Asserts that the entry balances, and drops movements of nothing. Every entry passes through here.
    ///
    /// # Errors
    /// If the sum overflows.
    pub(crate) fn balanced(mut self) -> Result<Self, MoneyError> {
        self.postings.retain(|posting| posting.amount != 0);
        let sum = sum(self.postings.iter().map(|posting| posting.amount))?;
        assert_eq!(sum, 0, "a journal entry must balance: {self:?}");
        Ok(self)
    }
}
