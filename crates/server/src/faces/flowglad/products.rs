//! Products and prices.

use super::error::Error;
use super::fields::{Fields, TEXT_MAX};
use super::list::{self, envelope};
use super::merchant::{Merchant, WriteInput, id_of, ok, segment};
use super::offers;
use super::spell::Spelled;
use crate::body::Body;
use crate::json::{Object, object};
use crate::query::Query;
use axum::extract::Request;
use axum::response::Response;
use billing::calendar::{Interval, IntervalUnit};
use billing::catalog::edit::{FixedOfPrice, NewPrice, PriceEdit, ProductEdit};
use billing::catalog::{Category, Price, PriceKind, Product, TaxBehavior};
use billing::currency::Currency;
use billing::environment::Environment;
use billing::id::{CatalogId, Id, PriceId, ProductId};
use billing::money::Money;
use engine::Kind;
use http::Uri;

const PRODUCTS: &str = "/api/v1/products/";
const PRICES: &str = "/api/v1/prices/";
/// How many features a product may show.
const FEATURES_MAX: usize = 100;

fn product_edit(fields: &Fields<'_>) -> Result<ProductEdit, Error> {
    let words = Category::ALL.iter().map(|category| category.as_str()).collect::<Vec<_>>().join(", ");
    let long = |f: &Fields<'_>, name: &str| f.text(name, TEXT_MAX);
    Ok(ProductEdit {
        name: fields.edit("name", "a text", Fields::short)?,
        slug: fields.nullable("slug", Fields::short)?,
        description: fields.nullable("description", long)?,
        image_url: fields.nullable("imageURL", Fields::url)?,
        category: fields.word("category", &words, Category::parse)?,
        is_default: fields.edit("default", "true or false", Fields::flag)?,
        active: fields.edit("active", "true or false", Fields::flag)?,
        display_features: fields.nullable("displayFeatures", features)?,
        singular_quantity_label: fields.nullable("singularQuantityLabel", Fields::short)?,
        plural_quantity_label: fields.nullable("pluralQuantityLabel", Fields::short)?,
    })
}

/// Features in the form of document 002.
fn features(fields: &Fields<'_>, name: &str) -> Result<Option<String>, Error> {
    let Some(features) = fields.objects(name, FEATURES_MAX)? else { return Ok(None) };
    let mut read = Vec::with_capacity(features.len());
    for feature in &features {
        let enabled = feature.flag("enabled")?.unwrap_or(true);
        let label = feature.required("label", "a text", Fields::short)?;
        read.push((enabled, label, feature.text("details", TEXT_MAX)?));
    }
    let mut text = String::from("[");
    for (at, (enabled, label, details)) in read.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&object(|o| {
            o.put("enabled", *enabled).put("label", label).put("details", details);
        }));
    }
    text.push(']');
    Ok(Some(text))
}

/// What a price costs and how it is charged.
fn new_price(fields: &Fields<'_>, otherwise: Currency) -> Result<NewPrice, Error> {
    let kind = fields.required("type", "subscription, single_payment", |f, name| {
        f.word(name, "subscription, single_payment", PriceKind::parse)
    })?;
    let amount = fields.required("unitPrice", "a whole number of minor units", |f, name| f.int(name))?;
    let currency = fields.currency("currency")?.unwrap_or(otherwise);
    let unit = fields.word("intervalUnit", "day, week, month, year", |w| IntervalUnit::parse(w).ok())?;
    let count = fields.int_in("intervalCount", 1, 3_650)?;
    let interval = match (unit, count) {
        (Some(unit), count) => Some(Interval::new(unit, count.map_or(1, |n| u32::try_from(n).unwrap_or(1)))),
        (None, Some(_)) if kind == PriceKind::Subscription => {
            return Err(fields.missing("intervalUnit", "day, week, month, year"));
        }
        (None, _) => None,
    };
    Ok(NewPrice {
        kind,
        name: fields.short("name")?,
        slug: fields.short("slug")?,
        unit_price: Money::new(amount, currency),
        interval,
        trial_days: fields.int("trialPeriodDays")?,
        setup_fee: fields.int("setupFeeAmount")?,
        period_count: fields.int("periodCount")?,
        tax_behavior: match fields.flag("taxInclusive")? {
            Some(true) => TaxBehavior::Inclusive,
            Some(false) | None => TaxBehavior::Exclusive,
        },
        is_default: fields.flag("isDefault")?.unwrap_or(false),
        active: fields.flag("active")?.unwrap_or(true),
    })
}

/// `POST /api/v1/products`, with its first price.
pub(super) async fn create(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    async fn act(merchant: Merchant, asked: WriteInput) -> Result<ProductWithPrices, Error> {
        let fields = Fields::of(&asked.body)?;
        let of = fields.required("product", "an object", |f, name| f.object(name))?;
        let new = product_edit(&of)?;
        let catalog: Option<CatalogId> = match of.id("catalogId")? {
            None => of.id("pricingModelId")?,
            given => given,
        };
        let price = match fields.object("price")? {
            Some(price) => Some(new_price(&price, merchant.books.currency)?),
            None => None,
        };
        Ok(merchant.engine().create_product(merchant.at(asked.request), catalog, new, price).await?)
    }
    merchant.write(request, act, find, render).await
}

type ProductWithPrices = (Product, Vec<Price>);

async fn find(merchant: Merchant, raw: u128) -> Result<ProductWithPrices, Error> {
    Ok(merchant.engine().product(merchant.environment(), ProductId::from_raw(raw)).await?)
}

