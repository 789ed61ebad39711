//! Books to measure on, made by the decisions of the engine itself, in bulk.

use crate::Failure;
use billing::payment::{Outcome, conclude};
use billing::subscription::{NewItem, NewSubscription, create};
use billing::{
    Category, Change, Changes, Ctx, Currency, Customer, CustomerAccount, CustomerId, CustomerUser, Id, Ids,
    Interval, IntervalUnit, InvoiceInContext, Money, PaymentMethod, PaymentMethodKind, Price, PriceKind,
    Product, Rules, TaxBehavior, Timestamp,
};
use engine::{Engine, NewBooks};
use gateway::Sandbox;
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
}

impl Shape {
    /// Books in one shard.
    pub(crate) fn new(customers: usize, months: usize) -> Shape {
        Shape { customers, months, shards: 1 }
    }

    /// What books of this shape are called.
    pub(crate) fn name(self) -> String {
        // The schema is in the name, so that no older books are taken for these.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in SCHEMA.iter().flat_map(|text| text.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let Shape { customers, months, shards } = self;
        format!("books-{customers}x{months}-{shards}-{hash:016x}")
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

/// An engine over books.
pub(crate) async fn engine(address: &str, synchronous: Synchronous, seed: u64) -> Result<Engine, Failure> {
    let store = Store::connect(address, Options { synchronous, ..Options::default() }).await?;
    Ok(Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(seed)).several_shards_at_once())
}

/// Makes books of a shape at an address where there are none.
pub(crate) async fn make(address: &str, shape: Shape) -> Result<(), Failure> {
    eprintln!("making books: {} customers, {} invoices each", shape.customers, shape.months);
    let engine = engine(address, Synchronous::Off, 1).await?;
    engine.store().spread(billing::ShardPlacement::over(shape.shards)).await?;
    let first = Timestamp::parse(FIRST)?;
    let now = month_end(0)?;
    let mut ctx = engine.ctx(now);
    let (_, environment, _) = engine.open_books(&mut ctx, NewBooks::test("Bench", now)).await?;
    let offer = offer(&engine, &mut ctx, environment.number).await?;
    let rules = Rules { environment, tax_rates: Vec::new() };
    for from in (0..shape.customers).step_by(BATCH) {
        let until = (from + BATCH).min(shape.customers);
        join(&engine, &mut ctx, &rules, &offer, first, from..until).await?;
    }
    for month in 1..shape.months {
        engine.run_due(rules.environment.number, month_end(month)?).await?;
    }
    engine.store().close().await?;
    Ok(())
}

/// One product with a monthly price of 10.00.
async fn offer(engine: &Engine, ctx: &mut Ctx, environment: i64) -> Result<NewItem, Failure> {
    let now = ctx.now;
    let catalog = billing::Catalog {
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
        interval: Some(Interval::new(IntervalUnit::Month, 1)),
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
    changes.push(Change::InsertCatalog(catalog));
    changes.push(Change::InsertProduct(product.clone()));
    changes.push(Change::InsertPrice(price.clone()));
    engine.store().commit(changes).await?;
    Ok(NewItem { price, product, quantity: 1 })
}

/// Makes customers with their cards and subscriptions, and pays their first invoices.
async fn join(
    engine: &Engine,
    ctx: &mut Ctx,
    rules: &Rules,
    offer: &NewItem,
    first: Timestamp,
    range: std::ops::Range<usize>,
) -> Result<(), Failure> {
    let mut changes = Changes::default();
    let mut payers = Vec::with_capacity(range.len());
    for n in range.clone() {
        payers.push(payer(ctx, rules.environment.number, n, &mut changes));
    }
    engine.store().commit(changes).await?;
    let mut changes = Changes::default();
    let mut started = Vec::with_capacity(payers.len());
    for (n, mut payer) in range.zip(payers) {
        let start = first.plus_days((n % 24) as i64)?;
        changes.decided_on.push((payer.id(), payer.version));
        let created = create(ctx, rules, &mut payer, subscription(offer, start), &mut changes)?;
        payer.version += 1;
        started.push((payer, created));
    }
    let numbered = engine.store().commit(changes).await?.invoices;
    let mut changes = Changes::default();
    for ((mut payer, created), invoice) in started.into_iter().zip(numbered) {
        let subscription = Some(created.subscription);
        let bill = InvoiceInContext { invoice, subscription, purchase: None, has_other_open_invoices: false };
        let payment = created.payment.ok_or("a first invoice without a payment")?;
        let outcome = Outcome::Succeeded { reference: format!("ch_{:032x}", payment.id.raw()) };
        changes.decided_on.push((payer.id(), payer.version));
        conclude(ctx, rules, &mut payer, &payment, &bill, &outcome, &mut changes)?;
    }
    engine.store().commit(changes).await?;
    Ok(())
}

/// A customer with its card and one person, not in the books yet.
fn payer(ctx: &mut Ctx, environment: i64, n: usize, changes: &mut Changes) -> CustomerAccount {
    let now = ctx.now;
    let id: CustomerId = ctx.customer_id(environment);
    let customer = Customer {
        id,
        environment,
        external_id: format!("customer-{n}"),
        handle: Some(format!("customer-{n}.example.com")),
        name: format!("Customer {n}"),
        email: format!("customer-{n}@example.com"),
        archived: false,
        invoice_number_base: format!("C{n:06}"),
        logo_url: None,
        icon_url: None,
        domain: None,
        billing_address: None,
        country: None,
        state: None,
        user_id: None,
        catalog_id: None,
        zone: None,
        created_at: now,
        updated_at: now,
    };
    let method = PaymentMethod {
        id: ctx.id(id.shard()),
        environment,
        customer_id: customer.id,
        kind: PaymentMethodKind::Card,
        is_default: true,
        token: "tok_visa".into(),
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
    changes.push(Change::InsertCustomer(customer.clone()));
    changes.push(Change::InsertCustomerUser(user));
    changes.push(Change::InsertPaymentMethod(method.clone()));
    CustomerAccount {
        customer,
        version: 1,
        methods: vec![method],
        credits: Vec::new(),
        invoice_count: 0,
        currency_invoice_counts: Vec::new(),
    }
}

fn subscription(offer: &NewItem, start: Timestamp) -> NewSubscription {
    NewSubscription {
        items: vec![offer.clone()],
        name: None,
        start,
        trial_end: None,
        default_payment_method_id: None,
        backup_payment_method_id: None,
        discount: None,
        metadata: None,
        has_current: false,
    }
}
