//! What is said on the command line of books that several servers share.

use crate::fixtures::shell::{self, House, Serving};
use testbed::{Books, until};

/// What the only row of an answer with one column says.
async fn one(books: &Books, sql: &str) -> String {
    books.texts(sql).await.remove(0).remove(0).unwrap()
}

#[tokio::test]
async fn customers_are_spread_as_was_said_when_the_books_were_made() {
    let house = House::of(Books::empty().await);
    assert!(house.refused(&["init", "--shards", "6"]).contains("a power of two up to 1024"));
    house.run(&["init", "--shards", "8", "--shard-by", "organization", "--test"]);
    house.run(&["init", "--add", "--organization", "Other"]);
    assert!(house.run(&["nodes"]).contains("has 8 shards, by organization, and 0 servers"));
    // Nobody has a customer yet.
    house.run(&["init", "--add", "--shard-by", "customer"]);
    house.run(&["init", "--add", "--shard-by", "organization"]);
    house.run(&["token", "staff", "--environment", "2", "--email", "eve@example.com", "--role", "viewer"]);
    let spread = "select value from settings where name = 'spread_by'";
    assert_eq!(one(&house.books, spread).await, "organization");
    let file = House::of(Books::sqlite());
    for wrong in [&["--shards", "2"], &["--shard-by", "organization"]] {
        let refused = file.refused(&[&["init"], &wrong[..]].concat());
        assert!(refused.contains("books in a file have one shard"), "{refused}");
    }
    assert_eq!(std::fs::read_dir(file.folder()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_empty_database_is_given_partitions() {
    let house = House::of(Books::empty().await);
    assert!(house.run(&["migrate", "--partitions", "4"]).contains("cut into 4 partitions"));
    house.run(&["init", "--shards", "16"]);
    let counted = "select count(*)::text from pg_inherits where inhparent = 'invoices'::regclass";
    assert_eq!(one(&house.books, counted).await, "4");
    assert!(house.run(&["migrate", "--partitions", "4"]).contains("cut into 4 partitions"));
    assert!(house.refused(&["migrate", "--partitions", "8"]).contains("in other partitions"));
    assert!(house.run(&["audit"]).contains("the books agree"));
    // Books of a file are copied into the partitions.
    let (file, there) = (House::of(Books::sqlite()), House::of(Books::empty().await));
    file.run(&["init"]);
    there.run(&["migrate", "--partitions", "2"]);
    let mut copy = house.command(&["copy", "--from", file.books.address(), "--to", there.books.address()]);
    assert!(shell::said(copy.env_remove("QUITTANCE_DATABASE")).contains("the books agree"));
    let refused = House::of(Books::sqlite()).refused(&["migrate", "--partitions", "2"]);
    assert!(refused.contains("no partitions"), "{refused}");
}

#[tokio::test]
async fn books_that_are_served_are_not_copied_though_nobody_bills_them() {
    let (house, there) = (House::of(Books::empty().await), Books::sqlite());
    house.run(&["init"]);
    let serve = ["serve", "--addr", "127.0.0.1:0", "--tick-seconds", "0", "--node", "window"];
    let window = Serving::start(&mut house.command(&serve));
    let is_there = || house.run(&["nodes"]).contains("s ago, answers and does not bill");
    until("it says that it is there", async || is_there()).await;
    let copy = || {
        let mut copy = house.command(&["copy", "--from", house.books.address(), "--to", there.address()]);
        copy.env_remove("QUITTANCE_DATABASE");
        copy
    };
    let refused = shell::refusal(&mut copy());
    assert!(refused.contains("is in use: stop the servers first: window"), "{refused}");
    // One that bills has all the work.
    let billing = Serving::start(&mut house.command(&["serve", "--addr", "127.0.0.1:0", "--node", "till"]));
    let has_all =
        || house.run(&["nodes"]).lines().any(|line| line.starts_with("till: ") && line.ends_with(": 0"));
    until("the other has the only shard", async || has_all()).await;
    window.stop();
    billing.stop();
    assert!(house.run(&["nodes"]).ends_with("and 0 servers\nheld by nobody, 1 shards: 0"));
    assert!(shell::said(&mut copy()).contains("the books agree"));
}

#[tokio::test]
async fn servers_that_are_gone_are_named_as_such_and_shards_that_nobody_holds_are_shown() {
    let house = House::of(Books::empty().await);
    house.run(&["init", "--shards", "4"]);
    let said = || house.run(&["nodes"]);
    assert!(said().ends_with("has 4 shards, by customer, and 0 servers\nheld by nobody, 4 shards: 0 1 2 3"));
    let mut server =
        Serving::start(&mut house.command(&["serve", "--addr", "127.0.0.1:0", "--node", "till"]));
    let has_all =
        || said().ends_with("more, 4 shards: 0 1 2 3") && said().contains("and 1 servers\ntill: seen ");
    until("it has all shards", async || has_all()).await;
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    // The lease of one shard runs on, those of the others are over.
    let silent = "update nodes set seen_at = seen_at - 60000000";
    let over = "update shards set until = until + case when shard = 0 then 600000000 else -60000000 end";
    assert_eq!((house.books.tamper(silent).await, house.books.tamper(over).await), (1, 4));
    let lines = said();
    assert!(lines.contains("and 1 servers\ntill: seen "), "{lines}");
    assert!(lines.ends_with(" s more, 1 shards: 0\nheld by nobody, 3 shards: 1 2 3"), "{lines}");
    house.books.tamper("update shards set until = 0 where shard = 0").await;
    let lines = said();
    assert!(lines.contains("and 0 servers\ntill: gone, was seen "), "{lines}");
    assert!(lines.ends_with(" s ago\nheld by nobody, 4 shards: 0 1 2 3"), "{lines}");
}
