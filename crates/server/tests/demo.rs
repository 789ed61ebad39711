//! The demo: what every size of it holds, and that the same plan makes the same books.

#![allow(clippy::unwrap_used)]

use billing::{DunningEnd, Ids};
use engine::Engine;
use gateway::Sandbox;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use server::demo::{Plan, Shown, build, shown};
use std::path::PathBuf;
use std::sync::Arc;
use store::{Options, Store, Synchronous};
use tempfile::TempDir;

/// The books of a plan, closed, and what was said of them.
struct Books {
    path: PathBuf,
    shown: Shown,
    refused: u64,
    _folder: TempDir,
}

async fn books(months: u32, customers: u32, seed: u64) -> Books {
    let plan = Plan::new(months, customers, seed).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.db");
    let options = Options { synchronous: Synchronous::Off, readers: 2, faults: None };
    let store = Store::open(&path, options).unwrap();
    let engine = Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(plan.seed()));
    let refused = build(&engine, plan, &|_, _| {}).await.unwrap();
    let shown = shown(&engine, plan).await.unwrap();
    let report = engine.audit(None, Box::new(|_| {})).await.unwrap();
    for checked in &report.checked {
        assert_eq!(checked.disagreements, 0, "{checked:?}");
    }
    engine.store().close().await.unwrap();
    Books { path, shown, refused, _folder: folder }
}

impl Books {
    fn open(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }

    /// Every row of every table, as text.
    fn rows(&self) -> Vec<String> {
        let connection = self.open();
        let tables = self.texts("select name from sqlite_schema where type = 'table' order by name");
        let mut rows = Vec::new();
        for table in tables {
            let mut statement = connection.prepare(&format!("select * from {table}")).unwrap();
            let width = statement.column_count();
            let mut found = statement.query([]).unwrap();
            while let Some(row) = found.next().unwrap() {
                let columns: Vec<String> =
                    (0..width).map(|i| format!("{:?}", row.get_ref(i).unwrap())).collect();
                rows.push(format!("{table} {}", columns.join(" ")));
            }
        }
        rows
    }

    /// The first column of an answer, as text.
    fn texts(&self, sql: &str) -> Vec<String> {
        let connection = self.open();
        let mut statement = connection.prepare(sql).unwrap();
        let texts = statement.query_map([], |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Integer(number) => number.to_string(),
                other => other.as_str().unwrap_or_default().to_owned(),
            })
        });
        texts.unwrap().map(Result::unwrap).collect()
    }

    /// What a customer has: `status currency` of its invoices and the like.
    fn of(&self, customer: billing::CustomerId, columns: &str, table: &str) -> Vec<String> {
        use billing::Id;
        let id = format!("x'{:032x}'", customer.raw());
        self.texts(&format!("select distinct {columns} from {table} where customer_id = {id} order by 1"))
    }
}

#[tokio::test]
async fn the_same_plan_makes_the_same_books() {
    let (one, again, other) = (books(2, 12, 7).await, books(2, 12, 7).await, books(2, 12, 8).await);
    let rows = one.rows();
    assert!(rows.len() > 1_000, "{} rows", rows.len());
    for (first, second) in rows.iter().zip(again.rows()) {
        assert_eq!(*first, second);
    }
    assert_eq!(rows.len(), again.rows().len());
    assert_ne!(rows, other.rows());
}

#[tokio::test]
async fn a_customer_more_leaves_the_others_as_they_were() {
    let (few, more) = (books(1, 5, 3).await, books(1, 6, 3).await);
    let totals = |books: &Books| {
        books.texts(
            "select c.external_id || ' ' || i.total || ' ' || i.invoice_date from invoices i
             join customers c on c.id = i.customer_id order by 1",
        )
    };
    let (few, more) = (totals(&few), totals(&more));
    assert!(few.iter().all(|total| more.contains(total)), "{few:?} {more:?}");
}

