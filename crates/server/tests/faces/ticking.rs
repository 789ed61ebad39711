//! What a server does by itself: the books of one organization do not keep those of others waiting.

use crate::harness::{TestApp, time};
use crate::world::{House, World};
use engine::Of;
use server::serve::{ServeOptions, Server};
use std::time::Duration;
use store::pages::Window;
use testbed::Books;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server on a socket, and what stops it.
pub(crate) async fn serve(
    test: &TestApp,
    options: ServeOptions,
) -> (JoinHandle<Result<(), store::Error>>, oneshot::Sender<()>) {
    let server = Server::bind(test.app().clone(), ([127, 0, 0, 1], 0).into(), options).await.unwrap();
    let (stop, stopped) = oneshot::channel();
    (tokio::spawn(server.run(async { drop(stopped.await) })), stop)
}

/// How many invoices the customer who pays has.
async fn invoices(test: &TestApp, house: &House) -> usize {
    let (of, window) = (Of::Customer(house.payer.id), Window { after: None, limit: 10 });
    test.engine.invoices(house.books.number, of, None, window).await.unwrap().rows.len()
}

#[tokio::test]
async fn books_that_cannot_be_billed_keep_no_others_waiting() {
    let World { test, ours, theirs } = World::new().await;
    assert!(ours.books.number < theirs.books.number, "ours come first");
    let state = |word: &str| {
        format!("update subscriptions set status = '{word}' where environment = {}", ours.books.number)
    };
    test.tamper(&state("of no kind")).await;
    test.set_now(time("2026-04-02T00:00:00Z"));
    let options = ServeOptions { tick: Some(Duration::from_millis(10)), ..ServeOptions::default() };
    let (serving, stop) = serve(&test, options).await;
    testbed::until("the others are billed", async || invoices(&test, &theirs).await == 2).await;
    assert_eq!(invoices(&test, &ours).await, 1);
    // It is tried again at each tick.
    test.tamper(&state("active")).await;
    testbed::until("ours are billed", async || invoices(&test, &ours).await == 2).await;
    assert_eq!(invoices(&test, &theirs).await, 2);
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_stops_while_it_leases_shards_leaves_none_leased() {
    let books = Books::postgres().await;
    let test = TestApp::on(books.clone()).await;
    let held = books.hold("select 1 from shards for update").await;
    let (mut serving, stop) = serve(&test, ServeOptions::default()).await;
    let waiting = "select pid::text from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'";
    testbed::until("it is leasing them", async || !books.texts(waiting).await.is_empty()).await;
    stop.send(()).unwrap();
    // Long enough to end before what it has begun, if it did not wait for it.
    assert!(tokio::time::timeout(Duration::from_millis(500), &mut serving).await.is_err());
    drop(held);
    serving.await.unwrap().unwrap();
    let left = "select name from nodes union all select shard::text from shards where node_id is not null";
    assert_eq!(books.texts(left).await, Vec::<Vec<Option<String>>>::new());
}
