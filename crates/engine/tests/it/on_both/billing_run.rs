//! Batches of what is due: more than one batch, neighbours, what is stuck, and processes that end between
//! any two commits.

use crate::fixtures::{Told, World, at};
use billing::catalog::Price;
use billing::id::{CustomerId, Ids};
use billing::invoice::InvoiceStatus;
use billing::payment::PaymentStatus;
use billing::subscription::Status;
use engine::Engine;
use gateway::Gateway;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use store::{FaultPoint, Faults, Options};
use testbed::Books;

/// More customers than a batch holds, so that a run steps several.
const CUSTOMERS: usize = 1_001;

/// Counts the commits of a run and ends the process at one of them.
#[derive(Default)]
struct Ends {
    begun: AtomicU32,
    done: AtomicU32,
    planned: Mutex<Option<(FaultPoint, u32)>>,
}

impl Ends {
    /// Ends the process at the n-th commit from now, counted from 0.
    fn plan(&self, planned: Option<(FaultPoint, u32)>) {
        self.begun.store(0, Ordering::SeqCst);
        self.done.store(0, Ordering::SeqCst);
        *self.planned.lock().unwrap() = planned;
    }
}

impl Faults for Ends {
    fn at(&self, point: FaultPoint) -> bool {
        let n = match point {
            FaultPoint::BeforeCommit => self.begun.fetch_add(1, Ordering::SeqCst),
            FaultPoint::AfterCommit => self.done.fetch_add(1, Ordering::SeqCst),
        };
        *self.planned.lock().unwrap() == Some((point, n))
    }
}

/// Books whose process can be ended, and the gateway that outlives it.
struct Mortal {
    world: World,
    ends: Arc<Ends>,
}

async fn open(books: &Books, ends: &Arc<Ends>, gateway: &Arc<Told>, seed: u64) -> Engine {
    let options = Options { readers: 2, faults: Some(Arc::<Ends>::clone(ends)), ..Options::default() };
    let gateway: Arc<dyn Gateway> = Arc::<Told>::clone(gateway);
    Engine::new(books.open_with(options).await, gateway, Ids::seeded(seed))
}

impl Mortal {
    async fn new() -> Self {
        let (books, ends, gateway) =
            (Books::new().await, Arc::new(Ends::default()), Arc::new(Told::default()));
        let engine = open(&books, &ends, &gateway, 1).await;
        let world = World::beside(engine, gateway, books, "2024-01-01T00:00:00Z").await;
        Self { world, ends }
    }

    /// The process is started again on the same books.
    async fn restart(&mut self, seed: u64) {
        self.world.engine.store().close().await.unwrap();
        self.ends.plan(None);
        self.world.engine = open(&self.world.books, &self.ends, &self.world.gateway, seed).await;
    }
}

/// Customers with a card each and a subscription to the price.
async fn subscribers(world: &World, price: &Price, count: usize) -> Vec<CustomerId> {
    let mut customers = Vec::with_capacity(count);
    for n in 0..count {
        let customer = world.customer(&format!("c{n}"), Some("tok_visa")).await;
        world.subscribe(customer, price.id, world.start).await;
        customers.push(customer);
    }
    customers
}

#[tokio::test]
async fn a_process_that_loses_its_shards_stops_before_the_next_piece() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let price = world.price(1000, |_| {}).await;
    subscribers(&world, &price, CUSTOMERS).await;
    let declined = world.customer("declined", Some("tok_decline_twice")).await;
    world.subscribe(declined, price.id, world.start).await;
    let many = i64::try_from(CUSTOMERS).unwrap() + 1;
    let (now, asked) = (at("2024-02-02T00:00:00Z"), world.gateway.asked.lock().unwrap().len());
    let shards: Vec<i64> = (0..world.engine.store().shards()).collect();
    let run = async |holds: engine::Holds| {
        world.engine.run_due_in(world.environment, now, shards.clone(), holds).await.unwrap()
    };
    // It was lost while it waited for its turn.
    let done = run(Arc::new(|_| false)).await;
    assert!(done.is_nothing(), "{done:?}");
    // It is lost while the first batch is charged.
    let gateway = world.gateway.clone();
    let done = run(Arc::new(move |_| gateway.asked.lock().unwrap().len() == asked)).await;
    assert!(done.subscription_steps > 0, "{done:?}");
    let billed = count(&world, INVOICES).await - many;
    assert!(billed > 0 && billed < many, "{billed} of {many}");
    assert_eq!((done.retries, count(&world, UNPAID).await), (0, 1), "what was begun is finished");
    // Whoever has them now goes on.
    run(Arc::new(|_| true)).await;
    assert_eq!(count(&world, INVOICES).await, 2 * many);
    assert_eq!(count(&world, DOUBLE).await, 0);
    world.audit().await;
}

