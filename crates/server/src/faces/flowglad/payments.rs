//! Payments and refunds.

use super::error::Error;
use super::fields::{Fields, TEXT_MAX};
use super::list::{self, envelope};
use super::merchant::{Merchant, WriteInput, id_of, ok, segment};
use super::spell::{Iso, Spell};
use crate::body::Body;
use crate::json::{Object, object};
use crate::query::Query;
use axum::extract::Request;
use axum::response::Response;
use billing::environment::Environment;
use billing::id::{Id, PaymentId};
use billing::payment::{PaymentChannel, PaymentStatus};
use engine::FullPayment;
use http::Uri;

const ALL: &str = "/api/v1/payments/";

/// The states of payments, in the words of document 002's siblings.
const STATES: [&str; 7] =
    ["canceled", "failed", "refunded", "processing", "succeeded", "requires_confirmation", "requires_action"];

fn status(payment: &billing::payment::Payment) -> &'static str {
    match payment.status {
        PaymentStatus::Succeeded if payment.refunded >= payment.amount => "refunded",
        status => status.as_str(),
    }
}

fn show(o: &mut Object<'_>, books: &Environment, full: &FullPayment) {
    let p = &full.payment;
    let invoice = full.invoice.as_ref();
    let has_come = p.status == PaymentStatus::Succeeded;
    o.put("id", Spell(p.id)).put("createdAt", Iso(p.created_at)).put("updatedAt", Iso(p.updated_at));
    o.put("livemode", books.livemode).put("organizationId", Spell(books.organization_id));
    o.put("customerId", Spell(p.customer_id)).put("invoiceId", p.invoice_id.map(Spell));
    o.put("subscriptionId", invoice.and_then(|invoice| invoice.subscription_id).map(Spell));
    o.put("billingPeriodId", invoice.and_then(|invoice| invoice.period_id).map(Spell));
    o.put("purchaseId", invoice.and_then(|invoice| invoice.purchase_id).map(Spell));
    o.put("paymentMethodId", p.payment_method_id.map(Spell)).put("paymentMethod", means(full));
    o.put("status", status(p)).put("amount", p.amount).put("currency", p.currency.code());
    o.put("subtotal", invoice.map(|invoice| invoice.subtotal)).put("taxAmount", invoice.map(|i| i.tax));
    o.put("chargeDate", Iso(p.paid_at)).put("settlementDate", has_come.then_some(Iso(p.paid_at)));
    o.put("description", &p.description).put("failureCode", &p.failure_code);
    o.put("failureMessage", &p.failure_message).put("refunded", p.refunded > 0);
    o.put("refundedAmount", Some(p.refunded).filter(|refunded| *refunded > 0));
    o.put("refundedAt", full.refunded_at.map(Iso)).put("receiptNumber", None::<&str>);
    o.put("receiptURL", None::<&str>).put("applicationFee", None::<i64>);
    o.put("manual", p.kind == billing::payment::PaymentKind::Manual).put("attempt", p.attempt);
}

/// What was charged, in the word of the payment method; of money that came another way, by what means.
fn means(full: &FullPayment) -> &'static str {
    match (&full.method, full.payment.means) {
        (Some(kind), _) => kind.as_str(),
        (None, PaymentChannel::Card) => "card",
        (None, means) => means.as_str(),
    }
}

async fn find(merchant: Merchant, raw: u128) -> Result<FullPayment, Error> {
    Ok(merchant.engine().full_payment(merchant.environment(), PaymentId::from_raw(raw)).await?)
}

fn render(books: &Environment, full: &FullPayment) -> String {
    object(|o| {
        o.object("payment", |o| show(o, books, full));
    })
}

/// `GET /api/v1/payments/{id}`
pub(super) async fn retrieve(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let id: PaymentId = id_of(&segment(uri.path(), ALL, "")?)?;
    let full = merchant.engine().full_payment(merchant.environment(), id).await?;
    Ok(ok(render(&merchant.books, &full)))
}

/// `GET /api/v1/payments`, of one customer with `customerId`, and then in one state with `status`.
pub(super) async fn list(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let query = Query::parse(uri.query());
    let asked = list::ListQuery::of::<PaymentId>(&query)?;
    let of = list::customer(&query)?;
    let state = list::state(&query, &of, &STATES)?;
    let wanted =
        move |payment: &billing::payment::Payment| state.is_none_or(|state| state == status(payment));
    let page = merchant.engine().payments(merchant.environment(), of, wanted, asked.window).await?;
    Ok(ok(envelope(&asked, &page, |row| row.payment.id, |o, row| show(o, &merchant.books, row))))
}

/// `POST /api/v1/payments/{id}/refund`: all that is left of it, or `partialAmount`.
pub(super) async fn refund(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let id: PaymentId = id_of(&segment(request.uri().path(), ALL, "/refund")?)?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        let fields = Fields::of(&asked.body)?;
        let amount = fields.int_in("partialAmount", 1, i64::MAX)?;
        let reason = fields.text("reason", TEXT_MAX)?;
        let (_, full) = merchant.engine().refund(merchant.at(asked.request), id, amount, reason).await?;
        Ok(full)
    };
    merchant.write(request, act, find, render).await
}
