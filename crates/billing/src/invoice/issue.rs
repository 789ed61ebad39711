//! Issuing an invoice from charges: discount, tax, number, balance and ledger in one decision.
//!
//! Owns the rows of a new invoice and their order. What charges come to is in `invoice::totals`; the number
//! and the seal are given by the commit. An invoice is final from then on: only its settlement changes. Its
//! entry balances, and the balance pays what it can before anything is charged. It is dated `ctx.now`, due
//! some days later, and says itself which time it covers.

use crate::calendar::Period;
use crate::catalog::{Discount, DiscountAmount};
use crate::changes::{Change, Changes};
use crate::customer_account::CustomerAccount;
use crate::id::{Ctx, PaymentMethodId, PeriodId, PurchaseId, SubscriptionId};
use crate::invoice::settle::{entry, settle};
use crate::invoice::totals::{Charge, Totals, total};
use crate::invoice::{AMOUNT_MAX, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, InvoiceTax};
use crate::ledger::{Account, EntryKind, JournalEntry, Posting};
use crate::money::MoneyError;
use crate::payment::intent::intent;
use crate::payment::{Allocation, Payment};
use crate::refusal::{Field, Refusal};
use crate::rules::Rules;

/// What an invoice is issued for.
#[derive(Debug, Clone)]
pub struct InvoiceFor {
    /// What it is for.
    pub kind: InvoiceKind,
    /// The subscription.
    pub subscription_id: Option<SubscriptionId>,
    /// The period's id.
    pub period_id: Option<PeriodId>,
    /// The purchase.
    pub purchase_id: Option<PurchaseId>,
    /// The time that it covers.
    pub period: Option<Period>,
    /// A note to the customer.
    pub memo: Option<String>,
    /// Whether it is charged at once.
    pub collect: Collect,
}

/// An invoice that was issued. Its rows are in the changes already.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The invoice, its number still empty.
    pub invoice: Invoice,
    /// The payment that is to be asked of the gateway, once these changes are committed.
    pub payment: Option<Payment>,
}

/// Whether what the balance does not cover is charged at once.
#[derive(Debug, Clone)]
pub enum Collect {
    /// The customer pays by itself.
    Later,
    /// The first of these that exists, else the customer's default, is charged.
    Now([Option<PaymentMethodId>; 2]),
}

/// Issues an invoice, final at once: lines, taxes, journal entry, and what the balance pays of it.
///
/// # Errors
/// If there is no charge, the currencies differ, the total is negative or above [`AMOUNT_MAX`], or a sum
/// is out of range.
pub fn issue(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut CustomerAccount,
    what: InvoiceFor,
    charges: &[Charge],
    discount: Option<&Discount>,
    changes: &mut Changes,
) -> Result<Issued, Refusal> {
    let Some(first) = charges.first() else {
        return Err(Refusal::invalid(Field::InvoiceLines, "at least one line is needed"));
    };
    let currency = first.amount.currency();
    if charges.iter().any(|charge| charge.amount.currency() != currency) {
        return Err(Refusal::invalid(Field::Currency, "all lines of an invoice are in one currency"));
    }
    let totals = total(&rules.tax_rates, payer, charges, discount)?;
    if totals.total < 0 {
        return Err(Refusal::State("an invoice cannot come to less than nothing".into()));
    }
    if totals.total > AMOUNT_MAX {
        return Err(Refusal::OutOfRange);
    }
    let collect = what.collect.clone();
    let mut invoice = new_invoice(ctx, rules, payer, what, first, &totals)?;
    let lines = lines_of(ctx, &invoice, charges, discount, &totals, payer.shard());
    let taxes = taxes_of(&invoice, &totals);
    let entry = issue_entry(ctx, payer, &invoice, &lines, &totals)?;
    let (uses, used_entry) = use_balance(ctx, payer, &mut invoice)?;
    let payment = match collect {
        Collect::Now(wanted) if invoice.owed() > 0 => {
            let percent = match discount.map(|discount| discount.amount) {
                Some(DiscountAmount::Percent(percent)) => percent,
                Some(DiscountAmount::Fixed(_)) | None => 0,
            };
            let method = payer.method(&wanted).cloned();
            method.map(|method| intent(ctx, &mut invoice, Some(&method), &first.description, percent, false))
        }
        Collect::Now(_) | Collect::Later => None,
    };
    changes.insert(invoice.clone());
    changes.rows.extend(lines.into_iter().map(Change::insert));
    changes.rows.extend(taxes.into_iter().map(Change::insert));
    if !entry.postings.is_empty() {
        changes.post(entry);
    }
    changes.rows.extend(uses);
    changes.rows.extend(used_entry.map(Change::Post));
    changes.rows.extend(payment.clone().map(Change::insert));
    Ok(Issued { invoice, payment })
}

