//! From lines to documents: tax, what credits pay for, and the customer's balance.

use crate::calendar::Date;
use crate::currency::Currency;
use crate::money::{Money, MoneyError, Rounding};
use crate::timestamp::Timestamp;

use super::{Corrections, Terms};

/// What kind of document it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// Asks for money.
    Invoice,
    /// Takes back what an invoice asked for.
    CreditNote,
}

/// What a line is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineKind {
    /// A period without charge.
    Trial,
    /// A period of a plan, or a part of one.
    Charge,
    /// The unused part of something billed: negative on an invoice, positive on a credit note.
    Credit,
    /// The share of a difference of price.
    Difference,
    /// Use, of a closed period or so far.
    Usage,
    /// What use falls short of its minimum.
    TrueUp,
    /// What has been billed of the use before the period was over.
    BilledBefore,
    /// Tax.
    Tax,
    /// What a credit note pays of an invoice.
    CreditApplied,
    /// What goes to the customer's balance, or comes from it.
    Balance,
}

/// A line of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub kind: LineKind,
    /// How much.
    pub amount: Money,
    /// The first day it is for and the first one after, where it is for days.
    pub days: Option<(Date, Date)>,
}

/// An invoice or a credit note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What kind of document it is.
    pub kind: DocumentKind,
    /// The local day on which it was drawn.
    pub on: Date,
    /// The instant of the step that drew it; none if it was drawn because it was due.
    pub at: Option<Timestamp>,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Their sum.
    pub total: Money,
}

impl Document {
    /// The sum of the lines before anything is taken from the customer's credits, or given to them.
    pub fn total_before_balance(&self) -> Result<Money, MoneyError> {
        let settled = |line: &&Line| !matches!(line.kind, LineKind::Balance | LineKind::CreditApplied);
        sum(self.total.currency(), self.lines.iter().filter(settled))
    }
}

/// The lines that came together at one moment.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) charges: Vec<Line>,
    /// Negative.
    pub(super) credits: Vec<Line>,
}

/// Draws the documents of a draft, and moves the customer's balance.
pub(super) fn draw(
    draft: Draft,
    terms: &Terms,
    day: (Date, Option<Timestamp>),
    balance: &mut Money,
) -> Result<Vec<Document>, MoneyError> {
    let currency = balance.currency();
    let mut documents = Vec::new();
    let mut lines = draft.charges;
    if terms.corrections == Corrections::CreditNotes && !draft.credits.is_empty() {
        let given = draft.credits.into_iter().map(|line| {
            let amount = line.amount.checked_neg()?;
            Ok(Line { amount, ..line })
        });
        let note = with_tax(given.collect::<Result<_, MoneyError>>()?, terms, currency)?;
        let total = sum(currency, &note)?;
        *balance = balance.checked_add(total)?;
        documents.push(Document { kind: DocumentKind::CreditNote, on: day.0, at: day.1, lines: note, total });
    } else {
        lines.extend(draft.credits);
    }
    if lines.is_empty() {
        return Ok(documents);
    }
    let mut lines = with_tax(lines, terms, currency)?;
    let moved = from_balance(sum(currency, &lines)?, balance)?;
    if !moved.is_zero() {
        let kind = match terms.corrections {
            Corrections::CreditNotes => LineKind::CreditApplied,
            Corrections::Lines | Corrections::Difference => LineKind::Balance,
        };
        lines.push(Line { kind, amount: moved, days: None });
    }
    let total = sum(currency, &lines)?;
    documents.push(Document { kind: DocumentKind::Invoice, on: day.0, at: day.1, lines, total });
    Ok(documents)
}

/// One tax per document and rate, from the rounded nets of its lines.
fn with_tax(mut lines: Vec<Line>, terms: &Terms, currency: Currency) -> Result<Vec<Line>, MoneyError> {
    if !terms.tax.is_zero() {
        let amount = terms.tax.of(sum(currency, &lines)?, Rounding::HalfUp)?;
        lines.push(Line { kind: LineKind::Tax, amount, days: None });
    }
    Ok(lines)
}

/// What the balance gives to an invoice, or takes from one that would be negative.
fn from_balance(total: Money, balance: &mut Money) -> Result<Money, MoneyError> {
    let moved = if total.is_negative() { total } else { total.min(*balance)? };
    *balance = balance.checked_sub(moved)?;
    moved.checked_neg()
}

fn sum<'a>(currency: Currency, lines: impl IntoIterator<Item = &'a Line>) -> Result<Money, MoneyError> {
    Money::sum(currency, lines.into_iter().map(|line| line.amount))
}
