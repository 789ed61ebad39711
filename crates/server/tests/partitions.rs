//! A whole demo on tables that are cut into partitions by the shard, as a distributed engine would cut
//! them: what is about one customer looks into one partition.

#![allow(clippy::unwrap_used)]

mod demo_server;

use demo_server::DemoServer;
use std::collections::BTreeSet;
use testbed::Books;

const PARTITIONS: u32 = 8;

/// The partitions that a plan names and, if it was executed, looked into.
fn partitions(plan: &[String]) -> BTreeSet<u32> {
    let relations = plan.iter().filter_map(|line| {
        let is_read = line.contains("Scan") && !line.contains("never executed");
        let scanned = line.split(" on ").nth(1).filter(|_| is_read)?;
        scanned.split(' ').next()?.rsplit_once('_')?.1.parse().ok()
    });
    relations.collect()
}

/// Whether a statement says which shard it is about, in every table that it names: a question inside of
/// another gets the shard from the row outside, which a plan does not show.
fn is_about_one_shard(sql: &str) -> bool {
    sql.contains("shard = $") && !sql.contains("(select") && !sql.starts_with("insert")
}

/// What a question over arrays asks for each set, as it was written.
fn asked_of_each(sql: &str) -> String {
    let (_, asked) = sql.split_once(" cross join lateral (select * from (").unwrap();
    asked.strip_suffix(") as one offset 0) as answer").unwrap().replace("sets.p", "$")
}

#[tokio::test]
async fn what_is_about_one_customer_looks_into_one_partition() {
    testbed::seen("postgres");
    let books = Books::partitioned(PARTITIONS).await;
    let server = DemoServer::over(books.clone(), 4, 12, 3).await;
    assert!(server.answers().await.len() > 25);
    let report = server.app().engine.audit(None, Box::new(|_| {})).await.unwrap();
    assert!(report.agrees());
    let (mut about_one, mut failed) = (0, Vec::new());
    for sql in testbed::seen("postgres").iter().filter(|sql| is_about_one_shard(sql)) {
        let plan = books.plan(sql).await;
        about_one += 1;
        if partitions(&plan).len() > 1 {
            failed.push(format!("{sql}\n  {}", plan.join("\n  ")));
        }
    }
    assert!(about_one > 60, "only {about_one} statements are about one shard");
    let (mut over_arrays, mut looked) = (0, BTreeSet::new());
    for sql in &testbed::seen("postgres over arrays") {
        let of = asked_of_each(sql);
        if !is_about_one_shard(&of) {
            continue;
        }
        let steps = books.steps_for_two(sql, &of).await;
        over_arrays += 1;
        let read = partitions(&steps);
        if read.len() > 1 {
            failed.push(format!("{sql}\n  {}", steps.join("\n  ")));
        }
        looked.extend(read);
    }
    assert!(over_arrays > 10, "only {over_arrays} of them are asked over arrays");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(looked.len(), 1, "all are about one shard, and look somewhere");
    // The test sees what it looks for.
    let all = books.plan("select id from customers where id = $1").await;
    assert_eq!(partitions(&all).len(), PARTITIONS as usize, "{all:?}");
}
