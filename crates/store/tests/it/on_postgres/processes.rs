//! What only several processes on one PostgreSQL can show: leases, versions, migrations at once.

use billing::credential::Credential;
use billing::id::Ids;
use billing::sharding::ShardPlacement;
use billing::timestamp::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use store::{Error, Node, Options, Scope, Snapshot, Store};
use testbed::{Books, Cut, Wire};
use tokio::time::Instant;

fn node(id: u128) -> Node {
    Node { id, name: format!("node {id}") }
}

fn second(n: i64) -> Timestamp {
    Timestamp::from_seconds(n)
}

async fn claim(store: &Store, id: u128, now: i64) -> Vec<i64> {
    store.claim_shards(&node(id), 10, move || second(now)).await.unwrap().0
}

#[tokio::test]
async fn processes_share_the_shards_and_inherit_those_of_the_dead() {
    let books = Books::postgres().await;
    let store = books.open().await;
    store.spread(ShardPlacement::over(8)).await.unwrap();
    assert_eq!(store.shards(), 8);
    assert_eq!(claim(&store, 1, 100).await, [0, 1, 2, 3, 4, 5, 6, 7], "it is alone");
    let other = books.open().await;
    assert_eq!(other.shards(), 8);
    assert_eq!(claim(&other, 2, 101).await, [], "all are leased");
    assert_eq!(claim(&store, 1, 102).await, [0, 1, 2, 3], "it lets go of what is another's part");
    assert_eq!(claim(&other, 2, 103).await, [4, 5, 6, 7]);
    let holdings = store.holdings().await.unwrap();
    assert_eq!(holdings.len(), 2);
    assert_eq!(holdings[1].shards.iter().map(|(shard, _)| *shard).collect::<Vec<_>>(), [4, 5, 6, 7]);
    // The second one dies at 103: its lease is over at 113.
    assert_eq!(claim(&store, 1, 110).await, [0, 1, 2, 3]);
    assert_eq!(claim(&store, 1, 114).await, [0, 1, 2, 3, 4, 5, 6, 7]);
    store.release(1).await.unwrap();
    assert_eq!(claim(&other, 2, 115).await, [0, 1, 2, 3, 4, 5, 6, 7], "what was given back is free at once");
    let refused = store.spread(ShardPlacement::over(4)).await;
    assert!(matches!(refused, Err(Error::Misuse(_))), "{refused:?}");
}

#[tokio::test]
async fn no_shard_is_leased_twice_when_many_claim_at_once() {
    let books = Books::postgres().await;
    let first = books.open().await;
    first.spread(ShardPlacement::over(64)).await.unwrap();
    let mut claims = Vec::new();
    for id in 1..=6_u128 {
        let store = books.open().await;
        claims.push(tokio::spawn(async move { claim(&store, id, 100).await }));
    }
    let mut held = Vec::new();
    for claim in claims {
        held.extend(claim.await.unwrap());
    }
    let count = held.len();
    held.sort_unstable();
    held.dedup();
    assert_eq!(held.len(), count);
    assert_eq!(held.len(), 64, "whoever came first took what nobody had");
}

#[tokio::test]
async fn a_claim_that_is_made_again_counts_from_then() {
    let books = Books::postgres().await;
    let wire = Wire::to(books.address());
    let store = Store::connect(wire.address(), Options::default()).await.unwrap();
    let claims = Arc::new(AtomicU64::new(0));
    let counted = claims.clone();
    wire.cut(0, Cut::Before);
    // Each try is made 1000 seconds after the one before.
    let clock = move || second(1000 * (counted.fetch_add(1, Ordering::Relaxed) as i64 + 1));
    let (shards, until) = store.claim_shards(&node(1), 8, clock).await.unwrap();
    assert!(wire.is_cut());
    assert_eq!((claims.load(Ordering::Relaxed), shards, until), (2, vec![0], second(2008)));
    let holding = store.holdings().await.unwrap().remove(0);
    assert_eq!((holding.seen_at, holding.shards), (second(2000), vec![(0, second(2008))]));
}

fn credential(ids: &mut Ids) -> Credential {
    let now = second(1);
    Credential {
        id: ids.next(now, 0),
        environment: 1,
        bearer: billing::credential::Bearer::Key,
        name: "a key".to_owned(),
        hint: "k".to_owned(),
        hash: Some([7; 32]),
        scopes: Vec::new(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        created_at: now,
    }
}

/// Opens books that have got an environment.
async fn organized(books: &Books) -> Store {
    books.tamper("insert into organizations (id, name, created_at) values (gen_random_uuid(), 'a', 0)").await;
    let environment =
        "insert into environments select 1, id, true, null, 'UTC', 'USD', 'organization', 'I', 0, 0,
         '', 'cancel', 0, true, '', 0 from organizations";
    books.tamper(environment).await;
    books.open().await
}

#[tokio::test]
async fn a_version_rises_for_every_process_before_the_writer_is_told() {
    let books = Books::postgres().await;
    let (here, there) = (organized(&books).await, books.open().await);
    let key = credential(&mut Ids::seeded(1));
    here.insert_credential(key.clone()).await.unwrap();
    let scopes = [Scope::Credentials, Scope::Catalog(1), Scope::Customer(9)];
    let mut seen = there.version(&scopes).await.unwrap();
    for _ in 0..20 {
        here.revoke_credential(1, key.id, second(2)).await.unwrap();
        let now = there.version(&scopes).await.unwrap();
        assert!(now > seen, "{now} after {seen}");
        assert_eq!(here.version(&scopes).await.unwrap(), now);
        seen = now;
    }
    assert_eq!(there.version(&[Scope::Catalog(1)]).await.unwrap(), 0, "nothing was sold");
    // Many questions at once are told the same.
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let there = there.clone();
            tokio::spawn(async move { there.version(&[Scope::Credentials]).await.unwrap() })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), 20);
    }
}

