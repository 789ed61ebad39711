//! Commits that go together on PostgreSQL: each stands or falls by itself, and they wait for the disk once.

use crate::fixtures::World;
use billing::changes::{Change, Changes, Idempotency, Row, Version};
use billing::customer::Customer;
use billing::id::CustomerId;
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use store::{Committed, Error};
use testbed::{Cut, Wire, until};

type Outcome = Result<Committed, Error>;

async fn find(world: &World, id: CustomerId) -> (Customer, Version) {
    let environment = world.environment;
    let found = world
        .engine
        .store()
        .read(move |s| Box::pin(async move { store::customers::by_id(s, environment, id).await }));
    found.await.unwrap().unwrap()
}

/// Customers `c0` and so on, and what gives each of them the name `new`.
async fn renamings(world: &World, count: usize) -> Vec<Changes> {
    let mut all = Vec::new();
    for n in 0..count {
        let id = world.customer(&format!("c{n}"), None).await;
        let (customer, version) = find(world, id).await;
        let mut changes = Changes::of(id, version);
        changes.update(customer.clone(), Customer { name: "new".into(), ..customer });
        all.push(changes);
    }
    all
}

/// Whose name is the new one, without those of `c0`.
async fn renamed(world: &World) -> BTreeSet<String> {
    let sql = "select external_id from customers where name = 'new' and external_id <> 'c0'";
    world.books.texts(sql).await.into_iter().flatten().flatten().collect()
}

fn names(of: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
    of.into_iter().map(|n| format!("c{n}")).collect()
}

/// Commits the first of some changes, whose customer is kept by somebody else, and calls `meanwhile` once
/// the others wait for it.
async fn commit_behind(
    world: &World,
    all: Vec<Changes>,
    meanwhile: impl AsyncFnOnce(),
) -> (Outcome, Vec<Outcome>) {
    let held = world.books.hold("update customers set name = name where external_id = 'c0'").await;
    let mut all = all.into_iter();
    let (store, first) = (world.engine.store().clone(), all.next().unwrap());
    let first = tokio::spawn(async move { store.commit(first).await });
    until("the first waits for its customer", async || {
        let waiting = "select 'one' from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'";
        !world.books.texts(waiting).await.is_empty()
    })
    .await;
    let mut others = join_all(all.map(|changes| world.engine.store().commit(changes)));
    assert!((&mut others).now_or_never().is_none(), "they wait for the first");
    meanwhile().await;
    drop(held);
    (first.await.unwrap(), others.await)
}

/// As [`commit_behind`]; also says how many commits it took.
async fn commit_all(world: &World, wire: &Wire, all: Vec<Changes>) -> (Vec<Outcome>, u32) {
    let before = wire.commits();
    let (first, others) = commit_behind(world, all, async || {}).await;
    first.unwrap();
    (others, wire.commits() - before)
}

#[tokio::test]
async fn those_that_come_while_one_is_under_way_take_one_commit() {
    let (world, wire) = World::over_a_wire().await;
    let all = renamings(&world, 20).await;
    let (others, commits) = commit_all(&world, &wire, all).await;
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    assert_eq!((commits, renamed(&world).await), (2, names(1..20)));
    world.audit().await;
}

#[tokio::test]
async fn one_that_was_decided_on_an_older_state_conflicts_by_itself() {
    let (world, wire) = World::over_a_wire().await;
    let mut all = renamings(&world, 8).await;
    all[3].decided_on[0].1 -= 1;
    // Two that were decided on one state: the second is beaten by the first.
    let mut again = all[5].clone();
    let Change::Update { after: Row::Customer(customer), .. } = &mut again.rows[0] else { unreachable!() };
    customer.name = "newer".into();
    all.push(again);
    let (others, commits) = commit_all(&world, &wire, all).await;
    let conflicts: Vec<bool> = others.iter().map(|outcome| *outcome == Err(Error::Conflict)).collect();
    assert_eq!(conflicts, [false, false, true, false, false, false, false, true]);
    assert_eq!((commits, renamed(&world).await), (2, names([1, 2, 4, 5, 6, 7])));
    world.audit().await;
}

