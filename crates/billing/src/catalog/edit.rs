//! Making and changing what is sold.
//!
//! Owns which values a catalog, product, price, discount or tax rate can have. Whether a name or slug is
//! free is asked of the books by the engine. What a price costs never changes: another amount is another
//! price. The only time is `ctx.now`, at which a row was made or changed.

use crate::calendar::{Interval, IntervalUnit};
use crate::catalog::{
    Catalog, Category, Discount, DiscountAmount, DiscountDuration, Price, PriceKind, Product, TaxBehavior,
    TaxRate,
};
use crate::country::country_of;
use crate::currency::Currency;
use crate::id::{CatalogId, Ctx, ProductId};
use crate::money::Money;
use crate::rate::Rate;
use crate::refusal::{Field, Refusal};

/// What a catalog is given. What is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogEdit {
    /// Its name.
    pub name: Option<String>,
    /// Whether customers without a catalog buy from it.
    pub is_default: Option<bool>,
}

/// Makes a catalog.
///
/// # Errors
/// If it has no name.
pub fn new_catalog(ctx: &mut Ctx, environment: i64, edit: &CatalogEdit) -> Result<Catalog, Refusal> {
    let blank = Catalog {
        id: ctx.id(0),
        environment,
        name: String::new(),
        is_default: false,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    edit_catalog(ctx, &blank, edit)
}

/// The catalog as it is after the edit.
///
/// # Errors
/// If it has no name.
pub fn edit_catalog(ctx: &Ctx, catalog: &Catalog, edit: &CatalogEdit) -> Result<Catalog, Refusal> {
    let mut after = catalog.clone();
    after.name = edit.name.clone().unwrap_or(after.name);
    after.is_default = edit.is_default.unwrap_or(after.is_default);
    check_name(&after.name)?;
    if after != *catalog {
        after.updated_at = ctx.now;
    }
    Ok(after)
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() { Err(Refusal::invalid(Field::Name, "a name")) } else { Ok(()) }
}

fn check_slug(slug: Option<&str>) -> Result<(), Refusal> {
    let is_one = |slug: &str| {
        !slug.is_empty()
            && slug.chars().count() <= 100
            && slug.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '/')
    };
    match slug {
        Some(slug) if !is_one(slug) => {
            Err(Refusal::invalid(Field::Slug, "1 to 100 characters without spaces and slashes"))
        }
        _ => Ok(()),
    }
}

/// What a product is given. What is none stays as it is; an inner none takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductEdit {
    /// Its name.
    pub name: Option<String>,
    /// The merchant's own short name for it.
    pub slug: Option<Option<String>>,
    /// What it is.
    pub description: Option<Option<String>>,
    /// A picture of it.
    pub image_url: Option<Option<String>>,
    /// What charges for it are for.
    pub category: Option<Category>,
    /// Whether customers get it when they have bought nothing.
    pub is_default: Option<bool>,
    /// Whether it can be bought.
    pub active: Option<bool>,
    /// What a page shows of it, as JSON text.
    pub display_features: Option<Option<String>>,
    /// What one of it is called.
    pub singular_quantity_label: Option<Option<String>>,
    /// What several of it are called.
    pub plural_quantity_label: Option<Option<String>>,
}