/// How long another process may take credentials for what they were.
const MOMENT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn changed_credentials_are_known_here_at_once_and_elsewhere_in_a_moment() {
    let books = Books::postgres().await;
    let (here, there) = (organized(&books).await, books.open().await);
    let key = credential(&mut Ids::seeded(1));
    here.insert_credential(key.clone()).await.unwrap();
    let version = async |store: &Store| store.version(&[Scope::Credentials]).await.unwrap();
    let mut kept = false;
    for n in 0..10 {
        let before = version(&here).await;
        testbed::until("the other process knows", async || version(&there).await == before).await;
        here.revoke_credential(1, key.id, second(n)).await.unwrap();
        let changed = Instant::now();
        assert_eq!(version(&here).await, before + 1, "whoever changed them knows");
        testbed::until("the other process learns of it", async || {
            let asked = changed.elapsed();
            let is_known = version(&there).await > before;
            kept |= !is_known;
            assert!(is_known || asked < MOMENT, "not known to who asked after {asked:?}");
            is_known
        })
        .await;
    }
    assert!(kept, "the other process never answered from memory");
}

#[tokio::test]
async fn several_starters_make_one_schema() {
    let books = Books::empty().await;
    let address = books.address().to_owned();
    assert_eq!(
        Store::pending(&address).await.unwrap().len(),
        Store::pending("/nowhere").await.unwrap().len()
    );
    assert!(!Store::is_there(&address).await.unwrap());
    let starters: Vec<_> = (0..5)
        .map(|_| {
            let address = address.clone();
            tokio::spawn(async move { Store::connect(&address, Options::default()).await.map(|_| ()) })
        })
        .collect();
    for starter in starters {
        starter.await.unwrap().unwrap();
    }
    assert!(Store::pending(&address).await.unwrap().is_empty());
    assert!(Store::is_there(&address).await.unwrap());
    books.tamper("insert into migrations (number, name) values (900, 'from_the_future')").await;
    let refused = Store::connect(&address, Options::default()).await.err().unwrap();
    assert!(matches!(refused, Error::NewerSchema { found: 900, .. }), "{refused:?}");
    assert!(refused.to_string().ends_with("run a newer version"), "{refused}");
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let books = Books::empty().await;
    books.tamper("create table wines (name text)").await;
    let refused = Store::connect(books.address(), Options::default()).await.err().unwrap();
    assert_eq!(refused, Error::Corrupt("this is a database of another program".to_owned()));
}

/// An empty database with an extension that has a view, and a table as those for maps do.
async fn extended() -> Books {
    let books = Books::empty().await;
    books.tamper("create extension pg_buffercache").await;
    books.tamper("create table spatial_ref_sys (srid integer primary key)").await;
    books.tamper("alter extension pg_buffercache add table spatial_ref_sys").await;
    books
}

#[tokio::test]
async fn what_belongs_to_an_extension_is_in_nobodys_way() {
    let (from, to) = (extended().await, extended().await);
    assert!(!Store::is_there(from.address()).await.unwrap());
    from.open().await.close().await.unwrap();
    let (source, target) = (organized(&from).await, to.open().await);
    let compared = store::copy::run(&source, &target, &|_| {}).await.unwrap();
    assert!(compared.iter().all(store::copy::Compared::agrees), "{compared:?}");
    to.tamper("create table wines (name text)").await;
    let refused = store::copy::run(&source, &target, &|_| {}).await.unwrap_err();
    assert_eq!(refused.to_string(), "the schemas differ: wines is not a table of the books");
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    let books = Books::postgres().await;
    let store = Arc::new(books.open().await);
    let end = "select count(pg_terminate_backend(pid))::text from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()";
    for n in 0..5 {
        store.claim_shards(&node(1), 5, move || second(n)).await.unwrap();
        assert_eq!(store.holdings().await.unwrap().len(), 1);
        assert_eq!(store.version(&[Scope::Credentials]).await.unwrap(), 0);
        let ended: i64 = books.texts(end).await[0][0].as_deref().unwrap().parse().unwrap();
        assert!(ended > 0);
    }
    // In the middle of many writes.
    let writing: Vec<_> = (0..8_u128)
        .map(|id| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..20 {
                    store.claim_shards(&node(id), 5, move || second(n)).await.unwrap();
                }
            })
        })
        .collect();
    for _ in 0..5 {
        books.texts(end).await;
    }
    for written in writing {
        written.await.unwrap();
    }
}

