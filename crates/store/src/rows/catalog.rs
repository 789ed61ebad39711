//! Catalogs, products, prices, discounts and tax rates.

use super::get;
use crate::{Error, Param, Row};
use billing::{
    Catalog, Category, Discount, DiscountAmount, Id, Money, Price, PriceKind, Product, TaxBehavior, TaxRate,
};

pub(crate) const INSERT_CATALOG: &str = "insert into catalogs (
     id, environment, name, is_default, created_at, updated_at)
     values (
     $1, $2, $3, $4, $5, $6)";

/// The parameters of [`INSERT_CATALOG`].
pub(crate) fn insert_catalog<'a>(row: &'a Catalog) -> [Param<'a>; 6] {
    [
        row.id.raw().into(),
        row.environment.into(),
        (&row.name).into(),
        row.is_default.into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

pub(crate) const UPDATE_CATALOG: &str = "update catalogs set
     name = $2, is_default = $3, updated_at = $4
     where id = $1";

/// The parameters of [`UPDATE_CATALOG`].
pub(crate) fn update_catalog<'a>(row: &'a Catalog) -> [Param<'a>; 4] {
    [row.id.raw().into(), (&row.name).into(), row.is_default.into(), row.updated_at.micros().into()]
}

/// Reads the columns of `catalog_columns!` from column `at` on.
pub(crate) fn catalog(row: &Row<'_>, at: usize) -> Result<Catalog, Error> {
    Ok(Catalog {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        name: row.text(at + 2)?.to_owned(),
        is_default: row.bool(at + 3)?,
        created_at: get::time(row, at + 4)?,
        updated_at: get::time(row, at + 5)?,
    })
}

pub(crate) const INSERT_PRODUCT: &str = "insert into products (
     id, environment, number, catalog_id, name, slug, description, image_url, category, is_default,
     active, display_features, singular_quantity_label, plural_quantity_label, created_at,
     updated_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

/// The parameters of [`INSERT_PRODUCT`].
pub(crate) fn insert_product<'a>(row: &'a Product) -> [Param<'a>; 16] {
    [
        row.id.raw().into(),
        row.environment.into(),
        row.number.into(),
        row.catalog_id.raw().into(),
        (&row.name).into(),
        row.slug.as_deref().into(),
        row.description.as_deref().into(),
        row.image_url.as_deref().into(),
        row.category.as_str().into(),
        row.is_default.into(),
        row.active.into(),
        row.display_features.as_deref().into(),
        row.singular_quantity_label.as_deref().into(),
        row.plural_quantity_label.as_deref().into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

pub(crate) const UPDATE_PRODUCT: &str = "update products set
     name = $2, slug = $3, description = $4, image_url = $5, category = $6, is_default = $7, active = $8,
     display_features = $9, singular_quantity_label = $10, plural_quantity_label = $11, updated_at = $12
     where id = $1";

/// The parameters of [`UPDATE_PRODUCT`].
pub(crate) fn update_product<'a>(row: &'a Product) -> [Param<'a>; 12] {
    [
        row.id.raw().into(),
        (&row.name).into(),
        row.slug.as_deref().into(),
        row.description.as_deref().into(),
        row.image_url.as_deref().into(),
        row.category.as_str().into(),
        row.is_default.into(),
        row.active.into(),
        row.display_features.as_deref().into(),
        row.singular_quantity_label.as_deref().into(),
        row.plural_quantity_label.as_deref().into(),
        row.updated_at.micros().into(),
    ]
}

/// Reads the columns of `product_columns!` from column `at` on.
pub(crate) fn product(row: &Row<'_>, at: usize) -> Result<Product, Error> {
    Ok(Product {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        number: row.int(at + 2)?,
        catalog_id: get::id(row, at + 3)?,
        name: row.text(at + 4)?.to_owned(),
        slug: row.opt_text(at + 5)?.map(str::to_owned),
        description: row.opt_text(at + 6)?.map(str::to_owned),
        image_url: row.opt_text(at + 7)?.map(str::to_owned),
        category: get::word(row, at + 8, Category::parse)?,
        is_default: row.bool(at + 9)?,
        active: row.bool(at + 10)?,
        display_features: row.opt_text(at + 11)?.map(str::to_owned),
        singular_quantity_label: row.opt_text(at + 12)?.map(str::to_owned),
        plural_quantity_label: row.opt_text(at + 13)?.map(str::to_owned),
        created_at: get::time(row, at + 14)?,
        updated_at: get::time(row, at + 15)?,
    })
}

pub(crate) const INSERT_PRICE: &str = "insert into prices (
     id, environment, number, product_id, kind, name, slug, unit_price, currency, interval_unit,
     interval_count, trial_days, setup_fee, period_count, tax_behavior, is_default, active,
     created_at, updated_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";

/// The parameters of [`INSERT_PRICE`].
pub(crate) fn insert_price<'a>(row: &'a Price) -> [Param<'a>; 19] {
    [
        row.id.raw().into(),
        row.environment.into(),
        row.number.into(),
        row.product_id.raw().into(),
        row.kind.as_str().into(),
        row.name.as_deref().into(),
        row.slug.as_deref().into(),
        row.unit_price.minor().into(),
        row.unit_price.currency().code().into(),
        row.interval.map(|interval| interval.unit.as_str()).into(),
        row.interval.map(|interval| interval.count).into(),
        row.trial_days.into(),
        row.setup_fee.map(Money::minor).into(),
        row.period_count.into(),
        row.tax_behavior.as_str().into(),
        row.is_default.into(),
        row.active.into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

pub(crate) const UPDATE_PRICE: &str = "update prices set
     name = $2, slug = $3, is_default = $4, active = $5, updated_at = $6
     where id = $1";

/// The parameters of [`UPDATE_PRICE`].
pub(crate) fn update_price<'a>(row: &'a Price) -> [Param<'a>; 6] {
    [
        row.id.raw().into(),
        row.name.as_deref().into(),
        row.slug.as_deref().into(),
        row.is_default.into(),
        row.active.into(),
        row.updated_at.micros().into(),
    ]
}

/// How many columns [`price`] reads.
pub(crate) const PRICE_WIDTH: usize = 19;

/// Reads the columns of `price_columns!` from column `at` on.
pub(crate) fn price(row: &Row<'_>, at: usize) -> Result<Price, Error> {
    Ok(Price {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        number: row.int(at + 2)?,
        product_id: get::id(row, at + 3)?,
        kind: get::word(row, at + 4, PriceKind::parse)?,
        name: row.opt_text(at + 5)?.map(str::to_owned),
        slug: row.opt_text(at + 6)?.map(str::to_owned),
        unit_price: Money::new(row.int(at + 7)?, get::currency(row, at + 8)?),
        interval: get::opt_interval(row, at + 9)?,
        trial_days: row.opt_int(at + 11)?,
        setup_fee: get::opt_money(row, at + 12, at + 8)?,
        period_count: row.opt_int(at + 13)?,
        tax_behavior: get::word(row, at + 14, TaxBehavior::parse)?,
        is_default: row.bool(at + 15)?,
        active: row.bool(at + 16)?,
        created_at: get::time(row, at + 17)?,
        updated_at: get::time(row, at + 18)?,
    })
}

pub(crate) const INSERT_DISCOUNT: &str = "insert into discounts (
     id, environment, name, code, percent, fixed, currency, payments, active, created_at, updated_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// The parameters of [`INSERT_DISCOUNT`].
pub(crate) fn insert_discount<'a>(row: &'a Discount) -> [Param<'a>; 11] {
    let (percent, fixed) = match row.amount {
        DiscountAmount::Percent(percent) => (Some(percent), None),
        DiscountAmount::Fixed(money) => (None, Some(money)),
    };
    [
        row.id.raw().into(),
        row.environment.into(),
        (&row.name).into(),
        (&row.code).into(),
        percent.into(),
        fixed.map(Money::minor).into(),
        fixed.map(|money| money.currency().code()).into(),
        row.duration.payments().into(),
        row.active.into(),
        row.created_at.micros().into(),
        row.updated_at.micros().into(),
    ]
}

