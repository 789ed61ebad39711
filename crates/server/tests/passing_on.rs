//! One of two servers that share the work is killed in the middle of it: what it had leased is billed by the
//! other, within seconds, once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shell;
mod subscribers;

use billing::{Ids, IntervalUnit, Spread, Timestamp};
use engine::{Engine, NewBooks};
use gateway::Sandbox;
use shell::{House, Serving};
use std::sync::Arc;
use std::time::Duration;
use subscribers::{price, subscribed};
use testbed::{Books, until};
use tokio::time::Instant;

const CUSTOMERS: usize = 24;
/// Periods of a day that each customer has begun; the first was billed when it subscribed.
const PERIODS: i64 = 6;
/// How soon after the kill the other has to be done. Leases are for 8 seconds.
const SOON: Duration = Duration::from_secs(30);

/// Live books with customers for whom some days are to be billed.
async fn fill(books: &Books) {
    let now = &one(books, "select cast(cast(extract(epoch from now()) * 1000000 as bigint) as text)").await;
    let now = Timestamp::from_micros(now.parse().unwrap());
    let begun = now.plus_days(1 - PERIODS).unwrap().plus_seconds(-3_600).unwrap();
    let store = books.open().await;
    store.spread(Spread::over(8)).await.unwrap();
    let engine = Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(1));
    let live = NewBooks { livemode: true, clock: None, ..NewBooks::test("Acme", begun) };
    let (_, environment, _) = engine.open_books(&mut engine.ctx(begun), live).await.unwrap();
    let daily = price(&engine, environment.number, begun, IntervalUnit::Day).await;
    for n in 0..CUSTOMERS {
        subscribed(&engine, environment.number, begun, &format!("c{n:02}"), daily).await;
    }
    engine.store().close().await.unwrap();
}

async fn one(books: &Books, sql: &str) -> String {
    books.texts(sql).await.remove(0).remove(0).unwrap()
}

const DUE: &str =
    "select count(*)::text from subscriptions where due_at <= extract(epoch from now()) * 1000000";

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
    let waits = "select count(*)::text from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'";
    until("the first server is billing", async || one(books, waits).await != "0").await;
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
