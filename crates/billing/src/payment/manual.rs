//! Money that came another way: written down, changed and taken back by staff.
//!
//! Owns manual payments and what they pay: the oldest open invoices of their currency, the rest goes on the
//! balance. No gateway is asked, and an automatic payment cannot be changed here. When money came is what
//! staff say (`paid_at`); when it was written down is `ctx.now`, and that is the time of the entry.

use crate::catalog::Category;
use crate::changes::{Change, Changes};
use crate::customer_account::CustomerAccount;
use crate::id::{Ctx, InvoiceId, StaffId};
use crate::invoice::settle::{reopen, settle};
use crate::invoice::{AMOUNT_MAX, Invoice, InvoiceStatus};
use crate::ledger::{Account, EntryKind, JournalEntry, Posting};
use crate::money::{Money, MoneyError};
use crate::payment::dunning::resume;
use crate::payment::{Allocation, Credit, Payment, PaymentChannel, PaymentKind, PaymentStatus};
use crate::purchase::Purchase;
use crate::refusal::{Field, Refusal};
use crate::rules::Rules;
use crate::subscription::due::next_due;
use crate::subscription::reactivate::reactivate;
use crate::subscription::{Status, Subscription};
use crate::timestamp::Timestamp;

/// A manual payment to write down.
#[derive(Debug, Clone)]
pub struct NewManualPayment {
    /// What it is for.
    pub category: Category,
    /// How much, above 0.
    pub amount: Money,
    /// By what means it came.
    pub means: PaymentChannel,
    /// When it came.
    pub paid_at: Timestamp,
    /// What it says.
    pub description: Option<String>,
    /// What staff noted.
    pub notes: Option<String>,
    /// A picture of the receipt as JSON text.
    pub receipt_image: Option<String>,
    /// Who writes it down.
    pub created_by: StaffId,
}

/// What is to be changed of a manual payment; none leaves as it is.
#[derive(Debug, Clone, Default)]
pub struct ManualPaymentEdit {
    /// How much, above 0.
    pub amount: Option<Money>,
    /// By what means it came.
    pub means: Option<PaymentChannel>,
    /// When it came.
    pub paid_at: Option<Timestamp>,
    /// What it says; some none takes it away.
    pub description: Option<Option<String>>,
    /// What staff noted; some none takes it away.
    pub notes: Option<Option<String>>,
    /// The receipt; some none takes it away.
    pub receipt_image: Option<Option<String>>,
}

/// What a customer owes, and what hangs on it: the state that manual payments move.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OpenItems {
    /// The open invoices, oldest first, and those that the payment at hand has paid.
    pub invoices: Vec<Invoice>,
    /// Their subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// Their purchases.
    pub purchases: Vec<Purchase>,
    /// Those of which a payment is being processed.
    pub in_flight: Vec<InvoiceId>,
}

impl OpenItems {
    /// Brings subscriptions and purchases in line with their invoices, and writes all that moved.
    fn write(
        mut self,
        ctx: &Ctx,
        rules: &Rules,
        before: &OpenItems,
        changes: &mut Changes,
    ) -> Result<(), Refusal> {
        for subscription in &mut self.subscriptions {
            let its_own = self.invoices.iter().zip(&before.invoices).filter(|(invoice, _)| {
                invoice.subscription_id == Some(subscription.id) && invoice.status == InvoiceStatus::Open
            });
            let (mut owes, mut owes_again) = (false, false);
            for (invoice, was) in its_own {
                owes = true;
                // Until the gateway has answered, the subscription stands where it stood.
                owes_again |= was.status != InvoiceStatus::Open && !self.in_flight.contains(&invoice.id);
            }
            if !owes {
                reactivate(ctx, rules, subscription, changes)?;
            } else if owes_again && subscription.status == Status::Active {
                subscription.status = Status::PastDue;
                subscription.updated_at = ctx.now;
                subscription.due_at = next_due(subscription, rules)?;
            }
        }
        for purchase in &mut self.purchases {
            if let Some(invoice) = self.invoices.iter().find(|i| i.purchase_id == Some(purchase.id)) {
                purchase.follow(invoice, ctx.now);
            }
        }
        for (invoice, before) in self.invoices.iter_mut().zip(&before.invoices) {
            let is_owed_again = invoice.status == InvoiceStatus::Open && before.status != InvoiceStatus::Open;
            if is_owed_again && !self.in_flight.contains(&invoice.id) {
                let its_own = self.subscriptions.iter().find(|s| Some(s.id) == invoice.subscription_id);
                resume(ctx.now, rules, invoice, its_own)?;
            }
        }
        for (after, before) in self.invoices.into_iter().zip(&before.invoices) {
            if after != *before {
                changes.update(before.clone(), after);
            }
        }
        for (after, before) in self.subscriptions.into_iter().zip(&before.subscriptions) {
            if after != *before {
                changes.update(before.clone(), after);
            }
        }
        for (after, before) in self.purchases.into_iter().zip(&before.purchases) {
            if after != *before {
                changes.update(before.clone(), after);
            }
        }
        Ok(())
    }
}

