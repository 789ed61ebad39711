//! Collecting an invoice: the intent that is committed before the gateway is asked, and what follows
//! from its answer.

use super::{Payment, PaymentKind, PaymentMeans, PaymentStatus, PurchaseStatus};
use crate::invoice::{Invoice, InvoiceKind, InvoiceStatus, OpenInvoice, entry, settle};
use crate::ledger::{Account, EntryKind, Posting};
use crate::subscription::{Status, Subscription, expire, next_due, revive};
use crate::{
    Bill, Change, Changes, Credit, Ctx, DunningEnd, Payer, PaymentMethod, PaymentMethodKind, Refusal, Rules,
};

/// What a gateway said of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The money has come; the gateway's own id of it.
    Succeeded {
        /// The gateway's own id of the charge.
        reference: String,
    },
    /// The gateway said no.
    Declined {
        /// Its code for the reason.
        code: String,
        /// Its words for it.
        message: String,
    },
    /// The customer must confirm it first.
    RequiresAction {
        /// Its words for it.
        message: String,
    },
}

/// The payment that is about to be asked of the gateway, counted on its invoice; without a method nobody
/// can be asked.
pub(crate) fn intent(
    ctx: &mut Ctx,
    invoice: &mut Invoice,
    method: Option<&PaymentMethod>,
    description: &str,
    discount_percent: i64,
    is_retry: bool,
) -> Payment {
    use crate::Id;
    invoice.attempt_count += 1;
    invoice.next_attempt_at = None;
    invoice.updated_at = ctx.now;
    Payment {
        id: ctx.id(invoice.customer_id.shard()),
        environment: invoice.environment,
        customer_id: invoice.customer_id,
        invoice_id: Some(invoice.id),
        attempt: Some(invoice.attempt_count),
        is_retry,
        payment_method_id: method.map(|method| method.id),
        kind: PaymentKind::Automatic,
        means: match method.map(|method| method.kind) {
            Some(PaymentMethodKind::Card) => PaymentMeans::Card,
            Some(PaymentMethodKind::UsBankAccount | PaymentMethodKind::SepaDebit) => {
                PaymentMeans::BankTransfer
            }
            None => PaymentMeans::Other,
        },
        category: invoice.category,
        amount: invoice.owed(),
        currency: invoice.currency,
        refunded: 0,
        status: PaymentStatus::Processing,
        paid_at: ctx.now,
        failure_code: None,
        failure_message: None,
        gateway_reference: None,
        description: Some(description.to_owned()),
        notes: None,
        receipt_image: None,
        created_by: None,
        price_id: invoice.price_id,
        discount_percent,
        created_at: ctx.now,
        updated_at: ctx.now,
        deleted_at: None,
    }
}

/// An attempt that fails at once, because there is nothing to charge. It is kept and counted like any
/// other, and the policy says what follows.
pub(crate) fn fail_without_method(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &Payer,
    bill: &mut Bill,
    description: &str,
    is_retry: bool,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    let mut payment = intent(ctx, &mut bill.invoice, None, description, 0, is_retry);
    payment.status = PaymentStatus::Failed;
    payment.failure_code = Some(NO_METHOD.into());
    payment.failure_message = Some("The customer has no payment method.".into());
    changes.push(Change::InsertPayment(Box::new(payment)));
    bill.invoice.retry_count += i64::from(is_retry);
    plan_next(ctx, rules, payer, bill, NO_METHOD, changes)
}

/// The reason of an attempt that found nothing to charge.
const NO_METHOD: &str = "no_payment_method";

/// Who asks for another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// The dunning policy: the attempt counts as a retry, unless it is the first.
    Policy,
    /// A person: it does not.
    Person,
}

