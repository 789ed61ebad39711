//! What is sold in the simulated world, and the policies by which its books are kept.

use crate::dice::Dice;
use billing::calendar::{Interval, IntervalUnit};
use billing::catalog::edit::{DiscountEdit, NewPrice, NewTaxRate, ProductEdit};
use billing::catalog::{
    Category, Discount, DiscountAmount, DiscountDuration, Price, PriceKind, TaxBehavior, TaxRate,
};
use billing::currency::Currency;
use billing::environment::{DunningEnd, DunningPolicy, Environment, Numbering};
use billing::id::{PriceId, ProductId, StaffId};
use billing::money::Money;
use billing::rate::Rate;
use billing::timestamp::Timestamp;
use engine::{At, Engine, Error, NewBooks};

/// Zones with and without changes of clocks, ahead of and behind UTC.
pub const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Casablanca",
];

/// Something that can be bought.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Its price.
    pub price: Price,
    /// What it is for.
    pub category: Category,
    /// Of which product.
    pub product: ProductId,
}

/// All that is sold, and how.
#[derive(Debug, Clone)]
pub struct Shop {
    /// The books.
    pub environment: Environment,
    /// Who writes manual payments down.
    pub staff: StaffId,
    /// What can be bought.
    pub offers: Vec<Offer>,
    /// What takes money off.
    pub discounts: Vec<Discount>,
    /// What goes to tax offices.
    pub rates: Vec<TaxRate>,
}

impl Shop {
    /// The offer of a price.
    pub fn offer(&self, price: PriceId) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.price.id == price)
    }

    /// Opens the books and fills the shelves.
    ///
    /// # Errors
    /// Whatever the engine answers.
    pub async fn open(engine: &Engine, dice: &mut Dice, now: Timestamp) -> Result<Self, Error> {
        let is_live = dice.percent(40);
        let mut ctx = engine.ctx(now);
        let zone = dice.pick(ZONES).copied().unwrap_or("UTC").to_owned();
        let clock = (!is_live).then_some(now);
        let new = NewBooks { livemode: is_live, zone, clock, ..NewBooks::test("Simulated", now) };
        let (_, mut environment, staff) = engine.open_books(&mut ctx, new).await?;
        set_policies(&mut environment, dice);
        engine
            .update_environment(At::new(now, environment.number), |books| *books = environment.clone())
            .await?;
        let mut shop = Self {
            environment,
            staff: staff.id,
            offers: Vec::new(),
            discounts: Vec::new(),
            rates: Vec::new(),
        };
        for category in [Category::Subscription, Category::AddOn, Category::Sms] {
            shop.stock(engine, dice, now, category).await?;
        }
        shop.set_discounts(engine, now).await?;
        shop.set_rates(engine, now).await?;
        Ok(shop)
    }

    async fn stock(
        &mut self,
        engine: &Engine,
        dice: &mut Dice,
        now: Timestamp,
        category: Category,
    ) -> Result<(), Error> {
        let number = self.environment.number;
        let product = ProductEdit {
            name: Some(category.as_str().to_owned()),
            category: Some(category),
            ..ProductEdit::default()
        };
        let (product, _) = engine.create_product(At::new(now, number), None, product, None).await?;
        for new in prices(dice, category) {
            let price = engine.create_price(At::new(now, number), product.id, new).await?;
            self.offers.push(Offer { price, category, product: product.id });
        }
        Ok(())
    }

    async fn set_discounts(&mut self, engine: &Engine, now: Timestamp) -> Result<(), Error> {
        let five = DiscountAmount::Fixed(Money::new(500, Currency::USD));
        for (code, amount, duration) in [
            ("ONCE", DiscountAmount::Percent(10), DiscountDuration::Once),
            ("THRICE", DiscountAmount::Percent(33), DiscountDuration::NumberOfPayments(3)),
            ("FREE", DiscountAmount::Percent(100), DiscountDuration::NumberOfPayments(2)),
            ("FIVE", five, DiscountDuration::Forever),
            ("LOYAL", DiscountAmount::Percent(15), DiscountDuration::Forever),
        ] {
            let new = DiscountEdit {
                name: Some(code.to_lowercase()),
                code: Some(code.to_owned()),
                amount: Some(amount),
                duration: Some(duration),
                active: Some(true),
            };
            let discount = engine.create_discount(At::new(now, self.environment.number), new).await?;
            self.discounts.push(discount);
        }
        Ok(())
    }

    async fn set_rates(&mut self, engine: &Engine, now: Timestamp) -> Result<(), Error> {
        for (kind, country, state, category, percent) in [
            ("gst", "IN", None, None, "18"),
            ("vat", "DE", None, None, "19"),
            ("vat", "DE", None, Some(Category::Sms), "7"),
            ("sales_tax", "US", Some("CA"), None, "7.25"),
        ] {
            let new = NewTaxRate {
                kind: kind.to_owned(),
                country: country.to_owned(),
                state: state.map(str::to_owned),
                category,
                rate: Rate::parse(percent).map_err(billing::refusal::Refusal::from)?,
            };
            let rate = engine.create_tax_rate(At::new(now, self.environment.number), new).await?;
            self.rates.push(rate);
        }
        Ok(())
    }
}