/// Reads twice on one snapshot; the first times it ends its own connection between the two.
async fn interrupted(store: &Store, times: u64) -> (Result<i64, Error>, u64) {
    let runs = Arc::new(AtomicU64::new(0));
    let counted = runs.clone();
    let read = store.read(move |s| {
        Box::pin(async move {
            let first = s.row("select count(*) from shards", &[], |row| row.int(0)).await?;
            if counted.fetch_add(1, Ordering::Relaxed) < times {
                s.each("select pg_terminate_backend(pg_backend_pid())::int", &[], |_| Ok(())).await?;
            }
            s.row("select count(*) + 0 from shards", &[], |row| row.int(0)).await?;
            Ok(first.unwrap_or(0))
        })
    });
    (read.await, runs.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_snapshot_that_is_lost_half_way_is_read_again() {
    let books = Books::postgres().await;
    let store = books.open().await;
    store.spread(ShardPlacement::over(2)).await.unwrap();
    assert_eq!(interrupted(&store, 0).await, (Ok(2), 1));
    assert_eq!(interrupted(&store, 1).await, (Ok(2), 2));
    assert_eq!(interrupted(&store, 3).await, (Ok(2), 4));
}

#[tokio::test]
async fn a_host_that_never_answers_keeps_nobody_from_the_next() {
    // It takes connections and says nothing, as a machine does whose processes are frozen.
    let frozen = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = frozen.local_addr().unwrap().port();
    let books = Books::postgres().await;
    let address = books.address().replacen("127.0.0.1", &format!("127.0.0.1:{port},127.0.0.1"), 1)
        + "&target_session_attrs=read-write&connections=1";
    let store = Store::connect(&address, Options::default()).await.unwrap();
    let asked = |listener: &std::net::TcpListener| {
        listener.set_nonblocking(true).unwrap();
        std::iter::from_fn(|| listener.accept().ok()).count()
    };
    assert!(asked(&frozen) > 0, "it comes first in the address");
    // The next connection goes to the one that answered.
    assert_eq!(interrupted(&store, 2).await, (Ok(1), 3));
    assert_eq!(asked(&frozen), 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let address = format!("postgres://u@127.0.0.1:{port}/b?sslmode=disable");
    let refused = Store::pending(&address).await.unwrap_err();
    assert!(matches!(refused, Error::Unavailable(_)), "{refused:?}");
    assert_eq!(store::address_label("postgres://u:geheim@h:1/b?sslmode=disable"), "postgres://h:1/b");
}

#[tokio::test]
async fn a_server_that_never_answers_is_unavailable() {
    // Nobody takes its connections: the kernel makes them.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let [plain, encrypted] =
        ["disable", "require"].map(|mode| format!("postgres://u@127.0.0.1:{port}/b?sslmode={mode}"));
    let (plain, encrypted) = tokio::join!(Store::pending(&plain), Store::pending(&encrypted));
    let silent = Error::Unavailable("the server does not answer".to_owned());
    assert_eq!((plain.unwrap_err(), encrypted.unwrap_err()), (silent.clone(), silent));
}

/// A long answer: it crosses in many parts.
const LONG: &str = "select n, repeat('x', 1000) from generate_series(cast($1 as bigint), 3000) n order by n";
const OTHER: &str = "select n, repeat('y', 1000) from generate_series(cast($1 as bigint), 2000) n order by n";
const SHORT: &str = "select cast($1 as bigint)";

async fn count(s: &mut Snapshot, sql: &'static str, from: i64) -> Result<usize, Error> {
    Ok(s.rows(sql, &[from.into()], |row| row.int(0)).await?.len())
}

/// A connection stands still as long as nobody takes the next part of an answer, so long answers that were
/// prefetched must not wait for each other.
#[tokio::test]
async fn what_was_announced_can_be_asked_for_in_any_order() {
    let books = Books::postgres().await;
    let store = books.open().await;
    // The second time all statements are prepared already.
    for _ in 0..2 {
        let counted = store.read(|s| {
            Box::pin(async move {
                s.prefetch(LONG, &[1_i64.into()]);
                s.prefetch(OTHER, &[1_i64.into()]);
                s.prefetch(LONG, &[1001_i64.into()]);
                let short = s.row(SHORT, &[7_i64.into()], |row| row.int(0)).await?;
                let second = count(s, OTHER, 1).await?;
                let third = count(s, LONG, 1001).await?;
                let not_announced = count(s, LONG, 2001).await?;
                let twice = count(s, LONG, 1001).await?;
                // The first one is never asked for.
                Ok::<_, Error>((short, second, third, not_announced, twice))
            })
        });
        assert_eq!(counted.await.unwrap(), (Some(7), 2000, 2000, 1000, 2000));
    }
}