#[tokio::test]
async fn the_first_customers_have_something_to_show_in_every_contract() {
    for (months, customers) in [(1, 1), (1, 2), (5, 3)] {
        let books = books(months, customers, 1).await;
        assert_eq!(books.refused, 0);
        let (_, customer, _) = books.shown.customer;
        let invoices = books.of(customer, "status || ' ' || currency", "invoices");
        for wanted in ["paid USD", "open USD", "refunded USD", "partially_refunded USD", "void USD"] {
            assert!(invoices.iter().any(|found| found == wanted), "{wanted}: {invoices:?}");
        }
        let kinds = books.of(customer, "kind", "invoices");
        assert_eq!(kinds, ["purchase", "standalone", "subscription"]);
        assert!(books.of(customer, "status", "purchases").contains(&"paid".to_owned()));
        assert!(books.of(customer, "kind || ' ' || status", "payments").contains(&"manual succeeded".into()));
        let retried = "retry_count || ' ' || status";
        assert!(books.of(customer, retried, "invoices").contains(&"1 paid".to_owned()));
        let planned = "status || ' ' || (next_attempt_at is not null)";
        assert!(books.of(customer, planned, "invoices").contains(&"open 1".to_owned()));
        assert!(books.of(customer, "status", "subscriptions").contains(&"trialing".to_owned()));
        let (_, organization, _) = books.shown.organization;
        let sold = "(select slug from products where id = invoices.product_id)
                    || ' ' || currency || ' ' || (tax > 0) || ' ' || status";
        let invoices = books.of(organization, sold, "invoices");
        for status in ["paid", "open", "refunded", "void", "uncollectible"] {
            let wanted = format!("unpod.dev INR 1 {status}");
            assert!(invoices.contains(&wanted), "{wanted}: {invoices:?}");
        }
        assert_eq!(books.shown.environment.dunning.end, DunningEnd::Cancel);
    }
}

#[tokio::test]
async fn the_trade_is_of_every_kind() {
    let books = books(8, 64, 1).await;
    assert_eq!(books.refused, 0);
    let all = |sql: &str| books.texts(&format!("select distinct {sql} order by 1"));
    assert_eq!(
        all("interval_unit || interval_count from subscriptions"),
        ["day1", "day10", "month1", "month3", "week1", "week2", "year1"]
    );
    let statuses = all("status from subscriptions");
    let wanted = ["active", "canceled", "completed", "incomplete_expired", "past_due", "trialing", "unpaid"];
    assert_eq!(statuses, wanted);
    assert_eq!(all("currency from invoices"), ["EUR", "INR", "JPY", "KWD", "USD"]);
    let categories = ["add_on", "ai_tools", "credits", "sms", "storage", "subscription"];
    assert_eq!(all("category from invoices"), categories);
    assert!(all("zone from customers where zone is not null").len() >= 6);
    assert_eq!(
        all("status from invoices"),
        ["open", "paid", "partially_refunded", "refunded", "uncollectible", "void"]
    );
    let kinds = "kind || ' ' || means || ' ' || status from payments";
    let payments = all(kinds);
    for wanted in [
        "automatic card failed",
        "automatic card requires_action",
        "automatic bank_transfer succeeded",
        "manual bank_transfer succeeded",
        "manual cash succeeded",
        "manual other succeeded",
    ] {
        assert!(payments.iter().any(|found| found == wanted), "{wanted}: {payments:?}");
    }
    assert_eq!(all("archived from customers"), ["0", "1"]);
    assert!(all("external_id from customers").iter().any(|id| id.contains('/')));
    for found in [
        "1 from payments where deleted_at is not null",
        "1 from items where pending = 'add'",
        "1 from subscriptions where cancel_scheduled_at is not null and status = 'active'",
        "1 from credits where remaining > 0",
        "1 from customers c where not exists (select 1 from invoices i where i.customer_id = c.id)",
        "1 from customers where catalog_id is not null",
        "1 from invoice_taxes t join invoices i on i.id = t.invoice_id where i.currency = 'EUR'",
        "1 from invoice_lines where description like 'Discount: %'",
        "1 from invoice_lines where description like '%setup fee'",
    ] {
        assert_eq!(all(found), ["1"], "{found}");
    }
}

#[test]
fn a_plan_says_what_is_wrong_with_it() {
    assert_eq!(Plan::new(24, 200, 1).unwrap().to_string(), "24 months, 200 customers, seed 1");
    assert_eq!(Plan::new(0, 1, 1).unwrap_err(), "--months is a whole number from 1 to 120, not 0");
    assert_eq!(
        Plan::new(1, 20_001, 1).unwrap_err(),
        "--customers is a whole number from 1 to 20000, not 20001"
    );
}