fn render(books: &Environment, (product, prices): &ProductWithPrices) -> String {
    object(|o| {
        o.object("product", |o| offers::product_and_more(o, books, product, prices));
    })
}

/// `PUT /api/v1/products/{id}`
pub(super) async fn update(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let id: ProductId = id_of(&segment(request.uri().path(), PRODUCTS, "")?)?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        let fields = Fields::of(&asked.body)?;
        if fields.object("price")?.is_some() {
            return Err(Error::bad_request("price is changed with PUT /api/v1/prices/{id}"));
        }
        let of = fields.required("product", "an object", |f, name| f.object(name))?;
        let edit = product_edit(&of)?;
        Ok(merchant.engine().update_product(merchant.at(asked.request), id, edit).await?)
    };
    merchant.write(request, act, find, render).await
}

/// `GET /api/v1/products/{id}`: the product itself, without an envelope.
pub(super) async fn retrieve(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let id: ProductId = id_of(&segment(uri.path(), PRODUCTS, "")?)?;
    let (product, prices) = merchant.engine().product(merchant.environment(), id).await?;
    Ok(ok(object(|o| offers::product_and_more(o, &merchant.books, &product, &prices))))
}

/// `GET /api/v1/products`
pub(super) async fn list(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let asked = list::ListQuery::of::<ProductId>(&Query::parse(uri.query()))?;
    let page = merchant.engine().products(merchant.environment(), asked.window).await?;
    let show = |o: &mut Object<'_>, (product, prices): &ProductWithPrices| {
        offers::product_and_more(o, &merchant.books, product, prices);
    };
    Ok(ok(envelope(&asked, &page, |(product, _)| product.id, show)))
}

/// `POST /api/v1/prices`
pub(super) async fn create_price(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    async fn act(merchant: Merchant, asked: WriteInput) -> Result<Price, Error> {
        let fields = Fields::of(&asked.body)?;
        let of = fields.required("price", "an object", |f, name| f.object(name))?;
        let product = of.required("productId", "the id of a product: prod_…", |f, name| f.id(name))?;
        let new = new_price(&of, merchant.books.currency)?;
        Ok(merchant.engine().create_price(merchant.at(asked.request), product, new).await?)
    }
    merchant.write(request, act, find_price, render_price).await
}

async fn find_price(merchant: Merchant, raw: u128) -> Result<Price, Error> {
    Ok(merchant.engine().price(merchant.environment(), PriceId::from_raw(raw)).await?)
}

fn render_price(books: &Environment, price: &Price) -> String {
    object(|o| {
        o.object("price", |o| offers::price_and_more(o, books, price));
    })
}

/// A failure that names a price as it was asked for, which may be by its older prefix.
fn as_asked(error: engine::Error, text: &str) -> Error {
    match error {
        engine::Error::NotFound(Kind::Price, _) => Error::not_found(PriceId::NAME, text),
        error => error.into(),
    }
}

/// `PUT /api/v1/prices/{id}`: all but what it costs.
pub(super) async fn update_price(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let text = segment(request.uri().path(), PRICES, "")?;
    let id: PriceId = id_of(&text)?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        let fields = Fields::of(&asked.body)?;
        let of = fields.required("price", "an object", |f, name| f.object(name))?;
        let edit = PriceEdit {
            fixed: fixed(&of)?,
            name: of.nullable("name", Fields::short)?,
            slug: of.nullable("slug", Fields::short)?,
            is_default: of.edit("isDefault", "true or false", Fields::flag)?,
            active: of.edit("active", "true or false", Fields::flag)?,
        };
        let changed = merchant.engine().update_price(merchant.at(asked.request), id, edit).await;
        changed.map_err(|error| as_asked(error, &text))
    };
    merchant.write(request, act, find_price, render_price).await
}

/// What a price costs stays: subscribers hold it. Clients may send it all the same.
fn fixed(fields: &Fields<'_>) -> Result<FixedOfPrice, Error> {
    let unit = |word: &str| IntervalUnit::parse(word).ok();
    Ok(FixedOfPrice {
        interval_unit: fields.word("intervalUnit", "day, week, month, year", unit)?,
        interval_count: fields.int("intervalCount")?,
        kind: fields.word("type", "subscription, single_payment", PriceKind::parse)?,
        unit_price: fields.int("unitPrice")?,
        currency: fields.currency("currency")?,
        setup_fee: fields.int("setupFeeAmount")?,
        trial_days: fields.int("trialPeriodDays")?,
        product_id: fields.id("productId")?,
    })
}

/// `GET /api/v1/prices/{id}`
pub(super) async fn retrieve_price(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let text = segment(uri.path(), PRICES, "")?;
    let price = merchant.engine().price(merchant.environment(), id_of(&text)?).await;
    Ok(ok(render_price(&merchant.books, &price.map_err(|error| as_asked(error, &text))?)))
}

/// `GET /api/v1/prices`, of one product with `productId`.
pub(super) async fn list_prices(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let query = Query::parse(uri.query());
    let asked = list::ListQuery::of::<PriceId>(&query)?;
    let of = list::id::<ProductId>(&query, "productId")?;
    let page = merchant.engine().prices(merchant.environment(), of, asked.window).await?;
    let show = |o: &mut Object<'_>, row: &Price| offers::price_and_more(o, &merchant.books, row);
    Ok(ok(envelope(&asked, &page, |row| row.id, show)))
}
