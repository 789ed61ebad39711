//! `GET /api/v2/platform/organisation/billing/`.

use super::auth::Member;
use super::error::Error;
use super::page;
use crate::app::App;
use crate::base62;
use crate::body::Body;
use crate::json::{Object, object};
use crate::response_cache::{CacheKey, Rendered};
use crate::spelling::{at_least_two_decimals, iso_micros, parse_hex24, parse_uuid};
use axum::extract::State;
use axum::response::Response;
use billing::catalog::Category;
use billing::id::Id;
use billing::invoice::InvoiceStatus;
use billing::money::Money;
use engine::views::ProductName;
use http::{HeaderMap, Uri};
use store::Scope;
use store::views::OffsetPage;
use store::views::invoices::Issued;

/// The organisation's invoices, newest first.
pub async fn list(
    State(app): State<App>,
    member: Member,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response<Body>, Error> {
    let handle = header(&headers, "org-handle")?;
    let handle = handle.ok_or_else(|| Error::invalid("Org-Handle header is required."))?;
    let product = header(&headers, "product-id")?;
    let environment = app.environment(member.environment).await?;
    let key = CacheKey {
        face: "unpod",
        reader: member.customer.raw(),
        target: uri.query().unwrap_or(""),
        also: [handle, product.unwrap_or("")],
        scopes: &[Scope::Customer(member.customer.raw()), Scope::Catalog(member.environment)],
        now: app.books_now(&environment),
    };
    app.get_or_render(&key, &headers, async || {
        // Who asks for whose books comes before what is asked.
        let offset_page = page::read(uri.query());
        let wanted =
            offset_page.as_ref().ok().copied().flatten().unwrap_or(OffsetPage { page: i64::MAX, limit: 1 });
        let name = product.map(product_name);
        let found = app
            .engine
            .invoices_of_handle(&environment, handle.to_owned(), member.customer, name, wanted)
            .await?;
        let (count, rows) = found.ok_or_else(Error::not_a_member)?;
        offset_page?;
        Ok::<_, Error>(Rendered::from(render(count, &rows)))
    })
    .await
}

/// A header's text; none if it is not there or empty.
fn header<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>, Error> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map(str::trim).ok().filter(|_| values.next().is_none());
    let text = text.ok_or_else(|| Error::invalid(format!("{name} must be given once, in plain text.")))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A product by its short name or by any spelling of its id.
fn product_name(text: &str) -> ProductName {
    let whole = parse_uuid(text).or_else(|| base62::parse(text.strip_prefix("prod_")?));
    let ids = whole.map(|id| (id, id));
    let ids = ids.or_else(|| parse_hex24(text).map(|first| (first << 32, first << 32 | 0xffff_ffff)));
    ProductName { slug: text.to_owned(), ids }
}

fn render(count: i64, rows: &[Issued]) -> String {
    object(|o| {
        o.put("count", count).put("status_code", 200_i64);
        o.put("message", "Billing data fetched successfully");
        o.array("data", |list| {
            for row in rows {
                list.object(|o| invoice(o, row));
            }
        });
    })
}

fn invoice(o: &mut Object<'_>, row: &Issued) {
    let amount = |minor| at_least_two_decimals(Money::new(minor, row.currency));
    o.put("invoice_number", &row.number);
    o.put("amount", amount(row.total)).put("tax_amount", amount(row.tax));
    o.put("currency", row.currency.code()).put("status", status(row.status));
    o.put("charge_type", charge_type(row.category));
    o.put("invoice_date", iso_micros(row.invoice_date)).put("due_date", iso_micros(row.due_date));
    o.put("payment_at", row.paid_at.map(iso_micros));
}

fn status(status: InvoiceStatus) -> &'static str {
    match status {
        InvoiceStatus::Open => "pending",
        InvoiceStatus::Paid | InvoiceStatus::PartiallyRefunded => "paid",
        InvoiceStatus::Refunded => "refunded",
        InvoiceStatus::Void => "cancelled",
        InvoiceStatus::Uncollectible => "failed",
    }
}

fn charge_type(category: Category) -> &'static str {
    match category {
        Category::Subscription => "subscription",
        Category::Credits => "credits",
        Category::AddOn | Category::AiTools | Category::Sms | Category::Storage => "addon_subscription",
    }
}
