//! Billing one period of a subscription: its invoice, its row and the payment to ask for.
//!
//! Owns what a whole period costs and the row that remembers it. Which period is current was decided before
//! (`create`, `step`). The invoice covers the period, is dated `ctx.now`, and is of now even when the period
//! is of the past.

use crate::catalog::Discount;
use crate::changes::Changes;
use crate::customer_account::CustomerAccount;
use crate::id::{Ctx, InvoiceId};
use crate::invoice::InvoiceKind;
use crate::invoice::issue::{Collect, InvoiceFor, Issued, issue};
use crate::invoice::totals::Charge;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::subscription::{BillingPeriod, Item, Subscription};

/// What a whole period of the items costs.
///
/// # Errors
/// If an amount is out of range.
fn charges_of(items: &[Item]) -> Result<Vec<Charge>, Refusal> {
    items
        .iter()
        .map(|item| {
            Ok(Charge {
                description: item.name.clone(),
                product_id: Some(item.product_id),
                price_id: Some(item.price_id),
                category: item.category,
                quantity: item.quantity,
                amount: item.unit_price.checked_mul_int(item.quantity)?,
                tax_behavior: item.tax_behavior,
            })
        })
        .collect()
}

/// By what a period is billed.
pub(super) struct PeriodBasis<'a> {
    /// The items.
    pub(super) items: &'a [Item],
    /// What is charged once, beside them.
    pub(super) setup_fees: &'a [Charge],
    /// The subscription's discount.
    pub(super) discount: Option<&'a Discount>,
    /// Whether the period followed another by itself.
    pub(super) is_renewal: bool,
}

/// Bills the subscription's current period: invoice, period row and payment intent.
pub(super) fn bill_period(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut CustomerAccount,
    subscription: &mut Subscription,
    basis: &PeriodBasis<'_>,
    changes: &mut Changes,
) -> Result<Issued, Refusal> {
    let mut charges = charges_of(basis.items)?;
    charges.extend_from_slice(basis.setup_fees);
    let what = InvoiceFor {
        kind: InvoiceKind::Subscription,
        subscription_id: Some(subscription.id),
        period_id: Some(subscription.period_id),
        purchase_id: None,
        period: Some(subscription.period),
        memo: None,
        collect: collect_of(subscription),
    };
    let discount = basis.discount.filter(|_| subscription.discount_payments_left != Some(0));
    let issued = issue(ctx, rules, payer, what, &charges, discount, changes)?;
    if discount.is_some() {
        subscription.discount_payments_left = subscription.discount_payments_left.map(|left| left - 1);
    }
    subscription.periods_left = subscription.periods_left.map(|left| left - 1);
    let row = period_row(ctx, subscription, basis.items, Some(issued.invoice.id), basis.is_renewal);
    changes.insert(row);
    Ok(issued)
}

/// What the subscription's invoices are charged to.
pub(super) const fn collect_of(subscription: &Subscription) -> Collect {
    Collect::Now([subscription.default_payment_method_id, subscription.backup_payment_method_id])
}

/// The row of the subscription's current period.
pub(super) fn period_row(
    ctx: &Ctx,
    subscription: &Subscription,
    items: &[Item],
    invoice_id: Option<InvoiceId>,
    renewal: bool,
) -> BillingPeriod {
    BillingPeriod {
        id: subscription.period_id,
        environment: subscription.environment,
        number: 0,
        customer_id: subscription.customer_id,
        subscription_id: subscription.id,
        period: subscription.period,
        price_id: subscription.price_id,
        quantity: items.first().map_or(1, |item| item.quantity),
        invoice_id,
        renewal,
        reminder_sent_at: None,
        created_at: ctx.now,
        updated_at: ctx.now,
    }
}
