//! Worlds that must live, and the same world twice.

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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tables = runtime.block_on(world.books().dump());
    let told = tables.iter().filter(|(name, _)| name != "migrations").map(|(name, rows)| {
        let rows: Vec<String> = rows.iter().map(|row| format!("{name}: {row}")).collect();
        rows.join("\n")
    });
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_same_seed_writes_the_same_books() {
    let first = rows(7);
    assert!(first.contains("postings: "), "the world has books");
    assert!(first == rows(7), "the same seed wrote other books");
    assert!(first != rows(8), "another seed wrote the same books");
}
