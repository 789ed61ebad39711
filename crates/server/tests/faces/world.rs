//! Two organizations that sell, each with a customer that has paid and one whose card is declined.

use crate::harness::{TestApp, time};
use crate::seeds::{self, id};
use billing::{
    Category, Change, Currency, Customer, Environment, KeyScope, PaymentMethod, PaymentMethodKind, Price,
    Subscription, Timestamp,
};
use engine::{At, Subscribe, SubscribeItem};

/// One organization.
pub(crate) struct House {
    pub(crate) books: Environment,
    pub(crate) price: Price,
    /// Pays 15 US dollars a month since 1 March 2026, 10:00 UTC.
    pub(crate) payer: Customer,
    pub(crate) subscription: Subscription,
    /// Its card is declined.
    pub(crate) debtor: Customer,
    pub(crate) owed: Subscription,
    pub(crate) payer_token: String,
    pub(crate) owner: String,
    pub(crate) viewer: String,
    pub(crate) guest: String,
    pub(crate) merchant_key: String,
    pub(crate) periods_key: String,
}

/// A server with two organizations.
pub(crate) struct World {
    pub(crate) test: TestApp,
    pub(crate) ours: House,
    pub(crate) theirs: House,
}

/// When everybody subscribed.
pub(crate) fn joined() -> Timestamp {
    time("2026-03-01T10:00:00Z")
}

impl World {
    /// Live books; the clock stands at noon of 20 March 2026.
    pub(crate) async fn new() -> Self {
        Self::on(TestApp::new().await).await
    }

    /// The same in books that are there already.
    pub(crate) async fn on(test: TestApp) -> Self {
        let ours = House::open(&test, "Ours", 1_000).await;
        let theirs = House::open(&test, "Theirs", 2_000).await;
        Self { test, ours, theirs }
    }
}

impl House {
    async fn open(test: &TestApp, name: &str, n: u128) -> Self {
        let books = test.books(name, None).await;
        let number = books.number;
        let window = store::pages::Window { after: None, limit: 1 };
        let catalog = test.engine.catalogs(number, window).await.unwrap().rows[0].id;
        let product = seeds::product(number, n + 1, catalog);
        let price = seeds::price(&product, n + 2, 1_500, Currency::USD);
        let payer = seeds::customer(number, id(n + 10));
        let debtor = Customer { name: "Debtor".into(), ..seeds::customer(number, id(n + 20)) };
        test.commit(vec![
            Change::InsertProduct(product),
            Change::InsertPrice(price.clone()),
            Change::InsertCustomer(payer.clone()),
            Change::InsertCustomer(debtor.clone()),
            Change::InsertPaymentMethod(card(&payer, n + 11, "tok_visa")),
            Change::InsertPaymentMethod(card(&debtor, n + 21, "tok_card_declined")),
        ])
        .await;
        let subscription = subscribe(test, &payer, &price).await;
        let owed = subscribe(test, &debtor, &price).await;
        Self {
            payer_token: test.customer_token(number, payer.id).await,
            owner: test.staff_token(number, "owner").await,
            viewer: test.staff_token(number, "viewer").await,
            guest: test.staff_token(number, "guest").await,
            merchant_key: test.key(number, &[KeyScope::Merchant]).await,
            periods_key: test.key(number, &[KeyScope::Periods]).await,
            books,
            price,
            payer,
            subscription,
            debtor,
            owed,
        }
    }
}

async fn subscribe(test: &TestApp, customer: &Customer, price: &Price) -> Subscription {
    let items = vec![SubscribeItem { price: price.id, quantity: 1 }];
    let new = Subscribe { items, ..Subscribe::default() };
    test.engine.subscribe(At::new(joined(), customer.environment), customer.id, new).await.unwrap()
}

/// A card of the sandbox.
pub(crate) fn card(customer: &Customer, n: u128, token: &str) -> PaymentMethod {
    PaymentMethod {
        id: id(n),
        environment: customer.environment,
        customer_id: customer.id,
        kind: PaymentMethodKind::Card,
        is_default: true,
        token: token.into(),
        billing_details: "{}".into(),
        data: "{}".into(),
        metadata: None,
        created_at: customer.created_at,
        updated_at: customer.created_at,
    }
}

/// Money that came from a customer without any subscription.
pub(crate) fn received(customer: &Customer, n: u128, category: Category, at: &str) -> Change {
    let payment = seeds::payment(customer, n, 100 * (n as i64), time(at));
    Change::InsertPayment(Box::new(billing::Payment { category, ..payment }))
}