/// Writes a manual payment down: it pays the oldest open invoices of its currency, and what is over
/// goes on the balance.
///
/// # Errors
/// If the amount is not above 0 or above [`AMOUNT_MAX`], or a sum is out of range.
pub fn record(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &CustomerAccount,
    new: NewManualPayment,
    open_items: &OpenItems,
    changes: &mut Changes,
) -> Result<Payment, Refusal> {
    positive(new.amount)?;
    let payment = Payment {
        id: ctx.id(payer.shard()),
        environment: rules.environment.number,
        customer_id: payer.id(),
        invoice_id: None,
        attempt: None,
        is_retry: false,
        payment_method_id: None,
        kind: PaymentKind::Manual,
        means: new.means,
        category: new.category,
        amount: new.amount.minor(),
        currency: new.amount.currency(),
        refunded: 0,
        status: PaymentStatus::Succeeded,
        paid_at: new.paid_at,
        failure_code: None,
        failure_message: None,
        gateway_reference: None,
        description: new.description,
        notes: new.notes,
        receipt_image: new.receipt_image,
        created_by: Some(new.created_by),
        price_id: None,
        discount_percent: 0,
        created_at: ctx.now,
        updated_at: ctx.now,
        deleted_at: None,
    };
    changes.insert(payment.clone());
    let credit = Credit {
        id: ctx.id(payer.shard()),
        environment: payment.environment,
        customer_id: payer.id(),
        payment_id: Some(payment.id),
        amount: payment.amount,
        remaining: payment.amount,
        currency: payment.currency,
        created_at: ctx.now,
    };
    let mut after = open_items.clone();
    apply(ctx, payer, &payment, credit, None, &mut after, changes)?;
    after.write(ctx, rules, open_items, changes)?;
    Ok(payment)
}

fn positive(amount: Money) -> Result<(), Refusal> {
    match amount.minor() {
        1..=AMOUNT_MAX => Ok(()),
        ..=0 => Err(Refusal::invalid(Field::Amount, "an amount above 0")),
        _ => Err(Refusal::OutOfRange),
    }
}

/// Uses the whole credit, which had another sum `before` or no row yet, for the open invoices, oldest first, and posts the payment.
fn apply(
    ctx: &mut Ctx,
    payer: &CustomerAccount,
    payment: &Payment,
    mut credit: Credit,
    before: Option<&Credit>,
    open_items: &mut OpenItems,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    let mut uses = Vec::new();
    let open = open_items
        .invoices
        .iter_mut()
        .filter(|invoice| invoice.status == InvoiceStatus::Open && invoice.currency == credit.currency);
    for invoice in open {
        let amount = invoice.owed().min(credit.remaining);
        if amount <= 0 {
            continue;
        }
        credit.remaining -= amount;
        settle(invoice, amount, ctx.now)?;
        uses.push(Change::insert(Allocation {
            id: ctx.id(payer.shard()),
            environment: payment.environment,
            customer_id: payer.id(),
            credit_id: credit.id,
            invoice_id: invoice.id,
            amount,
            created_at: ctx.now,
        }));
    }
    let applied = credit.amount - credit.remaining;
    changes.post(posted(
        ctx,
        payer,
        payment,
        EntryKind::Payment,
        vec![
            Posting { account: Account::Cash("manual".into()), amount: credit.amount },
            Posting { account: Account::Receivable, amount: -applied },
            Posting { account: Account::CustomerBalance, amount: -credit.remaining },
        ],
    )?);
    changes.push(match before {
        None => Change::insert(credit),
        Some(before) => Change::update(before.clone(), credit),
    });
    changes.rows.extend(uses);
    Ok(())
}

fn posted(
    ctx: &mut Ctx,
    payer: &CustomerAccount,
    payment: &Payment,
    kind: EntryKind,
    postings: Vec<Posting>,
) -> Result<JournalEntry, MoneyError> {
    JournalEntry {
        id: ctx.id(payer.shard()),
        environment: payment.environment,
        customer_id: payer.id(),
        kind,
        currency: payment.currency,
        invoice_id: None,
        payment_id: Some(payment.id),
        at: ctx.now,
        postings,
    }
    .balanced()
}