/// Makes a product of a catalog.
///
/// # Errors
/// If it has no name, or a value cannot be.
pub fn new_product(
    ctx: &mut Ctx,
    environment: i64,
    catalog_id: CatalogId,
    edit: &ProductEdit,
) -> Result<Product, Refusal> {
    let blank = Product {
        id: ctx.id(0),
        environment,
        number: 0,
        catalog_id,
        name: String::new(),
        slug: None,
        description: None,
        image_url: None,
        category: Category::Subscription,
        is_default: false,
        active: true,
        display_features: None,
        singular_quantity_label: None,
        plural_quantity_label: None,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    edit_product(ctx, &blank, edit)
}

/// The product as it is after the edit.
///
/// # Errors
/// If it has no name, or a value cannot be.
pub fn edit_product(ctx: &Ctx, product: &Product, edit: &ProductEdit) -> Result<Product, Refusal> {
    let mut after = product.clone();
    let edit = edit.clone();
    after.name = edit.name.unwrap_or(after.name);
    after.slug = edit.slug.unwrap_or(after.slug);
    after.description = edit.description.unwrap_or(after.description);
    after.image_url = edit.image_url.unwrap_or(after.image_url);
    after.category = edit.category.unwrap_or(after.category);
    after.is_default = edit.is_default.unwrap_or(after.is_default);
    after.active = edit.active.unwrap_or(after.active);
    after.display_features = edit.display_features.unwrap_or(after.display_features);
    after.singular_quantity_label = edit.singular_quantity_label.unwrap_or(after.singular_quantity_label);
    after.plural_quantity_label = edit.plural_quantity_label.unwrap_or(after.plural_quantity_label);
    check_name(&after.name)?;
    check_slug(after.slug.as_deref())?;
    if after != *product {
        after.updated_at = ctx.now;
    }
    Ok(after)
}

/// What a price is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPrice {
    /// How it is charged.
    pub kind: PriceKind,
    /// Its name.
    pub name: Option<String>,
    /// The merchant's own short name for it.
    pub slug: Option<String>,
    /// What one unit costs.
    pub unit_price: Money,
    /// How long a period is; none if it is charged once.
    pub interval: Option<Interval>,
    /// Days without charge at the start.
    pub trial_days: Option<i64>,
    /// Charged once, in minor units.
    pub setup_fee: Option<i64>,
    /// After how many paid periods a subscription is complete.
    pub period_count: Option<i64>,
    /// Whether tax is inside or on top.
    pub tax_behavior: TaxBehavior,
    /// Whether it is the product's first offer.
    pub is_default: bool,
    /// Whether it can be bought.
    pub active: bool,
}

/// The largest price of a unit, in minor units: far below what sums could overflow.
const UNIT_PRICE_MAX: i64 = 1_000_000_000_000;
const TRIAL_DAYS_MAX: i64 = 3_650;
const PERIODS_MAX: i64 = 1_200;

/// Makes a price of a product.
///
/// # Errors
/// If a value cannot be, or one is given that its kind does not have.
pub fn new_price(
    ctx: &mut Ctx,
    environment: i64,
    product_id: ProductId,
    new: &NewPrice,
) -> Result<Price, Refusal> {
    let between = |field, value: Option<i64>, least, most| match value {
        Some(value) if value < least || value > most => {
            Err(Refusal::invalid(field, format!("a whole number from {least} to {most}")))
        }
        _ => Ok(()),
    };
    between(Field::UnitPrice, Some(new.unit_price.minor()), 0, UNIT_PRICE_MAX)?;
    between(Field::SetupFee, new.setup_fee, 0, UNIT_PRICE_MAX)?;
    between(Field::TrialDays, new.trial_days, 0, TRIAL_DAYS_MAX)?;
    between(Field::PeriodCount, new.period_count, 1, PERIODS_MAX)?;
    check_slug(new.slug.as_deref())?;
    match (new.kind, new.interval) {
        (PriceKind::Subscription, None) => {
            return Err(Refusal::invalid(Field::IntervalUnit, "day, week, month or year"));
        }
        (PriceKind::Subscription, Some(interval)) => {
            between(Field::IntervalCount, Some(i64::from(interval.count)), 1, longest(interval.unit))?;
        }
        (PriceKind::SinglePayment, _) => once_only(new)?,
    }
    Ok(Price {
        id: ctx.id(0),
        environment,
        number: 0,
        product_id,
        kind: new.kind,
        name: new.name.clone(),
        slug: new.slug.clone(),
        unit_price: new.unit_price,
        interval: new.interval,
        trial_days: new.trial_days,
        setup_fee: new.setup_fee.map(|fee| Money::new(fee, new.unit_price.currency())),
        period_count: new.period_count,
        tax_behavior: new.tax_behavior,
        is_default: new.is_default,
        active: new.active,
        created_at: ctx.now,
        updated_at: ctx.now,
    })
}

