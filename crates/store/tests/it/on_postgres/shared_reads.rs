//! Reads that go together on PostgreSQL: each has its own answer, on one state of the books.

use futures_util::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use store::{Error, Options, Snapshot, Store};
use testbed::{Books, until};

/// Some rows for each number, in an order that is not the one in which they are made.
const MULTIPLES: &str =
    "select n * cast($1 as bigint) from generate_series(1, cast($2 as bigint)) n order by n desc";
const SEVENTH: &str = "select 7 / cast($1 as bigint)";
const TEXT: &str = "select cast($1 as text)";
const COUNT: &str = "select count(*) from organizations where created_at >= $1";
/// Waits as long as somebody holds the lock.
const BEHIND_THE_LOCK: &str =
    "select cast($1 as bigint) from (select pg_advisory_xact_lock_shared(7)) as waits";
const LOCK: &str = "select pg_advisory_xact_lock(7)";

/// How many of the database of some books have that lock, or wait for it.
async fn locks(books: &Books, which: &str) -> i64 {
    let count = format!(
        "select count(*)::text from pg_locks l join pg_database d on d.oid = l.database
         where d.datname = current_database() and l.locktype = 'advisory' and {which}"
    );
    books.texts(&count).await[0][0].as_deref().unwrap().parse().unwrap()
}

async fn multiples(s: &mut Snapshot, of: i64, count: i64) -> Result<Vec<i64>, Error> {
    s.rows(MULTIPLES, &[of.into(), count.into()], |row| row.int(0)).await
}

async fn number(store: &Store, sql: &'static str, n: i64) -> Result<Option<i64>, Error> {
    store.read(move |s| Box::pin(async move { s.row(sql, &[n.into()], |row| row.int(0)).await })).await
}

async fn add_organization(books: &Books) {
    books.tamper("insert into organizations (id, name, created_at) values (gen_random_uuid(), 'a', 0)").await;
}

