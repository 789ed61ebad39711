//! Batches that wait for a connection.

use super::super::address::Address;
use super::*;
use crate::Row;
use futures_util::future::join_all;
use testbed::Books;

const BEGAN: &str = "select cast($1 as bigint), cast(now() as text)";

/// A place to meet over a single connection.
fn alone(books: &Books) -> (Arc<Pool>, Arc<SharedReads>) {
    let address = format!("{}&connections=1", books.address());
    let pool = Arc::new(Pool::new(Address::parse(&address).unwrap()));
    (pool.clone(), SharedReads::new(pool, Session::reading))
}

/// Asks for a number; answers also when the snapshot began.
async fn asked(mut reader: Reader, number: i64) -> Result<(i64, String), Error> {
    let mut told = None;
    let mut see = |_, row: &Row<'_>| {
        told = Some((row.int(0)?, row.text(1)?.to_owned()));
        Ok(())
    };
    reader.first(BEGAN, &[number.into()], &mut see).await?;
    Ok(told.unwrap())
}

/// Lets all others come as far as they can without the database.
async fn others() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_asks_while_no_connection_is_free_is_of_one_batch() {
    let books = Books::empty().await;
    let (pool, shared_reads) = alone(&books);
    let held = pool.take(PATIENCE).await.unwrap();
    let mut readers = Vec::new();
    for number in 0..20 {
        readers.push(tokio::spawn(asked(shared_reads.reader(PATIENCE), number)));
        others().await;
    }
    pool.give_back(held);
    let mut snapshots = Vec::new();
    for (number, reader) in (0..).zip(readers) {
        let (told, began) = reader.await.unwrap().unwrap();
        assert_eq!(told, number);
        snapshots.push(began);
    }
    snapshots.dedup();
    assert_eq!(snapshots.len(), 1, "{snapshots:?}");
}

#[tokio::test]
async fn each_waits_for_a_connection_as_long_as_it_wants() {
    let books = Books::empty().await;
    let (pool, shared_reads) = alone(&books);
    let held = pool.take(PATIENCE).await.unwrap();
    let patient = tokio::spawn(asked(shared_reads.reader(PATIENCE), 1));
    others().await;
    let hasty = [20, 10].map(|millis| asked(shared_reads.reader(Duration::from_millis(millis)), 2));
    for told in join_all(hasty).await {
        assert_eq!(told.unwrap_err(), Failure::busy().error);
    }
    assert!(!patient.is_finished());
    pool.give_back(held);
    assert_eq!(patient.await.unwrap().unwrap().0, 1);
}

#[tokio::test]
async fn a_batch_that_all_have_left_waits_for_nothing() {
    let books = Books::empty().await;
    let (pool, shared_reads) = alone(&books);
    let held = pool.take(PATIENCE).await.unwrap();
    let left = tokio::spawn(asked(shared_reads.reader(PATIENCE), 1));
    others().await;
    left.abort();
    assert!(left.await.unwrap_err().is_cancelled());
    // Nobody joins a batch that is about to end.
    let next = tokio::spawn(asked(shared_reads.reader(PATIENCE), 2));
    testbed::until("the batch ends", async || Arc::strong_count(&shared_reads) == 3).await;
    pool.give_back(held);
    assert_eq!(next.await.unwrap().unwrap().0, 2);
}
