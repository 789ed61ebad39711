//! Books to measure on, made by the decisions of the engine itself, in bulk.

use crate::failure::Failure;
use billing::calendar::{Interval, IntervalUnit};
use billing::catalog::{Category, Price, PriceKind, Product, TaxBehavior, TaxRate};
use billing::changes::Changes;
use billing::currency::Currency;
use billing::customer::{Customer, CustomerUser, PaymentMethod, PaymentMethodKind};
use billing::customer_account::CustomerAccount;
use billing::environment::Environment;
use billing::id::{Ctx, CustomerId, Id, Ids};
use billing::invoice::in_context::InvoiceInContext;
use billing::money::Money;
use billing::payment::collect::{Outcome, conclude};
use billing::rate::Rate;
use billing::rules::Rules;
use billing::subscription::create::{NewSubscription, create};
use billing::subscription::items::NewItem;
use billing::timestamp::Timestamp;
use engine::{Engine, NewBooks};
use gateway::{Gateway, Sandbox};
use std::sync::Arc;
use store::{Options, Store, Synchronous};

/// How many customers are decided on and committed together.
const BATCH: usize = 500;

/// The first day of the first period of the first customer; the others follow within 24 days.
const FIRST: &str = "2024-01-01T00:00:00Z";

/// What books to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Customers, each with a card and one monthly subscription.
    pub(crate) customers: usize,
    /// Invoices of each.
    pub(crate) months: usize,
    /// Over how many shards the customers are spread.
    pub(crate) shards: i64,
    /// Subscriptions of each customer: one, or several that run daily, with so many invoices each.
    pub(crate) subscriptions: usize,
    /// How many of 25 customers have a card that declines the first attempt at each invoice. If there are
    /// some, everybody's periods begin on the same day.
    pub(crate) declining: usize,
    /// Organizations, each with so many customers, a catalog and tax rates of its own.
    pub(crate) organizations: usize,
}

/// Tax rates of each organization, where there are several.
const TAX_RATES: u8 = 65;

impl Shape {
    /// Books in one shard.
    pub(crate) fn new(customers: usize, months: usize) -> Shape {
        Shape { customers, months, shards: 1, subscriptions: 1, declining: 0, organizations: 1 }
    }

    fn is_daily(self) -> bool {
        self.subscriptions > 1
    }

    /// When the first period of a customer begins.
    fn start(self, n: usize) -> Result<Timestamp, Failure> {
        let first = Timestamp::parse(FIRST)?;
        Ok(match self.is_daily() {
            true => first.plus_days(24)?,
            false if self.declining > 0 => first,
            false => first.plus_days((n % 24) as i64)?,
        })
    }

    /// The card of a customer.
    fn card(self, n: usize) -> &'static str {
        if n % 25 < self.declining { "tok_decline_once" } else { "tok_visa" }
    }

    /// What books of this shape are called.
    pub(crate) fn name(self) -> String {
        // The schema is in the name, so that no older books are taken for these.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in SCHEMA.iter().flat_map(|text| text.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let Shape { customers, months, shards, subscriptions, declining, organizations } = self;
        let kind = format!("{subscriptions}-{declining}-{organizations}");
        format!("books-{customers}x{months}-{shards}-{kind}-{hash:016x}")
    }
}

/// What decides what books of a shape look like.
const SCHEMA: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_books.sql"),
    include_str!("../../migrations/postgres/0001_books.sql"),
    include_str!("books.rs"),
];

/// When all of month `n` (from 0) is due: after the last customer's day in it, and before the first
/// renewal of the next month is announced.
pub(crate) fn month_end(n: usize) -> Result<Timestamp, Failure> {
    let (year, month) = (2024 + n / 12, n % 12 + 1);
    Ok(Timestamp::parse(&format!("{year:04}-{month:02}-25T12:00:00Z"))?)
}

/// An instant at which periods that all began on the first day are over, and nothing else is due.
pub(crate) fn first_renewal() -> Result<Timestamp, Failure> {
    Ok(Timestamp::parse("2024-02-01T12:00:00Z")?)
}

/// An engine over books.
pub(crate) async fn engine(address: &str, synchronous: Synchronous, seed: u64) -> Result<Engine, Failure> {
    engine_with(address, synchronous, seed, Arc::new(Sandbox::default())).await
}

