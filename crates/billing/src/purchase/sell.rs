//! Selling something that is charged once.
//!
//! Owns which price can be sold so, and the purchase with its invoice and payment in one decision. Charged
//! at `ctx.now`; nothing of it falls due again.

use crate::catalog::{Discount, PriceKind};
use crate::changes::Changes;
use crate::customer_account::CustomerAccount;
use crate::id::Ctx;
use crate::invoice::InvoiceKind;
use crate::invoice::issue::{Collect, InvoiceFor, Issued, issue};
use crate::invoice::totals::Charge;
use crate::purchase::{Purchase, PurchaseStatus};
use crate::refusal::{Field, Refusal};
use crate::rules::Rules;
use crate::subscription::items::NewItem;

/// Something to sell once.
#[derive(Debug, Clone)]
pub struct Sale<'a> {
    /// What, by which price, and how many.
    pub item: &'a NewItem,
    /// What the purchase is called; the product's name if none.
    pub name: Option<String>,
    /// The merchant's own data as JSON text.
    pub metadata: Option<String>,
    /// What takes money off.
    pub discount: Option<&'a Discount>,
}

/// Sells something once: a purchase with its invoice and its payment.
///
/// # Errors
/// If the price is not one of a single payment, is not active, or the quantity is less than 1.
pub fn sell(
    ctx: &mut Ctx,
    rules: &Rules,
    payer: &mut CustomerAccount,
    sale: Sale<'_>,
    changes: &mut Changes,
) -> Result<(Purchase, Issued), Refusal> {
    let Sale { item, name, metadata, discount } = sale;
    if item.price.kind != PriceKind::SinglePayment {
        return Err(Refusal::invalid(Field::Price, "a price of type single_payment"));
    }
    if !item.price.active || !item.product.active {
        return Err(Refusal::invalid(Field::Price, "the price or its product is not active"));
    }
    payer.customer.ensure_not_archived()?;
    if let Some(discount) = discount {
        discount.check_currency(item.price.unit_price.currency())?;
    }
    if item.quantity < 1 {
        return Err(Refusal::invalid(Field::Quantity, "a whole number of at least 1"));
    }
    let amount = item.price.unit_price.checked_mul_int(item.quantity)?;
    let mut purchase = Purchase {
        id: ctx.id(payer.shard()),
        environment: rules.environment.number,
        customer_id: payer.id(),
        price_id: item.price.id,
        name: name.unwrap_or_else(|| item.product.name.clone()),
        status: PurchaseStatus::Open,
        quantity: item.quantity,
        first_invoice_value: 0,
        price_per_cycle: None,
        currency: amount.currency(),
        metadata,
        purchased_at: None,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    let charge = Charge {
        description: purchase.name.clone(),
        product_id: Some(item.product.id),
        price_id: Some(item.price.id),
        category: item.product.category,
        quantity: item.quantity,
        amount,
        tax_behavior: item.price.tax_behavior,
    };
    let what = InvoiceFor {
        kind: InvoiceKind::Purchase,
        subscription_id: None,
        period_id: None,
        purchase_id: Some(purchase.id),
        period: None,
        memo: None,
        collect: Collect::Now([None, None]),
    };
    let issued = issue(ctx, rules, payer, what, &[charge], discount, changes)?;
    purchase.first_invoice_value = issued.invoice.subtotal;
    if issued.invoice.owed() == 0 {
        purchase.status = PurchaseStatus::Paid;
        purchase.purchased_at = Some(ctx.now);
    }
    changes.insert(purchase.clone());
    Ok((purchase, issued))
}
