//! Customers in their shards: each in one of its own choice, or those of an organization in one.

use crate::fixtures::{World, at, open};
use billing::id::{CustomerId, Id};
use billing::invoice::InvoiceStatus;
use billing::sharding::{ShardKey, ShardPlacement};
use engine::{Engine, Holds};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Error, Node};
use testbed::Books;

const START: &str = "2024-01-01T00:00:00Z";

/// Two organizations, each with so many customers, who were billed for a month.
async fn two(books: &Books, customers: usize) -> [(World, Vec<CustomerId>); 2] {
    let (engine, gateway) = open(books, 1).await;
    let mut worlds = Vec::new();
    for name in ["ada", "bob"] {
        let world = World::beside(engine.clone(), gateway.clone(), books.clone(), START).await;
        let price = world.price(1000, |_| {}).await;
        let mut made = Vec::new();
        for n in 0..customers {
            let customer = world.customer(&format!("{name}{n}"), Some("tok_visa")).await;
            world.subscribe(customer, price.id, world.start).await;
            made.push(customer);
        }
        world.run("2024-02-01T00:00:00Z").await;
        worlds.push((world, made));
    }
    worlds.try_into().ok().unwrap()
}

fn shards(customers: &[CustomerId]) -> BTreeSet<i64> {
    customers.iter().map(|customer| customer.shard()).collect()
}

async fn spread(spread: ShardPlacement) -> Books {
    let books = Books::empty().await;
    let store = books.open().await;
    store.spread(spread).await.unwrap();
    store.close().await.unwrap();
    books
}

#[tokio::test]
async fn customers_are_spread_each_by_itself() {
    let books = spread(ShardPlacement::over(4)).await;
    let [(first, ours), (_, theirs)] = two(&books, 20).await;
    for customers in [&ours, &theirs] {
        assert!(shards(customers).len() > 2, "{:?}", shards(customers));
    }
    first.audit().await;
}

/// Leases a process its part of the shards.
async fn lease(engine: &Engine, id: u128) -> Vec<i64> {
    let node = Node { id, name: id.to_string() };
    engine.store().claim_shards(&node, 600, || at(START)).await.unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_bill_several_shards_at_once_bill_each_customer_once() {
    let books = spread(ShardPlacement::over(8)).await;
    let [(world, ours), (other, theirs)] = two(&books, 40).await;
    let mut processes = Vec::new();
    for id in [1, 2] {
        let (engine, gateway) = open(&books, 10 + id as u64).await;
        let engine = engine.several_shards_at_once();
        lease(&engine, id).await;
        processes.push((id, engine, gateway));
    }
    let mut running = Vec::new();
    for (id, engine, gateway) in processes {
        let shards = lease(&engine, id).await;
        assert_eq!(shards.len(), 4);
        let environment = world.environment;
        running.push(tokio::spawn(async move {
            let holds: Holds = Arc::new(|_| true);
            let now = at("2024-04-01T00:00:00Z");
            let done = engine.run_due_in(environment, now, shards.clone(), holds).await.unwrap();
            (done, shards, gateway)
        }));
    }
    let mut asked = 0;
    for process in running {
        let (done, shards, gateway) = process.await.unwrap();
        let charged = gateway.asked.lock().unwrap().clone();
        assert!(!charged.is_empty() && done.subscription_steps >= charged.len() as u64, "{done:?}");
        assert!(
            charged.iter().all(|payment| shards.contains(&payment.shard())),
            "each bills what it has leased"
        );
        asked += charged.len();
    }
    assert_eq!(asked, 2 * ours.len(), "March and April");
    for customer in &ours {
        let invoices = world.invoices(*customer).await;
        assert_eq!(invoices.len(), 4);
        assert!(invoices.iter().all(|invoice| invoice.status == InvoiceStatus::Paid), "{invoices:?}");
    }
    for customer in &theirs {
        assert_eq!(other.invoices(*customer).await.len(), 2, "nobody was told to bill them");
    }
    world.audit().await;
}

#[tokio::test]
async fn an_organization_is_in_one_shard() {
    let books = spread(ShardPlacement::by_organization(4)).await;
    let [(first, ours), (second, theirs)] = two(&books, 6).await;
    assert_eq!((shards(&ours), shards(&theirs)), (BTreeSet::from([0]), BTreeSet::from([1])));
    for (world, customers) in [(&first, &ours), (&second, &theirs)] {
        for customer in customers {
            assert_eq!(world.invoices(*customer).await.len(), 2);
        }
    }
    // All rows of theirs are where they are, and the next process goes on in the same way.
    for table in ["subscriptions", "invoices", "payments", "postings", "list_entries"] {
        let found = books.texts(&format!("select distinct shard::text from {table} order by 1")).await;
        assert_eq!(found, [[Some("0".to_owned())], [Some("1".to_owned())]], "{table}");
    }
    first.audit().await;
    let (engine, gateway) = open(&books, 2).await;
    let third = World::beside(engine.clone(), gateway, books.clone(), START).await;
    assert_eq!(third.customer("cyd", None).await.shard(), 2);
    for other in
        [ShardPlacement::over(4), ShardPlacement::by_organization(8), ShardPlacement::by_organization(2)]
    {
        let refused = engine.store().spread(other).await;
        let said = "customers are spread over 4 shards by organization already".to_owned();
        assert_eq!(refused, Err(Error::Misuse(said)));
    }
    assert_eq!(engine.store().spreading().by, ShardKey::Organization);
}