fn set_policies(environment: &mut Environment, dice: &mut Dice) {
    let days: [&[i64]; 5] = [&[3, 5, 5], &[3, 5, 5], &[1], &[], &[0, 2]];
    let end =
        dice.weighed((2, DunningEnd::LeavePastDue), &[(2, DunningEnd::Cancel), (2, DunningEnd::MarkUnpaid)]);
    let retry_days = dice.pick(&days).map(|days| days.to_vec()).unwrap_or_default();
    environment.dunning = DunningPolicy { retry_days, end };
    environment.numbering = dice.weighed((3, Numbering::Organization), &[(2, Numbering::Customer)]);
    environment.due_days = dice.between(0, 14);
    environment.grace_days = dice.between(0, 5);
    environment.remind_at_percent_remaining = dice.weighed((2, 10), &[(1, 0), (1, 50)]);
    environment.multiple_subscriptions = dice.percent(80);
}

fn prices(dice: &mut Dice, category: Category) -> Vec<NewPrice> {
    let (month, year) = (Interval::new(IntervalUnit::Month, 1), Interval::new(IntervalUnit::Year, 1));
    let (week, day) = (Interval::new(IntervalUnit::Week, 1), Interval::new(IntervalUnit::Day, 3));
    let quarter = Interval::new(IntervalUnit::Month, 3);
    let mut some = vec![
        recurring(dice, Currency::USD, month, 100..=9_000),
        recurring(dice, Currency::USD, month, 100..=9_000),
        recurring(dice, Currency::USD, year, 9_000..=90_000),
        recurring(dice, Currency::JPY, month, 100..=5_000),
        recurring(dice, Currency::KWD, quarter, 1_001..=20_003),
        recurring(dice, Currency::EUR, week, 99..=999),
        recurring(dice, Currency::EUR, day, 1..=99),
        once(dice, Currency::USD),
        once(dice, Currency::JPY),
    ];
    // Short periods end by themselves, so that five years stay bearable.
    for price in some.iter_mut().filter(|price| price.interval == Some(week) || price.interval == Some(day)) {
        price.period_count = Some(dice.between(1, 9));
    }
    if category == Category::Subscription {
        let mut free = recurring(dice, Currency::USD, month, 0..=0);
        free.setup_fee = None;
        some.push(free);
    }
    for (n, price) in some.iter_mut().enumerate() {
        price.name = Some(format!("{} {n}", category.as_str()));
    }
    some
}

fn recurring(
    dice: &mut Dice,
    currency: Currency,
    interval: Interval,
    minor: std::ops::RangeInclusive<i64>,
) -> NewPrice {
    let unit_price = Money::new(dice.between(*minor.start(), *minor.end()), currency);
    NewPrice {
        kind: PriceKind::Subscription,
        name: None,
        slug: None,
        unit_price,
        interval: Some(interval),
        trial_days: dice.percent(25).then(|| dice.between(1, 40)),
        setup_fee: dice.percent(30).then(|| dice.between(1, 3_000)),
        period_count: dice.percent(15).then(|| dice.between(1, 14)),
        tax_behavior: dice.weighed((1, TaxBehavior::Exclusive), &[(1, TaxBehavior::Inclusive)]),
        is_default: false,
        active: true,
    }
}

fn once(dice: &mut Dice, currency: Currency) -> NewPrice {
    let month = Interval::new(IntervalUnit::Month, 1);
    let mut price = recurring(dice, currency, month, 50..=20_000);
    price.kind = PriceKind::SinglePayment;
    price.interval = None;
    price.trial_days = None;
    price.setup_fee = None;
    price.period_count = None;
    price
}