/// Makes another attempt at an open invoice. Without a payment method the policy's attempt fails at once.
///
/// # Errors
/// If nothing is owed, an attempt is under way (`in_flight`), or there is nothing to charge.
pub fn try_again(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut Payer,
    bill: &Bill,
    in_flight: bool,
    asking: Asking,
    changes: &mut Changes,
) -> Result<Option<Payment>, Refusal> {
    if bill.invoice.status != InvoiceStatus::Open {
        return Err(Refusal::State("nothing is owed on the invoice".into()));
    }
    if in_flight {
        return Err(Refusal::State("a payment of the invoice is being processed".into()));
    }
    let wanted = bill.subscription.as_ref().map_or([None, None], |subscription| {
        [subscription.default_payment_method_id, subscription.backup_payment_method_id]
    });
    let mut after = bill.clone();
    if asking == Asking::Policy && !is_collected(bill) {
        after.invoice.next_attempt_at = None;
        after.invoice.updated_at = ctx.now;
        after.write(bill, changes);
        return Ok(None);
    }
    let description = format!("Payment of invoice {}", bill.invoice.number);
    let is_retry = asking == Asking::Policy && bill.invoice.attempt_count > 0;
    let Some(method) = payer.method(&wanted).cloned() else {
        if asking == Asking::Person {
            return Err(Refusal::State("the customer has no payment method to charge".into()));
        }
        fail_without_method(ctx, rules, payer, &mut after, &description, is_retry, changes)?;
        after.write(bill, changes);
        return Ok(None);
    };
    let payment = intent(ctx, &mut after.invoice, Some(&method), &description, 0, is_retry);
    after.invoice.retry_count += i64::from(is_retry);
    after.write(bill, changes);
    changes.push(Change::InsertPayment(Box::new(payment.clone())));
    Ok(Some(payment))
}

/// Writes down what the gateway said. Said twice, the second time changes nothing.
///
/// # Errors
/// If a sum or date is out of range.
pub fn conclude(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut Payer,
    payment: &Payment,
    bill: &Bill,
    outcome: &Outcome,
    changes: &mut Changes,
) -> Result<Payment, Refusal> {
    if payment.status != PaymentStatus::Processing {
        return Ok(payment.clone());
    }
    let mut concluded = payment.clone();
    concluded.updated_at = ctx.now;
    let mut after = bill.clone();
    match outcome {
        Outcome::Succeeded { reference } => {
            concluded.status = PaymentStatus::Succeeded;
            concluded.paid_at = ctx.now;
            concluded.gateway_reference = Some(reference.clone());
            receive(ctx, rules, payer, &concluded, &mut after, changes)?;
        }
        Outcome::Declined { code, message } => {
            concluded.status = PaymentStatus::Failed;
            concluded.failure_code = Some(code.clone());
            concluded.failure_message = Some(message.clone());
            plan_next(ctx, rules, payer, &mut after, code, changes)?;
        }
        Outcome::RequiresAction { message } => {
            concluded.status = PaymentStatus::RequiresAction;
            concluded.failure_code = Some("authentication_required".into());
            concluded.failure_message = Some(message.clone());
            plan_next(ctx, rules, payer, &mut after, "authentication_required", changes)?;
        }
    }
    after.write(bill, changes);
    changes.push(Change::UpdatePayment(Box::new(payment.clone()), Box::new(concluded.clone())));
    Ok(concluded)
}

/// Money has come: it pays the invoice, and what is over goes on the balance.
fn receive(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut Payer,
    payment: &Payment,
    bill: &mut Bill,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    recover(ctx, payer, &mut bill.invoice, changes)?;
    let applied = payment.amount.min(bill.invoice.owed());
    let over = payment.amount - applied;
    if applied > 0 {
        settle(&mut bill.invoice, applied, ctx.now)?;
        bill.invoice.last_failure = None;
    }
    let postings = vec![
        Posting { account: Account::Cash(GATEWAY.into()), amount: payment.amount },
        Posting { account: Account::Receivable, amount: -applied },
        Posting { account: Account::CustomerBalance, amount: -over },
    ];
    let mut posted = entry(ctx, payer, &bill.invoice, EntryKind::Payment, postings)?;
    posted.payment_id = Some(payment.id);
    changes.push(Change::Post(posted));
    if over > 0 {
        let credit = Credit {
            id: ctx.id(payer.shard()),
            environment: payment.environment,
            customer_id: payer.id(),
            payment_id: Some(payment.id),
            amount: over,
            remaining: over,
            currency: payment.currency,
            created_at: ctx.now,
        };
        payer.credits.push(credit.clone());
        changes.push(Change::InsertCredit(credit));
    }
    if bill.invoice.status == InvoiceStatus::Open {
        // More is owed than when the payment was asked for: other money was taken back meanwhile.
        resume(ctx.now, rules, &mut bill.invoice, bill.subscription.as_ref())?;
        mark_past_due(ctx, rules, bill)?;
    }
    after_payment(ctx, rules, bill, changes)
}

