//! Drawing up an invoice from charges: discount, tax, number, balance and ledger in one decision.

use super::{AMOUNT_MAX, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, InvoiceTax, sum};
use crate::ledger::{Account, EntryKind, JournalEntry, Posting};
use crate::{
    Allocation, Category, Change, Ctx, Discount, DiscountAmount, Money, MoneyError, Payer, Payment,
    PaymentMethodId, Period, PeriodId, PriceId, ProductId, PurchaseId, Ratio, Refusal, Rounding, Rules,
    SubscriptionId, TaxBehavior, TaxRate, payment, tax,
};

/// Something to put on an invoice.
#[derive(Debug, Clone)]
pub struct Charge {
    /// What the line says.
    pub description: String,
    /// The product that it is for.
    pub product_id: Option<ProductId>,
    /// The price that it follows from.
    pub price_id: Option<PriceId>,
    /// What it is for.
    pub category: Category,
    /// How many units, at least 1.
    pub quantity: i64,
    /// What it comes to, before discount, with or without tax as `tax_behavior` says.
    pub amount: Money,
    /// Whether tax is inside the amount.
    pub tax_behavior: TaxBehavior,
}

/// What an invoice is drawn up for.
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
}

/// What charges come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// The lines without ids: charge index, amount without tax, and whether it is the discount on it.
    pub lines: Vec<TotalLine>,
    /// The taxes: category, index into the given rates, taxable sum and tax, in minor units.
    pub taxes: Vec<(Category, TaxRate, i64, i64)>,
    /// The sum of the lines, in minor units.
    pub subtotal: i64,
    /// The sum of the taxes, in minor units.
    pub tax: i64,
    /// Both together.
    pub total: i64,
}

/// A line of [`Totals`].
#[derive(Debug, Clone, PartialEq)]
pub struct TotalLine {
    /// The charge that it comes from.
    pub charge: usize,
    /// Whether it is what the discount takes off that charge.
    pub is_discount: bool,
    /// Without tax, in minor units.
    pub net: i64,
}

/// An invoice that was drawn up. Its rows are in the changes already.
#[derive(Debug, Clone)]
pub struct Drawn {
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

/// What charges come to, with a discount and the customer's taxes.
///
/// # Errors
/// If the currencies differ or a sum is beyond what the books can hold.
pub fn total(
    rates: &[TaxRate],
    payer: &Payer,
    charges: &[Charge],
    discount: Option<&Discount>,
) -> Result<Totals, Refusal> {
    let off = discount_parts(charges, discount)?;
    let mut lines = Vec::with_capacity(charges.len());
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (index, charge) in charges.iter().enumerate() {
        let rate = tax::rate_for(rates, &payer.customer, charge.category);
        let net = tax::net(charge.amount, rate, charge.tax_behavior)?;
        lines.push(TotalLine { charge: index, is_discount: false, net: net.minor() });
        let mut gross = charge.amount;
        let mut net_sum = net;
        if let Some(off) = off.as_ref().map(|off| off[index]).filter(|off| !off.is_zero()) {
            let off_net = tax::net(off, rate, charge.tax_behavior)?;
            lines.push(TotalLine { charge: index, is_discount: true, net: off_net.checked_neg()?.minor() });
            gross = gross.checked_sub(off)?;
            net_sum = net_sum.checked_sub(off_net)?;
        }
        if let Some(rate) = rate {
            Group::add(&mut groups, charge, rate, gross, net_sum)?;
        }
    }
    let mut taxes = Vec::with_capacity(groups.len());
    for group in &groups {
        let tax = tax::on_group(group.rate, group.exclusive_net, group.inclusive_gross, group.inclusive_net)?;
        let taxable = group.exclusive_net.checked_add(group.inclusive_net)?;
        taxes.push((group.category, group.rate.clone(), taxable.minor(), tax.minor()));
    }
    let subtotal = sum(lines.iter().map(|line| line.net))?;
    let tax = sum(taxes.iter().map(|tax| tax.3))?;
    let total = subtotal.checked_add(tax).ok_or(MoneyError::Overflow)?;
    Ok(Totals { lines, taxes, subtotal, tax, total })
}

/// The sums of one category at one rate.
struct Group<'a> {
    category: Category,
    rate: &'a TaxRate,
    exclusive_net: Money,
    inclusive_gross: Money,
    inclusive_net: Money,
}

impl<'a> Group<'a> {
    fn add(
        groups: &mut Vec<Group<'a>>,
        charge: &Charge,
        rate: &'a TaxRate,
        gross: Money,
        net: Money,
    ) -> Result<(), MoneyError> {
        let known = groups.iter().position(|g| g.category == charge.category && g.rate.id == rate.id);
        let index = known.unwrap_or_else(|| {
            let zero = Money::zero(charge.amount.currency());
            groups.push(Group {
                category: charge.category,
                rate,
                exclusive_net: zero,
                inclusive_gross: zero,
                inclusive_net: zero,
            });
            groups.len() - 1
        });
        let group = &mut groups[index];
        match charge.tax_behavior {
            TaxBehavior::Exclusive => group.exclusive_net = group.exclusive_net.checked_add(net)?,
            TaxBehavior::Inclusive => {
                group.inclusive_gross = group.inclusive_gross.checked_add(gross)?;
                group.inclusive_net = group.inclusive_net.checked_add(net)?;
            }
        }
        Ok(())
    }
}

