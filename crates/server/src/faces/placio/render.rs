//! A payment as JSON.

use super::body::MEANS;
use super::page::type_of;
use crate::json::{Object, Raw};
use crate::spelling::{hex24, iso_millis, parse_hex24, two_decimals};
use billing::calendar::{Interval, IntervalUnit};
use billing::id::Id;
use billing::payment::{Payment, PaymentChannel, PaymentKind};
use store::views::payments::{PaymentRow, Plan};

/// Whether the workspace itself is shown within a payment: it is in lists only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Workspace {
    Shown,
    Left,
}

/// The members of a payment.
pub(super) fn payment(o: &mut Object<'_>, row: &PaymentRow, workspace: Workspace) {
    let payment = &row.payment;
    let workspace_id = workspace_id(row);
    o.put("id", hex24(payment.id.raw())).put("workspaceId", &workspace_id);
    if workspace == Workspace::Shown {
        o.object("workspace", |o| {
            o.put("id", &workspace_id).put("name", &row.customer_name).put("email", &row.customer_email);
        });
    }
    let is_manual = payment.kind == PaymentKind::Manual;
    o.put("paymentType", type_of(payment.category));
    o.put("amount", Raw(&two_decimals(payment.amount)));
    o.put("paymentMethod", means(payment.means)).put("paymentDate", iso_millis(payment.paid_at));
    o.put("description", payment.description.as_ref()).put("notes", payment.notes.as_ref());
    o.put("isManual", is_manual).put("createdBy", payment.created_by.map(|id| hex24(id.raw())));
    o.put("receiptImage", payment.receipt_image.as_deref().map(Raw));
    o.object("metadata", |o| {
        if !is_manual {
            metadata(o, payment, row.plan.as_ref());
        }
    });
    o.put("createdAt", iso_millis(payment.created_at)).put("updatedAt", iso_millis(payment.updated_at));
}

/// The merchant's own id of a workspace where that can be one, else the spelling of ours.
fn workspace_id(row: &PaymentRow) -> String {
    match parse_hex24(&row.customer_external_id) {
        Some(_) => row.customer_external_id.to_ascii_lowercase(),
        None => hex24(row.payment.customer_id.raw()),
    }
}

fn metadata(o: &mut Object<'_>, payment: &Payment, plan: Option<&Plan>) {
    if let Some(plan) = plan {
        o.put("planId", hex24(plan.price_id.raw()));
        o.put("planName", plan.price_name.as_ref().unwrap_or(&plan.product_name));
        o.put("period", period(plan.interval));
    }
    o.put("paymentMethod", means(payment.means)).put("discountPercentage", payment.discount_percent);
}

fn period(interval: Option<Interval>) -> String {
    let Some(Interval { unit, count }) = interval else { return "one-time".to_owned() };
    match (unit, count) {
        (IntervalUnit::Day, 1) => "daily".to_owned(),
        (IntervalUnit::Week, 1) => "weekly".to_owned(),
        (IntervalUnit::Month, 1) => "monthly".to_owned(),
        (IntervalUnit::Month, 3) => "quarterly".to_owned(),
        (IntervalUnit::Year, 1) => "yearly".to_owned(),
        (unit, count) => format!("every {count} {unit}s"),
    }
}

fn means(means: PaymentChannel) -> &'static str {
    MEANS.iter().find(|(_, known)| *known == means).map_or("other", |(name, _)| *name)
}