/// An engine over books, with a gateway.
pub(crate) async fn engine_with(
    address: &str,
    synchronous: Synchronous,
    seed: u64,
    gateway: Arc<dyn Gateway>,
) -> Result<Engine, Failure> {
    let store = Store::connect(address, Options { synchronous, ..Options::default() }).await?;
    Ok(Engine::new(store, gateway, Ids::seeded(seed)).several_shards_at_once())
}

/// Makes books of a shape at an address where there are none.
pub(crate) async fn make(address: &str, shape: Shape) -> Result<(), Failure> {
    eprintln!("making books: {shape:?}");
    let engine = engine(address, Synchronous::Off, 1).await?;
    engine.store().spread(billing::sharding::ShardPlacement::over(shape.shards)).await?;
    let now = month_end(0)?;
    let mut ctx = engine.ctx(now);
    for n in 0..shape.organizations {
        let name = if n == 0 { "Bench".to_owned() } else { format!("Bench {n}") };
        let (_, environment, _) = engine.open_books(&mut ctx, NewBooks::test(&name, now)).await?;
        let offer = offer(&engine, &mut ctx, &environment, shape).await?;
        let rules = rules(&engine, &mut ctx, environment, shape).await?;
        for from in (0..shape.customers).step_by(BATCH) {
            let until = (from + BATCH).min(shape.customers);
            join(&engine, &mut ctx, &rules, &offer, shape, from..until).await?;
        }
        for month in 1..shape.months {
            let due = if shape.is_daily() { now.plus_days(month as i64)? } else { month_end(month)? };
            engine.run_due(rules.environment.number, due).await?;
        }
    }
    engine.store().close().await?;
    Ok(())
}

/// The rules of an environment; with tax rates, if it is one of several.
async fn rules(
    engine: &Engine,
    ctx: &mut Ctx,
    environment: Environment,
    shape: Shape,
) -> Result<Rules, Failure> {
    let mut tax_rates = Vec::new();
    if shape.organizations > 1 {
        let mut changes = Changes::default();
        for n in 0..TAX_RATES {
            // A run of codes in which the customers' is one.
            let code = 60 + n;
            let country = [b'A' + code / 26, b'A' + code % 26].map(char::from).iter().collect();
            let rate = TaxRate {
                id: ctx.id(0),
                environment: environment.number,
                kind: "vat".into(),
                country,
                state: None,
                category: None,
                rate: Rate::parse("19")?,
                created_at: ctx.now,
            };
            changes.insert(rate.clone());
            tax_rates.push(rate);
        }
        engine.store().commit(changes).await?;
    }
    Ok(Rules { environment, tax_rates })
}

/// One product with a monthly price of 10.00, or a daily one.
async fn offer(
    engine: &Engine,
    ctx: &mut Ctx,
    environment: &Environment,
    shape: Shape,
) -> Result<NewItem, Failure> {
    let (now, environment) = (ctx.now, environment.number);
    let every = if shape.is_daily() { IntervalUnit::Day } else { IntervalUnit::Month };
    let catalog = billing::catalog::Catalog {
        id: ctx.id(0),
        environment,
        name: "Plans".into(),
        is_default: false,
        created_at: now,
        updated_at: now,
    };
    let product = Product {
        id: ctx.id(0),
        environment,
        number: 0,
        catalog_id: catalog.id,
        name: "Basic".into(),
        slug: None,
        description: None,
        image_url: None,
        category: Category::Subscription,
        is_default: false,
        active: true,
        display_features: None,
        singular_quantity_label: None,
        plural_quantity_label: None,
        created_at: now,
        updated_at: now,
    };
    let price = Price {
        id: ctx.id(0),
        environment,
        number: 0,
        product_id: product.id,
        kind: PriceKind::Subscription,
        name: Some("Monthly".into()),
        slug: None,
        unit_price: Money::new(1000, Currency::USD),
        interval: Some(Interval::new(every, 1)),
        trial_days: None,
        setup_fee: None,
        period_count: None,
        tax_behavior: TaxBehavior::Exclusive,
        is_default: true,
        active: true,
        created_at: now,
        updated_at: now,
    };
    let mut changes = Changes::default();
    changes.insert(catalog);
    changes.insert(product.clone());
    changes.insert(price.clone());
    engine.store().commit(changes).await?;
    Ok(NewItem { price, product, quantity: 1 })
}

