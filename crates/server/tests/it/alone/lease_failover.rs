//! One of two servers that share the work is killed in the middle of it: what it had leased is billed by the
//! other, within seconds, once.

use crate::fixtures::shell::{House, Serving};
use crate::fixtures::subscribers::{price, subscribed};
use billing::calendar::IntervalUnit;
use billing::id::Ids;
use billing::sharding::ShardPlacement;
use billing::timestamp::Timestamp;
use engine::{Engine, NewBooks};
use gateway::Sandbox;
use std::sync::Arc;
use std::time::Duration;
use store::Node;
use testbed::{Books, until};
use tokio::time::Instant;

const CUSTOMERS: usize = 24;
/// Periods of a day that each customer has begun; the first was billed when it subscribed.
const PERIODS: i64 = 6;
/// How soon after the kill the other has to be done. Leases are for 8 seconds.
const SOON: Duration = Duration::from_secs(30);

/// Live books with customers for whom some days are to be billed.
async fn fill(books: &Books) {
    let begun = now(books).await.plus_days(1 - PERIODS).unwrap().plus_seconds(-3_600).unwrap();
    let store = books.open().await;
    store.spread(ShardPlacement::over(8)).await.unwrap();
    let engine = Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(1));
    let live = NewBooks { livemode: true, clock: None, ..NewBooks::test("Acme", begun) };
    let (_, environment, _) = engine.open_books(&mut engine.ctx(begun), live).await.unwrap();
    let daily = price(&engine, environment.number, begun, IntervalUnit::Day).await;
    for n in 0..CUSTOMERS {
        subscribed(&engine, environment.number, begun, &format!("c{n:02}"), daily).await;
    }
    engine.store().close().await.unwrap();
}

async fn now(books: &Books) -> Timestamp {
    let now = one(books, "select cast(cast(extract(epoch from now()) * 1000000 as bigint) as text)").await;
    Timestamp::from_micros(now.parse().unwrap())
}

async fn one(books: &Books, sql: &str) -> String {
    books.texts(sql).await.remove(0).remove(0).unwrap()
}

const DUE: &str =
    "select count(*)::text from subscriptions where due_at <= extract(epoch from now()) * 1000000";

/// How many transactions wait for another.
const WAITING: &str = "select count(*)::text from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'";

fn serve(house: &House, name: &str) -> Serving {
    let serve = ["serve", "--addr", "127.0.0.1:0", "--tick-seconds", "1", "--node", name];
    Serving::start(&mut house.command(&serve))
}

/// Whether `quittance nodes` says of a server which shards it has.
fn has(house: &House, name: &str, shards: &str) -> bool {
    let said = house.run(&["nodes"]);
    said.lines().any(|line| line.starts_with(&format!("{name}: ")) && line.ends_with(&format!(": {shards}")))
}

#[tokio::test]
async fn what_a_killed_server_had_leased_is_billed_by_the_other() {
    let house = House::of(Books::empty().await);
    let books = &house.books;
    fill(books).await;
    // Whoever bills one of these waits, with its commit under way.
    let held = books.hold("select 1 from customer_versions where shard < 4 for update").await;
    let mut first = serve(&house, "first");
    until("the first server is billing", async || one(books, WAITING).await != "0").await;
    assert!(has(&house, "first", "0 1 2 3 4 5 6 7"));
    let second = serve(&house, "second");
    until("the work is shared", async || has(&house, "first", "0 1 2 3") && has(&house, "second", "4 5 6 7"))
        .await;
    let of_first = format!("{DUE} and shard < 4");
    let left: usize = one(books, &of_first).await.parse().unwrap();
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    let killed = Instant::now();
    drop(held);
    assert!(left > 0, "no customer is in these shards");
    until("the second server has billed all", async || one(books, DUE).await == "0").await;
    let took = killed.elapsed();
    assert!(took < SOON, "{took:?}");
    assert!(has(&house, "second", "0 1 2 3 4 5 6 7"));
    drop(second);
    let billed = "select c.external_id || ' ' || count(i.id) || ' ' || count(distinct i.period_start) || ' '
           || (select count(*) from payments p where p.customer_id = c.id and p.status = 'succeeded')
         from customers c left join invoices i on i.customer_id = c.id group by c.id, c.external_id order by 1";
    let billed: Vec<String> =
        books.texts(billed).await.into_iter().map(|mut row| row.remove(0).unwrap()).collect();
    let wanted: Vec<String> =
        (0..CUSTOMERS).map(|n| format!("c{n:02} {PERIODS} {PERIODS} {PERIODS}")).collect();
    assert_eq!(billed, wanted);
    assert!(house.run(&["audit"]).ends_with("the books agree"));
}

#[tokio::test]
async fn what_was_anothers_does_not_wait_until_a_server_has_caught_up() {
    let house = House::of(Books::empty().await);
    let books = &house.books;
    fill(books).await;
    let store = books.open().await;
    let other = Node { id: 1, name: "other".into() };
    let claim = async || {
        let now = now(books).await;
        store.claim_shards(&other, 600, move || now).await.unwrap().0
    };
    assert_eq!(claim().await, [0, 1, 2, 3, 4, 5, 6, 7]);
    // Whoever bills any of them waits, with its commit under way.
    let held = books.hold("select 1 from customer_versions for update").await;
    let server = serve(&house, "server");
    until("the work is shared", async || claim().await == [0, 1, 2, 3] && has(&house, "server", "4 5 6 7"))
        .await;
    until("the server is billing", async || one(books, WAITING).await != "0").await;
    store.release(other.id).await.unwrap();
    until("the server has all shards", async || has(&house, "server", "0 1 2 3 4 5 6 7")).await;
    drop(held);
    until("all is billed", async || one(books, DUE).await == "0").await;
    drop(server);
    let last = async |shards: &str| -> i64 {
        let last = format!("select max(ordinal)::text from invoices where shard {shards}");
        one(books, &last).await.parse().unwrap()
    };
    assert!(last("< 4").await < last(">= 4").await, "those that came last waited for all the others");
    assert!(house.run(&["audit"]).ends_with("the books agree"));
}