#[tokio::test]
async fn what_the_database_refuses_of_one_is_refused_of_nobody_else() {
    let (world, wire) = World::over_a_wire().await;
    let mut all = renamings(&world, 8).await;
    for (n, key) in [(2, "used"), (3, "fresh"), (6, "used")] {
        all[n].idempotency = Some(Idempotency {
            environment: world.environment,
            key: key.into(),
            fingerprint: vec![1; 32],
            resource: 1,
            created_at: world.start,
        });
    }
    let Change::Update { after: Row::Customer(customer), .. } = &mut all[4].rows[0] else { unreachable!() };
    customer.external_id = "c7".into();
    let (others, commits) = commit_all(&world, &wire, all).await;
    for (n, outcome) in (1..).zip(others) {
        match n {
            4 => assert_eq!(outcome, Err(Error::Conflict)),
            6 => assert_eq!(outcome, Err(Error::KeyTaken)),
            _ => assert!(outcome.is_ok(), "{n}: {outcome:?}"),
        }
    }
    // That of the first, one of each that stands, and one of the name that is taken, which is refused.
    assert_eq!((commits, renamed(&world).await), (1 + 5 + 1, names([1, 2, 3, 5, 7])));
    world.audit().await;
}

#[tokio::test]
async fn a_commit_that_is_lost_with_its_connection_has_its_effects_once() {
    for cut in [Cut::Before, Cut::Answer] {
        let (world, wire) = World::over_a_wire().await;
        let all = renamings(&world, 8).await;
        let decided: Vec<_> = all.iter().map(|changes| changes.decided_on[0]).collect();
        // The commit of the first is on its way already.
        let (first, others) = commit_behind(&world, all, async || wire.cut(0, cut)).await;
        assert!(wire.is_cut(), "{cut:?}");
        assert!(first.is_ok() && others.iter().all(Result::is_ok), "{cut:?}: {others:?}");
        for (customer, version) in decided {
            let (customer, now) = find(&world, customer).await;
            assert_eq!((customer.name.as_str(), now), ("new", version + 1), "{cut:?}");
        }
        world.audit().await;
    }
}

#[tokio::test]
async fn what_was_given_up_before_its_turn_is_not_done() {
    let (world, _wire) = World::over_a_wire().await;
    let mut all = renamings(&world, 4).await;
    let given_up = all.remove(2);
    let (_, others) = commit_behind(&world, all, async || {
        assert!(world.engine.store().commit(given_up).now_or_never().is_none());
    })
    .await;
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    assert_eq!(renamed(&world).await, names([1, 3]));
}

#[tokio::test]
async fn another_environment_waits_for_nobody() {
    let (world, _wire) = World::over_a_wire().await;
    let all = renamings(&world, 2).await;
    let (engine, gateway, books) = (world.engine.clone(), world.gateway.clone(), world.books.clone());
    let (first, others) = commit_behind(&world, all, async || {
        let beside = World::beside(engine, gateway, books, "2024-01-01T00:00:00Z").await;
        let bob = beside.customer("bob", None).await;
        assert_eq!(beside.write_down(bob, 250, beside.start).await.amount, 250);
    })
    .await;
    assert!(first.is_ok() && others.iter().all(Result::is_ok), "{others:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_of_many_is_told_its_own_invoice_number() {
    let (world, _wire) = World::over_a_wire().await;
    let mut customers = Vec::new();
    for n in 0..40 {
        customers.push(world.customer(&format!("c{n}"), None).await);
    }
    let issuing = customers.iter().map(|customer| world.bill(*customer, 1000, false, world.start));
    let issued = join_all(issuing).await;
    for (customer, invoice) in customers.iter().zip(&issued) {
        assert_eq!(world.invoices(*customer).await.as_slice(), std::slice::from_ref(invoice));
    }
    let ordinals: BTreeSet<i64> = issued.iter().map(|invoice| invoice.ordinal).collect();
    assert_eq!(ordinals, (1..=40).collect());
    world.audit().await;
}