/// The longest interval: ten years.
const fn longest(unit: IntervalUnit) -> i64 {
    match unit {
        IntervalUnit::Day => 3_650,
        IntervalUnit::Week => 520,
        IntervalUnit::Month => 120,
        IntervalUnit::Year => 10,
    }
}

fn once_only(new: &NewPrice) -> Result<(), Refusal> {
    let given = [
        (Field::IntervalUnit, new.interval.is_some()),
        (Field::TrialDays, new.trial_days.is_some()),
        (Field::SetupFee, new.setup_fee.is_some()),
        (Field::PeriodCount, new.period_count.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((field, _)) => {
            Err(Refusal::invalid(field, "nothing, or null, for a price of type single_payment"))
        }
        None => Ok(()),
    }
}

/// What a price is given. What it costs never changes, because subscribers hold it: another amount is
/// another price.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceEdit {
    /// Its name.
    pub name: Option<Option<String>>,
    /// The merchant's own short name for it.
    pub slug: Option<Option<String>>,
    /// Whether it is the product's first offer.
    pub is_default: Option<bool>,
    /// Whether it can be bought.
    pub active: Option<bool>,
    /// What never changes, as it is believed to be.
    pub fixed: FixedOfPrice,
}

/// What never changes of a price. What is none is not spoken of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FixedOfPrice {
    /// How it is charged.
    pub kind: Option<PriceKind>,
    /// What one unit costs, in minor units.
    pub unit_price: Option<i64>,
    /// In which currency.
    pub currency: Option<Currency>,
    /// What a period is counted in.
    pub interval_unit: Option<IntervalUnit>,
    /// How many of that a period has.
    pub interval_count: Option<i64>,
    /// What is charged once, in minor units.
    pub setup_fee: Option<i64>,
    /// Days without charge at the start.
    pub trial_days: Option<i64>,
    /// What it prices.
    pub product_id: Option<ProductId>,
}

impl FixedOfPrice {
    /// The first thing that is not as the price has it.
    fn wrong_of(&self, price: &Price) -> Option<Field> {
        fn differs<T: PartialEq>(believed: Option<T>, is: Option<T>) -> bool {
            believed.is_some() && believed != is
        }
        let interval = price.interval;
        let fee = price.setup_fee.map(Money::minor);
        let different = [
            (Field::PriceKind, differs(self.kind, Some(price.kind))),
            (Field::UnitPrice, differs(self.unit_price, Some(price.unit_price.minor()))),
            (Field::Currency, differs(self.currency, Some(price.unit_price.currency()))),
            (Field::IntervalUnit, differs(self.interval_unit, interval.map(|interval| interval.unit))),
            (Field::IntervalCount, differs(self.interval_count, interval.map(|i| i64::from(i.count)))),
            (Field::SetupFee, differs(self.setup_fee, fee)),
            (Field::TrialDays, differs(self.trial_days, price.trial_days)),
            (Field::Product, differs(self.product_id, Some(price.product_id))),
        ];
        different.into_iter().find(|(_, differs)| *differs).map(|(field, _)| field)
    }
}

/// The price as it is after the edit.
///
/// # Errors
/// If the slug cannot be, or what never changes is believed to be something else.
pub fn edit_price(ctx: &Ctx, price: &Price, edit: &PriceEdit) -> Result<Price, Refusal> {
    if let Some(field) = edit.fixed.wrong_of(price) {
        return Err(Refusal::PriceFixed(field));
    }
    let mut after = price.clone();
    after.name = edit.name.clone().unwrap_or(after.name);
    after.slug = edit.slug.clone().unwrap_or(after.slug);
    after.is_default = edit.is_default.unwrap_or(after.is_default);
    after.active = edit.active.unwrap_or(after.active);
    check_slug(after.slug.as_deref())?;
    if after != *price {
        after.updated_at = ctx.now;
    }
    Ok(after)
}

/// What a discount is given. What is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DiscountEdit {
    /// Its name.
    pub name: Option<String>,
    /// The word that gets it.
    pub code: Option<String>,
    /// How much it takes off.
    pub amount: Option<DiscountAmount>,
    /// How long it lasts.
    pub duration: Option<DiscountDuration>,
    /// Whether it can be used for new subscriptions.
    pub active: Option<bool>,
}