/// What a discount takes off each charge: one amount, rounded once, shared out by the charges' amounts.
fn discount_parts(charges: &[Charge], discount: Option<&Discount>) -> Result<Option<Vec<Money>>, Refusal> {
    let (Some(discount), Some(first)) = (discount, charges.first()) else { return Ok(None) };
    let mut whole = Money::zero(first.amount.currency());
    let mut weights = Vec::with_capacity(charges.len());
    for charge in charges {
        let part = charge.amount.minor().max(0);
        whole = whole.checked_add(Money::new(part, charge.amount.currency()))?;
        weights.push(part.unsigned_abs());
    }
    let off = match discount.amount {
        DiscountAmount::Percent(percent) => {
            whole.prorate(Ratio::new(percent.clamp(0, 100), 100)?, Rounding::HalfUp)?
        }
        DiscountAmount::Fixed(amount) if amount.currency() == whole.currency() => {
            Money::new(amount.minor().min(whole.minor()), whole.currency())
        }
        DiscountAmount::Fixed(_) => return Ok(None),
    };
    if off.is_zero() {
        return Ok(None);
    }
    Ok(Some(off.allocate(&weights)?))
}

/// Draws up an invoice, final at once: lines, taxes, journal entry, and what the balance pays of it.
///
/// # Errors
/// If there is no charge, the currencies differ, the total is negative or above [`AMOUNT_MAX`], or a sum
/// is out of range.
pub fn draw(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut Payer,
    what: InvoiceFor,
    charges: &[Charge],
    discount: Option<&Discount>,
    collect: Collect,
    changes: &mut crate::Changes,
) -> Result<Drawn, Refusal> {
    let Some(first) = charges.first() else {
        return Err(Refusal::invalid("invoiceLineItems", "at least one line is needed"));
    };
    let currency = first.amount.currency();
    if charges.iter().any(|charge| charge.amount.currency() != currency) {
        return Err(Refusal::invalid("currency", "all lines of an invoice are in one currency"));
    }
    let totals = total(&rules.tax_rates, payer, charges, discount)?;
    if totals.total < 0 {
        return Err(Refusal::State("an invoice cannot come to less than nothing".into()));
    }
    if totals.total > AMOUNT_MAX {
        return Err(Refusal::OutOfRange);
    }
    let mut invoice = issue(ctx, rules, payer, what, first, &totals)?;
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
            method.map(|method| {
                payment::intent(ctx, &mut invoice, Some(&method), &first.description, percent, false)
            })
        }
        Collect::Now(_) | Collect::Later => None,
    };
    changes.insert(invoice.clone());
    changes.rows.extend(lines.into_iter().map(Change::insert));
    changes.rows.extend(taxes.into_iter().map(Change::insert));
    if !entry.postings.is_empty() {
        changes.push(Change::Post(entry));
    }
    changes.rows.extend(uses);
    changes.rows.extend(used_entry.map(Change::Post));
    changes.rows.extend(payment.clone().map(|payment| Change::InsertPayment(Box::new(payment))));
    Ok(Drawn { invoice, payment })
}

/// The invoice itself, with the customer's next places and an empty number.
fn issue(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut Payer,
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
    payer: &Payer,
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

/// An entry about an invoice, checked to balance.
pub(crate) fn entry(
    ctx: &mut Ctx,
    payer: &Payer,
    invoice: &Invoice,
    kind: EntryKind,
    postings: Vec<Posting>,
) -> Result<JournalEntry, MoneyError> {
    JournalEntry {
        id: ctx.id(payer.shard()),
        environment: invoice.environment,
        customer_id: payer.id(),
        kind,
        currency: invoice.currency,
        invoice_id: Some(invoice.id),
        payment_id: None,
        at: ctx.now,
        postings,
    }
    .balanced()
}

/// Pays what it can of an open invoice from the customer's balance, oldest money first.
///
/// # Errors
/// If a sum is out of range.
fn use_balance(
    ctx: &mut Ctx,
    payer: &mut Payer,
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
        credit.remaining -= amount;
        used = used.checked_add(amount).ok_or(MoneyError::Overflow)?;
        settle(invoice, amount, ctx.now)?;
        changes.push(Change::UpdateCredit(credit.clone()));
        changes.push(Change::InsertAllocation(Allocation {
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

/// Notes that an amount of the invoice has been paid. Nothing owed any more means paid.
pub(crate) fn settle(invoice: &mut Invoice, amount: i64, now: crate::Timestamp) -> Result<(), MoneyError> {
    invoice.settled = invoice.settled.checked_add(amount).ok_or(MoneyError::Overflow)?;
    invoice.updated_at = now;
    if invoice.settled >= invoice.total {
        invoice.status = invoice.paid_status();
        invoice.paid_at = Some(now);
        invoice.next_attempt_at = None;
        invoice.last_failure = None;
    }
    Ok(())
}