/// The invoice itself, with the customer's next places and an empty number.
fn new_invoice(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut CustomerAccount,
    what: InvoiceFor,
    first: &Charge,
    totals: &Totals,
) -> Result<Invoice, Refusal> {
    let currency = first.amount.currency();
    let (customer_ordinal, currency_ordinal) = payer.number_invoice(currency);
    Ok(Invoice {
        id: ctx.id(payer.shard()),
        environment: rules.environment.number,
        ordinal: 0,
        customer_ordinal,
        currency_ordinal,
        number: String::new(),
        customer_id: payer.id(),
        kind: what.kind,
        subscription_id: what.subscription_id,
        period_id: what.period_id,
        purchase_id: what.purchase_id,
        product_id: first.product_id,
        price_id: first.price_id,
        category: first.category,
        currency,
        subtotal: totals.subtotal,
        tax: totals.tax,
        total: totals.total,
        invoice_date: ctx.now,
        due_date: ctx.now.plus_days(rules.environment.due_days)?,
        period: what.period,
        memo: what.memo,
        content_hash: Vec::new(),
        status: if totals.total == 0 { InvoiceStatus::Paid } else { InvoiceStatus::Open },
        settled: 0,
        refunded: 0,
        paid_at: (totals.total == 0).then_some(ctx.now),
        attempt_count: 0,
        retry_count: 0,
        next_attempt_at: None,
        last_failure: None,
        created_at: ctx.now,
        updated_at: ctx.now,
    })
}

fn lines_of(
    ctx: &mut Ctx,
    invoice: &Invoice,
    charges: &[Charge],
    discount: Option<&Discount>,
    totals: &Totals,
    shard: i64,
) -> Vec<InvoiceLine> {
    let mut lines = Vec::with_capacity(totals.lines.len());
    for (position, line) in (1..).zip(&totals.lines) {
        let charge = &charges[line.charge];
        let (description, quantity) = match (line.is_discount, discount) {
            (true, Some(discount)) => (format!("Discount: {}", discount.name), 1),
            _ => (charge.description.clone(), charge.quantity),
        };
        lines.push(InvoiceLine {
            id: ctx.id(shard),
            environment: invoice.environment,
            invoice_id: invoice.id,
            position,
            description,
            price_id: charge.price_id.filter(|_| !line.is_discount),
            category: charge.category,
            quantity,
            amount: line.net,
            created_at: ctx.now,
        });
    }
    lines
}

fn taxes_of(invoice: &Invoice, totals: &Totals) -> Vec<InvoiceTax> {
    (1..)
        .zip(&totals.taxes)
        .map(|(position, (category, rate, taxable, amount))| InvoiceTax {
            invoice_id: invoice.id,
            position,
            category: *category,
            kind: rate.kind.clone(),
            country: rate.country.clone(),
            state: rate.state.clone(),
            rate: rate.rate,
            taxable: *taxable,
            amount: *amount,
        })
        .collect()
}

/// Debit what is owed and what was taken off; credit what was earned and what is owed to tax offices.
fn issue_entry(
    ctx: &mut Ctx,
    payer: &CustomerAccount,
    invoice: &Invoice,
    lines: &[InvoiceLine],
    totals: &Totals,
) -> Result<JournalEntry, Refusal> {
    let mut postings = vec![Posting { account: Account::Receivable, amount: invoice.total }];
    for (line, total) in lines.iter().zip(&totals.lines) {
        let account = match total.is_discount {
            true => Account::Discounts,
            false => Account::Revenue(line.category),
        };
        let amount = line.amount.checked_neg().ok_or(MoneyError::Overflow)?;
        add_posting(&mut postings, account, amount)?;
    }
    for (_, rate, _, amount) in &totals.taxes {
        let amount = amount.checked_neg().ok_or(MoneyError::Overflow)?;
        add_posting(&mut postings, Account::TaxPayable(rate.jurisdiction()), amount)?;
    }
    Ok(entry(ctx, payer, invoice, EntryKind::Invoice, postings)?)
}

fn add_posting(postings: &mut Vec<Posting>, account: Account, amount: i64) -> Result<(), MoneyError> {
    match postings.iter_mut().find(|posting| posting.account == account) {
        Some(posting) => {
            posting.amount = posting.amount.checked_add(amount).ok_or(MoneyError::Overflow)?;
        }
        None => postings.push(Posting { account, amount }),
    }
    Ok(())
}

/// Pays what it can of an open invoice from the customer's balance, oldest money first.
///
/// # Errors
/// If a sum is out of range.
fn use_balance(
    ctx: &mut Ctx,
    payer: &mut CustomerAccount,
    invoice: &mut Invoice,
) -> Result<(Vec<Change>, Option<JournalEntry>), Refusal> {
    let mut changes = Vec::new();
    let mut used: i64 = 0;
    let (shard, customer_id) = (payer.shard(), payer.id());
    let currency = invoice.currency;
    for credit in payer.credits.iter_mut().filter(|c| c.currency == currency && c.remaining > 0) {
        let amount = invoice.owed().min(credit.remaining);
        if amount == 0 {
            break;
        }
        let before = credit.clone();
        credit.remaining -= amount;
        used = used.checked_add(amount).ok_or(MoneyError::Overflow)?;
        settle(invoice, amount, ctx.now)?;
        changes.push(Change::update(before, credit.clone()));
        changes.push(Change::insert(Allocation {
            id: ctx.ids.next(ctx.now, shard),
            environment: invoice.environment,
            customer_id,
            credit_id: credit.id,
            invoice_id: invoice.id,
            amount,
            created_at: ctx.now,
        }));
    }
    if used == 0 {
        return Ok((changes, None));
    }
    let postings = vec![
        Posting { account: Account::CustomerBalance, amount: used },
        Posting { account: Account::Receivable, amount: -used },
    ];
    let posted = entry(ctx, payer, invoice, EntryKind::Allocation, postings)?;
    Ok((changes, Some(posted)))
}