/// Makes a discount.
///
/// # Errors
/// If a part is missing or cannot be.
pub fn new_discount(ctx: &mut Ctx, environment: i64, edit: &DiscountEdit) -> Result<Discount, Refusal> {
    let amount = edit.amount.ok_or_else(|| Refusal::invalid(Field::Amount, AMOUNT))?;
    let duration = edit
        .duration
        .ok_or_else(|| Refusal::invalid(Field::Duration, "once, number_of_payments or forever"))?;
    let blank = Discount {
        id: ctx.id(0),
        environment,
        name: String::new(),
        code: String::new(),
        amount,
        duration,
        active: true,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    edit_discount(ctx, &blank, edit)
}

const AMOUNT: &str = "whole percent from 1 to 100, or a whole number of minor units of at least 1";

/// The discount as it is after the edit.
///
/// # Errors
/// If a value cannot be.
pub fn edit_discount(ctx: &Ctx, discount: &Discount, edit: &DiscountEdit) -> Result<Discount, Refusal> {
    let mut after = discount.clone();
    after.name = edit.name.clone().unwrap_or(after.name);
    after.code = edit.code.clone().unwrap_or(after.code);
    after.amount = edit.amount.unwrap_or(after.amount);
    after.duration = edit.duration.unwrap_or(after.duration);
    after.active = edit.active.unwrap_or(after.active);
    check_name(&after.name)?;
    let is_word = !after.code.is_empty()
        && after.code.chars().count() <= 100
        && after.code.chars().all(|c| !c.is_whitespace() && !c.is_control());
    if !is_word {
        return Err(Refusal::invalid(Field::Code, "1 to 100 characters without spaces"));
    }
    let is_possible = match after.amount {
        DiscountAmount::Percent(percent) => (1..=100).contains(&percent),
        DiscountAmount::Fixed(money) => (1..=UNIT_PRICE_MAX).contains(&money.minor()),
    };
    if !is_possible {
        return Err(Refusal::invalid(Field::Amount, AMOUNT));
    }
    if after.duration.payments().is_some_and(|payments| !(1..=PERIODS_MAX).contains(&payments)) {
        return Err(Refusal::invalid(
            Field::DiscountPayments,
            format!("a whole number from 1 to {PERIODS_MAX}"),
        ));
    }
    if after != *discount {
        after.updated_at = ctx.now;
    }
    Ok(after)
}

/// The kinds of tax that document 002 knows.
pub const TAX_KINDS: &[&str] = &[
    "amusement_tax",
    "communications_tax",
    "gst",
    "hst",
    "igst",
    "jct",
    "lease_tax",
    "pst",
    "qst",
    "rst",
    "sales_tax",
    "vat",
];

/// What a tax rate is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTaxRate {
    /// The kind of tax.
    pub kind: String,
    /// Its country, in any case.
    pub country: String,
    /// The state, where the tax is one of a state.
    pub state: Option<String>,
    /// What it is for; everything if none.
    pub category: Option<Category>,
    /// How much.
    pub rate: Rate,
}

/// Makes a tax rate.
///
/// # Errors
/// If the kind or the country is unknown, or the rate is above 100 %.
pub fn new_tax_rate(ctx: &mut Ctx, environment: i64, new: &NewTaxRate) -> Result<TaxRate, Refusal> {
    if !TAX_KINDS.contains(&new.kind.as_str()) {
        return Err(Refusal::invalid(Field::TaxKind, format!("one of {}", TAX_KINDS.join(", "))));
    }
    let most = Rate::parse("100").map_err(Refusal::from)?;
    if new.rate > most {
        return Err(Refusal::invalid(Field::TaxPercentage, "a decimal percentage from 0 to 100"));
    }
    Ok(TaxRate {
        id: ctx.id(0),
        environment,
        kind: new.kind.clone(),
        country: country_of(Field::Country, &new.country)?,
        state: new
            .state
            .as_deref()
            .map(|state| state.trim().to_uppercase())
            .filter(|state| !state.is_empty()),
        category: new.category,
        rate: new.rate,
        created_at: ctx.now,
    })
}