/// The name under which the ledger keeps the gateway's money.
pub(super) const GATEWAY: &str = "sandbox";

/// A given-up invoice that is paid after all is owed again first.
pub(crate) fn recover(
    ctx: &mut Ctx,
    payer: &Payer,
    invoice: &mut Invoice,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    if invoice.status == InvoiceStatus::Uncollectible {
        let owed = invoice.owed();
        let postings = vec![
            Posting { account: Account::Receivable, amount: owed },
            Posting { account: Account::BadDebt, amount: -owed },
        ];
        changes.push(Change::Post(entry(ctx, payer, invoice, EntryKind::Recovery, postings)?));
        invoice.status = InvoiceStatus::Open;
    }
    Ok(())
}

/// What the payment of an invoice does to its subscription and purchase.
fn after_payment(ctx: &Ctx, rules: &Rules, bill: &mut Bill, changes: &mut Changes) -> Result<(), Refusal> {
    if !bill.invoice.is_paid() {
        return Ok(());
    }
    if let Some(subscription) = &mut bill.subscription
        && !bill.owes_more
    {
        revive(ctx, rules, subscription, changes)?;
    }
    if let Some(purchase) = &mut bill.purchase {
        purchase.follow(&bill.invoice, ctx.now);
    }
    Ok(())
}

/// An attempt has failed for a reason: the policy says when the next one is, or what happens in the end.
/// An invoice that was settled meanwhile stays as it is.
fn plan_next(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &Payer,
    bill: &mut Bill,
    failure: &str,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    if bill.invoice.status != InvoiceStatus::Open {
        return Ok(());
    }
    bill.invoice.last_failure = Some(failure.to_owned());
    bill.invoice.updated_at = ctx.now;
    if let Some(purchase) = &mut bill.purchase
        && purchase.status == PurchaseStatus::Open
    {
        purchase.status = PurchaseStatus::Failed;
        purchase.updated_at = ctx.now;
    }
    let policy = &rules.environment.dunning;
    let next = usize::try_from(bill.invoice.retry_count).ok().and_then(|n| policy.retry_days.get(n));
    match next {
        Some(days) if is_collected(bill) => {
            bill.invoice.next_attempt_at = Some(ctx.now.plus_days(*days)?);
            mark_past_due(ctx, rules, bill)
        }
        Some(_) => Ok(()),
        None => give_up(ctx, rules, payer, bill, policy.end, changes),
    }
}

/// Plans an attempt at an invoice that is owed again because the money that had paid it was taken back.
/// The days until then leave time to write it down anew; an invoice that was never to be charged by itself
/// is not charged now.
pub(super) fn resume(
    now: crate::Timestamp,
    rules: &Rules,
    invoice: &mut Invoice,
    subscription: Option<&Subscription>,
) -> Result<(), Refusal> {
    let is_charged = invoice.kind != InvoiceKind::Standalone || invoice.attempt_count > 0;
    if is_charged && subscription.is_none_or(|subscription| subscription.status.is_collected()) {
        let days = &rules.environment.dunning.retry_days;
        let next = usize::try_from(invoice.retry_count).ok().and_then(|n| days.get(n)).or(days.last());
        invoice.next_attempt_at = Some(now.plus_days(next.copied().unwrap_or(0))?);
    }
    Ok(())
}

