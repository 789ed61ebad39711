//! Collecting an invoice: the intent that is committed before the gateway is asked, and what follows from
//! its answer.
//!
//! Owns attempts and their outcomes. It asks nobody: the engine does, between two commits. An outcome that
//! is told twice changes nothing the second time, and money that has come is always booked, whatever became
//! of the invoice meanwhile. Attempts and outcomes are of `ctx.now`; when the next one is, `dunning` says.

use crate::changes::Changes;
use crate::customer_account::CustomerAccount;
use crate::id::Ctx;
use crate::invoice::InvoiceStatus;
use crate::invoice::in_context::InvoiceInContext;
use crate::invoice::settle::{entry, reopen, settle};
use crate::ledger::{Account, EntryKind, Posting};
use crate::payment::dunning::{is_collected, mark_past_due, plan_next, resume};
use crate::payment::intent::intent;
use crate::payment::{Credit, GATEWAY, Payment, PaymentStatus};
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::subscription::reactivate::reactivate;

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

/// An attempt that fails at once, because there is nothing to charge. It is kept and counted like any
/// other, and the policy says what follows.
pub(crate) fn fail_missing_method(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &CustomerAccount,
    bill: &mut InvoiceInContext,
    description: &str,
    is_retry: bool,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    let mut payment = intent(ctx, &mut bill.invoice, None, description, 0, is_retry);
    payment.status = PaymentStatus::Failed;
    payment.failure_code = Some(NO_METHOD.into());
    payment.failure_message = Some("The customer has no payment method.".into());
    changes.insert(payment);
    bill.invoice.retry_count += i64::from(is_retry);
    plan_next(ctx, rules, payer, bill, NO_METHOD, changes)
}

/// The reason of an attempt that found nothing to charge.
const NO_METHOD: &str = "no_payment_method";

/// Who asks for another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiator {
    /// The dunning policy: the attempt counts as a retry, unless it is the first.
    Dunning,
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
    payer: &mut CustomerAccount,
    bill: &InvoiceInContext,
    in_flight: bool,
    initiator: Initiator,
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
    if initiator == Initiator::Dunning && !is_collected(bill) {
        after.invoice.next_attempt_at = None;
        after.invoice.updated_at = ctx.now;
        after.write(bill, changes);
        return Ok(None);
    }
    let description = format!("Payment of invoice {}", bill.invoice.number);
    let is_retry = initiator == Initiator::Dunning && bill.invoice.attempt_count > 0;
    let Some(method) = payer.method(&wanted).cloned() else {
        if initiator == Initiator::Person {
            return Err(Refusal::State("the customer has no payment method to charge".into()));
        }
        fail_missing_method(ctx, rules, payer, &mut after, &description, is_retry, changes)?;
        after.write(bill, changes);
        return Ok(None);
    };
    let payment = intent(ctx, &mut after.invoice, Some(&method), &description, 0, is_retry);
    after.invoice.retry_count += i64::from(is_retry);
    after.write(bill, changes);
    changes.insert(payment.clone());
    Ok(Some(payment))
}

/// Writes down what the gateway said. Said twice, the second time changes nothing.
///
/// # Errors
/// If a sum or date is out of range.
pub fn conclude(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut CustomerAccount,
    payment: &Payment,
    bill: &InvoiceInContext,
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
    changes.update(payment.clone(), concluded.clone());
    Ok(concluded)
}

/// Money has come: it pays the invoice, and what is over goes on the balance.
fn receive(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut CustomerAccount,
    payment: &Payment,
    bill: &mut InvoiceInContext,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    reopen(ctx, payer, &mut bill.invoice, changes)?;
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
    changes.post(posted);
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
        changes.insert(credit);
    }
    if bill.invoice.status == InvoiceStatus::Open {
        // More is owed than when the payment was asked for: other money was taken back meanwhile.
        resume(ctx.now, rules, &mut bill.invoice, bill.subscription.as_ref())?;
        mark_past_due(ctx, rules, bill)?;
    }
    after_payment(ctx, rules, bill, changes)
}

/// What the payment of an invoice does to its subscription and purchase.
fn after_payment(
    ctx: &Ctx,
    rules: &Rules,
    bill: &mut InvoiceInContext,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    if !bill.invoice.is_paid() {
        return Ok(());
    }
    if let Some(subscription) = &mut bill.subscription
        && !bill.has_other_open_invoices
    {
        reactivate(ctx, rules, subscription, changes)?;
    }
    if let Some(purchase) = &mut bill.purchase {
        purchase.follow(&bill.invoice, ctx.now);
    }
    Ok(())
}
