//! What is sold: catalogs, products, prices, discounts and tax rates.
//!
//! Owns what these are. How they are made and changed is in `edit`, what is charged by them in `invoice`,
//! who bears which tax in `tax`. Amounts are in the currency of the price; a discount's percent is whole and
//! from 1 to 100. Rows say when they were made and changed, and no other time.

pub mod edit;

use crate::calendar::Interval;
use crate::currency::Currency;
use crate::id::{CatalogId, DiscountId, PriceId, ProductId, TaxRateId};
use crate::money::{Money, MoneyError, Ratio, Rounding};
use crate::rate::Rate;
use crate::refusal::{Field, Refusal};
use crate::timestamp::Timestamp;

/// What a charge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// A plan.
    Subscription,
    /// Something beside a plan.
    AddOn,
    /// Prepaid credits.
    Credits,
    /// Tools that use artificial intelligence.
    AiTools,
    /// Text messages.
    Sms,
    /// Room for files.
    Storage,
}

crate::text_enum!(Category {
    Subscription = "subscription",
    AddOn = "add_on",
    Credits = "credits",
    AiTools = "ai_tools",
    Sms = "sms",
    Storage = "storage",
});

/// A set of products that customers are offered.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    /// Its id.
    pub id: CatalogId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Its name.
    pub name: String,
    /// Whether customers without a catalog buy from it.
    pub is_default: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Something sold.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Its place among the environment's products, from 1; the commit fills it in.
    pub number: i64,
    /// The catalog that offers it.
    pub catalog_id: CatalogId,
    /// Its name.
    pub name: String,
    /// The merchant's own short name for it, unique in the catalog.
    pub slug: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// A picture of it.
    pub image_url: Option<String>,
    /// What charges for it are for.
    pub category: Category,
    /// Whether customers get it when they have bought nothing.
    pub is_default: bool,
    /// Whether it can be bought.
    pub active: bool,
    /// What a page shows of it, as JSON text.
    pub display_features: Option<String>,
    /// What one of it is called.
    pub singular_quantity_label: Option<String>,
    /// What several of it are called.
    pub plural_quantity_label: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// How a price is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceKind {
    /// Again and again.
    Subscription,
    /// Once.
    SinglePayment,
}

crate::text_enum!(PriceKind { Subscription = "subscription", SinglePayment = "single_payment" });

/// Whether an amount holds its tax already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxBehavior {
    /// Tax comes on top.
    Exclusive,
    /// Tax is inside.
    Inclusive,
}

crate::text_enum!(TaxBehavior { Exclusive = "exclusive", Inclusive = "inclusive" });

/// A price of a product.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// Its id.
    pub id: PriceId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Its place among the environment's prices, from 1; the commit fills it in.
    pub number: i64,
    /// What it prices.
    pub product_id: ProductId,
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
    /// Charged once, with the first paid period; in the currency of `unit_price`.
    pub setup_fee: Option<Money>,
    /// After how many paid periods the subscription is complete; none if never.
    pub period_count: Option<i64>,
    /// Whether tax is inside or on top.
    pub tax_behavior: TaxBehavior,
    /// Whether it is the product's first offer.
    pub is_default: bool,
    /// Whether it can be bought.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// How much a discount takes off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DiscountAmount {
    /// Whole percent of the net amount, 1 to 100.
    Percent(i64),
    /// A fixed amount, at most the net amount, of invoices in its currency.
    Fixed(Money),
}

/// How long a discount lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscountDuration {
    /// For one invoice.
    Once,
    /// For so many invoices.
    NumberOfPayments(i64),
    /// For every invoice.
    Forever,
}

impl DiscountDuration {
    /// How many invoices it is for; none if for all.
    pub const fn payments(self) -> Option<i64> {
        match self {
            Self::Once => Some(1),
            Self::NumberOfPayments(n) => Some(n),
            Self::Forever => None,
        }
    }
}

/// A reduction of price.
#[derive(Debug, Clone, PartialEq)]
pub struct Discount {
    /// Its id.
    pub id: DiscountId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Its name.
    pub name: String,
    /// The word that gets it, unique in the environment.
    pub code: String,
    /// How much it takes off.
    pub amount: DiscountAmount,
    /// How long it lasts.
    pub duration: DiscountDuration,
    /// Whether it can be used for new subscriptions.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Discount {
    /// Checks that it takes something off what is sold in a currency.
    ///
    /// # Errors
    /// If it is an amount in another currency.
    pub fn check_currency(&self, sold_in: Currency) -> Result<(), Refusal> {
        match self.amount {
            DiscountAmount::Fixed(amount) if amount.currency() != sold_in => {
                let wanted = format!("the code of a discount in {sold_in}, or of a percentage");
                Err(Refusal::invalid(Field::Discount, wanted))
            }
            DiscountAmount::Fixed(_) | DiscountAmount::Percent(_) => Ok(()),
        }
    }

    /// What it takes off a part of a period: a percentage stays, an amount is shared out.
    ///
    /// # Errors
    /// If the amount is beyond what the books can hold.
    pub(crate) fn prorated(&self, share: Ratio) -> Result<Self, MoneyError> {
        let amount = match self.amount {
            DiscountAmount::Percent(percent) => DiscountAmount::Percent(percent),
            DiscountAmount::Fixed(whole) => DiscountAmount::Fixed(whole.prorate(share, Rounding::HalfUp)?),
        };
        Ok(Self { amount, ..self.clone() })
    }
}

/// A tax of a country or one of its states, for all categories or for one.
#[derive(Debug, Clone, PartialEq)]
pub struct TaxRate {
    /// Its id.
    pub id: TaxRateId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// The kind of tax: a word of document 002's tax types, as `gst` or `vat`.
    pub kind: String,
    /// ISO 3166 alpha-2, upper case.
    pub country: String,
    /// The state, where the tax is one of a state.
    pub state: Option<String>,
    /// What it is for; everything if none.
    pub category: Option<Category>,
    /// How much.
    pub rate: Rate,
    /// When it was made.
    pub created_at: Timestamp,
}

impl TaxRate {
    /// The jurisdiction that its ledger account names: `IN` or `US-CA`.
    pub fn jurisdiction(&self) -> String {
        match &self.state {
            Some(state) => format!("{}-{}", self.country, state),
            None => self.country.clone(),
        }
    }
}