/// What a question to the books counts.
async fn count(world: &World, question: &str) -> i64 {
    world.books.texts(question).await[0][0].as_deref().unwrap().parse().unwrap()
}

/// Every invoice with its payment, in the order of the books.
async fn bills(world: &World) -> Vec<Vec<Option<String>>> {
    let (invoice, payment) = (world.books.hex("i.id"), world.books.hex("p.id"));
    let question = format!(
        "select {invoice}, i.number, cast(i.total as text), i.status, {payment}, p.status
         from invoices i left join payments p on p.invoice_id = i.id order by i.ordinal, p.id"
    );
    world.books.texts(&question).await
}

const UNPAID: &str = "select cast(count(*) as text) from invoices where status <> 'paid'";
const INVOICES: &str = "select cast(count(*) as text) from invoices";
const DOUBLE: &str = "select cast(count(*) as text) from (select 1 from payments where status = 'succeeded'
    group by invoice_id having count(*) > 1) doubled";

#[tokio::test]
async fn more_than_a_batch_is_renewed_once_each() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let price = world.price(1000, |_| {}).await;
    subscribers(&world, &price, CUSTOMERS).await;
    let many = i64::try_from(CUSTOMERS).unwrap();
    let done = world.engine.run_due(world.environment, at("2024-03-15T00:00:00Z")).await.unwrap();
    assert_eq!(count(&world, INVOICES).await, 3 * many, "January, February and March");
    assert_eq!((count(&world, UNPAID).await, count(&world, DOUBLE).await), (0, 0));
    assert!(done.subscription_steps >= 2 * CUSTOMERS as u64, "{done:?}");
    let again = world.engine.run_due(world.environment, at("2024-03-15T00:00:00Z")).await.unwrap();
    assert!(again.is_nothing(), "{again:?}");
    assert_eq!(world.gateway.asked.lock().unwrap().len(), 3 * CUSTOMERS);
    world.audit().await;
}

#[tokio::test]
async fn two_subscriptions_of_one_customer_use_the_balance_once() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", Some("tok_visa")).await;
    let (small, big) = (world.price(700, |_| {}).await, world.price(900, |_| {}).await);
    world.subscribe(ada, small.id, world.start).await;
    world.subscribe(ada, big.id, world.start).await;
    world.write_down(ada, 1000, world.start).await;
    world.run("2024-02-01T00:00:00Z").await;
    let invoices = world.invoices(ada).await;
    assert_eq!(invoices.len(), 4);
    assert!(invoices.iter().all(|invoice| invoice.status == InvoiceStatus::Paid), "{invoices:?}");
    assert_eq!(world.balance(ada).await, 0);
    let charged: Vec<_> = world.payments(ada).await.iter().map(|payment| payment.amount).collect();
    assert_eq!(charged.iter().sum::<i64>(), 700 + 900 + 1000 + 600, "{charged:?}");
    world.audit().await;
}

#[tokio::test]
async fn one_row_that_cannot_be_stepped_keeps_no_other_from_it() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let price = world.price(1000, |_| {}).await;
    let customers = subscribers(&world, &price, 40).await;
    // A price beyond what the books can hold, and a zone that is none: the step itself is refused.
    let dear =
        "update items set unit_price = 9000000000000000000, quantity = 9 where customer_id = $customer";
    world.poison(dear, "c3").await;
    world.poison("update subscriptions set zone = 'Nowhere/Land' where customer_id = $customer", "c17").await;
    // And a row that the database itself refuses when the batch is committed.
    world.refuse("insert", "invoices", "c29").await;
    world.run("2024-02-01T00:00:00Z").await;
    for (n, customer) in customers.iter().enumerate() {
        let expected = if [3, 17, 29].contains(&n) { 1 } else { 2 };
        assert_eq!(world.invoices(*customer).await.len(), expected, "customer {n}");
    }
    assert_eq!((count(&world, UNPAID).await, count(&world, DOUBLE).await), (0, 0));
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_keeps_no_other_from_it_and_is_asked_for_again() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let price = world.price(1000, |_| {}).await;
    let customers = subscribers(&world, &price, 40).await;
    world.refuse("update", "payments", "c29").await;
    world.run("2024-02-01T00:00:00Z").await;
    assert_eq!(count(&world, UNPAID).await, 1);
    let in_doubt = world.payments(customers[29]).await[1].clone();
    assert_eq!(in_doubt.status, PaymentStatus::Processing);
    world.refuse_no_more("payments").await;
    world.run("2024-02-01T00:02:00Z").await;
    assert_eq!((count(&world, UNPAID).await, count(&world, DOUBLE).await), (0, 0));
    assert_eq!(world.payments(customers[29]).await[1].id, in_doubt.id);
    let moved = world.gateway.moved();
    assert_eq!((moved.len(), moved.values().sum::<i64>()), (80, 80_000), "each period once");
    world.audit().await;
}

