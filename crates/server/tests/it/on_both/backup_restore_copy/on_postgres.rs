//! Copies from one database to the other.

use super::{House, QUIET, agree, copy, demo, fill, same};
use billing::id::Ids;
use engine::Engine;
use gateway::Sandbox;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::copy::{Failure, Progress, Stage};
use store::{Error, FaultPoint, Faults, Options, Store};
use testbed::Books;

/// Ends the process at some commits, before they stand or after.
#[derive(Default)]
struct Interruptions(AtomicU64);

impl Faults for Interruptions {
    fn at(&self, _: FaultPoint) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) % 5 == 4
    }
}

#[tokio::test]
async fn books_come_back_as_they_went_however_often_the_copy_is_interrupted() {
    let (first, middle, last) = (Books::sqlite(), Books::postgres().await, Books::sqlite());
    fill(&first).await;
    let interruptions = Arc::new(Interruptions::default());
    let mut times = 0;
    let compared = loop {
        let options = Options { faults: Some(interruptions.clone()), ..Options::default() };
        let (source, target) = (first.open().await, middle.open_with(options).await);
        let copied = store::copy::run(&source, &target, QUIET).await;
        target.close().await.unwrap();
        source.close().await.unwrap();
        match copied {
            Ok(compared) => break compared,
            Err(Failure::Store(Error::Crashed) | Failure::Table { error: Error::Crashed, .. }) => times += 1,
            Err(error) => panic!("{error}"),
        }
        let half = middle.open().await;
        assert!(store::copy::is_unfinished(&half).await.unwrap());
        half.close().await.unwrap();
    };
    assert!(times > 5, "interrupted {times} times");
    assert!(same(&compared), "{compared:?}");
    assert!(compared.iter().map(|table| table.rows[1]).sum::<u64>() > 1_000, "{compared:?}");
    let middle_store = middle.open().await;
    store::copy::finish(&middle_store).await.unwrap();
    assert!(!store::copy::is_unfinished(&middle_store).await.unwrap());
    middle_store.close().await.unwrap();
    assert!(agree(&middle).await);
    assert!(same(&copy(&middle, &last).await.unwrap()));
    let (went, came) = (first.dump().await, last.dump().await);
    let empty = went.iter().filter(|(_, rows)| rows.is_empty());
    assert_eq!(empty.count(), 0, "every table is tried");
    for (went, came) in went.iter().zip(&came) {
        assert_eq!(went, came);
    }
    assert_eq!(went.len(), came.len());
    assert!(agree(&last).await);
}

/// Bills what falls due in the weeks that follow.
async fn go_on(books: &Books) {
    let engine = Engine::new(books.open().await, Arc::new(Sandbox::default()), Ids::seeded(9));
    let environment = engine.environments().await.unwrap().remove(0);
    let until = environment.clock.unwrap().plus_seconds(40 * 86_400).unwrap();
    let done = engine.advance_clock(environment.number, until).await.unwrap();
    assert!(done.subscription_steps > 10, "{done:?}");
    engine.store().close().await.unwrap();
}

#[tokio::test]
async fn books_of_many_shards_live_in_a_file_too() {
    let (first, file, last) = (Books::empty().await, Books::sqlite(), Books::empty().await);
    let store = first.open().await;
    store.spread(billing::sharding::ShardPlacement::over(4)).await.unwrap();
    store.close().await.unwrap();
    demo(&first).await;
    assert!(first.tamper("update customers set name = name where shard = 3").await > 0, "they are spread");
    assert!(same(&copy(&first, &file).await.unwrap()));
    assert!(agree(&file).await);
    go_on(&first).await;
    go_on(&file).await;
    assert!(agree(&file).await);
    assert!(same(&copy(&file, &last).await.unwrap()));
    assert!(agree(&last).await);
    let dumps = first.dump().await.into_iter().zip(last.dump().await);
    for (first, last) in dumps.filter(|((name, _), _)| name != "migration_lease") {
        assert_eq!(first, last);
    }
}

/// Somebody writes to the source when all of its tables have been compared.
async fn written_to_at_the_end(source: &Books) {
    let (target, is_written) = (Books::new().await, AtomicU64::new(0));
    let (store, target) = (source.open().await, target.open().await);
    let mallory = source.address().to_owned();
    let tell = |progress: Progress| {
        let is_end = progress.stage == Stage::Comparing && progress.done == progress.all;
        if is_end && is_written.fetch_add(1, Ordering::Relaxed) == 0 {
            let address = mallory.clone();
            // Another process, as far as the store can tell.
            std::thread::spawn(move || write_to(&address)).join().unwrap();
        }
    };
    assert!(matches!(store::copy::run(&store, &target, &tell).await, Err(Failure::Changed)));
    assert!(is_written.load(Ordering::Relaxed) > 0);
    // What was written then is found by the next run.
    let compared = store::copy::run(&store, &target, QUIET).await.unwrap();
    let differing: Vec<&str> = compared.iter().filter(|one| !one.agrees()).map(|one| one.table).collect();
    assert_eq!(differing, ["settings"]);
    target.close().await.unwrap();
    store.close().await.unwrap();
}

#[tokio::main(flavor = "current_thread")]
async fn write_to(address: &str) {
    let store = Store::connect(address, Options::default()).await.unwrap();
    store.put_setting("a setting", "another value".to_owned()).await.unwrap();
    store.close().await.unwrap();
}

#[tokio::test]
async fn who_writes_to_tables_that_were_compared_is_noticed() {
    let (file, server) = (Books::sqlite(), Books::postgres().await);
    fill(&file).await;
    copy(&file, &server).await.unwrap();
    written_to_at_the_end(&file).await;
    written_to_at_the_end(&server).await;
}

#[tokio::test]
async fn a_copy_takes_books_that_nobody_serves_to_an_empty_place() {
    let house = House::new();
    let there = Books::empty().await;
    let copied = house.run(&["copy", "--from", "books.db", "--to", there.address()]);
    assert!(copied.contains("is a copy of books.db") && copied.contains("the books agree"), "{copied}");
    let again = house.refused(&["copy", "--from", "books.db", "--to", there.address()]);
    assert!(again.contains("holds books already"), "{again}");
    house.run(&["copy", "--from", there.address(), "--to", "back.db"]);
    std::fs::copy(house.path("books.db.secret"), house.path("back.db.secret")).unwrap();
    assert!(house.run(&["token", "list", "--db", "back.db"]).contains("first key"));
    let nowhere = house.refused(&["copy", "--from", "nowhere.db", "--to", "new.db"]);
    assert!(nowhere.contains("there are no books at"), "{nowhere}");
    assert!(house.refused(&["copy", "--from", "books.db", "--to", "books.db"]).contains("into itself"));
    let server = house.serve();
    let held = house.refused(&["copy", "--from", "books.db", "--to", "other.db"]);
    assert!(held.contains("in use by another server"), "{held}");
    drop(server);
}
