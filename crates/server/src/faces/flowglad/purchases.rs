//! One-off sales.

use super::customers::customer_of_body;
use super::error::Error;
use super::fields::{Fields, NAME_MAX};
use super::list::{self, envelope};
use super::merchant::{Merchant, WriteInput, id_of, ok, segment};
use super::spell::{Iso, Spell};
use crate::body::Body;
use crate::json::{Object, Raw, object};
use crate::query::Query;
use axum::extract::Request;
use axum::response::Response;
use billing::catalog::{Price, PriceKind};
use billing::environment::Environment;
use billing::id::{Id, PurchaseId};
use billing::purchase::Purchase;
use engine::SubscribeItem;
use http::Uri;

const ALL: &str = "/api/v1/purchases/";

type PurchaseWithPrice = (Purchase, Option<Price>);

/// The keys of document 002, in its order.
pub(super) fn show(o: &mut Object<'_>, books: &Environment, purchase: &Purchase, price: Option<&Price>) {
    let p = purchase;
    let cycle = price.and_then(|price| p.cycle(price));
    let is_single = price.map_or(p.price_per_cycle.is_none(), |price| price.kind == PriceKind::SinglePayment);
    let kind = if is_single { PriceKind::SinglePayment } else { PriceKind::Subscription };
    let per_cycle = price.and_then(|price| price.unit_price.minor().checked_mul(p.quantity));
    let only_cyclic = |value: Option<i64>| value.filter(|_| !is_single);
    o.put("id", Spell(p.id)).put("createdAt", Iso(p.created_at)).put("updatedAt", Iso(p.updated_at));
    o.put("livemode", books.livemode).put("name", &p.name).put("status", p.status.as_str());
    o.put("customerId", Spell(p.customer_id)).put("organizationId", Spell(books.organization_id));
    o.put("billingCycleAnchor", cycle.map(|(_, anchor)| Iso(anchor))).put("priceId", Spell(p.price_id));
    o.put("quantity", p.quantity).put("priceType", kind.as_str());
    o.put("trialPeriodDays", only_cyclic(Some(price.and_then(|price| price.trial_days).unwrap_or(0))));
    o.put("pricePerBillingCycle", only_cyclic(p.price_per_cycle.or(per_cycle)));
    o.put("intervalUnit", cycle.map(|(interval, _)| interval.unit.as_str()));
    o.put("intervalCount", cycle.map(|(interval, _)| i64::from(interval.count)));
    o.put("firstInvoiceValue", p.first_invoice_value);
    // What is billed again and again has no total.
    o.put("totalPurchaseValue", Some(p.first_invoice_value).filter(|_| is_single));
    o.put("bankPaymentOnly", false).put("purchaseDate", p.purchased_at.map(Iso));
    o.put("endDate", None::<&str>).put("proposal", None::<&str>).put("archived", false);
    o.put("billingAddress", None::<&str>).put("metadata", p.metadata.as_deref().map(Raw));
}

/// The same and what else there is.
fn show_more(o: &mut Object<'_>, books: &Environment, purchase: &Purchase, price: Option<&Price>) {
    show(o, books, purchase, price);
    o.put("currency", purchase.currency.code());
}

/// `POST /api/v1/purchases`
pub(super) async fn create(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    async fn act(merchant: Merchant, asked: WriteInput) -> Result<PurchaseWithPrice, Error> {
        let fields = Fields::of(&asked.body)?;
        let fields = fields.required("purchase", "an object", |f, name| f.object(name))?;
        let item = SubscribeItem {
            price: fields.required("priceId", "the id of a price: price_…", |f, name| f.id(name))?,
            quantity: fields.int_in("quantity", 1, 1_000_000_000)?.unwrap_or(1),
        };
        let name = fields.short("name")?;
        let metadata = fields.metadata("metadata")?;
        let code = fields.text("discountCode", NAME_MAX)?;
        let customer = customer_of_body(&fields)?;
        let engine = merchant.engine();
        Ok(engine.sell(merchant.at(asked.request), customer, item, name, metadata, code).await?)
    }
    merchant.write(request, act, find, render).await
}

async fn find(merchant: Merchant, raw: u128) -> Result<PurchaseWithPrice, Error> {
    Ok(merchant.engine().purchase(merchant.environment(), PurchaseId::from_raw(raw)).await?)
}

fn render(books: &Environment, (purchase, price): &PurchaseWithPrice) -> String {
    object(|o| {
        o.object("purchase", |o| show_more(o, books, purchase, price.as_ref()));
    })
}

/// `GET /api/v1/purchases/{id}`
pub(super) async fn retrieve(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let id: PurchaseId = id_of(&segment(uri.path(), ALL, "")?)?;
    let found = merchant.engine().purchase(merchant.environment(), id).await?;
    Ok(ok(render(&merchant.books, &found)))
}

/// `GET /api/v1/purchases`, of one customer with `customerId`.
pub(super) async fn list(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let query = Query::parse(uri.query());
    let asked = list::ListQuery::of::<PurchaseId>(&query)?;
    let of = list::customer(&query)?;
    let page = merchant.engine().purchases(merchant.environment(), of, asked.window).await?;
    let show = |o: &mut Object<'_>, (row, price): &PurchaseWithPrice| {
        show_more(o, &merchant.books, row, price.as_ref());
    };
    Ok(ok(envelope(&asked, &page, |(row, _)| row.id, show)))
}