/// Makes customers with their cards and subscriptions, and pays their first invoices.
async fn join(
    engine: &Engine,
    ctx: &mut Ctx,
    rules: &Rules,
    offer: &NewItem,
    shape: Shape,
    range: std::ops::Range<usize>,
) -> Result<(), Failure> {
    let mut changes = Changes::default();
    let mut payers = Vec::with_capacity(range.len());
    for n in range.clone() {
        payers.push(payer(ctx, rules.environment.number, shape, n, &mut changes));
    }
    engine.store().commit(changes).await?;
    for _ in 0..shape.subscriptions {
        payers = subscribe(engine, ctx, rules, offer, shape, range.clone().zip(payers)).await?;
    }
    Ok(())
}

/// Makes a subscription of each payer, and pays its first invoice.
async fn subscribe(
    engine: &Engine,
    ctx: &mut Ctx,
    rules: &Rules,
    offer: &NewItem,
    shape: Shape,
    payers: impl Iterator<Item = (usize, CustomerAccount)>,
) -> Result<Vec<CustomerAccount>, Failure> {
    let mut changes = Changes::default();
    let mut started = Vec::new();
    for (n, mut payer) in payers {
        let new = subscription(offer, shape.start(n)?, payer.invoice_count > 0);
        changes.decided_on.push((payer.id(), payer.version));
        let created = create(ctx, rules, &mut payer, new, &mut changes)?;
        payer.version += 1;
        started.push((payer, created));
    }
    let numbered = engine.store().commit(changes).await?.invoices;
    let mut changes = Changes::default();
    let mut joined = Vec::with_capacity(started.len());
    for ((mut payer, created), invoice) in started.into_iter().zip(numbered) {
        let subscription = Some(created.subscription);
        let bill = InvoiceInContext { invoice, subscription, purchase: None, has_other_open_invoices: false };
        let payment = created.payment.ok_or("a first invoice without a payment")?;
        let outcome = Outcome::Succeeded { reference: format!("ch_{:032x}", payment.id.raw()) };
        changes.decided_on.push((payer.id(), payer.version));
        conclude(ctx, rules, &mut payer, &payment, &bill, &outcome, &mut changes)?;
        payer.version += 1;
        joined.push(payer);
    }
    engine.store().commit(changes).await?;
    Ok(joined)
}

/// A customer with its card and one person, not in the books yet.
fn payer(ctx: &mut Ctx, environment: i64, shape: Shape, n: usize, changes: &mut Changes) -> CustomerAccount {
    let now = ctx.now;
    let country = (shape.organizations > 1).then(|| "DE".to_owned());
    let id: CustomerId = ctx.customer_id(environment);
    let customer = Customer {
        external_id: format!("customer-{n}"),
        handle: Some(format!("customer-{n}.example.com")),
        name: format!("Customer {n}"),
        email: format!("customer-{n}@example.com"),
        invoice_number_base: format!("C{n:06}"),
        country,
        ..Customer::new(id, environment, now)
    };
    let method = PaymentMethod {
        id: ctx.id(id.shard()),
        environment,
        customer_id: customer.id,
        kind: PaymentMethodKind::Card,
        is_default: true,
        token: shape.card(n).into(),
        billing_details: "{\"name\":\"Ada\",\"email\":\"ada@example.com\",\"address\":{\"country\":\"US\"}}"
            .into(),
        data: "{\"brand\":\"visa\",\"last4\":\"4242\",\"exp_month\":12,\"exp_year\":2030}".into(),
        metadata: None,
        created_at: now,
        updated_at: now,
    };
    let user = CustomerUser {
        id: ctx.id(id.shard()),
        environment,
        customer_id: customer.id,
        email: customer.email.clone(),
        name: customer.name.clone(),
        created_at: now,
    };
    changes.insert(customer.clone());
    changes.insert(user);
    changes.insert(method.clone());
    CustomerAccount {
        customer,
        version: 1,
        methods: vec![method],
        credits: Vec::new(),
        invoice_count: 0,
        currency_invoice_counts: Vec::new(),
    }
}

fn subscription(offer: &NewItem, start: Timestamp, has_current: bool) -> NewSubscription {
    NewSubscription {
        items: vec![offer.clone()],
        name: None,
        start,
        trial_end: None,
        default_payment_method_id: None,
        backup_payment_method_id: None,
        discount: None,
        metadata: None,
        has_current,
    }
}