/// Whether the policy asks for the invoice.
fn is_collected(bill: &Bill) -> bool {
    bill.subscription.as_ref().is_none_or(|subscription| subscription.status.is_collected())
}

fn mark_past_due(ctx: &Ctx, rules: &Rules, bill: &mut Bill) -> Result<(), Refusal> {
    let Some(subscription) = &mut bill.subscription else { return Ok(()) };
    if matches!(subscription.status, Status::Incomplete | Status::Active) {
        subscription.status = Status::PastDue;
        subscription.updated_at = ctx.now;
        subscription.due_at = next_due(subscription, rules)?;
    }
    Ok(())
}

/// Nothing helped: the policy's end.
fn give_up(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &Payer,
    bill: &mut Bill,
    end: DunningEnd,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    bill.invoice.next_attempt_at = None;
    match end {
        DunningEnd::LeavePastDue => mark_past_due(ctx, rules, bill)?,
        DunningEnd::MarkUnpaid => {
            if let Some(subscription) = &mut bill.subscription
                && !subscription.status.is_terminal()
            {
                subscription.status = Status::Unpaid;
                subscription.updated_at = ctx.now;
                subscription.due_at = next_due(subscription, rules)?;
            }
        }
        DunningEnd::Cancel => {
            if let Some(subscription) = &mut bill.subscription
                && !subscription.status.is_terminal()
            {
                crate::subscription::end_now(ctx, payer, subscription, &[], ctx.now, changes)?;
                subscription.updated_at = ctx.now;
                subscription.due_at = None;
            }
            write_off(ctx, payer, &mut bill.invoice, changes)?;
        }
    }
    Ok(())
}

/// Gives an invoice up: what is owed becomes bad debt.
fn write_off(
    ctx: &mut Ctx,
    payer: &Payer,
    invoice: &mut Invoice,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    let owed = invoice.owed();
    invoice.status = InvoiceStatus::Uncollectible;
    let postings = vec![
        Posting { account: Account::BadDebt, amount: owed },
        Posting { account: Account::Receivable, amount: -owed },
    ];
    changes.push(Change::Post(entry(ctx, payer, invoice, EntryKind::WriteOff, postings)?));
    Ok(())
}

/// Withdraws an invoice of which nothing has been paid. Its subscription no longer waits for it: one that
/// runs goes on, one that never became active expires.
///
/// # Errors
/// If something has been paid, or a sum is out of range.
pub fn void(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &Payer,
    open: &OpenInvoice,
    bill: &Bill,
    changes: &mut Changes,
) -> Result<Invoice, Refusal> {
    let voided = withdraw(ctx, open, changes)?;
    if let Some(before) = bill.subscription.as_ref().filter(|_| !bill.owes_more) {
        let mut subscription = before.clone();
        if subscription.status == Status::Incomplete {
            expire(ctx, payer, &mut subscription, &[], changes)?;
            subscription.updated_at = ctx.now;
            subscription.due_at = None;
        } else {
            revive(ctx, rules, &mut subscription, changes)?;
        }
        if subscription != *before {
            changes.push(Change::UpdateSubscription(subscription));
        }
    }
    Ok(voided)
}

/// Reverses the entry of an invoice of which nothing has been paid. Its number stays taken.
pub(crate) fn withdraw(ctx: &mut Ctx, open: &OpenInvoice, changes: &mut Changes) -> Result<Invoice, Refusal> {
    let invoice = &open.invoice;
    if invoice.settled != 0 || invoice.status != InvoiceStatus::Open {
        return Err(Refusal::State("only an open invoice of which nothing is paid can be withdrawn".into()));
    }
    let mut voided = invoice.clone();
    voided.status = InvoiceStatus::Void;
    voided.next_attempt_at = None;
    voided.updated_at = ctx.now;
    changes.push(Change::Post(open.issued.reversed(ctx, EntryKind::Void)?));
    changes.push(Change::SettleInvoice(Box::new(voided.clone())));
    Ok(voided)
}
