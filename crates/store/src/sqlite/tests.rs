//! Commits, snapshots, versions and failures of the SQLite driver.

use super::*;
use crate::{FaultPoint, Scope, Store};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use tempfile::TempDir;

const SCHEMA: &[Migration] = &[Migration {
    number: 1,
    name: "notes",
    sql: "create table notes (id bigint primary key, text text not null unique, parent bigint references notes (id))",
}];

type Outcome<T> = Result<T, Error>;

struct Books {
    directory: TempDir,
    database: Store,
}

fn open() -> Books {
    open_with(Options::default())
}

fn open_with(options: Options) -> Books {
    let directory = tempfile::tempdir().unwrap();
    let database =
        Store::Sqlite(Database::open(&directory.path().join("books.db"), options, SCHEMA).unwrap());
    Books { directory, database }
}

impl Books {
    /// A connection of its own, as another process would have.
    fn other(&self) -> Connection {
        Connection::open(self.directory.path().join("books.db")).unwrap()
    }

    async fn note(&self, id: i64, text: &'static str) -> Outcome<()> {
        self.database.write(move |tx| Box::pin(insert(tx, id, text))).await
    }

    async fn ids(&self) -> Vec<i64> {
        read_ids(&self.database).await.unwrap()
    }

    /// Makes the writer wait inside a job until the sender is used, so that later jobs share a batch.
    async fn hold(&self) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Outcome<()>>) {
        let (release, released) = mpsc::channel();
        let (entered, entering) = oneshot::channel();
        let (mut entered, database) = (Some(entered), self.database.clone());
        let held = tokio::spawn(async move {
            database
                .write(move |_| {
                    if let Some(entered) = entered.take() {
                        let _ = entered.send(());
                    }
                    let _ = released.recv();
                    Box::pin(async { Ok(()) })
                })
                .await
        });
        entering.await.unwrap();
        (release, held)
    }

    fn driver(&self) -> &Database {
        match &self.database {
            Store::Sqlite(database) => database,
            Store::Postgres(_) => unreachable!(),
        }
    }

    async fn queued(&self, count: usize) {
        while self.driver().shared.writes.len() < count {
            tokio::task::yield_now().await;
        }
    }
}

async fn insert(tx: &mut Tx, id: i64, text: &'static str) -> Outcome<()> {
    tx.execute("insert into notes (id, text) values ($1, $2)", &[id.into(), text.into()]).await?;
    tx.touch(Scope::Environment(id));
    Ok(())
}

async fn ids(snapshot: &mut Snapshot) -> Outcome<Vec<i64>> {
    snapshot.rows("select id from notes order by id", &[], |row| row.int(0)).await
}

async fn read_ids(database: &Store) -> Outcome<Vec<i64>> {
    database.read(|snapshot| Box::pin(ids(snapshot))).await
}

#[tokio::test]
async fn a_failing_job_does_not_harm_the_others_of_its_batch() {
    let books = open();
    let (release, held) = books.hold().await;
    let jobs: Vec<_> = [(1, "a"), (2, "b"), (3, "a"), (4, "d"), (1, "e"), (6, "f")]
        .into_iter()
        .map(|(id, text)| {
            let database = books.database.clone();
            tokio::spawn(async move { database.write(move |tx| Box::pin(insert(tx, id, text))).await })
        })
        .collect();
    books.queued(jobs.len()).await;
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    let mut outcomes = Vec::new();
    for job in jobs {
        outcomes.push(job.await.unwrap());
    }
    assert_eq!(outcomes, [Ok(()), Ok(()), Err(Error::Conflict), Ok(()), Err(Error::Conflict), Ok(())]);
    assert_eq!(books.ids().await, [1, 2, 4, 6]);
    let versions = books.driver().versions();
    let raised: Vec<u64> = [1, 2, 3, 4, 6].map(|id| versions.of(Scope::Environment(id))).into();
    assert_eq!(raised, [1, 1, 0, 1, 1]);
}

#[tokio::test]
async fn everything_of_a_failing_job_is_undone() {
    let books = open();
    let failed: Outcome<()> = books
        .database
        .write(|tx| {
            Box::pin(async move {
                insert(tx, 1, "kept by nobody").await?;
                insert(tx, 1, "twice").await
            })
        })
        .await;
    assert_eq!(failed, Err(Error::Conflict));
    assert_eq!(books.ids().await, [0; 0]);
    assert_eq!(books.driver().versions().of(Scope::Environment(1)), 0);
    books.note(1, "again").await.unwrap();
}

#[tokio::test]
async fn an_answer_comes_after_the_commit() {
    let books = open();
    let other = books.other();
    for id in 1..20 {
        let text: &'static str = Box::leak(format!("note {id}").into_boxed_str());
        books.note(id, text).await.unwrap();
        let count: i64 = other.query_row("select count(*) from notes", [], |row| row.get(0)).unwrap();
        assert_eq!(count, id);
    }
}