fn expected(of: i64, count: i64) -> Vec<i64> {
    (1..=count).rev().map(|n| n * of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_readers_gets_its_own_rows_in_their_order() {
    testbed::seen("postgres");
    let books = Books::postgres().await;
    let store = books.open().await;
    let readers = (0..200_i64).map(|n| {
        store.read(move |s| {
            Box::pin(async move {
                // Some of them ask the same, and some for no rows.
                s.prefetch(MULTIPLES, &[n.into(), (n % 5).into()]);
                s.prefetch(TEXT, &["never asked for".into()]);
                let mut of_sets = Vec::new();
                let sets = (0..n % 4).map(|part| [part.into(), 2_i64.into()]);
                s.each_for(MULTIPLES, sets, |set, row| {
                    of_sets.push((set, row.int(0)?));
                    Ok(())
                })
                .await?;
                let same = multiples(s, n / 10, 3).await?;
                Ok::<_, Error>((multiples(s, n, n % 5).await?, same, of_sets))
            })
        })
    });
    for (n, read) in (0..).zip(join_all(readers).await) {
        let (own, same, of_sets) = read.unwrap();
        assert_eq!(own, expected(n, n % 5));
        assert_eq!(same, expected(n / 10, 3));
        let sets = (0..n % 4).flat_map(|part| [(part as usize, 2 * part), (part as usize, part)]);
        assert_eq!(of_sets, sets.collect::<Vec<_>>());
    }
    let shared = testbed::seen("postgres over arrays");
    assert!(shared.iter().any(|sql| sql.contains("generate_series")), "they went together: {shared:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_for_one_reader_fails_for_nobody_else() {
    let books = Books::postgres().await;
    let store = books.open().await;
    let readers = (-20..=20_i64).map(|n| number(&store, SEVENTH, n));
    let texts = (0..20).map(|n| {
        let text = if n == 7 { "no\0text".to_owned() } else { format!("text {n}") };
        store.read(move |s| {
            Box::pin(async move { s.row(TEXT, &[(&text).into()], |row| Ok(row.text(0)?.to_owned())).await })
        })
    });
    let (numbers, texts) = tokio::join!(join_all(readers), join_all(texts));
    for (n, read) in (-20..).zip(numbers) {
        match n {
            0 => assert!(matches!(&read, Err(Error::Database(why)) if why.contains("zero")), "{read:?}"),
            n => assert_eq!(read.unwrap(), Some(7 / n)),
        }
    }
    for (n, read) in (0..).zip(texts) {
        match n {
            7 => assert!(matches!(read, Err(Error::Rule(_))), "{read:?}"),
            n => assert_eq!(read.unwrap(), Some(format!("text {n}"))),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_sees_what_was_committed_before_it_asked_and_nothing_after() {
    let books = Books::postgres().await;
    let store = books.open().await;
    // Others read all the time, so that there always is a batch under way.
    let others: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                loop {
                    number(&store, COUNT, 0).await.unwrap();
                }
            })
        })
        .collect();
    for n in 1..=40 {
        add_organization(&books).await;
        assert_eq!(number(&store, COUNT, 0).await.unwrap(), Some(n));
    }
    let books = &books;
    let (asked, told) = tokio::sync::oneshot::channel::<()>();
    let (added, go_on) = tokio::sync::oneshot::channel::<()>();
    let cells = std::sync::Arc::new(tokio::sync::Mutex::new(Some((asked, go_on))));
    let reading = store.read(move |s| {
        let cells = cells.clone();
        Box::pin(async move {
            let before = s.row(COUNT, &[0_i64.into()], |row| row.int(0)).await?;
            let (asked, go_on) = cells.lock().await.take().unwrap();
            asked.send(()).unwrap();
            go_on.await.unwrap();
            // Another statement, on the same state of the books.
            let after = s.row(COUNT, &[(-1_i64).into()], |row| row.int(0)).await?;
            Ok::<_, Error>((before, after))
        })
    });
    let adding = async move {
        told.await.unwrap();
        add_organization(books).await;
        added.send(()).unwrap();
    };
    let (seen, ()) = tokio::join!(reading, adding);
    assert_eq!(seen.unwrap(), (Some(40), Some(40)));
    assert_eq!(number(&store, COUNT, 0).await.unwrap(), Some(41));
    for other in others {
        other.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_long_for_some_holds_up_nobody_who_comes_later() {
    let books = Books::postgres().await;
    let store = books.open().await;
    let lock = books.hold(LOCK).await;
    let mut stuck = Vec::new();
    for n in 0..4_i64 {
        let store = store.clone();
        stuck.push(tokio::spawn(async move { number(&store, BEHIND_THE_LOCK, n).await }));
        let waits = async || locks(&books, "not l.granted").await == n + 1;
        until("a reader waits for the lock in a batch of its own", waits).await;
    }
    assert_eq!(number(&store, SEVENTH, 7).await.unwrap(), Some(1));
    assert!(stuck.iter().all(|stuck| !stuck.is_finished()));
    drop(lock);
    for (n, stuck) in (0..).zip(stuck) {
        assert_eq!(stuck.await.unwrap().unwrap(), Some(n));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_who_stop_waiting_leave_their_connection_to_others() {
    let books = Books::postgres().await;
    let store = books.open().await;
    let lock = books.hold(LOCK).await;
    for _ in 0..100 {
        let reading = number(&store, BEHIND_THE_LOCK, 1);
        let given_up = tokio::time::timeout(Duration::from_millis(2), reading).await;
        assert!(given_up.is_err(), "nobody gets past the lock");
    }
    assert_eq!(number(&store, SEVENTH, 7).await.unwrap(), Some(1), "while nobody gets past the lock");
    drop(lock);
    let readers = (1..=100_i64).map(|n| number(&store, BEHIND_THE_LOCK, n));
    for (n, read) in (1..).zip(join_all(readers).await) {
        assert_eq!(read.unwrap(), Some(n));
    }
    store.close().await.unwrap();
    until("no batch is left behind", async || locks(&books, "true").await == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_apart_is_given_rows_as_they_come() {
    let books = Books::postgres().await;
    let store = books.open().await;
    let stopped = store.read(|s| {
        s.dedicated();
        Box::pin(async move {
            let mut seen = 0;
            let walk = s
                .each(MULTIPLES, &[1_i64.into(), 1_000_000_i64.into()], |_| {
                    seen += 1;
                    if seen == 10 { Err(Error::Closed) } else { Ok(()) }
                })
                .await;
            assert_eq!(walk, Err(Error::Closed));
            Ok::<_, Error>(seen)
        })
    });
    assert_eq!(stopped.await, Ok(10));
    let both = store.read(|s| {
        s.dedicated();
        Box::pin(async move {
            s.prefetch(MULTIPLES, &[2_i64.into(), 3_i64.into()]);
            Ok::<_, Error>((multiples(s, 2, 3).await?, multiples(s, 3, 2).await?))
        })
    });
    assert_eq!(both.await, Ok((vec![6, 4, 2], vec![6, 3])));
}

/// Books whose database gives up what takes too long, by a limit of whoever runs it.
async fn limited(setting: &str) -> Books {
    let books = Books::postgres().await;
    let name = books.texts("select current_database()::text").await[0][0].clone().unwrap();
    books.tamper(&format!("alter database {name} set {setting}")).await;
    books
}

#[tokio::test]
async fn a_statement_that_the_database_gives_up_is_of_no_harm_to_others() {
    let books = limited("statement_timeout = '1s'").await;
    let store = books.open().await;
    let lock = books.hold(&format!("{LOCK}; lock table shards in exclusive mode")).await;
    let others = (1..=20_i64).map(|n| number(&store, SEVENTH, n));
    let (slow, others) = tokio::join!(number(&store, BEHIND_THE_LOCK, 1), join_all(others));
    assert!(matches!(&slow, Err(Error::Unavailable(why)) if why.contains("57014")), "{slow:?}");
    for (n, other) in (1..).zip(others) {
        assert_eq!(other.unwrap(), Some(7 / n));
    }
    let written = store.spread(billing::sharding::ShardPlacement::over(2)).await;
    assert!(matches!(&written, Err(Error::Unavailable(_))), "{written:?}");
    drop(lock);
    assert_eq!(number(&store, BEHIND_THE_LOCK, 1).await.unwrap(), Some(1));
}

#[tokio::test]
async fn what_did_not_get_its_lock_in_time_is_run_again() {
    let books = limited("lock_timeout = '50ms'").await;
    let store = books.open().await;
    let lock = books.hold(LOCK).await;
    let runs = Arc::new(AtomicU64::new(0));
    let counted = runs.clone();
    let reading = store.read(move |s| {
        counted.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { s.row(BEHIND_THE_LOCK, &[7_i64.into()], |row| row.int(0)).await })
    });
    let letting_go = async {
        until("it is run again", async || runs.load(Ordering::Relaxed) > 2).await;
        drop(lock);
    };
    let (read, ()) = tokio::join!(reading, letting_go);
    assert_eq!(read, Ok::<_, Error>(Some(7)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_who_gave_up_leave_nothing_waiting_at_the_server() {
    let books = Books::postgres().await;
    let address = format!("{}&connections=2", books.address());
    let store = Store::connect(&address, Options::default()).await.unwrap();
    let lock = books.hold("lock table organizations in access exclusive mode").await;
    let waiting = "select count(*)::text from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'";
    let waiting = async || books.texts(waiting).await[0][0].as_deref().unwrap().parse::<u32>().unwrap();
    until("more wait at the server than the pool has places", async || {
        let given_up = tokio::time::timeout(Duration::from_millis(10), number(&store, COUNT, 0)).await;
        assert!(given_up.is_err(), "nobody gets past the lock");
        waiting().await > 2
    })
    .await;
    until("the server notices that they are gone", async || waiting().await == 0).await;
    drop(lock);
    assert_eq!(number(&store, COUNT, 0).await.unwrap(), Some(0));
}

/// What holds for the connections of a store.
async fn settings(books: &Books) -> Vec<String> {
    let settings = "select current_setting(name) from unnest(array[$1, 'jit', 'lock_timeout',
         'client_connection_check_interval', 'idle_in_transaction_session_timeout']) name";
    let store = books.open().await;
    let read = store.read(move |s| {
        Box::pin(async move {
            s.rows(settings, &["plan_cache_mode".into()], |row| Ok(row.text(0)?.to_owned())).await
        })
    });
    let read: Result<Vec<String>, Error> = read.await;
    read.unwrap()
}

#[tokio::test]
async fn a_connection_has_limits_unless_the_database_has_its_own() {
    let plain = settings(&Books::postgres().await).await;
    assert_eq!(plain, ["force_generic_plan", "off", "50s", "5s", "1min"]);
    let own = settings(&limited("lock_timeout = '7s'").await).await;
    assert_eq!(own, ["force_generic_plan", "off", "7s", "5s", "1min"]);
}