pub(crate) const UPDATE_DISCOUNT: &str = "update discounts set
     name = $2, code = $3, percent = $4, fixed = $5, currency = $6, payments = $7, active = $8, updated_at = $9
     where id = $1";

/// The parameters of [`UPDATE_DISCOUNT`].
pub(crate) fn update_discount<'a>(row: &'a Discount) -> [Param<'a>; 9] {
    let (percent, fixed) = match row.amount {
        DiscountAmount::Percent(percent) => (Some(percent), None),
        DiscountAmount::Fixed(money) => (None, Some(money)),
    };
    [
        row.id.raw().into(),
        (&row.name).into(),
        (&row.code).into(),
        percent.into(),
        fixed.map(Money::minor).into(),
        fixed.map(|money| money.currency().code()).into(),
        row.duration.payments().into(),
        row.active.into(),
        row.updated_at.micros().into(),
    ]
}

/// Reads the columns of `discount_columns!` from column `at` on.
pub(crate) fn discount(row: &Row<'_>, at: usize) -> Result<Discount, Error> {
    Ok(Discount {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        name: row.text(at + 2)?.to_owned(),
        code: row.text(at + 3)?.to_owned(),
        amount: get::discount_amount(row, at + 4)?,
        duration: get::discount_duration(row, at + 7)?,
        active: row.bool(at + 8)?,
        created_at: get::time(row, at + 9)?,
        updated_at: get::time(row, at + 10)?,
    })
}

pub(crate) const INSERT_TAX_RATE: &str = "insert into tax_rates (
     id, environment, kind, country, state, category, rate, created_at)
     values (
     $1, $2, $3, $4, $5, $6, $7, $8)";

/// The parameters of [`INSERT_TAX_RATE`].
pub(crate) fn insert_tax_rate<'a>(row: &'a TaxRate, text: &'a str) -> [Param<'a>; 8] {
    [
        row.id.raw().into(),
        row.environment.into(),
        (&row.kind).into(),
        (&row.country).into(),
        row.state.as_deref().into(),
        row.category.map(Category::as_str).into(),
        text.into(),
        row.created_at.micros().into(),
    ]
}

/// Reads the columns of `tax_rate_columns!` from column `at` on.
pub(crate) fn tax_rate(row: &Row<'_>, at: usize) -> Result<TaxRate, Error> {
    Ok(TaxRate {
        id: get::id(row, at)?,
        environment: row.int(at + 1)?,
        kind: row.text(at + 2)?.to_owned(),
        country: row.text(at + 3)?.to_owned(),
        state: row.opt_text(at + 4)?.map(str::to_owned),
        category: get::opt_word(row, at + 5, Category::parse)?,
        rate: get::rate(row, at + 6)?,
        created_at: get::time(row, at + 7)?,
    })
}
