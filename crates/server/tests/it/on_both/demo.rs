//! The demo: what every size of it holds, and that the same plan makes the same books.

use billing::environment::DunningEnd;
use billing::id::{Id, Ids};
use engine::Engine;
use gateway::Sandbox;
use server::demo::plan::DemoPlan;
use server::demo::story::build;
use server::demo::subjects::{self, DemoSubjects};
use std::sync::Arc;
use store::Options;

/// The books of a plan, closed, and what was said of them.
struct Books {
    books: testbed::Books,
    shown: DemoSubjects,
    refused: u64,
}

async fn books(months: u32, customers: u32, seed: u64) -> Books {
    let plan = DemoPlan::new(months, customers, seed).unwrap();
    let books = testbed::Books::new().await;
    let store = books.open_with(Options { readers: 2, ..Options::default() }).await;
    let engine = Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(plan.seed()));
    let refused = build(&engine, plan, &|_, _| {}).await.unwrap();
    let shown = subjects::find(&engine, plan).await.unwrap();
    let report = engine.audit(None, Box::new(|_| {})).await.unwrap();
    for checked in &report.checked {
        assert_eq!(checked.disagreements, 0, "{checked:?}");
    }
    engine.store().close().await.unwrap();
    Books { books, shown, refused }
}

impl Books {
    /// Every row of every table, as text.
    async fn rows(&self) -> Vec<String> {
        let tables = self.books.dump().await.into_iter();
        tables.flat_map(|(name, rows)| rows.into_iter().map(move |row| format!("{name} {row}"))).collect()
    }

    /// The values of an expression, each once.
    async fn all(&self, expression: &str, from: &str) -> Vec<String> {
        let sql = format!("select distinct cast({expression} as text) from {from} order by 1");
        let rows = self.books.texts(&sql).await;
        rows.into_iter().map(|mut row| row.remove(0).unwrap_or_default()).collect()
    }

    /// What a customer has: `status currency` of its invoices and the like.
    async fn of(&self, customer: billing::id::CustomerId, expression: &str, table: &str) -> Vec<String> {
        let column = self.books.hex("customer_id");
        self.all(expression, &format!("{table} where {column} = '{:032x}'", customer.raw())).await
    }
}

#[tokio::test]
async fn the_same_plan_makes_the_same_books() {
    let (one, again, other) = (books(2, 12, 7).await, books(2, 12, 7).await, books(2, 12, 8).await);
    let (rows, again) = (one.rows().await, again.rows().await);
    assert!(rows.len() > 1_000, "{} rows", rows.len());
    for (first, second) in rows.iter().zip(&again) {
        assert_eq!(first, second);
    }
    assert_eq!(rows.len(), again.len());
    assert_ne!(rows, other.rows().await);
}

#[tokio::test]
async fn a_customer_more_leaves_the_others_as_they_were() {
    let (few, more) = (books(1, 5, 3).await, books(1, 6, 3).await);
    let total = "c.external_id || ' ' || i.total || ' ' || i.invoice_date";
    let of = "invoices i join customers c on c.id = i.customer_id";
    let (few, more) = (few.all(total, of).await, more.all(total, of).await);
    assert!(!few.is_empty() && few.iter().all(|total| more.contains(total)), "{few:?} {more:?}");
}

#[tokio::test]
async fn the_first_customers_have_something_to_show_in_every_contract() {
    for (months, customers) in [(1, 1), (1, 2), (5, 3)] {
        let books = books(months, customers, 1).await;
        assert_eq!(books.refused, 0);
        let (_, customer, _) = books.shown.customer;
        let invoices = books.of(customer, "status || ' ' || currency", "invoices").await;
        for wanted in ["paid USD", "open USD", "refunded USD", "partially_refunded USD", "void USD"] {
            assert!(invoices.iter().any(|found| found == wanted), "{wanted}: {invoices:?}");
        }
        for (expression, table, wanted) in [
            ("status", "purchases", "paid"),
            ("kind || ' ' || status", "payments", "manual succeeded"),
            ("retry_count || ' ' || status", "invoices", "1 paid"),
            (
                "status || case when next_attempt_at is null then '' else ' again' end",
                "invoices",
                "open again",
            ),
            ("status", "subscriptions", "trialing"),
        ] {
            let found = books.of(customer, expression, table).await;
            assert!(found.iter().any(|found| found == wanted), "{wanted}: {found:?}");
        }
        let kinds = books.of(customer, "kind", "invoices").await;
        assert_eq!(kinds, ["change", "purchase", "standalone", "subscription"]);
        let (_, organization, _) = books.shown.organization;
        let sold = "(select slug from products where id = invoices.product_id) || ' ' || currency
                    || case when tax > 0 then ' 1 ' else ' 0 ' end || status";
        let invoices = books.of(organization, sold, "invoices").await;
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
    for (expression, from, wanted) in [
        ("interval_unit || interval_count", "subscriptions", "day1 day10 month1 month3 week1 week2 year1"),
        ("status", "subscriptions", "active canceled completed incomplete_expired past_due trialing unpaid"),
        ("currency", "invoices", "EUR INR JPY KWD USD"),
        ("category", "invoices", "add_on ai_tools credits sms storage subscription"),
        ("status", "invoices", "open paid partially_refunded refunded uncollectible void"),
        ("case when archived then 1 else 0 end", "customers", "0 1"),
    ] {
        assert_eq!(books.all(expression, from).await.join(" "), wanted);
    }
    assert!(books.all("zone", "customers where zone is not null").await.len() >= 6);
    let payments = books.all("kind || ' ' || means || ' ' || status", "payments").await;
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
    assert!(books.all("external_id", "customers").await.iter().any(|id| id.contains('/')));
    for found in [
        "payments where deleted_at is not null",
        "items where pending = 'add'",
        "subscriptions where cancel_scheduled_at is not null and status = 'active'",
        "credits where remaining > 0",
        "customers c where not exists (select 1 from invoices i where i.customer_id = c.id)",
        "customers where catalog_id is not null",
        "invoice_taxes t join invoices i on i.id = t.invoice_id where i.currency = 'EUR'",
        "invoice_lines where description like 'Discount: %'",
        "invoice_lines where description like '%setup fee'",
    ] {
        assert_eq!(books.all("1", found).await, ["1"], "{found}");
    }
}

#[test]
fn a_plan_says_what_is_wrong_with_it() {
    assert_eq!(DemoPlan::new(24, 200, 1).unwrap().to_string(), "24 months, 200 customers, seed 1");
    assert_eq!(DemoPlan::new(0, 1, 1).unwrap_err(), "--months is a whole number from 1 to 120, not 0");
    assert_eq!(
        DemoPlan::new(1, 20_001, 1).unwrap_err(),
        "--customers is a whole number from 1 to 20000, not 20001"
    );
}