#[tokio::test]
async fn a_snapshot_does_not_see_later_commits() {
    let books = open();
    books.note(1, "before").await.unwrap();
    let (first_read, first) = oneshot::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let ends = Arc::new(Mutex::new(Some((first_read, wait))));
    let database = books.database.clone();
    let reading = tokio::spawn(async move {
        let read: Outcome<_> = database
            .read(move |snapshot| {
                let (first_read, wait) = ends.lock().unwrap().take().unwrap();
                Box::pin(async move {
                    let before = ids(snapshot).await?;
                    let _ = first_read.send(());
                    let _ = wait.recv();
                    Ok((before, ids(snapshot).await?))
                })
            })
            .await;
        read.unwrap()
    });
    first.await.unwrap();
    books.note(2, "after").await.unwrap();
    go_on.send(()).unwrap();
    assert_eq!(reading.await.unwrap(), (vec![1], vec![1]));
    assert_eq!(books.ids().await, [1, 2]);
}

#[tokio::test]
async fn constraints_have_their_own_errors() {
    let books = open();
    books.note(1, "one").await.unwrap();
    let orphan: Outcome<u64> = books
        .database
        .write(|tx| Box::pin(tx.execute_boxed("insert into notes (id, text, parent) values (2, 'x', 9)")))
        .await;
    assert_eq!(orphan, Err(Error::ForeignKey));
    let nulled: Outcome<u64> =
        books.database.write(|tx| Box::pin(tx.execute_boxed("update notes set text = null"))).await;
    assert_eq!(nulled, Err(Error::Rule("NOT NULL constraint failed: notes.text".to_owned())));
    assert_eq!(books.note(2, "one").await, Err(Error::Conflict));
}

impl Tx {
    async fn execute_boxed(&mut self, sql: &'static str) -> Outcome<u64> {
        self.execute(sql, &[]).await
    }
}

#[tokio::test]
async fn a_panic_is_the_error_of_its_job_only() {
    let books = open();
    let (release, held) = books.hold().await;
    let database = books.database.clone();
    let kept = tokio::spawn(async move { database.write(|tx| Box::pin(insert(tx, 1, "kept"))).await });
    books.queued(1).await;
    let database = books.database.clone();
    let panicking: tokio::task::JoinHandle<Outcome<()>> = tokio::spawn(async move {
        database
            .write(|tx| {
                Box::pin(async move {
                    insert(tx, 2, "lost").await?;
                    panic!("as the test wants");
                })
            })
            .await
    });
    books.queued(2).await;
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    assert_eq!(kept.await.unwrap(), Ok(()));
    assert_eq!(panicking.await.unwrap(), Err(Error::Panicked));
    let read: Outcome<()> = books
        .database
        .read(|snapshot| {
            Box::pin(async move { snapshot.each("select 1", &[], |_| panic!("as the test wants")).await })
        })
        .await;
    assert_eq!(read, Err(Error::Panicked));
    assert_eq!(books.ids().await, [1]);
}

#[tokio::test]
async fn waiting_for_anything_else_inside_a_transaction_is_refused() {
    let books = open();
    let read: Outcome<()> = books.database.read(|_| Box::pin(std::future::pending())).await;
    assert!(matches!(read, Err(Error::Misuse(_))));
    assert_eq!(books.ids().await, [0; 0]);
}

#[tokio::test]
async fn a_caller_that_stops_waiting_changes_nothing() {
    let books = open();
    let (release, held) = books.hold().await;
    let database = books.database.clone();
    let dropped = tokio::spawn(async move { database.write(|tx| Box::pin(insert(tx, 1, "dropped"))).await });
    books.queued(1).await;
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    books.note(2, "after").await.unwrap();
    assert_eq!(books.ids().await, [1, 2]);
}

#[tokio::test]
async fn versions_rise_before_the_answer_and_only_where_touched() {
    let books = open();
    let versions = books.driver().versions();
    let of = |id| versions.of(Scope::Environment(id));
    books.note(1, "one").await.unwrap();
    assert_eq!((of(1), of(2), versions.of(Scope::Credentials)), (1, 0, 0));
    versions.raise(Scope::Everything);
    assert_eq!((of(1), of(2), versions.of(Scope::Credentials)), (2, 1, 1));
    let customer = |id: u128| versions.of(Scope::Customer(id));
    versions.raise(Scope::Customer(7 << 80));
    assert_eq!((customer(7 << 80), customer(8 << 80), of(1)), (2, 1, 2));
}

#[tokio::test]
async fn a_write_by_another_process_raises_every_version() {
    let books = open();
    let version = || books.driver().versions().of(Scope::Customer(1));
    books.note(1, "one").await.unwrap();
    assert_eq!(version(), 0);
    books.other().execute("insert into notes (id, text) values (9, 'foreign')", []).unwrap();
    books.note(2, "two").await.unwrap();
    assert_eq!(version(), 1);
    books.note(3, "three").await.unwrap();
    assert_eq!(version(), 1);
    books.other().execute("delete from notes where id = 9", []).unwrap();
    // The idle writer notices by itself.
    while version() == 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(version(), 2);
}