/// Takes back all that the credit has paid: its invoices are owed again.
fn unapply(
    ctx: &mut Ctx,
    payer: &CustomerAccount,
    payment: &Payment,
    credit: &Credit,
    allocations: &[Allocation],
    open_items: &mut OpenItems,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    for allocation in allocations {
        let invoice = open_items.invoices.iter_mut().find(|invoice| invoice.id == allocation.invoice_id);
        let invoice = invoice.ok_or_else(|| Refusal::State("the paid invoice was not read".into()))?;
        // What was given up is owed again too, or the ledger would go on calling it lost.
        reopen(ctx, payer, invoice, changes)?;
        invoice.settled = invoice.settled.checked_sub(allocation.amount).ok_or(MoneyError::Overflow)?;
        invoice.status = InvoiceStatus::Open;
        invoice.paid_at = None;
        invoice.updated_at = ctx.now;
        changes.delete(allocation.clone());
    }
    let applied = credit.amount - credit.remaining;
    changes.post(posted(
        ctx,
        payer,
        payment,
        EntryKind::Reversal,
        vec![
            Posting { account: Account::Cash("manual".into()), amount: -credit.amount },
            Posting { account: Account::Receivable, amount: applied },
            Posting { account: Account::CustomerBalance, amount: credit.remaining },
        ],
    )?);
    Ok(())
}

/// A manual payment with what it has paid.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The payment.
    pub payment: Payment,
    /// The money that came with it.
    pub credit: Credit,
    /// What that was used for.
    pub allocations: Vec<Allocation>,
}

fn check_manual(payment: &Payment) -> Result<(), Refusal> {
    match payment.kind {
        PaymentKind::Manual => Ok(()),
        PaymentKind::Automatic => Err(Refusal::State("Payment is not a manual payment".into())),
    }
}

/// Changes a manual payment. Another amount reverses what it paid and applies it anew.
///
/// # Errors
/// If the payment is automatic, the amount is not above 0 or above [`AMOUNT_MAX`] or in another currency.
pub fn edit(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &CustomerAccount,
    recorded: &Recorded,
    edit: ManualPaymentEdit,
    open_items: &OpenItems,
    changes: &mut Changes,
) -> Result<Payment, Refusal> {
    check_manual(&recorded.payment)?;
    let before = &recorded.payment;
    let mut payment = before.clone();
    payment.means = edit.means.unwrap_or(payment.means);
    payment.paid_at = edit.paid_at.unwrap_or(payment.paid_at);
    payment.description = edit.description.unwrap_or(payment.description);
    payment.notes = edit.notes.unwrap_or(payment.notes);
    payment.receipt_image = edit.receipt_image.unwrap_or(payment.receipt_image);
    if let Some(amount) = edit.amount {
        positive(amount)?;
        if amount.currency() != payment.currency {
            return Err(Refusal::invalid(Field::Amount, "an amount in the currency of the payment"));
        }
        payment.amount = amount.minor();
    }
    payment.updated_at = ctx.now;
    changes.update(before.clone(), payment.clone());
    if payment.amount != before.amount {
        let mut after = open_items.clone();
        unapply(ctx, payer, before, &recorded.credit, &recorded.allocations, &mut after, changes)?;
        let mut credit = recorded.credit.clone();
        credit.amount = payment.amount;
        credit.remaining = payment.amount;
        apply(ctx, payer, &payment, credit, Some(&recorded.credit), &mut after, changes)?;
        after.write(ctx, rules, open_items, changes)?;
    }
    Ok(payment)
}

/// Takes a manual payment back: what it paid is owed again, and it is no longer shown.
///
/// # Errors
/// If the payment is automatic.
pub fn delete(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &CustomerAccount,
    recorded: &Recorded,
    open_items: &OpenItems,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    check_manual(&recorded.payment)?;
    let mut payment = recorded.payment.clone();
    payment.deleted_at = Some(ctx.now);
    payment.updated_at = ctx.now;
    changes.update(recorded.payment.clone(), payment.clone());
    let mut after = open_items.clone();
    unapply(ctx, payer, &payment, &recorded.credit, &recorded.allocations, &mut after, changes)?;
    let mut credit = recorded.credit.clone();
    credit.amount = 0;
    credit.remaining = 0;
    changes.update(recorded.credit.clone(), credit);
    after.write(ctx, rules, open_items, changes)
}
