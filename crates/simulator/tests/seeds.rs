//! Worlds that must live, and the same world twice.
#![allow(clippy::unwrap_used, reason = "a test whose books cannot be read has failed")]

use simulator::{Options, simulate};

fn options(seed: u64, years: i64) -> Options {
    Options { seed, years, customers: 3, log_lines: 40, keep: None }
}

/// Every seed on which the books once said what they must not, with those that never failed.
const SEEDS: [u64; 10] = [1, 3, 13, 15, 19, 24, 32, 37, 38, 40];

#[test]
fn worlds_live() {
    let mut requests = 0;
    let mut crashes = 0;
    for seed in SEEDS {
        let (tale, _) = simulate(options(seed, 1)).unwrap_or_else(|failure| panic!("{failure}"));
        requests += tale.requests;
        crashes += tale.crashes;
    }
    assert!(requests > 200, "only {requests} requests had an effect");
    assert!(crashes > 50, "only {crashes} crashes struck");
}

/// All rows of all tables, as text.
fn rows(seed: u64) -> String {
    let (_, world) = simulate(options(seed, 1)).unwrap_or_else(|failure| panic!("{failure}"));
    let books = rusqlite::Connection::open(world.path()).unwrap();
    let mut names =
        books.prepare("select name from sqlite_schema where type = 'table' order by name").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut told = String::new();
    for name in names.iter().filter(|name| *name != "migrations") {
        let mut statement = books.prepare(&format!("select * from {name}")).unwrap();
        let width = statement.column_count();
        let mut found: Vec<String> = statement
            .query_map([], |row| {
                let values: Result<Vec<rusqlite::types::Value>, _> = (0..width).map(|i| row.get(i)).collect();
                Ok(format!("{name}: {:?}", values?))
            })
            .unwrap()
            .map(Result::unwrap)
            .collect();
        found.sort();
        told.push_str(&found.join("\n"));
    }
    told
}

#[test]
fn the_same_seed_writes_the_same_books() {
    let first = rows(7);
    assert!(first.contains("postings: "), "the world has books");
    assert!(first == rows(7), "the same seed wrote other books");
    assert!(first != rows(8), "another seed wrote the same books");
}
