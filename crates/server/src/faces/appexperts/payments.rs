//! `POST` and `GET /api/v1/profile/payments`.

use super::auth::Reader;
use super::error::Error;
use super::page;
use crate::app::App;
use crate::body::Body;
use crate::idempotency::request::read_body;
use crate::json::{Object, Raw, object};
use crate::response_cache::{CacheKey, Rendered};
use crate::spelling::{float_dollars, iso_offset, plain_dollars, uuid};
use axum::extract::{Request, State};
use axum::response::Response;
use billing::calendar::Zone;
use billing::currency::Currency;
use billing::id::Id;
use billing::invoice::InvoiceStatus;
use engine::views::{CustomerInvoice, CustomerInvoices, PlanState};
use http::{HeaderMap, Method};
use store::Scope;
use store::views::OffsetPage;
use store::views::customer_invoices::Subscribed;

/// The customer's invoices in US dollars, newest first.
pub async fn list(State(app): State<App>, reader: Reader, request: Request) -> Result<Response<Body>, Error> {
    let (parts, body) = request.into_parts();
    let body = read_body(body, app.limits.body_bytes).await?;
    let offset_page = page::read(parts.uri.query(), &body)?;
    let environment = app.environment(reader.environment).await?;
    let now = app.books_now(&environment);
    let key = CacheKey {
        face: "appexperts",
        reader: reader.customer.raw(),
        target: &format!("{}/{}", offset_page.page, offset_page.limit),
        also: ["", ""],
        scopes: &[Scope::Customer(reader.customer.raw()), Scope::Catalog(reader.environment)],
        now,
    };
    // A condition is for reading: to `POST` the whole answer is given.
    let headers = if parts.method == Method::POST { HeaderMap::new() } else { parts.headers };
    app.get_or_render(&key, &headers, async || {
        let found = app
            .engine
            .customer_invoices(now, &environment, reader.customer, Currency::USD, offset_page)
            .await?;
        Ok(Rendered { body: render(&found, offset_page), valid_until: found.changes_at })
    })
    .await
}

fn render(found: &CustomerInvoices, offset_page: OffsetPage) -> String {
    let pages = found.total.div_euclid(offset_page.limit) + i64::from(found.total % offset_page.limit != 0);
    object(|o| {
        o.put("code", 200_i64).put("message", "Customer payments retrieved successfully.");
        o.object("data", |o| {
            o.array("items", |items| {
                for row in &found.rows {
                    items.object(|o| item(o, row, &found.zone));
                }
            });
            o.put("total_items", found.total).put("page_limit", offset_page.limit);
            o.put("has_previous_page", offset_page.page > 1).put("has_next_page", offset_page.page < pages);
            o.put("total_pages", pages).put("current_page", offset_page.page);
        });
    })
}

fn item(o: &mut Object<'_>, row: &CustomerInvoice, zone: &Zone) {
    let invoice = &row.invoice;
    let whole = invoice.subscription_id.map(Id::raw).or(invoice.purchase_id.map(Id::raw));
    o.put("amount_due_usd", Raw(&float_dollars(invoice.total)));
    o.put("amount_refunded_usd", Raw(&float_dollars(invoice.refunded)));
    o.put("id", invoice.ordinal);
    o.put("reference", format!("{}-{}", uuid(whole.unwrap_or(invoice.id.raw())), invoice.earlier));
    match (&invoice.subscribed, row.plan) {
        (Some(subscribed), Some(plan)) => {
            o.object("subscription_log", |o| subscription_log(o, subscribed, plan, zone));
        }
        _ => {
            o.put("subscription_log", None::<&str>);
        }
    }
    o.put("status", status(invoice.status)).put("currency", "usd");
    o.put("period_start", invoice.period.map(|period| iso_offset(period.start, zone)));
    o.put("total", invoice.total).put("amount_due", invoice.total);
    o.put("created_at", iso_offset(invoice.created_at, zone));
    o.put("updated_at", iso_offset(invoice.updated_at, zone));
}

fn subscription_log(o: &mut Object<'_>, subscribed: &Subscribed, state: PlanState, zone: &Zone) {
    let midnight = |at| iso_offset(zone.midnight(at), zone);
    let plan = &subscribed.plan;
    o.put("is_expired", state.access.is_over).put("is_period_expired", state.access.is_period_over);
    o.put("id", subscribed.number);
    o.object("subscription_plan", |o| {
        o.put("id", plan.price_number);
        o.put("plan_name", plan.price_name.as_ref().unwrap_or(&plan.product_name));
        o.put("recurring_type", subscribed.interval.unit.as_str());
        o.put("amount", Raw(&plain_dollars(plan.unit_price))).put("is_default", plan.is_default);
        o.object("subscription_product", |o| {
            o.put("id", plan.product_number).put("name", &plan.product_name);
        });
    });
    o.put("start_date", midnight(subscribed.period.start));
    o.put("expected_end_date", midnight(state.expected_end));
    o.put("end_date", state.ended_at.map(midnight));
    o.put("cancel_at_period_end", state.cancels_at_end);
}

/// Refunds show in `amount_refunded_usd` only.
fn status(status: InvoiceStatus) -> &'static str {
    match status {
        InvoiceStatus::Open | InvoiceStatus::Uncollectible => "open",
        InvoiceStatus::Paid | InvoiceStatus::Refunded | InvoiceStatus::PartiallyRefunded => "paid",
        InvoiceStatus::Void => "void",
    }
}