#[tokio::test]
async fn a_card_that_nobody_answers_for_keeps_no_other_from_being_charged() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let price = world.price(1000, |_| {}).await;
    let customers = subscribers(&world, &price, 20).await;
    world.card(customers[5], "tok_card_declined", world.start).await;
    world.card(customers[6], "tok_time_out_after", world.start).await;
    world.run("2024-02-01T00:00:00Z").await;
    for (n, customer) in customers.iter().enumerate() {
        let invoice = world.invoices(*customer).await[1].clone();
        let payment = world.payments(*customer).await[1].clone();
        let (invoice_status, status) = match n {
            5 => (InvoiceStatus::Open, PaymentStatus::Failed),
            6 => (InvoiceStatus::Open, PaymentStatus::Processing),
            _ => (InvoiceStatus::Paid, PaymentStatus::Succeeded),
        };
        assert_eq!((invoice.status, payment.status), (invoice_status, status), "customer {n}");
    }
    world.run("2024-02-01T00:02:00Z").await;
    assert_eq!(world.invoices(customers[6]).await[1].status, InvoiceStatus::Paid);
    world.audit().await;
}

#[tokio::test]
async fn a_process_that_ends_at_any_commit_bills_everything_once_in_the_end() {
    let mut mortal = Mortal::new().await;
    let price = mortal.world.price(1000, |_| {}).await;
    let first = subscribers(&mortal.world, &price, CUSTOMERS).await[0];
    let many = i64::try_from(CUSTOMERS).unwrap();
    let mut seed = 10;
    // A run of three batches has six commits: three of intents and three of outcomes. In a file, those that
    // wait for the writer at the same time are one transaction, so there may be four.
    let mut months = 1;
    for point in [FaultPoint::BeforeCommit, FaultPoint::AfterCommit] {
        for nth in 0..6 {
            let month = format!("{}-{:02}-01T00:00:00Z", 2024 + months / 12, months % 12 + 1);
            mortal.ends.plan(Some((point, nth)));
            let died = mortal.world.engine.run_due(mortal.world.environment, at(&month)).await;
            assert!(died.is_err() || nth >= 4, "{point:?} {nth}: {died:?}");
            seed += 1;
            mortal.restart(seed).await;
            months += 1;
            // Patience is over: what was in doubt is asked again, what was not done is done.
            let later = at(&month).plus_seconds(120).unwrap();
            mortal.world.engine.run_due(mortal.world.environment, later).await.unwrap();
            assert_eq!(count(&mortal.world, INVOICES).await, i64::from(months) * many, "{point:?} {nth}");
            assert_eq!((count(&mortal.world, UNPAID).await, count(&mortal.world, DOUBLE).await), (0, 0));
        }
    }
    let subscription = mortal.world.invoices(first).await[0].subscription_id.unwrap();
    assert_eq!(mortal.world.subscription(subscription).await.status, Status::Active);
    mortal.world.audit().await;
}

#[tokio::test]
async fn the_same_seed_renews_to_the_same_books() {
    let mut books = Vec::new();
    for _ in 0..2 {
        let world = World::new("2024-01-01T00:00:00Z").await;
        let price = world.price(1000, |_| {}).await;
        subscribers(&world, &price, 1_100).await;
        world.run("2024-03-15T00:00:00Z").await;
        books.push(bills(&world).await);
    }
    assert_eq!(books[0].len(), 3300);
    assert!(books[0] == books[1], "the same seed made other books");
}
