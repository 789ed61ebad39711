//! How catalogs, products and prices are written.

use super::spell::{Iso, Spell};
use crate::json::{Object, Raw, object};
use billing::catalog::{Catalog, Price, Product, TaxBehavior};
use billing::environment::Environment;
use billing::money::Money;
use store::offers::Offer;

/// A price: the keys of document 002, in its order, and `slug`.
pub(super) fn price(o: &mut Object<'_>, books: &Environment, price: &Price) {
    o.put("id", Spell(price.id)).put("createdAt", Iso(price.created_at));
    o.put("updatedAt", Iso(price.updated_at)).put("livemode", books.livemode);
    o.put("intervalUnit", price.interval.map(|interval| interval.unit.as_str())).put("name", &price.name);
    o.put("intervalCount", price.interval.map(|interval| i64::from(interval.count)));
    o.put("type", price.kind.as_str()).put("trialPeriodDays", price.trial_days);
    o.put("setupFeeAmount", price.setup_fee.map(Money::minor)).put("isDefault", price.is_default);
    o.put("unitPrice", price.unit_price.minor()).put("productId", Spell(price.product_id));
    o.put("active", price.active).put("currency", price.unit_price.currency().code());
    o.put("slug", &price.slug);
}

/// The same and what else there is.
pub(super) fn price_and_more(o: &mut Object<'_>, books: &Environment, of: &Price) {
    price(o, books, of);
    o.put("periodCount", of.period_count);
    o.put("taxInclusive", of.tax_behavior == TaxBehavior::Inclusive);
}

/// A product: the keys of document 002, in its order, and `slug`.
pub(super) fn product(o: &mut Object<'_>, books: &Environment, product: &Product, prices: &[Price]) {
    plain_product(o, books, product);
    o.array("prices", |list| {
        for each in prices {
            list.object(|o| price(o, books, each));
        }
    });
    match prices.iter().find(|price| price.is_default).or(prices.first()) {
        Some(default) => o.object("defaultPrice", |o| price(o, books, default)),
        None => o.put("defaultPrice", None::<&str>),
    };
    o.put("slug", &product.slug);
}

fn plain_product(o: &mut Object<'_>, books: &Environment, product: &Product) {
    o.put("id", Spell(product.id)).put("createdAt", Iso(product.created_at));
    o.put("updatedAt", Iso(product.updated_at)).put("livemode", books.livemode);
    o.put("name", &product.name).put("description", &product.description);
    o.put("imageURL", &product.image_url).put("organizationId", Spell(books.organization_id));
    o.put("displayFeatures", product.display_features.as_deref().map(Raw)).put("active", product.active);
    o.put("singularQuantityLabel", &product.singular_quantity_label);
    o.put("pluralQuantityLabel", &product.plural_quantity_label);
    o.put("catalogId", Spell(product.catalog_id));
}

/// The same and what else there is.
pub(super) fn product_and_more(o: &mut Object<'_>, books: &Environment, of: &Product, prices: &[Price]) {
    product(o, books, of, prices);
    o.put("default", of.is_default).put("category", of.category.as_str());
}

/// A catalog without its products.
pub(super) fn plain_catalog(o: &mut Object<'_>, books: &Environment, catalog: &Catalog) {
    o.put("id", Spell(catalog.id)).put("createdAt", Iso(catalog.created_at));
    o.put("updatedAt", Iso(catalog.updated_at)).put("livemode", books.livemode);
    o.put("organizationId", Spell(books.organization_id)).put("isDefault", catalog.is_default);
    o.put("name", &catalog.name);
}

/// A catalog with its products: the object of document 002.
pub(super) fn catalog(books: &Environment, offer: &Offer) -> String {
    object(|o| {
        plain_catalog(o, books, &offer.catalog);
        o.array("products", |list| {
            for (of, prices) in &offer.products {
                list.object(|o| product(o, books, of, prices));
            }
        });
    })
}
