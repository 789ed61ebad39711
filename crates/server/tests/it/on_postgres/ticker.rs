//! What a server does by itself beside others: it leases shards, and leaves them.

use crate::fixtures::harness::{TestApp, serve};
use server::serve::ServeOptions;
use std::time::Duration;
use testbed::Books;

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
