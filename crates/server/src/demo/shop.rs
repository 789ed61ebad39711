//! The seller opens: books, staff, goods, coupons and taxes.

use super::goods::{COUPONS, GOODS, Good, LARGE_GOODS, MAIN_PRODUCT, Off, TAXES, Tag};
use crate::json::object;
use billing::calendar::Interval;
use billing::catalog::edit::{CatalogEdit, DiscountEdit, NewPrice, NewTaxRate, ProductEdit};
use billing::catalog::{DiscountAmount, DiscountDuration, PriceKind, TaxBehavior};
use billing::credential::Role;
use billing::environment::{DunningEnd, Environment};
use billing::id::{CatalogId, PriceId, ProductId, StaffId};
use billing::money::Money;
use billing::rate::Rate;
use billing::refusal::Refusal;
use billing::timestamp::Timestamp;
use engine::{At, Engine, Error, NewBooks};
use std::collections::BTreeMap;

/// The seller's name.
const SELLER: &str = "Lark Communications";

/// Its staff: e-mail address, name, role. The first one keeps the books.
pub(super) const STAFF: [(&str, &str, &str); 4] = [
    ("olivia@lark.example", "Olivia Owner", "owner"),
    ("victor@lark.example", "Victor Viewer", "viewer"),
    ("gina@lark.example", "Gina Guest", "guest"),
    ("anna@lark.example", "Anna Accountant", "accountant"),
];

/// A shop that is open.
pub(super) struct Shop {
    pub environment: Environment,
    /// Who writes manual payments down.
    pub owner: StaffId,
    pub prices: BTreeMap<&'static str, PriceId>,
    pub products: BTreeMap<&'static str, ProductId>,
    pub large_catalog: CatalogId,
}

/// Opens the shop: test books whose clock stands at the beginning.
pub(super) async fn open(engine: &Engine, start: Timestamp) -> Result<Shop, Error> {
    let [(email, name, _), others @ ..] = STAFF;
    let new = NewBooks {
        staff_email: email.to_owned(),
        staff_name: name.to_owned(),
        default_product: Some(MAIN_PRODUCT.to_owned()),
        ..NewBooks::test(SELLER, start)
    };
    let (_, environment, owner) = engine.open_books(&mut engine.ctx(start), new).await?;
    let number = environment.number;
    engine.put_roles(Role::defaults(number)).await?;
    for (email, _, role) in others {
        engine.staff_of_email(At::new(start, number), email, Some(role.to_owned())).await?;
    }
    for tax in TAXES {
        let rate = NewTaxRate {
            kind: tax.kind.to_owned(),
            country: tax.country.to_owned(),
            state: tax.state.map(str::to_owned),
            category: tax.category,
            rate: Rate::parse(tax.rate).map_err(Refusal::from)?,
        };
        engine.create_tax_rate(At::new(start, number), rate).await?;
    }
    offer_discounts(engine, number, start).await?;
    let large = CatalogEdit { name: Some("Enterprise".to_owned()), is_default: Some(false) };
    let large_catalog = engine.create_catalog(At::new(start, number), large).await?.id;
    let mut shop = Shop {
        environment,
        owner: owner.id,
        prices: BTreeMap::new(),
        products: BTreeMap::new(),
        large_catalog,
    };
    shop.ends_dunning_by(engine, start, DunningEnd::MarkUnpaid).await?;
    for good in GOODS {
        shop.offer(engine, start, None, good).await?;
    }
    for good in LARGE_GOODS {
        shop.offer(engine, start, Some(large_catalog), good).await?;
    }
    Ok(shop)
}

async fn offer_discounts(engine: &Engine, environment: i64, start: Timestamp) -> Result<(), Error> {
    for (code, name, off, payments) in COUPONS {
        let coupon = DiscountEdit {
            name: Some((*name).to_owned()),
            code: Some((*code).to_owned()),
            amount: Some(match off {
                Off::Percent(percent) => DiscountAmount::Percent(*percent),
                Off::Fixed(amount, currency) => DiscountAmount::Fixed(Money::new(*amount, *currency)),
            }),
            duration: Some(match payments {
                None => DiscountDuration::Forever,
                Some(1) => DiscountDuration::Once,
                Some(payments) => DiscountDuration::NumberOfPayments(*payments),
            }),
            active: Some(true),
        };
        engine.create_discount(At::new(start, environment), coupon).await?;
    }
    Ok(())
}

impl Shop {
    /// What happens from now on to subscriptions that cannot be collected.
    pub(super) async fn ends_dunning_by(
        &mut self,
        engine: &Engine,
        now: Timestamp,
        end: DunningEnd,
    ) -> Result<(), Error> {
        let at = At::new(now, self.environment.number);
        self.environment = engine.update_environment(at, move |books| books.dunning.end = end).await?;
        Ok(())
    }

    async fn offer(
        &mut self,
        engine: &Engine,
        now: Timestamp,
        catalog: Option<CatalogId>,
        good: &Good,
    ) -> Result<(), Error> {
        let number = self.environment.number;
        let features: Vec<String> = good
            .features
            .iter()
            .map(|label| object(|o| _ = o.put("enabled", true).put("label", *label)))
            .collect();
        let features = format!("[{}]", features.join(","));
        let labels = |pick: fn(&(&'static str, &'static str)) -> &'static str| {
            Some(good.units.as_ref().map(|units| pick(units).to_owned()))
        };
        let new = ProductEdit {
            name: Some(good.name.to_owned()),
            slug: Some(Some(good.slug.to_owned())),
            description: Some(Some(good.description.to_owned())),
            category: Some(good.category),
            active: Some(good.active),
            display_features: (!good.features.is_empty()).then_some(Some(features)),
            singular_quantity_label: labels(|units| units.0),
            plural_quantity_label: labels(|units| units.1),
            ..ProductEdit::default()
        };
        let (product, _) = engine.create_product(At::new(now, number), catalog, new, None).await?;
        self.products.insert(good.slug, product.id);
        for (place, tag) in good.tags.iter().enumerate() {
            let price = price_of(tag, place == 0, good.active);
            let price = engine.create_price(At::new(now, number), product.id, price).await?;
            self.prices.insert(tag.slug, price.id);
        }
        Ok(())
    }
}

fn price_of(tag: &Tag, is_default: bool, active: bool) -> NewPrice {
    NewPrice {
        kind: if tag.every.is_some() { PriceKind::Subscription } else { PriceKind::SinglePayment },
        name: Some(tag.name.to_owned()),
        slug: Some(tag.slug.to_owned()),
        unit_price: Money::new(tag.amount, tag.currency),
        interval: tag.every.map(|(unit, count)| Interval::new(unit, count)),
        trial_days: tag.trial_days,
        setup_fee: tag.setup_fee,
        period_count: tag.periods,
        tax_behavior: if tag.with_tax { TaxBehavior::Inclusive } else { TaxBehavior::Exclusive },
        is_default,
        active,
    }
}