struct CrashAt(FaultPoint, AtomicBool);

impl Faults for CrashAt {
    fn at(&self, point: FaultPoint) -> bool {
        point == self.0 && self.1.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn crashes_strike_before_or_after_the_commit() {
    for (point, kept) in [(FaultPoint::BeforeCommit, vec![1, 3]), (FaultPoint::AfterCommit, vec![1, 2, 3])] {
        let faults = Arc::new(CrashAt(point, AtomicBool::new(false)));
        let books = open_with(Options { faults: Some(faults.clone()), ..Options::default() });
        books.note(1, "one").await.unwrap();
        faults.1.store(true, Ordering::SeqCst);
        assert_eq!(books.note(2, "two").await, Err(Error::Crashed));
        faults.1.store(false, Ordering::SeqCst);
        books.note(3, "three").await.unwrap();
        assert_eq!(books.ids().await, kept);
    }
}

#[tokio::test]
async fn closing_finishes_what_is_queued() {
    let books = open();
    let (release, held) = books.hold().await;
    let database = books.database.clone();
    let queued = tokio::spawn(async move { database.write(|tx| Box::pin(insert(tx, 1, "queued"))).await });
    books.queued(1).await;
    let database = books.database.clone();
    let closing = tokio::spawn(async move { database.close().await });
    while read_ids(&books.database).await != Err(Error::Closed) {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    closing.await.unwrap().unwrap();
    held.await.unwrap().unwrap();
    queued.await.unwrap().unwrap();
    assert_eq!(books.note(3, "three").await, Err(Error::Closed));
    assert!(!books.directory.path().join("books.db-wal").exists(), "the log was not moved into the file");
    let count: i64 =
        books.other().query_row("select count(*) from notes where id = 1", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn many_sets_of_parameters_share_a_statement() {
    let books = open();
    let written: Outcome<u64> = books
        .database
        .write(|tx| {
            Box::pin(async move {
                let texts = ["a", "b", "c"];
                let sets = texts.iter().zip(1i64..).map(|(text, id)| [id.into(), (*text).into()]);
                tx.execute_for("insert into notes (id, text) values ($1, $2)", sets).await
            })
        })
        .await;
    assert_eq!(written, Ok(3));
    let read: Outcome<Vec<(usize, String)>> = books
        .database
        .read(|snapshot| {
            Box::pin(async move {
                let mut seen = Vec::new();
                let keys = [3i64, 7, 1].map(|id| [id.into()]);
                snapshot
                    .each_for("select text from notes where id = $1", keys, |number, row| {
                        seen.push((number, row.text(0)?.to_owned()));
                        Ok(())
                    })
                    .await?;
                Ok(seen)
            })
        })
        .await;
    assert_eq!(read.unwrap(), [(0, "c".to_owned()), (2, "a".to_owned())]);
}

#[tokio::test]
async fn clones_share_the_books_and_the_last_one_closes_them() {
    let books = open();
    let clone = books.database.clone();
    let path = books.directory.path().join("books.db");
    drop(books.database);
    let written: Outcome<()> = clone.write(|tx| Box::pin(insert(tx, 1, "one"))).await;
    written.unwrap();
    drop(clone);
    assert!(!books.directory.path().join("books.db-wal").exists());
    let again = Store::Sqlite(Database::open(&path, Options::default(), SCHEMA).unwrap());
    assert_eq!(read_ids(&again).await, Ok(vec![1]));
}

#[tokio::test]
async fn many_writers_and_readers_at_once_agree() {
    let books = open();
    let next = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (database, next) = (books.database.clone(), next.clone());
            tokio::spawn(async move {
                for _ in 0..20 {
                    let id = next.fetch_add(1, Ordering::SeqCst) as i64;
                    let text: &'static str = Box::leak(id.to_string().into_boxed_str());
                    let written: Outcome<()> = database.write(move |tx| Box::pin(insert(tx, id, text))).await;
                    written.unwrap();
                    let seen = read_ids(&database).await.unwrap();
                    assert!(seen.contains(&id), "a caller must see what it wrote");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(books.ids().await, (0..320).collect::<Vec<i64>>());
}

#[test]
fn a_statement_is_planned_once_whatever_is_bound() {
    let connection = Connection::open_in_memory().unwrap();
    configure(&connection).unwrap();
    connection
        .execute_batch(
            "create table keys (shard bigint, a bigint, b blob, primary key (shard, a, b)) without rowid",
        )
        .unwrap();
    let sql = "select a from keys where shard = ?1 and (a, b) <= (?2, ?3) order by a desc, b desc limit 1";
    let mut statement = connection.prepare(sql).unwrap();
    for value in 1..5i64 {
        let found = statement.exists((0, value, &value.to_be_bytes()[..])).unwrap();
        assert!(!found);
    }
    assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
}
